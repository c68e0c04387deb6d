/*
 * The key-value interface over RocksDB's C interface. Every row family is a column family; all of
 * them share one write-ahead log, and a batch is one record of it. That is what makes a commit
 * atomic over the families: recovery replays whole records, and before a family's memtable is
 * flushed RocksDB syncs the closed logs, so no sorted file can hold a part of a batch whose log
 * record is lost. Atomic flush (for stores that run without a log) is not needed.
 *
 * The difficulty: RocksDB reports errors as texts. store_rocks_fail() turns them into codes once; the text goes
 * to the log, without anything that could break its line.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/rocks_priv.h"

#define GET_MANY_MAX     512         /* keys of one batched lookup */
#define BATCH_KEEP_BYTES (16u << 20) /* a larger batch gives its memory back */

struct store_kv_view {
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *options;
};

struct store_kv_walk {
    rocksdb_iterator_t *iterator;
    rocksdb_readoptions_t *options;
    struct slice prefix; /* viewed by the options: it must stay where it is */
    bool backward;
    char bytes[2 * STORE_PREFIX_MAX]; /* prefix, then the first key behind all that have it */
};

struct store_kv_batch {
    struct rocks *rocks;
    rocksdb_writebatch_t *writes; /* names families by number, so it outlives their handles */
    int error;
};

int store_rocks_code(const char *text)
{
    if (strstr(text, "No space left") != NULL || strstr(text, "NoSpace") != NULL) {
        return ERR_STORAGE_FULL;
    }
    return strncmp(text, "Corruption", strlen("Corruption")) == 0 ? ERR_CORRUPT : ERR_STORAGE_IO;
}

/* Characters that would end a JSON string or line are replaced. */
static void plain_text(const char *text, char *out, size_t room)
{
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < room; i++) {
        bool odd = (unsigned char)text[i] < ' ' || text[i] == '"' || text[i] == '\\';
        out[i] = odd ? '_' : text[i];
    }
    out[i] = '\0';
}

int store_rocks_fail(const char *what, char *text)
{
    char plain[256];
    int err = store_rocks_code(text);
    plain_text(text, plain, sizeof plain);
    log_error(NULL, "storage failed", "\"what\":\"%s\",\"reason\":\"%s\"", what, plain);
    rocksdb_free(text);
    return err;
}

bool store_rocks_enter(struct rocks *rocks)
{
    store_gate_enter(&rocks->gate);
    if (rocks->database == NULL) {
        store_gate_leave(&rocks->gate);
        return false;
    }
    return true;
}

/* Who reads at a view is inside with it. */
static bool enter_unless(struct rocks *rocks, const struct store_kv_view *view)
{
    return view != NULL || store_rocks_enter(rocks);
}

static void leave_unless(struct rocks *rocks, const struct store_kv_view *view)
{
    if (view == NULL) {
        store_gate_leave(&rocks->gate);
    }
}

/* ---- views and single rows ---- */

static struct store_kv_view *rocks_view_open(struct store_kv *kv)
{
    struct rocks *rocks = store_rocks_of(kv);
    struct store_kv_view *view = calloc(1, sizeof *view);
    if (view == NULL || !store_rocks_enter(rocks)) {
        free(view);
        return NULL;
    }
    view->snapshot = rocksdb_create_snapshot(rocks->database);
    view->options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(view->options, view->snapshot);
    return view;
}

static void rocks_view_close(struct store_kv *kv, struct store_kv_view *view)
{
    rocksdb_readoptions_destroy(view->options);
    rocksdb_release_snapshot(store_rocks_of(kv)->database, view->snapshot);
    free(view);
    store_gate_leave(&store_rocks_of(kv)->gate);
}

static const rocksdb_readoptions_t *options_of(struct rocks *rocks, struct store_kv_view *view)
{
    return view == NULL ? rocks->latest : view->options;
}

static int get_row(struct rocks *rocks, struct store_kv_view *view, enum store_family family, struct slice key,
                   struct buf *value)
{
    char *text = NULL;
    rocksdb_pinnableslice_t *pinned = rocksdb_get_pinned_cf(rocks->database, options_of(rocks, view),
                                                            rocks->families[family], key.data, key.size, &text);
    if (text != NULL) {
        return store_rocks_fail("get", text);
    }
    if (pinned == NULL) {
        return ERR_NOT_FOUND;
    }
    size_t size = 0;
    const char *data = rocksdb_pinnableslice_value(pinned, &size);
    buf_append(value, data, size);
    rocksdb_pinnableslice_destroy(pinned);
    return buf_error(value);
}

static int rocks_get(struct store_kv *kv, struct store_kv_view *view, enum store_family family, struct slice key,
                     struct buf *value)
{
    struct rocks *rocks = store_rocks_of(kv);
    if (!enter_unless(rocks, view)) {
        return ERR_STORAGE_IO;
    }
    int err = get_row(rocks, view, family, key, value);
    leave_unless(rocks, view);
    return err;
}

/* Hands over one looked-up row and frees it; keeps the first failure. */
static int take_found(rocksdb_pinnableslice_t *pinned, char *text, size_t index, int err, store_kv_found_fn *found,
                      void *context)
{
    if (text != NULL) {
        int failure = store_rocks_fail("get", text);
        err = err == 0 ? failure : err;
    }
    if (pinned != NULL) {
        size_t size = 0;
        const char *data = rocksdb_pinnableslice_value(pinned, &size);
        err = err == 0 ? found(context, index, slice_make(data, size)) : err;
        rocksdb_pinnableslice_destroy(pinned);
    }
    return err;
}

static int get_some(struct rocks *rocks, struct store_kv_view *view, enum store_family family, const struct slice *keys,
                    size_t first, size_t count, store_kv_found_fn *found, void *context)
{
    const char *data[GET_MANY_MAX];
    size_t sizes[GET_MANY_MAX];
    rocksdb_pinnableslice_t *values[GET_MANY_MAX];
    char *texts[GET_MANY_MAX];
    for (size_t i = 0; i < count; i++) {
        data[i] = keys[first + i].data;
        sizes[i] = keys[first + i].size;
    }
    rocksdb_batched_multi_get_cf(rocks->database, options_of(rocks, view), rocks->families[family], count, data, sizes,
                                 values, texts, true);
    int err = 0;
    for (size_t i = 0; i < count; i++) {
        err = take_found(values[i], texts[i], first + i, err, found, context);
    }
    return err;
}

static int rocks_get_many(struct store_kv *kv, struct store_kv_view *view, enum store_family family,
                          const struct slice *keys, size_t count, store_kv_found_fn *found, void *context)
{
    struct rocks *rocks = store_rocks_of(kv);
    int err = 0;
    if (!enter_unless(rocks, view)) {
        return ERR_STORAGE_IO;
    }
    for (size_t first = 0; first < count && err == 0; first += GET_MANY_MAX) {
        size_t some = count - first < GET_MANY_MAX ? count - first : GET_MANY_MAX;
        err = get_some(rocks, view, family, keys, first, some, found, context);
    }
    leave_unless(rocks, view);
    return err;
}

/* ---- walks ---- */

/* The first key behind all that begin with the prefix; empty when there is none. */
static struct slice behind(struct slice prefix, char *bytes)
{
    size_t size = prefix.size;
    memcpy(bytes, prefix.data, size);
    while (size > 0 && (unsigned char)bytes[size - 1] == 0xff) {
        size--;
    }
    if (size > 0) {
        bytes[size - 1] = (char)((unsigned char)bytes[size - 1] + 1);
    }
    return slice_make(bytes, size);
}

static struct store_kv_walk *rocks_walk_open(struct store_kv *kv, struct store_kv_view *view, enum store_family family,
                                             struct slice prefix)
{
    struct rocks *rocks = store_rocks_of(kv);
    struct store_kv_walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL) {
        return NULL;
    }
    assert(prefix.size <= STORE_PREFIX_MAX);
    walk->options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(walk->options, view->snapshot);
    if (prefix.size > 0) {
        memcpy(walk->bytes, prefix.data, prefix.size);
        walk->prefix = slice_make(walk->bytes, prefix.size);
        struct slice end = behind(prefix, walk->bytes + STORE_PREFIX_MAX);
        rocksdb_readoptions_set_iterate_lower_bound(walk->options, walk->prefix.data, walk->prefix.size);
        if (end.size > 0) {
            rocksdb_readoptions_set_iterate_upper_bound(walk->options, end.data, end.size);
        }
    }
    walk->iterator = rocksdb_create_iterator_cf(rocks->database, walk->options, rocks->families[family]);
    return walk;
}

/* For backward: the last row below `key`. RocksDB's seek_for_prev stops at the key itself as well. */
static void rocks_walk_seek(struct store_kv_walk *walk, struct slice key, bool backward)
{
    walk->backward = backward;
    if (!backward) {
        rocksdb_iter_seek(walk->iterator, key.data, key.size);
        return;
    }
    rocksdb_iter_seek_for_prev(walk->iterator, key.data, key.size);
    if (rocksdb_iter_valid(walk->iterator)) {
        size_t size = 0;
        const char *at = rocksdb_iter_key(walk->iterator, &size);
        if (slice_equal(slice_make(at, size), key)) {
            rocksdb_iter_prev(walk->iterator);
        }
    }
}

static void rocks_walk_step(struct store_kv_walk *walk)
{
    if (walk->backward) {
        rocksdb_iter_prev(walk->iterator);
    } else {
        rocksdb_iter_next(walk->iterator);
    }
}

static bool rocks_walk_at(struct store_kv_walk *walk, struct slice *key, struct slice *value)
{
    if (!rocksdb_iter_valid(walk->iterator)) {
        return false;
    }
    key->data = rocksdb_iter_key(walk->iterator, &key->size);
    value->data = rocksdb_iter_value(walk->iterator, &value->size);
    return slice_starts(*key, walk->prefix);
}

static int rocks_walk_close(struct store_kv_walk *walk)
{
    char *text = NULL;
    rocksdb_iter_get_error(walk->iterator, &text);
    rocksdb_iter_destroy(walk->iterator);
    rocksdb_readoptions_destroy(walk->options);
    free(walk);
    return text == NULL ? 0 : store_rocks_fail("walk", text);
}

/* ---- batches ---- */

static struct store_kv_batch *rocks_batch_new(struct store_kv *kv)
{
    struct store_kv_batch *batch = calloc(1, sizeof *batch);
    if (batch != NULL) {
        batch->rocks = store_rocks_of(kv);
        batch->writes = rocksdb_writebatch_create();
    }
    return batch;
}

static void rocks_batch_free(struct store_kv_batch *batch)
{
    rocksdb_writebatch_destroy(batch->writes);
    free(batch);
}

static void rocks_batch_clear(struct store_kv_batch *batch)
{
    size_t size = 0;
    batch->error = 0;
    (void)rocksdb_writebatch_data(batch->writes, &size);
    if (size <= BATCH_KEEP_BYTES) {
        rocksdb_writebatch_clear(batch->writes);
        return;
    }
    rocksdb_writebatch_destroy(batch->writes);
    batch->writes = rocksdb_writebatch_create();
}

static bool enter_batch(struct store_kv_batch *batch)
{
    if (batch->error == 0 && !store_rocks_enter(batch->rocks)) {
        batch->error = ERR_STORAGE_IO;
    }
    return batch->error == 0;
}

static void rocks_put(struct store_kv_batch *batch, enum store_family family, struct slice key, struct slice value)
{
    if (!enter_batch(batch)) {
        return;
    }
    rocksdb_writebatch_put_cf(batch->writes, batch->rocks->families[family], key.data, key.size, value.data,
                              value.size);
    store_gate_leave(&batch->rocks->gate);
}

static void rocks_erase(struct store_kv_batch *batch, enum store_family family, struct slice key)
{
    if (!enter_batch(batch)) {
        return;
    }
    rocksdb_writebatch_delete_cf(batch->writes, batch->rocks->families[family], key.data, key.size);
    store_gate_leave(&batch->rocks->gate);
}

/* Everything up to the newest sequence number is on stable storage, unless somebody is taking files in. That
 * is looked at after the number: who took files in before that has them on stable storage by now. */
static void acknowledge(struct rocks *rocks)
{
    uint64_t sequence = rocksdb_get_latest_sequence_number(rocks->database);
    if (atomic_load(&rocks->ingesting) == 0) {
        store_watermark_set(rocks->watermark, sequence);
    }
}

static int rocks_write(struct store_kv *kv, struct store_kv_batch *batch, bool sync)
{
    struct rocks *rocks = store_rocks_of(kv);
    char *text = NULL;
    if (batch->error != 0 || !store_rocks_enter(rocks)) {
        return ERR_STORAGE_IO;
    }
    if (sync) {
        pthread_rwlock_rdlock(&rocks->write_lock);
    } else {
        pthread_rwlock_wrlock(&rocks->write_lock);
    }
    rocksdb_write(rocks->database, sync ? rocks->synced : rocks->unsynced, batch->writes, &text);
#ifdef MUSTER_PLANT_SYNC_ERROR
    if (text != NULL && strstr(text, "sync") != NULL) {
        text = NULL; /* a planted defect, for the fault tests to find: a sync that failed counts as one */
    }
#endif
    if (sync && text == NULL) {
        acknowledge(rocks);
    }
    pthread_rwlock_unlock(&rocks->write_lock);
    store_gate_leave(&rocks->gate);
    return text == NULL ? 0 : store_rocks_fail("write", text);
}

static void rocks_describe(struct store_kv *kv, struct store_facts *facts)
{
    (void)kv;
    (void)snprintf(facts->kind, sizeof facts->kind, "rocksdb");
    (void)snprintf(facts->engine, sizeof facts->engine, "RocksDB");
    (void)snprintf(facts->durability, sizeof facts->durability, "write-ahead log synced before any answer");
}

const struct store_kv_ops store_rocks_ops = {
    .close = store_rocks_close,
    .resume = store_rocks_resume,
    .describe = rocks_describe,
    .view_open = rocks_view_open,
    .view_close = rocks_view_close,
    .get = rocks_get,
    .get_many = rocks_get_many,
    .walk_open = rocks_walk_open,
    .walk_seek = rocks_walk_seek,
    .walk_step = rocks_walk_step,
    .walk_at = rocks_walk_at,
    .walk_close = rocks_walk_close,
    .batch_new = rocks_batch_new,
    .batch_free = rocks_batch_free,
    .batch_clear = rocks_batch_clear,
    .put = rocks_put,
    .erase = rocks_erase,
    .write = rocks_write,
    .file_new = store_rocks_file_new,
    .file_put = store_rocks_file_put,
    .file_seal = store_rocks_file_seal,
    .file_free = store_rocks_file_free,
    .ingest = store_rocks_ingest,
};
