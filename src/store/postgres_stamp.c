/*
 * The stamp of the house's rows as this node has last read it. The node's thread asks for it a few times a second, so
 * that a request only looks here. The difficulty is the time that it stands for: an answer tells of everything that was
 * committed before the question was sent, and of nothing else. So the time of the question is what it is kept with,
 * and one that is older than STORE_STAMP_MS is as good as none: then whoever wants it asks himself, for a while, and
 * not at all when the database is known to be away.
 */
#include "base/clock.h"
#include "store/postgres_priv.h"

#define MILLISECOND_NS 1000000
#define PATIENCE_MS    2000

static void note(struct store_postgres *postgres, uint64_t stamp, int64_t asked_ns)
{
    pthread_mutex_lock(&postgres->stamp_lock);
    if (asked_ns > postgres->stamp_ns) {
        postgres->stamp_ns = asked_ns;
        postgres->stamp = stamp;
    }
    pthread_mutex_unlock(&postgres->stamp_lock);
}

static bool look(struct store_postgres *postgres, uint64_t *stamp)
{
    int64_t now = clock_monotonic_ns();
    pthread_mutex_lock(&postgres->stamp_lock);
    bool counts = postgres->stamp_ns != 0 && now - postgres->stamp_ns < (int64_t)STORE_STAMP_MS * MILLISECOND_NS;
    *stamp = postgres->stamp;
    pthread_mutex_unlock(&postgres->stamp_lock);
    return counts;
}

void store_pg_stamp_ask(struct store_postgres *postgres, struct store_link *link)
{
    static const char sql[] = "SELECT value FROM muster_meta WHERE tenant = $1 AND key = $2";
    static const struct uuid house;
    struct store_params params = {0};
    uint64_t stamp = 0;
    int64_t asked_ns = clock_monotonic_ns();
    store_params_add(&params, OID_UUID, uuid_view(&house));
    store_params_add(&params, OID_BYTEA, store_stamp_key);
    store_link_send(link, sql, &params);
    store_link_sync(link);
    PGresult *result = store_link_take(link);
    if (result != NULL && PQntuples(result) > 0) {
        struct slice value = store_result_slice(result, 0, 0);
        memcpy(&stamp, value.data, value.size < sizeof stamp ? value.size : sizeof stamp);
    }
    PQclear(result);
    store_link_drain(link);
    if (link->trouble == TROUBLE_NONE) {
        note(postgres, stamp, asked_ns);
    }
}

struct asking {
    struct store_pg_call call;
    int64_t asked_ns; /* of the try that succeeded */
    uint64_t stamp;
};

static int do_ask(struct store *local, struct store_pg_call *call)
{
    struct asking *asking = call->context;
    asking->asked_ns = clock_monotonic_ns();
    return store_local_meta_stamp(store_local_of(local), &asking->stamp);
}

int store_pg_stamp(struct store *store, uint64_t *stamp)
{
    struct store_postgres *postgres = store_postgres_of(store);
    if (look(postgres, stamp)) {
        return 0;
    }
    struct asking asking = {.call = {.work = do_ask}};
    int64_t now = clock_monotonic_ns();
    int64_t deadline = store_pg_deadline(postgres);
    int64_t soon = now + (int64_t)PATIENCE_MS * MILLISECOND_NS;
    asking.call.context = &asking;
    int err = store_pg_health(store);
    err = err == 0 ? store_pg_perform_within(postgres, &asking.call, soon < deadline ? soon : deadline) : err;
    if (err != 0) {
        return err;
    }
    note(postgres, asking.stamp, asking.asked_ns);
    *stamp = asking.stamp;
    return 0;
}
