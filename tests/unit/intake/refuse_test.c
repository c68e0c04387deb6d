/* Refuse: what is kept of a refused item shows no secret, whatever stands in its place, and nothing of what can't be
 * read; and a list of faults may be sent again as it is. */
#include "fixture.h"

#include "../test.h"
#include "record/record.h"

#define SECRET "hunter2"

/* The refused items' texts of an import, a line each. */
static void shown(struct fixture *fixture, const struct uuid *id, struct buf *texts)
{
    struct buf row, plain;
    struct record_refused refused;
    struct slice text, faults;
    uint64_t index;
    uint32_t chunk = 0;
    buf_init(texts, 0);
    buf_init(&row, 0);
    buf_init(&plain, 0);
    assert_int_equal(store_import_faults(fixture->store, &fixture->tenant->id, id, &chunk, &row), 0);
    assert_int_equal(
        record_refused_open(&fixture->tenant->id, id, chunk, buf_view(&row), fixture->tenant->keys, &plain, &refused),
        0);
    while (record_refused_next(&refused, &index, &text, &faults)) {
        buf_append_slice(texts, text);
        buf_append_byte(texts, '\n');
    }
    buf_append_byte(texts, 0);
    assert_null(memmem(row.data, row.size, SECRET, strlen(SECRET)));
    buf_fini(&row);
    buf_fini(&plain);
}

static void secrets(void **state)
{
    (void)state;
    static const struct {
        uint8_t format;
        const char *body, *shown;
        bool partial_only; /* an atomic body is malformed */
    } rows[] = {
        {IMPORT_JSON, "[{\"id\":5,\"person\":{\"password\":\"" SECRET "\"}}]",
         "{\"id\":5,\"person\":{\"password\":\"\"}}\n", false},
        {IMPORT_JSON, "[{\"id\":5,\"person\":{\"pinCode\":[\"" SECRET "\",1]}}]",
         "{\"id\":5,\"person\":{\"pinCode\":null}}\n", false},
        {IMPORT_JSON, "[{\"id\":5,\"person\":{\"password\":{\"a\":\"" SECRET "\"}}}]",
         "{\"id\":5,\"person\":{\"password\":null}}\n", false},
        {IMPORT_JSON, "[{\"id\":5,\"person\":{\"p\\u0061ssword\":\"" SECRET "\"}}]",
         "{\"id\":5,\"person\":{\"p\\u0061ssword\":\"\"}}\n", false},
        {IMPORT_JSON, "[{\"id\":5,\"person\":{\"password\":\"" SECRET "\"}},{\"id\":6}]",
         "{\"id\":5,\"person\":{\"password\":\"\"}}\n{\"id\":6}\n", false},
        {IMPORT_NDJSON, "{\"id\":5,\"person\":{\"password\":\"" SECRET "\"}}\n",
         "{\"id\":5,\"person\":{\"password\":\"\"}}\n", false},
        {IMPORT_NDJSON, "{\"person\":{\"password\":\"" SECRET "\"}\n", "\n", true},
        {IMPORT_JSON, "[{\"id\":,\"person\":{\"password\":\"" SECRET "\"}}]", "\n", true},
        {IMPORT_CSV, "customerType,person/password\nno," SECRET "\n", "no,\n", false},
        {IMPORT_CSV, "customerType,person/password\nno,\"a\"\"," SECRET "\"\n", "no,\n", false},
        {IMPORT_CSV, "customerType,person/password\nno,a,b" SECRET "\n", "\n", true},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int partial = rows[i].partial_only; partial < 2; partial++) {
            struct fixture_batch batch;
            struct buf texts;
            struct fixture_options options = {.contract = "cyrexa", .format = rows[i].format, .partial = partial == 1};
            fixture_post(&fixture, &batch, &options, slice_from_text(rows[i].body));
            shown(&fixture, intake_import_id(batch.import), &texts);
            if (strcmp(texts.data, rows[i].shown) != 0) {
                fail_msg("row %zu: %s", i, texts.data);
            }
            for (size_t j = 0; j < batch.answer.fault_count; j++) {
                assert_null(strstr(batch.answer.faults[j].detail.data, SECRET)); /* copied with a zero behind it */
            }
            buf_fini(&texts);
            fixture_end(&batch);
        }
    }
    fixture_fini(&fixture);
}

/* Conflicts are found by the store: they are shown the same way, in the order of the items. */
static void conflicts(void **state)
{
    (void)state;
    static const char body[] =
        "[{\"id\":5,\"customerName\":\"0\"},{\"id\":\"a\",\"person\":{\"password\":\"" SECRET "\"}},"
        "{},{\"id\":6},{\"id\":\"a\",\"customerName\":\"4\"}]";
    struct fixture fixture;
    struct fixture_batch batch;
    struct buf texts;
    fixture_init(&fixture, false);
    fixture_post(&fixture, &batch, &(struct fixture_options){.contract = "cyrexa"}, SLICE("[{\"id\":\"a\"}]"));
    fixture_end(&batch);
    fixture_post(&fixture, &batch, &(struct fixture_options){.contract = "cyrexa", .partial = true}, SLICE(body));
    assert_int_equal(batch.answer.created, 1);
    shown(&fixture, intake_import_id(batch.import), &texts);
    assert_string_equal(texts.data, "{\"id\":5,\"customerName\":\"0\"}\n{\"id\":\"a\",\"person\":{\"password\":\"\"}}\n"
                                    "{\"id\":6}\n{\"id\":\"a\",\"customerName\":\"4\"}\n");
    static const uint64_t indexes[] = {0, 1, 3, 4};
    assert_int_equal(batch.answer.fault_count, COUNT_OF(indexes));
    for (size_t i = 0; i < COUNT_OF(indexes); i++) {
        assert_int_equal(batch.answer.faults[i].index, indexes[i]);
    }
    /* The row says so too, although it went with them. */
    struct store_import row;
    fixture_row(&fixture, intake_import_id(batch.import), &row);
    assert_int_equal(row.faults, 4);
    buf_fini(&texts);
    fixture_end(&batch);
    fixture_fini(&fixture);
}

/* The members that a report adds are as if they were not there. */
static void sent_again(void **state)
{
    (void)state;
    static const struct {
        uint8_t format;
        const char *body;
    } rows[] = {
        {IMPORT_JSON, "[{\"id\":\"a\",\"customerName\":\"x\"}]"},
        {IMPORT_JSON,
         "[{\"_row\":7,\"id\":\"a\",\"_pointer\":\"/x\",\"customerName\":\"x\",\"_code\":\"type\",\"_detail\":\"d\"}]"},
        {IMPORT_NDJSON, "{\"id\":\"a\",\"customerName\":\"x\",\"_detail\":null,\"_row\":{}}"},
        {IMPORT_CSV, "_row,id,customerName,_code\n3,a,x,type\n"},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture_batch batch;
        struct fixture_options options = {.contract = "cyrexa", .format = rows[i].format, .strict = true};
        fixture_post(&fixture, &batch, &options, slice_from_text(rows[i].body));
        if (batch.answer.error != 0 || batch.answer.existing != (i > 0)) {
            fail_msg("row %zu: %s", i, err_code(batch.answer.error));
        }
        fixture_end(&batch);
    }
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(secrets), cmocka_unit_test(conflicts),
                                       cmocka_unit_test(sent_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
