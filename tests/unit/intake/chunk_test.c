/* Backpressure: an import that may have little under way rests, is woken, and loses nothing. */
#include "fixture.h"

#include "../test.h"

static void tight_memory_makes_it_rest(void **state)
{
    (void)state;
    for (int tight = 0; tight < 2; tight++) {
        struct fixture fixture;
        struct fixture_batch batch;
        struct buf body;
        struct fixture_options options = {.contract = "cyrexa", .piece_size = 64u << 10};
        fixture_init(&fixture, tight == 1);
        buf_init(&body, 0);
        for (int i = 0; i < 12000; i++) {
            buf_printf(&body, "%s{\"id\":\"%d\",\"customerName\":\"%0300d\"}", i == 0 ? "[" : ",", i, i);
        }
        buf_append_text(&body, "]");
        fixture_post(&fixture, &batch, &options, buf_view(&body));
        assert_int_equal(batch.answer.error, 0);
        assert_int_equal(batch.answer.created, 12000);
        if (tight == 1) {
            assert_true(batch.rests > 0);
        }
        fixture_end(&batch);
        buf_fini(&body);
        fixture_fini(&fixture);
    }
}

/* One that was begun and never fed does not keep another from going on. */
static void idle_import_holds_nobody_up(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch idle, batch;
    struct fixture_options options = {.contract = "cyrexa"};
    fixture_init(&fixture, true);
    fixture_begin(&fixture, &idle, &options);
    fixture_take(&idle, SLICE("[{\"id\":\"idle"));
    fixture_post(&fixture, &batch, &options, SLICE("[{\"id\":\"quick\"}]"));
    assert_int_equal(batch.answer.error, 0);
    fixture_end(&batch);
    fixture_end(&idle);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tight_memory_makes_it_rest),
                                       cmocka_unit_test(idle_import_holds_nobody_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
