/*
 * The public interface: every call goes to the kind of store that is open. What all kinds have in
 * common, and no more, is here: what a caller must never do is asserted once.
 */
#include <assert.h>

#include "store/store_priv.h"

bool store_is_shared(const char *location)
{
    struct slice text = slice_from_text(location);
    return slice_starts(text, SLICE("postgresql://")) || slice_starts(text, SLICE("postgres://"));
}

int store_open(const char *location, const struct store_options *options, struct store **store, struct buf *why)
{
    int err = store_location_check(location, why);
    *store = NULL;
    if (err != 0) {
        return err;
    }
    return store_is_shared(location) ? store_open_postgres(location, options, store, why)
                                     : store_open_rocks(location, options, store, why);
}

void store_close(struct store **store)
{
    if (*store != NULL) {
        (*store)->ops->close(*store);
        *store = NULL;
    }
}

static void check_chunk(const struct store_chunk *chunk)
{
    assert(chunk->count == 0 || (chunk->customers != NULL && chunk->outcomes != NULL));
    assert(chunk->on_existing <= IMPORT_EXISTING_FAIL);
    assert(chunk->request != NULL || !chunk->forget_request);
    assert(!chunk->by_request || (chunk->count == 0 && chunk->row != NULL && chunk->row->state == IMPORT_ABORTED));
    if (chunk->row != NULL) {
        assert(uuid_equal(&chunk->row->tenant, &chunk->tenant) && uuid_equal(&chunk->row->id, &chunk->import));
        assert(chunk->row->state >= IMPORT_OPEN && chunk->row->state <= IMPORT_ABORTED);
        assert(chunk->count == 0 || chunk->dry || chunk->row->state != IMPORT_ABORTED);
    }
}

int store_commit(struct store *store, struct store_chunk *const *chunks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_chunk(chunks[i]);
    }
    return store->ops->commit(store, chunks, count);
}

int store_customer_get(struct store *store, const struct uuid *tenant, const struct uuid *id, struct buf *record)
{
    return store->ops->customer_get(store, tenant, id, record);
}

int store_customer_list(struct store *store, const struct uuid *tenant, const struct uuid *after, size_t limit,
                        store_record_fn *each, void *context)
{
    return store->ops->customer_list(store, tenant, after, limit, each, context);
}

int store_customer_find(struct store *store, const struct uuid *tenant, const struct record_key *key,
                        const struct uuid *after, size_t limit, store_record_fn *each, void *context)
{
    return store->ops->customer_find(store, tenant, key, after, limit, each, context);
}

int store_import_get(struct store *store, const struct uuid *tenant, const struct uuid *id, struct store_import *import,
                     struct buf *envelope)
{
    return store->ops->import_get(store, tenant, id, import, envelope);
}

int store_import_list(struct store *store, const struct uuid *tenant, const struct uuid *before, size_t limit,
                      store_import_fn *each, void *context)
{
    return store->ops->import_list(store, tenant, before, limit, each, context);
}

int store_import_outcomes(struct store *store, const struct uuid *tenant, const struct uuid *import, uint32_t chunk,
                          uint8_t chain[CRYPTO_MAC_BYTES], struct buf *outcomes)
{
    return store->ops->import_outcomes(store, tenant, import, chunk, chain, outcomes);
}

int store_secrets_get(struct store *store, const struct uuid *tenant, const struct uuid *id, struct uuid *owner,
                      struct buf *row)
{
    struct uuid unasked;
    return store->ops->secrets_get(store, tenant, id, owner == NULL ? &unasked : owner, row);
}

int store_secrets_replace(struct store *store, const struct uuid *tenant, const struct uuid *id, struct slice old,
                          struct slice row, bool pending)
{
    return store->ops->secrets_replace(store, tenant, id, old, row, pending);
}

int store_secrets_next_pending(struct store *store, struct uuid *tenant, struct uuid *id)
{
    return store->ops->secrets_next_pending(store, tenant, id);
}

int store_meta_get(struct store *store, struct slice key, struct buf *value)
{
    return store->ops->meta_get(store, key, value);
}

int store_meta_put(struct store *store, struct slice key, struct slice value)
{
    return store->ops->meta_put(store, key, value);
}

int store_meta_add(struct store *store, struct slice key, struct slice value)
{
    return store->ops->meta_add(store, key, value);
}

int store_meta_replace(struct store *store, struct slice key, struct slice old, struct slice value)
{
    return store->ops->meta_replace(store, key, old, value);
}

int store_meta_stamp(struct store *store, uint64_t *stamp)
{
    *stamp = 0;
    return store->ops->meta_stamp == NULL ? 0 : store->ops->meta_stamp(store, stamp);
}

int store_meta_delete(struct store *store, struct slice key)
{
    return store->ops->meta_delete(store, key);
}

int store_meta_list(struct store *store, struct slice prefix, store_meta_fn *each, void *context)
{
    return store->ops->meta_list(store, prefix, each, context);
}

int store_sweep(struct store *store, size_t limit, bool *left)
{
    return store->ops->sweep(store, limit, left);
}

void store_import_release(struct store *store, const struct uuid *tenant, const struct uuid *import)
{
    if (store->ops->import_release != NULL) {
        store->ops->import_release(store, tenant, import);
    }
}

void store_facts(struct store *store, struct store_facts *facts)
{
    *facts = (struct store_facts){.groups = 1};
    store->ops->facts(store, facts);
}

int store_health(struct store *store)
{
    return store->ops->health(store);
}

int store_import_faults(struct store *store, const struct uuid *tenant, const struct uuid *import, uint32_t *chunk,
                        struct buf *faults)
{
    return store->ops->import_faults(store, tenant, import, chunk, faults);
}

int store_import_undo(struct store *store, const struct uuid *tenant, const struct uuid *import, int64_t now_ms,
                      struct uuid *changed, size_t room, size_t *count)
{
    return store->ops->import_undo(store, tenant, import, now_ms, changed, room, count);
}

int store_request_get(struct store *store, const struct uuid *tenant, const uint8_t mac[CRYPTO_MAC_BYTES],
                      struct store_request *request)
{
    return store->ops->request_get(store, tenant, mac, request);
}

int store_expire(struct store *store, const struct store_expiry *expiry, bool *left)
{
    return store->ops->expire(store, expiry, left);
}

int store_resume(struct store *store)
{
    return store->ops->resume(store);
}

/* ---- the bulk lane ---- */

int store_run_open(struct store *store, const struct uuid *tenant, const struct uuid *import, struct store_run **run)
{
    return store->ops->run_open(store, tenant, import, run);
}

int store_run_add(struct store_run *run, struct store_chunk *chunk)
{
    check_chunk(chunk);
    assert(chunk->row == NULL && chunk->request == NULL);
    return run->store->ops->run_add(run, chunk);
}

struct store_ahead *store_look_ahead(struct store *store, struct store_chunk *chunk, struct arena *arena,
                                     void (*pause)(void *context), void *context)
{
    return store->ops->look_ahead == NULL ? NULL : store->ops->look_ahead(store, chunk, arena, pause, context);
}

size_t store_run_bytes(const struct store_run *run)
{
    return run->store->ops->run_bytes(run);
}

size_t store_run_count(const struct store_run *run)
{
    return run->store->ops->run_count(run);
}

int store_run_finish(struct store_run **run)
{
    return (*run)->store->ops->run_finish(run);
}

void store_run_cancel(struct store_run **run)
{
    if (*run != NULL) {
        (*run)->store->ops->run_cancel(run);
    }
}

int store_verify(struct store *store, store_open_fn *open, store_problem_fn *problem, void *context,
                 struct store_verify_counts *counts)
{
    *counts = (struct store_verify_counts){0};
    return store->ops->verify(store, open, problem, context, counts);
}
