/*
 * The local store: one process, one key-value store under it. Files: local.c (open, close, the
 * instant that readers see, writing), recover.c, keep.c, prepare.c, decide.c, request.c and compose.c (store_commit),
 * read.c, secrets.c, meta.c, undo.c, sweep.c, expire.c, verify.c.
 *
 * Locks, in the order in which they are taken: run_lock (shared by who takes in a run's files until they
 * count; whoever has it alone finds no rows that are in and don't count), commit_lock (who decides or frees unique
 * keys, and who changes the set of unfinished imports), secret_lock (who replaces or removes secrets rows), view_lock
 * (held for an instant, never across a read, a write or a sync).
 */
#ifndef STORE_LOCAL_PRIV_H
#define STORE_LOCAL_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/map.h"
#include "store/kv_priv.h"
#include "store/rows_priv.h"
#include "store/store_priv.h"

/* Places of the table that tells when a unique key was last written. Keys that share one are looked up again for
 * nothing: a run of 100,000, whose entries come to be all at once, leaves eight in ten keys of others alone. */
#define STORE_TOUCHED (1u << 19)

struct store_local {
    struct store store;
    struct store_kv *kv;
    bool sync;
    /* One of several over the same rows, here and in other processes: of this node. The set is then made from the rows
     * before each operation, failures are the caller's, and what is relied on is locked (postgres.c). */
    bool shared;
    /* For the next commit: nothing is looked for of unique keys, of rows of imports that are not in the set, and of
     * chunks kept before. All are taken to be free and new, and written such that the write fails if they are not.
     * Where the rows written don't tell whether that was right, `doubtful` comes to be set, and nothing is written. */
    bool blind;
    bool doubtful;
    bool met;     /* the last commit looked for unique keys and found some */
    bool running; /* this node's imports are gone on with; at its start none is */
    struct uuid node;
    atomic_int stopped; /* 0, or what every write answers from now on (S7) */

    pthread_mutex_t commit_lock;
    struct arena *arena; /* of the group that is being committed */
    struct map *members; /* import -> place in the group's members */
    struct store_kv_batch *batch;
    struct store_local_run *runs; /* those that are open */
    uint64_t touches;             /* unique keys written so far */
    uint64_t *touched;            /* STORE_TOUCHED places; NULL: nobody looks anything up before the lock */
    uint64_t all_touched;         /* as if every key had been touched then */
    _Atomic uint64_t seen;        /* `touches` when the lock was let go, once, lately */
    struct buf folded_to;         /* the outcome row up to which store_sweep has folded its import */
    size_t expired_family;        /* where store_expire's round stands: */
    struct buf expired_to;        /* the next key to look at */

    pthread_mutex_t secret_lock;

    pthread_rwlock_t run_lock;

    pthread_mutex_t view_lock;
    struct store_unfinished_set *unfinished;
};

/* Not yet started: no format, no recovery. Takes the key-value store. 0 or ERR_NO_MEMORY. */
int store_local_new(struct store_kv **kv, bool sync, struct store_local **out) MUST_CHECK;
void store_local_free(struct store_local **of);

static inline struct store_local *store_local_of(struct store *store)
{
    return (struct store_local *)(void *)store;
}

/* What a reader sees: rows and unfinished imports of one instant. */
struct store_view {
    struct store_kv_view *rows;
    struct store_unfinished_set *unfinished;
};

int store_view_open(struct store_local *local, struct store_view *view) MUST_CHECK;
void store_view_close(struct store_local *local, struct store_view *view);
static inline bool store_view_hides(const struct store_view *view, const struct uuid *tenant, const struct uuid *import)
{
    return store_unfinished_hidden(store_unfinished_find(view->unfinished, tenant, import));
}

/* Makes `next` the current set; takes it. The commit lock is held. */
void store_local_publish(struct store_local *local, struct store_unfinished_set *next);

/* Writes a batch. A failure stops the store (S7). `sync` as the caller needs it. */
int store_local_write(struct store_local *local, struct store_kv_batch *batch, bool sync) MUST_CHECK;
/* The same for what was written otherwise: `err` is 0 or its failure, which is returned. */
int store_local_failed(struct store_local *local, int err) MUST_CHECK;
/* 0, or what a write has to answer since the store stopped. */
int store_local_health(struct store_local *local);

/* Notes that the index entry of a unique key is put or erased; commit_lock is held until it is written. */
void store_local_touch(struct store_local *local, const uint8_t key[STORE_UNIQUE_BYTES]);
/* Whether the entry may have been written since `touches` was `since`. The same lock. */
bool store_local_touched(const struct store_local *local, const uint8_t key[STORE_UNIQUE_BYTES], uint64_t since);

/* Notes all of them: rows of a write that failed come to be there. The same lock. */
void store_local_touch_all(struct store_local *local);
/* Lets the commit lock go, with everything written that was touched (or failed for good). */
void store_local_unlock(struct store_local *local);
/* A number since which touched keys must be looked up again when they are looked up from now on. No lock is needed. */
uint64_t store_local_seen(const struct store_local *local);

/* Puts the entry's mark into the batch; takes it out when its state is 0. */
void store_local_put_mark(struct store_local *local, struct store_kv_batch *batch,
                          const struct store_unfinished *entry);
/* Puts an import's row into the batch. 0 or ERR_NO_MEMORY. */
int store_local_put_import(struct store_local *local, struct store_kv_batch *batch,
                           const struct store_import *import) MUST_CHECK;
/* Frees the idempotency key that the entry's import has, if it still has it. 0 or why that can't be read. */
int store_local_erase_claim(struct store_local *local, struct store_kv_batch *batch,
                            const struct store_unfinished *entry) MUST_CHECK;
/* A new store gets its version; another version, and half a copy, is refused before anything is changed. */
int store_local_check_format(struct store_local *local, struct buf *why) MUST_CHECK;
/* S6, once, while nobody else has the store; of many nodes, for what no living node goes on with. */
int store_local_recover(struct store_local *local, struct store_kv_view *rows) MUST_CHECK;
/* Of many nodes: this one goes on no more with the import. A resumable one may be gone on with by any, another is
 * aborted. */
int store_local_release(struct store_local *local, const struct uuid *tenant, const struct uuid *import) MUST_CHECK;
/* Whether the entry is one that store_local_recover looks at. */
bool store_local_is_left(const struct store_local *local, const struct store_unfinished *entry);
/* Whether the import has an outcome row. 0 or why that can't be read. */
int store_local_has_outcomes(struct store_local *local, struct store_kv_view *rows, const struct uuid *tenant,
                             const struct uuid *import, bool *has) MUST_CHECK;

/* Puts into the batch what erases all rows of one customer, if it is there and of this import. commit_lock and
 * secret_lock are held until it is written. */
int store_sweep_customer(struct store_local *local, struct store_kv_batch *batch, const struct uuid *tenant,
                         const struct uuid *import, const struct uuid *id) MUST_CHECK;

/* The operations; arguments as in store.h. */
int store_local_commit(struct store *store, struct store_chunk *const *chunks, size_t count) MUST_CHECK;
int store_local_customer_get(struct store *store, const struct uuid *tenant, const struct uuid *id,
                             struct buf *record) MUST_CHECK;
int store_local_customer_list(struct store *store, const struct uuid *tenant, const struct uuid *after, size_t limit,
                              store_record_fn *each, void *context) MUST_CHECK;
int store_local_customer_find(struct store *store, const struct uuid *tenant, const struct record_key *key,
                              const struct uuid *after, size_t limit, store_record_fn *each, void *context) MUST_CHECK;
int store_local_import_get(struct store *store, const struct uuid *tenant, const struct uuid *id,
                           struct store_import *import, struct buf *envelope) MUST_CHECK;
int store_local_import_list(struct store *store, const struct uuid *tenant, const struct uuid *before, size_t limit,
                            store_import_fn *each, void *context) MUST_CHECK;
int store_local_import_outcomes(struct store *store, const struct uuid *tenant, const struct uuid *import,
                                uint32_t chunk, uint8_t chain[CRYPTO_MAC_BYTES], struct buf *outcomes) MUST_CHECK;
int store_local_import_faults(struct store *store, const struct uuid *tenant, const struct uuid *import,
                              uint32_t *chunk, struct buf *faults) MUST_CHECK;
int store_local_import_undo(struct store *store, const struct uuid *tenant, const struct uuid *import, int64_t now_ms,
                            struct uuid *changed, size_t room, size_t *count) MUST_CHECK;
int store_local_request_get(struct store *store, const struct uuid *tenant, const uint8_t mac[CRYPTO_MAC_BYTES],
                            struct store_request *request) MUST_CHECK;
int store_local_secrets_get(struct store *store, const struct uuid *tenant, const struct uuid *id, struct uuid *owner,
                            struct buf *row) MUST_CHECK;
int store_local_secrets_replace(struct store *store, const struct uuid *tenant, const struct uuid *id, struct slice old,
                                struct slice row, bool pending) MUST_CHECK;
int store_local_secrets_next_pending(struct store *store, struct uuid *tenant, struct uuid *id) MUST_CHECK;
int store_local_meta_get(struct store *store, struct slice key, struct buf *value) MUST_CHECK;
int store_local_meta_put(struct store *store, struct slice key, struct slice value) MUST_CHECK;
int store_local_meta_add(struct store *store, struct slice key, struct slice value) MUST_CHECK;
/* Over rows that others share, the stamp's row is changed in the same write. */
int store_local_meta_replace(struct store *store, struct slice key, struct slice old, struct slice value) MUST_CHECK;
extern const struct slice store_stamp_key;
/* The stamp as its row has it; 0 when nothing was ever replaced. */
int store_local_meta_stamp(struct store_local *local, uint64_t *stamp) MUST_CHECK;
int store_local_meta_delete(struct store *store, struct slice key) MUST_CHECK;
int store_local_meta_list(struct store *store, struct slice prefix, store_meta_fn *each, void *context) MUST_CHECK;
int store_local_sweep(struct store *store, size_t limit, bool *left) MUST_CHECK;
int store_local_resume(struct store *store) MUST_CHECK;
int store_local_run_open(struct store *store, const struct uuid *tenant, const struct uuid *import,
                         struct store_run **out) MUST_CHECK;
int store_local_run_add(struct store_run *of, struct store_chunk *chunk) MUST_CHECK;
struct store_ahead *store_local_look_ahead(struct store *store, struct store_chunk *chunk, struct arena *arena,
                                           void (*pause)(void *context), void *context);
size_t store_local_run_bytes(const struct store_run *of);
size_t store_local_run_count(const struct store_run *of);
int store_local_run_finish(struct store_run **of) MUST_CHECK;
void store_local_run_cancel(struct store_run **of);
int store_local_expire(struct store *store, const struct store_expiry *expiry, bool *left) MUST_CHECK;
int store_local_verify(struct store *store, store_open_fn *open, store_problem_fn *problem, void *context,
                       struct store_verify_counts *counts) MUST_CHECK;

#endif
