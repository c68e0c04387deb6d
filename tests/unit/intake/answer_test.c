/* Answer: one error for the whole request, and nothing that reads as if it had been kept. */
#include "fixture.h"

#include <stdlib.h>

#include "../test.h"
#include "intake/intake_priv.h"

static const struct fixture_options CYREXA = {.contract = "cyrexa"};

static void one_error(void **state)
{
    (void)state;
    static const struct {
        int faults[3]; /* codes of errors, 0: none */
        int error;
    } rows[] = {
        {{0}, 0},
        {{ERR_EXTERNAL_ID_CONFLICT}, ERR_EXTERNAL_ID_CONFLICT},
        {{ERR_UNIQUE_CONFLICT, ERR_UNIQUE_CONFLICT}, ERR_UNIQUE_CONFLICT},
        {{ERR_BUSY, ERR_BUSY}, ERR_BUSY},
        {{ERR_BUSY, ERR_EXTERNAL_ID_CONFLICT}, ERR_EXTERNAL_ID_CONFLICT}, /* coming back would not help */
        {{ERR_UNIQUE_CONFLICT, ERR_BUSY}, ERR_EXTERNAL_ID_CONFLICT},
        {{ERR_SCOPE_MISSING, ERR_SCOPE_MISSING}, ERR_SCOPE_MISSING},
        {{ERR_SCOPE_MISSING, ERR_FAULTS}, ERR_FAULTS},
        {{ERR_FAULTS}, ERR_FAULTS},
        {{ERR_BUSY, ERR_FAULTS}, ERR_FAULTS},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture_batch batch;
        struct intake_answer answer;
        fixture_begin(&fixture, &batch, &CYREXA);
        for (size_t j = 0; j < 3 && rows[i].faults[j] != 0; j++) {
            counts_add(batch.import->counts.fault_counts, STORE_FAULT_CODES, err_code(rows[i].faults[j]), 1);
            batch.import->counts.faults++;
        }
        batch.import->failed = rows[i].error != 0;
        intake_answer(batch.import, &answer);
        if (answer.error != rows[i].error) {
            fail_msg("row %zu: %s", i, err_code(answer.error));
        }
        fixture_end(&batch);
    }
    fixture_fini(&fixture);
}

/* What is told of an import that was not kept must not read as if it had been. */
static void answer_of_what_was_not_kept(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct buf body;
    fixture_init(&fixture, false);
    buf_init(&body, 0);
    for (int i = 0; i < 6000; i++) {
        buf_printf(&body, "%s{\"id\":\"%d\"}", i == 0 ? "[" : ",", i);
    }
    buf_append_text(&body, ",{\"id\":1}]");
    fixture_post(&fixture, &batch, &CYREXA, buf_view(&body));
    assert_int_equal(batch.answer.error, ERR_FAULTS);
    assert_int_equal(batch.answer.created, 0);
    assert_int_equal(batch.answer.existing, 0);
    assert_int_equal(batch.reply.size, 0);
    fixture_end(&batch);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* Kept, but the ids are lost to want of memory: "nothing was kept" would be a lie. */
static void kept_but_unspeakable(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct intake_answer answer;
    fixture_init(&fixture, false);
    fixture_post(&fixture, &batch, &CYREXA, SLICE("[{}]"));
    assert_int_equal(batch.answer.error, 0);
    batch.import->outcomes.error = ERR_NO_MEMORY;
    intake_answer(batch.import, &answer);
    assert_int_equal(answer.error, ERR_OUTCOME_UNKNOWN);
    fixture_end(&batch);
    fixture_fini(&fixture);
}

/* Aborted, and no fault or error says why: not a yes, neither at first nor again. */
static void aborted_is_no_yes(void **state)
{
    (void)state;
    static const struct fixture_options options = {.contract = "cyrexa", .key = "k"};
    struct fixture fixture;
    struct fixture_batch batch;
    struct intake_answer answer;
    fixture_init(&fixture, false);
    for (int again = 0; again < 2; again++) {
        fixture_begin_again(&fixture, &batch, &options);
        fixture_take(&batch, SLICE("[{}]"));
        fixture_finish(&batch);
        assert_int_equal(batch.answer.error, 0);
        assert_int_equal(batch.answer.replayed, again);
        batch.import->failed = !again;
        batch.import->row.state = IMPORT_ABORTED;
        intake_answer(batch.import, &answer);
        assert_int_equal(answer.error, ERR_OUTCOME_UNKNOWN);
        assert_int_equal(answer.created, 0);
        fixture_end(&batch);
    }
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_error), cmocka_unit_test(answer_of_what_was_not_kept),
                                       cmocka_unit_test(kept_but_unspeakable), cmocka_unit_test(aborted_is_no_yes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
