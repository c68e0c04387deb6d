/*
 * The insides of the intake room: a chunk, an import, the machinery, and who may touch what.
 *
 * A chunk has one owner at a time and needs no lock: the HTTP thread fills it, a worker checks and
 * seals it, then it stands in its import's row of ready chunks until its turn (import lock), then
 * the keeper has it, or the bulk lane and at last the keeper. An import's members are marked with who
 * may touch them:
 *   H  its HTTP thread, until intake_end or release; afterwards the worker of the last chunk
 *   O  whoever holds the import's lock
 *   K  who commits the chunk whose turn it was (keeper or lane, one at a time); the HTTP thread once
 *      `done` is true
 *   I  whoever holds the intake's lock
 *   -  set before the first chunk is shipped, only read afterwards
 */
#ifndef INTAKE_INTAKE_PRIV_H
#define INTAKE_INTAKE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/fair.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "csv/csv.h"
#include "intake/intake.h"
#include "unpack/unpack.h"

/* Chunks from this number on go through the bulk lane; those before it, and the last, to the keeper. */
#define LANE_FROM 4u
/* Refused items that the report of an atomic import holds, at most; a partial one's holds all. */
#define LIMIT_REPORTED_ITEMS 100000u

struct chunk_item {
    size_t at; /* in text */
    size_t size;
    struct json_error begin; /* its place in the body */
};

/* ---- quota.c: what tenants may send; any thread ---- */

struct quota;

/* What one import has taken of its tenant's quotas. All zeros: nothing, and nothing to end. */
struct quota_use {
    struct list link; /* among the tenant's uses under way */
    struct quota_tenant *tenant;
    struct quota_day *day; /* in which the import began */
    struct auth_limits limits;
    struct uuid import;
    uint64_t items;
    uint64_t bytes;
    unsigned retry_after_s; /* of the last ERR_QUOTA */
};

/* NULL: no memory. */
struct quota *quota_new(struct store *store, struct auth *auth);
/* No use is under way any more. */
void quota_free(struct quota **quota);
/* An import begins. Refuses what can be known before its body: `body_bytes` is the body's size, unpacked, 0 when
 * that is not known. 0, ERR_TOO_LARGE, ERR_QUOTA with retry_after_s set, or an error of the store's; the use must
 * not be ended then. */
int quota_begin(struct quota *quota, const struct auth_tenant *tenant, const struct uuid *import, uint64_t body_bytes,
                int64_t now_ms, struct quota_use *use) MUST_CHECK;
/* The import has so many items and bytes in all by now. 0, ERR_TOO_MANY_ITEMS, ERR_TOO_LARGE, or ERR_QUOTA. */
int quota_reach(struct quota_use *use, uint64_t items, uint64_t bytes, int64_t now_ms) MUST_CHECK;
/* The import has ended: what was kept counts for its day, anything else is given back. Once more is harmless. */
void quota_end(struct quota_use *use, bool kept);

struct intake_chunk {
    struct list link; /* in the pool */
    struct intake_import *import;
    uint32_t number; /* within the import, from 0 */
    bool last;
    bool shipped;               /* has a number */
    bool followed;              /* compared with what its key's import has, not checked */
    uint64_t first_index;       /* its first item's index in the body */
    struct buf text;            /* the items, one behind the other, and JSON_PADDING bytes */
    struct buf items;           /* struct chunk_item */
    size_t filled_bytes;        /* of the intake's memory, while it is being filled */
    size_t charged_bytes;       /* the same from when it is shipped */
    struct uuid_maker id_maker; /* makes its customers' ids, set aside in the order of the body */

    /* check and seal */
    struct arena *arena;
    struct buf records;        /* sealed records and secrets rows, one behind the other */
    struct store_ahead *ahead; /* who has its keys, of chunks for the bulk lane; or NULL */
    struct uuid *ids;
    uint8_t *nonces;
    struct store_customer *customers;
    int error;
    struct json_error place;
    struct intake_fault *faults; /* of the envelope; those of items are in the refusals */
    size_t fault_count;
    uint64_t fault_total; /* of items and envelope */
    uint64_t refused;     /* items */
    struct record_refusals refusals;
    struct buf refusals_row;    /* sealed */
    struct buf refusals_before; /* as they were when the chunk was first decided */
    bool decided;
    struct store_finding_count fault_counts[STORE_FAULT_CODES];
    uint64_t finding_total;
    struct store_finding_count finding_counts[STORE_FINDING_CODES];
    uint8_t chain[CRYPTO_MAC_BYTES]; /* of the chunk; from its turn on, of the body up to its end */

    /* keep */
    struct store_chunk commit;
};

/* How an import stands to the one that claimed its idempotency key. */
enum intake_follow {
    FOLLOW_NOTHING, /* it is the one */
    FOLLOW_KEPT,    /* it goes on with it: the first kept_chunks are compared, the rest is new */
    FOLLOW_ALL      /* that one has ended: the body is compared and its answer repeated */
};

/* What has become of an import's items so far. */
struct intake_counts {
    struct intake_progress progress;
    uint64_t faults;
    struct store_finding_count finding_counts[STORE_FINDING_CODES];
    struct store_finding_count fault_counts[STORE_FAULT_CODES];
};

/* Where the answer's body is. */
struct intake_reply {
    struct buf piece; /* composed and not yet read */
    size_t read;
    uint32_t chunk; /* the next one */
    uint64_t index; /* of its first item */
    bool begun;
    bool ended;
    bool first; /* no element has been written */
    bool bare;  /* the answer is an array, not an object that holds one */
    struct buf outcomes;
    struct buf refused_row;
    struct buf refused_plain;
};

struct intake_import {
    struct intake *intake;
    struct intake_track *track;        /* - */
    struct intake_admission admission; /* - */
    struct intake_waker waker;
    struct uuid id; /* - */
    int64_t started_ms;

    struct quota_use quota; /* H: what is reached; ended by import_done */

    struct json_splitter *splitter; /* H: of JSON */
    struct json_lines *lines;       /* H: of NDJSON */
    struct csv_splitter *csv;       /* H: of CSV */
    struct csv_header *header;      /* H until it is compiled, then - */
    struct buf header_row;          /* H until it is compiled, then - */
    struct buf why;                 /* H: a reason of refusal that is composed */
    struct unpack *unpack;          /* H: NULL when the body comes as it is */
    struct slice plain;             /* H: unpacked and not yet taken */
    struct spool *spool;            /* H, then the feed's: its body is taken in later; NULL: at once */
    bool accepted;                  /* the feed's, until `done`: its body is safe */
    struct intake_chunk *filling;   /* H */
    struct intake_chunk *spare;     /* H: taken before the full one is shipped */
    size_t item_bytes;              /* H: of the item that is arriving */
    uint32_t shipped;               /* H: chunks */
    uint64_t items;                 /* H */
    atomic_uint_fast64_t bytes;     /* written by H: of the body, unpacked */
    bool ended;                     /* H */
    int split_error;                /* H: the rest of the body is thrown away */
    struct json_error split_place;  /* H */
    atomic_bool aborting;           /* by request: the rest of the body is refused */

    enum intake_follow follow;    /* - */
    uint32_t kept_chunks;         /* - */
    struct store_request request; /* - of a keyed import */
    bool holds_key;               /* I: stands in the table of keys under way */
    bool watched;                 /* I: stands in the table of imports under way */

    pthread_mutex_t lock;
    struct intake_chunk **ready; /* O: by number modulo ready_slots */
    size_t ready_slots;
    uint32_t next; /* O: number of the chunk whose turn it is */
    bool failed;   /* O: nothing more is kept; what was is aborted */
    bool left;     /* O: ends without an end: what was kept waits for a retry with its key */
    bool parted;   /* O: left, and its last chunk is gone: nobody here ends it any more */
    bool closed;   /* O: how it ends is written down, and on its way to the store */
    bool stuck;    /* O: left, because a chunk could not be kept: those behind it must not be either */
    int error;     /* O */
    struct json_error place;
    struct arena *fault_arena; /* O; the HTTP thread once `done` is true */
    struct intake_fault *faults;
    size_t fault_count;
    bool reported;                   /* the items' faults have been read back into `faults` */
    struct intake_counts counts;     /* O */
    uint8_t chain[CRYPTO_MAC_BYTES]; /* O: of the body up to the last turn */

    struct store_import row;     /* K; project, type and envelope: the worker of the last chunk, before */
    struct store_import opening; /* K: its row while it is open, which workers don't touch */
    struct buf envelope;         /* sealed */
    bool opened;                 /* K: the store has its row */
    bool settled;                /* K: with its end */
    bool ending;                 /* K: its abort has been tried again */
    struct buf outcomes;         /* K: of the only chunk, as the store has them; else empty */
    struct map *older;           /* K: envelopes of customers that existed -> place in `met`; NULL: none */
    struct buf met;              /* K: for each the first item that met such a customer */
    struct uuid last_older;      /* K: the import whose envelope was noted last */
    struct store_run *run;       /* the lane's, as are the next three; it has a reference to the import */
    struct list running_lane;    /* link among imports with a run */
    bool run_pending;            /* some of the run's secrets wait for the hashing lane */
    int64_t run_ns;              /* when the run last took a chunk */
    struct intake_reply reply;   /* the HTTP thread's */

    size_t held;         /* I: chunks it has */
    size_t early;        /* I: chunks below LANE_FROM that are decided */
    size_t references;   /* I */
    bool resting;        /* I */
    bool done;           /* I */
    struct list waiting; /* I: link among the resting */
};

/* What a thread that reads items keeps between them. */
struct intake_worker {
    struct intake *intake;
    struct intake_worker *aside; /* checks small chunks in the middle of a large one; NULL: none */
    pthread_t thread;
    struct json_parser *parser;
    struct arena *arena; /* of one item */
    struct buf canonical;
    struct buf document;
    struct buf findings;
    struct buf card;
    struct buf normal;
    struct buf item; /* made of a CSV row, or without the members of a report */
    struct buf blank;
};

/* What commits an import's chunks, one after the other. A store that commits several groups at a time has several
 * tracks; an import stays on one. */
#define INTAKE_TRACKS 8u
struct intake_track {
    struct intake *intake;
    struct fair *keep; /* chunks in order, to commit */
    struct fair *lane; /* chunks in order, for the bulk lane */
    pthread_t keeper;
    struct intake_worker keeper_tools; /* to read refused items with */
    bool keeping;                      /* the keeper was started */
    pthread_t laner;
    struct intake_worker laner_tools;
    bool laning;
    struct finisher *finisher; /* the lane's */
    size_t imports;            /* that are on it; under the intake's lock */
};

struct intake {
    struct intake_options options;
    struct fair *work; /* chunks to check and seal; never full: see queue_capacity */
    struct intake_worker *workers;
    size_t worker_count;
    struct intake_track tracks[INTAKE_TRACKS];
    size_t track_count; /* those that were begun */
    struct intake_hash_lane *hash_lane;
    struct feed *feed; /* NULL: no bodies are taken in later */
    struct quota *quota;

    pthread_mutex_t lock;
    pthread_cond_t idle;  /* import_count came to 0 */
    pthread_cond_t early; /* an import's first chunks are decided */
    struct list pool;     /* free chunks */
    size_t pool_bytes;
    size_t bytes;  /* of chunks under way */
    size_t filled; /* of chunks that are being filled: as slowly as clients like, so no import waits for these */
    size_t import_count;
    struct list resting; /* imports that wait to be woken */
    struct map *running; /* tenant, import -> its struct intake_import */
    struct map *keys;    /* tenant, key -> the same; one request a key */
    struct uuid_maker uuids;
    bool stopping;
};

/* ---- intake.c ---- */

/* Imports under way at a time, at most: each connection's, and as many that their clients have left. */
static inline size_t intake_import_limit(const struct intake_options *options)
{
    return 2 * options->imports + 1;
}

/* ---- ask.c ---- */

/* What the request asks for besides being taken: form, preferences, key, query. 0, or the ERR_ to refuse with. */
int ask_read(const struct intake_headers *headers, struct intake_admission *admission, const char **what);

/* ---- chunk.c ---- */

/* Hands the chunk to who pops `queue`, in its tenant's turn. What is a whole import by itself passes the chunks
 * of larger ones; an import's chunks are all in one lane, so they stay in order. */
void chunk_push(struct fair *queue, struct intake_chunk *chunk);

/* A free chunk for the import, which is charged for it. NULL: not now (`force` false), or no memory. */
struct intake_chunk *chunk_take(struct intake_import *import, bool force);
/* Gives it back and wakes imports that rest. */
void chunk_release(struct intake_chunk *chunk);
/* Waits until the import's chunks below LANE_FROM are decided. */
void chunk_wait_early(struct intake_import *import);
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
static inline struct slice chunk_item_text(const struct intake_chunk *chunk, size_t index)
{
    const struct chunk_item *item = chunk_item_at(chunk, index);
    return slice_make(chunk->text.data + item->at, item->size);
}

/* ---- frame.c: items of a body in any form ---- */

int frame_init(struct intake_import *import);
void frame_fini(struct intake_import *import);
/* As json_splitter_next; the CSV header row is taken in on the way. */
enum json_split_event frame_next(struct intake_import *import, struct slice *piece, struct slice *bytes);
/* The place at which the current item begins. */
struct json_error frame_item(const struct intake_import *import);
/* Why frame_next or frame_end refused. */
int frame_error(const struct intake_import *import, struct json_error *place);
/* The body has ended. *open: an item without an end is whole. */
int frame_end(struct intake_import *import, bool *open);
/* The envelope's text; empty when the contract has none. */
struct slice frame_envelope(const struct intake_import *import);
/* A place in the envelope's text as a place in the body. */
struct json_error frame_envelope_place(const struct intake_import *import, const struct json_error *place);

/* ---- split.c ---- */

/* The body will not be completed: what was kept of it is aborted, or waits for a retry with its key. */
void split_cut_off(struct intake_import *import);

/* ---- check.c, seal.c, refuse.c: a worker's part ---- */

/* Outside the machinery (measurements) a worker may be made by itself. */
int worker_init(struct intake_worker *worker);
void worker_fini(struct intake_worker *worker);
/* Checks and seals every item; the envelope too when the chunk is the last. */
void chunk_check(struct intake_worker *worker, struct intake_chunk *chunk);
/* The item as JSON, with JSON_PADDING behind it, parsed. 0, or ERR_MALFORMED_JSON, ERR_MALFORMED_CSV or
 * ERR_ITEM_TOO_LARGE with the place in the body. */
int check_parse(struct intake_worker *worker, const struct intake_chunk *chunk, size_t index, struct json_doc *doc,
                struct json_error *place);
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
/* The item's faults go into the refusals, with its text as far as it can be shown; `doc` NULL: it can't be read. */
int refuse_item(struct intake_worker *worker, struct intake_chunk *chunk, size_t index, const struct json_doc *doc,
                const struct contract_fault *faults, size_t count);
/* Seals the chunk's refusals, when it has any. */
int refuse_finish(struct intake_chunk *chunk);
/* The store's conflicts join the refusals, in the order of the items. */
int refuse_conflicts(struct intake_worker *worker, struct intake_chunk *chunk);
/* The code and sentence under which a conflict is told. */
#define REFUSE_OTHER_CONTENT                                                                                           \
    SLICE("A customer with this external id exists and has other content; change the id or send the content that it "  \
          "has.")
int refuse_conflict_code(const struct store_outcome *outcome);
void counts_add(struct store_finding_count *counts, size_t room, const char *code, uint64_t count);
uint64_t counts_of(const struct store_finding_count *counts, size_t room, const char *code);

/* ---- order.c ---- */

/* The worker is done with it: it takes its turn, and so do those that waited behind it. */
void order_chunk(struct intake_chunk *chunk);
/* Adds a fault to the import's list, texts copied. Import lock held. */
void import_add_fault(struct intake_import *import, const struct intake_fault *fault);

/* ---- follow.c: idempotency keys ---- */

/* Finds out how the import stands to its key's. 0, ERR_KEY_IN_FLIGHT, ERR_KEY_REUSED, ERR_IMPORT_ENDED, or why the
 * store can't be read. */
int follow_begin(struct intake_import *import);
/* The import's request is over: its key may come again. */
void follow_end(struct intake_import *import);
/* Whether a chunk of that number is only compared. */
bool follow_skips(const struct intake_import *import, uint32_t number);
/* Digest of the chunk's items, and of the envelope with the last. */
int follow_digest(struct intake_worker *worker, struct intake_chunk *chunk);
/* A chunk's turn: its digest becomes that of the body up to it; a followed one is compared and counted. Import
 * lock held. */
int follow_turn(struct intake_import *import, struct intake_chunk *chunk);
/* Whether an ended import's answer is for good, and belongs to its key. Import lock held. */
bool follow_binds(const struct intake_import *import);

/* ---- track.c ---- */

/* As many as the store likes. 0 or ERR_NO_MEMORY; what was begun is ended either way. */
int tracks_start(struct intake *intake, size_t capacity);
/* No import is under way, and no worker runs. */
void tracks_stop(struct intake *intake);
/* The one with the fewest imports, which it counts. Intake lock held, as to leave it. */
struct intake_track *tracks_enter(struct intake *intake);
void tracks_leave(struct intake_track *track);

/* ---- keep.c, lane.c: a track's threads ---- */
void *keeper_run(void *context);
void *bulk_run(void *context);
/* What the store is told of the chunk. */
void keep_prepare(struct intake_chunk *chunk, struct intake_worker *tools);
/* Counts what has become of a chunk that was kept. */
void keep_note(struct intake_chunk *chunk);
/* Whether some of its customers' secrets wait for the hashing lane. */
bool keep_has_pending(const struct intake_chunk *chunk);
/* Nothing more of the import is kept. */
void keep_fail(struct intake_import *import, int error);
bool keep_has_failed(struct intake_import *import);
/* It failed, or is left because a chunk could not be kept: nothing behind that may be. */
bool keep_is_over(struct intake_import *import);
/* Conflicts of a chunk that was refused for them. */
void keep_note_conflicts(struct intake_chunk *chunk, struct intake_worker *tools);
/* Counts one outcome. Import lock held. */
void keep_count(struct intake_counts *counts, const struct store_outcome *outcome);
/* A customer existed already: the envelope that it came in is compared when this import's is known. */
int keep_note_older(struct intake_import *import, const struct store_outcome *outcome, uint64_t index);

/* ---- finish.c ---- */
struct finisher;
/* What the finisher does of an import, in this order. */
struct finish_job {
    struct intake_import *import;
    struct store_run *run;       /* to be finished; NULL: none */
    bool pending;                /* some of the run's secrets wait for the hashing lane */
    struct intake_chunk *behind; /* then goes to the keeper; NULL: none */
};
/* NULL: no memory. */
struct finisher *finisher_new(void);
/* Does what it was given before. */
void finisher_free(struct finisher **finisher);
/* Waits until it is idle, then leaves it the job with its run and chunk. */
void finisher_give(struct finisher *finisher, const struct finish_job *job);
/* Waits until it is idle. */
void finisher_wait(struct finisher *finisher);

/* ---- hash.c ---- */
struct intake_hash_lane *hash_lane_new(struct intake *intake);
void hash_lane_free(struct intake_hash_lane **lane);
/* There is something to hash of that tenant: customers with pending secrets have become visible. Any thread. */
void hash_lane_wake(struct intake_hash_lane *lane, const struct uuid *tenant);

/* ---- turns.c: the order of the hashing lane; one thread at a time ---- */
struct hash_turns;
struct hash_turns *hash_turns_new(void);
void hash_turns_free(struct hash_turns **turns);
/* The tenant has pending customers. */
void hash_turns_add(struct hash_turns *turns, const struct uuid *tenant);
/* The next customer to hash, of the tenant whose turn it is. 0, ERR_NOT_FOUND when none is pending, or a storage
 * error. `now_ms` by any clock that does not go back. */
int hash_turns_next(struct hash_turns *turns, struct store *store, int64_t now_ms, struct uuid *tenant,
                    struct uuid *id) MUST_CHECK;

/* ---- import.c ---- */
void import_ref(struct intake_import *import);
void import_unref(struct intake_import *import);
/* Everything is decided: the answer may be composed. */
void import_done(struct intake_import *import);

/* ---- watch.c: imports that others look at ---- */

/* It can be found from now on. 0 or ERR_NO_MEMORY. */
int import_show(struct intake_import *import);
/* It can't be found any more. Intake lock held. */
void import_hide(struct intake_import *import);

/* ---- answer.c, reply.c ---- */

/* One error for the whole request, from the counts of its faults; 0 without any. */
int answer_error_of_faults(const struct intake_counts *counts);
/* The members of a fault of an item, in an object that is open. */
void answer_put_fault(struct json_writer *writer, const struct record_fault *fault);
void reply_fini(struct intake_reply *reply);

#endif
