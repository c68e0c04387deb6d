/* Showing imports: what they came to, in counts and codes, newest first. */
#include "report.h"

#include <stdlib.h>

#include "../test.h"

static void outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *contract, *body;
        const char *has[7];
    } rows[] = {
        {"cyrexa",
         "[{\"id\":\"a\",\"x\":1},{\"id\":\"b\"}]",
         {"\"state\":\"committed\"", "\"mode\":\"atomic\",\"contract\":\"cyrexa\",\"format\":\"json\"",
          ("\"counts\":{\"received\":2,\"created\":2,\"existing\":0,\"updated\":0,\"skipped\":0,\"refused\":0,"
           "\"faults\":0,\"faultsByCode\":{},\"findings\":{\"unnamed-member\":1}}"),
          "\"bytes\":29", "\"endedAt\":\"", "\"secretsPending\":0"}},
        {"cyrexa",
         "[{\"id\":\"b\"},{\"id\":\"c\"}]",
         {"\"received\":2,\"created\":1,\"existing\":1,\"updated\":0,\"skipped\":0,\"refused\":0,\"faults\":0"}},
        {"cyrexa",
         "[{\"id\":\"b\",\"customerName\":\"other\"}]",
         {"\"state\":\"aborted\"", "\"code\":\"external-id-conflict\"",
          "\"received\":1,\"created\":0,\"existing\":0,\"updated\":0,\"skipped\":0,\"faults\":1"}},
        {"cyrexa",
         "[{\"id\":5},{\"id\":6}]",
         {"\"code\":\"faults\"",
          "\"received\":2,\"created\":0,\"existing\":0,\"updated\":0,\"skipped\":0,\"faults\":2"}},
        {"cyrexa", "[{\"id\":", {"\"state\":\"aborted\"", "\"code\":\"malformed-json\"", "\"bytes\":7"}},
        {"nexera",
         "{\"customerData\":[],\"customerType\":\"Company\",\"cmsProjectId\":\"p\"}",
         {"\"contract\":\"nexera\"", "\"project\":\"p\",\"type\":\"Company\"", "\"received\":0,\"created\":0"}},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture_batch batch;
        struct fixture_options options = {.contract = rows[i].contract};
        struct buf json;
        buf_init(&json, 0);
        fixture_post(&fixture, &batch, &options, slice_from_text(rows[i].body));
        assert_int_equal(registry_import_get(&fixture.registry, fixture.tenant, intake_import_id(batch.import), &json),
                         0);
        buf_append_byte(&json, 0);
        for (size_t j = 0; j < COUNT_OF(rows[i].has) && rows[i].has[j] != NULL; j++) {
            if (strstr(json.data, rows[i].has[j]) == NULL) {
                fail_msg("%s: %s has no %s", rows[i].body, json.data, rows[i].has[j]);
            }
        }
        fixture_end(&batch);
        buf_fini(&json);
    }
    fixture_fini(&fixture);
}

static void pages(void **state)
{
    (void)state;
    static const struct {
        size_t limit, pages;
    } rows[] = {{1, 10}, {3, 4}, {5, 2}, {9, 2}, {10, 1}, {1000, 1}};
    struct fixture fixture;
    struct uuid ids[10];
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct fixture_batch batch;
        struct fixture_options options = {.contract = "cyrexa"};
        fixture_post(&fixture, &batch, &options, i % 3 == 0 ? SLICE("[1]") : SLICE("[{}]"));
        ids[i] = *intake_import_id(batch.import);
        fixture_end(&batch);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct uuid before = {{0}};
        size_t shown = 0, count = 0;
        bool more = true;
        while (more) {
            struct buf json;
            buf_init(&json, 0);
            assert_int_equal(registry_import_list(&fixture.registry, fixture.tenant, &before, rows[i].limit, &json), 0);
            buf_append_byte(&json, 0);
            for (const char *at = strstr(json.data, "{\"id\":\""); at != NULL; at = strstr(at + 1, "{\"id\":\"")) {
                struct uuid id;
                assert_true(uuid_from_text(slice_make(at + 7, UUID_TEXT_BYTES), &id));
                assert_true(uuid_equal(&id, &ids[COUNT_OF(ids) - 1 - shown++]));
            }
            const char *next = strstr(json.data, "\"next\":\"");
            more = next != NULL && uuid_from_text(slice_make(next + 8, UUID_TEXT_BYTES), &before);
            buf_fini(&json);
            count++;
        }
        assert_int_equal(shown, COUNT_OF(ids));
        assert_int_equal(count, rows[i].pages);
    }
    fixture_fini(&fixture);
}

/* What a row says in each state: only what is kept counts, and only what is there has a link. */
static void states(void **state)
{
    (void)state;
    static const struct {
        uint8_t state;
        int error;
        bool dry, expired;
        const char *has[4];
        const char *lacks[2];
    } rows[] = {
        {IMPORT_COMMITTED,
         0,
         false,
         false,
         {"\"state\":\"committed\",\"mode\":\"partial\"", "\"created\":1,\"existing\":0", "\"refused\":1",
          "/results\""},
         {"progress", "/events"}},
        {IMPORT_ABORTED,
         0,
         true,
         false,
         {"\"dryRun\":true", "\"created\":1", "\"refused\":1", "/results\""},
         {"\"code\":", NULL}},
        {IMPORT_ABORTED,
         ERR_FAULTS,
         true,
         false,
         {"\"code\":\"faults\"", "\"created\":0", "/faults\""},
         {"/results", "refused"}},
        {IMPORT_COMMITTED, 0, false, true, {"\"expired\":true", "\"links\":{}"}, {"/results", "/faults"}},
        {IMPORT_OPEN,
         0,
         false,
         false,
         {"\"state\":\"open\"", "\"resumable\":true", "\"received\":2,\"created\":0",
          "\"progress\":{\"received\":2,\"decided\":2,\"created\":1"},
         {"/results", "endedAt"}},
    };
    static const struct report_item items[] = {
        {0}, {.text = "{}", .fault_count = 1, .faults = {REPORT_FAULT("type", "/id", "No.")}}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;
        struct report report;
        struct buf json;
        fixture_init(&fixture, false);
        buf_init(&json, 0);
        report_begin(&fixture, &report, "cyrexa", IMPORT_CSV);
        report.row.dry_run = rows[i].dry;
        report.row.expired = rows[i].expired;
        report_chunk(&fixture, &report, items, COUNT_OF(items));
        report_end(&fixture, &report, rows[i].state, rows[i].error);
        assert_int_equal(registry_import_get(&fixture.registry, fixture.tenant, &report.row.id, &json), 0);
        buf_append_byte(&json, 0);
        for (size_t j = 0; j < COUNT_OF(rows[i].has) && rows[i].has[j] != NULL; j++) {
            if (strstr(json.data, rows[i].has[j]) == NULL) {
                fail_msg("row %zu: %s has no %s", i, json.data, rows[i].has[j]);
            }
        }
        for (size_t j = 0; j < COUNT_OF(rows[i].lacks) && rows[i].lacks[j] != NULL; j++) {
            if (strstr(json.data, rows[i].lacks[j]) != NULL) {
                fail_msg("row %zu: %s has %s", i, json.data, rows[i].lacks[j]);
            }
        }
        buf_fini(&json);
        fixture_fini(&fixture);
    }
}

/* An open import tells how far it is, one that has ended all of it. */
static void progress(void **state)
{
    (void)state;
    struct fixture fixture;
    struct report report;
    struct buf json;
    struct uuid unknown_id = {{1}};
    bool ended = true;
    fixture_init(&fixture, false);
    buf_init(&json, 0);
    report_begin(&fixture, &report, "cyrexa", IMPORT_JSON);
    assert_int_equal(registry_import_progress(&fixture.registry, fixture.tenant, &report.row.id, &ended, &json), 0);
    assert_false(ended);
    assert_true(slice_starts(buf_view(&json), SLICE("{\"received\":0,\"decided\":0,\"created\":0,")));
    report_end(&fixture, &report, IMPORT_COMMITTED, 0);
    buf_clear(&json);
    assert_int_equal(registry_import_progress(&fixture.registry, fixture.tenant, &report.row.id, &ended, &json), 0);
    assert_true(ended);
    assert_non_null(memmem(json.data, json.size, "\"state\":\"committed\"", 19));
    assert_int_equal(registry_import_progress(&fixture.registry, fixture.tenant, &unknown_id, &ended, &json),
                     ERR_NOT_FOUND);
    buf_fini(&json);
    fixture_fini(&fixture);
}

static void unknown(void **state)
{
    (void)state;
    struct fixture fixture;
    struct buf json;
    struct uuid id = {{1}};
    fixture_init(&fixture, false);
    buf_init(&json, 0);
    assert_int_equal(registry_import_get(&fixture.registry, fixture.tenant, &id, &json), ERR_NOT_FOUND);
    assert_int_equal(json.size, 0);
    assert_int_equal(registry_import_list(&fixture.registry, fixture.tenant, &(struct uuid){{0}}, 10, &json), 0);
    assert_true(slice_equal_text(buf_view(&json), "{\"imports\":[]}"));
    buf_fini(&json);
    fixture_fini(&fixture);
}

/* Whoever has a key but no answer finds the import, at whatever address the key was used. */
static void by_key(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int contract; /* of the import that is found, or -1 */
        int error;
    } rows[] = {{"one", 0, 0},
                {"\"one\"", 0, 0},
                {"two", 1, 0},
                {"three", -1, 0},
                {"freed", -1, 0},
                {"", -1, ERR_BAD_PARAMETER},
                {"\"", -1, ERR_BAD_PARAMETER}};
    static const struct {
        const char *contract, *key, *body;
    } made[] = {{"cyrexa", "one", "[{}]"},
                {"nexera", "two", "{\"customerType\":\"Company\",\"customerData\":[],\"cmsProjectId\":\"p\"}"},
                {"cyrexa", "freed", "[{}"}};
    struct fixture fixture;
    char ids[COUNT_OF(made)][UUID_TEXT_BYTES + 1];
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(made); i++) {
        struct fixture_batch batch;
        struct fixture_options options = {.contract = made[i].contract, .key = made[i].key};
        fixture_post(&fixture, &batch, &options, slice_from_text(made[i].body));
        uuid_to_text(intake_import_id(batch.import), ids[i]);
        fixture_end(&batch);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf json;
        buf_init(&json, 0);
        assert_int_equal(registry_import_find(&fixture.registry, fixture.tenant, slice_from_text(rows[i].key), &json),
                         rows[i].error);
        buf_append_byte(&json, 0);
        bool listed = strstr(json.data, "\"id\":") != NULL;
        bool right = rows[i].contract < 0 || strstr(json.data, ids[rows[i].contract]) != NULL;
        if (listed != (rows[i].contract >= 0) || !right) {
            fail_msg("%s: %s", rows[i].key, json.data);
        }
        buf_fini(&json);
    }
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_key), cmocka_unit_test(outcomes), cmocka_unit_test(pages),
                                       cmocka_unit_test(states), cmocka_unit_test(progress), cmocka_unit_test(unknown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
