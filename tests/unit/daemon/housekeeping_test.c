/* Housekeeping: what an aborted import left is swept without being asked for, storage that failed ends the process
 * in its time and once, and a stop does not wait. */
#include "../intake/fixture.h"

#include <assert.h>
#include <stdatomic.h>
#include <time.h>

#include "../test.h"
#include "base/clock.h"
#include "daemon/daemon_priv.h"
#include "store/store_priv.h"

/* Waits until the store has the import's first chunk. */
static void wait_until_kept(struct fixture *fixture, const struct uuid *import)
{
    struct store_import row;
    struct buf envelope;
    int err = ERR_NOT_FOUND;
    buf_init(&envelope, 0);
    for (int i = 0; i < 1000 && err != 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        err = store_import_get(fixture->store, &fixture->tenant->id, import, &row, &envelope);
    }
    assert_int_equal(err, 0);
    buf_fini(&envelope);
}

/* Rows of an import that was aborted when some of them had been kept. */
static void leave_rows(struct fixture *fixture)
{
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa"};
    struct buf body;
    buf_init(&body, 0);
    for (int i = 0; i < 4500; i++) {
        buf_printf(&body, "%s{\"id\":\"%d\"}", i == 0 ? "[" : ",", i);
    }
    fixture_begin(fixture, &batch, &options);
    fixture_take(&batch, buf_view(&body));
    wait_until_kept(fixture, intake_import_id(batch.import));
    fixture_take(&batch, SLICE(",{\"id\":1}]")); /* a fault in the last chunk */
    fixture_finish(&batch);
    assert_int_equal(batch.answer.error, ERR_FAULTS);
    fixture_end(&batch);
    buf_fini(&body);
}

static bool never(void *context, const struct uuid *tenant, const struct uuid *import)
{
    (void)context, (void)tenant, (void)import;
    return false;
}

static bool is_swept(struct store *store)
{
    bool left = true;
    assert_int_equal(store_sweep(store, 0, &left), 0);
    return !left;
}

static void sweeps(void **state)
{
    (void)state;
    struct fixture fixture;
    struct housekeeping *housekeeping;
    fixture_init(&fixture, false);
    leave_rows(&fixture);
    assert_false(is_swept(fixture.store));
    struct housekeeping_options options = {.store = fixture.store, .under_way = never};
    assert_int_equal(housekeeping_start(&options, &housekeeping), 0);
    for (int i = 0; i < 1000 && !is_swept(fixture.store); i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_true(is_swept(fixture.store));
    housekeeping_stop(&housekeeping);
    fixture_fini(&fixture);
}

static void stops_at_once(void **state)
{
    (void)state;
    struct store *store;
    struct housekeeping *housekeeping;
    assert_int_equal(store_open_memory(&store), 0);
    struct housekeeping_options options = {.store = store, .under_way = never};
    int64_t start = clock_monotonic_ns();
    for (int i = 0; i < 20; i++) {
        assert_int_equal(housekeeping_start(&options, &housekeeping), 0);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); /* it rests for a second by now */
        housekeeping_stop(&housekeeping);
        assert_null(housekeeping);
    }
    assert_true(clock_monotonic_ns() - start < 10000000000);
    housekeeping_stop(&housekeeping); /* none */
    store_close(&store);
}

/* ---- a store that has failed ---- */

static int failed_health(struct store *store)
{
    (void)store;
    return ERR_STORAGE_STOPPED;
}

static void count_call(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static void gives_up_once(void **state)
{
    (void)state;
    const struct store_ops ops = {.health = failed_health};
    struct store store = {.ops = &ops};
    atomic_int calls = 0;
    struct housekeeping_options options = {
        .store = &store, .failed_linger_s = 1, .under_way = never, .give_up = count_call, .context = &calls};
    struct housekeeping *housekeeping;
    int64_t start = clock_monotonic_ns();
    assert_int_equal(housekeeping_start(&options, &housekeeping), 0);
    for (int i = 0; i < 1000 && atomic_load(&calls) == 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(atomic_load(&calls), 1);
    assert_true(clock_monotonic_ns() - start >= 1000000000); /* reads had their time */
    nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    assert_int_equal(atomic_load(&calls), 1);
    housekeeping_stop(&housekeeping);
}

/* ---- a disk that was full ---- */

static atomic_bool full;
static atomic_int ended_at_once;
static atomic_int ended_later;

static int full_health(struct store *store)
{
    (void)store;
    return atomic_load(&full) ? ERR_STORAGE_FULL : 0;
}

static int resume_at_once(struct store *store)
{
    (void)store;
    atomic_store(&full, false);
    return 0;
}

static int sweep_nothing(struct store *store, size_t limit, bool *left)
{
    (void)store, (void)limit;
    *left = false;
    return 0;
}

static int count_lost(struct store *store, const struct store_expiry *expiry, bool *left)
{
    (void)store;
    *left = false;
    if (expiry->limit == 0) {
        assert(expiry->under_way == never);
        bool now = expiry->lost_before_ms == INT64_MAX;
        assert(now || expiry->lost_before_ms <= clock_real_ms() - 120000);
        atomic_fetch_add(now ? &ended_at_once : &ended_later, 1);
    }
    return 0;
}

/* At its start as usual; and once more, without waiting, when a full disk has room again. */
static void ends_what_a_full_disk_left(void **state)
{
    (void)state;
    const struct store_ops ops = {
        .health = full_health, .resume = resume_at_once, .sweep = sweep_nothing, .expire = count_lost};
    struct store store = {.ops = &ops};
    struct housekeeping_options options = {.store = &store, .under_way = never};
    struct housekeeping *housekeeping;
    assert_int_equal(housekeeping_start(&options, &housekeeping), 0);
    for (int i = 0; i < 1000 && atomic_load(&ended_later) == 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(atomic_load(&ended_at_once), 0);
    atomic_store(&full, true);
    for (int i = 0; i < 1000 && atomic_load(&ended_at_once) == 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    assert_int_equal(atomic_load(&ended_at_once), 1);
    assert_int_equal(atomic_load(&ended_later), 1);
    housekeeping_stop(&housekeeping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sweeps), cmocka_unit_test(gives_up_once),
                                       cmocka_unit_test(ends_what_a_full_disk_left), cmocka_unit_test(stops_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
