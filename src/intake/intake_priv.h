/*
 * The insides of the intake room: a chunk, an import, the machinery, and who may touch what.
 *
 * A chunk has one owner at a time and needs no lock: the HTTP thread fills it, a worker checks and
 * seals it, then it stands in its import's row of ready chunks until its turn (import lock), then
 * the keeper has it. An import's members are marked with who may touch them:
 *   H  its HTTP thread, until intake_end or release; afterwards the worker of the last chunk
 *   O  whoever holds the import's lock
 *   K  the keeper; the HTTP thread once `done` is true
 *   I  whoever holds the intake's lock
 */
#ifndef INTAKE_INTAKE_PRIV_H
#define INTAKE_INTAKE_PRIV_H

#include <pthread.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/queue.h"
#include "intake/intake.h"

struct chunk_item {
    size_t at; /* in text */
    size_t size;
    struct json_error begin; /* its place in the body */
};

struct intake_chunk {
    struct list link; /* in the pool */
    struct intake_import *import;
    uint32_t number; /* within the import, from 0 */
    bool last;
    uint64_t first_index;       /* its first item's index in the body */
    struct buf text;            /* the items, one behind the other, and JSON_PADDING bytes */
    struct buf items;           /* struct chunk_item */
    size_t charged_bytes;       /* of the intake's memory */
    struct uuid_maker id_maker; /* makes its customers' ids, set aside in the order of the body */

    /* check and seal */
    struct arena *arena;
    struct buf records; /* sealed records and secrets rows, one behind the other */
    struct uuid *ids;
    uint8_t *nonces;
    struct store_customer *customers;
    int error;
    struct json_error place;
    struct intake_fault *faults;
    size_t fault_count;
    uint64_t fault_total;
    uint64_t finding_total;
    struct store_finding_count finding_counts[STORE_FINDING_CODES];

    /* keep */
    struct store_chunk commit;
};

struct intake_import {
    struct intake *intake;
    struct intake_admission admission;
    struct intake_waker waker;
    struct uuid id;
    int64_t started_ms;

    struct json_splitter *splitter; /* H */
    struct intake_chunk *filling;   /* H */
    struct intake_chunk *spare;     /* H: taken before the full one is shipped */
    size_t item_bytes;              /* H: of the item that is arriving */
    uint32_t shipped;               /* H: chunks */
    uint64_t items;                 /* H */
    uint64_t bytes;                 /* H */
    bool ended;                     /* H */
    int split_error;                /* H: the rest of the body is thrown away */
    struct json_error split_place;  /* H */

    pthread_mutex_t lock;
    struct intake_chunk **ready; /* O: by number modulo ready_slots */
    size_t ready_slots;
    uint32_t next; /* O: number of the chunk whose turn it is */
    bool failed;   /* O: nothing more is kept; what was is aborted */
    int error;     /* O */
    struct json_error place;
    struct arena *fault_arena; /* O */
    struct intake_fault *faults;
    size_t fault_count;
    uint64_t fault_total;
    bool conflicts_only; /* O: every fault is a conflict with the store */
    uint64_t finding_total;

    struct store_import row;     /* O until the last chunk's turn, then K */
    struct store_import opening; /* K: its row while it is open, which workers don't touch */
    struct buf envelope;         /* sealed */
    bool opened;                 /* K: the store has its row */
    bool ending;                 /* K: its abort has been tried again */
    struct buf ids;              /* K: struct uuid, in item order */
    struct buf reply;
    size_t reply_sent;
    struct map *older; /* K: imports of customers that existed -> index of the first item that met one; NULL: none */

    size_t held;         /* I: chunks it has */
    size_t references;   /* I */
    bool resting;        /* I */
    bool done;           /* I */
    struct list waiting; /* I: link among the resting */
};

/* What a worker thread keeps between items. */
struct intake_worker {
    struct intake *intake;
    pthread_t thread;
    struct json_parser *parser;
    struct arena *arena; /* of one item */
    struct buf canonical;
    struct buf document;
    struct buf findings;
    struct buf card;
    struct buf normal;
};

struct intake {
    struct intake_options options;
    struct queue *work; /* chunks to check and seal; never full: see queue_capacity */
    struct queue *keep; /* chunks in order, to commit */
    struct intake_worker *workers;
    size_t worker_count;
    pthread_t keeper;
    bool keeping; /* the keeper was started */
    struct intake_hash_lane *hash_lane;

    pthread_mutex_t lock;
    pthread_cond_t idle; /* import_count came to 0 */
    struct list pool;    /* free chunks */
    size_t pool_bytes;
    size_t bytes; /* of chunks under way */
    size_t import_count;
    struct list resting; /* imports that wait to be woken */
    struct uuid_maker uuids;
    bool stopping;
};

/* ---- intake.c ---- */

/* Imports under way at a time, at most: each connection's, and as many that their clients have left. */
static inline size_t intake_import_limit(const struct intake_options *options)
{
    return 2 * options->imports + 1;
}

/* ---- chunk.c ---- */

/* A free chunk for the import, which is charged for it. NULL: not now (`force` false), or no memory. */
struct intake_chunk *chunk_take(struct intake_import *import, bool force);
/* Gives it back and wakes imports that rest. */
void chunk_release(struct intake_chunk *chunk);
/* Frees the pool, when nothing is under way any more. */
void chunk_pool_free(struct intake *intake);
static inline size_t chunk_count(const struct intake_chunk *chunk)
{
    return chunk->items.size / sizeof(struct chunk_item);
}
static inline const struct chunk_item *chunk_item_at(const struct intake_chunk *chunk, size_t index)
{
    return (const struct chunk_item *)(const void *)chunk->items.data + index;
}

/* ---- split.c ---- */

/* The body will not be completed: what was kept of it is aborted. */
void split_cut_off(struct intake_import *import);

/* ---- check.c, seal.c: a worker's part ---- */

/* Outside the machinery (measurements) a worker may be made by itself. */
int worker_init(struct intake_worker *worker);
void worker_fini(struct intake_worker *worker);
/* Checks and seals every item; the envelope too when the chunk is the last. */
void chunk_check(struct intake_worker *worker, struct intake_chunk *chunk);
/* Room for the chunk's records; ids and nonces. 0 or ERR_NO_MEMORY. */
int seal_prepare(struct intake_chunk *chunk);
/* Seals the item that has just been checked into chunk->records. */
int seal_item(struct intake_worker *worker, struct intake_chunk *chunk, size_t index, const struct json_doc *doc,
              const struct contract_result *result);
/* Makes slices of what were offsets, once the records no longer move. */
void seal_finish(struct intake_chunk *chunk);
/* Seals the envelope into the import's row. */
int seal_envelope(struct intake_worker *worker, struct intake_import *import, const struct json_doc *doc,
                  const struct contract_result *result);

/* ---- order.c ---- */

/* The worker is done with it: it takes its turn, and so do those that waited behind it. */
void order_chunk(struct intake_chunk *chunk);
/* Adds a fault to the import's list, texts copied. Import lock held. */
void import_add_fault(struct intake_import *import, const struct intake_fault *fault);

/* ---- keep.c ---- */
void *keeper_run(void *context);

/* ---- hash.c ---- */
struct intake_hash_lane *hash_lane_new(struct intake *intake);
void hash_lane_free(struct intake_hash_lane **lane);
/* There is something to hash. Any thread. */
void hash_lane_wake(struct intake_hash_lane *lane);

/* ---- import.c ---- */
void import_unref(struct intake_import *import);
/* Everything is decided: the answer may be composed. */
void import_done(struct intake_import *import);

#endif
