/*
 * The small ordered key-value interface that the local store stands on: families of rows in order
 * of their key bytes, written in batches, read at a view (a snapshot). Three kinds implement it:
 * kv_rocks.c (RocksDB), kv_memory.c, and kv_postgres.c, whose views are the transaction that it is in
 * (postgres_priv.h). What a row means is not known here; see rows_priv.h.
 *
 * Threads: any function from any thread; a batch, a view and a walk belong to one thread at a time.
 */
#ifndef STORE_KV_PRIV_H
#define STORE_KV_PRIV_H

#include "store/store.h"

/* Numbers are places in tables; the names on disk stand in format.c. */
enum store_family {
    STORE_FAMILY_FORMAT,     /* version of the layout; RocksDB's "default" */
    STORE_FAMILY_BODY,       /* records */
    STORE_FAMILY_UNIQUE,     /* index entries of unique keys */
    STORE_FAMILY_PLAIN,      /* the other index entries */
    STORE_FAMILY_SECRET,     /* secrets rows */
    STORE_FAMILY_PENDING,    /* marks: secrets that wait for the hashing lane */
    STORE_FAMILY_IMPORT,     /* import rows */
    STORE_FAMILY_OUTCOME,    /* outcomes, a row a chunk */
    STORE_FAMILY_UNFINISHED, /* marks: imports that are open, or ended and not yet cleared */
    STORE_FAMILY_META,       /* small rows of the house */
    STORE_FAMILY_REQUEST,    /* claims on idempotency keys */
    STORE_FAMILY_FAULT,      /* refused items, a row a chunk that has some */
    STORE_FAMILY_REVISION,   /* new content of customers, until it is folded into their records */
    STORE_FAMILY_CHANGE,     /* marks: customers of an import that a later one changed */
    STORE_FAMILY_RUN,        /* runs of the bulk lane that are being taken in */
    STORE_FAMILY_COUNT
};

/* The longest prefix of a walk. */
#define STORE_PREFIX_MAX 512

struct store_kv;       /* a kind embeds it first */
struct store_kv_view;  /* the rows as they were at one instant */
struct store_kv_walk;  /* a walk over the rows with one prefix */
struct store_kv_batch; /* changes that happen together */
struct store_kv_file;  /* rows of one family in order of key, to be taken in at once */

/* A row that store_kv_get_many found; `index` is its key's place. Non-zero stops and is returned. */
typedef int store_kv_found_fn(void *context, size_t index, struct slice value);

struct store_kv_ops {
    void (*close)(struct store_kv *kv);
    struct store_kv_view *(*view_open)(struct store_kv *kv);
    void (*view_close)(struct store_kv *kv, struct store_kv_view *view);
    int (*get)(struct store_kv *kv, struct store_kv_view *view, enum store_family family, struct slice key,
               struct buf *value);
    int (*get_many)(struct store_kv *kv, struct store_kv_view *view, enum store_family family, const struct slice *keys,
                    size_t count, store_kv_found_fn *found, void *context);
    struct store_kv_walk *(*walk_open)(struct store_kv *kv, struct store_kv_view *view, enum store_family family,
                                       struct slice prefix);
    void (*walk_seek)(struct store_kv_walk *walk, struct slice key, bool backward);
    void (*walk_step)(struct store_kv_walk *walk);
    bool (*walk_at)(struct store_kv_walk *walk, struct slice *key, struct slice *value);
    int (*walk_close)(struct store_kv_walk *walk);
    struct store_kv_batch *(*batch_new)(struct store_kv *kv);
    void (*batch_free)(struct store_kv_batch *batch);
    void (*batch_clear)(struct store_kv_batch *batch);
    void (*put)(struct store_kv_batch *batch, enum store_family family, struct slice key, struct slice value);
    void (*erase)(struct store_kv_batch *batch, enum store_family family, struct slice key);
    int (*write)(struct store_kv *kv, struct store_kv_batch *batch, bool sync);
    struct store_kv_file *(*file_new)(struct store_kv *kv, enum store_family family);
    void (*file_put)(struct store_kv_file *file, struct slice key, struct slice value);
    int (*file_seal)(struct store_kv_file *file);
    void (*file_free)(struct store_kv_file *file);
    int (*ingest)(struct store_kv *kv, struct store_kv_file *const *files, size_t count);
    int (*resume)(struct store_kv *kv);
    void (*describe)(struct store_kv *kv, struct store_facts *facts);
    void (*lock)(struct store_kv *kv, enum store_family family, struct slice key, bool shared); /* may be NULL */
    void (*put_new)(struct store_kv_batch *batch, enum store_family family, struct slice key,
                    struct slice value); /* may be NULL: put */
};

struct store_kv {
    const struct store_kv_ops *ops;
};

int store_kv_rocks_open(const char *path, const struct store_options *options, struct store_kv **kv,
                        struct buf *why) MUST_CHECK;
int store_kv_memory_open(struct store_kv **kv) MUST_CHECK;

static inline void store_kv_close(struct store_kv **kv)
{
    if (*kv != NULL) {
        (*kv)->ops->close(*kv);
        *kv = NULL;
    }
}

/* NULL: no memory. */
static inline struct store_kv_view *store_kv_view_open(struct store_kv *kv)
{
    return kv->ops->view_open(kv);
}

static inline void store_kv_view_close(struct store_kv *kv, struct store_kv_view **view)
{
    if (*view != NULL) {
        kv->ops->view_close(kv, *view);
        *view = NULL;
    }
}

/* Appends the row's value. 0, ERR_NOT_FOUND, or why it can't be read. `view` NULL: as it is now. */
MUST_CHECK static inline int store_kv_get(struct store_kv *kv, struct store_kv_view *view, enum store_family family,
                                          struct slice key, struct buf *value)
{
    return kv->ops->get(kv, view, family, key, value);
}

/* Many rows at once; keys in order, each once. Absent rows are passed over. */
MUST_CHECK static inline int store_kv_get_many(struct store_kv *kv, struct store_kv_view *view,
                                               enum store_family family, const struct slice *keys, size_t count,
                                               store_kv_found_fn *found, void *context)
{
    return kv->ops->get_many(kv, view, family, keys, count, found, context);
}

/* A walk over the rows whose key begins with prefix; the view outlives it. NULL: no memory. */
static inline struct store_kv_walk *store_kv_walk_open(struct store_kv *kv, struct store_kv_view *view,
                                                       enum store_family family, struct slice prefix)
{
    return kv->ops->walk_open(kv, view, family, prefix);
}

/* What the functions of a walk need besides it is its kind. Forward: to the first row with a key not
 * below `key`; backward: to the last row with a key below it. */
static inline void store_kv_walk_seek(struct store_kv *kv, struct store_kv_walk *walk, struct slice key, bool backward)
{
    kv->ops->walk_seek(walk, key, backward);
}

/* To the next row in the direction of the last seek. */
static inline void store_kv_walk_step(struct store_kv *kv, struct store_kv_walk *walk)
{
    kv->ops->walk_step(walk);
}

/* The row it stands at, viewed until it moves; false at the end. */
static inline bool store_kv_walk_at(struct store_kv *kv, struct store_kv_walk *walk, struct slice *key,
                                    struct slice *value)
{
    return kv->ops->walk_at(walk, key, value);
}

/* 0, or the failure that made it end early. */
MUST_CHECK static inline int store_kv_walk_close(struct store_kv *kv, struct store_kv_walk **walk)
{
    int err = kv->ops->walk_close(*walk);
    *walk = NULL;
    return err;
}

/* NULL: no memory. A batch remembers its first failure; write returns it. */
static inline struct store_kv_batch *store_kv_batch_new(struct store_kv *kv)
{
    return kv->ops->batch_new(kv);
}

static inline void store_kv_batch_free(struct store_kv *kv, struct store_kv_batch **batch)
{
    if (*batch != NULL) {
        kv->ops->batch_free(*batch);
        *batch = NULL;
    }
}

static inline void store_kv_batch_clear(struct store_kv *kv, struct store_kv_batch *batch)
{
    kv->ops->batch_clear(batch);
}

static inline void store_kv_put(struct store_kv *kv, struct store_kv_batch *batch, enum store_family family,
                                struct slice key, struct slice value)
{
    kv->ops->put(batch, family, key, value);
}

/* A row that was not looked for: where others write beside us it must not take the place of one that is there. */
static inline void store_kv_put_new(struct store_kv *kv, struct store_kv_batch *batch, enum store_family family,
                                    struct slice key, struct slice value)
{
    (kv->ops->put_new != NULL ? kv->ops->put_new : kv->ops->put)(batch, family, key, value);
}

static inline void store_kv_erase(struct store_kv *kv, struct store_kv_batch *batch, enum store_family family,
                                  struct slice key)
{
    kv->ops->erase(batch, family, key);
}

/* All of the batch or nothing; with `sync` it is on stable storage when this returns 0. */
MUST_CHECK static inline int store_kv_write(struct store_kv *kv, struct store_kv_batch *batch, bool sync)
{
    return kv->ops->write(kv, batch, sync);
}

/* An empty file of rows. NULL: no memory. It remembers its first failure; seal returns it. */
static inline struct store_kv_file *store_kv_file_new(struct store_kv *kv, enum store_family family)
{
    return kv->ops->file_new(kv, family);
}

/* Each key greater than the one before. */
static inline void store_kv_file_put(struct store_kv *kv, struct store_kv_file *file, struct slice key,
                                     struct slice value)
{
    kv->ops->file_put(file, key, value);
}

/* After the last row: on stable storage when this returns 0. */
MUST_CHECK static inline int store_kv_file_seal(struct store_kv *kv, struct store_kv_file *file)
{
    return kv->ops->file_seal(file);
}

/* Also takes it off the disk, unless it was taken in. */
static inline void store_kv_file_free(struct store_kv *kv, struct store_kv_file **file)
{
    if (*file != NULL) {
        kv->ops->file_free(*file);
        *file = NULL;
    }
}

/*
 * Takes sealed files of one family in, as if their rows were written now: all of them or none, on stable
 * storage when this returns 0. Their keys don't overlap. Nobody may write a row with one of their keys
 * meanwhile. A view that is open does not see them.
 */
MUST_CHECK static inline int store_kv_ingest(struct store_kv *kv, struct store_kv_file *const *files, size_t count)
{
    return count == 0 ? 0 : kv->ops->ingest(kv, files, count);
}

/* Kind, engine and durability. */
static inline void store_kv_describe(struct store_kv *kv, struct store_facts *facts)
{
    kv->ops->describe(kv, facts);
}

/*
 * What was read of the row must still hold when the batch that is written next counts; for rows that it does not
 * write itself. `shared`: others may rely on it too. Nothing in a store of one process, where locks see to that.
 */
static inline void store_kv_lock(struct store_kv *kv, enum store_family family, struct slice key, bool shared)
{
    if (kv->ops->lock != NULL) {
        kv->ops->lock(kv, family, key, shared);
    }
}

/* After writes failed for want of room: makes writing possible again. Rows are then as they are on the disk: a
 * write that failed has happened whole or not at all. No batch may be written meanwhile; reads wait. Not 0:
 * reads go on all the same. */
MUST_CHECK static inline int store_kv_resume(struct store_kv *kv)
{
    return kv->ops->resume(kv);
}

#endif
