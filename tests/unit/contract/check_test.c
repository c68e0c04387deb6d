/*
 * Every keyword after the JSON Schema 2020-12 specification (core and validation): a schema, a value,
 * whether it is valid; a bare schema, so nothing of Muster's own is in the way. Behind them what is
 * Muster's own: unnamed members and the limits of facts.
 */
#include "contract/check_run.h"
#include "contract/schemas.h"

static void booleans(void **state)
{
    (void)state;
    static const struct valid_row rows[] = {
        {"true", "1", true},
        {"true", "{\"a\":[]}", true},
        {"false", "1", false},
        {"false", "null", false},
        {"{}", "null", true},
        {"{}", "[1]", true},
        {"{\"properties\":{\"a\":true,\"b\":false}}", "{\"a\":1}", true},
        {"{\"properties\":{\"a\":true,\"b\":false}}", "{\"b\":1}", false},
    };
    VALID_ROWS(rows);
}

static void type(void **state)
{
    (void)state;
    static const struct valid_row rows[] = {
        {"{\"type\":\"integer\"}", "1", true},
        {"{\"type\":\"integer\"}", "1.0", true},
        {"{\"type\":\"integer\"}", "-0.0", true},
        {"{\"type\":\"integer\"}", "1e3", true},
        {"{\"type\":\"integer\"}", "1e300", true},
        {"{\"type\":\"integer\"}", "1.1", false},
        {"{\"type\":\"integer\"}", "18446744073709551615", true},
        {"{\"type\":\"integer\"}", "\"1\"", false},
        {"{\"type\":\"number\"}", "1", true},
        {"{\"type\":\"number\"}", "1.5", true},
        {"{\"type\":\"number\"}", "-9223372036854775808", true},
        {"{\"type\":\"number\"}", "\"1\"", false},
        {"{\"type\":\"string\"}", "\"\"", true},
        {"{\"type\":\"string\"}", "1", false},
        {"{\"type\":\"string\"}", "null", false},
        {"{\"type\":\"object\"}", "{}", true},
        {"{\"type\":\"object\"}", "[]", false},
        {"{\"type\":\"array\"}", "[]", true},
        {"{\"type\":\"array\"}", "{}", false},
        {"{\"type\":\"boolean\"}", "true", true},
        {"{\"type\":\"boolean\"}", "false", true},
        {"{\"type\":\"boolean\"}", "0", false},
        {"{\"type\":\"boolean\"}", "null", false},
        {"{\"type\":\"null\"}", "null", true},
        {"{\"type\":\"null\"}", "false", false},
        {"{\"type\":[\"string\",\"null\"]}", "null", true},
        {"{\"type\":[\"string\",\"null\"]}", "\"a\"", true},
        {"{\"type\":[\"string\",\"null\"]}", "1", false},
        {"{\"type\":[\"integer\",\"object\"]}", "1.5", false},
        {"{\"type\":[\"integer\",\"number\"]}", "1.5", true},
    };
    VALID_ROWS(rows);
}

static void enums(void **state)
{
    (void)state;
    static const struct valid_row rows[] = {
        {"{\"enum\":[1,2,3]}", "2", true},
        {"{\"enum\":[1,2,3]}", "2.0", true},
        {"{\"enum\":[1,2,3]}", "4", false},
        {"{\"enum\":[1,2,3]}", "\"1\"", false},
        {"{\"enum\":[\"a\",\"b\"]}", "\"a\"", true},
        {"{\"enum\":[\"a\",\"b\"]}", "\"A\"", false},
        {"{\"enum\":[\"a\",\"b\"]}", "\"\"", false},
        {"{\"enum\":[\"a\",\"b\"]}", "1", false},
        {"{\"enum\":[\"\"]}", "\"\"", true},
        {"{\"enum\":[\"ab\",\"abc\",\"abcd\",\"abcdefghi\",\"abcdXfghi\"]}", "\"abc\"", true},
        {"{\"enum\":[\"ab\",\"abc\",\"abcd\",\"abcdefghi\",\"abcdXfghi\"]}", "\"abcdYfghi\"", false},
        {"{\"enum\":[\"ab\",\"abc\",\"abcd\",\"abcdefghi\",\"abcdXfghi\"]}", "\"abcdXfghi\"", true},
        {"{\"enum\":[\"abcdefghijklmnopqrstuvwxyz\"]}", "\"abcdefghijklmNopqrstuvwxyz\"", false},
        {"{\"enum\":[\"abcdefghijklmnopqrstuvwxyz\"]}", "\"abcdefghijklmnopqrstuvwxyz\"", true},
        {"{\"enum\":[\"f\\u006fo\"]}", "\"foo\"", true},
        {"{\"enum\":[6,\"foo\",[],true,{\"foo\":12}]}", "[]", true},
        {"{\"enum\":[6,\"foo\",[],true,{\"foo\":12}]}", "{\"foo\":12.0}", true},
        {"{\"enum\":[6,\"foo\",[],true,{\"foo\":12}]}", "{\"foo\":12,\"boo\":42}", false},
        {"{\"enum\":[6,\"foo\",[],true,{\"foo\":12}]}", "false", false},
        {"{\"enum\":[false]}", "0", false},
        {"{\"enum\":[[false]]}", "[0]", false},
        {"{\"enum\":[null]}", "null", true},
        {"{\"const\":2}", "2", true},
        {"{\"const\":2}", "2.0", true},
        {"{\"const\":2}", "5", false},
        {"{\"const\":\"a\"}", "\"a\"", true},
        {"{\"const\":\"a\"}", "\"b\"", false},
        {"{\"const\":{\"a\":1,\"b\":[2,3]}}", "{\"b\":[2,3],\"a\":1.0}", true},
        {"{\"const\":{\"a\":1,\"b\":[2,3]}}", "{\"b\":[3,2],\"a\":1}", false},
        {"{\"const\":{\"a\":1}}", "{\"b\":1}", false},
        {"{\"const\":[1,2]}", "[1]", false},
        {"{\"const\":[1]}", "[1,2]", false},
        {"{\"const\":null}", "null", true},
        {"{\"const\":null}", "0", false},
        {"{\"const\":9007199254740992}", "9007199254740993", false},
        {"{\"const\":9007199254740992}", "9007199254740992.0", true},
        {"{\"const\":0}", "-0.0", true},
        {"{\"const\":1}", "true", false},
    };
    VALID_ROWS(rows);
}

static void strings(void **state)
{
    (void)state;
    static const struct valid_row rows[] = {
        {"{\"maxLength\":2}", "\"ab\"", true},
        {"{\"maxLength\":2}", "\"abc\"", false},
        {"{\"maxLength\":2}", "100", true},
        {"{\"maxLength\":2.0}", "\"abc\"", false},
        {"{\"maxLength\":0}", "\"\"", true},
        {"{\"maxLength\":2}", "\"\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9\"", true},
        {"{\"maxLength\":2}", "\"\\ud83d\\udca9\\ud83d\\udca9\"", true},
        {"{\"maxLength\":1}", "\"\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9\"", false},
        {"{\"minLength\":2}", "\"ab\"", true},
        {"{\"minLength\":2}", "\"a\"", false},
        {"{\"minLength\":2}", "\"\xf0\x9f\x92\xa9\"", false},
        {"{\"minLength\":2}", "\"\xc3\xa9\xc3\xa9\"", true},
        {"{\"minLength\":2}", "1", true},
        {"{\"minLength\":1}", "\"\"", false},
        {"{\"minLength\":2,\"maxLength\":2}", "\"abc\"", false},
        {"{\"minLength\":5000000000}", "\"abc\"", false},
        {"{\"format\":\"email\"}", "\"no address\"", true}, /* format is an annotation */
        {"{\"format\":\"date\"}", "12", true},
    };
    VALID_ROWS(rows);
}

static void numbers(void **state)
{
    (void)state;
    static const struct valid_row rows[] = {
        {"{\"minimum\":1.1}", "2.6", true},
        {"{\"minimum\":1.1}", "1.1", true},
        {"{\"minimum\":1.1}", "0.6", false},
        {"{\"minimum\":1.1}", "\"x\"", true},
        {"{\"minimum\":-2}", "-2.0", true},
        {"{\"minimum\":-2}", "-2.0001", false},
        {"{\"minimum\":-2}", "-3", false},
        {"{\"maximum\":3.0}", "3", true},
        {"{\"maximum\":3.0}", "3.5", false},
        {"{\"maximum\":300}", "300.0", true},
        {"{\"exclusiveMinimum\":1.1}", "1.2", true},
        {"{\"exclusiveMinimum\":1.1}", "1.1", false},
        {"{\"exclusiveMaximum\":3}", "2.9", true},
        {"{\"exclusiveMaximum\":3}", "3", false},
        {"{\"minimum\":9007199254740993}", "9007199254740992", false},
        {"{\"minimum\":9007199254740993}", "9007199254740992.0", false},
        {"{\"maximum\":9223372036854775807}", "9223372036854775808", false},
        {"{\"maximum\":9223372036854775807}", "9223372036854775807", true},
        {"{\"maximum\":1e300}", "18446744073709551615", true},
        {"{\"minimum\":-1e300}", "-9223372036854775808", true},
        {"{\"maximum\":-1e300}", "-9223372036854775808", false},
        {"{\"minimum\":0}", "-1", false},
        {"{\"minimum\":0}", "-0.5", false},
        {"{\"maximum\":-1.5}", "-1", false},
        {"{\"maximum\":-1.5}", "-2", true},
        {"{\"minimum\":5,\"maximum\":4}", "4", false},
    };
    VALID_ROWS(rows);
}

static void objects(void **state)
{
    (void)state;
    static const struct valid_row rows[] = {
        {"{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}}}", "{\"a\":1,\"b\":\"x\"}", true},
        {"{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}}}", "{\"a\":1,\"b\":{}}", false},
        {"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "{\"other\":[]}", true},
        {"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "[]", true},
        {"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "12", true},
        {"{\"properties\":{\"\":{\"type\":\"integer\"}}}", "{\"\":\"x\"}", false},
        {"{\"properties\":{\"a/b\":{\"type\":\"integer\"}}}", "{\"a/b\":\"x\"}", false},
        {"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "{\"\\u0061\":\"x\"}", false},
        {"{\"required\":[\"a\"]}", "{\"a\":1}", true},
        {"{\"required\":[\"a\"]}", "{}", false},
        {"{\"required\":[\"a\"]}", "12", true},
        {"{\"required\":[]}", "{}", true},
        {"{\"required\":[\"a\",\"b\"],\"properties\":{\"b\":{}}}", "{\"b\":1}", false},
        {"{\"required\":[\"a\",\"b\"],\"properties\":{\"b\":{}}}", "{\"b\":1,\"a\":1}", true},
        {"{\"required\":[\"a\",\"b\"],\"properties\":{\"b\":{}}}", "{\"b\":1,\"c\":1}", false},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1}", true},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1,\"b\":2}", false},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"boolean\"}}", "{\"a\":1,\"b\":true}", true},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"boolean\"}}", "{\"a\":1,\"b\":12}", false},
        {"{\"additionalProperties\":{\"type\":\"boolean\"}}", "{\"x\":12}", false},
        {"{\"additionalProperties\":false,\"required\":[\"a\"]}", "{\"a\":1}", false},
        /* additionalProperties looks at its own schema's properties only (core, 10.3.2.3) */
        {"{\"allOf\":[{\"properties\":{\"a\":{}}}],\"additionalProperties\":{\"type\":\"boolean\"}}", "{\"a\":1}",
         false},
        {"{\"minProperties\":1}", "{}", false},
        {"{\"minProperties\":1}", "{\"a\":1}", true},
        {"{\"minProperties\":1}", "[]", true},
        {"{\"maxProperties\":2.0}", "{\"a\":1,\"b\":1}", true},
        {"{\"maxProperties\":2}", "{\"a\":1,\"b\":1,\"c\":1}", false},
        {"{\"maxProperties\":0}", "{\"a\":1}", false},
    };
    VALID_ROWS(rows);
}

static void arrays(void **state)
{
    (void)state;
    static const struct valid_row rows[] = {
        {"{\"items\":{\"type\":\"integer\"}}", "[1,2,3]", true},
        {"{\"items\":{\"type\":\"integer\"}}", "[1,\"x\"]", false},
        {"{\"items\":{\"type\":\"integer\"}}", "[]", true},
        {"{\"items\":{\"type\":\"integer\"}}", "{\"0\":\"x\"}", true},
        {"{\"items\":false}", "[]", true},
        {"{\"items\":false}", "[1]", false},
        {"{\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", "[1,\"a\"]", true},
        {"{\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", "[\"a\",1]", false},
        {"{\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", "[1]", true},
        {"{\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", "[1,\"a\",true]", true},
        {"{\"prefixItems\":[{}],\"items\":false}", "[1]", true},
        {"{\"prefixItems\":[{}],\"items\":false}", "[1,2]", false},
        {"{\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"integer\"}}", "[\"x\",2,3]", true},
        {"{\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"integer\"}}", "[\"x\",2,\"y\"]", false},
        {"{\"minItems\":1}", "[]", false},
        {"{\"minItems\":1}", "[1]", true},
        {"{\"minItems\":1}", "\"\"", true},
        {"{\"maxItems\":2}", "[1,2]", true},
        {"{\"maxItems\":2}", "[1,2,3]", false},
        {"{\"maxItems\":2.0}", "[1,2,3]", false},
    };
    VALID_ROWS(rows);
}

#define TREE                                                                                                           \
    "{\"type\":\"object\",\"required\":[\"v\"],\"properties\":{\"v\":{\"type\":\"integer\"},"                          \
    "\"next\":{\"$ref\":\"#\"}},\"additionalProperties\":false}"

static void references(void **state)
{
    (void)state;
    static const struct valid_row rows[] = {
        {TREE, "{\"v\":1,\"next\":{\"v\":2,\"next\":{\"v\":3}}}", true},
        {TREE, "{\"v\":1,\"next\":{\"v\":2,\"next\":{\"w\":3}}}", false},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"integer\"}}}", "1", true},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"integer\"}}}", "\"1\"", false},
        /* siblings of $ref count (core, 8.2.3.1) */
        {"{\"$ref\":\"#/$defs/a\",\"maximum\":3,\"$defs\":{\"a\":{\"type\":\"integer\"}}}", "4", false},
        {"{\"maximum\":3,\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"integer\"}}}", "\"1\"", false},
        {"{\"$ref\":\"#/$defs/a\",\"allOf\":[{\"maximum\":3}],\"$defs\":{\"a\":{\"minimum\":1}}}", "0", false},
        {"{\"$ref\":\"#/$defs/a\",\"allOf\":[{\"maximum\":3}],\"$defs\":{\"a\":{\"minimum\":1}}}", "4", false},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/c\"},"
         "\"c\":{\"const\":7}}}",
         "7", true},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/c\"},"
         "\"c\":{\"const\":7}}}",
         "8", false},
        /* escapes of the pointer and of the URI */
        {"{\"$ref\":\"#/$defs/t~0~1%25\",\"$defs\":{\"t~/%\":{\"type\":\"integer\"}}}", "\"x\"", false},
        {"{\"$ref\":\"#/$defs/a/properties/b\",\"$defs\":{\"a\":{\"properties\":{\"b\":{\"type\":\"null\"}}}}}", "1",
         false},
        {"{\"properties\":{\"a\":{\"$ref\":\"#/properties/b\"},\"b\":{\"type\":\"null\"}}}", "{\"a\":1}", false},
        {"{\"prefixItems\":[{\"type\":\"integer\"},{\"$ref\":\"#/prefixItems/0\"}]}", "[1,\"x\"]", false},
        {"{\"additionalProperties\":{\"$ref\":\"#/$defs/no\"},\"$defs\":{\"no\":false}}", "{\"a\":1}", false},
        {"{\"$ref\":\"#/$defs/yes\",\"$defs\":{\"yes\":true}}", "{\"a\":1}", true},
        {"{\"$id\":\"https://example.com/s\",\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
         "\"$comment\":\"c\",\"title\":\"t\",\"description\":\"d\",\"default\":1,\"examples\":[1],\"deprecated\":true,"
         "\"readOnly\":true,\"writeOnly\":false}",
         "\"x\"", true},
    };
    VALID_ROWS(rows);
}

/* Sixty objects in one another go through a recursive schema to the innermost. */
static void recursion(void **state)
{
    (void)state;
    struct run run;
    struct buf value;
    run_init(&run);
    buf_init(&value, 0);
    for (int i = 0; i < 60; i++) {
        buf_append_text(&value, "{\"v\":1,\"next\":");
    }
    buf_append_text(&value, "{\"v\":\"x\"}");
    for (int i = 0; i < 60; i++) {
        buf_append_text(&value, "}");
    }
    run_compile(&run, TREE, true);
    run_check_slice(&run, buf_view(&value));
    assert_int_equal(run.result.fault_total, 1);
    assert_int_equal(run.result.faults[0].pointer.size, 60 * strlen("/next") + strlen("/v"));
    buf_fini(&value);
    run_fini(&run);
}

static void unnamed_members(void **state)
{
    (void)state;
#define PAIR                                                                                                           \
    "{\"allOf\":[" OBJECT("\"a\":{}") ",{\"anyOf\":[" OBJECT(                                                          \
        "\"b\":{\"type\":\"string\"}") ",true]}],\"properties\":{\"c\":{}}}"
    static const struct run_row rows[] = {
        {OBJECT("\"a\":{}"), "{\"a\":1,\"b\":2}", "f unnamed-member /b\n", SCOPE_ALL, false},
        {OBJECT("\"a\":{}"), "{\"a\":1,\"b\":2}", "F unnamed-member /b\n", SCOPE_ALL, true},
        {OBJECT("\"a\":" OBJECT("\"x\":{}")), "{\"a\":{\"y/z\":2}}", "f unnamed-member /a/y~1z\n", SCOPE_ALL, false},
        /* objects without properties are the client's own */
        {"{\"type\":\"object\"}", "{\"a\":1}", "", SCOPE_ALL, true},
        {OBJECT("\"a\":{}"), "{\"a\":{\"b\":1}}", "", SCOPE_ALL, true},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":true}", "{\"b\":1}", "", SCOPE_ALL, true},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"b\":1}", "F unnamed-member /b\n", SCOPE_ALL,
         false},
        {"{\"allOf\":[" OBJECT("\"a\":{}") "],\"additionalProperties\":true}", "{\"b\":1}", "", SCOPE_ALL, true},
        /* required names a member, but says nothing of it */
        {"{\"properties\":{\"a\":{}},\"required\":[\"b\"]}", "{\"b\":1}", "f unnamed-member /b\n", SCOPE_ALL, false},
        /* opinions name members for one another */
        {PAIR, "{\"a\":1,\"b\":\"x\",\"c\":3}", "", SCOPE_ALL, true},
        {PAIR, "{\"a\":1,\"d\":2}", "f unnamed-member /d\n", SCOPE_ALL, false},
        {"{\"$ref\":\"#/item/$defs/x\",\"$defs\":{\"x\":" OBJECT("\"a\":{}") "}}", "{\"b\":1}", "f unnamed-member /b\n",
         SCOPE_ALL, false},
        {"{\"$ref\":\"#/item/$defs/x\",\"properties\":{\"b\":{}},\"$defs\":{\"x\":" OBJECT("\"a\":{}") "}}",
         "{\"a\":1,\"b\":1,\"c\":1}", "f unnamed-member /c\n", SCOPE_ALL, false},
    };
    RUN_ROWS(rows);
}

/* A record holds 64 identifiers and 64 secrets. */
static void fact_limits(void **state)
{
    (void)state;
    struct run run;
    run_init(&run);
    run_compile(&run,
                "{\"type\":\"array\",\"items\":" OBJECT(
                    "\"i\":" TEXT(",\"x-identifier\":\"email\"") ",\"s\":" SECRET("\"pin\"") ",\"c\":" CODE) "}",
                false);
    for (int count = 64; count <= 65; count++) {
        struct buf value;
        buf_init(&value, 0);
        for (int i = 0; i < count; i++) {
            buf_append_text(&value, i == 0 ? "[" : ",");
            buf_append_text(&value, "{\"i\":\"x\",\"s\":\"1\",\"c\":\"2\"}");
        }
        buf_append_text(&value, "]");
        run_check_slice(&run, buf_view(&value));
        assert_int_equal(run.result.fault_total, count == 64 ? 0 : 2);
        assert_int_equal(run.result.edit_count, 2 * count);
        buf_fini(&value);
    }
    assert_string_equal(run.result.faults[0].code, "item-count");
    assert_string_equal(run.result.faults[0].detail.data, "the value must have at most 64 identifiers");
    assert_string_equal(run.result.faults[1].detail.data, "the value must have at most 64 secrets");
    run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans),        cmocka_unit_test(type),        cmocka_unit_test(enums),
        cmocka_unit_test(strings),         cmocka_unit_test(numbers),     cmocka_unit_test(objects),
        cmocka_unit_test(arrays),          cmocka_unit_test(references),  cmocka_unit_test(recursion),
        cmocka_unit_test(unnamed_members), cmocka_unit_test(fact_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
