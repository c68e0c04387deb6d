/* Keywords of JSON Schema that are written wrong: the place and the reason. */
#include "contract/compile_rows.h"

static void keywords(void **state)
{
    (void)state;
    static const struct compile_row rows[] = {
        {"{\"items\":{\"type\":\"strin\"}}", "/items/type: unknown type \"strin\"; did you mean \"string\"?"},
        {"{\"type\":[\"string\",\"nul\"]}", "/type/1: unknown type \"nul\""},
        {"{\"type\":[]}", "/type: must name at least one type"},
        {"{\"minimum\":\"1\"}", "/minimum: must be a number"},
        {"{\"exclusiveMaximum\":true}", "/exclusiveMaximum: must be a number"},
        {"{\"properties\":[]}", "/properties: must be an object of schemas"},
        {"{\"properties\":{\"a\":1}}", "/properties/a: must be a schema"},
        {"{\"additionalProperties\":null}", "/additionalProperties: must be a schema"},
        {"{\"items\":[{}]}", "/items: must be a schema"},
        {"{\"prefixItems\":{}}", "/prefixItems: must be an array of at least one schema"},
        {"{\"anyOf\":[]}", "/anyOf: must be an array of at least one schema"},
        {"{\"allOf\":[{},{\"oneOf\":[3]}]}", "/allOf/1/oneOf/0: must be a schema"},
        {"{\"format\":\"e-mail\"}", "/format: unknown format \"e-mail\"; did you mean \"email\"?"},
        {"{\"$ref\":\"other.json\"}", "/$ref: must point into this file"},
        {"{\"$ref\":\"#anchor\"}", "/$ref: must point into this file"},
        {"{\"$ref\":\"#/$defs/x\"}", "/$ref: points at nothing"},
        {"{\"$ref\":\"#/%zz\"}", "/$ref: points at nothing"},
        {"{\"items\":{\"$id\":\"x\"}}", "/items/$id: may stand at the root only"},
    };
    COMPILE_ROWS(rows, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
