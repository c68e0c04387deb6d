/*
 * store_commit: prepare, decide, compose, stage, write, publish. One batch and one sync a group; the
 * batch holds every row of every kept chunk (S2), and nothing is answered before it is synced (S1).
 *
 * The difficulty is the order of writing and publishing, see the rule at the top of local.c: imports
 * that are unfinished after the group enter the set before the write, those that are finished leave
 * it behind the write. Both sets are made before, so that nothing can fail once it is written.
 */
#include <assert.h>
#include <stdlib.h>

#include "store/group_priv.h"

/* What composing the batch needs. */
struct composer {
    struct store_group *group;
    struct store_kv *kv;
    struct store_kv_batch *batch;
    struct store_kv_batch *index; /* index entries go here: the same batch */
    struct buf scratch;
    uint8_t (*plain)[STORE_PLAIN_BYTES];
    size_t plain_count;
};

/* ---- composing the batch ---- */

static void put_customer(struct composer *composer, const struct store_chunk *chunk,
                         const struct store_customer *customer)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice key = store_rows_pair_key(bytes, &chunk->tenant, &customer->id);
    store_kv_put(composer->kv, composer->batch, STORE_FAMILY_BODY, key, customer->record);
    if (customer->secrets.size > 0) {
        buf_clear(&composer->scratch);
        buf_append_slice(&composer->scratch, uuid_view(&chunk->import));
        buf_append_slice(&composer->scratch, customer->secrets);
        store_kv_put(composer->kv, composer->batch, STORE_FAMILY_SECRET, key, buf_view(&composer->scratch));
    }
    if (customer->secrets.size > 0 && customer->secrets_pending) {
        store_kv_put(composer->kv, composer->batch, STORE_FAMILY_PENDING, key, uuid_view(&chunk->import));
    }
    for (size_t i = 0; i < customer->key_count; i++) {
        if (!customer->keys[i].unique) {
            (void)store_rows_plain_key(composer->plain[composer->plain_count++], &chunk->tenant, &customer->keys[i],
                                       &customer->id);
        }
    }
}

static int put_outcomes(struct composer *composer, const struct store_chunk *chunk)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    buf_clear(&composer->scratch);
    for (size_t i = 0; i < chunk->count; i++) {
        store_rows_outcome_write(&composer->scratch, &chunk->outcomes[i]);
    }
    store_kv_put(composer->kv, composer->batch, STORE_FAMILY_OUTCOME,
                 store_rows_outcome_key(key, &chunk->tenant, &chunk->import, chunk->number),
                 buf_view(&composer->scratch));
    return buf_error(&composer->scratch);
}

static int put_import(struct composer *composer, const struct store_import *row)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    buf_clear(&composer->scratch);
    store_rows_import_write(&composer->scratch, row);
    store_kv_put(composer->kv, composer->batch, STORE_FAMILY_IMPORT, store_rows_pair_key(key, &row->tenant, &row->id),
                 buf_view(&composer->scratch));
    return buf_error(&composer->scratch);
}

static int put_chunk(struct composer *composer, const struct store_chunk *chunk)
{
    for (size_t i = 0; i < chunk->count; i++) {
        if (chunk->outcomes[i].kind == STORE_CREATED) {
            put_customer(composer, chunk, &chunk->customers[i]);
        }
    }
    int err = chunk->count > 0 ? put_outcomes(composer, chunk) : 0;
    return err == 0 && chunk->row != NULL ? put_import(composer, chunk->row) : err;
}

static int plain_order(const void *a, const void *b)
{
    return memcmp(a, b, STORE_PLAIN_BYTES);
}

/* Index entries in order of key: the next one then lies near the last in the memtable. */
static void put_index(struct composer *composer)
{
    const struct store_group *group = composer->group;
    for (size_t i = 0; i < group->slot_count; i++) {
        const struct store_slot *slot = &group->slots[i];
        if (slot->taken) {
            uint8_t value[STORE_HOLDER_BYTES];
            store_kv_put(composer->kv, composer->index, STORE_FAMILY_UNIQUE, slice_make(slot->key, sizeof slot->key),
                         store_rows_holder_write(value, &slot->holder));
        }
    }
    if (composer->plain_count > 1) {
        qsort(composer->plain, composer->plain_count, sizeof *composer->plain, plain_order);
    }
    for (size_t i = 0; i < composer->plain_count; i++) {
        struct slice key = slice_make(composer->plain[i], STORE_PLAIN_BYTES);
        if (i == 0 || plain_order(composer->plain[i - 1], composer->plain[i]) != 0) {
            store_kv_put(composer->kv, composer->index, STORE_FAMILY_PLAIN, key, SLICE_NONE);
        }
    }
}

/* The member's entry in the set as the group leaves it; state 0: none. */
static struct store_unfinished entry_after(const struct store_member *member)
{
    struct store_unfinished entry = {
        .tenant = member->tenant, .import = member->import, .wrote = member->wrote, .refused = member->refused};
    if (member->now == IMPORT_OPEN) {
        entry.state = IMPORT_OPEN;
    } else if (member->now == IMPORT_ABORTED && member->before == IMPORT_COMMITTED) {
        entry.state = IMPORT_ABORTED; /* undone; the sweep finds out whether it had customers */
        entry.wrote = true;
    } else if (member->now == IMPORT_ABORTED && member->wrote) {
        entry.state = IMPORT_ABORTED;
    }
    if (member->was.state == 0 && member->before == IMPORT_ABORTED) {
        entry.state = 0; /* swept before: only its report is written again */
    }
    return entry;
}

static void put_marks(struct composer *composer)
{
    const struct store_group *group = composer->group;
    for (size_t i = 0; i < group->member_count; i++) {
        const struct store_member *member = &group->members[i];
        uint8_t bytes[STORE_ROW_KEY_BYTES];
        struct slice key = store_rows_pair_key(bytes, &member->tenant, &member->import);
        uint8_t state = entry_after(member).state;
        if (state != 0 && state != member->was.state) {
            store_kv_put(composer->kv, composer->batch, STORE_FAMILY_UNFINISHED, key, slice_make(&state, 1));
        } else if (state == 0 && member->was.state != 0) {
            store_kv_erase(composer->kv, composer->batch, STORE_FAMILY_UNFINISHED, key);
        }
    }
}

/* *rows: how many chunks are kept; none leaves the batch empty. */
static int compose(struct composer *composer, size_t *kept)
{
    const struct store_group *group = composer->group;
    size_t plain = 0;
    for (size_t i = 0; i < group->count; i++) {
        plain += group->chunks[i].chunk->kept ? group->chunks[i].plain_count : 0;
        *kept += group->chunks[i].chunk->kept ? 1 : 0;
    }
    composer->plain = arena_take(group->local->arena, plain * sizeof *composer->plain);
    if (composer->plain == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < group->count; i++) {
        const struct store_chunk *chunk = group->chunks[i].chunk;
        int err = chunk->kept ? put_chunk(composer, chunk) : 0;
        if (err != 0) {
            return err;
        }
    }
    put_index(composer);
    put_marks(composer);
    return 0;
}

/* ---- the set before and after the write ---- */

struct stages {
    struct store_unfinished_set *before; /* NULL: no change */
    struct store_unfinished_set *after;
};

static bool entry_same(const struct store_unfinished *a, const struct store_unfinished *b)
{
    return a->state == b->state && (a->state == 0 || (a->wrote == b->wrote && a->refused == b->refused));
}

/* Imports that begin in this group come first (U1), whatever state it leaves them in. */
static int stage(struct store_group *group, struct stages *stages)
{
    struct store_local *local = group->local;
    struct store_unfinished *before = arena_take(local->arena, group->member_count * sizeof *before);
    struct store_unfinished *after = arena_take(local->arena, group->member_count * sizeof *after);
    size_t before_count = 0;
    size_t after_count = 0;
    if (before == NULL || after == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < group->member_count; i++) {
        const struct store_member *member = &group->members[i];
        struct store_unfinished entry = entry_after(member);
        if (entry_same(&entry, &member->was)) {
            continue;
        }
        if (member->before == 0) {
            before[before_count++] = entry;
        } else {
            after[after_count++] = entry;
        }
    }
    const struct store_unfinished_set *from = local->unfinished;
    if (before_count > 0) {
        stages->before = store_unfinished_change(from, before, before_count);
        from = stages->before;
    }
    if (from != NULL && after_count > 0) {
        stages->after = store_unfinished_change(from, after, after_count);
    }
    bool whole = (before_count == 0 || stages->before != NULL) && (after_count == 0 || stages->after != NULL);
    return whole ? 0 : ERR_NO_MEMORY;
}

static void publish(struct store_local *local, struct store_unfinished_set **set)
{
    if (*set != NULL) {
        store_local_publish(local, *set);
        *set = NULL;
    }
}

/* ---- the group ---- */

static int write_group(struct composer *composer, size_t kept)
{
    struct store_local *local = composer->group->local;
    if (kept == 0) {
        return 0;
    }
    int err = store_local_write(local, composer->batch, true);
#ifdef MUSTER_PLANT_INDEX_OUTSIDE
    if (err == 0) {
        err = store_local_write(local, composer->index, false);
    }
#endif
    return err;
}

static int compose_and_write(struct composer *composer)
{
    struct store_group *group = composer->group;
    struct store_local *local = group->local;
    struct stages stages = {0};
    size_t kept = 0;
    int err = compose(composer, &kept);
    err = err == 0 ? stage(group, &stages) : err;
    if (err == 0) {
        publish(local, &stages.before);
        err = write_group(composer, kept);
    }
    if (err == 0) {
        publish(local, &stages.after);
    }
    store_unfinished_release(&stages.before);
    store_unfinished_release(&stages.after);
    return err;
}

static int run(struct store_group *group, struct store_chunk *const *chunks, size_t count)
{
    struct store_local *local = group->local;
    int err = store_group_prepare(group, chunks, count);
    err = err == 0 ? store_group_decide(group) : err;
    if (err != 0) {
        return err;
    }
    struct composer composer = {.group = group, .kv = local->kv, .batch = local->batch, .index = local->batch};
    buf_init(&composer.scratch, 0);
#ifdef MUSTER_PLANT_INDEX_OUTSIDE
    /* A planted defect, for the crash tests to find: index entries in an unsynced batch of their own
     * break S2. Never defined in a program that is installed. */
    composer.index = store_kv_batch_new(local->kv);
#endif
    err = compose_and_write(&composer);
#ifdef MUSTER_PLANT_INDEX_OUTSIDE
    store_kv_batch_free(local->kv, &composer.index);
#endif
    buf_fini(&composer.scratch);
    store_kv_batch_clear(local->kv, local->batch);
    return err;
}

/* None of the group survived: what the callers were told so far is taken back. */
static void take_back(struct store_group *group, struct store_chunk *const *chunks, size_t count, int err)
{
    for (size_t i = 0; i < count; i++) {
        chunks[i]->kept = false;
        chunks[i]->error = err;
        if (group->chunks != NULL && group->chunks[i].counted) {
            chunks[i]->row->created -= group->chunks[i].created;
            chunks[i]->row->existing -= group->chunks[i].existing;
        }
    }
}

int store_local_commit(struct store *store, struct store_chunk *const *chunks, size_t count)
{
    struct store_local *local = store_local_of(store);
    struct store_group group = {.local = local};
    for (size_t i = 0; i < count; i++) {
        chunks[i]->kept = false;
        chunks[i]->error = 0;
    }
    pthread_mutex_lock(&local->commit_lock);
    int err = store_local_health(local);
    if (err == 0) {
        err = run(&group, chunks, count);
    }
    if (err != 0) {
        take_back(&group, chunks, count, err);
    }
    arena_rewind(local->arena);
    pthread_mutex_unlock(&local->commit_lock);
    return err;
}
