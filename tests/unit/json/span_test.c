/* The fast loops against plain ones: line feeds at any alignment, spans at any length and cut. */
#include "parsed.h"

#include "base/limits.h"
#include "json/json_priv.h"

static void test_count_lines(void **state)
{
    (void)state;
    static char text[20000];
    memset(text, '\n', sizeof text);
    assert_int_equal(json_count_lines(text, text + sizeof text), sizeof text);
    uint32_t seed = 1;
    size_t expected[sizeof text + 1];
    expected[0] = 0;
    for (size_t i = 0; i < sizeof text; i++) {
        seed = seed * 1664525u + 1013904223u;
        text[i] = (char)(seed >> 24);
        expected[i + 1] = expected[i] + (text[i] == '\n');
    }
    for (size_t from = 0; from < 130; from++) {
        for (size_t end = from; end <= sizeof text; end += 1 + (end - from) / 7) {
            assert_int_equal(json_count_lines(text + from, text + end), expected[end] - expected[from]);
        }
    }
}

static const struct {
    const char *item; /* what follows it is in `rest` */
    const char *rest;
    enum json_span_result result;
    size_t stops; /* offset in the item */
} ROWS[] = {
    {"{}", ",{}]", JSON_SPAN_CLOSED, 2},
    {"[]", "", JSON_SPAN_CLOSED, 2},
    {"{\"a\":[1,{\"b\":2}],\"c\":\"}]\"}", "]", JSON_SPAN_CLOSED, 26},
    {"{\"a\":\"\\\"}\"}", "}", JSON_SPAN_CLOSED, 11},
    {"{\"a\":\"\\\\\"}", "}", JSON_SPAN_CLOSED, 10},
    {"{\"a\":\"\\\\\\\"}\"}", "}", JSON_SPAN_CLOSED, 13},
    {"{\"a\":[}", "]", JSON_SPAN_MISMATCH, 6},
    {"[{]", "}", JSON_SPAN_MISMATCH, 2},
    {"[\\\"]", "", JSON_SPAN_MISMATCH, 1},
    {"{\"a\":1", "", JSON_SPAN_OPEN, 6},
    {"{\"a\":\"}", "", JSON_SPAN_OPEN, 7},
};

/* Runs the item and the rest, cut once at `cut`; returns where it stopped. */
static size_t run(struct slice text, size_t cut, enum json_span_result *result)
{
    struct json_span span = {0};
    const char *at = text.data;
    *result = json_span_run(&span, &at, text.data + cut);
    if (*result == JSON_SPAN_OPEN) {
        assert_ptr_equal(at, text.data + cut);
        *result = json_span_run(&span, &at, text.data + text.size);
    }
    return (size_t)(at - text.data);
}

/* Each row with 0 to 140 bytes of text put in behind its first bracket, so that it meets the blocks'
 * borders everywhere, and cut everywhere. */
static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        for (size_t fill = 0; fill <= 140; fill++) {
            struct buf text = {0};
            buf_append(&text, ROWS[i].item, 1);
            for (size_t k = 0; k < fill; k++) {
                buf_append_byte(&text, ' ');
            }
            buf_append_text(&text, ROWS[i].item + 1);
            buf_append_text(&text, ROWS[i].rest);
            for (size_t cut = 0; cut <= text.size; cut++) {
                enum json_span_result result;
                size_t stops = run(buf_view(&text), cut, &result);
                if (result != ROWS[i].result || stops != ROWS[i].stops + fill) {
                    fail_msg("row %zu, fill %zu, cut %zu: %d at %zu", i, fill, cut, (int)result, stops);
                }
            }
            buf_fini(&text);
        }
    }
}

static void test_depth(void **state)
{
    (void)state;
    char text[200];
    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    enum json_span_result result;
    assert_int_equal(run(slice_make(text, 200), 50, &result), LIMIT_DEPTH);
    assert_int_equal(result, JSON_SPAN_TOO_DEEP);
    assert_int_equal(run(slice_make(text + 100 - LIMIT_DEPTH, 164), 50, &result), 2 * LIMIT_DEPTH);
    assert_int_equal(result, JSON_SPAN_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count_lines),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
