/* Check: faults of every item in order, the envelope's too; strictness; projects; scopes. */
#include "fixture.h"

#include "../test.h"

struct expected {
    const char *code, *pointer;
    int index; /* -1: of the envelope */
};

static const struct {
    const char *name, *body, *contract;
    bool strict;
    uint32_t scopes;
    int error;
    struct expected faults[4];
} ROWS[] = {
    {"clean", "[{\"id\":\"1\"}]", "cyrexa", false, 0, 0, {{0}}},
    {"two items, three faults",
     "[{\"customerType\":\"Human\",\"categorization\":\"x\"},{\"id\":\"2\"},{\"id\":3}]",
     "cyrexa",
     false,
     0,
     ERR_FAULTS,
     {{"enum", "/customerType", 0}, {"enum", "/categorization", 0}, {"type", "/id", 2}}},
    {"an item that is no object", "[1]", "cyrexa", false, 0, ERR_FAULTS, {{"type", "", 0}}},
    {"finding is kept", "[{\"nickname\":1}]", "cyrexa", false, 0, 0, {{0}}},
    {"finding refused when strict",
     "[{\"nickname\":1}]",
     "cyrexa",
     true,
     0,
     ERR_FAULTS,
     {{"unnamed-member", "/nickname", 0}}},
    {"status needs its scope",
     "[{\"customerStatus\":\"verified\"}]",
     "cyrexa",
     false,
     SCOPE_CUSTOMERS_CREATE,
     ERR_SCOPE_MISSING,
     {{"scope-missing", "/customerStatus", 0}}},
    {"scope and another fault are faults",
     "[{\"customerStatus\":\"verified\",\"id\":1}]",
     "cyrexa",
     false,
     SCOPE_CUSTOMERS_CREATE,
     ERR_FAULTS,
     {{"scope-missing", "/customerStatus", 0}, {"type", "/id", 0}}},
    {"envelope after the items",
     "{\"customerData\":[{}],\"customerType\":\"Person\",\"cmsProjectId\":\"p\"}",
     "nexera",
     false,
     0,
     ERR_FAULTS,
     {{"enum", "/customerType", -1}}},
    {"envelope lacks a member",
     "{\"customerType\":\"Company\",\"customerData\":[]}",
     "nexera",
     false,
     0,
     ERR_FAULTS,
     {{"required", "", -1}}},
    {"envelope lacks the items",
     "{\"customerType\":\"Company\",\"cmsProjectId\":\"p\"}",
     "nexera",
     false,
     0,
     ERR_FAULTS,
     {{"required", "", -1}}},
    {"items are no array",
     "{\"customerType\":\"Company\",\"cmsProjectId\":\"p\",\"customerData\":{}}",
     "nexera",
     false,
     0,
     ERR_FAULTS,
     {{"type", "/customerData", -1}}},
    {"item of another tenant", "[{},{\"tenantId\":\"other\"}]", "cyrexa", false, 0, ERR_TENANT_MISMATCH, {{0}}},
    {"item of a tenant that is no text", "[{\"tenantId\":7}]", "cyrexa", false, 0, ERR_TENANT_MISMATCH, {{0}}},
    {"item of this tenant", "[{\"tenantId\":\"acme\"}]", "cyrexa", false, 0, 0, {{0}}},
    {"envelope of another tenant",
     "{\"customerType\":\"Company\",\"customerData\":[],\"cmsProjectId\":\"p\",\"tenantId\":\"other\"}",
     "nexera",
     false,
     0,
     ERR_TENANT_MISMATCH,
     {{0}}},
    {"project too long",
     "{\"customerType\":\"Company\",\"customerData\":[],\"cmsProjectId\":"
     "\"0123456789012345678901234567890123456789012345678"
     "90123456789012345678901234567890\"}",
     "nexera",
     false,
     0,
     ERR_PROJECT_UNKNOWN,
     {{0}}},
    {"duplicate member of the envelope",
     "{\"customerType\":\"Company\",\"customerType\":\"Company\",\"customerData\":[],\"cmsProjectId\":\"p\"}",
     "nexera",
     false,
     0,
     ERR_MALFORMED_JSON,
     {{0}}},
};

static size_t expected_count(const struct expected *faults)
{
    size_t count = 0;
    while (count < 4 && faults[count].code != NULL) {
        count++;
    }
    return count;
}

static void rows(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct fixture_batch batch;
        struct fixture_options options = {
            .contract = ROWS[i].contract, .strict = ROWS[i].strict, .scopes = ROWS[i].scopes};
        fixture_post(&fixture, &batch, &options, slice_from_text(ROWS[i].body));
        const struct intake_answer *answer = &batch.answer;
        if (answer->error != ROWS[i].error || answer->fault_count != expected_count(ROWS[i].faults)) {
            fail_msg("%s: %s with %zu faults", ROWS[i].name, err_code(answer->error), answer->fault_count);
        }
        for (size_t j = 0; j < answer->fault_count; j++) {
            const struct expected *expected = &ROWS[i].faults[j];
            assert_string_equal(answer->faults[j].code, expected->code);
            if (!slice_equal_text(answer->faults[j].pointer, expected->pointer)) {
                fail_msg("%s: fault %zu at %.*s", ROWS[i].name, j, SLICE_ARG(answer->faults[j].pointer));
            }
            assert_int_equal(answer->faults[j].of_envelope, expected->index < 0);
            assert_true(expected->index < 0 || answer->faults[j].index == (uint64_t)expected->index);
            assert_true(answer->faults[j].detail.size > 0);
        }
        fixture_end(&batch);
    }
    fixture_fini(&fixture);
}

/* More faults than are listed, over several chunks: the first thousand in order, all counted. */
static void faults_are_capped_in_order(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct buf body;
    struct fixture_options options = {.contract = "cyrexa"};
    fixture_init(&fixture, false);
    buf_init(&body, 0);
    for (size_t i = 0; i < 5000; i++) {
        buf_append_text(&body, i == 0 ? "[" : ",");
        buf_append_text(&body, i % 2 == 0 ? "{\"id\":1}" : "{}");
    }
    buf_append_text(&body, "]");
    fixture_post(&fixture, &batch, &options, buf_view(&body));
    assert_int_equal(batch.answer.error, ERR_FAULTS);
    assert_int_equal(batch.answer.fault_count, LIMIT_FAULTS);
    assert_int_equal(batch.answer.fault_total, 2500);
    for (size_t i = 0; i < LIMIT_FAULTS; i++) {
        assert_int_equal(batch.answer.faults[i].index, 2 * i);
    }
    fixture_end(&batch);
    buf_fini(&body);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(faults_are_capped_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
