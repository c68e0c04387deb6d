/* What is wrong only when all schemas have been read: circles, depth, annotations that name members. */
#include "contract/compile_rows.h"
#include "contract/schemas.h"

static void circles(void **state)
{
    (void)state;
    static const struct compile_row rows[] = {
        {"{\"$ref\":\"#\"}", "the root: refers to itself"},
        {"{\"allOf\":[{\"$ref\":\"#\"}]}", "/allOf/0: refers to itself"},
        {"{\"$defs\":{\"a\":{\"not\":{\"$ref\":\"#/$defs/b\"}},\"b\":{\"if\":{\"$ref\":\"#/$defs/a\"}}}}", "/$defs/"},
    };
    COMPILE_ROWS(rows, true);
}

static void places(void **state)
{
    (void)state;
    static const struct compile_row rows[] = {
        {"{\"properties\":{\"w\":{\"type\":\"string\",\"x-identifier\":{\"kind\":\"wallet\",\"namespace\":\"n\"}}}}",
         "/properties/w: names a namespace or question that is no member beside it"},
        {"{\"type\":\"string\",\"x-class\":\"secret\",\"x-secret\":\"pin\"}",
         "the root: an item as a whole can't be a secret"},
        {"{\"items\":{\"type\":\"string\",\"x-class\":\"secret\",\"x-secret\":\"pin\"}}",
         "the root: an element can't be a secret"},
        {"{\"properties\":{\"a\":{\"prefixItems\":[{\"$ref\":\"#/$defs/s\"}]}},"
         "\"$defs\":{\"s\":{\"type\":\"string\",\"x-class\":\"secret\",\"x-secret\":\"pin\"}}}",
         "/properties/a: an element can't be a secret"},
        {"{\"type\":\"object\",\"x-compare\":{\"left\":\"a\",\"right\":\"b\",\"result\":\"c\",\"scope\":\"admin\"}}",
         "the root: x-compare: left and right must be secrets of kind code"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{}},\"x-card-name\":[\"/a\",[\"/b\"]]}",
         "the root: x-card-name: a pointer leads to no named member"},
        {"{\"type\":\"object\",\"x-compare\":{\"left\":\"l\",\"right\":\"r\",\"result\":\"m\",\"scope\":\"admin\"},"
         "\"properties\":{\"l\":" CODE ",\"r\":" CODE ",\"m\":" TEXT("") "}}",
         "the root: x-compare: result must be a member of type boolean"},
        {"{\"type\":\"object\",\"x-compare\":{\"left\":\"l\",\"right\":\"r\",\"result\":\"m\",\"scope\":\"admin\"},"
         "\"properties\":{\"l\":" CODE ",\"r\":" CODE "}}",
         "the root: x-compare: result must be a member of type boolean"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"properties\":{\"b\":{}}}},\"x-card-name\":[\"/a/b\",\"/a/c\"]}",
         "the root: x-card-name: a pointer leads to no named member"},
        {"{\"type\":\"object\",\"properties\":{\"\":{}},\"x-card-name\":[\"\"]}",
         "the root: x-card-name: a pointer leads to no named member"},
    };
    COMPILE_ROWS(rows, true);
}

/* Opinions about one value: sixteen in one another are taken, more are not; nor are thousands. */
static void in_place_limits(void **state)
{
    (void)state;
    for (int depth = 12; depth <= 20; depth += 8) {
        struct buf text, why;
        struct contract *contract;
        buf_init(&text, 0);
        buf_init(&why, 0);
        for (int i = 0; i < depth; i++) {
            buf_append_text(&text, "{\"not\":");
        }
        buf_append_text(&text, "true");
        for (int i = 0; i < depth; i++) {
            buf_append_text(&text, "}");
        }
        int err = contract_compile_schema(buf_view(&text), &contract, &why);
        assert_int_equal(err, depth == 12 ? 0 : ERR_CONTRACT);
        contract_free(&contract);
        buf_fini(&text);
        buf_fini(&why);
    }
    static const struct compile_row wide[] = {
        {"{\"$defs\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},"
         "{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},"
         "{\"$ref\":\"#/$defs/b\"}]},"
         "\"b\":{\"allOf\":[{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},"
         "{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},"
         "{\"$ref\":\"#/$defs/c\"}]},"
         "\"c\":{\"allOf\":[{\"$ref\":\"#/$defs/d\"},{\"$ref\":\"#/$defs/d\"},{\"$ref\":\"#/$defs/d\"},"
         "{\"$ref\":\"#/$defs/d\"},{\"$ref\":\"#/$defs/d\"},{\"$ref\":\"#/$defs/d\"},{\"$ref\":\"#/$defs/d\"},"
         "{\"$ref\":\"#/$defs/d\"}]},"
         "\"d\":{\"allOf\":[{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},"
         "{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},"
         "{\"$ref\":\"#/$defs/e\"}]},\"e\":{}}}",
         "/$defs/"},
    };
    COMPILE_ROWS(wide, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(circles),
        cmocka_unit_test(places),
        cmocka_unit_test(in_place_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
