/* The member table of an object: an error shows its place, a good one its order. */
#include "contract/compile_rows.h"

#include "contract/contract_priv.h"

static void required(void **state)
{
    (void)state;
    static const struct compile_row rows[] = {
        {"{\"required\":[\"a\",\"a\"]}", "/required/1: stands there twice"},
        {"{\"required\":[1]}", "/required/0: must be a string"},
        {"{\"required\":true}", "/required: must be an array of strings"},
    };
    COMPILE_ROWS(rows, true);
}

/* Members of `properties` in their order, "!" those that are required, then what is only required. */
static void tables(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *told;
    } rows[] = {
        {"{\"properties\":{}}", "0:"},
        {"{\"properties\":{\"b\":{},\"a\":true}}", "0: b a"},
        {"{\"required\":[\"x\"]}", "1: (x!)"},
        {"{\"required\":[]}", "0:"},
        {"{\"required\":[\"x\",\"a\",\"w\"],\"properties\":{\"b\":{},\"a\":{}}}", "3: b a! (x!) (w!)"},
        {"{\"properties\":{\"\":{}},\"required\":[\"\"]}", "1: !"},
        {"{\"required\":[\"a\"],\"properties\":{\"\\u0061\":{}}}", "1: a!"},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_compile(&run, rows[i].schema, true);
        const struct object_rules *object = run.contract->item->object;
        assert_non_null(object);
        buf_clear(&run.told);
        buf_printf(&run.told, "%u:", object->required_count);
        for (uint32_t m = 0; m < object->names.count; m++) {
            const struct member *member = &object->members[m];
            bool named = m < object->named_count;
            assert_int_equal(member->node != NULL, named);
            assert_int_equal(contract_names_find(&object->names, member->name), m);
            buf_printf(&run.told, named ? " %.*s%s" : " (%.*s%s)", SLICE_ARG(member->name),
                       member->required ? "!" : "");
        }
        assert_true(slice_equal_text(buf_view(&run.told), rows[i].told));
    }
    run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(required),
        cmocka_unit_test(tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
