/*
 * The nodes that share a database. Each has a row with a time until which it counts as alive, by the database's clock
 * alone, and a thread that moves it on. What a node has open when its time is over is free for others: they abort it,
 * or go on with it when it can be gone on with. That is no guess that could be wrong: whoever does so changes the
 * import's mark, on which each commit of the old node relies too, so of the two one fails and decides again.
 *
 * When the database was away for long, the time of all nodes is over, though they live. So a node takes nothing from
 * others before it has itself been alive without a gap for as long as a node counts as alive: time for all to renew.
 *
 * Jobs that one node at a time should do have leases of the same kind. Two nodes that both believe to have one get in
 * each other's way, and no more: their transactions are decided by the rows.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "store/postgres_priv.h"

#define ALIVE_S     "15"
#define ALIVE_MS    15000
#define RENEW_MS    4000
#define GAP_MS      9000 /* less than the shortest absence of the database that lets a living node's time run out */
#define LOCK_S      "3"  /* less than RENEW_MS: whoever waits ends before it is given up */
#define STAMP_MS    250  /* between looks at the stamp */
#define CONNECT_MS  1000
#define LEASE_S     "30"
#define LEASE_NS    10000000000 /* it is not asked for again within */
#define LOOK_EVERY  15          /* renewals */
#define CLEAR_EVERY 900

/* In the transaction that there is. True when it changed a row. */
static bool change_one(struct store_link *link, const char *sql, const struct store_params *params)
{
    store_link_send(link, sql, params);
    store_link_sync(link);
    PGresult *result = store_link_take(link);
    bool changed = result != NULL && strcmp(PQcmdTuples(result), "1") == 0;
    PQclear(result);
    store_link_drain(link);
    return changed;
}

/* The same in a transaction of its own. Rows of nodes and leases promise nothing to a client: their commit waits for no
 * standby, and for no lock for long. Else, as long as a standby is away, each that is given up would leave a session
 * behind that waits, until the server takes no more. */
static bool change_soon(const struct store_postgres *postgres, struct store_link *link, const char *sql,
                        const struct store_params *params)
{
    store_link_send(link,
                    postgres->engine.serializable ? "BEGIN ISOLATION LEVEL SERIALIZABLE"
                                                  : "BEGIN ISOLATION LEVEL READ COMMITTED",
                    NULL);
    store_link_send(link,
                    store_pg_is_postgres(&postgres->engine) ? "SELECT set_config('lock_timeout', '" LOCK_S "s', true), "
                                                              "set_config('synchronous_commit', 'local', true)"
                                                            : "SELECT set_config('lock_timeout', '" LOCK_S "s', true)",
                    NULL);
    store_link_send(link, sql, params);
    store_link_send(link, "COMMIT", NULL);
    store_link_sync(link);
    store_link_expect(link);
    store_link_expect(link);
    PGresult *result = store_link_take(link);
    store_link_expect(link);
    bool changed = result != NULL && link->trouble == TROUBLE_NONE && strcmp(PQcmdTuples(result), "1") == 0;
    PQclear(result);
    store_link_drain(link);
    return changed;
}

/* By one thread at a time. The order matters to who looks meanwhile. */
static void note_renewal(struct store_postgres *postgres)
{
    int64_t now = clock_monotonic_ns();
    if (now - atomic_load(&postgres->renewed_ns) > (int64_t)GAP_MS * 1000000) {
        atomic_store(&postgres->steady_ns, now);
    }
    atomic_store(&postgres->renewed_ns, now);
}

bool store_pg_is_steady(struct store_postgres *postgres)
{
    int64_t now = clock_monotonic_ns();
    return now - atomic_load(&postgres->renewed_ns) <= (int64_t)GAP_MS * 1000000 &&
           now - atomic_load(&postgres->steady_ns) > (int64_t)ALIVE_MS * 1000000;
}

static bool renew(struct store_postgres *postgres, struct store_link *link)
{
    struct store_params params = {0};
    store_params_add(&params, OID_UUID, uuid_view(&postgres->node));
    bool renewed =
        change_soon(postgres, link,
                    "INSERT INTO muster_node AS t (id, until) VALUES ($1, now() + interval '" ALIVE_S " seconds') "
                    "ON CONFLICT (id) DO UPDATE SET until = excluded.until",
                    &params);
    if (renewed) {
        note_renewal(postgres);
    }
    return renewed;
}

/* What nodes that went without a word have left, long after anybody could ask for it. */
static void clear_away(struct store_postgres *postgres, struct store_link *link)
{
    (void)change_soon(postgres, link, "DELETE FROM muster_node WHERE until < now() - interval '1 day'", NULL);
    (void)change_soon(postgres, link,
                      "DELETE FROM muster_lane l WHERE NOT EXISTS (SELECT 1 FROM muster_node n WHERE "
                      "encode(substring(l.key FROM 1 FOR 16), 'hex') = replace(n.id::text, '-', ''))",
                      NULL);
}

static void look(struct store_postgres *postgres, struct store_link *link)
{
    struct store_pg_engine engine;
    store_pg_look(link, &engine);
    if (link->trouble != TROUBLE_NONE) {
        return;
    }
    pthread_mutex_lock(&postgres->lock);
    bool changed = strcmp(engine.durability, postgres->engine.durability) != 0;
    memcpy(postgres->engine.durability, engine.durability, sizeof engine.durability);
    pthread_mutex_unlock(&postgres->lock);
    if (changed) {
        log_warning(NULL, "durability changed", "\"durability\":\"%s\"", engine.durability);
    }
}

/* ---- the thread ---- */

static void add_release(struct store_postgres *postgres, struct store_pg_release *release)
{
    pthread_mutex_lock(&postgres->lock);
    release->next = postgres->releases;
    postgres->releases = release;
    pthread_cond_broadcast(&postgres->wake);
    pthread_mutex_unlock(&postgres->lock);
}

/* Who gives an import back does not wait for it: it has a request to answer. */
void store_pg_release(struct store *store, const struct uuid *tenant, const struct uuid *import)
{
    struct store_postgres *postgres = store_postgres_of(store);
    struct store_pg_release *release = calloc(1, sizeof *release);
    if (release == NULL) {
        return; /* it stays this node's until that ends */
    }
    *release = (struct store_pg_release){.tenant = *tenant, .import = *import};
    add_release(postgres, release);
}

static void set_until(struct timespec *until, long ms)
{
    clock_gettime(CLOCK_MONOTONIC, until);
    until->tv_nsec += ms % 1000 * 1000000L;
    until->tv_sec += ms / 1000 + until->tv_nsec / 1000000000L;
    until->tv_nsec %= 1000000000L;
}

/* Waits until one is there, and until then after a failure. NULL: the store closes. */
static struct store_pg_release *next_release(struct store_postgres *postgres, bool failed)
{
    struct timespec until;
    int waited = failed ? 0 : ETIMEDOUT;
    set_until(&until, RENEW_MS);
    pthread_mutex_lock(&postgres->lock);
    while (!postgres->closing && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&postgres->wake, &postgres->lock, &until);
    }
    while (!postgres->closing && postgres->releases == NULL) {
        pthread_cond_wait(&postgres->wake, &postgres->lock);
    }
    struct store_pg_release *release = postgres->closing ? NULL : postgres->releases;
    if (release != NULL) {
        postgres->releases = release->next;
    }
    pthread_mutex_unlock(&postgres->lock);
    return release;
}

/* A thread of its own: giving back may wait for lanes and standbys, and renewing must not. What fails is tried again.
 */
static void *giver_run(void *context)
{
    struct store_postgres *postgres = context;
    struct store_pg_release *release = NULL;
    bool failed = false;
    while ((release = next_release(postgres, failed)) != NULL) {
        failed = store_pg_release_now(&postgres->store, &release->tenant, &release->import) != 0;
        if (failed) {
            add_release(postgres, release);
        } else {
            free(release);
        }
    }
    return NULL;
}

enum turn { TURN_LOOK, TURN_RENEW, TURN_CLOSE };

/* Waits for the next turn. */
static enum turn wait_turn(struct store_postgres *postgres, int64_t renew_ns)
{
    struct timespec until;
    set_until(&until, STAMP_MS);
    pthread_mutex_lock(&postgres->lock);
    int waited = 0;
    while (!postgres->closing && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&postgres->wake, &postgres->lock, &until);
    }
    bool closing = postgres->closing;
    pthread_mutex_unlock(&postgres->lock);
    return closing ? TURN_CLOSE : clock_monotonic_ns() >= renew_ns ? TURN_RENEW : TURN_LOOK;
}

static void keep_alive(struct store_postgres *postgres, struct store_link *link, unsigned turn)
{
    if (renew(postgres, link)) {
        store_pg_set_away(postgres, false);
    }
    if (turn % LOOK_EVERY == LOOK_EVERY - 1) {
        look(postgres, link);
    }
    if (turn % CLEAR_EVERY == CLEAR_EVERY - 1) {
        clear_away(postgres, link);
    }
}

/* A new connection, maybe to another server, is the simplest way on from any trouble. */
static bool connect_again(struct store_postgres *postgres, struct store_link *link, int64_t *connect_ns)
{
    int64_t now = clock_monotonic_ns();
    if (link->conn != NULL && link->trouble == TROUBLE_NONE) {
        return true;
    }
    store_link_close(link);
    if (now < *connect_ns) {
        return false;
    }
    *connect_ns = now + (int64_t)CONNECT_MS * 1000000;
    link->deadline_ns = now + (int64_t)RENEW_MS * 1000000;
    bool there = store_link_open(link, postgres->conninfo, NULL) == 0;
    store_pg_set_away(postgres, !there);
    return there;
}

static void *keeper_run(void *context)
{
    struct store_postgres *postgres = context;
    struct store_link link = {.trouble = TROUBLE_LOST};
    int64_t connect_ns = 0;
    int64_t renew_ns = clock_monotonic_ns() + (int64_t)RENEW_MS * 1000000;
    unsigned renewals = 0;
    for (enum turn turn; (turn = wait_turn(postgres, renew_ns)) != TURN_CLOSE;) {
        if (!connect_again(postgres, &link, &connect_ns)) {
            continue; /* and a renewal is due still */
        }
        link.deadline_ns = clock_monotonic_ns() + (int64_t)RENEW_MS * 1000000;
        store_pg_stamp_ask(postgres, &link);
        if (turn == TURN_RENEW) {
            keep_alive(postgres, &link, renewals++);
            int64_t now = clock_monotonic_ns();
            renew_ns = link.trouble == TROUBLE_NONE ? now + (int64_t)RENEW_MS * 1000000 : now;
        }
    }
    store_link_close(&link);
    return NULL;
}

int store_pg_node_start(struct store_postgres *postgres, struct buf *why)
{
    struct store_link link = {.deadline_ns = clock_monotonic_ns() + postgres->patience_ns};
    int err = store_link_open(&link, postgres->conninfo, why);
    if (err == 0) {
        err = renew(postgres, &link) ? 0 : link.error;
        store_link_close(&link);
    }
    if (err == 0) {
        postgres->kept = thread_start(&postgres->keeper, "node", keeper_run, postgres) == 0;
        postgres->gives = postgres->kept && thread_start(&postgres->giver, "releases", giver_run, postgres) == 0;
        err = postgres->gives ? 0 : ERR_NO_MEMORY;
    }
    return err;
}

static void say_goodbye(struct store_postgres *postgres)
{
    struct store_link link = {.deadline_ns = clock_monotonic_ns() + 2000000000};
    struct store_params node = {0};
    if (store_link_open(&link, postgres->conninfo, NULL) != 0) {
        return; /* its time runs out by itself */
    }
    store_params_add(&node, OID_UUID, uuid_view(&postgres->node));
    (void)change_soon(postgres, &link, "DELETE FROM muster_node WHERE id = $1", &node);
    (void)change_soon(postgres, &link, "DELETE FROM muster_lease WHERE owner = $1", &node);
    (void)change_soon(
        postgres, &link,
        "DELETE FROM muster_lane WHERE substring(key FROM 1 FOR 16) = decode(replace($1::uuid::text, '-', ''), 'hex')",
        &node);
    store_link_close(&link);
}

void store_pg_node_stop(struct store_postgres *postgres)
{
    if (!postgres->kept) {
        return;
    }
    pthread_mutex_lock(&postgres->lock);
    postgres->closing = true;
    pthread_cond_broadcast(&postgres->wake);
    pthread_mutex_unlock(&postgres->lock);
    pthread_join(postgres->keeper, NULL);
    if (postgres->gives) {
        pthread_join(postgres->giver, NULL);
    }
    postgres->kept = false;
    postgres->gives = false;
    say_goodbye(postgres);
}

/* ---- leases ---- */

bool store_pg_lease(struct store_postgres *postgres, struct store_pg_lane *lane, const char *name)
{
    struct store_link *link = &lane->pg->link;
    struct store_params params = {0};
    int64_t now = clock_monotonic_ns();
    if (now < postgres->lease_ns) {
        return true;
    }
    store_params_add(&params, OID_TEXT, slice_from_text(name));
    store_params_add(&params, OID_UUID, uuid_view(&postgres->node));
    bool mine = change_soon(postgres, link,
                            "INSERT INTO muster_lease AS t (name, owner, until) "
                            "VALUES ($1, $2, now() + interval '" LEASE_S " seconds') ON CONFLICT (name) DO UPDATE "
                            "SET owner = excluded.owner, until = excluded.until "
                            "WHERE t.owner = excluded.owner OR t.until < now()",
                            &params);
    postgres->lease_ns = mine ? now + LEASE_NS : 0;
    return mine;
}

/* ---- secrets that wait for hashing: shared among the nodes ---- */

#define PENDING_ROWS "32" /* looked at at a time */

/* The customer's mark is this node's to work on for a while; when the node dies before, it is anybody's again. */
static void claim_pending(struct store_pg_kv *pg, const struct uuid *node, const struct uuid *tenant, struct slice key)
{
    struct store_params params = {0};
    store_params_add(&params, OID_UUID, uuid_view(node));
    store_params_add(&params, OID_UUID, uuid_view(tenant));
    store_params_add(&params, OID_BYTEA, key);
    (void)change_one(&pg->link,
                     "UPDATE muster_pending SET claimed_by = $1, claimed_until = now() + interval '60 seconds' "
                     "WHERE tenant = $2 AND key = $3",
                     &params);
    pg->wrote = true;
    pg->token_tenant = *tenant;
}

static PGresult *ask_pending(struct store_pg_kv *pg, const struct uuid *node, const struct uuid *tenant,
                             const struct uuid *id)
{
    struct store_params params = {0};
    store_params_add(&params, OID_UUID, uuid_view(tenant));
    store_params_add(&params, OID_BYTEA, uuid_view(id));
    store_params_add(&params, OID_UUID, uuid_view(node));
    store_link_send(&pg->link,
                    "SELECT tenant, key, value FROM muster_pending WHERE (tenant, key) > ($1, $2) AND "
                    "(claimed_by IS NULL OR claimed_by = $3 OR claimed_until < now()) "
                    "ORDER BY tenant, key LIMIT " PENDING_ROWS " FOR UPDATE SKIP LOCKED",
                    &params);
    store_link_sync(&pg->link);
    PGresult *rows = store_link_take(&pg->link);
    store_link_drain(&pg->link);
    return rows;
}

/* The first of the rows that is shown: 0; none: ERR_NOT_FOUND; (*tenant, *id) are those of the last row looked at. */
static int take_pending(struct store_local *local, const PGresult *rows, struct uuid *tenant, struct uuid *id)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        struct slice key = store_result_slice(rows, i, 1);
        struct slice mark = store_result_slice(rows, i, 2);
        if (key.size != UUID_BYTES || mark.size != UUID_BYTES) {
            return ERR_CORRUPT;
        }
        struct uuid import = store_rows_uuid_at(mark, 0);
        *tenant = store_rows_uuid_at(store_result_slice(rows, i, 0), 0);
        *id = store_rows_uuid_at(key, 0);
        if (!store_unfinished_hidden(store_unfinished_find(local->unfinished, tenant, &import))) {
            claim_pending(store_pg_kv_of(local->kv), &local->node, tenant, key);
            return 0;
        }
    }
    return ERR_NOT_FOUND;
}

int store_pg_next_pending(struct store_local *local, struct uuid *tenant, struct uuid *id)
{
    struct store_pg_kv *pg = store_pg_kv_of(local->kv);
    int err = ERR_NOT_FOUND;
    bool more = true;
    while (err == ERR_NOT_FOUND && more) {
        PGresult *rows = ask_pending(pg, &local->node, tenant, id);
        if (rows == NULL) {
            return pg->link.error;
        }
        more = PQntuples(rows) > 0;
        err = take_pending(local, rows, tenant, id);
        PQclear(rows);
    }
    return pg->link.trouble == TROUBLE_NONE ? err : pg->link.error;
}
