/*
 * An operation on its way: it takes a lane, a connection with a local store over it, and is tried until it is done,
 * until others were in its way too often, or until its patience ends. A few lanes go round; a thread that has one
 * already (a callback of a walk asks the store for more) gets another beyond their number, for it must not wait for
 * itself.
 *
 * The difficulty is what a try that failed has done; postgres.c tells which failure means what.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "store/postgres_priv.h"

#define SETTLE_MS      20000
#define IDLE_LANE      "30s"
#define CONFLICTS_MAX  40u
#define MILLISECOND_NS 1000000
#define SHORT_BLIP_NS  ((int64_t)MILLISECOND_NS * 500)

/* ---- whether the database is there ---- */

void store_pg_set_away(struct store_postgres *postgres, bool away)
{
    int64_t none = 0;
    if (away) {
        if (atomic_compare_exchange_strong(&postgres->away_ns, &none, clock_monotonic_ns())) {
            log_error(NULL, "database away", NULL);
        }
    } else if (atomic_exchange(&postgres->away_ns, 0) != 0) {
        log_info(NULL, "database back", NULL);
    }
}

/* It was away for longer than anybody waits: nobody waits any more, one look is enough. */
static bool is_long_away(struct store_postgres *postgres)
{
    int64_t since = atomic_load(&postgres->away_ns);
    return since != 0 && clock_monotonic_ns() - since > postgres->patience_ns;
}

int store_pg_health(struct store *store)
{
    int64_t since = atomic_load(&store_postgres_of(store)->away_ns);
    return since != 0 && clock_monotonic_ns() - since > SHORT_BLIP_NS ? ERR_STORAGE_AWAY : 0;
}

/* ---- lanes ---- */

/*
 * All are of the transaction. Commits wait for the disk, were the server told otherwise meanwhile. Rows are always
 * found by their keys, whatever the engine believes of tables that grow from nothing; that it believes such a plan to
 * be dear must not make it compile the plan. A client that is gone without a word must not hold its locks for hours.
 */
void store_pg_settings(const struct store_pg_engine *engine, bool unsafe, const char *idle, struct store_pg_kv *pg)
{
    static const char sync[] = "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
                               "ELSE current_setting('synchronous_commit') END";
    if (strcmp(engine->name, "CockroachDB") == 0) {
        (void)snprintf(pg->settings, sizeof pg->settings, "SELECT set_config('lock_timeout', '5s', true)");
    } else {
        (void)snprintf(
            pg->settings, sizeof pg->settings,
            "SELECT set_config('lock_timeout', '5s', true), set_config('enable_seqscan', 'off', true), "
            "set_config('jit', 'off', true), set_config('idle_in_transaction_session_timeout', '%s', true), "
            "set_config('tcp_keepalives_idle', '10', true), set_config('tcp_keepalives_interval', '5', true), "
            "set_config('tcp_keepalives_count', '3', true), set_config('synchronous_commit', %s, true)",
            idle, unsafe ? "'off'" : sync);
    }
    pg->serializable = engine->serializable;
}

int store_pg_connect(struct store_postgres *postgres, struct store_pg_kv *pg, int64_t deadline_ns, struct buf *why)
{
    store_link_close(&pg->link);
    pg->link.deadline_ns = deadline_ns;
    int err = store_link_open(&pg->link, postgres->conninfo, why);
    store_pg_set_away(postgres, err != 0);
    return err;
}

void store_pg_lane_free(struct store_pg_lane **lane)
{
    if (*lane != NULL) {
        if ((*lane)->local != NULL) {
            store_local_free(&(*lane)->local);
        }
        free(*lane);
        *lane = NULL;
    }
}

struct store_pg_lane *store_pg_lane_new(struct store_postgres *postgres)
{
    struct store_pg_lane *lane = calloc(1, sizeof *lane);
    struct store_kv *kv = NULL;
    if (lane == NULL || store_kv_postgres_new(&kv) != 0) {
        free(lane);
        return NULL;
    }
    lane->pg = store_pg_kv_of(kv);
    memcpy(lane->pg->lane, postgres->node.bytes, UUID_BYTES);
    crypto_random(lane->pg->lane + UUID_BYTES, sizeof lane->pg->lane - UUID_BYTES);
    store_pg_settings(&postgres->engine, postgres->unsafe, IDLE_LANE, lane->pg);
    if (store_local_new(&kv, true, &lane->local) != 0) {
        store_pg_lane_free(&lane);
        return NULL;
    }
    lane->local->shared = true;
    lane->local->running = true;
    lane->local->node = postgres->node;
    return lane;
}

/* How many lanes this thread has: a callback may ask the store for more, and must not wait for itself. */
static _Thread_local unsigned lanes_held;

/* NULL: none in time, or no memory. */
static struct store_pg_lane *lane_take(struct store_postgres *postgres, int64_t deadline_ns)
{
    struct timespec until = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000};
    struct store_pg_lane *lane = NULL;
    int waited = 0;
    pthread_mutex_lock(&postgres->lock);
    while (postgres->idle == NULL && postgres->made >= postgres->most && lanes_held == 0 && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&postgres->given, &postgres->lock, &until);
    }
    if (postgres->idle != NULL) {
        lane = postgres->idle;
        postgres->idle = lane->next;
    } else if (postgres->made < postgres->most || lanes_held > 0) {
        lane = store_pg_lane_new(postgres);
        postgres->made += lane != NULL ? 1 : 0;
    }
    pthread_mutex_unlock(&postgres->lock);
    lanes_held += lane != NULL ? 1 : 0;
    return lane;
}

static void lane_give(struct store_postgres *postgres, struct store_pg_lane *lane)
{
    lanes_held--;
    pthread_mutex_lock(&postgres->lock);
    if (postgres->made > postgres->most) {
        postgres->made--;
        pthread_mutex_unlock(&postgres->lock);
        store_pg_lane_free(&lane);
        return;
    }
    lane->next = postgres->idle;
    postgres->idle = lane;
    pthread_cond_signal(&postgres->given);
    pthread_mutex_unlock(&postgres->lock);
}

/* ---- a try ---- */

enum verdict { DONE, IN_THE_WAY, AWAY };

void store_pg_restore(struct store_pg_call *call)
{
    if (call->out != NULL) {
        call->out->size = call->out_size;
    }
    for (size_t i = 0; call->chunks != NULL && i < call->limit; i++) {
        struct store_chunk *chunk = call->chunks[i];
        chunk->kept = false;
        chunk->error = 0;
        chunk->faults = call->saved[i].faults;
        chunk->forget_request = call->saved[i].forget;
        if (chunk->row != NULL) {
            *chunk->row = call->saved[i].row;
        }
    }
}

/* The trouble that a try ended with. */
static enum verdict judge(struct store_pg_kv *pg, int *err)
{
    enum store_trouble trouble = pg->link.trouble;
    if (trouble == TROUBLE_NONE) {
        if (pg->begun) {
            store_pg_rollback(pg);
        }
        return DONE;
    }
    *err = pg->link.error;
    store_pg_rollback(pg);
    if (trouble == TROUBLE_LOST) {
        store_link_close(&pg->link);
    }
    return trouble == TROUBLE_AGAIN ? IN_THE_WAY : trouble == TROUBLE_LOST ? AWAY : DONE;
}

/* The COMMIT went, and its answer was none or a doubtful one. */
static enum verdict settle(struct store_postgres *postgres, struct store_pg_kv *pg, int *err)
{
#ifdef MUSTER_PLANT_UNKNOWN_YES
    return DONE;
#endif
#ifdef MUSTER_PLANT_UNKNOWN_AGAIN
    *err = ERR_STORAGE_AWAY;
    return AWAY;
#endif
    int64_t deadline = clock_monotonic_ns() + (int64_t)SETTLE_MS * MILLISECOND_NS;
    switch (store_pg_settle(postgres, pg, deadline)) {
    case SETTLED_COMMITTED:
        return DONE;
    case SETTLED_NOT:
        *err = ERR_STORAGE_AWAY;
        return AWAY;
    default:
        *err = ERR_OUTCOME_UNKNOWN;
        return DONE;
    }
}

static enum verdict run(struct store_postgres *postgres, struct store_pg_call *call, int *err)
{
    struct store_pg_kv *pg = call->lane->pg;
    struct store_unfinished_set *set = NULL;
    struct store_pg_begin begin = {.access = call->access,
                                   .tenant = call->tenant,
                                   .family = call->family,
                                   .locked = call->locked,
                                   .node = &postgres->node};
    pg->fresh = call->fresh;
    store_pg_begin(pg, &begin, &set);
    if (set != NULL) {
        store_local_publish(call->lane->local, set);
    }
    store_kv_batch_clear(&pg->kv, call->lane->local->batch);
    if (pg->link.trouble == TROUBLE_NONE) {
        *err = call->work(&call->lane->local->store, call);
        bool read = pg->link.trouble == TROUBLE_NONE && call->access != PG_WRITE && call->access != PG_LOCKED;
        if (pg->link.trouble == TROUBLE_NONE && *err == 0) {
            store_pg_commit(pg);
        }
        if (pg->committing || (pg->wrote && pg->link.warned && pg->link.trouble == TROUBLE_NONE && *err == 0)) {
            return settle(postgres, pg, err);
        }
        if (read) {
            int told = *err;
            (void)judge(pg, err); /* what was read was read, however the transaction ended */
            *err = told;
            return DONE;
        }
    }
    return judge(pg, err);
}

static enum verdict try_once(struct store_postgres *postgres, struct store_pg_call *call, int64_t deadline_ns, int *err)
{
    struct store_pg_kv *pg = call->lane->pg;
    if (pg->link.conn == NULL || pg->link.trouble != TROUBLE_NONE) {
        *err = store_pg_connect(postgres, pg, deadline_ns, NULL);
        if (*err != 0) {
            return AWAY;
        }
    }
    pg->link.deadline_ns = deadline_ns;
    return run(postgres, call, err);
}

/* Others need a moment to get through, at random that two don't meet again; a server needs longer to come back. */
static void rest(enum verdict verdict, unsigned tries)
{
    uint8_t random;
    crypto_random(&random, sizeof random);
    unsigned most_ms = verdict == AWAY ? 200 : tries < 2 ? 2 : tries < 10 ? 20 : 100;
    struct timespec pause = {.tv_nsec = (long)(most_ms * random / 255 + (verdict == AWAY ? 50 : 0)) * MILLISECOND_NS};
    (void)nanosleep(&pause, NULL);
}

/* Of a try that failed they are ahead of what was written: upkeep begins again where an import or a family begins. */
static void forget_cursors(struct store_local *local)
{
    buf_clear(&local->folded_to);
    buf_clear(&local->expired_to);
    local->expired_family = 0;
}

static int perform_on(struct store_postgres *postgres, struct store_pg_call *call, int64_t deadline_ns)
{
    int err = 0;
    for (unsigned tries = 0;; tries++) {
        enum verdict verdict = try_once(postgres, call, deadline_ns, &err);
        bool spent = clock_monotonic_ns() >= deadline_ns || (verdict == IN_THE_WAY && tries >= CONFLICTS_MAX) ||
                     (verdict == AWAY && is_long_away(postgres));
        if (verdict == DONE || call->told || spent) {
            if (err != 0) {
                forget_cursors(call->lane->local);
            }
            return err;
        }
        store_pg_restore(call);
        forget_cursors(call->lane->local);
        /* What was taken to be new may be there; of a blind try, mostly unique keys. */
        call->fresh &= call->blind ? ~STORE_PG_FAMILY(STORE_FAMILY_UNIQUE) : 0;
        if (!call->blind || verdict == AWAY) {
            rest(verdict, tries);
        }
        call->blind = false;
    }
}

int64_t store_pg_deadline(const struct store_postgres *postgres)
{
    return clock_monotonic_ns() + postgres->patience_ns;
}

int store_pg_perform_within(struct store_postgres *postgres, struct store_pg_call *call, int64_t deadline_ns)
{
    call->out_size = call->out == NULL ? 0 : call->out->size;
    int64_t patient = store_pg_deadline(postgres);
    call->lane = lane_take(postgres, deadline_ns < patient ? deadline_ns : patient);
    if (call->lane == NULL) {
        return ERR_OVERLOADED;
    }
    int err = perform_on(postgres, call, deadline_ns);
    lane_give(postgres, call->lane);
    return err;
}

int store_pg_perform(struct store *store, struct store_pg_call *call)
{
    struct store_postgres *postgres = store_postgres_of(store);
    return store_pg_perform_within(postgres, call, store_pg_deadline(postgres));
}

/* Over the lane of its own. */
int store_pg_perform_upkeep(struct store_postgres *postgres, struct store_pg_call *call)
{
    struct store_local *local = postgres->upkeep->local;
    call->lane = postgres->upkeep;
    lanes_held++;
    int err = perform_on(postgres, call, store_pg_deadline(postgres));
    lanes_held--;
    return err == 0 ? buf_error(&local->folded_to) : err;
}
