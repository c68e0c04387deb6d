/* Runs that are made durable beside the lane: an import of several, all of which are kept, or one of which fails. */
#include "fixture.h"

#include "../test.h"
#include "store/store_priv.h"

#define ITEMS 210000u /* more than two runs */

/* The store's own operations, but the n-th end of a run fails. */
static const struct store_ops *real;
static size_t ends;
static size_t failing; /* 0: none */

static int finish_or_fail(struct store_run **run)
{
    if (++ends == failing) {
        real->run_cancel(run);
        return ERR_NO_MEMORY;
    }
    return real->run_finish(run);
}

static void post(struct fixture *fixture, struct fixture_batch *batch, struct buf *body)
{
    struct fixture_options options = {.contract = "cyrexa", .shape = INTAKE_COUNTS};
    buf_init(body, 0);
    buf_append_byte(body, '[');
    fixture_items(body, 0, ITEMS, true);
    buf_append_byte(body, ']');
    fixture_post(fixture, batch, &options, buf_view(body));
}

static void several_runs(void **state)
{
    (void)state;
    for (failing = 0; failing <= 3; failing++) {
        struct fixture fixture;
        struct fixture_batch batch;
        struct store_import row;
        struct buf body;
        fixture_init(&fixture, false);
        real = fixture.store->ops;
        struct store_ops planted = *real;
        planted.run_finish = finish_or_fail;
        fixture_plant(&fixture, &planted);
        ends = 0;
        post(&fixture, &batch, &body);
        fixture_row(&fixture, intake_import_id(batch.import), &row);
        assert_int_equal(batch.answer.error, failing == 0 ? 0 : ERR_NO_MEMORY);
        assert_int_equal(row.state, failing == 0 ? IMPORT_COMMITTED : IMPORT_ABORTED);
        if (failing == 0) {
            assert_true(ends >= 3); /* more when the lane had nothing to do for a while */
        } else {
            assert_int_equal(ends, failing); /* behind one that failed none is finished */
        }
        assert_int_equal(batch.answer.created, failing == 0 ? ITEMS : 0);
        assert_int_equal(fixture_customers(&fixture), failing == 0 ? ITEMS : 0);
        fixture_end(&batch);
        fixture_plant(&fixture, real);
        buf_fini(&body);
        fixture_fini(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(several_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
