/* The machinery's end: what was taken is finished, what comes later is refused. */
#include "fixture.h"

#include <time.h>

#include "../test.h"
#include "intake/intake_priv.h"

static const struct fixture_options CYREXA = {.contract = "cyrexa"};

static void *free_intake(void *context)
{
    struct intake *intake = context;
    intake_free(&intake);
    return NULL;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static bool is_stopping(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    bool stopping = intake->stopping;
    pthread_mutex_unlock(&intake->lock);
    return stopping;
}

static void stop_waits_for_what_was_taken(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct uuid id;
    pthread_t thread;
    fixture_init(&fixture, false);
    struct intake *intake = fixture.intake;
    fixture_begin(&fixture, &batch, &CYREXA);
    id = *intake_import_id(batch.import);
    fixture_take(&batch, SLICE("[{\"id\":\"a\"},"));
    fixture.intake = NULL;
    assert_int_equal(pthread_create(&thread, NULL, free_intake, intake), 0);
    while (!is_stopping(intake)) {
        pause_ms(1);
    }
    struct intake_import *late = NULL;
    struct intake_waker waker = {0};
    assert_int_equal(intake_begin(intake, &batch.import->admission, &waker, &late), ERR_STOPPING);
    assert_null(late);
    fixture_take(&batch, SLICE("{\"id\":\"b\"}]"));
    fixture_finish(&batch);
    assert_int_equal(batch.answer.error, 0);
    assert_int_equal(batch.answer.created, 2);
    fixture_end(&batch);
    pthread_join(thread, NULL);
    struct store_import row;
    struct buf envelope;
    buf_init(&envelope, 0);
    assert_int_equal(store_import_get(fixture.store, &fixture.tenant->id, &id, &row, &envelope), 0);
    assert_int_equal(row.state, IMPORT_COMMITTED);
    buf_fini(&envelope);
    fixture_fini(&fixture);
}

/* Started and stopped, idle and just used: no thread is waited for in vain. */
static void again_and_again(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct fixture fixture;
        struct fixture_batch batch;
        fixture_init(&fixture, i % 2 == 0);
        if (i % 3 == 0) {
            fixture_post(&fixture, &batch, &CYREXA, SLICE("[{\"person\":{\"pinCode\":\"1234\"}}]"));
            assert_int_equal(batch.answer.error, 0);
            fixture_end(&batch);
        }
        fixture_fini(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stop_waits_for_what_was_taken),
                                       cmocka_unit_test(again_and_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
