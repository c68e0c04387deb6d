/* The thread in reserve: the last one waits a moment for another to come back, and then no more until one does. */
#include <pthread.h>
#include <time.h>

#include "../test.h"
#include "base/clock.h"
#include "http/http_priv.h"

#define MOMENT_MS 250

static struct http_server make(size_t threads, bool shared)
{
    return (struct http_server){.options = {.threads = threads, .store_shared = shared}};
}

static int64_t enter_ms(struct http_server *server, bool expected)
{
    int64_t since = clock_monotonic_ns();
    assert_int_equal(http_reserve_enter(server), expected);
    return (clock_monotonic_ns() - since) / 1000000;
}

static void none_is_kept(void **state)
{
    (void)state;
    static const struct {
        size_t threads;
        bool shared;
    } rows[] = {{8, false}, {1, true}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_server server = make(rows[i].threads, rows[i].shared);
        http_reserve_init(&server);
        for (int j = 0; j < 20; j++) {
            assert_true(http_reserve_enter(&server));
        }
        http_reserve_leave(&server);
        http_reserve_fini(&server);
    }
}

static void last_is_kept(void **state)
{
    (void)state;
    struct http_server server = make(3, true);
    http_reserve_init(&server);
    (void)enter_ms(&server, true);
    (void)enter_ms(&server, true);
    assert_true(enter_ms(&server, false) >= MOMENT_MS - 1);
    assert_true(server.reserve.stuck); /* so the next is not let wait */
    (void)enter_ms(&server, false);
    http_reserve_leave(&server);
    assert_false(server.reserve.stuck);
    (void)enter_ms(&server, true);
    assert_true(enter_ms(&server, false) >= MOMENT_MS - 1);
    http_reserve_fini(&server);
}

static void *leave_soon(void *context)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    http_reserve_leave(context);
    return NULL;
}

/* With a database that answers, all threads asking it at once is nothing unusual. */
static void one_comes_back(void **state)
{
    (void)state;
    struct http_server server = make(2, true);
    pthread_t thread;
    http_reserve_init(&server);
    (void)enter_ms(&server, true);
    assert_int_equal(pthread_create(&thread, NULL, leave_soon, &server), 0);
    assert_true(http_reserve_enter(&server));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(server.reserve.stuck);
    http_reserve_fini(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(none_is_kept), cmocka_unit_test(last_is_kept),
                                       cmocka_unit_test(one_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
