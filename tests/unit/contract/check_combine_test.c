/* Several opinions about one value: whether it is valid, and what of the branches is kept. */
#include "contract/check_run.h"
#include "contract/schemas.h"

static void combinations(void **state)
{
    (void)state;
    static const struct valid_row rows[] = {
        {"{\"allOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":1,\"b\":1}", true},
        {"{\"allOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"b\":1}", false},
        {"{\"minimum\":5,\"allOf\":[{\"maximum\":10}]}", "11", false},
        {"{\"minimum\":5,\"allOf\":[{\"maximum\":10}]}", "4", false},
        {"{\"minimum\":5,\"allOf\":[{\"maximum\":10}]}", "7", true},
        {"{\"anyOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "1", true},
        {"{\"anyOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "2.5", true},
        {"{\"anyOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "1.5", false},
        {"{\"anyOf\":[false,true]}", "1", true},
        {"{\"anyOf\":[false,false]}", "1", false},
        {"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "1", true},
        {"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "3", false},
        {"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "2.5", true},
        {"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "1.5", false},
        {"{\"not\":{\"type\":\"integer\"}}", "\"a\"", true},
        {"{\"not\":{\"type\":\"integer\"}}", "1", false},
        {"{\"not\":{\"not\":{\"type\":\"integer\"}}}", "1", true},
        {"{\"not\":{\"not\":{\"type\":\"integer\"}}}", "\"a\"", false},
        {"{\"not\":{}}", "1", false},
        {"{\"not\":{\"properties\":{\"a\":{\"type\":\"string\"}}}}", "{\"a\":1}", true},
        {"{\"if\":{\"exclusiveMaximum\":0},\"then\":{\"minimum\":-10},\"else\":{\"maximum\":9}}", "-1", true},
        {"{\"if\":{\"exclusiveMaximum\":0},\"then\":{\"minimum\":-10},\"else\":{\"maximum\":9}}", "-100", false},
        {"{\"if\":{\"exclusiveMaximum\":0},\"then\":{\"minimum\":-10},\"else\":{\"maximum\":9}}", "9", true},
        {"{\"if\":{\"exclusiveMaximum\":0},\"then\":{\"minimum\":-10},\"else\":{\"maximum\":9}}", "10", false},
        {"{\"if\":{\"const\":0}}", "1", true},
        {"{\"then\":{\"const\":0}}", "1", true},
        {"{\"else\":{\"const\":0}}", "1", true},
        {"{\"if\":false,\"else\":{\"const\":0}}", "1", false},
        {"{\"anyOf\":[{\"allOf\":[{\"oneOf\":[{\"type\":\"null\"}]}]}]}", "null", true},
        {"{\"anyOf\":[{\"allOf\":[{\"oneOf\":[{\"type\":\"null\"}]}]}]}", "1", false},
    };
    VALID_ROWS(rows);
}

/* Facts, edits and findings come only from branches that hold; their faults stay inside. */
static void branches(void **state)
{
    (void)state;
#define SHAPE(tag, kind)                                                                                               \
    "{\"properties\":{\"k\":{\"const\":\"" tag                                                                         \
    "\"},\"v\":" TEXT(",\"x-identifier\":\"" kind "\",\"format\":\"" kind "\"") "},\"required\":[\"k\"]}"
#define EITHER(word) "{\"" word "\":[" SHAPE("e", "email") "," SHAPE("p", "phone") "]}"
    static const struct run_row rows[] = {
        {EITHER("oneOf"), "{\"k\":\"e\",\"v\":\"a@b.example\"}", "I email a@b.example\n", SCOPE_ALL, true},
        {EITHER("oneOf"), "{\"v\":\"+41446681800\",\"k\":\"p\"}", "I phone +41446681800\n", SCOPE_ALL, true},
        {EITHER("anyOf"), "{\"v\":\"x\",\"k\":\"p\"}", "f format /v\nI phone x\n", SCOPE_ALL, false},
        {EITHER("anyOf"), "{\"v\":\"x\",\"k\":\"p\"}", "F combination \n", SCOPE_ALL, true},
        {EITHER("oneOf"), "{\"v\":\"x\",\"k\":\"q\"}", "F combination \n", SCOPE_ALL, false},
        {"{\"not\":" SHAPE("e", "email") "}", "{\"v\":\"x\",\"k\":\"e\"}", "F not-allowed \n", SCOPE_ALL, false},
        {"{\"not\":" SHAPE("e", "email") "}", "{\"v\":\"x\",\"k\":\"p\"}", "", SCOPE_ALL, false},
        {"{\"if\":" SHAPE("e", "email") ",\"then\":{\"required\":[\"z\"]},\"else\":" SHAPE("p", "phone") "}",
         "{\"v\":\"a@b.example\",\"k\":\"e\",\"z\":1}", "f unnamed-member /z\nI email a@b.example\n", SCOPE_ALL, false},
        {"{\"if\":" SHAPE("e", "email") ",\"then\":{\"required\":[\"z\"]},\"else\":" SHAPE("p", "phone") "}",
         "{\"v\":\"a@b.example\",\"k\":\"e\"}", "F required \nI email a@b.example\n", SCOPE_ALL, false},
        {"{\"if\":" SHAPE("e", "email") ",\"then\":{\"required\":[\"z\"]},\"else\":" SHAPE("p", "phone") "}",
         "{\"v\":\"+41446681800\",\"k\":\"p\"}", "I phone +41446681800\n", SCOPE_ALL, false},
        /* what stood before a branch that fails is not taken back with it */
        {"{\"type\":\"object\",\"properties\":{\"a\":" TEXT(
             ",\"x-identifier\":\"did\"") ",\"k\":{},\"v\":{}},\"anyOf\":[" SHAPE("e", "email") ",true]}",
         "{\"a\":\"d\",\"v\":\"1\",\"k\":\"x\"}", "I did d\n", SCOPE_ALL, false},
    };
    RUN_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(combinations),
        cmocka_unit_test(branches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
