/*
 * Rows as JSON, each under its header; rows that are refused, with the place; rows with fields emptied. Last, all
 * patterns of absent fields under a deep header, held to JSON that is made the slow way.
 */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#include "types.h"

static struct csv_header *compile(const char *row)
{
    struct csv_header *header;
    struct buf why = {0};
    size_t at;
    if (csv_header_compile(slice_from_text(row), SLICE_NONE, types_by_name, NULL, &header, &at, &why) != 0) {
        fail_msg("%s: %.*s", row, SLICE_ARG(buf_view(&why)));
    }
    buf_fini(&why);
    return header;
}

static const struct {
    const char *header, *row, *json;
} JSON_ROWS[] = {
    {"a,b", "1,2", "{\"a\":\"1\",\"b\":\"2\"}"},
    {"a,b", "1", "{\"a\":\"1\"}"},
    {"a,b", ",2", "{\"b\":\"2\"}"},
    {"a,b", ",", "{}"},
    {"a,b", "", "{}"},
    {"a,b", "\"\",", "{\"a\":\"\"}"},
    {"a", " x ", "{\"a\":\" x \"}"},
    {"a", "\"x,\"\"y\"\"\nz\"", "{\"a\":\"x,\\\"y\\\"\\nz\"}"},
    {"a", "\"\"\"\"", "{\"a\":\"\\\"\"}"},
    {"a", "\"\\\t\x01\"", "{\"a\":\"\\\\\\t\\u0001\"}"},
    {"a", "0123456789abcdef\\0123456789abcdef", "{\"a\":\"0123456789abcdef\\\\0123456789abcdef\"}"},
    {"a",
     "0123456789abcdef0123456789\x1F"
     "bcdef",
     "{\"a\":\"0123456789abcdef0123456789\\u001fbcdef\"}"},
    {"a,b", "\\,\t", "{\"a\":\"\\\\\",\"b\":\"\\t\"}"},
    {"a,b", "x\x1F,\x7F", "{\"a\":\"x\\u001f\",\"b\":\"\x7F\"}"},
    {"a", "\xC3\xBC\xFF", "{\"a\":\"\xC3\xBC\xFF\"}"},
    {"\"a\"\"b~0\"", "1", "{\"a\\\"b~\":\"1\"}"},
    /* nesting, in any order of columns */
    {"p/a,p/b", "1,2", "{\"p\":{\"a\":\"1\",\"b\":\"2\"}}"},
    {"p/a,x,p/b", "1,2,3", "{\"p\":{\"a\":\"1\",\"b\":\"3\"},\"x\":\"2\"}"},
    {"p/a,x,p/b", ",2,", "{\"x\":\"2\"}"},
    {"p/a,x,p/b", ",2,3", "{\"p\":{\"b\":\"3\"},\"x\":\"2\"}"},
    {"a/b/c/d,a/b/e,f", "1,2,3", "{\"a\":{\"b\":{\"c\":{\"d\":\"1\"},\"e\":\"2\"}},\"f\":\"3\"}"},
    {"a/b/c,d/b/c", "1,2", "{\"a\":{\"b\":{\"c\":\"1\"}},\"d\":{\"b\":{\"c\":\"2\"}}}"},
    {"l/0,l/1,l/2", "1,2,3", "{\"l\":[\"1\",\"2\",\"3\"]}"},
    {"l/2,l/0,l/1", "3,1,2", "{\"l\":[\"1\",\"2\",\"3\"]}"},
    {"l/0,l/1,l/2", ",2,3", "{\"l\":[\"2\",\"3\"]}"},
    {"l/0,l/1,l/2", ",,", "{}"},
    {"l/0/a,l/0/b,l/1/a,l/1/b", "1,2,3,4", "{\"l\":[{\"a\":\"1\",\"b\":\"2\"},{\"a\":\"3\",\"b\":\"4\"}]}"},
    {"l/0/a,l/1/a,l/0/b,l/1/b", "1,2,,4", "{\"l\":[{\"a\":\"1\"},{\"a\":\"2\",\"b\":\"4\"}]}"},
    {"l/0/a,l/1/a,m", ",,x", "{\"m\":\"x\"}"},
    {"l/0/0,l/0/1,l/1/0", "1,2,3", "{\"l\":[[\"1\",\"2\"],[\"3\"]]}"},
    {"0,1", "a,b", "{\"0\":\"a\",\"1\":\"b\"}"},
    {"_row,a,_code", "7,x,y", "{\"a\":\"x\"}"},
    {"_row", "7", "{}"},
    /* numbers and truth */
    {"aNumber", "1", "{\"aNumber\":1}"},
    {"aNumber", "\"1\"", "{\"aNumber\":1}"},
    {"aNumber", "-0.5e+3", "{\"aNumber\":-0.5e+3}"},
    {"aNumber", "-", "{\"aNumber\":\"-\"}"},
    {"aNumber", "01", "{\"aNumber\":\"01\"}"},
    {"aNumber", "1.", "{\"aNumber\":\"1.\"}"},
    {"aNumber", ".5", "{\"aNumber\":\".5\"}"},
    {"aNumber", "1e", "{\"aNumber\":\"1e\"}"},
    {"aNumber", "+1", "{\"aNumber\":\"+1\"}"},
    {"aNumber", " 1", "{\"aNumber\":\" 1\"}"},
    {"aNumber", "\"1,5\"", "{\"aNumber\":\"1,5\"}"},
    {"aNumber", "0x10", "{\"aNumber\":\"0x10\"}"},
    {"aNumber", "NaN", "{\"aNumber\":\"NaN\"}"},
    {"aNumber", "1e308", "{\"aNumber\":1e308}"},
    {"aNumber", "1e309", "{\"aNumber\":\"1e309\"}"},
    {"aNumber", "18446744073709551615", "{\"aNumber\":18446744073709551615}"},
    {"aNumber", "18446744073709551616", "{\"aNumber\":\"18446744073709551616\"}"},
    {"aNumber", "-9223372036854775808", "{\"aNumber\":-9223372036854775808}"},
    {"aNumber", "-9223372036854775809", "{\"aNumber\":\"-9223372036854775809\"}"},
    {"aNumber", "\"\"", "{\"aNumber\":\"\"}"},
    {"aNumber", "true", "{\"aNumber\":\"true\"}"},
    {"aTruth", "true", "{\"aTruth\":true}"},
    {"aTruth", "\"false\"", "{\"aTruth\":false}"},
    {"aTruth", "True", "{\"aTruth\":\"True\"}"},
    {"aTruth", "1", "{\"aTruth\":\"1\"}"},
    {"aTruth", "null", "{\"aTruth\":\"null\"}"},
    {"aEither,bEither", "1,true", "{\"aEither\":1,\"bEither\":true}"},
    {"aMixed", "1", "{\"aMixed\":\"1\"}"},
    {"aOdd", "1", "{\"aOdd\":\"1\"}"},
};

static void test_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(JSON_ROWS); i++) {
        struct csv_header *header = compile(JSON_ROWS[i].header);
        struct json_error error = {0};
        struct buf json = {0};
        int err = csv_row_to_json(header, slice_from_text(JSON_ROWS[i].row), &json, &error);
        if (err != 0 || !slice_equal_text(buf_view(&json), JSON_ROWS[i].json)) {
            fail_msg("%s under %s: %d %s: %.*s", JSON_ROWS[i].row, JSON_ROWS[i].header, err, error.reason,
                     SLICE_ARG(buf_view(&json)));
        }
        buf_fini(&json);
        csv_header_free(&header);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        size_t offset;
        uint32_t line, column;
    } ROWS[] = {
        {"1,2,3", 4, 1, 5},  {"1,2,", 4, 1, 5},         {"1,\"2\n3\",4", 8, 2, 4}, {"a\"b", 1, 1, 2},
        {"\"a\"b", 3, 1, 4}, {"\"a\r\nb\" ,", 6, 2, 3}, {"1,\"a", 2, 1, 3},
    };
    struct csv_header *header = compile("a,b");
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct buf out = {0};
        struct json_error error = {0};
        assert_int_equal(csv_row_to_json(header, slice_from_text(ROWS[i].row), &out, &error), ERR_MALFORMED_CSV);
        if (error.reason == NULL || error.offset != ROWS[i].offset || error.line != ROWS[i].line ||
            error.column != ROWS[i].column) {
            fail_msg("%s: at %zu, %u:%u: %s", ROWS[i].row, error.offset, error.line, error.column, error.reason);
        }
        assert_int_equal(out.size, 0);
        assert_int_equal(csv_row_blank(header, slice_from_text(ROWS[i].row), NULL, NULL, &out), ERR_MALFORMED_CSV);
        assert_int_equal(out.size, 0);
        buf_fini(&out);
    }
    struct buf small;
    struct json_error error;
    char large[10000];
    memset(large, 'x', sizeof large);
    buf_init(&small, 5);
    assert_int_equal(csv_row_to_json(header, SLICE("1,2"), &small, &error), ERR_TOO_LARGE);
    buf_fini(&small);
    buf_init(&small, sizeof "{'a':'1','b':'2'}" - 1);
    assert_int_equal(csv_row_to_json(header, SLICE("1,2"), &small, &error), 0);
    buf_clear(&small);
    assert_int_equal(csv_row_to_json(header, slice_make(large, sizeof large), &small, &error), ERR_TOO_LARGE);
    assert_true(small.capacity < sizeof large);
    buf_fini(&small);
    csv_header_free(&header);
}

static bool is_secret(void *context, struct slice pointer)
{
    (void)context;
    return slice_equal_text(pointer, "/s") || slice_equal_text(pointer, "/p/s") || slice_equal_text(pointer, "/_s");
}

static void test_blank(void **state)
{
    (void)state;
    static const struct {
        const char *header, *row, *expected;
    } ROWS[] = {
        {"a,s,b", "1,2,3", "1,,3"},
        {"a,s,b", "\"1\"\"\",\"2,\n\"\"\",\"3,\"", "\"1\"\"\",,\"3,\""},
        {"a,s,b", "1", "1"},
        {"a,s,b", "1,2", "1,"},
        {"a,s,b", ",,", ",,"},
        {"s", "x", ""},
        {"p/s,p/t", "x,\"\"", ",\"\""},
        {"_s,_t,a", "1,2,3", ",2,3"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct csv_header *header = compile(ROWS[i].header);
        struct buf out = {0};
        assert_int_equal(csv_row_blank(header, slice_from_text(ROWS[i].row), is_secret, NULL, &out), 0);
        if (!slice_equal_text(buf_view(&out), ROWS[i].expected)) {
            fail_msg("%s: %.*s", ROWS[i].row, SLICE_ARG(buf_view(&out)));
        }
        buf_fini(&out);
        csv_header_free(&header);
    }
}

/* A secret that is passed over by the map is a secret still. */
static void test_blank_of_passed_over(void **state)
{
    (void)state;
    struct csv_header *header;
    struct buf why = {0}, out = {0};
    size_t at;
    assert_int_equal(
        csv_header_compile(SLICE("p/s,a,Code"), SLICE("p/s=,Code=s"), types_by_name, NULL, &header, &at, &why), 0);
    assert_int_equal(csv_row_blank(header, SLICE("x,y,z"), is_secret, NULL, &out), 0);
    assert_true(slice_equal_text(buf_view(&out), ",y,"));
    buf_fini(&out);
    buf_fini(&why);
    csv_header_free(&header);
}

/* ---- all patterns of absence ---- */

#define TREE_COLUMNS 9u

/* The JSON of the header below, the slow way: an object or array is made and dropped again when it is empty. */
static bool put(struct buf *out, unsigned present, unsigned column, const char *name, bool first)
{
    if ((present >> column & 1) == 0) {
        return false;
    }
    buf_printf(out, "%s%s\"%u\"", first ? "" : ",", name, column);
    return true;
}

static bool put_group(struct buf *out, unsigned present, const char *open, const char *close, unsigned from,
                      const char *const *names, unsigned count, bool first)
{
    size_t size = out->size;
    buf_printf(out, "%s%s", first ? "" : ",", open);
    bool empty = true;
    for (unsigned i = 0; i < count; i++) {
        empty = !put(out, present, from + i, names[i], empty) && empty;
    }
    buf_append_text(out, close);
    out->size = empty ? size : out->size;
    return !empty;
}

static void expected_json(struct buf *out, unsigned present)
{
    static const char *const XY[] = {"\"x\":", "\"y\":"}, *const ELEMENTS[] = {"", ""}, *const C[] = {"\"c\":"};
    buf_append_byte(out, '{');
    bool first = !put(out, present, 0, "\"a\":", true);
    size_t size = out->size;
    buf_printf(out, "%s\"b\":{\"l\":[", first ? "" : ",");
    bool any = put_group(out, present, "{", "}", 1, XY, 2, true);
    any = put_group(out, present, "{", "}", 3, XY, 2, !any) || any;
    buf_append_text(out, "]");
    if (!any) {
        out->size = size;
        buf_printf(out, "%s\"b\":{", first ? "" : ",");
    }
    bool more = put_group(out, present, "\"m\":[", "]", 5, ELEMENTS, 2, !any);
    bool group = any || more;
    buf_append_byte(out, '}');
    if (!group) {
        out->size = size;
    }
    first = first && !group;
    first = !put_group(out, present, "\"d\":{", "}", 7, C, 1, first) && first;
    (void)put(out, present, 8, "\"e\":", first);
    buf_append_byte(out, '}');
}

static void test_absence(void **state)
{
    (void)state;
    struct csv_header *header = compile("a,b/l/0/x,b/l/0/y,b/l/1/x,b/l/1/y,b/m/0,b/m/1,d/c,e");
    for (unsigned present = 0; present < 1u << TREE_COLUMNS; present++) {
        struct buf row = {0}, json = {0}, expected = {0};
        struct json_error error;
        for (unsigned i = 0; i < TREE_COLUMNS; i++) {
            buf_append_text(&row, i > 0 ? "," : "");
            if ((present >> i & 1) != 0) {
                buf_printf(&row, "%u", i);
            }
        }
        expected_json(&expected, present);
        assert_int_equal(csv_row_to_json(header, buf_view(&row), &json, &error), 0);
        if (!slice_equal(buf_view(&json), buf_view(&expected))) {
            fail_msg("%.*s: %.*s, expected %.*s", SLICE_ARG(buf_view(&row)), SLICE_ARG(buf_view(&json)),
                     SLICE_ARG(buf_view(&expected)));
        }
        buf_fini(&row);
        buf_fini(&json);
        buf_fini(&expected);
    }
    csv_header_free(&header);
}

/* More columns than stand on the stack. */
static void test_wide(void **state)
{
    (void)state;
    struct buf names = {0}, row = {0}, json = {0}, expected = {0};
    struct json_error error;
    for (size_t i = 0; i < 1000; i++) {
        buf_printf(&names, "%sm%zu", i > 0 ? "," : "", i);
        buf_printf(&row, "%s%zu", i > 0 ? "," : "", i);
        buf_printf(&expected, "%c\"m%zu\":\"%zu\"", i > 0 ? ',' : '{', i, i);
    }
    buf_append_byte(&names, 0);
    buf_append_byte(&expected, '}');
    struct csv_header *header = compile(names.data);
    assert_int_equal(csv_row_to_json(header, buf_view(&row), &json, &error), 0);
    assert_true(slice_equal(buf_view(&json), buf_view(&expected)));
    buf_append_text(&row, ",x");
    assert_int_equal(csv_row_to_json(header, buf_view(&row), &json, &error), ERR_MALFORMED_CSV);
    csv_header_free(&header);
    buf_fini(&names);
    buf_fini(&row);
    buf_fini(&json);
    buf_fini(&expected);
}

static void check_lengths(const char *name, struct slice field)
{
    struct buf text = {0}, want = {0}, json = {0};
    struct json_error error;
    buf_printf(&text, "%s/b,-", name);
    buf_append_byte(&text, 0);
    struct csv_header *header = compile(text.data);
    buf_printf(&want, "{\"%s\":{\"b\":\"%.*s\"},\"-\":\"%.*s\"}", name, SLICE_ARG(field), SLICE_ARG(field));
    size_t size = 2 * field.size + 1;
    char *row = malloc(size); /* for a sanitizer to see its end */
    assert_non_null(row);
    memcpy(row, field.data, field.size);
    row[field.size] = ',';
    memcpy(row + field.size + 1, field.data, field.size);
    assert_int_equal(csv_row_to_json(header, slice_make(row, size), &json, &error), 0);
    assert_true(slice_equal(buf_view(&json), buf_view(&want)));
    free(row);
    csv_header_free(&header);
    buf_fini(&text);
    buf_fini(&want);
    buf_fini(&json);
}

/* Names and fields of every length about the one in which they are copied. */
static void test_lengths(void **state)
{
    (void)state;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijkl";
    char name[sizeof letters];
    for (size_t size = 1; size < sizeof letters; size++) {
        (void)snprintf(name, sizeof name, "%.*s", (int)size, letters);
        for (size_t field = 1; field < sizeof letters; field++) {
            check_lengths(name, slice_make(letters, field));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_blank),   cmocka_unit_test(test_blank_of_passed_over),
        cmocka_unit_test(test_absence), cmocka_unit_test(test_wide),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
