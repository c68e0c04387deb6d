/*
 * The rows of a decided group: of every kept chunk its customers, outcomes, faults and import row, then the
 * index entries of the whole group, then its idempotency keys.
 *
 * The difficulty is speed: index entries land all over their families. They are put in order of key, so that
 * the next one lies near the last in the memtable; a run, which has none, does that at its end.
 */
#include <stdlib.h>

#include "store/group_priv.h"

/* What composing the batch needs. */
struct composer {
    struct store_group *group;
    struct store_kv *kv;
    struct store_kv_batch *batch;
    struct store_kv_batch *index; /* index entries go here: the same batch */
    struct buf scratch;
    int error; /* a row that could not be composed */
    uint8_t (*plain)[STORE_PLAIN_BYTES];
    size_t plain_count;
};

/* The customer's other index entries, which lead to `id`. */
static void add_plain(struct composer *composer, const struct store_chunk *chunk, const struct store_customer *customer,
                      const struct uuid *id)
{
    for (size_t i = 0; i < customer->key_count; i++) {
        if (!customer->keys[i].unique) {
            (void)store_rows_plain_key(composer->plain[composer->plain_count++], &chunk->tenant, &customer->keys[i],
                                       id);
        }
    }
}

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
        composer->error = composer->error == 0 ? buf_error(&composer->scratch) : composer->error;
    }
    if (customer->secrets.size > 0 && customer->secrets_pending) {
        store_kv_put(composer->kv, composer->batch, STORE_FAMILY_PENDING, key, uuid_view(&chunk->import));
    }
    add_plain(composer, chunk, customer, &customer->id);
}

/* What the scratch has, as a row's value. `taken_new`: it was not looked for, and may be there against all belief. */
static void put_row(struct composer *composer, enum store_family family, bool taken_new, struct slice key)
{
    if (taken_new) {
        store_kv_put_new(composer->kv, composer->batch, family, key, buf_view(&composer->scratch));
    } else {
        store_kv_put(composer->kv, composer->batch, family, key, buf_view(&composer->scratch));
    }
}

static int put_outcomes(struct composer *composer, const struct store_chunk *chunk)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    buf_clear(&composer->scratch);
    store_rows_chain_write(&composer->scratch, chunk->chain);
    for (size_t i = 0; i < chunk->count; i++) {
        store_rows_outcome_write(&composer->scratch, &chunk->outcomes[i]);
    }
    put_row(composer, STORE_FAMILY_OUTCOME, composer->group->local->blind,
            store_rows_outcome_key(key, &chunk->tenant, &chunk->import, chunk->number));
    return buf_error(&composer->scratch);
}

static int put_import(struct composer *composer, const struct store_import *row)
{
    const struct store_member *member = store_member_find(composer->group, &row->tenant, &row->id);
    bool taken_new = composer->group->local->blind && (member == NULL || member->before == 0);
    uint8_t key[STORE_ROW_KEY_BYTES];
    buf_clear(&composer->scratch);
    store_rows_import_write(&composer->scratch, row);
    put_row(composer, STORE_FAMILY_IMPORT, taken_new, store_rows_pair_key(key, &row->tenant, &row->id));
    return buf_error(&composer->scratch);
}

static void put_faults(struct composer *composer, const struct store_chunk *chunk)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    if (chunk->faults.size > 0) {
        store_kv_put(composer->kv, composer->batch, STORE_FAMILY_FAULT,
                     store_rows_outcome_key(key, &chunk->tenant, &chunk->import, chunk->number), chunk->faults);
    }
}

static int put_chunk(struct composer *composer, const struct store_chunk *chunk)
{
    for (size_t i = 0; i < chunk->count && !chunk->dry; i++) {
        if (chunk->outcomes[i].kind == STORE_CREATED) {
            put_customer(composer, chunk, &chunk->customers[i]);
        }
    }
    put_faults(composer, chunk);
    int err = chunk->count > 0 ? put_outcomes(composer, chunk) : 0;
    return err == 0 && chunk->row != NULL ? put_import(composer, chunk->row) : err;
}

static int plain_order(const void *a, const void *b)
{
    return memcmp(a, b, STORE_PLAIN_BYTES);
}

/* A run's entries are not written by this; they are noted when they are there. */
static void touch(const struct store_group *group, const uint8_t *key)
{
    if (group->out == NULL) {
        store_local_touch(group->local, key);
    }
}

/* Index entries in order of key: the next one then lies near the last in the memtable. A run puts its own in order. */
static void put_index(struct composer *composer)
{
    const struct store_group *group = composer->group;
    for (size_t i = 0; i < group->slot_count; i++) {
        const struct store_slot *slot = &group->slots[i];
        if (slot->taken) {
            uint8_t value[STORE_HOLDER_BYTES];
            struct slice key = slice_make(slot->key, sizeof slot->key);
            struct slice holder = store_rows_holder_write(value, &slot->holder);
            touch(group, slot->key);
            if (group->local->blind) {
                store_kv_put_new(composer->kv, composer->index, STORE_FAMILY_UNIQUE, key, holder);
            } else {
                store_kv_put(composer->kv, composer->index, STORE_FAMILY_UNIQUE, key, holder);
            }
        }
    }
    if (composer->plain_count > 1 && group->out == NULL) {
        qsort(composer->plain, composer->plain_count, sizeof *composer->plain, plain_order);
    }
    for (size_t i = 0; i < composer->plain_count; i++) {
        struct slice key = slice_make(composer->plain[i], STORE_PLAIN_BYTES);
        if (i == 0 || plain_order(composer->plain[i - 1], composer->plain[i]) != 0) {
            store_kv_put(composer->kv, composer->index, STORE_FAMILY_PLAIN, key, SLICE_NONE);
        }
    }
}

static int put_update(struct composer *composer, const struct store_update *update)
{
    const struct store_chunk *chunk = update->at->chunk;
    const struct store_customer *customer = update->customer;
    const struct store_revision revision = {.import = chunk->import,
                                            .secrets = customer->secrets,
                                            .pending = customer->secrets.size > 0 && customer->secrets_pending,
                                            .record = customer->record};
    uint8_t key[STORE_ROW_KEY_BYTES];
    buf_clear(&composer->scratch);
    store_rows_revision_write(&composer->scratch, &revision);
    store_kv_put(composer->kv, composer->batch, STORE_FAMILY_REVISION,
                 store_rows_revision_key(key, &chunk->tenant, &update->id, update->number),
                 buf_view(&composer->scratch));
    if (!uuid_equal(&update->import, &chunk->import)) {
        store_kv_put(composer->kv, composer->batch, STORE_FAMILY_CHANGE,
                     store_rows_change_key(key, &chunk->tenant, &update->import, &update->id),
                     uuid_view(&chunk->import));
    }
    add_plain(composer, chunk, customer, &update->id);
    return buf_error(&composer->scratch);
}

/* What goes besides the customers that are created; the slots are put behind it. */
static int put_updates(struct composer *composer)
{
    int err = 0;
    for (const struct store_update *update = composer->group->updates; update != NULL; update = update->next) {
        if (err == 0 && update->at->chunk->kept && !update->at->chunk->dry) {
            err = put_update(composer, update);
        }
    }
    for (const struct store_release *release = composer->group->releases; release != NULL; release = release->next) {
        uint8_t value[STORE_HOLDER_BYTES];
        if (release->at->chunk->kept && !release->at->chunk->dry) {
            touch(composer->group, release->key);
            store_kv_put(composer->kv, composer->index, STORE_FAMILY_UNIQUE,
                         slice_make(release->key, sizeof release->key),
                         store_rows_holder_write(value, &release->holder));
        }
    }
    return err;
}

static void put_requests(struct composer *composer)
{
#ifdef MUSTER_PLANT_REQUEST_LATE
    /* A planted defect, for the fault tests to find: a claim is written by the next commit, behind its answer. */
    static struct store_kv_batch *late;
    if (late == NULL) {
        late = store_kv_batch_new(composer->kv);
    }
    composer->error = store_local_write(composer->group->local, late, false);
    store_kv_batch_clear(composer->kv, late);
    composer->batch = late;
#endif
    const struct store_group *group = composer->group;
    for (size_t i = 0; i < group->request_count; i++) {
        const struct store_request_slot *slot = &group->requests[i];
        uint8_t bytes[STORE_ROW_KEY_BYTES];
        uint8_t value[STORE_REQUEST_BYTES];
        struct slice key = store_rows_request_key(bytes, &slot->tenant, slot->request.mac);
        if (slot->changed && slot->held) {
            store_kv_put(composer->kv, composer->batch, STORE_FAMILY_REQUEST, key,
                         store_rows_request_write(value, &slot->request));
        } else if (slot->changed) {
            store_kv_erase(composer->kv, composer->batch, STORE_FAMILY_REQUEST, key);
        }
    }
}

static int compose(struct composer *composer, size_t *kept)
{
    const struct store_group *group = composer->group;
    size_t plain = 0;
    for (size_t i = 0; i < group->count; i++) {
        plain += group->chunks[i].chunk->kept ? group->chunks[i].plain_count : 0;
        *kept += group->chunks[i].chunk->kept ? 1 : 0;
    }
    composer->plain = arena_take(group->arena, plain * sizeof *composer->plain);
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
    int err = put_updates(composer);
    put_index(composer);
    put_requests(composer);
    return err != 0 ? err : composer->error;
}

int store_group_compose(struct store_group *group, struct store_kv_batch *batch, struct store_kv_batch *index,
                        size_t *kept)
{
    struct composer composer = {
        .group = group, .kv = group->out != NULL ? group->out : group->local->kv, .batch = batch, .index = index};
    *kept = 0;
    buf_init(&composer.scratch, 0);
    int err = compose(&composer, kept);
    buf_fini(&composer.scratch);
    return err;
}
