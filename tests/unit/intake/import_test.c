/* An import's life: its bounds, and those who leave early. */
#include "fixture.h"

#include <stdlib.h>
#include <time.h>

#include "../test.h"
#include "intake/intake_priv.h"

static const struct fixture_options CYREXA = {.contract = "cyrexa"};

/* What was left is ended in a while. */
static void wait_until_idle(struct fixture *fixture)
{
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&fixture->intake->lock);
        size_t left = fixture->intake->import_count;
        pthread_mutex_unlock(&fixture->intake->lock);
        if (left == 0) {
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

static void add_bytes(struct fixture *fixture, size_t bytes)
{
    pthread_mutex_lock(&fixture->intake->lock);
    fixture->intake->bytes += bytes;
    pthread_mutex_unlock(&fixture->intake->lock);
}

static size_t filled(struct fixture *fixture)
{
    pthread_mutex_lock(&fixture->intake->lock);
    size_t bytes = fixture->intake->filled;
    pthread_mutex_unlock(&fixture->intake->lock);
    return bytes;
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
    wait_until_idle(&fixture);
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

/* An item that comes slowly, in small pieces. */
static void feed_slowly(struct fixture_batch *batch, struct slice body)
{
    while (body.size > 0) {
        size_t size = body.size < 40000 ? body.size : 40000;
        fixture_take(batch, slice_make(body.data, size));
        body = slice_from(body, size);
    }
}

/* What clients fill chunks with counts against new imports while it comes. */
static void what_is_being_filled_counts(void **state)
{
    (void)state;
    static const size_t free_bytes[] = {1000000, 800000};
    static const int errors[] = {0, ERR_OVERLOADED};
    struct fixture fixture;
    struct fixture_batch slow, other;
    struct buf body;
    fixture_init(&fixture, false); /* 64 MiB and 96 may be there */
    buf_init(&body, 0);
    buf_printf(&body, "[{\"id\":\"slow\",\"customerName\":\"%0*d", 900000, 7);
    for (size_t i = 0; i < COUNT_OF(free_bytes); i++) {
        size_t bytes = (160u << 20) - free_bytes[i];
        add_bytes(&fixture, bytes);
        fixture_begin(&fixture, &slow, &CYREXA);
        feed_slowly(&slow, buf_view(&body));
        assert_int_equal(fixture_try(&fixture, &other, &CYREXA), errors[i]);
        fixture_end(&other);
        fixture_end(&slow);
        wait_until_idle(&fixture);
        add_bytes(&fixture, -bytes);
        assert_int_equal(filled(&fixture), 0);
    }
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* All of it is given back, be it of one chunk or of several. */
static void what_was_filled_is_given_back(void **state)
{
    (void)state;
    struct fixture fixture;
    struct buf item;
    fixture_init(&fixture, false);
    buf_init(&item, 0);
    buf_printf(&item, "{\"id\":\"slow\",\"customerName\":\"%0*d\"}", 900000, 7);
    for (size_t items = 1; items < 6; items++) { /* three fill a chunk */
        struct fixture_batch slow;
        fixture_begin(&fixture, &slow, &CYREXA);
        for (size_t i = 0; i < items; i++) {
            fixture_take(&slow, i == 0 ? SLICE("[") : SLICE(","));
            feed_slowly(&slow, buf_view(&item));
        }
        size_t bytes = (items > 3 ? items - 3 : items) * item.size;
        assert_true(filled(&fixture) <= bytes && filled(&fixture) + (64u << 10) > bytes);
        fixture_take(&slow, SLICE("]"));
        fixture_finish(&slow);
        assert_int_equal(filled(&fixture), 0);
        fixture_end(&slow);
    }
    buf_fini(&item);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imports_are_bounded), cmocka_unit_test(a_full_intake_takes_no_more),
        cmocka_unit_test(what_is_being_filled_counts), cmocka_unit_test(what_was_filled_is_given_back),
        cmocka_unit_test(released_at_every_stage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
