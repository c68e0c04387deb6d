/* Backpressure: an import that may have little under way rests, is woken, and loses nothing. */
#include "fixture.h"

#include "../test.h"
#include "intake/intake_priv.h"

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

/* What is a whole import by itself passes the chunks of a larger one; those keep their order. */
static void small_imports_pass_large_ones(void **state)
{
    (void)state;
    struct auth_tenant tenant = {.id = {{1}}};
    struct intake_import import = {.admission = {.grant = {.tenant = &tenant}}};
    struct intake_chunk chunks[] = {{.number = 0},
                                    {.number = 1},
                                    {.number = 2, .last = true},
                                    {.number = 0, .last = true},
                                    {.number = 0, .last = true}};
    static const size_t expected[] = {3, 4, 0, 1, 2};
    struct fair *queue = fair_new(COUNT_OF(chunks), LIMIT_CHUNK_BYTES);
    for (size_t i = 0; i < COUNT_OF(chunks); i++) {
        chunks[i].import = &import;
        chunk_push(queue, &chunks[i]);
    }
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_ptr_equal(fair_pop(queue), &chunks[expected[i]]);
    }
    fair_free(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_imports_pass_large_ones),
                                       cmocka_unit_test(tight_memory_makes_it_rest),
                                       cmocka_unit_test(idle_import_holds_nobody_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
