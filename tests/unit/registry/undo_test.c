/* Undo and abort: once, again, too late. */
#include "report.h"

#include "../test.h"

static const struct report_item with_id[] = {{.external = 7, .content = 1}, {0}};

static void make(const struct fixture *fixture, struct report *report, uint8_t state)
{
    report_begin(fixture, report, "cyrexa", IMPORT_JSON);
    report_chunk(fixture, report, with_id, COUNT_OF(with_id));
    if (state != IMPORT_OPEN) {
        report_end(fixture, report, state, state == IMPORT_ABORTED ? ERR_FAULTS : 0);
    }
}

static void expect_has(const struct buf *json, const char *text)
{
    assert_non_null(memmem(json->data, json->size, text, strlen(text)));
}

static void undone(void **state)
{
    (void)state;
    struct fixture fixture;
    struct report report;
    struct buf json;
    struct registry_query all = {.kind = IDENTIFIER_NONE, .limit = 10};
    fixture_init(&fixture, false);
    buf_init(&json, 0);
    make(&fixture, &report, IMPORT_COMMITTED);
    /* The second time as after an answer that got lost. */
    for (int times = 0; times < 2; times++) {
        buf_clear(&json);
        assert_int_equal(registry_import_undo(&fixture.registry, fixture.tenant, &report.row.id, &json), 0);
        expect_has(&json, "\"state\":\"undone\"");
        expect_has(&json, "\"created\":2");
    }
    buf_clear(&json);
    assert_int_equal(registry_customer_list(&fixture.registry, fixture.tenant, &all, &json), 0);
    assert_true(slice_equal_text(buf_view(&json), "{\"customers\":[]}"));
    buf_fini(&json);
    fixture_fini(&fixture);
}

static void refused(void **state)
{
    (void)state;
    struct fixture fixture;
    struct report report;
    const struct auth_tenant *other;
    struct uuid unknown = {{1}};
    struct buf json;
    bool ended;
    fixture_init(&fixture, false);
    buf_init(&json, 0);
    assert_int_equal(auth_tenant_create(fixture.auth, SLICE("other"), false, false), 0);
    assert_int_equal(auth_tenant_get(fixture.auth, SLICE("other"), &other), 0);
    assert_int_equal(registry_import_undo(&fixture.registry, fixture.tenant, &unknown, &json), ERR_NOT_FOUND);
    make(&fixture, &report, IMPORT_ABORTED);
    assert_int_equal(registry_import_undo(&fixture.registry, fixture.tenant, &report.row.id, &json), ERR_IMPORT_ENDED);
    make(&fixture, &report, IMPORT_COMMITTED);
    assert_int_equal(registry_import_undo(&fixture.registry, other, &report.row.id, &json), ERR_NOT_FOUND);
    assert_int_equal(registry_import_abort(&fixture.registry, fixture.tenant, &report.row.id, &ended, &json),
                     ERR_IMPORT_ENDED);
    assert_false(ended);
    assert_int_equal(json.size, 0);
    buf_fini(&json);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(undone), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
