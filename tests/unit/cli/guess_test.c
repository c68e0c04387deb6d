/* The contract that a body's first bytes give away: its root's members, an item's, or a header row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "cli/guess.h"

static const struct {
    const char *body;
    const char *contract; /* NULL: can't tell */
} JSON_ROWS[] = {
    {"[]", "cyrexa"},
    {" \r\n\t[{\"customerData\":1}]", "cyrexa"},
    {"\xEF\xBB\xBF[", "cyrexa"},
    {"{\"customerData\":[", "nexera"},
    {"{\"customerType\":\"Individual\", \"cmsProjectId\" : \"p\", \"customerData\"\n:", "nexera"},
    {"{\"customers\":[{\"customerData\":1}]", "muster"},
    {"{\"a\":{\"customers\":1},\"customerData\":[", "nexera"},
    {"{\"a\":\"customers\",\"customerData\":[", "nexera"},
    {"{\"a\\\":\":\"\\\"customers\\\":\",\"customerData\":[", "nexera"},
    {"{\"a\":[\"customers\",{\"customers\":2}]}", NULL},
    {"{\"customers", NULL},
    {"{\"customers\"", NULL},
    {"", NULL},
    {"id,name", NULL},
    {"}]{\"customers\":", NULL},
};

static const struct {
    enum format format;
    const char *body;
    const char *map;
    const char *contract;
} ITEM_ROWS[] = {
    {FORMAT_NDJSON, "{\"id\":\"1\",\"person\":{}}\n", "", "cyrexa"},
    {FORMAT_NDJSON, "\n {\"customerClaims\":{\"name\":\"x\",\"email\":\"y\"}}\n", "", "nexera"},
    {FORMAT_NDJSON, "{\"externalId\":\"1\"}", "", "muster"},
    {FORMAT_NDJSON, "{\"notifications\":[]}\n{\"id\":1}", "", NULL},
    {FORMAT_NDJSON, "{\"a\":{\"customerDid\":1}}", "", NULL},
    {FORMAT_NDJSON, "{\"id\":1,\"email\":1}", "", NULL},
    {FORMAT_NDJSON, "{\"id\":1,\"email\":1,\"phone\":2}", "", "muster"},
    {FORMAT_CSV, "id,person/email\r\n1,2\r\n", "", "cyrexa"},
    {FORMAT_CSV, "\xEF\xBB\xBF\"customerWallet/wallet\",x\n", "", "nexera"},
    {FORMAT_CSV, "_row,externalId", "", "muster"},
    {FORMAT_CSV, "Mail,Nr", "", NULL},
    {FORMAT_CSV, "Mail,Nr", "Mail=person/email,Nr=id", "cyrexa"},
    {FORMAT_CSV, "Mail,Nr", "Mail=customerClaims/name,Nr=", "nexera"},
    {FORMAT_CSV, "a\"b,,\"", "=,=", NULL},
    {FORMAT_CSV, "identity,persons", "", NULL},
    {FORMAT_UNKNOWN, "id", "", NULL},
};

static void check(const struct guess_contract *found, const char *expected)
{
    assert_string_equal(found == NULL ? "none" : found->name, expected == NULL ? "none" : expected);
}

static void bodies_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof JSON_ROWS / sizeof JSON_ROWS[0]; i++) {
        check(guess_by_body(FORMAT_JSON, slice_from_text(JSON_ROWS[i].body), SLICE_NONE), JSON_ROWS[i].contract);
    }
}

static void items_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ITEM_ROWS / sizeof ITEM_ROWS[0]; i++) {
        check(guess_by_body(ITEM_ROWS[i].format, slice_from_text(ITEM_ROWS[i].body), slice_from_text(ITEM_ROWS[i].map)),
              ITEM_ROWS[i].contract);
    }
}

static void names_are_exact(void **state)
{
    (void)state;
    assert_string_equal(guess_by_name("nexera")->path, "/customers/batch");
    assert_null(guess_by_name("Nexera"));
    assert_null(guess_by_name(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_told_apart),
        cmocka_unit_test(items_are_told_apart),
        cmocka_unit_test(names_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
