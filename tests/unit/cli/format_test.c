/* What form a body has: by its bytes first, by its name where they leave it open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "cli/format.h"

static const struct {
    const char *body;
    const char *file;
    enum format format;
} ROWS[] = {
    {"[", "a.csv", FORMAT_JSON},
    {"\xEF\xBB\xBF \r\n[{}]", "", FORMAT_JSON},
    {"{\n\"customers\":[]}", "a.ndjson", FORMAT_JSON},
    {"{\"customers\":[{}", "-", FORMAT_JSON},
    {"{\"a\":\"}\",", "-", FORMAT_JSON},
    {"{\"a\":1}\n{\"a\":2}\n", "a.json", FORMAT_NDJSON},
    {"{\"a\":\"\\\"{\"}\r\n\r\n{\"a\"", "-", FORMAT_NDJSON},
    {"{\"a\":1}\nx", "-", FORMAT_JSON},
    {"{\"a\":1}\n", "a.json", FORMAT_JSON},
    {"{\"a\":1}\n", "a.JSONL", FORMAT_NDJSON},
    {"{\"a\":1}\n", "a.ndjson.gz", FORMAT_NDJSON},
    {"{\"a\":1}\n", "a.json.zst", FORMAT_JSON},
    {"{\"a\":1}", "-", FORMAT_NDJSON},
    {"{\"customers\":[]}", "-", FORMAT_JSON},
    {"{\"customerData\":[]}\n", "-", FORMAT_JSON},
    {"id,name\n", "-", FORMAT_CSV},
    {"\"id\"\r\n\x01", "a.json", FORMAT_CSV},
    {"hello", "", FORMAT_CSV},
    {"", "a.json", FORMAT_UNKNOWN},
    {" \n ", "a.csv", FORMAT_UNKNOWN},
    {"\x7F\x45LF\x02", "a.csv", FORMAT_UNKNOWN},
};

static void bodies_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        assert_int_equal(format_of_body(slice_from_text(ROWS[i].body), ROWS[i].file), ROWS[i].format);
    }
    assert_int_equal(format_of_body(SLICE("\0\0"), "a.csv"), FORMAT_UNKNOWN);
}

static void packings_have_their_marks(void **state)
{
    (void)state;
    assert_int_equal(format_packing(SLICE("\x1F\x8B\x08\0")), FORMAT_GZIP);
    assert_int_equal(format_packing(SLICE("\x28\xB5\x2F\xFD\0")), FORMAT_ZSTD);
    assert_int_equal(format_packing(SLICE("\x1F\x8B")), FORMAT_PLAIN);
    assert_int_equal(format_packing(SLICE("[")), FORMAT_PLAIN);
    assert_int_equal(format_packing(SLICE_NONE), FORMAT_PLAIN);
    assert_null(format_packing_coding(FORMAT_PLAIN));
    assert_string_equal(format_packing_coding(FORMAT_GZIP), "gzip");
    assert_string_equal(format_packing_coding(FORMAT_ZSTD), "zstd");
}

static void names_have_their_types(void **state)
{
    (void)state;
    assert_string_equal(format_media_type(format_from_name("json")), "application/json");
    assert_string_equal(format_media_type(format_from_name("ndjson")), "application/x-ndjson");
    assert_string_equal(format_media_type(format_from_name("csv")), "text/csv");
    assert_int_equal(format_from_name(""), FORMAT_UNKNOWN);
    assert_int_equal(format_from_name("CSV"), FORMAT_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_told_apart),
        cmocka_unit_test(packings_have_their_marks),
        cmocka_unit_test(names_have_their_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
