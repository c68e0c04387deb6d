/* JSON Pointers: the table of RFC 6901 section 5, and what names nothing. */
#include "parsed.h"

static const char RFC6901[] = "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
                              "\"k\\\"l\":6,\" \":7,\"m~n\":8,\"~1\":9}";

static const struct {
    const char *pointer;
    const char *value; /* minified, or NULL: nothing */
} ROWS[] = {
    {"", RFC6901},
    {"/foo", "[\"bar\",\"baz\"]"},
    {"/foo/0", "\"bar\""},
    {"/foo/1", "\"baz\""},
    {"/", "0"},
    {"/a~1b", "1"},
    {"/c%d", "2"},
    {"/e^f", "3"},
    {"/g|h", "4"},
    {"/i\\j", "5"},
    {"/k\"l", "6"},
    {"/ ", "7"},
    {"/m~0n", "8"},
    {"/~01", "9"},
    {"foo", NULL},
    {"/foo/2", NULL},
    {"/foo/-", NULL},
    {"/foo/00", NULL},
    {"/foo/+1", NULL},
    {"/foo/", NULL},
    {"/foo/4294967296", NULL},
    {"/foo/0/x", NULL},
    {"/fo", NULL},
    {"/fooo", NULL},
    {"/m~n", NULL},
    {"/m~2n", NULL},
    {"/m~", NULL},
    {"//", NULL},
};

static void test_find(void **state)
{
    (void)state;
    struct parsed parsed;
    parsed_init(&parsed, RFC6901);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        json_at at = json_at_pointer(&parsed.doc, json_root(&parsed.doc), slice_from_text(ROWS[i].pointer));
        if ((at == 0) != (ROWS[i].value == NULL)) {
            fail_msg("%s: %u", ROWS[i].pointer, at);
        }
        struct buf out = {0};
        if (at != 0) {
            json_append_minified(&out, &parsed.doc, at, NULL, 0);
            assert_bytes(&out, ROWS[i].value);
        }
        buf_fini(&out);
    }
    parsed_fini(&parsed);
}

static void test_member(void **state)
{
    (void)state;
    struct parsed parsed;
    parsed_init(&parsed, "{\"a\":{\"b\":1},\"b\":[2],\"c\":3}");
    json_at root = json_root(&parsed.doc);
    assert_int_equal(json_int(&parsed.doc, json_member(&parsed.doc, root, SLICE("c"))), 3);
    assert_int_equal(json_member(&parsed.doc, root, SLICE("d")), 0);
    assert_int_equal(json_tag(&parsed.doc, json_member(&parsed.doc, root, SLICE("b"))), '[');
    assert_int_equal(json_member(&parsed.doc, json_member(&parsed.doc, root, SLICE("b")), SLICE("b")), 0);
    parsed_fini(&parsed);
}

static void test_append(void **state)
{
    (void)state;
    struct buf pointer = {0};
    json_pointer_append(&pointer, SLICE("a/b"));
    json_pointer_append(&pointer, SLICE("m~n"));
    json_pointer_append(&pointer, SLICE(""));
    json_pointer_append_index(&pointer, 0);
    json_pointer_append_index(&pointer, UINT64_MAX);
    json_pointer_append(&pointer, SLICE("~/"));
    assert_bytes(&pointer, "/a~1b/m~0n//0/18446744073709551615/~0~1");
    buf_fini(&pointer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_member),
        cmocka_unit_test(test_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
