/*
 * The PostgreSQL kind of store: many servers (nodes), one database. What is decided is decided by the same code as in
 * the local kinds, over kv_postgres.c; here is what stands around it. A few lanes, each a connection with a local store
 * over it, so that several operations go on at a time. Each operation takes a lane, begins a transaction, makes the set
 * of unfinished imports from its snapshot, runs, writes, commits.
 *
 * U2 of local.c (set and rows are of one instant) holds by the snapshot. Locks of the local store don't reach other
 * lanes and nodes; what they did is done by the database. A transaction sees a snapshot (REPEATABLE READ). A row that
 * it writes and that was written since is refused, whether it was changed, erased or made (kv_postgres.c writes rows
 * such that this is so): then everything is decided again. That settles whatever is decided by a row which is written
 * too: two that want one unique key or one idempotency key, a chunk kept twice, a key that the sweep frees and
 * another takes, secrets that are replaced twice, or replaced and swept. What remains is what is read and relied on but
 * not written (write skew). One by one:
 *
 *   W1  A chunk is kept while its import is ended elsewhere (aborted by request, given up by expiry or as a dead
 *       node's, committed). All of them change the import's mark; so the chunk locks it. A chunk that begins an
 *       import writes its row, which is refused when it was made meanwhile.
 *   W2  A chunk updates a customer while the customer's import is undone. The undo looks for marks of changes, the
 * chunk makes one and looks for the undo. The chunk locks the import's row together with others; the undo locks it for
 *       itself before it looks, and each of its statements sees the newest rows (PG_LOCKED): a snapshot from before
 *       the wait would miss what it waited for. So either the undo sees the mark, or the chunk's lock is refused.
 *   W3  Customers are folded or swept while their import's state changes. The step locks the import's mark.
 *   W4  An update is decided on a customer that is folded meanwhile. Both orders give the same rows but for the
 *       revision's number, of which only the order counts; entries of keys that one wants and the other erases are
 *       written by both, one of them fails.
 *   W5  Expiry gives an import up that somebody goes on with: whoever goes on moves the mark's time, which expiry
 *       looked at: both write the mark. One that another living node owns is left alone.
 *   W6  A secret is replaced while an update of its customer is committed: as if it had been replaced before.
 *   W7  EXISTING, BUSY, CONFLICT and SKIPPED are told of what another transaction is about to change: as if they had
 *       been told before it, and nothing that was written rests on them.
 *   W8  Rows of the house are added or replaced in one transaction with the look at what was there before: of several
 *       one succeeds, and the others see its row when they decide again. What is merely put, the later one counts.
 *
 *   W9  Unique keys, import rows and chunks kept before are mostly not even looked for (postgres_commit.c): their rows
 *       are written such that one that is there refuses them, and then they are looked for.
 *
 * Engines whose locks are not known to hold against their snapshots (CockroachDB, YugabyteDB) run SERIALIZABLE.
 *
 * Failures: others in the way: done again, a bounded number of times. The connection is gone before COMMIT was sent:
 * nothing happened; done again on a new one, until the operation's patience ends. COMMIT was sent: settled first
 * (postgres_settle.c), and what can't be settled is ERR_OUTCOME_UNKNOWN, never done again. So the caller's chunks and
 * rows must be as they came before each try, and an operation that has told a callback something is not done again.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "store/postgres_priv.h"

#define LANES          8u
#define PATIENCE_MS    20000u
#define MILLISECOND_NS 1000000

static const struct uuid house; /* the tenant of rows that are no tenant's */

/* ---- upkeep: by one node at a time ---- */

enum { WORK_NONE, WORK_SWEEP = 1, WORK_RECOVER = 2 };

static int do_look(struct store *store, struct store_pg_call *call)
{
    const struct store_local *local = store_local_of(store);
    size_t found = WORK_NONE;
    for (size_t i = 0; i < local->unfinished->count; i++) {
        const struct store_unfinished *entry = &local->unfinished->entries[i];
        found |= entry->state != IMPORT_OPEN ? WORK_SWEEP : 0u;
        found |= store_local_is_left(local, entry) ? WORK_RECOVER : 0u;
    }
    *call->count = found;
    return 0;
}

static int do_recover(struct store *store, struct store_pg_call *call)
{
    struct store_local *local = store_local_of(store);
    if (local->running && !store_pg_is_steady(call->context)) {
        return 0; /* asked behind the snapshot, which this try has anew */
    }
    struct store_kv_view *rows = store_kv_view_open(local->kv);
    int err = store_local_recover(local, rows);
    store_kv_view_close(local->kv, &rows);
    store_kv_batch_clear(local->kv, local->batch);
    return err;
}

/* The first transaction of a start, so that half a copy is not even recovered. */
static int do_start(struct store *store, struct store_pg_call *call)
{
    buf_clear(call->out);
    int err = store_local_check_format(store_local_of(store), call->out);
    return err == 0 ? do_recover(store, call) : err;
}

static int do_sweep(struct store *local, struct store_pg_call *call)
{
    int err = store_local_sweep(local, call->limit, call->left);
    return err;
}

static int sweep(struct store_postgres *postgres, size_t limit, bool *left)
{
    size_t work = WORK_NONE;
    struct store_pg_call look = {.work = do_look, .access = PG_READ, .count = &work};
    struct store_pg_call recover = {.work = do_recover, .access = PG_WRITE, .context = postgres};
    struct store_pg_call swept = {.work = do_sweep, .access = PG_WRITE, .limit = limit, .left = left};
    *left = false;
    int err = store_pg_perform_upkeep(postgres, &look);
    work &= store_pg_is_steady(postgres) ? ~(size_t)WORK_NONE : WORK_SWEEP;
    if (err != 0 || work == WORK_NONE || !store_pg_lease(postgres, postgres->upkeep, "upkeep")) {
        return err;
    }
    if ((work & WORK_RECOVER) != 0) {
        err = store_pg_perform_upkeep(postgres, &recover);
    }
    return err == 0 ? store_pg_perform_upkeep(postgres, &swept) : err;
}

int store_pg_sweep(struct store *store, size_t limit, bool *left)
{
    struct store_postgres *postgres = store_postgres_of(store);
    pthread_mutex_lock(&postgres->upkeep_lock);
    int err = sweep(postgres, limit, left);
    pthread_mutex_unlock(&postgres->upkeep_lock);
    return err;
}

static int do_expire(struct store *local, struct store_pg_call *call)
{
    return store_local_expire(local, call->expiry, call->left);
}

static int do_nothing(struct store *local, struct store_pg_call *call)
{
    (void)local;
    (void)call;
    return 0;
}

int store_pg_expire(struct store *store, const struct store_expiry *expiry, bool *left)
{
    struct store_postgres *postgres = store_postgres_of(store);
    struct store_pg_call connect = {.work = do_nothing, .access = PG_READ, .tenant = &house};
    struct store_pg_call call = {.work = do_expire, .access = PG_WRITE, .expiry = expiry, .left = left};
    *left = false;
    pthread_mutex_lock(&postgres->upkeep_lock);
    int err = store_pg_perform_upkeep(postgres, &connect);
    /* Open imports alone are each server's own to end. */
    if (err == 0 && (expiry->limit == 0 || store_pg_lease(postgres, postgres->upkeep, "upkeep"))) {
        err = store_pg_perform_upkeep(postgres, &call);
    }
    pthread_mutex_unlock(&postgres->upkeep_lock);
    return err;
}

static int do_verify(struct store *local, struct store_pg_call *call)
{
    call->told = true;
    return store_local_verify(local, call->open, call->problem, call->context, call->counts);
}

/* A long transaction, unlike all others: verify is for a database that has the time. */
int store_pg_verify(struct store *store, store_open_fn *open, store_problem_fn *problem, void *context,
                    struct store_verify_counts *counts)
{
    struct store_pg_call call = {
        .work = do_verify, .access = PG_READ, .open = open, .problem = problem, .context = context, .counts = counts};
    return store_pg_perform_within(store_postgres_of(store), &call, INT64_MAX);
}

/* ---- the bulk lane: every chunk is a commit ---- */

struct pg_run {
    struct store_run run;
    struct uuid tenant;
    struct uuid import;
    int error;
};

static struct pg_run *run_of(struct store_run *run)
{
    return (struct pg_run *)(void *)run;
}

static int do_run_open(struct store *local, struct store_pg_call *call)
{
    const struct store_unfinished *entry =
        store_unfinished_find(store_local_of(local)->unfinished, call->tenant, call->id);
    return entry != NULL && entry->state == IMPORT_OPEN ? 0 : ERR_IMPORT_ENDED;
}

int store_pg_run_open(struct store *store, const struct uuid *tenant, const struct uuid *import, struct store_run **out)
{
    struct store_pg_call call = {.work = do_run_open, .access = PG_READ, .tenant = tenant, .id = import};
    *out = NULL;
    int err = store_pg_perform(store, &call);
    struct pg_run *opened = err == 0 ? calloc(1, sizeof *opened) : NULL;
    if (opened == NULL) {
        return err == 0 ? ERR_NO_MEMORY : err;
    }
    *opened = (struct pg_run){.run = {.store = store}, .tenant = *tenant, .import = *import};
    *out = &opened->run;
    return 0;
}

int store_pg_run_add(struct store_run *of, struct store_chunk *chunk)
{
    struct pg_run *opened = run_of(of);
    assert(uuid_equal(&opened->tenant, &chunk->tenant) && uuid_equal(&opened->import, &chunk->import));
    int err = opened->error != 0 ? opened->error : store_pg_commit_chunks(of->store, &chunk, 1);
    opened->error = err;
    return err;
}

size_t store_pg_run_bytes(const struct store_run *of)
{
    (void)of;
    return 0;
}

/* It holds nothing. */
size_t store_pg_run_count(const struct store_run *of)
{
    (void)of;
    return 0;
}

int store_pg_run_finish(struct store_run **of)
{
    int err = run_of(*of)->error;
    free(run_of(*of));
    *of = NULL;
    return err;
}

void store_pg_run_cancel(struct store_run **of)
{
    free(run_of(*of));
    *of = NULL;
}

/* ---- opening and closing ---- */

void store_pg_facts(struct store *store, struct store_facts *facts)
{
    struct store_postgres *postgres = store_postgres_of(store);
    (void)snprintf(facts->kind, sizeof facts->kind, "postgresql");
    (void)snprintf(facts->engine, sizeof facts->engine, "%s %s", postgres->engine.name, postgres->engine.version);
    facts->schema = postgres->engine.schema;
    facts->groups = (unsigned)(postgres->most / 2 == 0 ? 1 : postgres->most / 2);
    pthread_mutex_lock(&postgres->lock);
    (void)snprintf(facts->durability, sizeof facts->durability, "%s",
                   postgres->unsafe ? "none: answers come before the sync" : postgres->engine.durability);
    pthread_mutex_unlock(&postgres->lock);
}

void store_pg_close(struct store *store)
{
    struct store_postgres *postgres = store_postgres_of(store);
    store_pg_node_stop(postgres);
    while (postgres->idle != NULL) {
        struct store_pg_lane *lane = postgres->idle;
        postgres->idle = lane->next;
        store_pg_lane_free(&lane);
    }
    while (postgres->releases != NULL) {
        struct store_pg_release *release = postgres->releases;
        postgres->releases = release->next;
        free(release);
    }
    store_pg_lane_free(&postgres->upkeep);
    free(postgres->doubts);
    pthread_cond_destroy(&postgres->given);
    pthread_cond_destroy(&postgres->wake);
    pthread_mutex_destroy(&postgres->lock);
    pthread_mutex_destroy(&postgres->upkeep_lock);
    pthread_mutex_destroy(&postgres->stamp_lock);
    if (postgres->conninfo != NULL) {
        crypto_wipe(postgres->conninfo, strlen(postgres->conninfo));
        free(postgres->conninfo);
    }
    free(postgres);
}

static void init(struct store_postgres *postgres, const struct store_options *options)
{
    static const struct store_options standard;
    const struct store_options *given = options == NULL ? &standard : options;
    pthread_condattr_t attributes;
    postgres->store.ops = &store_pg_ops;
    postgres->unsafe = given->unsafe_no_sync;
    postgres->most = given->connections == 0 ? LANES : given->connections;
    postgres->patience_ns = (int64_t)(given->patience_ms == 0 ? PATIENCE_MS : given->patience_ms) * MILLISECOND_NS;
    postgres->node = given->node;
    if (uuid_is_zero(&given->node)) {
        crypto_random(postgres->node.bytes, UUID_BYTES);
    }
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&postgres->lock, NULL);
    pthread_mutex_init(&postgres->upkeep_lock, NULL);
    pthread_mutex_init(&postgres->stamp_lock, NULL);
    pthread_cond_init(&postgres->given, &attributes);
    pthread_cond_init(&postgres->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* What the engine is, and its tables. */
static int prepare(struct store_postgres *postgres, struct buf *why)
{
    struct store_link link = {.deadline_ns = store_pg_deadline(postgres)};
    int err = store_link_open(&link, postgres->conninfo, why);
    if (err != 0) {
        return err;
    }
    store_pg_look(&link, &postgres->engine);
    err = link.trouble == TROUBLE_NONE ? store_pg_migrate(&link, &postgres->engine, why) : link.error;
    store_link_close(&link);
    return err;
}

/* S6. The node's own imports alone; those of others once it is steady. */
static int start(struct store_postgres *postgres, struct buf *why)
{
    struct store_pg_call first = {.work = do_start, .access = PG_WRITE, .out = why};
    int err = prepare(postgres, why);
    if (err == 0) {
        postgres->upkeep = store_pg_lane_new(postgres);
        err = postgres->upkeep == NULL ? ERR_NO_MEMORY : store_pg_node_start(postgres, why);
    }
    if (err == 0) {
        postgres->upkeep->local->running = false;
        err = store_pg_perform_upkeep(postgres, &first);
        postgres->upkeep->local->running = true;
    }
    if (err == 0) {
        log_info(NULL, "database", "\"engine\":\"%s %s\",\"durability\":\"%s\",\"schema\":%u", postgres->engine.name,
                 postgres->engine.version, postgres->engine.durability, postgres->engine.schema);
    }
    return err;
}

int store_open_postgres(const char *conninfo, const struct store_options *options, struct store **store,
                        struct buf *why)
{
    struct store_postgres *postgres = calloc(1, sizeof *postgres);
    *store = NULL;
    if (postgres == NULL) {
        return ERR_NO_MEMORY;
    }
    init(postgres, options);
    postgres->conninfo = strdup(conninfo);
    postgres->doubts = store_pg_doubts_new();
    int err = postgres->conninfo == NULL || postgres->doubts == NULL ? ERR_NO_MEMORY : start(postgres, why);
    if (err != 0) {
        if (why->size == 0) {
            buf_append_text(why, err_text(err));
        }
        store_pg_close(&postgres->store);
        return err;
    }
    *store = &postgres->store;
    return 0;
}
