/*
 * The key-value interface over RocksDB's C interface. Every row family is a column family; all of
 * them share one write-ahead log, and a batch is one record of it. That is what makes a commit
 * atomic over the families: recovery replays whole records, and before a family's memtable is
 * flushed RocksDB syncs the closed logs, so no sorted file can hold a part of a batch whose log
 * record is lost. Atomic flush (for stores that run without a log) is not needed.
 *
 * The difficulty: RocksDB reports errors as texts. fail() turns them into codes once; the text goes
 * to the log, without anything that could break its line.
 */
#include <rocksdb/c.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "store/rocks_priv.h"
#include "store/watermark_priv.h"

#define DEFAULT_MEMORY_BYTES (192u * 1024 * 1024)
#define OPEN_ROOM_BYTES      (8u << 20)
#define GET_MANY_MAX         512         /* keys of one batched lookup */
#define BATCH_KEEP_BYTES     (16u << 20) /* a larger batch gives its memory back */

static const char *const family_names[STORE_FAMILY_COUNT] = {
    [STORE_FAMILY_FORMAT] = "default",    [STORE_FAMILY_BODY] = "body",       [STORE_FAMILY_UNIQUE] = "unique",
    [STORE_FAMILY_PLAIN] = "plain",       [STORE_FAMILY_SECRET] = "secret",   [STORE_FAMILY_PENDING] = "pending",
    [STORE_FAMILY_IMPORT] = "import",     [STORE_FAMILY_OUTCOME] = "outcome", [STORE_FAMILY_UNFINISHED] = "unfinished",
    [STORE_FAMILY_META] = "meta",         [STORE_FAMILY_REQUEST] = "request", [STORE_FAMILY_FAULT] = "fault",
    [STORE_FAMILY_REVISION] = "revision", [STORE_FAMILY_CHANGE] = "change",
};

struct rocks {
    struct store_kv kv;
    rocksdb_t *database;
    rocksdb_column_family_handle_t *families[STORE_FAMILY_COUNT];
    rocksdb_readoptions_t *latest;
    rocksdb_writeoptions_t *synced;
    rocksdb_writeoptions_t *unsynced;
    struct store_watermark *watermark;
    /* Synced writers share it, an unsynced one has it alone: so the newest sequence number that a synced
     * writer reads behind its write is that of a synced write, or of one that stands before it in the log. */
    pthread_rwlock_t write_lock;
};

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
    rocksdb_writebatch_t *writes;
};

static int code_of(const char *text)
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

/* The code of an error text, which is logged and freed. */
static int fail(const char *what, char *text)
{
    char plain[256];
    int err = code_of(text);
    plain_text(text, plain, sizeof plain);
    log_error(NULL, "storage failed", "\"what\":\"%s\",\"reason\":\"%s\"", what, plain);
    rocksdb_free(text);
    return err;
}

static struct rocks *rocks_of(struct store_kv *kv)
{
    return (struct rocks *)(void *)kv;
}

/* ---- views and single rows ---- */

static struct store_kv_view *rocks_view_open(struct store_kv *kv)
{
    struct store_kv_view *view = calloc(1, sizeof *view);
    if (view != NULL) {
        view->snapshot = rocksdb_create_snapshot(rocks_of(kv)->database);
        view->options = rocksdb_readoptions_create();
        rocksdb_readoptions_set_snapshot(view->options, view->snapshot);
    }
    return view;
}

static void rocks_view_close(struct store_kv *kv, struct store_kv_view *view)
{
    rocksdb_readoptions_destroy(view->options);
    rocksdb_release_snapshot(rocks_of(kv)->database, view->snapshot);
    free(view);
}

static const rocksdb_readoptions_t *options_of(struct rocks *rocks, struct store_kv_view *view)
{
    return view == NULL ? rocks->latest : view->options;
}

static int rocks_get(struct store_kv *kv, struct store_kv_view *view, enum store_family family, struct slice key,
                     struct buf *value)
{
    struct rocks *rocks = rocks_of(kv);
    char *text = NULL;
    rocksdb_pinnableslice_t *pinned = rocksdb_get_pinned_cf(rocks->database, options_of(rocks, view),
                                                            rocks->families[family], key.data, key.size, &text);
    if (text != NULL) {
        return fail("get", text);
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

/* Hands over one looked-up row and frees it; keeps the first failure. */
static int take_found(rocksdb_pinnableslice_t *pinned, char *text, size_t index, int err, store_kv_found_fn *found,
                      void *context)
{
    if (text != NULL) {
        int failure = fail("get", text);
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
    int err = 0;
    for (size_t first = 0; first < count && err == 0; first += GET_MANY_MAX) {
        size_t some = count - first < GET_MANY_MAX ? count - first : GET_MANY_MAX;
        err = get_some(rocks_of(kv), view, family, keys, first, some, found, context);
    }
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
    struct rocks *rocks = rocks_of(kv);
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
    return text == NULL ? 0 : fail("walk", text);
}

/* ---- batches ---- */

static struct store_kv_batch *rocks_batch_new(struct store_kv *kv)
{
    struct store_kv_batch *batch = calloc(1, sizeof *batch);
    if (batch != NULL) {
        batch->rocks = rocks_of(kv);
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
    (void)rocksdb_writebatch_data(batch->writes, &size);
    if (size <= BATCH_KEEP_BYTES) {
        rocksdb_writebatch_clear(batch->writes);
        return;
    }
    rocksdb_writebatch_destroy(batch->writes);
    batch->writes = rocksdb_writebatch_create();
}

static void rocks_put(struct store_kv_batch *batch, enum store_family family, struct slice key, struct slice value)
{
    rocksdb_writebatch_put_cf(batch->writes, batch->rocks->families[family], key.data, key.size, value.data,
                              value.size);
}

static void rocks_erase(struct store_kv_batch *batch, enum store_family family, struct slice key)
{
    rocksdb_writebatch_delete_cf(batch->writes, batch->rocks->families[family], key.data, key.size);
}

static int rocks_write(struct store_kv *kv, struct store_kv_batch *batch, bool sync)
{
    struct rocks *rocks = rocks_of(kv);
    char *text = NULL;
    if (sync) {
        pthread_rwlock_rdlock(&rocks->write_lock);
    } else {
        pthread_rwlock_wrlock(&rocks->write_lock);
    }
    rocksdb_write(rocks->database, sync ? rocks->synced : rocks->unsynced, batch->writes, &text);
    if (sync && text == NULL) {
        store_watermark_set(rocks->watermark, rocksdb_get_latest_sequence_number(rocks->database));
    }
    pthread_rwlock_unlock(&rocks->write_lock);
    return text == NULL ? 0 : fail("write", text);
}

/* ---- opening and closing ---- */

static void close_database(struct rocks *rocks)
{
    for (size_t i = 0; i < STORE_FAMILY_COUNT; i++) {
        if (rocks->families[i] != NULL) {
            rocksdb_column_family_handle_destroy(rocks->families[i]);
            rocks->families[i] = NULL;
        }
    }
    if (rocks->database != NULL) {
        rocksdb_close(rocks->database);
        rocks->database = NULL;
    }
}

static void rocks_close(struct store_kv *kv)
{
    struct rocks *rocks = rocks_of(kv);
    close_database(rocks);
    rocksdb_readoptions_destroy(rocks->latest);
    rocksdb_writeoptions_destroy(rocks->synced);
    rocksdb_writeoptions_destroy(rocks->unsynced);
    store_watermark_close(&rocks->watermark);
    pthread_rwlock_destroy(&rocks->write_lock);
    free(rocks);
}

static const struct store_kv_ops rocks_ops = {
    .close = rocks_close,
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
};

/* Syncs the folder that holds `path`, so that the store's own folder survives a crash. */
static int sync_parent(const char *path, struct buf *scratch)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') {
        size--;
    }
    while (size > 0 && path[size - 1] != '/') {
        size--;
    }
    buf_append(scratch, size == 0 ? "." : path, size == 0 ? 1 : size);
    buf_append_byte(scratch, 0);
    if (buf_error(scratch) != 0) {
        return ERR_NO_MEMORY;
    }
    int folder = open(scratch->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0) {
        (void)close(folder);
    }
    return ok ? 0 : ERR_STORAGE_IO;
}

/* Only the owner may look into it. */
static int make_folder(const char *path, struct buf *why)
{
    if (mkdir(path, 0700) != 0) {
        if (errno != EEXIST) {
            buf_printf(why, "can't make the folder %s: %s", path, strerror(errno));
            return errno == ENOSPC ? ERR_STORAGE_FULL : ERR_STORAGE_IO;
        }
        return 0;
    }
    struct buf scratch;
    buf_init(&scratch, 0);
    int err = sync_parent(path, &scratch);
    buf_fini(&scratch);
    if (err != 0) {
        buf_printf(why, "can't sync the folder that holds %s", path);
    }
    return err;
}

/* Whether files of the folder can be opened past the page cache; some file systems refuse. */
static bool takes_direct(const char *path)
{
    char probe[PATH_MAX];
    int size = snprintf(probe, sizeof probe, "%s/direct-probe", path);
    if (size < 0 || (size_t)size >= sizeof probe) {
        return false;
    }
    int fd = open(probe, O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
    unlink(probe);
    return fd >= 0;
}

/* RocksDB writes at open, and some of what it writes must not fail: see rocks_options.c on its log. */
static int check_room(const char *path, struct buf *why)
{
    struct statvfs state;
    if (statvfs(path, &state) == 0 && (uint64_t)state.f_bavail * state.f_frsize < OPEN_ROOM_BYTES) {
        buf_printf(why, "less than %u MiB are free on the disk of %s", OPEN_ROOM_BYTES >> 20, path);
        return ERR_STORAGE_FULL;
    }
    return 0;
}

/* One try to open; NULL, or RocksDB's reason. */
static char *try_open(struct rocks *rocks, struct store_rocks_options *options, const char *path, int recovery,
                      bool read_only)
{
    const rocksdb_options_t *const *families = (const rocksdb_options_t *const *)options->families;
    char *text = NULL;
    rocksdb_options_set_wal_recovery_mode(options->database, recovery);
    rocks->database =
        read_only ? rocksdb_open_for_read_only_column_families(options->database, path, STORE_FAMILY_COUNT,
                                                               family_names, families, rocks->families, 0, &text)
                  : rocksdb_open_column_families(options->database, path, STORE_FAMILY_COUNT, family_names, families,
                                                 rocks->families, &text);
    if (text != NULL) {
        rocks->database = NULL;
        memset(rocks->families, 0, sizeof rocks->families);
    }
    return text;
}

/* What RocksDB could read of the log must reach as far as the last write that was acknowledged. */
static int check_watermark(const struct rocks *rocks, struct buf *why)
{
    uint64_t acknowledged = store_watermark_get(rocks->watermark);
    uint64_t found = rocksdb_get_latest_sequence_number(rocks->database);
    if (found >= acknowledged) {
        return 0;
    }
    buf_printf(why,
               "the log is damaged: it can be read up to write %llu, but writes up to %llu were acknowledged; restore "
               "a backup (docs/store.md says how to open it all the same)",
               (unsigned long long)found, (unsigned long long)acknowledged);
    return ERR_CORRUPT;
}

/*
 * A log that does not check out to its end. Opening it up to the first bad record would take away what
 * stands behind, so that is tried without writing first: only when it reaches as far as what was
 * acknowledged is the rest an unsynced end that nobody was answered for.
 */
static char *open_damaged(struct rocks *rocks, struct store_rocks_options *options, const char *path, int *err,
                          struct buf *why)
{
    char *text = try_open(rocks, options, path, rocksdb_point_in_time_recovery, true);
    if (text != NULL) {
        return text;
    }
    *err = check_watermark(rocks, why);
    close_database(rocks);
    return *err == 0 ? try_open(rocks, options, path, rocksdb_point_in_time_recovery, false) : NULL;
}

static int open_database(struct rocks *rocks, const char *path, size_t memory_bytes, struct buf *why)
{
    struct store_rocks_options options;
    int err = 0;
    store_rocks_options_init(&options, memory_bytes, takes_direct(path));
    char *text = try_open(rocks, &options, path, rocksdb_absolute_consistency_recovery, false);
    if (text != NULL && code_of(text) == ERR_CORRUPT) {
        rocksdb_free(text);
        text = open_damaged(rocks, &options, path, &err, why);
    }
    store_rocks_options_fini(&options);
    if (text == NULL) {
        return err == 0 ? check_watermark(rocks, why) : err;
    }
    buf_append_text(why, text);
    return fail("open", text);
}

static int open_parts(struct rocks *rocks, const char *path, size_t memory_bytes, struct buf *why)
{
    char acknowledged[PATH_MAX];
    int size = snprintf(acknowledged, sizeof acknowledged, "%s/acknowledged", path);
    if (size < 0 || (size_t)size >= sizeof acknowledged) {
        buf_append_text(why, "the path is too long");
        return ERR_STORAGE_IO;
    }
    int err = store_watermark_open(acknowledged, &rocks->watermark, why);
    return err == 0 ? open_database(rocks, path, memory_bytes, why) : err;
}

int store_kv_rocks_open(const char *path, const struct store_options *options, struct store_kv **kv, struct buf *why)
{
    size_t memory_bytes = options != NULL && options->memory_bytes > 0 ? options->memory_bytes : DEFAULT_MEMORY_BYTES;
    int err = make_folder(path, why);
    err = err == 0 ? check_room(path, why) : err;
    if (err != 0) {
        return err;
    }
    struct rocks *rocks = calloc(1, sizeof *rocks);
    if (rocks == NULL) {
        return ERR_NO_MEMORY;
    }
    rocks->kv.ops = &rocks_ops;
    rocks->latest = rocksdb_readoptions_create();
    rocks->synced = rocksdb_writeoptions_create();
    rocks->unsynced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(rocks->synced, 1);
    pthread_rwlock_init(&rocks->write_lock, NULL);
    err = open_parts(rocks, path, memory_bytes, why);
    if (err != 0) {
        rocks_close(&rocks->kv);
        return err;
    }
    *kv = &rocks->kv;
    return 0;
}
