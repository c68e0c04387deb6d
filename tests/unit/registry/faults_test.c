/* Refused items in the form they came in: with the header or the envelope around, ready to be sent again. */
#include "report.h"

#include "../test.h"

#define TYPE_FAULT REPORT_FAULT("type", "/id", "Send a string.")

static int read_all(const struct fixture *fixture, const struct uuid *id, bool groups, size_t piece, struct buf *text,
                    const char **type)
{
    struct registry_faults *faults;
    char bytes[4096];
    ssize_t size;
    buf_clear(text);
    int err = registry_faults_open(&fixture->registry, fixture->tenant, id, groups, &faults);
    if (err != 0) {
        return err;
    }
    *type = registry_faults_type(faults);
    while ((size = registry_faults_read(faults, bytes, piece)) > 0) {
        buf_append(text, bytes, (size_t)size);
    }
    registry_faults_close(&faults);
    buf_append_byte(text, 0);
    return (int)size;
}

static void seal_envelope(const struct fixture *fixture, struct report *report, const char *envelope, struct buf *out)
{
    static const uint8_t nonce[CRYPTO_NONCE_BYTES] = {1};
    crypto_seal(fixture->tenant->keys, CRYPTO_ENVELOPE, nonce, uuid_view(&report->row.id), slice_from_text(envelope),
                out);
    report->row.envelope = buf_view(out);
}

#define REASONS(row) "\"_row\":" row ",\"_pointer\":\"/id\",\"_code\":\"type\",\"_detail\":\"Send a string.\"}"

static void forms(void **state)
{
    (void)state;
    static const struct {
        const char *contract;
        uint8_t format;
        const char *envelope, *header, *one, *two, *type, *want;
    } rows[] = {
        {"cyrexa", IMPORT_JSON, NULL, "", "{\"id\":5}", "{\"id\":6}", "application/json",
         "[\n{\"id\":5," REASONS("1") ",\n{\"id\":6," REASONS("4") "]\n"},
        {"nexera", IMPORT_JSON, "{\"customerType\":\"Company\",\"cmsProjectId\":\"p\",\"customerData\":[]}", "",
         "{\"id\":5}", "{\"id\":6}", "application/json",
         "{\"customerType\":\"Company\",\"cmsProjectId\":\"p\",\"customerData\":[\n{\"id\":5," REASONS(
             "1") ",\n{\"id\":6," REASONS("4") "]}\n"},
        {"nexera", IMPORT_JSON, NULL, "", "{\"id\":5}", "{\"id\":6}", "application/json",
         "{\"customerData\":[\n{\"id\":5," REASONS("1") ",\n{\"id\":6," REASONS("4") "]}\n"},
        {"nexera", IMPORT_NDJSON, "{\"customerType\":\"Company\"}", "", "{\"id\":5}", "{\"id\":6}",
         "application/x-ndjson", "{\"id\":5," REASONS("1") "\n{\"id\":6," REASONS("4") "\n"},
        {"cyrexa", IMPORT_CSV, NULL, "id,customerName", "5,Ann", "6", "text/csv",
         "id,customerName,_row,_pointer,_code,_detail\r\n5,Ann,1,\"/id\",\"type\",\"Send a string.\"\r\n"
         "6,,4,\"/id\",\"type\",\"Send a string.\"\r\n"},
    };
    static const size_t pieces[] = {1, 9, 4096};
    struct buf text, envelope;
    buf_init(&text, 0);
    buf_init(&envelope, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;
        struct report report;
        const struct report_item first[] = {{0}, {.text = rows[i].one, .fault_count = 1, .faults = {TYPE_FAULT}}};
        const struct report_item second[] = {{0}};
        const struct report_item third[] = {{0}, {.text = rows[i].two, .fault_count = 1, .faults = {TYPE_FAULT}}};
        fixture_init(&fixture, false);
        report_begin(&fixture, &report, rows[i].contract, rows[i].format);
        report.header = slice_from_text(rows[i].header);
        buf_clear(&envelope);
        if (rows[i].envelope != NULL) {
            seal_envelope(&fixture, &report, rows[i].envelope, &envelope);
        }
        report_chunk(&fixture, &report, first, 2);
        report_chunk(&fixture, &report, second, 1);
        report_chunk(&fixture, &report, third, 2);
        report_end(&fixture, &report, IMPORT_COMMITTED, 0);
        for (size_t j = 0; j < COUNT_OF(pieces); j++) {
            const char *type = "";
            assert_int_equal(read_all(&fixture, &report.row.id, false, pieces[j], &text, &type), 0);
            assert_string_equal(text.data, rows[i].want);
            assert_string_equal(type, rows[i].type);
            assert_int_equal(read_all(&fixture, &report.row.id, true, pieces[j], &text, &type), 0);
            assert_string_equal(text.data, "\n\n{\"items\":2,\"faults\":2,\"groups\":[{\"code\":\"type\",\"pointer\":"
                                           "\"/id\",\"detail\":\"Send a string.\",\"count\":2,\"ranges\":[[1,1],[4,4]],"
                                           "\"more\":false}],\"others\":0}\n");
            assert_string_equal(type, "application/json");
        }
        fixture_fini(&fixture);
    }
    buf_fini(&envelope);
    buf_fini(&text);
}

/* Nothing refused: an empty list of each form. */
static void none(void **state)
{
    (void)state;
    static const struct {
        const char *contract;
        uint8_t format;
        const char *want;
    } rows[] = {{"cyrexa", IMPORT_JSON, "[]\n"},
                {"nexera", IMPORT_JSON, "{\"customerData\":[]}\n"},
                {"cyrexa", IMPORT_NDJSON, ""},
                {"cyrexa", IMPORT_CSV, "_row,_pointer,_code,_detail\r\n"}};
    struct fixture fixture;
    struct buf text;
    fixture_init(&fixture, false);
    buf_init(&text, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct report report;
        const char *type = "";
        report_begin(&fixture, &report, rows[i].contract, rows[i].format);
        report_end(&fixture, &report, IMPORT_COMMITTED, 0);
        assert_int_equal(read_all(&fixture, &report.row.id, false, 100, &text, &type), 0);
        assert_string_equal(text.data, rows[i].want);
    }
    buf_fini(&text);
    fixture_fini(&fixture);
}

static void not_to_be_had(void **state)
{
    (void)state;
    static const struct report_item item = {.text = "{}", .fault_count = 1, .faults = {TYPE_FAULT}};
    struct fixture fixture;
    struct report report;
    struct registry_faults *faults = NULL;
    const struct auth_tenant *other;
    const char *type;
    struct buf text;
    fixture_init(&fixture, false);
    buf_init(&text, 0);
    report_begin(&fixture, &report, "cyrexa", IMPORT_JSON);
    report_chunk(&fixture, &report, &item, 1);
    assert_int_equal(read_all(&fixture, &report.row.id, false, 10, &text, &type), ERR_BUSY);
    /* An import that failed tells its faults all the same. */
    report_end(&fixture, &report, IMPORT_ABORTED, ERR_FAULTS);
    assert_int_equal(read_all(&fixture, &report.row.id, false, 10, &text, &type), 0);
    assert_string_equal(text.data, "[\n{" REASONS("0") "]\n");
    assert_int_equal(auth_tenant_create(fixture.auth, SLICE("other"), false, false), 0);
    assert_int_equal(auth_tenant_get(fixture.auth, SLICE("other"), &other), 0);
    assert_int_equal(registry_faults_open(&fixture.registry, other, &report.row.id, false, &faults), ERR_NOT_FOUND);
    assert_int_equal(registry_faults_open(&fixture.registry, other, &report.row.id, true, &faults), ERR_NOT_FOUND);
    assert_null(faults);
    buf_fini(&text);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(none),
                                       cmocka_unit_test(not_to_be_had)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
