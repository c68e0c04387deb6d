/*
 * json_parse: what is taken and what is refused, with the place of the refusal. Every row is tried
 * with paddings that could be mistaken for more text; they must not matter.
 */
#include "parsed.h"

struct row {
    const char *text;
    size_t size; /* 0: a C string */
    bool refused;
    size_t offset;
    uint32_t line;
    uint32_t column;
};

static const struct row TAKEN[] = {
    {.text = "null"},
    {.text = "true"},
    {.text = " false "},
    {.text = "0"},
    {.text = "-0"},
    {.text = "-0.0"},
    {.text = "12"},
    {.text = "1e5"},
    {.text = "1E+2"},
    {.text = "1.5e-3"},
    {.text = "18446744073709551615"},
    {.text = "-9223372036854775808"},
    {.text = "1e308"},
    {.text = "1e-400"},
    {.text = "123456789012345678901234567890.0"},
    {.text = "\"\""},
    {.text = "\"\\u0000\\ud83d\\ude00\\n\\/\""},
    {.text = "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\""},
    {.text = "\"\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80\""},
    {.text = "[]"},
    {.text = "{}"},
    {.text = "[[],{}]"},
    {.text = "\t[\r\n1 ,\n2 ]\n"},
    {.text = "{\"a\":1,\"A\":2,\"\":3,\"a \":4}"},
    {.text = "{\"a\":{\"a\":{\"a\":1}}}"},
    {.text = "[{\"a\":1},{\"a\":1}]"},
};

static const struct row REFUSED[] = {
    {"", 0, true, 0, 1, 1},
    {" \n ", 0, true, 3, 2, 2},
    {"nul", 0, true, 3, 1, 4},
    {"nulx", 0, true, 3, 1, 4},
    {"truex", 0, true, 4, 1, 5},
    {"True", 0, true, 0, 1, 1},
    {"NaN", 0, true, 0, 1, 1},
    {"'a'", 0, true, 0, 1, 1},
    {"[1 2]", 0, true, 3, 1, 4},
    {"[1,]", 0, true, 3, 1, 4},
    {"[,1]", 0, true, 1, 1, 2},
    {"[1,,2]", 0, true, 3, 1, 4},
    {"[1", 0, true, 2, 1, 3},
    {"[1}", 0, true, 2, 1, 3},
    {"[]]", 0, true, 2, 1, 3},
    {"[] []", 0, true, 3, 1, 4},
    {"{\"a\":1,}", 0, true, 7, 1, 8},
    {"{\"a\" 1}", 0, true, 5, 1, 6},
    {"{\"a\":}", 0, true, 5, 1, 6},
    {"{a:1}", 0, true, 1, 1, 2},
    {"{1:1}", 0, true, 1, 1, 2},
    {"{\"a\":1 \"b\":2}", 0, true, 7, 1, 8},
    {"{\n \"a\": 1,\n \"b\": tru\n}", 0, true, 20, 3, 10},
    {"{\"a\":1", 0, true, 6, 1, 7},
    {"{", 0, true, 1, 1, 2},
    {"\"abc", 0, true, 4, 1, 5},
    {"\"a\\\"", 0, true, 4, 1, 5},
    {"01", 0, true, 1, 1, 2},
    {"-01", 0, true, 2, 1, 3},
    {"-", 0, true, 1, 1, 2},
    {"[-]", 0, true, 2, 1, 3},
    {"+1", 0, true, 0, 1, 1},
    {".5", 0, true, 0, 1, 1},
    {"1.", 0, true, 2, 1, 3},
    {"[1.e5]", 0, true, 3, 1, 4},
    {"[1e]", 0, true, 3, 1, 4},
    {"[1e+]", 0, true, 4, 1, 5},
    {"[0x10]", 0, true, 2, 1, 3},
    {"[18446744073709551616]", 0, true, 1, 1, 2},
    {"[-9223372036854775809]", 0, true, 1, 1, 2},
    {"[1e309]", 0, true, 1, 1, 2},
    {"[-1e400]", 0, true, 1, 1, 2},
    {"[\"\\x\"]", 0, true, 2, 1, 3},
    {"[\"\\u12g4\"]", 0, true, 2, 1, 3},
    {"[\"\\u123\"]", 0, true, 2, 1, 3},
    {"[\"\\ud800\"]", 0, true, 2, 1, 3},
    {"[\"\\udc00\"]", 0, true, 2, 1, 3},
    {"[\"ab\\ud800\\ud800\"]", 0, true, 4, 1, 5},
    {"[\"\\ud800\\u0041\"]", 0, true, 2, 1, 3},
    {"[\"\\udc00\\ud800\"]", 0, true, 2, 1, 3},
    {"[\"\\udc00\\udc00\"]", 0, true, 2, 1, 3},
    {"[\"a\tb\"]", 0, true, 3, 1, 4},
    {"[\"a\nb\"]", 0, true, 3, 1, 4},
    {"[\"a\0b\"]", 7, true, 3, 1, 4},
    {"[1]\0", 4, true, 3, 1, 4},
    {"[\xA0]", 0, true, 1, 1, 2},
    {"[1\x0C]", 0, true, 2, 1, 3},
    {"\xEF\xBB\xBF[]", 0, true, 0, 1, 1},
    {"[\"\xC0\xAF\"]", 0, true, 2, 1, 3},         /* overlong */
    {"[\"\xE0\x80\xAF\"]", 0, true, 2, 1, 3},     /* overlong */
    {"[\"\xED\xA0\x80\"]", 0, true, 2, 1, 3},     /* a surrogate in UTF-8 */
    {"[\"\xF4\x90\x80\x80\"]", 0, true, 2, 1, 3}, /* past U+10FFFF */
    {"[\"a\xE2\x82\"]", 0, true, 3, 1, 4},        /* cut short */
    {"[\"\x80\"]", 0, true, 2, 1, 3},
    {"[\"\xFF\"]", 0, true, 2, 1, 3},
    {"{\"a\":1,\"a\":2}", 0, true, 7, 1, 8},
    {"{\"a\":1,\n\"\\u0061\":2}", 0, true, 8, 2, 1},
    {"{\"\":1,\"\":2}", 0, true, 6, 1, 7},
    {"[{\"b\":[{\"x\":1,\"y\":2,\"x\":3}]}]", 0, true, 20, 1, 21},
    {"{\"a\":[1,\",\",\":\"],\"b\":{\"c\":1},\"b\":2}", 0, true, 29, 1, 30},
    {"{\"longer than eight\":1,\"longer thaN eight\":2,\"longer than eight\":3}", 0, true, 45, 1, 46},
};

static void check_row(const struct row *row, char padding)
{
    struct slice text = {row->text, row->size != 0 ? row->size : strlen(row->text)};
    struct parsed parsed;
    int err = parsed_try(&parsed, text, &JSON_LIMITS_DEFAULT, padding);
    if (err != (row->refused ? ERR_MALFORMED_JSON : 0)) {
        fail_msg("%s with padding %d: %d", row->text, padding, err);
    }
    if (row->refused && (parsed.error.offset != row->offset || parsed.error.line != row->line ||
                         parsed.error.column != row->column || parsed.error.reason == NULL)) {
        fail_msg("%s: refused at %zu, line %u, column %u: %s", row->text, parsed.error.offset, parsed.error.line,
                 parsed.error.column, parsed.error.reason);
    }
    parsed_fini(&parsed);
}

static void test_table(void **state)
{
    (void)state;
    static const char PADDINGS[] = {'\0', '1', '"', ' ', '}', ']', '\\', '\xFF', 'e', '\n'};
    for (size_t p = 0; p < sizeof PADDINGS; p++) {
        for (size_t i = 0; i < sizeof TAKEN / sizeof TAKEN[0]; i++) {
            check_row(&TAKEN[i], PADDINGS[p]);
        }
        for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
            check_row(&REFUSED[i], PADDINGS[p]);
        }
    }
}

/* ---- limits ---- */

static const struct {
    const char *text;
    struct json_limits limits;
    bool refused;
    size_t offset;
} LIMITS[] = {
    {"[[1]]", {2, 10, 10}, false, 0},
    {"[[[]]]", {2, 10, 10}, true, 2},
    {"{\"a\":[{}]}", {2, 10, 10}, true, 6},
    {"{\"a\":[1]}", {2, 10, 10}, false, 0},
    {"1", {0, 10, 10}, false, 0},
    {"[]", {0, 10, 10}, true, 0},
    {"[[[x", {2, 10, 10}, true, 2}, /* depth is met before the malformation */
    {"{\"a\":1,\"b\":2}", {9, 2, 10}, false, 0},
    {"[{\"a\":1,\"b\":2,\"c\":3}]", {9, 2, 10}, true, 1},
    {"[1,2,3,4]", {9, 2, 10}, false, 0}, /* elements are not members */
    {"[\"abcd\"]", {9, 9, 4}, false, 0},
    {"[1,\"abcde\"]", {9, 9, 4}, true, 3},
    {"{\"abcde\":1}", {9, 9, 4}, true, 1},
    {"[\"\\u00e9\\u00e9\"]", {9, 9, 4}, false, 0}, /* decoded bytes count */
    {"[\"\\u00e9\\u00e9a\"]", {9, 9, 4}, true, 1},
};

static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof LIMITS / sizeof LIMITS[0]; i++) {
        struct parsed parsed;
        int err = parsed_try(&parsed, slice_from_text(LIMITS[i].text), &LIMITS[i].limits, ' ');
        if (err != (LIMITS[i].refused ? ERR_MALFORMED_JSON : 0) ||
            (err != 0 && parsed.error.offset != LIMITS[i].offset)) {
            fail_msg("%s: %d at %zu", LIMITS[i].text, err, parsed.error.offset);
        }
        parsed_fini(&parsed);
    }
}

static void test_capacity(void **state)
{
    (void)state;
    struct json_parser *parser = json_parser_new(4);
    struct json_doc doc;
    struct json_error error;
    char text[7 + JSON_PADDING] = "[1, 2]";
    assert_non_null(parser);
    assert_int_equal(json_parse(parser, slice_make(text, 6), &JSON_LIMITS_DEFAULT, &doc, &error), ERR_MALFORMED_JSON);
    assert_int_equal(error.offset, 4);
    memcpy(text, "[12]", 4);
    assert_int_equal(json_parse(parser, slice_make(text, 4), &JSON_LIMITS_DEFAULT, &doc, &error), 0);
    json_parser_free(&parser);
    json_parser_free(&parser);
}

/* ---- objects with many members ---- */

/* {"m0000":0,…}; member `twice` has the name of member `of`. */
static void many_members(struct buf *text, int count, int twice, int of)
{
    buf_append_byte(text, '{');
    for (int i = 0; i < count; i++) {
        buf_printf(text, "%s\"m%04d\":%d", i == 0 ? "" : ",", i == twice ? of : i, i % 10);
    }
    buf_append_byte(text, '}');
}

static void test_many_members(void **state)
{
    (void)state;
    static const int COUNTS[] = {2, 8, 31, 32, 33, 34, 64, 200, 1024};
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++) {
        int count = COUNTS[i];
        for (int twice = -1; twice < count; twice += 1 + count / 9) {
            for (int of = 0; of < (twice < 1 ? 1 : twice); of += 1 + count / 5) {
                struct buf text = {0};
                struct parsed parsed;
                many_members(&text, count, twice, of);
                int err = parsed_try(&parsed, buf_view(&text), &JSON_LIMITS_DEFAULT, ' ');
                bool twin = twice > 0;
                assert_int_equal(err, twin ? ERR_MALFORMED_JSON : 0);
                assert_int_equal(twin ? parsed.error.offset : 0, twin ? 1 + 10 * (size_t)twice : 0);
                parsed_fini(&parsed);
                buf_fini(&text);
            }
        }
    }
}

static void test_too_many_members(void **state)
{
    (void)state;
    struct buf text = {0};
    struct parsed parsed;
    many_members(&text, 1025, -1, 0);
    assert_int_equal(parsed_try(&parsed, buf_view(&text), &JSON_LIMITS_DEFAULT, ' '), ERR_MALFORMED_JSON);
    assert_int_equal(parsed.error.offset, 0);
    parsed_fini(&parsed);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),        cmocka_unit_test(test_limits),           cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_many_members), cmocka_unit_test(test_too_many_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
