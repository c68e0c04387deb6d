/*
 * What is left of runs that never came to count: their intents say where. Every record between the ids of an
 * intent that is of its import goes, with its index entries and secrets, as the sweep would take it; the
 * intent goes last.
 *
 * The difficulty: ids of one import rise, but a crash may lie between two runs of it, and the clock behind the
 * ids may have been set. So a record that an outcome of the import names stays, wherever its id lies.
 */
#include "base/log.h"
#include "store/run_priv.h"

#define STEP_CUSTOMERS 256

struct recovery {
    struct store_local *local;
    struct store_kv_view *rows;
    struct store_kv_batch *batch;
    struct uuid tenant;
    struct uuid import;
    struct uuid first;
    struct uuid last;
    struct map *kept; /* ids between first and last that outcomes name; nearly always none */
    size_t erased;
};

static int keep_named(struct recovery *recovery, struct slice outcomes)
{
    struct store_outcome outcome;
    int err = store_rows_chain_read(&outcomes, NULL);
    while (err == 0 && store_rows_outcome_read(&outcomes, &outcome, &err)) {
        bool between = outcome.kind == STORE_CREATED && uuid_compare(&outcome.id, &recovery->first) >= 0 &&
                       uuid_compare(&outcome.id, &recovery->last) <= 0;
        if (between) {
            err = map_put(recovery->kept, uuid_view(&outcome.id), 1);
        }
    }
    return err;
}

static int read_kept(struct recovery *recovery)
{
    struct store_kv *kv = recovery->local->kv;
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice prefix = store_rows_pair_key(bytes, &recovery->tenant, &recovery->import);
    struct store_kv_walk *walk = store_kv_walk_open(kv, recovery->rows, STORE_FAMILY_OUTCOME, prefix);
    struct slice key;
    struct slice outcomes;
    int err = 0;
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(kv, walk, prefix, false);
    while (err == 0 && store_kv_walk_at(kv, walk, &key, &outcomes)) {
        err = keep_named(recovery, outcomes);
        store_kv_walk_step(kv, walk);
    }
    int broken = store_kv_walk_close(kv, &walk);
    return err == 0 ? broken : err;
}

/* Writes what is gathered, without a sync: the intent, which is erased last, finds the rest again. */
static int write_step(struct recovery *recovery, bool sync)
{
    int err = store_local_write(recovery->local, recovery->batch, sync);
    store_kv_batch_clear(recovery->local->kv, recovery->batch);
    return err;
}

static int erase_record(struct recovery *recovery, const struct uuid *id, struct slice value)
{
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    struct slice record;
    int err = store_rows_body_read(value, id, &record);
    err = err == 0 ? record_read_header(record, &header, keys) : err;
    if (err != 0 || !uuid_equal(&header.import, &recovery->import) || map_get(recovery->kept, uuid_view(id), NULL)) {
        return err;
    }
    err = store_sweep_customer(recovery->local, recovery->batch, &recovery->tenant, &recovery->import, id);
    recovery->erased++;
    return err == 0 && recovery->erased % STEP_CUSTOMERS == 0 ? write_step(recovery, false) : err;
}

static int erase_records(struct recovery *recovery)
{
    struct store_kv *kv = recovery->local->kv;
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct store_kv_walk *walk =
        store_kv_walk_open(kv, recovery->rows, STORE_FAMILY_BODY, uuid_view(&recovery->tenant));
    struct slice key;
    struct slice record;
    int err = 0;
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(kv, walk, store_rows_pair_key(bytes, &recovery->tenant, &recovery->first), false);
    while (err == 0 && store_kv_walk_at(kv, walk, &key, &record)) {
        struct uuid id = store_rows_uuid_at(key, UUID_BYTES);
        if (uuid_compare(&id, &recovery->last) > 0) {
            break;
        }
        err = erase_record(recovery, &id, record);
        store_kv_walk_step(kv, walk);
    }
    int broken = store_kv_walk_close(kv, &walk);
    return err == 0 ? broken : err;
}

static int recover(struct recovery *recovery, struct slice key, struct slice intent)
{
    if (key.size != STORE_PAIR_BYTES || intent.size != 2 * UUID_BYTES) {
        return ERR_CORRUPT;
    }
    recovery->tenant = store_rows_uuid_at(key, 0);
    recovery->import = store_rows_uuid_at(key, UUID_BYTES);
    recovery->first = store_rows_uuid_at(intent, 0);
    recovery->last = store_rows_uuid_at(intent, UUID_BYTES);
    recovery->erased = 0;
    map_clear(recovery->kept);
    int err = read_kept(recovery);
    err = err == 0 ? erase_records(recovery) : err;
    if (err == 0) {
        store_kv_erase(recovery->local->kv, recovery->batch, STORE_FAMILY_RUN, key);
        err = write_step(recovery, true);
    }
    log_info(NULL, "unfinished run removed", "\"customers\":%zu,\"error\":\"%s\"", recovery->erased, err_code(err));
    return err;
}

/* Intents whose key begins with the prefix. */
static int recover_all(struct recovery *recovery, struct slice prefix)
{
    struct store_kv *kv = recovery->local->kv;
    struct store_kv_walk *walk = store_kv_walk_open(kv, recovery->rows, STORE_FAMILY_RUN, prefix);
    struct slice key;
    struct slice intent;
    int err = 0;
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(kv, walk, prefix, false);
    while (err == 0 && store_kv_walk_at(kv, walk, &key, &intent)) {
        err = recover(recovery, key, intent);
        store_kv_walk_step(kv, walk);
    }
    int broken = store_kv_walk_close(kv, &walk);
    return err == 0 ? broken : err;
}

static int recover_under(struct store_local *local, struct slice prefix)
{
    struct recovery recovery = {.local = local};
    recovery.rows = store_kv_view_open(local->kv);
    recovery.batch = store_kv_batch_new(local->kv);
    recovery.kept = map_new();
    bool whole = recovery.rows != NULL && recovery.batch != NULL && recovery.kept != NULL;
    int err = whole ? recover_all(&recovery, prefix) : ERR_NO_MEMORY;
    map_free(&recovery.kept);
    store_kv_batch_free(local->kv, &recovery.batch);
    store_kv_view_close(local->kv, &recovery.rows);
    return err;
}

int store_runs_recover(struct store_local *local)
{
    return recover_under(local, SLICE(""));
}

int store_runs_recover_one(struct store_local *local, const struct uuid *tenant, const struct uuid *import)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    return recover_under(local, store_rows_pair_key(key, tenant, import));
}
