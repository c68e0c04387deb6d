/*
 * The RocksDB kind of the key-value interface, inside: kv_rocks.c (rows, walks, batches), rocks_files.c
 * (sorted files and taking them in), rocks_doubt.c (those whose taking in failed), rocks_open.c (opening,
 * closing, opening again), rocks_options.c (how it is set up).
 */
#ifndef STORE_ROCKS_PRIV_H
#define STORE_ROCKS_PRIV_H

#include <rocksdb/c.h>

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "store/gate_priv.h"
#include "store/kv_priv.h"
#include "store/watermark_priv.h"

/* Options of the database, of each family, and of the files that runs bring to it. The caches are shared and counted by
 * reference. */
struct store_rocks_options {
    rocksdb_options_t *database;
    rocksdb_options_t *families[STORE_FAMILY_COUNT];
    rocksdb_options_t *runs[STORE_FAMILY_COUNT];
};

/* `direct`: the folder's file system takes O_DIRECT. */
void store_rocks_options_init(struct store_rocks_options *options, size_t memory_bytes, bool direct);
void store_rocks_options_fini(struct store_rocks_options *options);

struct rocks {
    struct store_kv kv;
    /* Whoever uses the database or the handles of its families is inside: they change when it is opened
     * again. A view stays inside as long as it is open. */
    struct store_gate gate;
    rocksdb_t *database; /* NULL: it could not be opened again, not even to read */
    rocksdb_column_family_handle_t *families[STORE_FAMILY_COUNT];
    struct store_rocks_options options;
    rocksdb_readoptions_t *latest;
    rocksdb_writeoptions_t *synced;
    rocksdb_writeoptions_t *unsynced;
    struct store_watermark *watermark;
    /* Synced writers share it, an unsynced one has it alone: so the newest sequence number that a synced
     * writer reads behind its write is that of a synced write, or of one that stands before it in the log. */
    pthread_rwlock_t write_lock;
    /* How many are taking files in: these use sequence numbers before that is on stable storage. */
    atomic_uint ingesting;
    atomic_ullong next_file;
    char path[PATH_MAX];
};

static inline struct rocks *store_rocks_of(struct store_kv *kv)
{
    return (struct rocks *)(void *)kv;
}

extern const struct store_kv_ops store_rocks_ops;

/* Enters the gate; false (and outside) when there is no database. */
bool store_rocks_enter(struct rocks *rocks) MUST_CHECK;
/* The code of an error text, which stays the caller's. */
int store_rocks_code(const char *text);
/* The code of an error text, which is logged and freed. */
int store_rocks_fail(const char *what, char *text);

/* ---- rocks_open.c ---- */

void store_rocks_close(struct store_kv *kv);
/* One try to open; NULL, or RocksDB's reason, which the caller frees. */
char *store_rocks_try_open(struct rocks *rocks, int recovery, bool read_only) MUST_CHECK;
int store_rocks_resume(struct store_kv *kv) MUST_CHECK;

/* To read alone, also beside a process that has it open; nothing is written. Not for store_open. */
int store_kv_rocks_look(const char *path, struct store_kv **kv, struct buf *why) MUST_CHECK;
/* How many rows the family has, more or less. */
uint64_t store_rocks_estimate(struct store_kv *kv, enum store_family family);

/* ---- rocks_files.c; arguments as in kv_priv.h ---- */

struct store_kv_file *store_rocks_file_new(struct store_kv *kv, enum store_family family);
void store_rocks_file_put(struct store_kv_file *file, struct slice key, struct slice value);
int store_rocks_file_seal(struct store_kv_file *file) MUST_CHECK;
void store_rocks_file_free(struct store_kv_file *file);
int store_rocks_ingest(struct store_kv *kv, struct store_kv_file *const *files, size_t count) MUST_CHECK;
/* Removes the files that a crash left. */
void store_rocks_files_clean(struct rocks *rocks);

/* ---- rocks_doubt.c ---- */

#define STORE_ROCKS_FILES_MAX 1024 /* taken in at once */

/* Files are about to be taken in: each gets a second name, synced, by which it stays until that is done, or until the
 * next open has come through. */
int store_rocks_doubt(const struct rocks *rocks, const char *const *paths, size_t count) MUST_CHECK;
void store_rocks_doubt_no_more(const struct rocks *rocks, const char *const *paths, size_t count);
/* An open failed with `text`: when it is for want of files in doubt, they are put back, and it is tried again. NULL, or
 * the last try's reason; `text` is taken over. */
char *store_rocks_doubt_open(struct rocks *rocks, int recovery, char *text) MUST_CHECK;
void store_rocks_doubts_clean(const struct rocks *rocks);

#endif
