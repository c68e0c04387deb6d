/* The writer: commas, escapes, numbers. */
#include "parsed.h"

#include <float.h>

static void test_shape(void **state)
{
    (void)state;
    struct buf out = {0};
    struct json_writer writer;
    json_writer_init(&writer, &out);
    json_open_object(&writer);
    json_name(&writer, "a");
    json_open_array(&writer);
    json_put_int(&writer, INT64_MIN);
    json_put_uint(&writer, UINT64_MAX);
    json_put_null(&writer);
    json_open_object(&writer);
    json_close_object(&writer);
    json_open_array(&writer);
    json_close_array(&writer);
    json_put_raw(&writer, SLICE("{\"raw\":1}"));
    json_close_array(&writer);
    json_name_slice(&writer, SLICE("b\"c"));
    json_put_bool(&writer, true);
    json_name(&writer, "d");
    json_put_bool(&writer, false);
    json_name(&writer, "e");
    json_put_text(&writer, "x");
    json_close_object(&writer);
    assert_bytes(&out, "{\"a\":[-9223372036854775808,18446744073709551615,null,{},[],{\"raw\":1}],\"b\\\"c\":true,"
                       "\"d\":false,\"e\":\"x\"}");
    buf_fini(&out);
}

static const struct {
    struct slice text;
    const char *json;
} STRINGS[] = {
    {{"", 0}, "\"\""},
    {{"plain", 5}, "\"plain\""},
    {{"a\"b\\c/d", 7}, "\"a\\\"b\\\\c/d\""},
    {{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
    {{"\0\x01\x1f\x7f", 4}, "\"\\u0000\\u0001\\u001f\x7f\""},
    {{"\xC3\xA9", 2}, "\"\xC3\xA9\""},
};

static void test_strings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof STRINGS / sizeof STRINGS[0]; i++) {
        struct buf out = {0};
        json_append_string(&out, STRINGS[i].text);
        assert_bytes(&out, STRINGS[i].json);
        struct parsed parsed;
        parsed_init(&parsed, STRINGS[i].json);
        assert_true(slice_equal(json_string(&parsed.doc, json_root(&parsed.doc)), STRINGS[i].text));
        parsed_fini(&parsed);
        buf_fini(&out);
    }
}

static void test_doubles(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *json;
    } ROWS[] = {
        {0.1, "0.1"}, {-2.5, "-2.5"}, {1e300, "1e+300"}, {52.2297, "52.2297"}, {1.0 / 3.0, "0.3333333333333333"},
        {3.0, "3"},   {0.0, "0"},     {5e-324, NULL},    {DBL_MAX, NULL},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct buf out = {0};
        struct json_writer writer;
        json_writer_init(&writer, &out);
        json_put_double(&writer, ROWS[i].value);
        if (ROWS[i].json != NULL) {
            assert_bytes(&out, ROWS[i].json);
        }
        buf_append_byte(&out, '\0');
        struct parsed parsed;
        parsed_init(&parsed, out.data);
        assert_true(json_number(&parsed.doc, json_root(&parsed.doc)) == ROWS[i].value);
        parsed_fini(&parsed);
        buf_fini(&out);
    }
}

static void test_sticky(void **state)
{
    (void)state;
    struct buf out;
    struct json_writer writer;
    buf_init(&out, 5);
    json_writer_init(&writer, &out);
    json_open_array(&writer);
    json_put_text(&writer, "too long for it");
    json_put_int(&writer, 1);
    json_close_array(&writer);
    assert_int_equal(buf_error(&out), ERR_TOO_LARGE);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
