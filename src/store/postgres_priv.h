/*
 * Inside the PostgreSQL kind of store. From the ground up:
 *
 * - postgres_link.c: a connection: statements in a pipeline, results within a deadline, failures as one of few troubles
 * - postgres_write.c: changed rows as statements or COPY
 * - kv_postgres.c: the key-value interface, and the transaction that its calls stand in
 * - postgres_schema.c: tables, migrations, and what the engine is
 * - postgres_node.c: nodes, leases, and the thread that keeps this node's alive
 * - postgres_settle.c: a commit whose outcome is unknown
 * - postgres_perform.c: lanes, and an operation that is done again until it is done
 * - postgres_calls.c: the operations that read, and small ones
 * - postgres_commit.c: chunks, decided without a look first where they are mostly new
 * - postgres.c: the kind: upkeep, opening and closing
 * - postgres_alone.c: a database without servers, for copies
 * - postgres_status.c: one looked at from outside
 */
#ifndef STORE_POSTGRES_PRIV_H
#define STORE_POSTGRES_PRIV_H

#include <libpq-fe.h>
#include <pthread.h>

#include "store/kv_priv.h"
#include "store/local_priv.h"

/* ---- postgres_link.c ---- */

/* What went wrong on a link, once something did. */
enum store_trouble {
    TROUBLE_NONE,
    TROUBLE_AGAIN,  /* others were in the way: the transaction is gone, and may succeed when it is done again */
    TROUBLE_LOST,   /* the connection, or the server behind it: of use no more */
    TROUBLE_REFUSED /* the server says no, and will again: `error` has the code */
};

struct store_link {
    PGconn *conn;
    int64_t deadline_ns; /* monotonic: for everything that is waited for */
    enum store_trouble trouble;
    int error;
    char state[6];  /* SQLSTATE of the first failure; empty: none came */
    bool warned;    /* the server gave up waiting for a standby: committed here, perhaps not there */
    bool unknown;   /* the server itself says that it does not know what became of a COMMIT */
    size_t awaited; /* statements and syncs whose results were not taken yet */
};

/* Parameters of a statement, all binary. */
#define STORE_LINK_PARAMS 6
struct store_params {
    int count;
    Oid types[STORE_LINK_PARAMS];
    const char *values[STORE_LINK_PARAMS];
    int sizes[STORE_LINK_PARAMS];
};

enum { OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25, OID_BYTEAS = 1001, OID_UUID = 2950 };

void store_params_add(struct store_params *params, Oid type, struct slice value);

/* `conninfo` as libpq takes it. 0 with an open pipeline, or ERR_ with the reason, free of secrets, in *why (may be
 * NULL). `link->deadline_ns` is set. */
int store_link_open(struct store_link *link, const char *conninfo, struct buf *why) MUST_CHECK;
void store_link_close(struct store_link *link);
/* Queues a statement; after a trouble nothing. `params` NULL: none. */
void store_link_send(struct store_link *link, const char *sql, const struct store_params *params);
/* Ends what has to succeed together, and sends it. */
void store_link_sync(struct store_link *link);
/* The next statement's result, or NULL: trouble. The caller clears it. */
PGresult *store_link_take(struct store_link *link);
/* The same where only success counts. */
void store_link_expect(struct store_link *link);
/* Takes everything up to the end of what was synced. Trouble stays. */
void store_link_drain(struct store_link *link);
/* Rows into a table by COPY … BINARY: begin, then bytes, then end. */
void store_link_copy_begin(struct store_link *link, const char *sql);
void store_link_copy_put(struct store_link *link, struct slice bytes);
void store_link_copy_end(struct store_link *link);
/* Notes a trouble of the caller's own finding; the first one stays. */
void store_link_fail(struct store_link *link, enum store_trouble trouble, int error);

/* The bytes in a result's field. */
struct slice store_result_slice(const PGresult *result, int row, int column);

/* ---- postgres_write.c ---- */

/* A changed row; its key and value stand at `at`, one behind the other. */
struct store_pg_row {
    enum store_family family;
    bool erased;
    bool fresh;      /* must not be there: it was not looked for */
    uint32_t number; /* in the order in which they were changed */
    uint32_t key_size;
    uint32_t value_size;
    size_t at;
};

struct store_kv_batch {
    struct store_pg_row *rows;
    size_t count;
    size_t room;
    struct buf bytes; /* keys and values */
    int error;
};

#define STORE_PG_FAMILY(family) (1u << (family))

/* Makes the batch's changes: by COPY at once, then by statements into the link's pipeline. `fresh`: families whose
 * rows are taken to be new, which many of them come by COPY for. */
void store_pg_write(struct store_link *link, struct store_kv_batch *batch, uint32_t fresh);
/* Statements that lock the rows named: those that are `erased` for oneself, the others together with others. */
void store_pg_lock(struct store_link *link, struct store_kv_batch *locks);

/* ---- kv_postgres.c ---- */

/* The table of each family. */
extern const char *const store_pg_tables[STORE_FAMILY_COUNT];

/* The parts of a key: the tenant, zeros in families of the house, and the rest. */
void store_pg_split(enum store_family family, struct slice key, struct uuid *tenant, struct slice *rest);

enum store_pg_access {
    PG_SINGLE, /* one statement, outside a transaction */
    PG_READ,   /* one instant */
    PG_WRITE,
    PG_LOCKED /* writes, each statement at its own instant, behind a lock of one row */
};

struct store_pg_kv {
    struct store_kv kv;
    struct store_link link;
    enum store_pg_access access;
    bool begun;         /* the server has a transaction */
    uint32_t fresh;     /* see store_pg_write */
    bool wrote;         /* something was sent */
    bool committing;    /* COMMIT may have been sent */
    bool serializable;  /* the engine's snapshots are not known to hold for locks */
    char settings[768]; /* a SELECT that makes the transaction's settings */
    struct store_kv_batch *staged;
    struct store_kv_batch *locks;
    struct buf scratch;
    uint8_t lane[UUID_BYTES + 8]; /* names the connection among all of all nodes */
    uint8_t token[UUID_BYTES];    /* of the transaction: tells whether it was committed */
    struct uuid token_tenant;
};

int store_kv_postgres_new(struct store_kv **kv) MUST_CHECK;
static inline struct store_pg_kv *store_pg_kv_of(struct store_kv *kv)
{
    return (struct store_pg_kv *)(void *)kv;
}

/* Begins; with `tenant` NULL for all tenants. `locked`: the row that is locked first, for PG_LOCKED. */
struct store_pg_begin {
    enum store_pg_access access;
    const struct uuid *tenant;
    enum store_family family;
    struct slice locked;
    const struct uuid *node; /* whose imports are not foreign */
};
/* *set: the unfinished imports of the same instant (not with PG_SINGLE). Trouble is the link's. */
void store_pg_begin(struct store_pg_kv *pg, const struct store_pg_begin *begin, struct store_unfinished_set **set);
/* Writes what is staged, and commits. */
void store_pg_commit(struct store_pg_kv *pg);
/* Drops what is staged, and ends the transaction, if the connection still is of use. */
void store_pg_rollback(struct store_pg_kv *pg);

/* An array parameter of byte strings, appended piece by piece. */
void store_pg_array_begin(struct buf *array, size_t count);
void store_pg_array_add(struct buf *array, struct slice bytes);

/* ---- postgres_schema.c ---- */

struct store_pg_engine {
    char name[24]; /* PostgreSQL, Citus, YugabyteDB, CockroachDB */
    char version[48];
    char durability[160]; /* in words, for an operator */
    bool serializable;
    bool too_old;    /* to be trusted with what must be unique */
    unsigned schema; /* 0: none */
};

/* PostgreSQL itself, Citus included: with its settings and its way to be durable. */
bool store_pg_is_postgres(const struct store_pg_engine *engine);

#define STORE_PG_SCHEMA 1u /* that this program needs */

/* Looks what the server is. Trouble is the link's. */
void store_pg_look(struct store_link *link, struct store_pg_engine *engine);
/* Brings the tables up to STORE_PG_SCHEMA. 0, or the reason in *why: a newer one is ERR_CORRUPT. */
int store_pg_migrate(struct store_link *link, struct store_pg_engine *engine, struct buf *why) MUST_CHECK;

/* ---- postgres_status.c ---- */

/* How many servers are alive; the first `room` of them. Trouble is the link's. */
unsigned store_pg_nodes(struct store_link *link, struct store_status_node *nodes, size_t room);
/* store_status and store_migrate. */
int store_pg_status(const char *conninfo, struct store_status *status, struct buf *why) MUST_CHECK;
int store_pg_migrate_at(const char *conninfo, unsigned *from, unsigned *to, struct buf *why) MUST_CHECK;

/* ---- postgres_alone.c ---- */

/* The key-value interface to a database that no server has open; `create`: makes the tables. ERR_BUSY: one has;
 * ERR_NOT_FOUND: there is no store. Only what a copy needs: one view at a time, walks, single rows and batches. */
int store_kv_postgres_alone(const char *conninfo, bool create, struct store_kv **kv, struct buf *why) MUST_CHECK;
/* Whether still no server has it open: 0 or ERR_BUSY. */
int store_pg_check_alone(struct store_kv *kv, struct buf *why) MUST_CHECK;

/* ---- postgres.c ---- */

/* One connection with what stands over it. */
struct store_pg_lane {
    struct store_pg_kv *pg;
    struct store_local *local;
    struct store_pg_lane *next;
};

/* An import that could not be given back yet. */
struct store_pg_release {
    struct uuid tenant;
    struct uuid import;
    struct store_pg_release *next;
};

struct store_postgres {
    struct store store;
    char *conninfo;
    struct uuid node;
    bool unsafe;
    int64_t patience_ns;
    struct store_pg_doubts *doubts;
    struct store_pg_engine engine; /* its durability under `lock` */
    _Atomic int64_t away_ns;       /* monotonic: since when the database is away; 0: it is not */

    pthread_mutex_t lock;
    pthread_cond_t given;
    struct store_pg_lane *idle;
    size_t made;
    size_t most;
    struct store_pg_release *releases;

    pthread_mutex_t upkeep_lock;
    struct store_pg_lane *upkeep; /* its cursors live from call to call */
    int64_t lease_ns;             /* monotonic: until when upkeep is known to be this node's */

    pthread_mutex_t stamp_lock; /* of the two */
    uint64_t stamp;
    int64_t stamp_ns; /* monotonic: when it was asked for; 0: never */

    _Atomic int64_t renewed_ns; /* monotonic: when the node was last known to count as alive, */
    _Atomic int64_t steady_ns;  /* and since when without a gap */
    pthread_t keeper;
    pthread_t giver; /* does the releases */
    bool kept;       /* the thread runs */
    bool gives;
    bool closing;
    pthread_cond_t wake; /* closing, or a release */
};

/* Connects the lane anew. 0 or ERR_STORAGE_AWAY. */
int store_pg_connect(struct store_postgres *postgres, struct store_pg_kv *pg, int64_t deadline_ns,
                     struct buf *why) MUST_CHECK;
void store_pg_set_away(struct store_postgres *postgres, bool away);

/* ---- postgres_stamp.c ---- */

int store_pg_stamp(struct store *store, uint64_t *stamp) MUST_CHECK;
/* By the node's thread. Trouble is the link's. */
void store_pg_stamp_ask(struct store_postgres *postgres, struct store_link *link);

/* ---- postgres_perform.c ---- */

/* What each of its transactions sets; `idle`: how long the server waits for the client within one. */
void store_pg_settings(const struct store_pg_engine *engine, bool unsafe, const char *idle, struct store_pg_kv *pg);

/* A chunk as it was given: what a try changes of it is put back before the next one. */
struct store_pg_saved {
    struct store_import row;
    struct slice faults;
    struct buf copy; /* of faults that the caller may set again */
    bool forget;
};

/* Arguments and results of any operation; each uses what it needs. */
struct store_pg_call {
    int (*work)(struct store *local, struct store_pg_call *call);
    enum store_pg_access access;
    const struct uuid *tenant; /* the only one whose rows it looks at; NULL: of all */
    enum store_family family;  /* the row that PG_LOCKED locks */
    struct slice locked;
    uint32_t fresh;
    bool blind;                 /* nothing is looked for before it is written */
    bool told;                  /* something was told that can't be taken back */
    struct store_pg_lane *lane; /* that it is done on */

    const struct uuid *id;
    const struct uuid *after;
    size_t limit;
    struct buf *out;
    size_t out_size; /* before */
    store_record_fn *each_record;
    store_import_fn *each_import;
    store_meta_fn *each_meta;
    void *context;
    struct slice key;
    struct slice value;
    struct slice old;
    bool pending;
    bool *left;
    struct uuid *owner;
    struct uuid *customer;
    uint32_t *chunk;
    uint8_t *chain;
    const uint8_t *mac;
    const struct record_key *index;
    struct store_import *import;
    struct store_request *request;
    int64_t now_ms;
    size_t *count;
    const struct store_expiry *expiry;
    store_open_fn *open;
    store_problem_fn *problem;
    struct store_verify_counts *counts;
    struct store_chunk *const *chunks;
    bool looked; /* the last try was not blind, */
    bool found;  /* and found unique keys */
    struct store_pg_saved *saved;
};

static inline struct store_postgres *store_postgres_of(struct store *store)
{
    return (struct store_postgres *)(void *)store;
}

/* NULL: no memory. */
struct store_pg_lane *store_pg_lane_new(struct store_postgres *postgres);
void store_pg_lane_free(struct store_pg_lane **lane);
/* Monotonic: until when an operation that begins now may wait. */
int64_t store_pg_deadline(const struct store_postgres *postgres);
/* Does the call on a lane of the pool's, again when others are in the way or the connection is lost. What its work
 * returned, or why it did not come to a commit. */
int store_pg_perform(struct store *store, struct store_pg_call *call) MUST_CHECK;
/* The same with an own deadline. */
int store_pg_perform_within(struct store_postgres *postgres, struct store_pg_call *call,
                            int64_t deadline_ns) MUST_CHECK;
/* The same on the lane for upkeep, whose lock is held. */
int store_pg_perform_upkeep(struct store_postgres *postgres, struct store_pg_call *call) MUST_CHECK;
/* Puts chunks and buffers back as they were given. */
void store_pg_restore(struct store_pg_call *call);
int store_pg_health(struct store *store);

/* ---- postgres_calls.c: reading, secrets, rows of the house; the table of operations ---- */

extern const struct store_ops store_pg_ops;
/* store_import_release, now or, soon, not. */
int store_pg_release_now(struct store *store, const struct uuid *tenant, const struct uuid *import) MUST_CHECK;

/* ---- postgres_commit.c ---- */

struct store_pg_doubts;
/* NULL: no memory. */
struct store_pg_doubts *store_pg_doubts_new(void);
int store_pg_commit_chunks(struct store *store, struct store_chunk *const *chunks, size_t count) MUST_CHECK;

/* ---- postgres.c: the others ---- */

int store_pg_sweep(struct store *store, size_t limit, bool *left) MUST_CHECK;
int store_pg_expire(struct store *store, const struct store_expiry *expiry, bool *left) MUST_CHECK;
int store_pg_verify(struct store *store, store_open_fn *open, store_problem_fn *problem, void *context,
                    struct store_verify_counts *counts) MUST_CHECK;
int store_pg_run_open(struct store *store, const struct uuid *tenant, const struct uuid *import,
                      struct store_run **out) MUST_CHECK;
int store_pg_run_add(struct store_run *of, struct store_chunk *chunk) MUST_CHECK;
size_t store_pg_run_bytes(const struct store_run *of);
size_t store_pg_run_count(const struct store_run *of);
int store_pg_run_finish(struct store_run **of) MUST_CHECK;
void store_pg_run_cancel(struct store_run **of);
void store_pg_facts(struct store *store, struct store_facts *facts);
void store_pg_close(struct store *store);

/* ---- postgres_settle.c ---- */

enum store_settled { SETTLED_COMMITTED, SETTLED_NOT, SETTLED_UNKNOWN };
/* What became of the kv's last transaction, told within the deadline on a new connection if need be. COMMITTED also
 * means: on stable storage, standbys that are waited for included. NOT: it never will be. */
enum store_settled store_pg_settle(struct store_postgres *postgres, struct store_pg_kv *pg, int64_t deadline_ns);

/* ---- postgres_node.c ---- */

/* Lets the node be known as alive, and begins to keep it so. */
int store_pg_node_start(struct store_postgres *postgres, struct buf *why) MUST_CHECK;
/* Whether the nodes that seem to be dead are: the others have had the time to renew. */
bool store_pg_is_steady(struct store_postgres *postgres);
/* Its imports are free for others. */
void store_pg_node_stop(struct store_postgres *postgres);
/* store_import_release: by a thread for it. */
void store_pg_release(struct store *store, const struct uuid *tenant, const struct uuid *import);
/* Whether a job that one node at a time does is this one's, over the lane's connection. */
bool store_pg_lease(struct store_postgres *postgres, struct store_pg_lane *lane, const char *name);
/* Within a PG_WRITE: store_secrets_next_pending, past customers that other nodes work on. */
int store_pg_next_pending(struct store_local *local, struct uuid *tenant, struct uuid *id) MUST_CHECK;

#endif
