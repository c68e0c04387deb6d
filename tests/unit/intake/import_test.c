/* An import's life: its bounds, and those who leave early. */
#include "fixture.h"

#include <stdlib.h>
#include <time.h>

#include "../test.h"
#include "intake/intake_priv.h"

static const struct fixture_options CYREXA = {.contract = "cyrexa"};

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

/* So much is under way that another import is told to come again, before its body. */
static void a_full_intake_takes_no_more(void **state)
{
    (void)state;
    static const size_t bytes[] = {160u << 20, (160u << 20) - 1};
    static const int errors[] = {ERR_OVERLOADED, 0};
    struct fixture fixture;
    fixture_init(&fixture, false); /* 64 MiB may be under way */
    for (size_t i = 0; i < COUNT_OF(bytes); i++) {
        struct intake_import *import = NULL;
        struct intake_admission admission = {.contract = fixture_contract(&fixture, "cyrexa"),
                                             .grant = {.tenant = fixture.tenant, .scopes = SCOPE_ALL}};
        struct intake_waker waker = {0};
        pthread_mutex_lock(&fixture.intake->lock);
        fixture.intake->bytes += bytes[i];
        pthread_mutex_unlock(&fixture.intake->lock);
        assert_int_equal(intake_begin(fixture.intake, &admission, &waker, &import), errors[i]);
        pthread_mutex_lock(&fixture.intake->lock);
        fixture.intake->bytes -= bytes[i];
        pthread_mutex_unlock(&fixture.intake->lock);
        intake_release(&import);
    }
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(imports_are_bounded),
                                       cmocka_unit_test(a_full_intake_takes_no_more),
                                       cmocka_unit_test(released_at_every_stage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
