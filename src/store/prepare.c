/*
 * What a group of chunks asks for, before it is decided: the states of its imports, and its unique keys, gathered,
 * sorted and looked up at once. Each key becomes a slot with its holder. The commit lock is held, but not yet when
 * a run's keys are looked up: those that were written since then are looked up again, the last of them under it.
 */
#include <assert.h>
#include <stdlib.h>

#include "store/order_priv.h"
#include "store/run_priv.h"

#define MANY_CLAIMS 64u  /* fewer are sorted faster by comparing */
#define PAUSE_KEYS  128u /* looked up between two pauses: a fraction of a millisecond, unless the disk is asked */

/* ---- the group's imports ---- */

struct store_member *store_member_find(const struct store_group *group, const struct uuid *tenant,
                                       const struct uuid *import)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    uint64_t at = 0;
    bool there = map_get(group->local->members, store_rows_pair_key(bytes, tenant, import), &at);
    return there ? &group->members[at] : NULL;
}

/* What is known of an import before the group: from the set, or else from its row. */
static int member_load(struct store_local *local, struct store_member *member)
{
    const struct store_unfinished *entry = store_unfinished_find(local->unfinished, &member->tenant, &member->import);
    if (entry != NULL) {
        member->was = *entry;
        member->before = entry->state;
        member->wrote = entry->wrote;
        member->refused = entry->refused;
        member->revises = entry->revises;
        member->claimed = entry->claimed;
        memcpy(member->mac, entry->mac, CRYPTO_MAC_BYTES);
        return 0;
    }
    if (local->blind) {
        return 0;
    }
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct buf row;
    buf_init(&row, 0);
    int err = store_kv_get(local->kv, NULL, STORE_FAMILY_IMPORT,
                           store_rows_pair_key(key, &member->tenant, &member->import), &row);
    if (err == 0) {
        member->before = store_rows_import_state(buf_view(&row));
        err = member->before == 0 ? ERR_CORRUPT : 0;
    }
    buf_fini(&row);
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int member_add(struct store_group *group, const struct store_chunk *chunk)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    assert(group->members != NULL);
    struct store_member *member = &group->members[group->member_count];
    member->tenant = chunk->tenant;
    member->import = chunk->import;
    int err = member_load(group->local, member);
    member->now = member->before;
    if (err != 0) {
        return err;
    }
    return map_put(group->local->members, store_rows_pair_key(key, &member->tenant, &member->import),
                   group->member_count++);
}

static int gather_members(struct store_group *group)
{
    map_clear(group->local->members);
    for (size_t i = 0; i < group->count; i++) {
        struct store_chunk *chunk = group->chunks[i].chunk;
        if (store_member_find(group, &chunk->tenant, &chunk->import) == NULL) {
            int err = member_add(group, chunk);
            if (err != 0) {
                return err;
            }
        }
        group->chunks[i].member = store_member_find(group, &chunk->tenant, &chunk->import);
    }
    return 0;
}

/* ---- the group's unique keys ---- */

/* A refused customer asks for no key. */
static size_t count_unique(const struct store_customer *customer)
{
    size_t count = 0;
    if (customer->refused) {
        return 0;
    }
    for (size_t i = 0; i < customer->key_count; i++) {
        count += customer->keys[i].unique ? 1 : 0;
    }
    return count;
}

static void count_claims(struct store_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        struct store_group_chunk *at = &group->chunks[i];
        for (size_t j = 0; j < at->chunk->count; j++) {
            const struct store_customer *customer = &at->chunk->customers[j];
            size_t unique = count_unique(customer);
            group->claim_count += unique;
            at->plain_count += customer->refused ? 0 : customer->key_count - unique;
        }
    }
}

/* The customer's claims, written from `claim` on; returns the place behind them. */
static struct store_claim *fill_claims(const struct store_chunk *chunk, const struct store_customer *customer,
                                       struct store_claim *claim)
{
    for (size_t i = 0; !customer->refused && i < customer->key_count; i++) {
        if (customer->keys[i].unique) {
            (void)store_rows_unique_key(claim->key, &chunk->tenant, &customer->keys[i]);
            claim++;
        }
    }
    return claim;
}

static int gather_claims(struct store_group *group)
{
    count_claims(group);
    group->claims = arena_take(group->arena, group->claim_count * sizeof *group->claims);
    if (group->claims == NULL) {
        return ERR_NO_MEMORY;
    }
    struct store_claim *claim = group->claims;
    for (size_t i = 0; i < group->count; i++) {
        const struct store_chunk *chunk = group->chunks[i].chunk;
        group->chunks[i].claims = claim;
        for (size_t j = 0; j < chunk->count; j++) {
            claim = fill_claims(chunk, &chunk->customers[j], claim);
        }
    }
    return 0;
}

static int claim_order(const void *a, const void *b)
{
    const struct store_claim *const *left = a;
    const struct store_claim *const *right = b;
    return memcmp((*left)->key, (*right)->key, STORE_UNIQUE_BYTES);
}

static bool of_one_tenant(const struct store_group *group)
{
    for (size_t i = 1; i < group->count; i++) {
        if (!uuid_equal(&group->chunks[i].chunk->tenant, &group->chunks[0].chunk->tenant)) {
            return false;
        }
    }
    return true;
}

/* The claims in order of key. Many of one tenant are put in order by what stands behind the tenant. */
static int sort_claims(const struct store_group *group, struct store_claim **sorted)
{
    size_t count = group->claim_count;
    if (count < MANY_CLAIMS || !of_one_tenant(group)) {
        for (size_t i = 0; i < count; i++) {
            sorted[i] = &group->claims[i];
        }
        qsort(sorted, count, sizeof(struct store_claim *), claim_order);
        return 0;
    }
    struct store_order_item *order = store_order_make(group->claims[0].key + STORE_TENANT_BYTES, sizeof *group->claims,
                                                      STORE_UNIQUE_BYTES - STORE_TENANT_BYTES, count);
    for (size_t i = 0; order != NULL && i < count; i++) {
        sorted[i] = &group->claims[order[i].at];
    }
    free(order);
    return order == NULL ? ERR_NO_MEMORY : 0;
}

/* Sorts the claims and gives those of one key one slot. */
static int make_slots(struct store_group *group)
{
    struct arena *arena = group->arena;
    struct store_claim **sorted = arena_take(arena, group->claim_count * sizeof *sorted);
    group->slots = arena_take_zeroed(arena, group->claim_count, sizeof *group->slots);
    if (sorted == NULL || group->slots == NULL || sort_claims(group, sorted) != 0) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < group->claim_count; i++) {
        if (i == 0 || memcmp(sorted[i - 1]->key, sorted[i]->key, STORE_UNIQUE_BYTES) != 0) {
            memcpy(group->slots[group->slot_count++].key, sorted[i]->key, STORE_UNIQUE_BYTES);
        }
        sorted[i]->slot = &group->slots[group->slot_count - 1];
    }
    return 0;
}

/* Slots that are looked up together. */
struct look {
    struct store_group *group;
    struct store_slot *const *slots;
};

static int note_holder(void *context, size_t index, struct slice value)
{
    const struct look *look = context;
    struct store_slot *slot = look->slots[index];
    slot->held = true;
    slot->stored = true;
    look->group->met = true;
    return store_rows_holder_read(value, &slot->holder);
}

/* Who has the keys of these slots, in order of key. */
static int look_up(struct store_group *group, struct store_slot *const *slots, size_t count)
{
    if (count == 0) {
        return 0;
    }
    struct slice *keys = arena_take(group->arena, count * sizeof *keys);
    if (keys == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        slots[i]->held = false;
        slots[i]->stored = false;
        keys[i] = slice_make(slots[i]->key, STORE_UNIQUE_BYTES);
    }
    size_t some = group->pause == NULL ? count : PAUSE_KEYS;
    int err = 0;
    for (size_t first = 0; first < count && err == 0; first += some) {
        struct look look = {.group = group, .slots = slots + first};
        size_t here = count - first < some ? count - first : some;
        err = store_kv_get_many(group->local->kv, NULL, STORE_FAMILY_UNIQUE, keys + first, here, note_holder, &look);
        if (group->pause != NULL) {
            group->pause(group->pause_context);
        }
    }
    return err;
}

/* Those that were touched, or all; the commit lock is held for the former. */
static int collect(const struct store_group *group, bool all, uint64_t since, struct store_slot ***slots, size_t *count)
{
    *count = 0;
    *slots = NULL;
    if (group->slot_count == 0 || (!all && group->local->touches == since)) {
        return 0;
    }
    *slots = arena_take(group->arena, group->slot_count * sizeof **slots);
    if (*slots == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < group->slot_count; i++) {
        if (all || store_local_touched(group->local, group->slots[i].key, since)) {
            (*slots)[(*count)++] = &group->slots[i];
        }
    }
    return 0;
}

static int look_up_all(struct store_group *group)
{
    struct store_slot **slots;
    size_t count;
    if (group->local->blind) {
        return 0;
    }
    int err = collect(group, true, 0, &slots, &count);
    return err == 0 ? look_up(group, slots, count) : err;
}

/* The lock is held. */
static int look_again_since(struct store_group *group, uint64_t since)
{
    struct store_slot **slots;
    size_t count;
    int err = collect(group, false, since, &slots, &count);
    return err == 0 ? look_up(group, slots, count) : err;
}

int store_group_look_again(struct store_group *group, uint64_t *since)
{
    struct store_local *local = group->local;
    struct store_slot **slots;
    size_t count;
    pthread_mutex_lock(&local->commit_lock);
    int err = collect(group, false, *since, &slots, &count);
    *since = local->touches;
    store_local_unlock(local);
    return err == 0 ? look_up(group, slots, count) : err;
}

/* ---- the group ---- */

static int gather(struct store_group *group, struct store_chunk *const *chunks, size_t count)
{
    group->count = count;
    group->chunks = arena_take_zeroed(group->arena, count, sizeof *group->chunks);
    group->members = arena_take_zeroed(group->arena, count, sizeof *group->members);
    if (group->chunks == NULL || group->members == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        group->chunks[i].chunk = chunks[i];
    }
    int err = gather_claims(group);
    return err == 0 ? make_slots(group) : err;
}

int store_group_prepare_early(struct store_group *group, struct store_chunk *const *chunks, size_t count)
{
    int err = gather(group, chunks, count);
    return err == 0 ? look_up_all(group) : err;
}

int store_group_prepare_late(struct store_group *group, uint64_t since)
{
    int err = gather_members(group);
    err = err == 0 ? look_again_since(group, since) : err;
    group->local->met = group->local->met || group->met;
    if (err == 0) {
        store_runs_look_up(group);
        err = store_requests_prepare(group);
    }
    return err;
}

int store_group_prepare(struct store_group *group, struct store_chunk *const *chunks, size_t count)
{
    int err = store_group_prepare_early(group, chunks, count);
    return err == 0 ? store_group_prepare_late(group, group->local->touches) : err;
}
