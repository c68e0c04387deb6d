/* Undo and abort: once, again, too late, and in the way of later imports. */
#include "report.h"

#include "../test.h"
#include "ids.h"

static const struct report_item with_id[] = {{.external = 7, .content = 1}, {0}};
static const struct report_item changed_id[] = {{.external = 7, .content = 2}};

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

/* Neither the import whose customer was changed nor the one that changed it; both name the customer. */
static void changed(void **state)
{
    (void)state;
    struct fixture fixture;
    struct report first, second;
    struct buf json;
    struct uuid named[2];
    fixture_init(&fixture, false);
    buf_init(&json, 0);
    make(&fixture, &first, IMPORT_COMMITTED);
    report_begin(&fixture, &second, "cyrexa", IMPORT_JSON);
    second.row.on_existing = IMPORT_EXISTING_UPDATE;
    report_chunk(&fixture, &second, changed_id, 1);
    report_end(&fixture, &second, IMPORT_COMMITTED, 0);
    assert_int_equal(second.row.updated, 1);
    const struct uuid *ids[] = {&first.row.id, &second.row.id};
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        buf_clear(&json);
        assert_int_equal(registry_import_undo(&fixture.registry, fixture.tenant, ids[i], &json), ERR_IMPORT_CHANGED);
        assert_true(slice_starts(buf_view(&json), SLICE("[\"")));
        assert_int_equal(json.size, UUID_TEXT_BYTES + 4);
        assert_true(first_id(&json, &named[i]));
    }
    assert_true(uuid_equal(&named[0], &named[1]));
    buf_clear(&json);
    assert_int_equal(registry_customer_get(&fixture.registry, fixture.tenant, &named[0], &json), 0);
    buf_fini(&json);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(undone), cmocka_unit_test(refused), cmocka_unit_test(changed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
