/*
 * What is said of a fault: every fault is found, in the order of the document; sentences name members
 * and allowed values; what a client sent is repeated for class open only.
 */
#include "contract/check_run.h"

#define SCHEMA                                                                                                         \
    "{\"type\":\"object\",\"required\":[\"id\",\"kind\"],\"properties\":{"                                             \
    "\"id\":{\"type\":\"string\",\"minLength\":3,\"maxLength\":5},"                                                    \
    "\"kind\":{\"type\":\"string\",\"enum\":[\"Person\",\"Organization\"],\"x-class\":\"open\"},"                      \
    "\"hidden\":{\"type\":\"string\",\"enum\":[\"alpha\",\"beta\"]},"                                                  \
    "\"n\":{\"type\":\"number\",\"minimum\":1,\"exclusiveMaximum\":10.5},"                                             \
    "\"list\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"string\"}},"                                    \
    "\"one\":{\"const\":\"x\"},\"no\":false,"                                                                          \
    "\"mail\":{\"type\":\"string\",\"format\":\"email\"},"                                                             \
    "\"many\":{\"enum\":[1,2,3,4,5,6,7,8,9,10,11,12]},"                                                                \
    "\"either\":{\"type\":[\"string\",\"null\"]},"                                                                     \
    "\"form\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":true}}]" \
    "}"                                                                                                                \
    "},\"additionalProperties\":false}"

struct row {
    const char *value;
    const char *pointer, *code, *detail, *hint;
};

static void sentences(void **state)
{
    (void)state;
#define OK_ITEM "\"id\":\"abc\",\"kind\":\"Person\""
    static const struct row rows[] = {
        {"{\"kind\":\"Person\"}", "", "required", "\"id\" is missing: it is required", ""},
        {"[]", "", "type", "the value must be an object, not an array", ""},
        {"{\"id\":12,\"kind\":\"Person\"}", "/id", "type", "\"id\" must be a string, not a number: put it in quotes",
         ""},
        {"{\"id\":null,\"kind\":\"Person\"}", "/id", "type",
         "\"id\" must be a string, not null: leave it out when there is none", ""},
        {"{\"id\":\"ab\",\"kind\":\"Person\"}", "/id", "length", "\"id\" must have at least 3 characters", ""},
        {"{\"id\":\"abcdef\",\"kind\":\"Person\"}", "/id", "length", "\"id\" must have at most 5 characters", ""},
        {"{\"id\":\"abc\",\"kind\":\"Persn\"}", "/kind", "enum",
         "\"kind\" must be one of \"Person\", \"Organization\", not \"Persn\"", "Person"},
        {"{\"id\":\"abc\",\"kind\":\"0123456789012345678901234567890123456789X\"}", "/kind", "enum",
         "\"kind\" must be one of \"Person\", \"Organization\", not \"0123456789012345678901234567890123456789\"…", ""},
        {"{" OK_ITEM ",\"hidden\":\"alpa\"}", "/hidden", "enum", "\"hidden\" must be one of \"alpha\", \"beta\"",
         "alpha"},
        {"{" OK_ITEM ",\"n\":0}", "/n", "range", "\"n\" must be at least 1", ""},
        {"{" OK_ITEM ",\"n\":10.5}", "/n", "range", "\"n\" must be less than 10.5", ""},
        {"{" OK_ITEM ",\"n\":\"5\"}", "/n", "type", "\"n\" must be a number, not a string", ""},
        {"{" OK_ITEM ",\"list\":[\"a\",\"b\",\"c\"]}", "/list", "item-count", "\"list\" must have at most 2 elements",
         ""},
        {"{" OK_ITEM ",\"list\":[\"a\",false]}", "/list/1", "type",
         "element 1 of \"list\" must be a string, not true or false", ""},
        {"{" OK_ITEM ",\"one\":\"y\"}", "/one", "const", "\"one\" must be \"x\"", ""},
        {"{" OK_ITEM ",\"no\":1}", "/no", "not-allowed", "\"no\" is not allowed here: leave it out", ""},
        {"{" OK_ITEM ",\"knd\":1}", "/knd", "unnamed-member",
         "\"knd\" is no member that this contract names: leave it out", "kind"},
        {"{" OK_ITEM ",\"mail\":\"x\"}", "/mail", "format",
         "\"mail\" must be an e-mail address such as name@example.com", ""},
        {"{" OK_ITEM ",\"many\":13}", "/many", "enum",
         "\"many\" must be one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, … (12 in all)", ""},
        {"{" OK_ITEM ",\"either\":1.5}", "/either", "type", "\"either\" must be a string or null, not a fraction", ""},
        {"{" OK_ITEM ",\"form\":{}}", "/form", "combination",
         "\"form\" fits none of the allowed forms; for the nearest one, \"a\" is missing: it is required", ""},
        {"{" OK_ITEM ",\"form\":7}", "/form", "combination",
         "\"form\" fits none of the allowed forms; for the nearest one, \"form\" must be null, not a number", ""},
    };
    struct run run;
    run_init(&run);
    run.options.strict = true;
    run_compile(&run, SCHEMA, false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_check(&run, rows[i].value);
        assert_int_equal(run.result.fault_total, 1);
        const struct contract_fault *fault = run.result.faults;
        if (!slice_equal_text(fault->pointer, rows[i].pointer) || strcmp(fault->code, rows[i].code) != 0 ||
            !slice_equal_text(fault->detail, rows[i].detail) || !slice_equal_text(fault->hint, rows[i].hint)) {
            fail_msg("row %zu: %s gives %s at \"%.*s\": %.*s (%.*s)", i, rows[i].value, fault->code,
                     SLICE_ARG(fault->pointer), SLICE_ARG(fault->detail), SLICE_ARG(fault->hint));
        }
    }
    run_fini(&run);
}

/* Every fault, in the order of the document: an object's own faults before its members'. */
static void all_in_order(void **state)
{
    (void)state;
    struct run run;
    run_init(&run);
    run_compile(&run,
                "{\"type\":\"object\",\"required\":[\"z\",\"y\"],\"maxProperties\":2,\"properties\":{"
                "\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"object\",\"required\":[\"q\"],\"properties\":{"
                "\"c~d\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"maximum\":2}}}},"
                "\"e\":{\"type\":\"string\"}}}",
                false);
    run_check(&run, "{\"a\":1,\"b\":{\"c~d\":[1,2.5,3,{},9]},\"e\":[]}");
    assert_string_equal(run_tell(&run), "F required \nF required \nF member-count \nF type /a\nF required /b\n"
                                        "F type /b/c~0d/1\nF range /b/c~0d/2\nF type /b/c~0d/3\nF range /b/c~0d/4\n"
                                        "F type /e\n");
    assert_string_equal(run.result.faults[0].detail.data, "\"z\" is missing: it is required");
    assert_string_equal(run.result.faults[1].detail.data, "\"y\" is missing: it is required");
    run_fini(&run);
}

/* The limit keeps the first of the document, whenever they were found, and counts all. */
static void limited(void **state)
{
    (void)state;
    struct run run;
    run_init(&run);
    run_compile(&run,
                "{\"type\":\"object\",\"required\":[\"z\"],\"properties\":{\"a\":{\"items\":{\"type\":\"null\"}}}}",
                false);
    static const struct {
        size_t limit;
        const char *told;
    } rows[] = {
        {0, ""},
        {1, "F required \n"},
        {2, "F required \nF type /a/0\n"},
        {4, "F required \nF type /a/0\nF type /a/1\nF type /a/2\n"},
        {9, "F required \nF type /a/0\nF type /a/1\nF type /a/2\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run.options.fault_limit = rows[i].limit;
        run_check(&run, "{\"a\":[1,2,3]}");
        assert_string_equal(run_tell(&run), rows[i].told);
        assert_int_equal(run.result.fault_total, 4);
    }
    /* the array stands one step before its element and is found after it */
    run.options.fault_limit = 1;
    run_compile(&run, "{\"minItems\":2,\"items\":{\"type\":\"null\"}}", false);
    run_check(&run, "[\"x\"]");
    assert_string_equal(run_tell(&run), "F item-count \n");
    run_fini(&run);
}

/* Thousands of faults stay quick and bounded; findings are listed up to a thousand. */
static void many(void **state)
{
    (void)state;
    struct run run;
    struct buf value;
    run_init(&run);
    buf_init(&value, 0);
    for (int i = 0; i < 50000; i++) {
        buf_append_text(&value, i == 0 ? "[{\"x\":1}" : ",{\"x\":1}");
    }
    buf_append_text(&value, "]");
    run_compile(&run, "{\"items\":{\"required\":[\"a\"],\"properties\":{\"a\":{}}}}", false);
    run_check_slice(&run, buf_view(&value));
    assert_int_equal(run.result.fault_total, 50000);
    assert_int_equal(run.result.fault_count, RUN_FAULT_LIMIT);
    assert_int_equal(run.result.finding_count, 1000);
    assert_string_equal(run.result.faults[99].pointer.data, "/99");
    buf_fini(&value);
    run_fini(&run);
}

/* No sentence, hint or pointer of a personal or secret member holds what the client sent. */
static void nothing_leaks(void **state)
{
    (void)state;
#define LEAK "x7Qleak"
    static const char *const SCHEMAS[] = {
        "{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}",
        "{\"type\":\"string\",\"const\":\"a\"}",
        "{\"type\":\"string\",\"maxLength\":2}",
        "{\"type\":\"string\",\"format\":\"email\",\"x-class\":\"personal\"}",
        "{\"type\":\"string\",\"x-privileged\":{\"scope\":\"admin\"}}",
        "{\"type\":\"string\",\"x-class\":\"secret\",\"x-secret\":\"pin\",\"maxLength\":2}",
        "{\"type\":\"string\",\"x-class\":\"secret\",\"x-secret\":\"pin\",\"enum\":[\"1\"]}",
        "{\"anyOf\":[{\"const\":\"a\"},{\"type\":\"string\",\"minLength\":40}]}",
        "{\"not\":{\"type\":\"string\"}}",
        "{\"type\":\"integer\"}",
        "false",
    };
    struct run run;
    run_init(&run);
    run.options.strict = true;
    run.options.scopes = 0;
    for (size_t i = 0; i < sizeof SCHEMAS / sizeof SCHEMAS[0]; i++) {
        struct buf schema;
        buf_init(&schema, 0);
        buf_printf(&schema, "{\"properties\":{\"m\":%s}}", SCHEMAS[i]);
        buf_append_byte(&schema, 0);
        run_compile(&run, schema.data, false);
        run_check(&run, "{\"m\":\"" LEAK "\"}");
        assert_int_equal(run.result.fault_count, 1);
        assert_null(strstr(run.result.faults[0].detail.data, LEAK));
        assert_false(slice_equal_text(run.result.faults[0].hint, LEAK));
        assert_string_equal(run.result.faults[0].pointer.data, "/m");
        buf_fini(&schema);
    }
    run_fini(&run);
}

/* An arena that is full is an error, not a crash and not a clean item. */
static void out_of_memory(void **state)
{
    (void)state;
    struct run run;
    run_init(&run);
    run_compile(&run, SCHEMA, false);
    run_check(&run, "{\"id\":1,\"kind\":2,\"x\":3,\"n\":0}");
    assert_int_equal(run.result.fault_total, 4);
    for (size_t limit = 0; limit < 4096; limit += 64) {
        struct arena *arena = arena_new(16, limit);
        struct contract_result result;
        int err = contract_check_item(run.contract, &run.doc, &run.options, arena, &result);
        assert_true(err == ERR_NO_MEMORY || (err == 0 && result.fault_count == 4));
        arena_free(&arena);
    }
    run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences), cmocka_unit_test(all_in_order),  cmocka_unit_test(limited),
        cmocka_unit_test(many),      cmocka_unit_test(nothing_leaks), cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
