/* The scanner where json_parse can't show it: texts that the fast parser takes, and decoding. That
 * both give one verdict on any text is tests/fuzz/json_fuzz.c's. */
#include "parsed.h"

#include "json/json_priv.h"

static void test_taken(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "null",     "[1,2.5e3,-0,\"\\ud83d\\ude00\"]",  " { \"a\" : [ { } , [ ] , true ] , \"b\" : false } ",
        "[1e-400]", "[18446744073709551615,1e308,0e9]",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct json_error error;
        assert_int_equal(json_scan(slice_from_text(TEXTS[i]), &JSON_LIMITS_DEFAULT, &error), 0);
    }
}

static void test_long_numbers(void **state)
{
    (void)state;
    struct json_error error;
    char digits[402];
    memset(digits, '1', sizeof digits);
    memcpy(digits + 400, ".5", 2);
    assert_int_equal(json_scan(slice_make(digits, 402), &JSON_LIMITS_DEFAULT, &error), ERR_MALFORMED_JSON);
    assert_int_equal(error.offset, 0);
    memcpy(digits, "0.", 2);
    memcpy(digits + 400, "15", 2);
    assert_int_equal(json_scan(slice_make(digits, 402), &JSON_LIMITS_DEFAULT, &error), 0);
}

static void test_depth(void **state)
{
    (void)state;
    struct json_error error;
    char text[4096];
    memset(text, '[', 1025);
    memset(text + 1025, ']', 1025);
    const struct json_limits limits = {JSON_DEPTH_MAX, 9, 9};
    assert_int_equal(json_scan(slice_make(text, 2050), &limits, &error), ERR_MALFORMED_JSON);
    assert_int_equal(error.offset, 1024);
    assert_int_equal(json_scan(slice_make(text + 1, 2048), &limits, &error), 0);
}

static void test_decode(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const char *decoded;
    } ROWS[] = {
        {"", ""},
        {"plain", "plain"},
        {"\\u0041\\u00e9\\u20ac\\ud83d\\ude00", "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"a\\qb", "ab"},
        {"a\\", "a"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct buf out = {0};
        json_decode_string(slice_from_text(ROWS[i].raw), &out);
        assert_bytes(&out, ROWS[i].decoded);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_long_numbers),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
