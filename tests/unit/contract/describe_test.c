/* A compiled contract for people: a row is a schema and its lines. */
#include "contract/builtin.h"
#include "contract/check_run.h"
#include "contract/schemas.h"

struct describe_row {
    const char *schema;
    const char *lines; /* of a bare schema */
};

static const char *describe(struct run *run)
{
    buf_clear(&run->told);
    contract_describe(run->contract, &run->told);
    buf_append_byte(&run->told, 0);
    return run->told.data;
}

static void lines(void **state)
{
    (void)state;
    static const struct describe_row rows[] = {
        {"true", "item: any\n"},
        {"false", "item: nothing\n"},
        {"{\"type\":\"string\"}", "item: string, class personal\n"},
        {"{\"type\":[\"null\",\"number\"],\"x-class\":\"open\"}", "item: number|null, class open\n"},
        {"{\"type\":[\"integer\",\"boolean\"]}", "item: integer|boolean, class personal\n"},
        {"{\"type\":\"string\",\"enum\":[\"a\",\"b\"],\"maxLength\":7,\"format\":\"email\"}",
         "item: string, one of 2 values, format email, at most 7 characters, class personal\n"},
        {OBJECT("\"m\":" TEXT(",\"x-identifier\":\"email\"") ",\"t\":" TEXT(",\"x-card\":\"type\"")),
         "item: object\n  m: string, class personal, identifier email\n  t: string, class personal, card type\n"},
        {OBJECT("\"p\":" SECRET("\"pin\"")), "item: object\n  p: string, class secret, secret pin\n"},
        {"{\"type\":\"string\",\"enum\":[\"a\"],\"x-alias\":{\"b\":\"a\",\"c\":\"a\"}}",
         "item: string, one of 1 values, class personal, 2 aliases\n"},
        {"{\"type\":\"boolean\",\"x-privileged\":{\"scope\":\"customers:status\"}}",
         "item: boolean, class personal, privileged customers:status\n"},
        {"{\"type\":\"object\",\"x-compare\":{\"left\":\"l\",\"right\":\"r\",\"result\":\"m\",\"scope\":\"admin\"},"
         "\"properties\":{\"l\":" CODE ",\"r\":" CODE ",\"m\":{\"type\":\"boolean\"}}}",
         "item: object, compares l and r\n  l: string, class secret, secret code\n"
         "  r: string, class secret, secret code\n  m: boolean, class personal\n"},
        {"{\"type\":\"object\",\"required\":[\"a\",\"z\"],\"properties\":{\"a\":{\"type\":\"array\","
         "\"items\":{\"type\":\"null\"}}}}",
         "item: object\n  a: array, required\n    []: null, class personal\n"},
        /* a schema that holds itself is told once */
        {"{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#\"}}}", "item: object\n  next: object\n"},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_compile(&run, rows[i].schema, true);
        if (strcmp(describe(&run), rows[i].lines) != 0) {
            fail_msg("row %zu: %s gives\n%sand should give\n%s", i, rows[i].schema, run.told.data, rows[i].lines);
        }
    }
    run_fini(&run);
}

static void head_and_envelope(void **state)
{
    (void)state;
    struct run run;
    struct buf why;
    run_init(&run);
    buf_init(&why, 0);
    assert_int_equal(contract_compile(SLICE("{\"number\":9,\"name\":\"t\",\"title\":\"The T\",\"path\":\"/t\","
                                            "\"items\":\"/all\",\"reply\":[\"$id\"],\"item\":{\"type\":\"null\"},"
                                            "\"envelope\":{\"type\":\"object\"}}"),
                                      &run.contract, &why),
                     0);
    assert_string_equal(describe(&run), "t (9): The T\nPOST /t, items at \"/all\"\nenvelope: object\n"
                                        "item: null, class personal\n");
    buf_fini(&why);
    run_fini(&run);
}

/* Every country of the documented list. */
static void of_a_builtin(void **state)
{
    (void)state;
    struct run run;
    struct buf why;
    run_init(&run);
    buf_init(&why, 0);
    assert_int_equal(contract_compile(contract_builtin(1), &run.contract, &why), 0);
    const char *described = describe(&run);
    assert_non_null(strstr(described, "nationality: string, one of 251 values, class personal"));
    assert_non_null(strstr(described, "customerType: string, required, one of 2 values"));
    buf_fini(&why);
    run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(head_and_envelope),
        cmocka_unit_test(of_a_builtin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
