/* The watermark: kept over closing and over the end of a process, never going back. */
#include "store/watermark_priv.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"

static char path[64];

static struct store_watermark *open_it(void)
{
    struct store_watermark *watermark = NULL;
    struct buf why;
    buf_init(&why, 0);
    assert_int_equal(store_watermark_open(path, &watermark, &why), 0);
    buf_fini(&why);
    return watermark;
}

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/muster-watermark-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void survives_closing_and_a_process(void **state)
{
    (void)state;
    struct store_watermark *watermark = open_it();
    assert_int_equal(store_watermark_get(watermark), 0);
    store_watermark_set(watermark, 7);
    store_watermark_set(watermark, 5);
    assert_int_equal(store_watermark_get(watermark), 7);
    store_watermark_close(&watermark);
    assert_null(watermark);
    pid_t child = fork();
    if (child == 0) {
        store_watermark_set(open_it(), UINT64_MAX - 1);
        _exit(0); /* without closing */
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    watermark = open_it();
    assert_true(store_watermark_get(watermark) == UINT64_MAX - 1);
    store_watermark_close(&watermark);
}

static void *raise_it(void *context)
{
    for (uint64_t i = 1; i <= 20000; i++) {
        store_watermark_set(context, i);
    }
    return NULL;
}

static void threads_leave_the_highest(void **state)
{
    (void)state;
    struct store_watermark *watermark = open_it();
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, raise_it, watermark), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(store_watermark_get(watermark), 20000);
    store_watermark_close(&watermark);
}

static void unusable_path_is_told(void **state)
{
    (void)state;
    struct store_watermark *watermark = NULL;
    struct buf why;
    buf_init(&why, 0);
    assert_int_equal(store_watermark_open("/proc/no/such/file", &watermark, &why), ERR_STORAGE_IO);
    assert_null(watermark);
    assert_true(why.size > 0);
    buf_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(survives_closing_and_a_process, make_path, remove_path),
        cmocka_unit_test_setup_teardown(threads_leave_the_highest, make_path, remove_path),
        cmocka_unit_test(unusable_path_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
