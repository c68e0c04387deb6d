/*
 * Who gets a unique key (S4, S5), and whether a chunk is kept. The commit lock is held, and prepare.c has made
 * the slots. The chunks are decided one after the other, and a customer that is created takes its slots, so a
 * later chunk sees an earlier one as it would see the store.
 *
 * The difficulty: an atomic chunk that turns out to be refused must leave no trace in the slots. What
 * it changed is noted and put back.
 */
#include "store/run_priv.h"

/* State of the import that holds a key, as of the chunks decided so far. */
static uint8_t holder_state(const struct store_group *group, const struct uuid *tenant, const struct uuid *import)
{
    const struct store_member *member = store_member_find(group, tenant, import);
    if (member != NULL) {
        return member->now;
    }
    const struct store_unfinished *entry = store_unfinished_find(group->local->unfinished, tenant, import);
    return entry == NULL ? IMPORT_COMMITTED : entry->state;
}

/* Row of an import that this very group writes, or NULL. */
static const struct store_import *row_in_group(const struct store_group *group, const struct uuid *tenant,
                                               const struct uuid *import)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct store_import *row = group->chunks[i].chunk->row;
        if (row != NULL && uuid_equal(&row->id, import) && uuid_equal(&row->tenant, tenant)) {
            return row;
        }
    }
    return NULL;
}

static int read_envelope_mac(const struct store_group *group, struct store_envelope *known)
{
    const struct store_import *row = row_in_group(group, &known->tenant, &known->import);
    struct store_import stored;
    struct buf envelope;
    int err = 0;
    buf_init(&envelope, 0);
    if (row == NULL) {
        err = store_local_import_get(&group->local->store, &known->tenant, &known->import, &stored, &envelope);
        row = &stored;
    }
    if (err == 0) {
        memcpy(known->mac, row->envelope_mac, sizeof known->mac);
    }
    buf_fini(&envelope);
    return err;
}

/*
 * The same customer in another envelope (project, type) is other content. A chunk that does not
 * commit its import can't tell yet: whoever commits the row looks at the imports in the outcomes then.
 */
static bool envelope_same(struct store_group *group, const struct store_group_chunk *at, const struct uuid *import)
{
    const struct store_import *row = at->chunk->row;
    if (row == NULL || row->state != IMPORT_COMMITTED || uuid_equal(import, &at->chunk->import)) {
        return true;
    }
    struct store_envelope *known = &group->envelope;
    if (!known->read || !uuid_equal(&known->tenant, &at->chunk->tenant) || !uuid_equal(&known->import, import)) {
        *known = (struct store_envelope){.tenant = at->chunk->tenant, .import = *import, .read = true};
        int err = read_envelope_mac(group, known);
        known->lost = err == ERR_NOT_FOUND;
        group->error = err != 0 && err != ERR_NOT_FOUND ? err : group->error;
    }
    return known->lost || memcmp(known->mac, row->envelope_mac, CRYPTO_MAC_BYTES) == 0;
}

/* The holder as the chunk sees it, once `next` is reckoned with. CREATED: the key was given up; BUSY: that is open. */
static uint8_t meet_next(const struct store_group *group, const struct store_group_chunk *at,
                         struct store_holder *holder)
{
    const struct uuid next = holder->next;
    bool own = uuid_equal(&next, &at->chunk->import);
    uint8_t state = own ? IMPORT_COMMITTED : holder_state(group, &at->chunk->tenant, &next);
    memset(&holder->next, 0, sizeof holder->next);
    if (state == IMPORT_OPEN) {
        holder->import = next;
        return STORE_BUSY;
    }
    if (state == IMPORT_COMMITTED && holder->released) {
        return own ? STORE_EXISTING : STORE_CREATED; /* until it is committed the customer needs its key back */
    }
    if (state == IMPORT_COMMITTED) {
        holder->import = next;
        memcpy(holder->fingerprint, holder->next_fingerprint, CRYPTO_MAC_BYTES);
    }
    return STORE_EXISTING;
}

uint8_t store_slot_meet(const struct store_group *group, const struct store_group_chunk *at,
                        const struct store_slot *slot, struct store_holder *holder)
{
    if (!slot->held) {
        return STORE_CREATED;
    }
    *holder = slot->holder;
    if (!uuid_is_zero(&holder->next)) {
        uint8_t met = meet_next(group, at, holder);
        if (met != STORE_EXISTING) {
            return met;
        }
    }
    if (!uuid_equal(&holder->import, &at->chunk->import)) {
        uint8_t state = holder_state(group, &at->chunk->tenant, &holder->import);
        if (state == IMPORT_ABORTED || state == IMPORT_UNDONE) {
            return STORE_CREATED;
        }
        if (state != IMPORT_COMMITTED) {
            return STORE_BUSY;
        }
    }
    return STORE_EXISTING;
}

/* What a claim on this slot comes to: an outcome kind, CREATED when the key is free; else *holder has it. */
static uint8_t judge(struct store_group *group, const struct store_group_chunk *at, const struct store_slot *slot,
                     const uint8_t *fingerprint, struct store_holder *holder)
{
    uint8_t met = store_slot_meet(group, at, slot, holder);
    if (met != STORE_EXISTING) {
        return met;
    }
    bool same =
        memcmp(holder->fingerprint, fingerprint, CRYPTO_MAC_BYTES) == 0 && envelope_same(group, at, &holder->import);
    return same ? STORE_EXISTING : STORE_CONFLICT;
}

/* Which of two outcomes of one customer's keys speaks: what is final before what may pass. */
static int rank(uint8_t kind)
{
    switch (kind) {
    case STORE_CONFLICT:
        return 3;
    case STORE_BUSY:
        return 2;
    case STORE_EXISTING:
        return 1;
    default:
        return 0;
    }
}

static void tell(struct store_outcome *outcome, uint8_t kind, uint8_t key_kind, const struct store_holder *holder)
{
    *outcome = (struct store_outcome){.kind = kind, .key_kind = key_kind, .import = holder->import};
    if (kind != STORE_BUSY) {
        outcome->id = holder->id;
    }
}

void store_slot_take(struct store_group *group, struct store_slot *slot, struct store_slot_log *log)
{
    if (log->count == log->room) {
        size_t room = log->room * 2 + 16;
        struct store_slot_was *entries = arena_take(group->arena, room * sizeof *entries);
        if (entries == NULL) {
            group->error = ERR_NO_MEMORY;
            return;
        }
        if (log->count > 0) {
            memcpy(entries, log->entries, log->count * sizeof *entries);
        }
        log->entries = entries;
        log->room = room;
    }
    log->entries[log->count++] = (struct store_slot_was){.slot = slot, .was = *slot};
    slot->taken = true;
}

static void create(struct store_group *group, const struct store_chunk *chunk, const struct store_customer *customer,
                   struct store_slot *slot, struct store_slot_log *log)
{
    store_slot_take(group, slot, log);
    slot->held = true;
    slot->holder.id = customer->id;
    slot->holder.import = chunk->import;
    memcpy(slot->holder.fingerprint, customer->fingerprint, CRYPTO_MAC_BYTES);
    memset(&slot->holder.next, 0, sizeof slot->holder.next);
}

static void put_back(struct store_slot_log *log)
{
    while (log->count > 0) {
        const struct store_slot_was *last = &log->entries[--log->count];
        *last->slot = last->was;
    }
}

/* The older customer gets the item's content, unless another of the item's keys is another's. */
static void update(struct store_group *group, struct store_group_chunk *at, size_t index, struct store_claim *claims,
                   const struct store_holder *older, struct store_slot_log *log)
{
    const struct store_customer *customer = &at->chunk->customers[index];
    struct store_outcome *outcome = &at->chunk->outcomes[index];
    const struct store_claim *claim = claims;
    tell(outcome, STORE_UPDATED, IDENTIFIER_EXTERNAL_ID, older);
    for (size_t i = 0; i < customer->key_count; i++) {
        struct store_holder holder;
        if (!customer->keys[i].unique) {
            continue;
        }
        uint8_t met = store_slot_meet(group, at, claim->slot, &holder);
        uint8_t kind = met == STORE_EXISTING && !uuid_equal(&holder.id, &older->id) ? STORE_CONFLICT : met;
        if (kind != STORE_EXISTING && rank(kind) > rank(outcome->kind)) {
            tell(outcome, kind, customer->keys[i].kind, &holder);
        }
        claim++;
    }
    if (outcome->kind == STORE_UPDATED) {
        store_revise(group, at, customer, claims, older, log);
    }
}

/* What the import wants of a customer whose external id exists (?onExisting=); `older` has that id and other
 * content, NULL when nobody has. */
static void apply_existing(struct store_group *group, struct store_group_chunk *at, size_t index,
                           struct store_claim *claims, const struct store_holder *older, struct store_slot_log *log)
{
    struct store_outcome *outcome = &at->chunk->outcomes[index];
    uint8_t rule = at->chunk->on_existing;
    if (rule == IMPORT_EXISTING_UPDATE && older != NULL) {
        update(group, at, index, claims, older, log);
    } else if (rule == IMPORT_EXISTING_SKIP && older != NULL) {
        tell(outcome, STORE_SKIPPED, IDENTIFIER_EXTERNAL_ID, older);
    } else if (rule == IMPORT_EXISTING_FAIL && outcome->kind == STORE_EXISTING) {
        outcome->kind = STORE_CONFLICT;
    }
}

/* Decides one customer; returns the claim behind its own. */
static struct store_claim *decide_customer(struct store_group *group, struct store_group_chunk *at, size_t index,
                                           struct store_claim *claim, struct store_slot_log *log)
{
    const struct store_customer *customer = &at->chunk->customers[index];
    struct store_outcome *outcome = &at->chunk->outcomes[index];
    struct store_claim *first = claim;
    struct store_holder older;
    bool exists = false;
    if (customer->refused) {
        *outcome = (struct store_outcome){.kind = STORE_FAULT};
        return claim;
    }
    *outcome = (struct store_outcome){.kind = STORE_CREATED, .id = customer->id};
    for (size_t i = 0; i < customer->key_count; i++) {
        struct store_holder holder;
        if (!customer->keys[i].unique) {
            continue;
        }
        uint8_t kind = judge(group, at, claim->slot, customer->fingerprint, &holder);
        if (rank(kind) > rank(outcome->kind)) {
            tell(outcome, kind, customer->keys[i].kind, &holder);
        }
        if (kind == STORE_CONFLICT && customer->keys[i].kind == IDENTIFIER_EXTERNAL_ID) {
            older = holder;
            exists = true;
        }
        claim++;
    }
    apply_existing(group, at, index, first, exists ? &older : NULL, log);
    for (struct store_claim *own = first; outcome->kind == STORE_CREATED && own < claim; own++) {
        create(group, at->chunk, customer, own->slot, log);
    }
    return claim;
}

/* ---- what may follow ---- */

/* The import's row alone, or without it what is kept beside customers. `next` is the state that the row has. */
static bool may_follow_end(const struct store_member *member, const struct store_chunk *chunk, uint8_t next)
{
    bool here = member->before == 0 || member->before == IMPORT_OPEN; /* it ended in this group */
    if (chunk->count > 0) {
        return false;
    }
    switch (member->now) {
    case IMPORT_COMMITTED:
        return next == IMPORT_COMMITTED || (here && next == 0);
    case IMPORT_ABORTED:
        return next == IMPORT_ABORTED || (here && next == 0);
    default:
        return false;
    }
}

/* Whether the import's state lets this chunk in; docs/store.md has the table. */
static bool may_follow(const struct store_group *group, const struct store_member *member,
                       const struct store_chunk *chunk)
{
    uint8_t next = chunk->row == NULL ? 0 : chunk->row->state;
    if (member->refused && next == IMPORT_COMMITTED && member->now != IMPORT_COMMITTED) {
        return chunk->count > 0 && chunk->atomic; /* decided for its outcomes, and refused */
    }
    if (member->now == IMPORT_OPEN) {
        return true;
    }
    if (member->now == 0) {
        bool beside = chunk->count == 0 && chunk->request == NULL; /* faults that go before the first row */
        return next != 0 || (beside && row_in_group(group, &chunk->tenant, &chunk->import) != NULL);
    }
    return may_follow_end(member, chunk, next);
}

/* Whether a chunk of this number is kept already: after a resume only those that are not may come. */
static bool is_kept_before(struct store_group *group, const struct store_group_chunk *at)
{
    const struct store_chunk *chunk = at->chunk;
    if (chunk->count == 0) {
        return false;
    }
    for (const struct store_group_chunk *other = group->chunks; other < at; other++) {
        if (other->member == at->member && other->chunk->kept && other->chunk->count > 0 &&
            other->chunk->number == chunk->number) {
            return true;
        }
    }
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct buf row;
    int err = ERR_NOT_FOUND;
    buf_init(&row, 0);
    if (at->member->before == IMPORT_OPEN && !group->local->blind) {
        err = store_kv_get(group->local->kv, NULL, STORE_FAMILY_OUTCOME,
                           store_rows_outcome_key(key, &chunk->tenant, &chunk->import, chunk->number), &row);
    }
    buf_fini(&row);
    group->error = err != 0 && err != ERR_NOT_FOUND ? err : group->error;
    return err == 0;
}

/* ---- a chunk ---- */

static bool any_refused(const struct store_chunk *chunk)
{
    for (size_t i = 0; i < chunk->count; i++) {
        if (rank(chunk->outcomes[i].kind) > rank(STORE_EXISTING)) {
            return true;
        }
    }
    return false;
}

static void add_counts(const struct store_group_chunk *at, struct store_import *row)
{
    row->created += at->counts[STORE_CREATED];
    row->existing += at->counts[STORE_EXISTING];
    row->updated += at->counts[STORE_UPDATED];
    row->skipped += at->counts[STORE_SKIPPED];
}

void store_group_uncount(struct store_group *group)
{
    for (size_t i = 0; group->chunks != NULL && i < group->count; i++) {
        const struct store_group_chunk *at = &group->chunks[i];
        if (at->counted) {
            struct store_import *row = at->chunk->row;
            row->created -= at->counts[STORE_CREATED];
            row->existing -= at->counts[STORE_EXISTING];
            row->updated -= at->counts[STORE_UPDATED];
            row->skipped -= at->counts[STORE_SKIPPED];
        }
    }
}

static void keep(struct store_group_chunk *at)
{
    struct store_chunk *chunk = at->chunk;
    struct store_member *member = at->member;
    chunk->kept = true;
    member->wrote = member->wrote || (chunk->count > 0 && !chunk->dry);
    for (size_t i = 0; i < chunk->count; i++) {
        at->counts[chunk->outcomes[i].kind]++;
    }
    member->revises = member->revises || (at->counts[STORE_UPDATED] > 0 && !chunk->dry);
    if (chunk->row != NULL) {
        member->now = chunk->row->state;
        add_counts(at, chunk->row);
        at->counted = true;
    }
    store_request_claim(at);
}

/* 0, or why the chunk is not even looked at. */
static int chunk_error(struct store_group *group, const struct store_group_chunk *at)
{
    if (at->member->was.foreign && at->member->now == IMPORT_OPEN && !at->chunk->by_request) {
        return ERR_KEY_IN_FLIGHT; /* another node is at it */
    }
    if (!may_follow(group, at->member, at->chunk) || is_kept_before(group, at)) {
        return ERR_IMPORT_ENDED;
    }
    /* An import with an open run takes no other chunk or row: it would end under rows that don't count yet. */
    if (group->out == NULL && store_runs_has(group->local, &at->chunk->tenant, &at->chunk->import)) {
        return ERR_BUSY;
    }
    return store_request_may_claim(at) ? 0 : ERR_KEY_IN_FLIGHT;
}

static void decide_chunk(struct store_group *group, struct store_group_chunk *at, struct store_slot_log *log)
{
    struct store_chunk *chunk = at->chunk;
    struct store_claim *claim = at->claims;
    log->count = 0;
    chunk->error = chunk_error(group, at);
    if (chunk->error != 0) {
        return;
    }
    for (size_t i = 0; i < chunk->count; i++) {
        claim = decide_customer(group, at, i, claim, log);
    }
    bool refused = any_refused(chunk);
    bool drop = chunk->atomic && chunk->count > 0 && (at->member->refused || refused);
    if (drop || chunk->dry) {
        put_back(log);
    }
    if (drop) {
        at->member->refused = true;
        return;
    }
    if (refused && chunk->decided != NULL) {
        chunk->decided(chunk, chunk->context);
    }
    keep(at);
}

/* What was let in because the import's row comes behind it in the group, and the row was not kept. */
static void drop_orphans(struct store_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        struct store_group_chunk *at = &group->chunks[i];
        if (at->chunk->kept && at->member->now == 0) {
            at->chunk->kept = false;
            at->chunk->error = ERR_IMPORT_ENDED;
        }
    }
}

int store_group_decide(struct store_group *group)
{
    struct store_slot_log log = {.room = group->claim_count};
    log.entries = arena_take(group->arena, group->claim_count * sizeof *log.entries);
    if (log.entries == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < group->count; i++) {
        decide_chunk(group, &group->chunks[i], &log);
    }
    drop_orphans(group);
    return group->error;
}
