/* An import's life and answer: one error for all its faults, its bounds, and those who leave early. */
#include "fixture.h"

#include <stdlib.h>
#include <time.h>

#include "../test.h"
#include "intake/intake_priv.h"

static const struct fixture_options CYREXA = {.contract = "cyrexa"};

static void one_error(void **state)
{
    (void)state;
    static const struct {
        int faults[3]; /* codes of errors, 0: none */
        bool conflicts;
        int error;
    } rows[] = {
        {{0}, true, 0},
        {{ERR_EXTERNAL_ID_CONFLICT}, true, ERR_EXTERNAL_ID_CONFLICT},
        {{ERR_UNIQUE_CONFLICT, ERR_UNIQUE_CONFLICT}, true, ERR_UNIQUE_CONFLICT},
        {{ERR_BUSY, ERR_BUSY}, true, ERR_BUSY},
        {{ERR_BUSY, ERR_EXTERNAL_ID_CONFLICT}, true, ERR_EXTERNAL_ID_CONFLICT}, /* coming back would not help */
        {{ERR_UNIQUE_CONFLICT, ERR_BUSY}, true, ERR_EXTERNAL_ID_CONFLICT},
        {{ERR_SCOPE_MISSING, ERR_SCOPE_MISSING}, false, ERR_SCOPE_MISSING},
        {{ERR_SCOPE_MISSING, ERR_FAULTS}, false, ERR_FAULTS},
        {{ERR_FAULTS}, false, ERR_FAULTS},
        {{ERR_BUSY, ERR_FAULTS}, false, ERR_FAULTS},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture_batch batch;
        struct intake_answer answer;
        fixture_begin(&fixture, &batch, &CYREXA);
        for (size_t j = 0; j < 3 && rows[i].faults[j] != 0; j++) {
            struct intake_fault fault = {.code = err_code(rows[i].faults[j])};
            import_add_fault(batch.import, &fault);
        }
        batch.import->conflicts_only = rows[i].conflicts;
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
    batch.import->ids.error = ERR_NO_MEMORY;
    intake_answer(batch.import, &answer);
    assert_int_equal(answer.error, ERR_OUTCOME_UNKNOWN);
    fixture_end(&batch);
    fixture_fini(&fixture);
}

/* However many clients begin and leave, the queues hold what they leave. */
static void imports_are_bounded(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch *batches = calloc(1000, sizeof *batches);
    size_t begun = 0;
    int err = 0;
    assert_non_null(batches);
    fixture_init(&fixture, false);
    while (begun < 1000 && err == 0) {
        struct intake_admission admission = {.contract = fixture_contract(&fixture, "cyrexa"),
                                             .grant = {.tenant = fixture.tenant, .scopes = SCOPE_ALL}};
        struct intake_waker waker = {0};
        err = intake_begin(fixture.intake, &admission, &waker, &batches[begun].import);
        begun += err == 0 ? 1 : 0;
    }
    assert_int_equal(err, ERR_OVERLOADED);
    assert_true(begun >= 64); /* as many as there are connections always may */
    for (size_t i = 0; i < begun; i++) {
        intake_release(&batches[i].import);
    }
    struct fixture_batch batch;
    for (int i = 0; i < 1000; i++) { /* what they left is ended in a while */
        pthread_mutex_lock(&fixture.intake->lock);
        size_t left = fixture.intake->import_count;
        pthread_mutex_unlock(&fixture.intake->lock);
        if (left == 0) {
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    fixture_post(&fixture, &batch, &CYREXA, SLICE("[{}]"));
    assert_int_equal(batch.answer.error, 0);
    fixture_end(&batch);
    free(batches);
    fixture_fini(&fixture);
}

/* Released at every stage of a body: never begun to feed, within an item, between chunks. */
static void released_at_every_stage(void **state)
{
    (void)state;
    struct fixture fixture;
    struct buf body, text;
    fixture_init(&fixture, true);
    buf_init(&body, 0);
    buf_init(&text, 0);
    for (int i = 0; i < 3000; i++) {
        buf_printf(&body, "%s{\"id\":\"left%d\"}", i == 0 ? "[" : ",", i);
    }
    buf_append_text(&body, "]");
    for (size_t fed = 0; fed < body.size; fed += fed < 40 ? 1 : 4999) {
        struct fixture_batch batch;
        fixture_begin(&fixture, &batch, &CYREXA);
        fixture_take(&batch, slice_make(body.data, fed));
        fixture_end(&batch);
    }
    intake_free(&fixture.intake); /* ends what was taken */
    struct registry_query query = {.kind = IDENTIFIER_NONE, .limit = 1};
    assert_int_equal(registry_customer_list(&fixture.registry, fixture.tenant, &query, &text), 0);
    assert_true(slice_equal_text(buf_view(&text), "{\"customers\":[]}"));
    buf_fini(&text);
    buf_fini(&body);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_error), cmocka_unit_test(answer_of_what_was_not_kept),
                                       cmocka_unit_test(kept_but_unspeakable), cmocka_unit_test(imports_are_bounded),
                                       cmocka_unit_test(released_at_every_stage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
