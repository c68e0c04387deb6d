/* The contract that a body's first bytes give away. */
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
} ROWS[] = {
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

static void bodies_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct guess_contract *found = guess_by_body(slice_from_text(ROWS[i].body));
        const char *name = found == NULL ? "none" : found->name;
        assert_string_equal(name, ROWS[i].contract == NULL ? "none" : ROWS[i].contract);
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
        cmocka_unit_test(names_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
