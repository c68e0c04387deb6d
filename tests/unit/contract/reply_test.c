/* The answer's shape: templates that are refused, and what the others come to. */
#include "contract/builtin.h"
#include "contract/compile_rows.h"

static void templates(void **state)
{
    (void)state;
    static const struct compile_row rows[] = {
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[],\"items\":\"\",\"item\":{}}",
         "/reply: must have one array with one element that holds \"$id\""},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/"
         "t\",\"reply\":{\"a\":\"$id\"},\"items\":\"\",\"item\":{}}",
         "/reply: must have one array"},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/"
         "t\",\"reply\":[1,\"$id\"],\"items\":\"\",\"item\":{}}",
         "/reply: must have one array"},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":{\"a\":[\"$id\"],\"b\":[\"$id\"]},"
         "\"items\":\"\",\"item\":{}}",
         "/reply: must have one array"},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[[\"$id\",\"$id\",\"$id\",\"$id\"]],"
         "\"items\":\"\",\"item\":{}}",
         "/reply: repeats a placeholder too often"},
    };
    COMPILE_ROWS(rows, false);
}

#define FILE_WITH(template)                                                                                            \
    "{\"number\":9,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"items\":\"\",\"item\":{},\"reply\":" template "}"

struct reply_row {
    size_t builtin;   /* which of the built-in contracts, when there is no file */
    const char *file; /* of a contract */
    const char *none, *two;
};

static void compile_reply(struct run *run, const struct reply_row *row)
{
    struct slice file = row->file == NULL ? contract_builtin(row->builtin) : slice_from_text(row->file);
    struct buf why;
    buf_init(&why, 0);
    contract_free(&run->contract);
    if (contract_compile(file, &run->contract, &why) != 0) {
        fail_msg("%.*s: %.*s", SLICE_ARG(file), SLICE_ARG(buf_view(&why)));
    }
    buf_fini(&why);
}

static void expect_reply(struct run *run, bool filled, const char *text)
{
    struct slice tenant = SLICE("a\"b");
    buf_clear(&run->told);
    contract_reply_head(run->contract, tenant, &run->told);
    if (filled) {
        contract_reply_item(run->contract, true, SLICE("1"), &run->told);
        contract_reply_item(run->contract, false, SLICE("2"), &run->told);
    }
    contract_reply_tail(run->contract, tenant, &run->told);
    if (!slice_equal_text(buf_view(&run->told), text)) {
        fail_msg("%.*s is not %s", SLICE_ARG(buf_view(&run->told)), text);
    }
}

/* The tenant is a"b, so that what is put in is seen to be escaped. */
static void replies(void **state)
{
    (void)state;
    static const struct reply_row rows[] = {
        {0, NULL, "{\"tenantId\":\"a\\\"b\",\"customerIds\":[]}",
         "{\"tenantId\":\"a\\\"b\",\"customerIds\":[{\"customerId\":\"1\"},{\"customerId\":\"2\"}]}"},
        {1, NULL, "[]", "[\"1\",\"2\"]"},
        {2, NULL, "{\"customers\":[]}", "{\"customers\":[{\"id\":\"1\"},{\"id\":\"2\"}]}"},
        {0, FILE_WITH("[ \"$id\" ]"), "[]", "[\"1\",\"2\"]"},
        /* placeholders on both sides of the array, and the same one twice */
        {0, FILE_WITH("{\"a\":\"$tenant\",\"b\":[\"$id\"],\"c\":{\"d\":\"$tenant\"},\"e\":\"$tenant\"}"),
         "{\"a\":\"a\\\"b\",\"b\":[],\"c\":{\"d\":\"a\\\"b\"},\"e\":\"a\\\"b\"}",
         "{\"a\":\"a\\\"b\",\"b\":[\"1\",\"2\"],\"c\":{\"d\":\"a\\\"b\"},\"e\":\"a\\\"b\"}"},
        {0, FILE_WITH("{\"a\":[{\"x\":\"$id\",\"y\":[\"$id\"]}]}"), "{\"a\":[]}",
         "{\"a\":[{\"x\":\"1\",\"y\":[\"1\"]},{\"x\":\"2\",\"y\":[\"2\"]}]}"},
        /* a placeholder out of its place is text; every other value is copied */
        {0, FILE_WITH("{\"a\":[\"$tenant\"],\"b\":[[\"$id\"]],\"c\":[{},[],null,true,-1.5,\"\\n\"]}"),
         "{\"a\":[\"a\\\"b\"],\"b\":[],\"c\":[{},[],null,true,-1.5,\"\\n\"]}",
         "{\"a\":[\"a\\\"b\"],\"b\":[[\"1\"],[\"2\"]],\"c\":[{},[],null,true,-1.5,\"\\n\"]}"},
        {0, FILE_WITH("[{\"x\":\"$tenant\",\"y\":\"$id\",\"z\":\"$idle\"}]"), "[]",
         "[{\"x\":\"$tenant\",\"y\":\"1\",\"z\":\"$idle\"},{\"x\":\"$tenant\",\"y\":\"2\",\"z\":\"$idle\"}]"},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        compile_reply(&run, &rows[i]);
        expect_reply(&run, false, rows[i].none);
        expect_reply(&run, true, rows[i].two);
    }
    run_fini(&run);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates),
        cmocka_unit_test(replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
