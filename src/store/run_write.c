/*
 * What a run writes: sorted files, in the order in which they are taken in. Records first and index entries
 * last, so that no entry is in whose record is not.
 *
 * Everything here happens outside the commit lock. While a run is filled nothing is waited for: its files are closed,
 * and thereby synced, by its end, which is another thread's. The system writes them out meanwhile, as RocksDB asks it
 * to.
 */
#include <assert.h>
#include <stdlib.h>

#include "store/order_priv.h"
#include "store/run_priv.h"

#define FILE_BYTES (32u << 20)
/* Entries are read in the order of their keys, which is all over the memory: each is asked for this many early. */
#define AHEAD 16u

/* ---- files whose rows come in order ---- */

/* Makes sure that a file is there to be written. */
static int lane_ready(struct store_local_run *run, struct store_lane *lane)
{
    if (lane->count > 0 && lane->bytes < FILE_BYTES) {
        return 0;
    }
    if (lane->count == sizeof lane->files / sizeof lane->files[0]) { /* the last one simply grows */
        return 0;
    }
    struct store_kv_file *file = store_kv_file_new(run->local->kv, lane->family);
    if (file == NULL) {
        return ERR_NO_MEMORY;
    }
    lane->files[lane->count++] = file;
    lane->bytes = 0;
    return 0;
}

int store_run_write_rows(struct store_local_run *run)
{
    for (size_t i = 0; i < run->row_count && run->error == 0; i++) {
        const struct store_lane_row *row = &run->rows[i];
        struct store_lane *lane = &run->lanes[row->place];
        run->error = lane_ready(run, lane);
        if (run->error == 0) {
            store_kv_file_put(run->local->kv, lane->files[lane->count - 1], row->key, row->value);
            lane->bytes += row->key.size + row->value.size;
        }
    }
    run->error = store_local_failed(run->local, run->error);
    return run->error;
}

/* ---- index entries ---- */

static void put_unique(struct store_local_run *run, struct store_kv_file *file, const struct store_held_entry *entry)
{
    uint8_t key[STORE_UNIQUE_BYTES];
    uint8_t value[STORE_HOLDER_BYTES];
    struct store_holder holder = {.id = entry->id, .import = run->import};
    memcpy(key, run->tenant.bytes, STORE_TENANT_BYTES);
    memcpy(key + STORE_TENANT_BYTES, entry->key, sizeof entry->key);
    memcpy(holder.fingerprint, entry->fingerprint, sizeof holder.fingerprint);
    store_kv_file_put(run->local->kv, file, slice_make(key, sizeof key), store_rows_holder_write(value, &holder));
}

static size_t write_unique(struct store_local_run *run, struct store_kv_file *file,
                           const struct store_order_item *order)
{
    size_t written = 0;
    for (size_t i = 0; i < run->held.count; i++) {
        const struct store_held_entry *entry = &run->held.entries[order[i].at];
        if (i + AHEAD < run->held.count) {
            __builtin_prefetch(&run->held.entries[order[i + AHEAD].at]);
        }
        if (!entry->late) {
            put_unique(run, file, entry);
            written++;
        }
    }
    return written;
}

static size_t write_plain(struct store_local_run *run, struct store_kv_file *file, const struct store_order_item *order)
{
    size_t count = run->plain.size / STORE_RUN_PLAIN_BYTES;
    const char *before = NULL;
    uint8_t key[STORE_PLAIN_BYTES];
    memcpy(key, run->tenant.bytes, STORE_TENANT_BYTES);
    for (size_t i = 0; i < count; i++) {
        const char *entry = run->plain.data + (size_t)order[i].at * STORE_RUN_PLAIN_BYTES;
        if (i + AHEAD < count) {
            __builtin_prefetch(run->plain.data + (size_t)order[i + AHEAD].at * STORE_RUN_PLAIN_BYTES);
        }
        if (before == NULL || memcmp(before, entry, STORE_RUN_PLAIN_BYTES) != 0) {
            memcpy(key + STORE_TENANT_BYTES, entry, STORE_RUN_PLAIN_BYTES);
            store_kv_file_put(run->local->kv, file, slice_make(key, sizeof key), SLICE_NONE);
        }
        before = entry;
    }
    return count;
}

/* The file of one index, sealed; NULL when it has no entry. */
static int write_index(struct store_local_run *run, enum store_family family, struct store_kv_file **file)
{
    bool unique = family == STORE_FAMILY_UNIQUE;
    struct store_order_item *order =
        unique ? store_order_make((const uint8_t *)run->held.entries, sizeof *run->held.entries, STORE_HELD_KEY_BYTES,
                                  run->held.count)
               : store_order_make((const uint8_t *)run->plain.data, STORE_RUN_PLAIN_BYTES, STORE_RUN_PLAIN_BYTES,
                                  run->plain.size / STORE_RUN_PLAIN_BYTES);
    *file = store_kv_file_new(run->local->kv, family);
    if (order == NULL || *file == NULL) {
        free(order);
        return ERR_NO_MEMORY;
    }
    size_t written = unique ? write_unique(run, *file, order) : write_plain(run, *file, order);
    free(order);
    if (written == 0) {
        store_kv_file_free(run->local->kv, file);
        return 0;
    }
    return store_kv_file_seal(run->local->kv, *file);
}

/* ---- taking in ---- */

struct slice store_run_intent_key(uint8_t *key, const struct store_local_run *run)
{
    return store_rows_pair_key(key, &run->tenant, &run->import);
}

static int write_intent(struct store_local_run *run)
{
    struct store_kv *kv = run->local->kv;
    uint8_t key[STORE_ROW_KEY_BYTES];
    uint8_t value[2 * UUID_BYTES];
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    if (batch == NULL) {
        return ERR_NO_MEMORY;
    }
    memcpy(value, run->first.bytes, UUID_BYTES);
    memcpy(value + UUID_BYTES, run->last.bytes, UUID_BYTES);
    store_kv_put(kv, batch, STORE_FAMILY_RUN, store_run_intent_key(key, run), slice_make(value, sizeof value));
    int err = store_local_write(run->local, batch, true);
    store_kv_batch_free(kv, &batch);
    return err;
}

static int ingest(struct store_local_run *run, struct store_kv_file *const *index, size_t index_count)
{
    struct store_kv *kv = run->local->kv;
    int err = 0;
    for (size_t i = 0; i < STORE_LANE_COUNT && err == 0; i++) {
        err = store_kv_ingest(kv, run->lanes[i].files, run->lanes[i].count);
    }
    for (size_t i = 0; i < index_count && err == 0; i++) {
        err = index[i] == NULL ? 0 : store_kv_ingest(kv, &index[i], 1);
    }
    return store_local_failed(run->local, err);
}

static int seal(struct store_local_run *run)
{
    int err = 0;
    for (size_t i = 0; i < STORE_LANE_COUNT; i++) {
        const struct store_lane *lane = &run->lanes[i];
        for (size_t j = 0; j < lane->count && err == 0; j++) {
            err = store_kv_file_seal(run->local->kv, lane->files[j]);
        }
    }
    return err;
}

int store_run_take_in(struct store_local_run *run, bool *began)
{
    struct store_kv_file *index[2] = {NULL, NULL};
    int err = seal(run);
    err = err == 0 ? write_index(run, STORE_FAMILY_UNIQUE, &index[0]) : err;
    err = err == 0 ? write_index(run, STORE_FAMILY_PLAIN, &index[1]) : err;
    err = store_local_failed(run->local, err);
    err = err == 0 ? write_intent(run) : err;
    if (err == 0) {
        *began = true;
        err = ingest(run, index, 2);
    }
    store_kv_file_free(run->local->kv, &index[0]);
    store_kv_file_free(run->local->kv, &index[1]);
    return err;
}

void store_run_drop_files(struct store_local_run *run)
{
    for (size_t i = 0; i < STORE_LANE_COUNT; i++) {
        struct store_lane *lane = &run->lanes[i];
        while (lane->count > 0) {
            store_kv_file_free(run->local->kv, &lane->files[--lane->count]);
        }
    }
}
