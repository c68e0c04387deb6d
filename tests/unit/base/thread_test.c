/* A thread runs with what it is given, and the system knows its name. */
#include "base/thread.h"

#include <string.h>

#include "../test.h"

static pthread_barrier_t named;

static void *run(void *context)
{
    char name[THREAD_NAME_MAX + 1];
    pthread_barrier_wait(&named);
    int err = pthread_getname_np(pthread_self(), name, sizeof name);
    return err == 0 && strcmp(name, "fifteen letters") == 0 ? context : NULL;
}

static void name(void **state)
{
    (void)state;
    pthread_t thread;
    void *given = NULL;
    int context = 0;
    pthread_barrier_init(&named, NULL, 2);
    assert_int_equal(thread_start(&thread, "fifteen letters", run, &context), 0);
    pthread_barrier_wait(&named);
    pthread_join(thread, &given);
    assert_ptr_equal(given, &context);
    pthread_barrier_destroy(&named);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
