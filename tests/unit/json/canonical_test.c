/* Canonical bytes: equal for the same meaning, different for any other. */
#include "edited.h"

/* Texts of one line mean the same; texts of different lines don't. */
static const char *const MEANINGS[][4] = {
    {"null"},
    {"true"},
    {"false"},
    {"0", "-0", "0.0", "-0.0e9"},
    {"1", "1.0", "1e0", "10e-1"},
    {"-1", "-1.0"},
    {"1.5", "15e-1", "1.50"},
    {"18446744073709551615"},
    {"9223372036854775808", "9223372036854775808.0", "9.223372036854775808e18"},
    {"-9223372036854775808", "-9223372036854775808.0"},
    {"9223372036854775807"},
    {"1e300", "10E299"},
    {"\"1\""},
    {"\"\""},
    {"\"a\"", "\"\\u0061\""},
    {"\"a\\u0000\""},
    {"\"\\u00e9\"", "\"\xC3\xA9\""},
    {"\"e\\u0301\""},
    {"\"/\"", "\"\\/\"", "\"\\u002f\""},
    {"[]", " [ ] "},
    {"{}"},
    {"[[]]"},
    {"[[],[]]"},
    {"[[[]]]"},
    {"[1,2]", "[1.0, 2e0]"},
    {"[2,1]"},
    {"[12]"},
    {"[\"a\",\"b\"]"},
    {"[\"ab\"]"},
    {"[\"a\\\",\\\"b\"]"},
    {"{\"a\":1}", "{\"\\u0061\":1.0}"},
    {"{\"a\":\"1\"}"},
    {"{\"a\":{}}"},
    {"[\"a\",1]"},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"},
    {"{\"a\":2,\"b\":1}"},
    {"{\"\":1,\"a\":2}", "{\"a\":2,\"\":1}"},
    {"{\"a\":1,\"a\\u0000\":2}", "{\"a\\u0000\":2,\"a\":1}"},
    {"{\"customerA\":1,\"customerB\":2,\"custome\":3}", "{\"custome\":3,\"customerB\":2,\"customerA\":1}"},
    {"{\"customerA\":2,\"customerB\":1,\"custome\":3}"},
    {"{\"a\":{\"x\":1,\"y\":[{\"q\":1,\"p\":2}]},\"b\":0}", "{\"b\":0,\"a\":{\"y\":[{\"p\":2,\"q\":1}],\"x\":1}}"},
    {"{\"a\":{\"x\":1},\"y\":[{\"q\":1,\"p\":2}],\"b\":0}"},
};

#define MEANING_COUNT (sizeof MEANINGS / sizeof MEANINGS[0])

static void canonical_of(const char *text, struct buf *out)
{
    struct parsed parsed;
    parsed_init(&parsed, text);
    json_append_canonical(out, &parsed.doc, json_root(&parsed.doc), NULL, 0);
    assert_int_equal(buf_error(out), 0);
    assert_true(out->size > 0);
    parsed_fini(&parsed);
}

static void test_meanings(void **state)
{
    (void)state;
    struct buf firsts[MEANING_COUNT] = {{0}};
    for (size_t i = 0; i < MEANING_COUNT; i++) {
        canonical_of(MEANINGS[i][0], &firsts[i]);
        for (size_t other = 1; other < 4 && MEANINGS[i][other] != NULL; other++) {
            struct buf out = {0};
            canonical_of(MEANINGS[i][other], &out);
            if (!slice_equal(buf_view(&out), buf_view(&firsts[i]))) {
                fail_msg("%s is not %s", MEANINGS[i][other], MEANINGS[i][0]);
            }
            buf_fini(&out);
        }
        for (size_t before = 0; before < i; before++) {
            if (slice_equal(buf_view(&firsts[before]), buf_view(&firsts[i]))) {
                fail_msg("%s is %s", MEANINGS[i][0], MEANINGS[before][0]);
            }
        }
    }
    for (size_t i = 0; i < MEANING_COUNT; i++) {
        buf_fini(&firsts[i]);
    }
}

/* The bytes themselves: stored fingerprints depend on them. */
static void test_bytes(void **state)
{
    (void)state;
    static const char EXPECTED[] = "{s\1\0\0\0ai\1\0\0\0\0\0\0\0s\1\0\0\0b[ntfs\2\0\0\0xyd\0\0\0\0\0\0\xF8\x3F]}";
    struct buf out = {0};
    canonical_of("{\"b\":[null,true,false,\"xy\",1.5],\"a\":1}", &out);
    assert_int_equal(out.size, sizeof EXPECTED - 1);
    assert_memory_equal(out.data, EXPECTED, sizeof EXPECTED - 1);
    buf_fini(&out);
}

/* A text with edits is what the edited text would be. */
static const struct {
    const char *text;
    struct edit_row edits[EDITS_MAX];
    const char *same;
} EDITED[] = {
    {"{\"a\":1,\"b\":2}", {{JSON_EDIT_DROP, "/a", "", ""}}, "{\"b\":2}"},
    {"{\"a\":1}", {{JSON_EDIT_DROP, "/a", "", ""}}, "{}"},
    {"{\"a\":1,\"b\":2}", {{JSON_EDIT_REPLACE, "/a", "true", ""}}, "{\"a\":true,\"b\":2}"},
    {"{\"a\":1,\"b\":2}", {{JSON_EDIT_REPLACE, "/a", "\"t\"", ""}}, "{\"a\":\"t\",\"b\":2}"},
    {"{\"a\":1,\"b\":2}", {{JSON_EDIT_REPLACE, "/a", "\"\\u0074\\\"\"", ""}}, "{\"a\":\"t\\\"\",\"b\":2}"},
    {"{\"a\":1,\"b\":2}", {{JSON_EDIT_REPLACE, "/b", "10e-1", ""}}, "{\"b\":1,\"a\":1}"},
    {"[1,2]", {{JSON_EDIT_REPLACE, "/1", "{\"y\":[1,2,3],\"x\":{}}", ""}}, "[1,{\"x\":{},\"y\":[1,2,3]}]"},
    {"1", {{JSON_EDIT_REPLACE, "", "[1,2]", ""}}, "[1,2]"},
    {"{\"b\":2}", {{JSON_EDIT_ADD, "", "1", "a"}}, "{\"a\":1,\"b\":2}"},
    {"{}", {{JSON_EDIT_ADD, "", "\"v\"", "a longer name"}}, "{\"a longer name\":\"v\"}"},
    {"{\"a\":{\"b\":1},\"c\":[{\"d\":1}]}",
     {{JSON_EDIT_ADD, "", "0", "z"}, {JSON_EDIT_ADD, "/a", "null", "y"}, {JSON_EDIT_DROP, "/c/0/d", "", ""}},
     "{\"z\":0,\"a\":{\"y\":null,\"b\":1},\"c\":[{}]}"},
    {"{\"a\":{\"b\":1},\"c\":2}",
     {{JSON_EDIT_DROP, "/a", "", ""}, {JSON_EDIT_REPLACE, "/a/b", "2", ""}, {JSON_EDIT_REPLACE, "/c", "3", ""}},
     "{\"c\":3}"},
};

static void test_edits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof EDITED / sizeof EDITED[0]; i++) {
        struct parsed parsed;
        struct json_edit edits[EDITS_MAX];
        struct buf edited = {0};
        struct buf same = {0};
        parsed_init(&parsed, EDITED[i].text);
        size_t count = edits_of(&parsed, EDITED[i].edits, edits);
        json_append_canonical(&edited, &parsed.doc, json_root(&parsed.doc), edits, count);
        canonical_of(EDITED[i].same, &same);
        if (buf_error(&edited) != 0 || !slice_equal(buf_view(&edited), buf_view(&same))) {
            fail_msg("row %zu: %s is not %s", i, EDITED[i].text, EDITED[i].same);
        }
        buf_fini(&edited);
        buf_fini(&same);
        parsed_fini(&parsed);
    }
}

/* Objects beyond and below the size that is sorted by insertion, in two orders. */
static void test_large_objects(void **state)
{
    (void)state;
    for (unsigned count = 2; count <= 100; count++) {
        struct buf texts[2] = {{0}, {0}};
        struct buf outs[2] = {{0}, {0}};
        for (unsigned order = 0; order < 2; order++) {
            for (unsigned i = 0; i < count; i++) {
                unsigned member = order == 0 ? i : count - 1 - i;
                buf_printf(&texts[order], "%s\"member%u\":%u", i == 0 ? "{" : ",", member, member);
            }
            buf_append(&texts[order], "}", 2);
            canonical_of(texts[order].data, &outs[order]);
        }
        assert_true(slice_equal(buf_view(&outs[0]), buf_view(&outs[1])));
        for (unsigned order = 0; order < 2; order++) {
            buf_fini(&texts[order]);
            buf_fini(&outs[order]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meanings),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_edits),
        cmocka_unit_test(test_large_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
