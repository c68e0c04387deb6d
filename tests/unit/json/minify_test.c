/* A value written again: white space, spelling, edits. */
#include "edited.h"

static const struct {
    const char *text;
    const char *from;
    struct edit_row edits[EDITS_MAX];
    const char *expected;
} ROWS[] = {
    {" [ ] ", "", {{0}}, "[]"},
    {"\t12.50 \n", "", {{0}}, "12.50"},
    {"12", "", {{0}}, "12"},
    {" \"a b\" ", "", {{0}}, "\"a b\""},
    {"{ \"a\" : [ 1.0 , 2e0 ,\n\"x \\u0041 , : \" ] , \"b\":{ } }",
     "",
     {{0}},
     "{\"a\":[1.0,2e0,\"x \\u0041 , : \"],\"b\":{}}"},
    {"{\"a\":[1,{\"b\": null } ] ,\"c\":3}", "/a", {{0}}, "[1,{\"b\":null}]"},
    {"{\"a\":[1,{\"b\": null } ] ,\"c\":3}", "/a/1", {{0}}, "{\"b\":null}"},
    {"{\"a\":[1 ,{\"b\": null } ] ,\"c\":3 }", "/a/0", {{0}}, "1"},
    {"{\"a\":[1,{\"b\": null } ] ,\"c\": 3 }", "/c", {{0}}, "3"},
    /* drop */
    {"{\"a\":1,\"b\":2,\"c\":3}", "", {{JSON_EDIT_DROP, "/a", "", ""}}, "{\"b\":2,\"c\":3}"},
    {"{\"a\":1, \"b\" : 2 , \"c\":3}", "", {{JSON_EDIT_DROP, "/b", "", ""}}, "{\"a\":1,\"c\":3}"},
    {"{\"a\":1,\"b\":2 , \"c\":[3,4] }", "", {{JSON_EDIT_DROP, "/c", "", ""}}, "{\"a\":1,\"b\":2}"},
    {"{\"a\":1}", "", {{JSON_EDIT_DROP, "/a", "", ""}}, "{}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "", {{JSON_EDIT_DROP, "/b", "", ""}, {JSON_EDIT_DROP, "/c", "", ""}}, "{\"a\":1}"},
    {"{\"a\":1,\"b\":2,\"c\":3}",
     "",
     {{JSON_EDIT_DROP, "/a", "", ""}, {JSON_EDIT_DROP, "/b", "", ""}, {JSON_EDIT_DROP, "/c", "", ""}},
     "{}"},
    {"[{\"a\":{\"x\":1},\"b\":2},{\"a\":3}]",
     "",
     {{JSON_EDIT_DROP, "/0/a", "", ""}, {JSON_EDIT_DROP, "/1/a", "", ""}},
     "[{\"b\":2},{}]"},
    {"{\"a\":{\"x\":1,\"y\":2},\"b\":2}", "", {{JSON_EDIT_DROP, "/a/y", "", ""}}, "{\"a\":{\"x\":1},\"b\":2}"},
    {"{\"a\":{\"x\":1},\"b\":2}",
     "",
     {{JSON_EDIT_DROP, "/a", "", ""}, {JSON_EDIT_REPLACE, "/a/x", "9", ""}, {JSON_EDIT_REPLACE, "/b", "8", ""}},
     "{\"b\":8}"},
    /* replace */
    {"{\"a\":1,\"b\":[1,2] }", "", {{JSON_EDIT_REPLACE, "/b", "\"x\"", ""}}, "{\"a\":1,\"b\":\"x\"}"},
    {"{\"a\":{\"b\":1} , \"c\":2}", "", {{JSON_EDIT_REPLACE, "/a", "true", ""}}, "{\"a\":true,\"c\":2}"},
    {"[1, 2, 3]", "", {{JSON_EDIT_REPLACE, "/1", "{\"n\":0}", ""}}, "[1,{\"n\":0},3]"},
    {"[1, 2, 3]", "", {{JSON_EDIT_REPLACE, "/2", "0", ""}}, "[1,2,0]"},
    {" 5 ", "", {{JSON_EDIT_REPLACE, "", "[6]", ""}}, "[6]"},
    /* add */
    {"{ }", "", {{JSON_EDIT_ADD, "", "1", "a"}}, "{\"a\":1}"},
    {"{\"a\":1 }", "", {{JSON_EDIT_ADD, "", "[2]", "b\"\n"}}, "{\"a\":1,\"b\\\"\\n\":[2]}"},
    {"{\"a\":{\"b\":1},\"c\":2}",
     "",
     {{JSON_EDIT_ADD, "", "7", "z"}, {JSON_EDIT_ADD, "/a", "8", "y"}, {JSON_EDIT_REPLACE, "/c", "3", ""}},
     "{\"a\":{\"b\":1,\"y\":8},\"c\":3,\"z\":7}"},
    {"{\"a\":1}", "", {{JSON_EDIT_ADD, "", "2", "b"}, {JSON_EDIT_DROP, "/a", "", ""}}, "{\"b\":2}"},
    {"{\"a\":1,\"b\":2}", "", {{JSON_EDIT_ADD, "", "3", "c"}, {JSON_EDIT_DROP, "/b", "", ""}}, "{\"a\":1,\"c\":3}"},
    /* edits of elsewhere, and a part */
    {"{\"a\":{\"x\":1},\"b\":{\"x\":2 },\"c\":{\"x\":3}}",
     "/b",
     {{JSON_EDIT_DROP, "/a", "", ""}, {JSON_EDIT_REPLACE, "/b/x", "9", ""}, {JSON_EDIT_DROP, "/c/x", "", ""}},
     "{\"x\":9}"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct parsed parsed;
        struct json_edit edits[EDITS_MAX];
        struct buf out = {0};
        parsed_init(&parsed, ROWS[i].text);
        size_t count = edits_of(&parsed, ROWS[i].edits, edits);
        buf_append_text(&out, ",");
        json_at from = json_at_pointer(&parsed.doc, json_root(&parsed.doc), slice_from_text(ROWS[i].from));
        json_append_minified(&out, &parsed.doc, from, edits, count);
        if (!slice_equal_text(slice_from(buf_view(&out), 1), ROWS[i].expected)) {
            fail_msg("row %zu, %s: %.*s", i, ROWS[i].text, (int)out.size, out.data);
        }
        parsed_fini(&parsed);
        buf_fini(&out);
    }
}

static void test_limit(void **state)
{
    (void)state;
    struct parsed parsed;
    struct buf out;
    parsed_init(&parsed, "[ 1, 2, 3 ]");
    buf_init(&out, 7);
    json_append_minified(&out, &parsed.doc, json_root(&parsed.doc), NULL, 0);
    assert_bytes(&out, "[1,2,3]");
    json_append_minified(&out, &parsed.doc, json_root(&parsed.doc), NULL, 0);
    assert_int_equal(buf_error(&out), ERR_TOO_LARGE);
    buf_fini(&out);
    parsed_fini(&parsed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
