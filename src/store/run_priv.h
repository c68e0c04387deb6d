/*
 * The bulk lane of the local store: runs, from open to finish (run.c), what they write (run_write.c), and what
 * a crash left of one (run_recover.c).
 *
 * A run's row in the family `run` is its intent: it is written before the first of its files is taken in, and
 * goes with the batch that makes the run count. Key: tenant 16, import 16. Value: id 16 of the first and id 16
 * of the last customer that the run created. As long as it is there, rows between these ids that are of this
 * import and that no outcome names count for nothing.
 */
#ifndef STORE_RUN_PRIV_H
#define STORE_RUN_PRIV_H

#include "store/group_priv.h"
#include "store/held_priv.h"

#define STORE_RUN_PLAIN_BYTES (STORE_PLAIN_BYTES - STORE_TENANT_BYTES)

/* Families whose rows come in order of key, since a customer's id is greater than the one before. */
enum store_lane_place { STORE_LANE_BODY, STORE_LANE_SECRET, STORE_LANE_PENDING, STORE_LANE_COUNT };

struct store_lane {
    enum store_family family;
    struct store_kv_file *files[64]; /* the last one is being written */
    size_t count;
    uint64_t bytes; /* in the last one */
};

/* A row of a lane that is decided and not yet written. */
struct store_lane_row {
    enum store_lane_place place;
    struct slice key;
    struct slice value;
};

struct store_local_run {
    struct store_run run;
    struct store_local *local;
    struct uuid tenant;
    struct uuid import;
    size_t count;      /* customers that it was given */
    int error;         /* the first failure: the run can only be dropped */
    struct uuid first; /* customers that it creates */
    struct uuid last;
    size_t created;
    struct arena *arena; /* of the chunk that is being added */
    struct store_lane_row *rows;
    size_t row_count;
    struct store_lane lanes[STORE_LANE_COUNT];
    struct buf plain;             /* index entries without the tenant, one behind the other */
    struct store_kv_batch *batch; /* what makes it count */
    size_t batch_bytes;
    /* Under commit_lock: other commits look at it. */
    struct store_held held;
    struct store_local_run *next;
};

/* ---- run.c ---- */

/* For decide.c: keys that open runs hold are held. */
void store_runs_look_up(struct store_group *group);
/* Whether the import has an open run. The commit lock is held. */
bool store_runs_has(const struct store_local *local, const struct uuid *tenant, const struct uuid *import);

/* ---- run_write.c ---- */

/* Writes the rows of the chunk that was decided. A failure is the run's. */
int store_run_write_rows(struct store_local_run *run) MUST_CHECK;
/* Seals what is written, writes and takes in everything but the batch. *began: some of it may be in. */
int store_run_take_in(struct store_local_run *run, bool *began) MUST_CHECK;
void store_run_drop_files(struct store_local_run *run);
struct slice store_run_intent_key(uint8_t *key, const struct store_local_run *run);

/* ---- run_recover.c; commit_lock and secret_lock are held, or nobody else has the store ---- */

/* Erases what runs left that never came to count. */
int store_runs_recover(struct store_local *local) MUST_CHECK;
/* The same for one import. */
int store_runs_recover_one(struct store_local *local, const struct uuid *tenant, const struct uuid *import) MUST_CHECK;

#endif
