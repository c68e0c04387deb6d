/*
 * Sorted files and taking them in. RocksDB's own writer makes a table file beside the database; taking it
 * in links it into the database and says so in the manifest, so no row goes through log and memtable.
 *
 * The difficulty is who waits. While files are taken in no write goes on, so everything that takes time is
 * done before: the file is written and synced by seal, and a memtable with rows between the file's, which RocksDB
 * would have to flush first, is flushed here, while writes go on. What comes until then is flushed by RocksDB, but
 * that is little.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/rocks_priv.h"

#define READ_MEMTABLES 3 /* rocksdb::kMemtableTier */
#define FILE_PREFIX    "run-"
#define FILE_SUFFIX    ".sst"
/* Written back this much at a time while the file grows: the sync at its end would otherwise be one long burst, and
 * the log's sync of small commits would wait behind it. */
#define WRITE_BACK_BYTES (1u << 20)
/* Of one file, this much may be on its way to the disk before its writer waits: longer than a sync of other files, for
 * while the lane of runs waits, the workers soon have nothing to do either. */
#define ON_THE_WAY_BYTES (8u << 20)
#define ADVICE_BYTES     (128 << 10)

struct store_kv_file {
    struct rocks *rocks;
    enum store_family family;
    rocksdb_envoptions_t *environment;
    rocksdb_sstfilewriter_t *writer;
    bool begun;
    int error;
    int descriptor;   /* of our own, to say what the system should do with its pages; -1: none yet */
    struct buf first; /* key; empty, as `end` is, for an index */
    struct buf end;   /* the least key behind its last */
    size_t bytes;     /* of its rows */
    size_t unwritten; /* of these, since it was last written back */
    char path[PATH_MAX + 48];
};

static void note(struct store_kv_file *file, const char *what, char *text)
{
    if (text != NULL) {
        int err = store_rocks_fail(what, text);
        file->error = file->error == 0 ? err : file->error;
    }
}

struct store_kv_file *store_rocks_file_new(struct store_kv *kv, enum store_family family)
{
    struct store_kv_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return NULL;
    }
    file->rocks = store_rocks_of(kv);
    file->family = family;
    file->descriptor = -1;
    buf_init(&file->first, 0);
    buf_init(&file->end, 0);
    file->environment = rocksdb_envoptions_create();
    file->writer = rocksdb_sstfilewriter_create(file->environment, file->rocks->options.runs[family]);
    snprintf(file->path, sizeof file->path, "%s/" FILE_PREFIX "%llu" FILE_SUFFIX, file->rocks->path,
             (unsigned long long)atomic_fetch_add(&file->rocks->next_file, 1));
    return file;
}

static bool has_descriptor(struct store_kv_file *file)
{
    if (file->descriptor < 0) {
        file->descriptor = open(file->path, O_RDONLY | O_CLOEXEC);
    }
    return file->descriptor >= 0;
}

/* Begins to write back what is new, and waits for what was begun long before: the disk's speed is the limit. */
static void write_back(struct store_kv_file *file)
{
    if (file->unwritten < WRITE_BACK_BYTES) {
        return;
    }
    file->unwritten = 0;
    if (has_descriptor(file)) {
        (void)sync_file_range(file->descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
        if (file->bytes > ON_THE_WAY_BYTES) {
            off_t early = (off_t)(file->bytes - ON_THE_WAY_BYTES);
            (void)sync_file_range(file->descriptor, 0, early, SYNC_FILE_RANGE_WAIT_BEFORE);
        }
    }
}

/* RocksDB's writer tells the system to forget what it wrote. Unique keys are asked at once, by workers that would wait
 * for the disk behind all that is being written: 10 % of their time. Linux reads no more of what one advice names than
 * it would read ahead. */
static void keep_in_memory(struct store_kv_file *file)
{
    struct stat info;
    if (file->family != STORE_FAMILY_UNIQUE || !has_descriptor(file) || fstat(file->descriptor, &info) != 0) {
        return;
    }
    for (off_t at = 0; at < info.st_size; at += ADVICE_BYTES) {
        (void)posix_fadvise(file->descriptor, at, ADVICE_BYTES, POSIX_FADV_WILLNEED);
    }
}

/* Index entries lie all over their family, so nobody asks between which keys those of a file do. */
static bool is_index(const struct store_kv_file *file)
{
    return file->family == STORE_FAMILY_UNIQUE || file->family == STORE_FAMILY_PLAIN;
}

static void note_bounds(struct store_kv_file *file, struct slice key)
{
    if (file->first.size == 0) {
        buf_append_slice(&file->first, key);
    }
    buf_clear(&file->end);
    buf_append_slice(&file->end, key);
    buf_append_byte(&file->end, 0);
}

void store_rocks_file_put(struct store_kv_file *file, struct slice key, struct slice value)
{
    char *text = NULL;
    if (!file->begun) {
        file->begun = true;
        rocksdb_sstfilewriter_open(file->writer, file->path, &text);
        note(file, "open a sorted file", text);
    }
    if (file->error == 0) {
        text = NULL;
        rocksdb_sstfilewriter_put(file->writer, key.data, key.size, value.data, value.size, &text);
        note(file, "write a sorted file", text);
        if (!is_index(file)) {
            note_bounds(file, key);
        }
        file->bytes += key.size + value.size;
        file->unwritten += key.size + value.size;
        write_back(file);
    }
}

int store_rocks_file_seal(struct store_kv_file *file)
{
    char *text = NULL;
    if (file->error == 0 && (buf_error(&file->first) != 0 || buf_error(&file->end) != 0)) {
        file->error = ERR_NO_MEMORY;
    }
    if (file->error == 0) {
        rocksdb_sstfilewriter_finish(file->writer, &text);
        note(file, "sync a sorted file", text);
        keep_in_memory(file);
    }
    return file->error;
}

void store_rocks_file_free(struct store_kv_file *file)
{
    rocksdb_sstfilewriter_destroy(file->writer);
    rocksdb_envoptions_destroy(file->environment);
    if (file->descriptor >= 0) {
        close(file->descriptor);
    }
    buf_fini(&file->first);
    buf_fini(&file->end);
    if (file->begun) {
        (void)unlink(file->path); /* gone already when it was taken in */
    }
    free(file);
}

/* ---- taking in ---- */

/* Whether a row that is in no file yet lies between the file's. Erased rows count for RocksDB and are passed over here:
 * entries of indexes, which sweeps erase, are taken to overlap anyway. */
static bool memtable_overlaps(struct rocks *rocks, const struct store_kv_file *file)
{
    if (is_index(file)) {
        return true;
    }
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_read_tier(options, READ_MEMTABLES);
    rocksdb_readoptions_set_iterate_upper_bound(options, file->end.data, file->end.size);
    rocksdb_iterator_t *rows = rocksdb_create_iterator_cf(rocks->database, options, rocks->families[file->family]);
    rocksdb_iter_seek(rows, file->first.data, file->first.size);
    bool overlaps = rocksdb_iter_valid(rows);
    rocksdb_iter_destroy(rows);
    rocksdb_readoptions_destroy(options);
    return overlaps;
}

static char *flush(struct rocks *rocks, enum store_family family)
{
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    char *text = NULL;
    rocksdb_flushoptions_set_wait(options, 1);
    rocksdb_flush_cf(rocks->database, options, rocks->families[family], &text);
    rocksdb_flushoptions_destroy(options);
    return text;
}

static char *take_in(struct rocks *rocks, enum store_family family, const char *const *paths, size_t count)
{
    rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();
    char *text = NULL;
    rocksdb_ingestexternalfileoptions_set_move_files(options, 1);
    /* A view that is open must not see them, even if it was opened before their import was known. */
    rocksdb_ingestexternalfileoptions_set_snapshot_consistency(options, 1);
    atomic_fetch_add(&rocks->ingesting, 1);
    rocksdb_ingest_external_file_cf(rocks->database, rocks->families[family], paths, count, options, &text);
    atomic_fetch_sub(&rocks->ingesting, 1);
    rocksdb_ingestexternalfileoptions_destroy(options);
    return text;
}

int store_rocks_ingest(struct store_kv *kv, struct store_kv_file *const *files, size_t count)
{
    struct rocks *rocks = store_rocks_of(kv);
    enum store_family family = files[0]->family;
    const char *paths[STORE_ROCKS_FILES_MAX];
    char *text = NULL;
    if (count > STORE_ROCKS_FILES_MAX) {
        return ERR_TOO_LARGE;
    }
    if (!store_rocks_enter(rocks)) {
        return ERR_STORAGE_IO;
    }
    bool overlap = false;
    for (size_t i = 0; i < count; i++) {
        paths[i] = files[i]->path;
        overlap = overlap || memtable_overlaps(rocks, files[i]);
    }
    if (overlap) {
        text = flush(rocks, family);
    }
    int err = text == NULL ? store_rocks_doubt(rocks, paths, count) : 0;
    if (text == NULL && err == 0) {
        text = take_in(rocks, family, paths, count);
        if (text == NULL) {
            store_rocks_doubt_no_more(rocks, paths, count);
        }
    }
    store_gate_leave(&rocks->gate);
    return text == NULL ? err : store_rocks_fail("take files in", text);
}

void store_rocks_files_clean(struct rocks *rocks)
{
    DIR *folder = opendir(rocks->path);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        size_t size = strlen(entry->d_name);
        if (strncmp(entry->d_name, FILE_PREFIX, strlen(FILE_PREFIX)) == 0 && size > strlen(FILE_SUFFIX) &&
            strcmp(entry->d_name + size - strlen(FILE_SUFFIX), FILE_SUFFIX) == 0) {
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
}
