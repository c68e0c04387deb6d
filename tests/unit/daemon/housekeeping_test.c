/* Housekeeping: what an aborted import left is swept without being asked for, and a stop does not wait. */
#include "../intake/fixture.h"

#include <time.h>

#include "../test.h"
#include "base/clock.h"
#include "daemon/daemon_priv.h"

/* Rows of imports that were aborted when some of them had been kept. */
static void leave_rows(struct fixture *fixture)
{
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa"};
    struct buf body;
    buf_init(&body, 0);
    for (int i = 0; i < 4500; i++) {
        buf_printf(&body, "%s{\"id\":\"%d\"}", i == 0 ? "[" : ",", i);
    }
    buf_append_text(&body, ",{\"id\":1}]"); /* a fault in the last chunk */
    fixture_post(fixture, &batch, &options, buf_view(&body));
    assert_int_equal(batch.answer.error, ERR_FAULTS);
    fixture_end(&batch);
    buf_fini(&body);
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
    assert_int_equal(housekeeping_start(fixture.store, &housekeeping), 0);
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
    int64_t start = clock_monotonic_ns();
    for (int i = 0; i < 20; i++) {
        assert_int_equal(housekeeping_start(store, &housekeeping), 0);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); /* it rests for a second by now */
        housekeeping_stop(&housekeeping);
        assert_null(housekeeping);
    }
    assert_true(clock_monotonic_ns() - start < 10000000000);
    housekeeping_stop(&housekeeping); /* none */
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sweeps), cmocka_unit_test(stops_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
