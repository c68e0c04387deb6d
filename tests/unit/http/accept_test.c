/* Which type a client gets for what it says it takes. */
#include "wire.h"

#include <stdio.h>

#include "../registry/report.h"
#include "../test.h"

static void types(void **state)
{
    (void)state;
    static const struct {
        const char *accept; /* whole header fields */
        int status;
        const char *type;
    } rows[] = {
        {"", 200, "application/x-ndjson"},
        {"Accept: */*\r\n", 200, "application/x-ndjson"},
        {"Accept:\r\n", 200, "application/x-ndjson"},
        {"Accept: text/csv\r\n", 200, "text/csv"},
        {"Accept: Text/CSV ; charset=utf-8\r\n", 200, "text/csv"},
        {"Accept: text/*\r\n", 200, "text/csv"},
        {"Accept: text/html, application/*;q=0.1\r\n", 200, "application/x-ndjson"},
        {"Accept: text/csv;q=0.5, application/x-ndjson;q=0.6\r\n", 200, "application/x-ndjson"},
        {"Accept: text/csv;q=0.5, */*;q=0.4\r\n", 200, "text/csv"},
        {"Accept: text/csv; q=0.501, application/x-ndjson; q=0.5\r\n", 200, "text/csv"},
        {"Accept: text/html\r\nAccept: text/csv\r\n", 200, "text/csv"},
        {"Accept: application/x-ndjson;q=0, */*\r\n", 200, "text/csv"},
        {"Accept: text/html\r\n", 406, ""},
        {"Accept: text\r\n", 406, ""},
        {"Accept: text/csvx\r\n", 406, ""},
        {"Accept: */*;q=0\r\n", 406, ""},
        {"Accept: text/csv;q=0, text/*\r\n", 406, ""},
    };
    struct wire wire;
    struct report report;
    char line[128], fields[512];
    wire_init(&wire, false);
    report_begin(&wire.fixture, &report, "cyrexa", IMPORT_JSON);
    report_end(&wire.fixture, &report, IMPORT_COMMITTED, 0);
    char id[UUID_TEXT_BYTES + 1];
    uuid_to_text(&report.row.id, id);
    snprintf(line, sizeof line, "GET /v1/imports/%s/results", id);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_answer answer;
        snprintf(fields, sizeof fields, "Authorization: Bearer %s\r\n%s", wire.bearer, rows[i].accept);
        wire_ask(&wire, line, fields, "", &answer);
        wire_expect(&answer, rows[i].accept, rows[i].status, rows[i].status == 406 ? "\"not-acceptable\"" : "");
        if (rows[i].status == 200 && !slice_equal_text(wire_field(&answer, "Content-Type"), rows[i].type)) {
            fail_msg("%s: not %s", rows[i].accept, rows[i].type);
        }
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
