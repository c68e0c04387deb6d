/*
 * Reading the tape: types, counts, numbers, and the way back from a value to its place in the text.
 */
#include "parsed.h"
#include "json/json_priv.h"

static void test_tape(void **state)
{
    (void)state;
    static const enum json_type TYPES[] = {JSON_NULL,   JSON_FALSE,  JSON_TRUE,  JSON_INT,   JSON_UINT,
                                           JSON_DOUBLE, JSON_STRING, JSON_ARRAY, JSON_OBJECT};
    struct parsed parsed;
    parsed_init(&parsed, "[null,false,true,-7,18446744073709551615,2.5,\"a\\u0000b\",[1,[2]],{\"x\":1}]");
    const struct json_doc *doc = &parsed.doc;
    json_at array = json_root(doc);
    assert_int_equal(json_count(doc, array), 9);
    size_t i = 0;
    for (json_at at = json_first(doc, array); !json_is_end(doc, at); at = json_next(doc, at)) {
        assert_int_equal(json_type(doc, at), TYPES[i++]);
    }
    assert_int_equal(i, 9);
    assert_int_equal(json_int(doc, json_at_pointer(doc, array, SLICE("/3"))), -7);
    assert_true(json_number(doc, json_at_pointer(doc, array, SLICE("/3"))) == -7.0);
    assert_true(json_number(doc, json_at_pointer(doc, array, SLICE("/4"))) == 0x1p64);
    assert_true(json_number(doc, json_at_pointer(doc, array, SLICE("/5"))) == 2.5);
    assert_true(slice_equal(json_string(doc, json_at_pointer(doc, array, SLICE("/6"))), slice_make("a\0b", 3)));
    parsed_fini(&parsed);
}

static void test_count(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t count;
    } rows[] = {
        {"[]", 0}, {"{}", 0}, {"[0]", 1}, {"[[1,2,3],{\"a\":4}]", 2}, {"{\"a\":[1,2],\"b\":{},\"c\":\"\"}", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed parsed;
        parsed_init(&parsed, rows[i].text);
        assert_int_equal(json_count(&parsed.doc, json_root(&parsed.doc)), rows[i].count);
        parsed_fini(&parsed);
    }
}

#define ENTRY(tag, payload) ((uint64_t)(tag) << 56 | (payload))

/* A count that the tape's 24 bits can't hold is found by walking. The tape is made by hand, for 16 million values. */
static void test_saturated_count(void **state)
{
    (void)state;
    static const uint64_t array[] = {0,
                                     ENTRY('[', UINT64_C(0xFFFFFF) << 32 | 8),
                                     ENTRY('n', 0),
                                     ENTRY('l', 0),
                                     ENTRY('n', 0), /* the number's own */
                                     ENTRY('[', UINT64_C(1) << 32 | 7),
                                     ENTRY('t', 0),
                                     ENTRY(']', 1)};
    static const uint64_t object[] = {0,
                                      ENTRY('{', UINT64_C(0xFFFFFF) << 32 | 8),
                                      ENTRY('"', 0),
                                      ENTRY('n', 0),
                                      ENTRY('"', 0),
                                      ENTRY('d', 0),
                                      0, /* the number's own */
                                      ENTRY('}', 1)};
    struct json_doc doc = {.tape = array};
    assert_int_equal(json_count(&doc, 1), 3);
    doc.tape = object;
    assert_int_equal(json_count(&doc, 1), 2);
}

/* Where a value stands; white space, commas and colons have no place on the tape. */
static void test_offset(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *pointer;
        size_t offset;
    } rows[] = {
        {"7", "", 0},
        {" \n 7 ", "", 3},
        {"[]", "", 0},
        {"[1,2]", "/0", 1},
        {"[1,2]", "/1", 3},
        {"[1 , 22, -3.5e1]", "/2", 9},
        {"{\"a\":1}", "/a", 5},
        {"{ \"a\" : \"b,c:d\" , \"e\" : [ ] }", "/a", 8},
        {"{ \"a\" : \"b,c:d\" , \"e\" : [ ] }", "/e", 24},
        {"[[],{},[{}],null]", "/2/0", 8},
        {"[[],{},[{}],null]", "/3", 12},
        {"{\"a\":{\"b\":[true,false,{\"c\":\"\\\"\"}]}}", "/a/b/2/c", 27},
        {"[18446744073709551615,9223372036854775807,1e9,\"x\"]", "/3", 46},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed parsed;
        parsed_init(&parsed, rows[i].text);
        json_at at = json_at_pointer(&parsed.doc, json_root(&parsed.doc), slice_from_text(rows[i].pointer));
        assert_true(at != 0);
        size_t offset = json_offset_of(&parsed.doc, at);
        if (offset != rows[i].offset) {
            fail_msg("row %zu: %s of %s stands at %zu, not %zu", i, rows[i].pointer, rows[i].text, offset,
                     rows[i].offset);
        }
        parsed_fini(&parsed);
    }
}

/* A cursor goes on from where it is: to every element of an array in turn, and to its end. */
static void test_cursor(void **state)
{
    (void)state;
    static const char text[] = "[10,\"a\",[1,2],{\"b\":3},-4.5]";
    static const char firsts[] = "1\"[{-";
    struct parsed parsed;
    struct json_cursor cursor = {1, 0};
    parsed_init(&parsed, text);
    const struct json_doc *doc = &parsed.doc;
    json_at at = json_first(doc, json_root(doc));
    for (size_t i = 0; i < sizeof firsts - 1; i++) {
        json_cursor_move(doc, &cursor, at);
        assert_int_equal(json_token_byte(doc, cursor.token), firsts[i]);
        at = json_next(doc, at);
    }
    assert_true(json_is_end(doc, at));
    json_cursor_move(doc, &cursor, at);
    assert_int_equal(json_token_byte(doc, cursor.token), ']');
    json_cursor_move(doc, &cursor, at + 1); /* the end of the text: no token */
    assert_int_equal(json_token_byte(doc, cursor.token), 0);
    assert_int_equal(json_offset_of(doc, at + 1), sizeof text - 1);
    parsed_fini(&parsed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tape),   cmocka_unit_test(test_count),  cmocka_unit_test(test_saturated_count),
        cmocka_unit_test(test_offset), cmocka_unit_test(test_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
