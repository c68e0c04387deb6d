/* Keep: same content, other content, repeats within a body, and many imports at once. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "../test.h"

static const struct fixture_options CYREXA = {.contract = "cyrexa"};

static void post(struct fixture *fixture, struct fixture_batch *batch, const char *body)
{
    fixture_post(fixture, batch, &CYREXA, slice_from_text(body));
}

static void outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int error;
        uint64_t created, existing;
        int conflict; /* index of the item at fault, or -1 */
    } rows[] = {
        {"[{\"id\":\"a\",\"customerName\":\"x\"}]", 0, 1, 0, -1},
        {"[{\"customerName\":\"\\u0078\",  \"id\":\"a\"}]", 0, 0, 1, -1},
        {"[{\"id\":\"a\",\"customerName\":\"y\"}]", ERR_EXTERNAL_ID_CONFLICT, 0, 0, 0},
        {"[{\"id\":\"b\"},{\"id\":\"a\"}]", ERR_EXTERNAL_ID_CONFLICT, 0, 0, 1},
        {"[{\"id\":\"b\"},{\"id\":\"b\"}]", 0, 1, 1, -1},
        {"[{\"id\":\"c\"},{\"id\":\"c\",\"customerName\":\"x\"}]", ERR_EXTERNAL_ID_CONFLICT, 0, 0, 1},
        {"[{\"id\":\"c\",\"customerStatus\":\"under_verification\"}]", 0, 1, 0, -1},
        {"[{\"id\":\"c\",\"customerStatus\":\"under_verificaiton\"}]", 0, 0, 1, -1},
        {"[{\"id\":\"d\",\"person\":{\"password\":\"one\"}}]", 0, 1, 0, -1},
        {"[{\"id\":\"d\",\"person\":{\"password\":\"two\"}}]", ERR_EXTERNAL_ID_CONFLICT, 0, 0, 0},
        {"[{\"id\":\"d\",\"person\":{\"password\":\"one\"}}]", 0, 0, 1, -1},
        {"[{\"customerName\":\"no id\"},{\"customerName\":\"no id\"}]", 0, 2, 0, -1},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture_batch batch;
        post(&fixture, &batch, rows[i].body);
        const struct intake_answer *answer = &batch.answer;
        if (answer->error != rows[i].error) {
            fail_msg("row %zu: %s", i, err_code(answer->error));
        }
        if (rows[i].error == 0) {
            assert_int_equal(answer->created, rows[i].created);
            assert_int_equal(answer->existing, rows[i].existing);
        } else {
            assert_int_equal(answer->fault_count, 1);
            assert_int_equal(answer->faults[0].index, rows[i].conflict);
            assert_string_equal(answer->faults[0].code, "external-id-conflict");
            assert_false(uuid_is_zero(&answer->faults[0].customer));
        }
        fixture_end(&batch);
    }
    fixture_fini(&fixture);
}

/* A conflict in the last of many chunks undoes the chunks that were kept before it. */
static void late_conflict_undoes_all(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct buf body, text;
    fixture_init(&fixture, false);
    buf_init(&body, 0);
    buf_init(&text, 0);
    post(&fixture, &batch, "[{\"id\":\"k4999\",\"customerName\":\"first\"}]");
    assert_int_equal(batch.answer.error, 0);
    fixture_end(&batch);
    for (size_t i = 0; i < 5000; i++) {
        buf_printf(&body, "%s{\"id\":\"k%zu\"}", i == 0 ? "[" : ",", i);
    }
    buf_append_text(&body, "]");
    fixture_post(&fixture, &batch, &CYREXA, buf_view(&body));
    assert_int_equal(batch.answer.error, ERR_EXTERNAL_ID_CONFLICT);
    assert_int_equal(batch.answer.faults[0].index, 4999);
    fixture_end(&batch);
    struct registry_query query = {.kind = IDENTIFIER_NONE, .limit = 10};
    assert_int_equal(registry_customer_list(&fixture.registry, fixture.tenant, &query, &text), 0);
    buf_append_byte(&text, 0);
    assert_non_null(strstr(text.data, "\"first\""));
    assert_null(strstr(text.data, "\"next\""));
    /* The ids that the aborted import held are free again, before any sweep. */
    post(&fixture, &batch, "[{\"id\":\"k0\",\"customerName\":\"second\"}]");
    assert_int_equal(batch.answer.error, 0);
    fixture_end(&batch);
    buf_fini(&text);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* The same customer for another project or of another type is other content, in one chunk and in many. */
static void envelope_counts_as_content(void **state)
{
    (void)state;
    static const struct {
        const char *type, *project;
        int error;
    } rows[] = {{"Individual", "p", 0},
                {"Individual", "p", 0},
                {"Company", "p", ERR_EXTERNAL_ID_CONFLICT},
                {"Individual", "q", ERR_EXTERNAL_ID_CONFLICT}};
    static const struct fixture_options nexera = {.contract = "nexera"};
    for (size_t count = 1; count < 4000; count += 2500) {
        struct fixture fixture;
        fixture_init(&fixture, false);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct fixture_batch batch;
            struct buf body;
            buf_init(&body, 0);
            buf_printf(&body, "{\"customerType\":\"%s\",\"customerData\":[", rows[i].type);
            for (size_t j = 0; j < count; j++) {
                buf_printf(&body, "%s{\"customerClaims\":{\"sub\":\"%zu\"}}", j == 0 ? "" : ",", j);
            }
            buf_printf(&body, "],\"cmsProjectId\":\"%s\"}", rows[i].project);
            fixture_post(&fixture, &batch, &nexera, buf_view(&body));
            if (batch.answer.error != rows[i].error) {
                fail_msg("row %zu of %zu: %s", i, count, err_code(batch.answer.error));
            }
            assert_int_equal(batch.answer.existing, i == 1 ? count : 0);
            for (size_t j = 0; j < batch.answer.fault_count; j++) {
                assert_false(uuid_is_zero(&batch.answer.faults[j].customer));
            }
            fixture_end(&batch);
            buf_fini(&body);
        }
        fixture_fini(&fixture);
    }
}

#define THREADS 8
#define ROUNDS  30

struct racer {
    struct fixture *fixture;
    size_t number;
    char ids[ROUNDS][UUID_TEXT_BYTES + 1];
};

static void *race(void *context)
{
    struct racer *racer = context;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct fixture_batch batch;
        char body[64];
        snprintf(body, sizeof body, "[{\"id\":\"race%zu\"}]", i);
        post(racer->fixture, &batch, body);
        assert_int_equal(batch.answer.error, 0);
        buf_append_byte(&batch.reply, 0);
        const char *id = strstr(batch.reply.data, "\"customerId\":\"");
        assert_non_null(id);
        memcpy(racer->ids[i], id + 14, UUID_TEXT_BYTES);
        fixture_end(&batch);
    }
    return NULL;
}

/* The same external ids from several threads at once: all are told the same customer. */
static void races_have_one_winner(void **state)
{
    (void)state;
    static struct racer racers[THREADS];
    struct fixture fixture;
    pthread_t threads[THREADS];
    fixture_init(&fixture, false);
    for (size_t i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.fixture = &fixture, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 1; i < THREADS; i++) {
        for (size_t round = 0; round < ROUNDS; round++) {
            assert_string_equal(racers[i].ids[round], racers[0].ids[round]);
        }
    }
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(outcomes), cmocka_unit_test(late_conflict_undoes_all),
                                       cmocka_unit_test(envelope_counts_as_content),
                                       cmocka_unit_test(races_have_one_winner)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
