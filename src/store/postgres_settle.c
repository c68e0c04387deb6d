/*
 * A commit whose outcome is unknown: COMMIT was sent, and the connection broke before the answer, or the server gave up
 * waiting for a standby. Every transaction that changes something also writes a fresh random token into its
 * connection's row of muster_lane. Whether that row has the token tells whether the transaction was committed.
 *
 * The difficulty is that the old transaction may live on: its server process may not have noticed yet, its COMMIT may
 * lie somewhere on the way. So the row is not just read: the same statement that reads it changes it, by appending a
 * token of its own. It waits as long as the old transaction has the row, and when it has changed it the old one can't
 * commit any more: its snapshot was taken before, its own change of the row is refused, and its COMMIT with it; one
 * without a snapshot (PG_LOCKED) has the row from its beginning. So what is found is final. Tokens that are appended
 * stay behind the one that is asked about, so settling may break off and be done again.
 *
 * Settling is itself a commit. When it is answered without a warning, standbys that are waited for have it, and with it
 * everything that was written to the log before: that is what makes COMMITTED a yes.
 */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "store/postgres_priv.h"

#define REST_MS 100

/* Sends the statement and its COMMIT. */
static void ask(struct store_pg_kv *pg)
{
    uint8_t token[UUID_BYTES];
    struct store_params params = {0};
    crypto_random(token, sizeof token);
    store_params_add(&params, OID_UUID, uuid_view(&pg->token_tenant));
    store_params_add(&params, OID_BYTEA, slice_make(pg->lane, sizeof pg->lane));
    store_params_add(&params, OID_BYTEA, slice_make(token, sizeof token));
    store_link_send(&pg->link,
                    pg->serializable ? "BEGIN ISOLATION LEVEL SERIALIZABLE" : "BEGIN ISOLATION LEVEL READ COMMITTED",
                    NULL);
    store_link_send(&pg->link, pg->settings, NULL);
    store_link_send(&pg->link,
#ifdef MUSTER_PLANT_SETTLE_LOOKS
                    "SELECT value FROM muster_lane WHERE tenant = $1 AND key = $2 AND $3 <> ''::bytea",
#else
                    "INSERT INTO muster_lane AS t (tenant, key, value) VALUES ($1, $2, $3) "
                    "ON CONFLICT (tenant, key) DO UPDATE SET value = t.value || excluded.value RETURNING value",
#endif
                    &params);
    store_link_send(&pg->link, "COMMIT", NULL);
    store_link_sync(&pg->link);
}

/* Once. UNKNOWN: it could not be told. */
static enum store_settled settle_once(struct store_pg_kv *pg)
{
    struct store_link *link = &pg->link;
    enum store_settled settled = SETTLED_UNKNOWN;
    link->warned = false;
    ask(pg);
    store_link_expect(link);
    store_link_expect(link);
    PGresult *found = store_link_take(link);
    PGresult *commit = store_link_take(link);
    store_link_drain(link);
    bool sure =
        commit != NULL && link->trouble == TROUBLE_NONE && !link->warned && strcmp(PQcmdStatus(commit), "COMMIT") == 0;
#ifdef MUSTER_PLANT_SETTLE_LOOKS
    if (sure && PQntuples(found) == 0) {
        settled = SETTLED_NOT;
    }
#endif
    if (sure && PQntuples(found) == 1) {
        struct slice token = slice_make(pg->token, sizeof pg->token);
        settled = slice_starts(store_result_slice(found, 0, 0), token) ? SETTLED_COMMITTED : SETTLED_NOT;
    }
    PQclear(found);
    PQclear(commit);
    if (settled == SETTLED_UNKNOWN) {
        pg->begun = true;
        store_pg_rollback(pg);
    }
    return settled;
}

static void rest(int64_t deadline_ns)
{
    struct timespec pause = {.tv_nsec = REST_MS * 1000000L};
    if (clock_monotonic_ns() < deadline_ns) {
        (void)nanosleep(&pause, NULL);
    }
}

enum store_settled store_pg_settle(struct store_postgres *postgres, struct store_pg_kv *pg, int64_t deadline_ns)
{
    static const char *const words[] = {"committed", "not committed", "unknown"};
    enum store_settled settled = SETTLED_UNKNOWN;
    while (settled == SETTLED_UNKNOWN && clock_monotonic_ns() < deadline_ns) {
        bool linked = pg->link.conn != NULL && pg->link.trouble == TROUBLE_NONE;
        if (linked || store_pg_connect(postgres, pg, deadline_ns, NULL) == 0) {
            pg->link.deadline_ns = deadline_ns;
            settled = settle_once(pg);
        }
        if (settled == SETTLED_UNKNOWN) {
            rest(deadline_ns);
        }
    }
    pg->committing = false;
    log_warning(NULL, "commit settled", "\"outcome\":\"%s\"", words[settled]);
    return settled;
}
