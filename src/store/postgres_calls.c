/*
 * The operations of the PostgreSQL kind that only hand over: each is the local store's function of the same name, run
 * in a transaction as it needs one. A row alone is one statement; what is to be of one instant is a snapshot.
 *
 * The difficulty: an operation that is done again must not tell its caller twice. What goes into a buffer is taken
 * off it again; when a callback has been called, it is not done again.
 */
#include "base/clock.h"
#include "store/postgres_priv.h"

#define RELEASE_NS 2000000000 /* a close waits for one under way */

/* ---- customers ---- */

static int do_customer_get(struct store *local, struct store_pg_call *call)
{
    return store_local_customer_get(local, call->tenant, call->id, call->out);
}

static int postgres_customer_get(struct store *store, const struct uuid *tenant, const struct uuid *id,
                                 struct buf *record)
{
    struct store_pg_call call = {.work = do_customer_get, .access = PG_READ, .tenant = tenant, .id = id, .out = record};
    return store_pg_perform(store, &call);
}

static int tell_record(void *context, const struct uuid *id, struct slice record)
{
    struct store_pg_call *call = context;
    call->told = true;
    return call->each_record(call->context, id, record);
}

static int do_customer_list(struct store *local, struct store_pg_call *call)
{
    return store_local_customer_list(local, call->tenant, call->after, call->limit, tell_record, call);
}

static int postgres_customer_list(struct store *store, const struct uuid *tenant, const struct uuid *after,
                                  size_t limit, store_record_fn *each, void *context)
{
    struct store_pg_call call = {.work = do_customer_list,
                                 .access = PG_READ,
                                 .tenant = tenant,
                                 .after = after,
                                 .limit = limit,
                                 .each_record = each,
                                 .context = context};
    return store_pg_perform(store, &call);
}

static int do_customer_find(struct store *local, struct store_pg_call *call)
{
    return store_local_customer_find(local, call->tenant, call->index, call->after, call->limit, tell_record, call);
}

static int postgres_customer_find(struct store *store, const struct uuid *tenant, const struct record_key *key,
                                  const struct uuid *after, size_t limit, store_record_fn *each, void *context)
{
    struct store_pg_call call = {.work = do_customer_find,
                                 .access = PG_READ,
                                 .tenant = tenant,
                                 .index = key,
                                 .after = after,
                                 .limit = limit,
                                 .each_record = each,
                                 .context = context};
    return store_pg_perform(store, &call);
}

/* ---- imports ---- */

static int do_import_get(struct store *local, struct store_pg_call *call)
{
    return store_local_import_get(local, call->tenant, call->id, call->import, call->out);
}

static int postgres_import_get(struct store *store, const struct uuid *tenant, const struct uuid *id,
                               struct store_import *import, struct buf *envelope)
{
    struct store_pg_call call = {.work = do_import_get, .tenant = tenant, .id = id, .import = import, .out = envelope};
    return store_pg_perform(store, &call);
}

static int tell_import(void *context, const struct store_import *import)
{
    struct store_pg_call *call = context;
    call->told = true;
    return call->each_import(call->context, import);
}

static int do_import_list(struct store *local, struct store_pg_call *call)
{
    return store_local_import_list(local, call->tenant, call->after, call->limit, tell_import, call);
}

static int postgres_import_list(struct store *store, const struct uuid *tenant, const struct uuid *before, size_t limit,
                                store_import_fn *each, void *context)
{
    struct store_pg_call call = {.work = do_import_list,
                                 .access = PG_READ,
                                 .tenant = tenant,
                                 .after = before,
                                 .limit = limit,
                                 .each_import = each,
                                 .context = context};
    return store_pg_perform(store, &call);
}

static int do_import_outcomes(struct store *local, struct store_pg_call *call)
{
    return store_local_import_outcomes(local, call->tenant, call->id, *call->chunk, call->chain, call->out);
}

static int postgres_import_outcomes(struct store *store, const struct uuid *tenant, const struct uuid *import,
                                    uint32_t chunk,
                                    uint8_t chain[CRYPTO_MAC_BYTES], /* NOLINT(readability-non-const-parameter) */
                                    struct buf *outcomes)
{
    struct store_pg_call call = {
        .work = do_import_outcomes, .tenant = tenant, .id = import, .chunk = &chunk, .chain = chain, .out = outcomes};
    return store_pg_perform(store, &call);
}

static int do_import_faults(struct store *local, struct store_pg_call *call)
{
    return store_local_import_faults(local, call->tenant, call->id, call->chunk, call->out);
}

static int postgres_import_faults(struct store *store, const struct uuid *tenant, const struct uuid *import,
                                  uint32_t *chunk, /* NOLINT(readability-non-const-parameter): written by the call */
                                  struct buf *faults)
{
    struct store_pg_call call = {
        .work = do_import_faults, .access = PG_READ, .tenant = tenant, .id = import, .chunk = chunk, .out = faults};
    return store_pg_perform(store, &call);
}

static int do_import_undo(struct store *local, struct store_pg_call *call)
{
    return store_local_import_undo(local, call->tenant, call->id, call->now_ms, call->customer, call->limit,
                                   call->count);
}

static int postgres_import_undo(struct store *store, const struct uuid *tenant, const struct uuid *import,
                                int64_t now_ms, struct uuid *changed, size_t room, size_t *count)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct store_pg_call call = {.work = do_import_undo,
                                 .access = PG_LOCKED,
                                 .tenant = tenant,
                                 .family = STORE_FAMILY_IMPORT,
                                 .locked = store_rows_pair_key(key, tenant, import),
                                 .id = import,
                                 .now_ms = now_ms,
                                 .customer = changed,
                                 .limit = room,
                                 .count = count};
    *count = 0;
    return store_pg_perform(store, &call);
}

static int do_import_release(struct store *local, struct store_pg_call *call)
{
    return store_local_release(store_local_of(local), call->tenant, call->id);
}

int store_pg_release_now(struct store *store, const struct uuid *tenant, const struct uuid *import)
{
    struct store_pg_call call = {.work = do_import_release, .access = PG_WRITE, .tenant = tenant, .id = import};
    return store_pg_perform_within(store_postgres_of(store), &call, clock_monotonic_ns() + RELEASE_NS);
}

static int do_request_get(struct store *local, struct store_pg_call *call)
{
    return store_local_request_get(local, call->tenant, call->mac, call->request);
}

static int postgres_request_get(struct store *store, const struct uuid *tenant, const uint8_t mac[CRYPTO_MAC_BYTES],
                                struct store_request *request)
{
    struct store_pg_call call = {.work = do_request_get, .tenant = tenant, .mac = mac, .request = request};
    return store_pg_perform(store, &call);
}

/* ---- secrets ---- */

static int do_secrets_get(struct store *local, struct store_pg_call *call)
{
    return store_local_secrets_get(local, call->tenant, call->id, call->owner, call->out);
}

static int postgres_secrets_get(struct store *store, const struct uuid *tenant, const struct uuid *id,
                                struct uuid *owner, struct buf *row)
{
    struct store_pg_call call = {
        .work = do_secrets_get, .access = PG_READ, .tenant = tenant, .id = id, .owner = owner, .out = row};
    return store_pg_perform(store, &call);
}

static int do_secrets_replace(struct store *local, struct store_pg_call *call)
{
    return store_local_secrets_replace(local, call->tenant, call->id, call->old, call->value, call->pending);
}

static int postgres_secrets_replace(struct store *store, const struct uuid *tenant, const struct uuid *id,
                                    struct slice old, struct slice row, bool pending)
{
    struct store_pg_call call = {.work = do_secrets_replace,
                                 .access = PG_WRITE,
                                 .tenant = tenant,
                                 .id = id,
                                 .old = old,
                                 .value = row,
                                 .pending = pending};
    return store_pg_perform(store, &call);
}

static int do_next_pending(struct store *local, struct store_pg_call *call)
{
    return store_pg_next_pending(store_local_of(local), call->owner, call->customer);
}

static int postgres_secrets_next_pending(struct store *store, struct uuid *tenant, struct uuid *id)
{
    struct uuid of = *tenant;
    struct uuid customer = *id;
    struct store_pg_call call = {.work = do_next_pending, .access = PG_WRITE, .owner = &of, .customer = &customer};
    int err = store_pg_perform(store, &call);
    if (err == 0) {
        *tenant = of;
        *id = customer;
    }
    return err;
}

/* ---- rows of the house ---- */

static const struct uuid house;

static int do_meta_get(struct store *local, struct store_pg_call *call)
{
    return store_local_meta_get(local, call->key, call->out);
}

static int postgres_meta_get(struct store *store, struct slice key, struct buf *value)
{
    struct store_pg_call call = {.work = do_meta_get, .key = key, .out = value};
    return store_pg_perform(store, &call);
}

static int do_meta_put(struct store *local, struct store_pg_call *call)
{
    return store_local_meta_put(local, call->key, call->value);
}

static int postgres_meta_put(struct store *store, struct slice key, struct slice value)
{
    struct store_pg_call call = {.work = do_meta_put, .access = PG_WRITE, .tenant = &house, .key = key, .value = value};
    return store_pg_perform(store, &call);
}

static int do_meta_add(struct store *local, struct store_pg_call *call)
{
    return store_local_meta_add(local, call->key, call->value);
}

static int postgres_meta_add(struct store *store, struct slice key, struct slice value)
{
    struct store_pg_call call = {.work = do_meta_add, .access = PG_WRITE, .tenant = &house, .key = key, .value = value};
    return store_pg_perform(store, &call);
}

static int do_meta_replace(struct store *local, struct store_pg_call *call)
{
    return store_local_meta_replace(local, call->key, call->old, call->value);
}

static int postgres_meta_replace(struct store *store, struct slice key, struct slice old, struct slice value)
{
    struct store_pg_call call = {
        .work = do_meta_replace, .access = PG_WRITE, .tenant = &house, .key = key, .old = old, .value = value};
    return store_pg_perform(store, &call);
}

static int do_meta_delete(struct store *local, struct store_pg_call *call)
{
    return store_local_meta_delete(local, call->key);
}

static int postgres_meta_delete(struct store *store, struct slice key)
{
    struct store_pg_call call = {.work = do_meta_delete, .access = PG_WRITE, .tenant = &house, .key = key};
    return store_pg_perform(store, &call);
}

static int tell_meta(void *context, struct slice key, struct slice value)
{
    struct store_pg_call *call = context;
    call->told = true;
    return call->each_meta(call->context, key, value);
}

static int do_meta_list(struct store *local, struct store_pg_call *call)
{
    return store_local_meta_list(local, call->key, tell_meta, call);
}

static int postgres_meta_list(struct store *store, struct slice prefix, store_meta_fn *each, void *context)
{
    struct store_pg_call call = {.work = do_meta_list,
                                 .access = PG_READ,
                                 .tenant = &house,
                                 .key = prefix,
                                 .each_meta = each,
                                 .context = context};
    return store_pg_perform(store, &call);
}

/* ---- the table ---- */

const struct store_ops store_pg_ops = {
    .close = store_pg_close,
    .commit = store_pg_commit_chunks,
    .customer_get = postgres_customer_get,
    .customer_list = postgres_customer_list,
    .customer_find = postgres_customer_find,
    .import_get = postgres_import_get,
    .import_list = postgres_import_list,
    .import_outcomes = postgres_import_outcomes,
    .import_faults = postgres_import_faults,
    .import_undo = postgres_import_undo,
    .import_release = store_pg_release,
    .request_get = postgres_request_get,
    .secrets_get = postgres_secrets_get,
    .secrets_replace = postgres_secrets_replace,
    .secrets_next_pending = postgres_secrets_next_pending,
    .meta_get = postgres_meta_get,
    .meta_put = postgres_meta_put,
    .meta_add = postgres_meta_add,
    .meta_replace = postgres_meta_replace,
    .meta_stamp = store_pg_stamp,
    .meta_delete = postgres_meta_delete,
    .meta_list = postgres_meta_list,
    .sweep = store_pg_sweep,
    .expire = store_pg_expire,
    .facts = store_pg_facts,
    .health = store_pg_health,
    .resume = store_pg_health,
    .run_open = store_pg_run_open,
    .run_add = store_pg_run_add,
    .run_bytes = store_pg_run_bytes,
    .run_count = store_pg_run_count,
    .run_finish = store_pg_run_finish,
    .run_cancel = store_pg_run_cancel,
    .verify = store_pg_verify,
};
