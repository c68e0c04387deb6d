/* The outcome of every item: in order, whole, in either form, read in pieces of any size; and who may not read it. */
#include "report.h"

#include <stdio.h>

#include "../test.h"

static const struct report_item first_chunk[] = {
    {.external = 1, .content = 1},
    {.text = "{\"id\":5}",
     .fault_count = 2,
     .faults = {REPORT_FAULT("type", "/id", "Send a \"string\"."), REPORT_FAULT("enum", "/customerType", "No.")}},
    {0},
};
static const struct report_item second_chunk[] = {{0}, {0}};
static const struct report_item third_chunk[] = {
    {.external = 1, .content = 1},
    {.external = 1, .content = 2, .text = "{\"id\":\"1\"}"},
    {.text = "", .fault_count = 1, .faults = {REPORT_FAULT("required", "/name", "Add it.")}},
};

/* Reads all of it in pieces of that size; NUL-terminated. */
static int read_all(const struct fixture *fixture, const struct uuid *id, enum registry_form form, size_t piece,
                    struct buf *text)
{
    struct registry_results *results;
    char bytes[4096];
    ssize_t size;
    buf_clear(text);
    int err = registry_results_open(&fixture->registry, fixture->tenant, id, form, &results);
    if (err != 0) {
        return err;
    }
    while ((size = registry_results_read(results, bytes, piece)) > 0) {
        assert_true((size_t)size <= piece);
        buf_append(text, bytes, (size_t)size);
    }
    assert_int_equal(registry_results_read(results, bytes, piece), size);
    registry_results_close(&results);
    assert_null(results);
    buf_append_byte(text, 0);
    return (int)size;
}

/* Every id as its first letter x, so that texts can be compared. */
static void mask_ids(struct buf *text)
{
    struct uuid id;
    for (size_t at = 0; at + UUID_TEXT_BYTES <= text->size; at++) {
        if (uuid_from_text(slice_make(text->data + at, UUID_TEXT_BYTES), &id)) {
            memmove(text->data + at + 1, text->data + at + UUID_TEXT_BYTES, text->size - at - UUID_TEXT_BYTES);
            text->data[at] = 'X';
            text->size -= UUID_TEXT_BYTES - 1;
        }
    }
}

static void make_three(const struct fixture *fixture, struct report *report)
{
    report_chunk(fixture, report, first_chunk, COUNT_OF(first_chunk));
    report_chunk(fixture, report, second_chunk, COUNT_OF(second_chunk));
    report_chunk(fixture, report, third_chunk, COUNT_OF(third_chunk));
}

#define FAULT_LINES                                                                                                    \
    "{\"index\":1,\"outcome\":\"fault\",\"errors\":[{\"pointer\":\"/id\",\"code\":\"type\",\"detail\":\"Send a "       \
    "\\\"string\\\".\"},{\"pointer\":\"/customerType\",\"code\":\"enum\",\"detail\":\"No.\"}]}\n"
#define LAST_LINES                                                                                                     \
    "{\"index\":6,\"outcome\":\"conflict\",\"errors\":[{\"pointer\":\"/id\",\"code\":\"external-id-conflict\","        \
    "\"detail\":\"The external id belongs to another customer.\",\"customerId\":\"X\"}]}\n"                            \
    "{\"index\":7,\"outcome\":\"fault\",\"errors\":[{\"pointer\":\"/name\",\"code\":\"required\",\"detail\":\"Add "    \
    "it.\"}]}\n"

static void forms(void **state)
{
    (void)state;
    static const char lines[] = "{\"index\":0,\"outcome\":\"created\",\"customerId\":\"X\"}\n" FAULT_LINES
                                "{\"index\":2,\"outcome\":\"created\",\"customerId\":\"X\"}\n"
                                "{\"index\":3,\"outcome\":\"created\",\"customerId\":\"X\"}\n"
                                "{\"index\":4,\"outcome\":\"created\",\"customerId\":\"X\"}\n"
                                "{\"index\":5,\"outcome\":\"existing\",\"customerId\":\"X\"}\n" LAST_LINES;
    static const char rows[] = "index,outcome,customerId\r\n0,created,X\r\n1,fault,\r\n2,created,X\r\n3,created,X\r\n"
                               "4,created,X\r\n5,existing,X\r\n6,conflict,\r\n7,fault,\r\n";
    static const size_t pieces[] = {1, 7, 100, 4096};
    struct fixture fixture;
    struct report report;
    struct buf text;
    fixture_init(&fixture, false);
    buf_init(&text, 0);
    report_begin(&fixture, &report, "cyrexa", IMPORT_JSON);
    make_three(&fixture, &report);
    report_end(&fixture, &report, IMPORT_COMMITTED, 0);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        assert_int_equal(read_all(&fixture, &report.row.id, REGISTRY_LINES, pieces[i], &text), 0);
        mask_ids(&text);
        assert_string_equal(text.data, lines);
        assert_int_equal(read_all(&fixture, &report.row.id, REGISTRY_CSV, pieces[i], &text), 0);
        mask_ids(&text);
        assert_string_equal(text.data, rows);
    }
    buf_fini(&text);
    fixture_fini(&fixture);
}

/* A dry run names no customer that is not there, and nothing of an import that failed is said to be kept. */
static void nothing_kept(void **state)
{
    (void)state;
    static const struct {
        bool dry;
        int error;
        const char *rows;
    } rows[] = {
        {true, 0, "0,created,\r\n1,fault,\r\n2,created,\r\n"},
        {true, ERR_FAULTS, "0,aborted,\r\n1,fault,\r\n2,aborted,\r\n"},
        {false, ERR_FAULTS, "0,aborted,\r\n1,fault,\r\n2,aborted,\r\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;
        struct report report;
        struct buf text;
        fixture_init(&fixture, false);
        buf_init(&text, 0);
        report_begin(&fixture, &report, "cyrexa", IMPORT_JSON);
        report.row.dry_run = rows[i].dry;
        report_chunk(&fixture, &report, first_chunk, COUNT_OF(first_chunk));
        report_end(&fixture, &report, IMPORT_ABORTED, rows[i].error);
        assert_int_equal(read_all(&fixture, &report.row.id, REGISTRY_CSV, 4096, &text), 0);
        assert_string_equal(text.data + sizeof "index,outcome,customerId\r\n" - 1, rows[i].rows);
        buf_fini(&text);
        fixture_fini(&fixture);
    }
}

/* More items than a bufferful, in many chunks. */
static void many(void **state)
{
    (void)state;
    enum { CHUNKS = 7, ITEMS = 1000 };
    static struct report_item items[ITEMS];
    struct fixture fixture;
    struct report report;
    struct buf text;
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = i % 10 == 3 ? first_chunk[1] : (struct report_item){0};
    }
    fixture_init(&fixture, false);
    buf_init(&text, 0);
    report_begin(&fixture, &report, "cyrexa", IMPORT_JSON);
    for (size_t i = 0; i < CHUNKS; i++) {
        report_chunk(&fixture, &report, items, i % 2 == 0 ? ITEMS : 1);
    }
    report_end(&fixture, &report, IMPORT_COMMITTED, 0);
    assert_int_equal(read_all(&fixture, &report.row.id, REGISTRY_LINES, 1000, &text), 0);
    const char *at = text.data;
    for (size_t i = 0; i < report.row.received; i++) {
        char begin[64];
        size_t in_chunk = i % (ITEMS + 1) % ITEMS;
        snprintf(begin, sizeof begin, "{\"index\":%zu,\"outcome\":\"%s\",\"%s\"", i,
                 in_chunk % 10 == 3 ? "fault" : "created", in_chunk % 10 == 3 ? "errors" : "customerId");
        if (strncmp(at, begin, strlen(begin)) != 0) {
            fail_msg("expected %s, not %.64s", begin, at);
        }
        at = strchr(at, '\n') + 1;
    }
    assert_int_equal(*at, '\0');
    buf_fini(&text);
    fixture_fini(&fixture);
}

static void not_to_be_had(void **state)
{
    (void)state;
    struct fixture fixture;
    struct report report;
    struct registry_results *results = NULL;
    const struct auth_tenant *other;
    struct uuid unknown = {{1}};
    struct buf text;
    fixture_init(&fixture, false);
    buf_init(&text, 0);
    report_begin(&fixture, &report, "cyrexa", IMPORT_JSON);
    report_chunk(&fixture, &report, first_chunk, COUNT_OF(first_chunk));
    assert_int_equal(read_all(&fixture, &report.row.id, REGISTRY_LINES, 10, &text), ERR_BUSY);
    assert_int_equal(read_all(&fixture, &unknown, REGISTRY_LINES, 10, &text), ERR_NOT_FOUND);

    /* More was received than outcomes tell: the answer must be seen to break off. */
    report.row.received++;
    report_end(&fixture, &report, IMPORT_COMMITTED, 0);
    assert_int_equal(read_all(&fixture, &report.row.id, REGISTRY_LINES, 10, &text), ERR_CORRUPT);

    assert_int_equal(auth_tenant_create(fixture.auth, SLICE("other"), false, false), 0);
    assert_int_equal(auth_tenant_get(fixture.auth, SLICE("other"), &other), 0);
    assert_int_equal(registry_results_open(&fixture.registry, other, &report.row.id, REGISTRY_CSV, &results),
                     ERR_NOT_FOUND);

    report_begin(&fixture, &report, "cyrexa", IMPORT_JSON);
    report_chunk(&fixture, &report, first_chunk, COUNT_OF(first_chunk));
    report.row.expired = true;
    report_end(&fixture, &report, IMPORT_COMMITTED, 0);
    assert_int_equal(read_all(&fixture, &report.row.id, REGISTRY_LINES, 10, &text), ERR_NOT_FOUND);
    assert_null(results);
    buf_fini(&text);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(nothing_kept), cmocka_unit_test(many),
                                       cmocka_unit_test(not_to_be_had)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
