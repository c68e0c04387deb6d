/* Quotas: what is refused and when it may come again, exact however requests stand side by side; and a day
 * made up from the rows. */
#include "fixture.h"

#include "../test.h"
#include "base/clock.h"
#include "intake/intake_priv.h"

#define DAY_MS 86400000LL
#define NOON   (20000 * DAY_MS + DAY_MS / 2)
#define NIGHT  (20001 * DAY_MS)

struct bench {
    struct fixture fixture;
    struct quota *quota;
    unsigned imports;
};

static void bench_init(struct bench *bench, const struct auth_limits *limits)
{
    static const bool all[AUTH_LIMITS] = {true, true, true, true};
    struct auth_limits set = *limits;
    *bench = (struct bench){.imports = 0};
    fixture_init(&bench->fixture, false);
    assert_int_equal(auth_tenant_limit(bench->fixture.auth, SLICE("acme"), all, &set), 0);
    bench->quota = quota_new(bench->fixture.store, bench->fixture.auth);
    assert_non_null(bench->quota);
}

static void bench_fini(struct bench *bench)
{
    quota_free(&bench->quota);
    fixture_fini(&bench->fixture);
}

static int begin(struct bench *bench, uint64_t body_bytes, int64_t now_ms, struct quota_use *use)
{
    struct uuid import = {{0}};
    bench->imports++;
    memcpy(import.bytes, &bench->imports, sizeof bench->imports);
    return quota_begin(bench->quota, bench->fixture.tenant, &import, body_bytes, now_ms, use);
}

/* One request after the other: what it brings, how it begins and goes on, and what it is told. */
static const struct row {
    const char *name;
    struct auth_limits limits; /* items, bytes of a request; items, bytes of a day */
    struct {
        uint64_t body_bytes, items, bytes;
        int64_t now_ms;
        bool kept;
        int begun, reached;
        unsigned retry_after_s;
    } requests[3];
} ROWS[] = {
    {"no limits", {{0}}, {{1u << 30, 1u << 30, 1u << 30, NOON, true, 0, 0, 0}}},
    {"items of a request",
     {{10, 0, 0, 0}},
     {{0, 10, 99, NOON, true, 0, 0, 0}, {0, 11, 99, NOON, true, 0, ERR_TOO_MANY_ITEMS, 0}}},
    {"bytes of a request",
     {{0, 10, 0, 0}},
     {{10, 1, 10, NOON, true, 0, 0, 0},
      {11, 0, 0, NOON, true, ERR_TOO_LARGE, 0, 0},
      {0, 1, 11, NOON, true, 0, ERR_TOO_LARGE, 0}}},
    {"items of a day",
     {{0, 0, 10, 0}},
     {{0, 8, 1, NOON, true, 0, 0, 0},
      {0, 3, 1, NOON + 999, true, 0, ERR_QUOTA, 43200},
      {0, 2, 1, NIGHT - 1, true, 0, 0, 0}}},
    {"a day that is used up, and the next",
     {{0, 0, 10, 0}},
     {{0, 10, 1, NOON, true, 0, 0, 0}, {0, 0, 0, NIGHT - 1, true, ERR_QUOTA, 0, 1}, {0, 10, 1, NIGHT, true, 0, 0, 0}}},
    {"bytes of a day",
     {{0, 0, 0, 100}},
     {{60, 1, 60, NOON, true, 0, 0, 0},
      {41, 0, 0, NOON + 42200000, true, ERR_QUOTA, 0, 1000},
      {40, 1, 40, NOON, true, 0, 0, 0}}},
    {"never, as it is more than a day's",
     {{0, 0, 10, 100}},
     {{101, 0, 0, NOON, true, ERR_TOO_LARGE, 0, 0}, {0, 11, 1, NOON, true, 0, ERR_TOO_MANY_ITEMS, 0}}},
    {"what is not kept is given back",
     {{0, 0, 10, 0}},
     {{0, 10, 1, NOON, false, 0, 0, 0}, {0, 9, 1, NOON, true, 0, 0, 0}, {0, 2, 1, NOON, true, 0, ERR_QUOTA, 43200}}},
};

static void one_after_the_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct bench bench;
        bench_init(&bench, &ROWS[i].limits);
        for (size_t at = 0; at < 3 && ROWS[i].requests[at].now_ms != 0; at++) {
            struct quota_use use;
            int begun = begin(&bench, ROWS[i].requests[at].body_bytes, ROWS[i].requests[at].now_ms, &use);
            int reached = begun == 0 ? quota_reach(&use, ROWS[i].requests[at].items, ROWS[i].requests[at].bytes,
                                                   ROWS[i].requests[at].now_ms)
                                     : 0;
            if (begun != ROWS[i].requests[at].begun || reached != ROWS[i].requests[at].reached ||
                use.retry_after_s != ROWS[i].requests[at].retry_after_s) {
                fail_msg("%s, request %zu: %d %d %u", ROWS[i].name, at, begun, reached, use.retry_after_s);
            }
            if (begun == 0) {
                quota_end(&use, reached == 0 && ROWS[i].requests[at].kept);
                quota_end(&use, true); /* harmless */
            }
        }
        bench_fini(&bench);
    }
}

/* Others under way hold what is left: come again soon; when they give it back there is room. */
static void side_by_side(void **state)
{
    (void)state;
    struct bench bench;
    struct quota_use first, second;
    bench_init(&bench, &(struct auth_limits){{0, 0, 10, 0}});
    assert_int_equal(begin(&bench, 0, NOON, &first), 0);
    assert_int_equal(begin(&bench, 0, NOON, &second), 0);
    assert_int_equal(quota_reach(&first, 4, 1, NOON), 0);
    assert_int_equal(quota_reach(&second, 6, 1, NOON), 0);
    assert_int_equal(quota_reach(&first, 5, 1, NOON), ERR_QUOTA);
    assert_int_equal(first.retry_after_s, 2);
    quota_end(&second, false);
    assert_int_equal(quota_reach(&first, 10, 1, NOON), 0);
    assert_int_equal(begin(&bench, 0, NOON, &second), ERR_QUOTA);
    assert_int_equal(second.retry_after_s, 2);
    quota_end(&first, true);
    assert_int_equal(begin(&bench, 0, NOON, &second), ERR_QUOTA);
    assert_int_equal(second.retry_after_s, 43200);
    bench_fini(&bench);
}

/* It counts for the day in which it began, and leaves the next alone. */
static void runs_over_midnight(void **state)
{
    (void)state;
    struct bench bench;
    struct quota_use old, today;
    bench_init(&bench, &(struct auth_limits){{0, 0, 10, 0}});
    assert_int_equal(begin(&bench, 0, NIGHT - 5, &old), 0);
    assert_int_equal(quota_reach(&old, 7, 1, NIGHT - 4), 0);
    assert_int_equal(begin(&bench, 0, NIGHT + 1, &today), 0);
    assert_int_equal(quota_reach(&today, 10, 1, NIGHT + 2), 0);
    assert_int_equal(quota_reach(&old, 10, 1, NIGHT + 3), 0);
    assert_int_equal(quota_reach(&today, 11, 1, NIGHT + 4), ERR_TOO_MANY_ITEMS);
    quota_end(&old, true);
    quota_end(&today, true);
    assert_int_equal(begin(&bench, 0, NIGHT + 5, &today), ERR_QUOTA);
    bench_fini(&bench);
}

/* ---- from the rows ---- */

static void keep(struct bench *bench, const char *body, int error)
{
    static const struct fixture_options cyrexa = {.contract = "cyrexa"};
    struct fixture_batch batch;
    fixture_post(&bench->fixture, &batch, &cyrexa, slice_from_text(body));
    assert_int_equal(batch.answer.error, error);
    fixture_end(&batch);
}

/* A restart makes the day up: kept imports count, aborted ones don't, and one that is under way counts once. */
static void made_up_from_the_rows(void **state)
{
    (void)state;
    struct bench bench;
    struct quota_use use, running;
    int64_t now_ms = clock_real_ms();
    struct uuid newest = {{0}};
    bench_init(&bench, &(struct auth_limits){{0}});
    keep(&bench, "[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"}]", 0);
    keep(&bench, "[{\"id\":\"4\"},{\"id\":5}]", ERR_FAULTS);
    keep(&bench, "[{\"id\":\"6\"}]", 0);
    struct fixture_batch batch;
    fixture_post(&bench.fixture, &batch, &(struct fixture_options){.contract = "cyrexa"}, SLICE("[{\"id\":\"7\"}]"));
    newest = *intake_import_id(batch.import);
    fixture_end(&batch);
    /* The last is committed, but its use has not ended yet: it has none of the day's limits either. */
    assert_int_equal(quota_begin(bench.quota, bench.fixture.tenant, &newest, 0, now_ms, &running), 0);
    assert_int_equal(quota_reach(&running, 1, 12, now_ms), 0);
    static const bool set[AUTH_LIMITS] = {false, false, true, false};
    struct auth_limits limits = {{0, 0, 7, 0}};
    assert_int_equal(auth_tenant_limit(bench.fixture.auth, SLICE("acme"), set, &limits), 0);
    assert_int_equal(begin(&bench, 0, now_ms, &use), 0);
    assert_int_equal(quota_reach(&use, 2, 20, now_ms), 0);
    assert_int_equal(quota_reach(&use, 3, 30, now_ms), ERR_QUOTA);
    quota_end(&running, true);
    assert_int_equal(quota_reach(&use, 3, 30, now_ms), ERR_QUOTA);
    quota_end(&use, false);
    /* Restarted: all is in the rows. */
    quota_free(&bench.quota);
    bench.quota = quota_new(bench.fixture.store, bench.fixture.auth);
    assert_int_equal(begin(&bench, 0, now_ms, &use), 0);
    assert_int_equal(quota_reach(&use, 2, 20, now_ms), 0);
    assert_int_equal(quota_reach(&use, 3, 30, now_ms), ERR_QUOTA);
    quota_end(&use, false);
    /* Another day has nothing. */
    quota_free(&bench.quota);
    bench.quota = quota_new(bench.fixture.store, bench.fixture.auth);
    assert_int_equal(begin(&bench, 0, now_ms + DAY_MS, &use), 0);
    assert_int_equal(quota_reach(&use, 7, 20, now_ms), 0);
    quota_end(&use, false);
    bench_fini(&bench);
}

/* ---- threads ---- */

#define THREADS 4
#define EACH    500

struct side {
    struct bench *bench;
    uint64_t kept;
};

static void *take_and_keep(void *context)
{
    struct side *side = context;
    for (int i = 0; i < EACH; i++) {
        struct quota_use use;
        struct uuid import = {{0}};
        if (quota_begin(side->bench->quota, side->bench->fixture.tenant, &import, 0, NOON, &use) != 0) {
            continue;
        }
        bool kept = quota_reach(&use, 3, 1, NOON) == 0 && quota_reach(&use, 5, 2, NOON) == 0 && i % 3 != 0;
        quota_end(&use, kept);
        side->kept += kept ? 5 : 0;
    }
    return NULL;
}

static void never_more_than_there_is(void **state)
{
    (void)state;
    struct bench bench;
    struct quota_use use;
    struct side sides[THREADS];
    pthread_t threads[THREADS];
    uint64_t kept = 0;
    bench_init(&bench, &(struct auth_limits){{0, 0, 3003, 0}});
    for (int i = 0; i < THREADS; i++) {
        sides[i] = (struct side){.bench = &bench};
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_keep, &sides[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        kept += sides[i].kept;
    }
    assert_int_equal(kept, 3000);
    assert_int_equal(begin(&bench, 0, NOON, &use), 0);
    assert_int_equal(quota_reach(&use, 4, 1, NOON), ERR_QUOTA);
    assert_int_equal(quota_reach(&use, 3, 1, NOON), 0);
    quota_end(&use, true);
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_after_the_other), cmocka_unit_test(side_by_side),
                                       cmocka_unit_test(runs_over_midnight), cmocka_unit_test(made_up_from_the_rows),
                                       cmocka_unit_test(never_more_than_there_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
