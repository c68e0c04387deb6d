/*
 * Opening, closing, and opening again in place once a full disk has room.
 *
 * The difficulty of the latter is that RocksDB's C interface can't take a database out of its error state.
 * So it is closed and opened, which replays the log: what was acknowledged is in it, and of the write that
 * failed whatever reached the disk, whole or not at all. Readers are kept out meanwhile by the gate. When
 * it can't be opened to write (the room is gone again), it is opened to read.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "store/format_priv.h"
#include "store/rocks_priv.h"

#define DEFAULT_MEMORY_BYTES (192u * 1024 * 1024)
#define OPEN_ROOM_BYTES      (8u << 20)
#define RESUME_ROOM_BYTES    (32u << 20) /* besides what the replayed log takes when it is flushed */
#define RESUME_WAIT_MS       5000        /* for readers to be through */

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

char *store_rocks_try_open(struct rocks *rocks, int recovery, bool read_only)
{
    const struct store_rocks_options *options = &rocks->options;
    const rocksdb_options_t *const *families = (const rocksdb_options_t *const *)options->families;
    const char *path = rocks->path;
    char *text = NULL;
    rocksdb_options_set_wal_recovery_mode(options->database, recovery);
    rocks->database =
        read_only ? rocksdb_open_for_read_only_column_families(options->database, path, STORE_FAMILY_COUNT,
                                                               store_family_names, families, rocks->families, 0, &text)
                  : rocksdb_open_column_families(options->database, path, STORE_FAMILY_COUNT, store_family_names,
                                                 families, rocks->families, &text);
    if (text != NULL) {
        rocks->database = NULL;
        memset(rocks->families, 0, sizeof rocks->families);
    }
    return text;
}

/* What RocksDB could read of the log must reach as far as the last write that was acknowledged. */
static int check_watermark(const struct rocks *rocks, struct buf *why)
{
#ifdef MUSTER_PLANT_TORN_TAIL
    uint64_t acknowledged = 0; /* a planted defect, for the fault tests to find: any end of the log is its end */
#else
    uint64_t acknowledged = store_watermark_get(rocks->watermark);
#endif
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
static char *open_damaged(struct rocks *rocks, int *err, struct buf *why)
{
    char *text = store_rocks_try_open(rocks, rocksdb_point_in_time_recovery, true);
    if (text != NULL) {
        return text;
    }
    *err = check_watermark(rocks, why);
    close_database(rocks);
    return *err == 0 ? store_rocks_try_open(rocks, rocksdb_point_in_time_recovery, false) : NULL;
}

static int open_database(struct rocks *rocks, struct buf *why)
{
    int err = 0;
    char *text = store_rocks_try_open(rocks, rocksdb_absolute_consistency_recovery, false);
    if (text != NULL) {
        text = store_rocks_doubt_open(rocks, rocksdb_absolute_consistency_recovery, text);
    }
    if (text != NULL && store_rocks_code(text) == ERR_CORRUPT) {
        rocksdb_free(text);
        text = open_damaged(rocks, &err, why);
    }
    if (text == NULL) {
        err = err == 0 ? check_watermark(rocks, why) : err;
        if (err == 0) {
            store_rocks_doubts_clean(rocks);
        }
        return err;
    }
    buf_append_text(why, text);
    return store_rocks_fail("open", text);
}

static int open_parts(struct rocks *rocks, const char *path, size_t memory_bytes, struct buf *why)
{
    char acknowledged[PATH_MAX];
    int size = snprintf(acknowledged, sizeof acknowledged, "%s/acknowledged", path);
    if (size < 0 || (size_t)size >= sizeof acknowledged) {
        buf_append_text(why, "the path is too long");
        return ERR_STORAGE_IO;
    }
    memcpy(rocks->path, path, strlen(path) + 1);
    store_rocks_options_init(&rocks->options, memory_bytes, takes_direct(path));
    int err = store_watermark_open(acknowledged, &rocks->watermark, why);
    err = err == 0 ? open_database(rocks, why) : err;
    if (err == 0) {
        store_rocks_files_clean(rocks);
    }
    return err;
}

void store_rocks_close(struct store_kv *kv)
{
    struct rocks *rocks = store_rocks_of(kv);
    close_database(rocks);
    if (rocks->options.database != NULL) {
        store_rocks_options_fini(&rocks->options);
    }
    rocksdb_readoptions_destroy(rocks->latest);
    rocksdb_writeoptions_destroy(rocks->synced);
    rocksdb_writeoptions_destroy(rocks->unsynced);
    store_watermark_close(&rocks->watermark);
    pthread_rwlock_destroy(&rocks->write_lock);
    store_gate_fini(&rocks->gate);
    free(rocks);
}

/* Without a database yet. NULL: no memory. */
static struct rocks *rocks_new(void)
{
    struct rocks *rocks = calloc(1, sizeof *rocks);
    if (rocks == NULL) {
        return NULL;
    }
    rocks->kv.ops = &store_rocks_ops;
    rocks->latest = rocksdb_readoptions_create();
    rocks->synced = rocksdb_writeoptions_create();
    rocks->unsynced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(rocks->synced, 1);
    pthread_rwlock_init(&rocks->write_lock, NULL);
    store_gate_init(&rocks->gate);
    return rocks;
}

int store_kv_rocks_open(const char *path, const struct store_options *options, struct store_kv **kv, struct buf *why)
{
    size_t memory_bytes = options != NULL && options->memory_bytes > 0 ? options->memory_bytes : DEFAULT_MEMORY_BYTES;
    int err = make_folder(path, why);
    err = err == 0 ? check_room(path, why) : err;
    if (err != 0) {
        return err;
    }
    struct rocks *rocks = rocks_new();
    if (rocks == NULL) {
        return ERR_NO_MEMORY;
    }
    err = open_parts(rocks, path, memory_bytes, why);
    if (err != 0) {
        store_rocks_close(&rocks->kv);
        return err;
    }
    *kv = &rocks->kv;
    return 0;
}

/* ---- looking from outside ---- */

int store_kv_rocks_look(const char *path, struct store_kv **kv, struct buf *why)
{
    struct rocks *rocks = rocks_new();
    if (rocks == NULL) {
        return ERR_NO_MEMORY;
    }
    (void)snprintf(rocks->path, sizeof rocks->path, "%s", path);
    store_rocks_options_init(&rocks->options, DEFAULT_MEMORY_BYTES, false);
    char *text = store_rocks_try_open(rocks, rocksdb_point_in_time_recovery, true);
    if (text != NULL) {
        buf_append_text(why, text);
        rocksdb_free(text);
        store_rocks_close(&rocks->kv);
        return ERR_STORAGE_IO;
    }
    *kv = &rocks->kv;
    return 0;
}

uint64_t store_rocks_estimate(struct store_kv *kv, enum store_family family)
{
    struct rocks *rocks = store_rocks_of(kv);
    uint64_t rows = 0;
    (void)rocksdb_property_int_cf(rocks->database, rocks->families[family], "rocksdb.estimate-num-keys", &rows);
    return rows;
}

/* ---- opening again ---- */

/* Bytes of the write-ahead logs: what replaying them may have to flush at once. */
static uint64_t log_bytes(const char *path)
{
    DIR *folder = opendir(path);
    uint64_t sum = 0;
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        struct stat state;
        if (dot != NULL && strcmp(dot, ".log") == 0 && fstatat(dirfd(folder), entry->d_name, &state, 0) == 0) {
            sum += (uint64_t)state.st_size;
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return sum;
}

static bool has_room(const char *path)
{
    struct statvfs state;
    return statvfs(path, &state) == 0 &&
           (uint64_t)state.f_bavail * state.f_frsize >= RESUME_ROOM_BYTES + log_bytes(path);
}

/* The gate is shut. */
static int open_again(struct rocks *rocks)
{
    struct buf why;
    buf_init(&why, 0);
    close_database(rocks);
    int err = open_database(rocks, &why);
    buf_fini(&why);
    if (err != 0) {
        close_database(rocks);
        char *text = store_rocks_try_open(rocks, rocksdb_point_in_time_recovery, true);
        if (text != NULL) {
            (void)store_rocks_fail("open to read", text);
        }
    }
    return err;
}

int store_rocks_resume(struct store_kv *kv)
{
    struct rocks *rocks = store_rocks_of(kv);
    if (!has_room(rocks->path) || !store_gate_shut(&rocks->gate, RESUME_WAIT_MS)) {
        return ERR_STORAGE_FULL;
    }
    int err = open_again(rocks);
    store_gate_open(&rocks->gate);
    return err;
}
