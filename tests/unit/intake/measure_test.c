/* Measuring: the steps of one chunk run and are counted; a body that a server would refuse is refused. */
#include "fixture.h"

#include "../test.h"

static void bodies(void **state)
{
    (void)state;
    static const struct {
        const char *contract, *body;
        int error;
        uint64_t items; /* of one round */
    } rows[] = {
        {"cyrexa", "[{\"id\":\"a\",\"person\":{\"email\":\"a@example.com\",\"password\":\"p\"}},{\"id\":\"b\"}]", 0, 2},
        {"nexera",
         "{\"customerType\":\"Company\",\"customerData\":[{\"customerDid\":{\"did\":\"did:web:x.example\"}}],"
         "\"cmsProjectId\":\"p\"}",
         0, 1},
        {"cyrexa", "[]", ERR_MALFORMED_ENVELOPE, 0},
        {"cyrexa", "", ERR_MALFORMED_ENVELOPE, 0},
        {"cyrexa", "[{\"id\":1}]", ERR_FAULTS, 0},
        {"cyrexa", "[{\"id\":}]", ERR_MALFORMED_JSON, 0},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t items = 0;
        int64_t check_ns = 0, seal_ns = 0;
        int err = intake_measure(fixture_contract(&fixture, rows[i].contract), fixture.tenant,
                                 slice_from_text(rows[i].body), 0.02, &items, &check_ns, &seal_ns);
        if (err != rows[i].error) {
            fail_msg("%s: %s", rows[i].body, err_code(err));
        }
        if (err == 0) {
            assert_true(items > 0 && rows[i].items > 0 && items % rows[i].items == 0);
            assert_true(check_ns > 0);
        }
    }
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bodies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
