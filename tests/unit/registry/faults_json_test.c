/* Refused items as JSON with four members more, and the envelope around them. */
#include "reasons.h"

#define ONE "\"_row\":7,\"_pointer\":\"/id\",\"_code\":\"type\",\"_detail\":\"Send a \\\"string\\\".\"}"

static void items(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reasons, *want;
    } rows[] = {
        {"{\"id\":5}", "type /id Send a \"string\".", "{\"id\":5," ONE},
        {" { \"id\" : 5.0 , \"x\":{ \"_row\": 1 } } ", "type /id Send a \"string\".",
         "{\"id\":5.0,\"x\":{\"_row\":1}," ONE},
        {"{}", "type /id Send a \"string\".", "{" ONE},
        {"", "type /id Send a \"string\".", "{" ONE},
        {"5", "type /id Send a \"string\".", "{\"_item\":5," ONE},
        {"[1, {}]", "type /id Send a \"string\".", "{\"_item\":[1,{}]," ONE},
        /* Sent again with the members of the time before. */
        {"{\"_row\":3,\"id\":5,\"_pointer\":\"/x\",\"_code\":\"y\",\"_detail\":\"z\"}", "type /id Send a \"string\".",
         "{\"id\":5," ONE},
        {"{\"_detail\":[\"z\"],\"_row\":3}", "type /id Send a \"string\".", "{" ONE},
        {"{\"id\":\"\\u00e4\",\"_rows\":1,\"a\":\"\"}", "type /id Send a \"string\".",
         "{\"id\":\"\\u00e4\",\"_rows\":1,\"a\":\"\"," ONE},
        {"{\"id\":5}", "type /id One.|enum /customerType Two.",
         "{\"id\":5,\"_row\":7,\"_pointer\":\"/id | /customerType\",\"_code\":\"type | enum\",\"_detail\":\"One. | "
         "Two.\"}"},
        {"{\"id\":5}", "", "{\"id\":5,\"_row\":7,\"_pointer\":\"\",\"_code\":\"\",\"_detail\":\"\"}"},
        {"{not JSON", "type /id Send a \"string\".", "{" ONE},
    };
    struct registry_items writer;
    struct buf out;
    registry_items_init(&writer);
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf keep;
        struct registry_reasons reasons = make_reasons(7, rows[i].reasons, &keep);
        buf_clear(&out);
        assert_int_equal(registry_item_append(&writer, slice_from_text(rows[i].text), &reasons, &out), 0);
        buf_append_byte(&out, 0);
        assert_string_equal(out.data, rows[i].want);
        buf_fini(&keep);
    }
    buf_fini(&out);
    registry_items_fini(&writer);
}

/* An item as large as may be, after small ones: the parser grows. */
static void large(void **state)
{
    (void)state;
    struct registry_items writer;
    struct buf text, out, keep;
    struct registry_reasons reasons = make_reasons(7, "type /id Send a \"string\".", &keep);
    registry_items_init(&writer);
    buf_init(&text, 0);
    buf_init(&out, 0);
    for (size_t size = 1; size < 1u << 20; size *= 8) {
        buf_clear(&text);
        buf_clear(&out);
        buf_append_text(&text, "{\"a\":\"");
        memset(buf_extend(&text, size), 'x', size);
        buf_append_text(&text, "\"}");
        assert_int_equal(registry_item_append(&writer, buf_view(&text), &reasons, &out), 0);
        assert_int_equal(out.size, text.size + sizeof("," ONE) - 2);
    }
    buf_fini(&text);
    buf_fini(&out);
    buf_fini(&keep);
    registry_items_fini(&writer);
}

static void envelopes(void **state)
{
    (void)state;
    static const struct {
        const char *envelope, *array, *want;
    } rows[] = {
        {"{\"customerData\":[],\"customerType\":\"Company\"}", "/customerData",
         "{\"customerType\":\"Company\",\"customerData\":["},
        {"{\"a\":1,\"customerData\":[]}", "/customerData", "{\"a\":1,\"customerData\":["},
        {"{\"customers\":[]}", "/customers", "{\"customers\":["},
        {"{\"project\":\"p\"}", "/customers", "{\"project\":\"p\",\"customers\":["},
        {"{}", "/customers", "{\"customers\":["},
        {"", "/customers", "{\"customers\":["},
        {"{\"a/b~\":[],\"c\":1}", "/a~1b~0", "{\"c\":1,\"a/b~\":["},
    };
    struct registry_items writer;
    struct buf out;
    registry_items_init(&writer);
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_clear(&out);
        assert_int_equal(
            registry_envelope_open(&writer, slice_from_text(rows[i].envelope), slice_from_text(rows[i].array), &out),
            0);
        buf_append_byte(&out, 0);
        assert_string_equal(out.data, rows[i].want);
    }
    buf_fini(&out);
    registry_items_fini(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(items), cmocka_unit_test(large), cmocka_unit_test(envelopes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
