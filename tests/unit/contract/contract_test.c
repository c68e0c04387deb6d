/* The members of a contract file: the place and reason of what is wrong. */
#include "contract/compile_rows.h"

#define HEAD "{\"number\":9,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[\"$id\"],\"items\":\"\""

static void members(void **state)
{
    (void)state;
    static const struct compile_row rows[] = {
        {"[]", "the root: must be an object"},
        {"{}", "the root: \"number\" is missing"},
        {HEAD "}", "the root: \"item\" is missing"},
        {HEAD ",\"item\":{},\"tenentHeader\":\"a\"}",
         "/tenentHeader: unknown member \"tenentHeader\"; did you mean \"tenantHeader\"?"},
        {HEAD ",\"item\":{\"propertis\":{}}}",
         "/item/propertis: unknown keyword \"propertis\"; did you mean \"properties\"?"},
        {HEAD ",\"item\":{\"$ref\":\"#/$defs/a\"},\"$defs\":{\"a\":{\"typo\":1}}}", "/$defs/a/typo: unknown keyword"},
        {HEAD ",\"item\":{\"$ref\":\"#/$defs/a\"},\"$defs\":{\"a\":{\"$ref\":\"#/$defs/a\"}}}",
         "/$defs/a: refers to itself"},
        {HEAD ",\"item\":{\"$ref\":\"#\"}}", "/number: unknown keyword \"number\""},
        {HEAD ",\"item\":{},\"$defs\":[]}", "/$defs: must be an object of schemas"},
        {HEAD ",\"item\":{},\"envelope\":{}}", "/envelope: the items are the root"},
        {HEAD ",\"item\":{},\"project\":\"/p\"}", "/project: points into an envelope, and there is none"},
        {HEAD ",\"item\":{},\"type\":\"p\"}", "/type: must be a JSON Pointer"},
        {"{\"number\":0,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[\"$id\"],\"items\":\"\",\"item\":{}}",
         "/number: must be from 1 to 255"},
        {"{\"number\":256,\"name\":\"t\",\"title\":\"T\",\"path\":\"/"
         "t\",\"reply\":[\"$id\"],\"items\":\"\",\"item\":{}}",
         "/number: must be from 1 to 255"},
        {"{\"number\":1,\"name\":\"T\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[\"$id\"],\"items\":\"\",\"item\":{}}",
         "/name: must be 1 to 64 of"},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"t\",\"reply\":[\"$id\"],\"items\":\"\",\"item\":{}}",
         "/path: must begin with /"},
        {"{\"number\":1,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[\"$id\"],\"items\":\"/a/"
         "b\",\"item\":{}}",
         "/items: must be empty or a JSON Pointer of one token"},
        {"{\"number\":1,\n\"name\":]", "line 2, column "},
    };
    COMPILE_ROWS(rows, false);
}

/* What stands in the file is what the other rooms are told. */
static void infos(void **state)
{
    (void)state;
    static const struct {
        const char *members; /* besides those of HEAD */
        const char *told;
    } rows[] = {
        {"\"items\":\"\"", "9|t|T|/t||||||"},
        {"\"items\":\"\",\"tenantHeader\":\"X-T\",\"tokenHeader\":\"X-K\",\"problem\":\"error\"",
         "9|t|T|/t||X-T|X-K|||error"},
        {"\"items\":\"/all\",\"envelope\":{},\"project\":\"/p\",\"type\":\"/a~1b\"", "9|t|T|/t|/all|||/p|/a~1b|"},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text, why;
        buf_init(&text, 0);
        buf_init(&why, 0);
        buf_printf(&text,
                   "{\"number\":9,\"name\":\"t\",\"title\":\"T\",\"path\":\"/t\",\"reply\":[\"$id\"],\"item\":{},%s}",
                   rows[i].members);
        contract_free(&run.contract);
        if (contract_compile(buf_view(&text), &run.contract, &why) != 0) {
            fail_msg("row %zu: %.*s", i, SLICE_ARG(buf_view(&why)));
        }
        const struct contract_info *info = contract_info(run.contract);
        buf_clear(&run.told);
        buf_printf(&run.told, "%u|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s", info->number, SLICE_ARG(info->name),
                   SLICE_ARG(info->title), SLICE_ARG(info->path), SLICE_ARG(info->items),
                   SLICE_ARG(info->tenant_header), SLICE_ARG(info->token_header), SLICE_ARG(info->project),
                   SLICE_ARG(info->type), SLICE_ARG(info->problem_text));
        buf_append_byte(&run.told, 0);
        assert_string_equal(run.told.data, rows[i].told);
        buf_fini(&text);
        buf_fini(&why);
    }
    run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),
        cmocka_unit_test(infos),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
