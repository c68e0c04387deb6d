/*
 * What a contract says of places: rows of schema, pointer and answer; then the three built-in contracts, with the
 * documented sample, of which no secret may be left.
 */
#include "contract/builtin.h"
#include "contract/check_run.h"

#define S CONTRACT_TYPE_STRING
#define N (CONTRACT_TYPE_NUMBER | CONTRACT_TYPE_INTEGER)
#define I CONTRACT_TYPE_INTEGER
#define B CONTRACT_TYPE_BOOLEAN
#define Z CONTRACT_TYPE_NULL
#define O CONTRACT_TYPE_OBJECT
#define A CONTRACT_TYPE_ARRAY

#define SECRET "{\"type\":\"string\",\"x-class\":\"secret\",\"x-secret\":\"password\"}"

struct row {
    const char *schema;
    const char *pointer;
    unsigned types;
    bool secret;
};

static const struct row ROWS[] = {
    {"{}", "", S | N | B | Z | O | A, false},
    {"{}", "/a", 0, false},
    {"{\"type\":\"object\"}", "", O, false},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "/a", S, false},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "/b", 0, false},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "a", 0, false},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "/a/b", 0, false},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "/a/", 0, false},
    {"{\"properties\":{\"\":{\"type\":\"null\"}}}", "/", Z, false},
    {"{\"properties\":{\"a\":{\"type\":[\"number\",\"null\"]}}}", "/a", N | Z, false},
    {"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "/a", I, false},
    {"{\"properties\":{\"a/b~1\":{\"type\":\"boolean\"}}}", "/a~1b~01", B, false},
    {"{\"properties\":{\"a\":{\"enum\":[\"x\",1]}}}", "/a", S | I, false},
    {"{\"properties\":{\"a\":{\"const\":true}}}", "/a", B, false},
    {"{\"properties\":{\"a\":false}}", "/a", 0, false},
    {"{\"properties\":{\"a\":true}}", "/a", S | N | B | Z | O | A, false},
    {"{\"additionalProperties\":{\"type\":\"number\"}}", "/whatever", N, false},
    {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "/b", 0, false},
    /* an index stands for any element; where it is no index, for none */
    {"{\"properties\":{\"a\":{\"items\":{\"type\":\"string\"}}}}", "/a/7", S, false},
    {"{\"properties\":{\"a\":{\"items\":{\"type\":\"string\"}}}}", "/a/x", 0, false},
    {"{\"properties\":{\"a\":{\"items\":{\"type\":\"string\"}}}}", "/a/", 0, false},
    {"{\"properties\":{\"a\":{\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"boolean\"}}}}", "/a/0",
     S | B, false},
    {"{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":{\"type\":\"integer\"}}}}}}", "/a/0/b", I, false},
    {"{\"properties\":{\"7\":{\"type\":\"string\"}}}", "/7", S, false},
    /* several opinions */
    {"{\"properties\":{\"a\":{\"$ref\":\"#/item/properties/b\"},\"b\":{\"type\":\"string\"}}}", "/a", S, false},
    {"{\"allOf\":[{\"properties\":{\"a\":{\"type\":[\"string\",\"number\"]}}},"
     "{\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]}}},{\"properties\":{\"b\":{}}}]}",
     "/a", S, false},
    {"{\"properties\":{\"a\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"boolean\"}]}}}", "/a", S | B, false},
    {"{\"properties\":{\"a\":{\"type\":[\"string\",\"null\"],\"oneOf\":[{\"type\":\"string\"},{\"type\":\"boolean\"}]}}"
     "}",
     "/a", S, false},
    {"{\"oneOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}}},{\"properties\":{\"b\":{}}}]}", "/a", S, false},
    {"{\"if\":{\"properties\":{\"a\":{\"type\":\"string\"}}},\"then\":{\"properties\":{\"b\":{\"type\":\"string\"}}},"
     "\"else\":{\"properties\":{\"b\":{\"type\":\"number\"}}}}",
     "/b", S | N, false},
    {"{\"if\":{\"properties\":{\"a\":{\"type\":\"string\"}}},\"then\":{\"properties\":{\"b\":{\"type\":\"string\"}}}}",
     "/b", S, false},
    {"{\"properties\":{\"b\":{\"type\":[\"string\",\"null\"]}},\"if\":{},"
     "\"then\":{\"properties\":{\"b\":{\"type\":\"string\"}}}}",
     "/b", S | Z, false},
    /* secrets */
    {"{\"properties\":{\"a\":" SECRET "}}", "/a", S, true},
    {"{\"properties\":{\"a\":" SECRET "}}", "/a/b/0", 0, true},
    {"{\"properties\":{\"a\":" SECRET "}}", "/b", 0, false},
    {"{\"properties\":{\"a\":" SECRET "}}", "", S | N | B | Z | O | A, false},
    {"{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":" SECRET "}}}}}", "/a/3/b", S, true},
    {"{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":" SECRET "}}}}}", "/a/x/b", 0, false},
    {"{\"properties\":{\"a\":{\"prefixItems\":[{},{\"properties\":{\"b\":" SECRET "}}]}}}", "/a/0/b", S, true},
    {"{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}}},{\"properties\":{\"a\":" SECRET "}}]}", "/a", S, true},
    {"{\"if\":{\"properties\":{\"a\":" SECRET "}}}", "/a", 0, true},
    {"{\"if\":{},\"else\":{\"properties\":{\"a\":" SECRET "}}}", "/a", S, true},
    {"{\"properties\":{\"a\":{\"$ref\":\"#/item/properties/b\"},\"b\":" SECRET "}}", "/a", S, true},
};

static void places(void **state)
{
    (void)state;
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        run_compile(&run, ROWS[i].schema, false);
        struct slice pointer = slice_from_text(ROWS[i].pointer);
        unsigned types = contract_item_types(run.contract, pointer);
        bool secret = contract_item_is_secret(run.contract, pointer);
        if (types != ROWS[i].types || secret != ROWS[i].secret) {
            fail_msg("row %zu: %s of %s: types %u, secret %d", i, ROWS[i].pointer, ROWS[i].schema, types, secret);
        }
    }
    run_fini(&run);
}

/* The item without its secrets. */
static void expect_blank(struct run *run, const char *value, const char *expected)
{
    struct json_edit *edits;
    size_t count;
    struct buf out = {0};
    run_check(run, value);
    assert_int_equal(contract_blank_secrets(run->contract, &run->doc, run->arena, &edits, &count), 0);
    for (size_t i = 1; i < count; i++) {
        assert_true(edits[i - 1].at < edits[i].at);
    }
    json_append_minified(&out, &run->doc, json_root(&run->doc), edits, count);
    if (!slice_equal_text(buf_view(&out), expected)) {
        fail_msg("%s blanked is %.*s, expected %s", value, SLICE_ARG(buf_view(&out)), expected);
    }
    buf_fini(&out);
}

static void blanks(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *value, *expected;
    } rows[] = {
        {"{\"properties\":{\"a\":" SECRET "}}", "{\"a\":\"x\",\"b\":\"y\"}", "{\"a\":\"\",\"b\":\"y\"}"},
        {"{\"properties\":{\"a\":" SECRET "}}", "{ \"b\" : 1, \"a\" : 1234 }", "{\"b\":1,\"a\":null}"},
        {"{\"properties\":{\"a\":" SECRET "}}", "{\"a\":{\"a\":\"x\"}}", "{\"a\":null}"},
        {"{\"properties\":{\"a\":" SECRET "}}", "{\"a\":[\"x\",[\"y\"]]}", "{\"a\":null}"},
        {"{\"properties\":{\"a\":" SECRET "}}", "[{\"a\":\"x\"}]", "[{\"a\":\"x\"}]"},
        {"{\"properties\":{\"a\":" SECRET "}}", "\"a\"", "\"a\""},
        {"{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":" SECRET "}}}}}",
         "{\"a\":[{\"b\":\"x\"},{\"c\":\"y\"},3,{\"b\":null}]}", "{\"a\":[{\"b\":\"\"},{\"c\":\"y\"},3,{\"b\":null}]}"},
        {"{\"properties\":{\"a\":{\"prefixItems\":[{},{\"properties\":{\"b\":" SECRET "}}]}}}",
         "{\"a\":[{\"b\":\"x\"},{\"b\":\"y\"},{\"b\":\"z\"}]}", "{\"a\":[{\"b\":\"x\"},{\"b\":\"\"},{\"b\":\"z\"}]}"},
        /* two opinions about one member, and a branch that does not hold */
        {"{\"allOf\":[{\"properties\":{\"b\":" SECRET "}},{\"properties\":{\"a\":" SECRET ",\"b\":" SECRET "}}]}",
         "{\"a\":\"x\",\"b\":\"y\"}", "{\"a\":\"\",\"b\":\"\"}"},
        {"{\"oneOf\":[{\"type\":\"object\",\"required\":[\"c\"],\"properties\":{\"a\":" SECRET "}},{}]}",
         "{\"a\":true}", "{\"a\":null}"},
        /* one opinion blanks the whole, another a part of it */
        {"{\"allOf\":[{\"properties\":{\"o\":{\"properties\":{\"b\":" SECRET "}}}},{\"properties\":{\"o\":" SECRET
         "}}]}",
         "{\"o\":{\"b\":\"x\"},\"p\":{\"b\":\"y\"}}", "{\"o\":null,\"p\":{\"b\":\"y\"}}"},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_compile(&run, rows[i].schema, false);
        expect_blank(&run, rows[i].value, rows[i].expected);
    }
    run_fini(&run);
}

/* ---- the built-in contracts ---- */

enum { CYREXA, NEXERA, MUSTER };

static void compile_builtin(struct run *run, size_t index)
{
    struct buf why = {0};
    contract_free(&run->contract);
    assert_int_equal(contract_compile(contract_builtin(index), &run->contract, &why), 0);
    buf_fini(&why);
}

static void builtin_places(void **state)
{
    (void)state;
    static const struct {
        size_t contract;
        const char *pointer;
        unsigned types;
        bool secret;
    } rows[] = {
        {CYREXA, "/person/email", S, false},
        {CYREXA, "/person/telephoneNumbers/0/number", S, false},
        {CYREXA, "/person/telephoneNumbers/12/number", S, false},
        {CYREXA, "/person/addresses/0/address/geoPosition/latitude", N, false},
        {CYREXA, "/person/addresses/0/address/streetNumber/1", S, false},
        {CYREXA, "/notifications/0/isEnabled", B, false},
        {CYREXA, "/person/firstName/order", N, false},
        {CYREXA, "/person", O, false},
        {CYREXA, "/person/passwort", 0, false},
        {CYREXA, "/person/password", S, true},
        {CYREXA, "/person/pinCode", S, true},
        {CYREXA, "/person/SecretQuestion/0/answer", S, true},
        {CYREXA, "/person/SecretQuestion/0/question", S, false},
        {CYREXA, "/twofa/targetCode", S, true},
        {CYREXA, "/twofa/inputCode", S, true},
        {CYREXA, "/twofa/codematch", B, false},
        {NEXERA, "/customerClaims/sub", S, false},
        {NEXERA, "/customerWallet/verified", B, false},
        {NEXERA, "/customerClaims/password", 0, false},
        {MUSTER, "/externalId", S, false},
        {MUSTER, "/addresses/0/position/latitude", N, false},
        {MUSTER, "/secrets/password", S, true},
        {MUSTER, "/secrets/pin", S, true},
        {MUSTER, "/secrets/questions/0/answer", S, true},
        {MUSTER, "/verification/sentCode", S, true},
        {MUSTER, "/verification/enteredCode", S, true},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        compile_builtin(&run, rows[i].contract);
        struct slice pointer = slice_from_text(rows[i].pointer);
        unsigned types = contract_item_types(run.contract, pointer);
        if (types != rows[i].types || contract_item_is_secret(run.contract, pointer) != rows[i].secret) {
            fail_msg("row %zu: %s: types %u", i, rows[i].pointer, types);
        }
    }
    run_fini(&run);
}

static void builtin_blanks(void **state)
{
    (void)state;
    static const struct {
        size_t contract;
        const char *value, *expected;
    } rows[] = {
        {CYREXA,
         "{\"id\":7,\"person\":{\"password\":12345,\"pinCode\":\"1\",\"SecretQuestion\":[{\"question\":\"q\","
         "\"answer\":[\"a\"]}]},\"twofa\":{\"targetCode\":\"1\",\"inputCode\":2,\"codematch\":true}}",
         "{\"id\":7,\"person\":{\"password\":null,\"pinCode\":\"\",\"SecretQuestion\":[{\"question\":\"q\","
         "\"answer\":null}]},\"twofa\":{\"targetCode\":\"\",\"inputCode\":null,\"codematch\":true}}"},
        {NEXERA, "{\"customerClaims\":{\"sub\":\"s\"}}", "{\"customerClaims\":{\"sub\":\"s\"}}"},
        {MUSTER,
         "{\"secrets\":{\"password\":\"p\",\"pin\":1,\"questions\":[{\"question\":\"q\",\"answer\":\"a\"}]},"
         "\"verification\":{\"sentCode\":\"1\",\"enteredCode\":\"2\"}}",
         "{\"secrets\":{\"password\":\"\",\"pin\":null,\"questions\":[{\"question\":\"q\",\"answer\":\"\"}]},"
         "\"verification\":{\"sentCode\":\"\",\"enteredCode\":\"\"}}"},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        compile_builtin(&run, rows[i].contract);
        expect_blank(&run, rows[i].value, rows[i].expected);
    }
    run_fini(&run);
}

static void envelopes(void **state)
{
    (void)state;
    static const struct {
        size_t contract;
        const char *name;
        bool named;
    } rows[] = {
        {CYREXA, "customerType", false}, {CYREXA, "", false},
        {NEXERA, "customerType", true},  {NEXERA, "cmsProjectId", true},
        {NEXERA, "customerData", false}, {NEXERA, "dryRun", false},
        {NEXERA, "customertype", false}, {MUSTER, "project", true},
        {MUSTER, "customers", false},    {MUSTER, "customerType", false},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        compile_builtin(&run, rows[i].contract);
        assert_int_equal(contract_info(run.contract)->has_envelope, rows[i].contract != CYREXA);
        if (contract_envelope_names(run.contract, slice_from_text(rows[i].name)) != rows[i].named) {
            fail_msg("row %zu: %s", i, rows[i].name);
        }
    }
    run_fini(&run);
}

/* Memory that runs out is told, and no half of the edits. */
static void no_memory(void **state)
{
    (void)state;
    struct run run;
    struct json_edit *edits;
    size_t count;
    run_init(&run);
    run_compile(&run, "{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":" SECRET "}}}}}", false);
    struct buf value = {0};
    buf_append_text(&value, "{\"a\":[");
    for (size_t i = 0; i < 500; i++) {
        buf_append_text(&value, "{\"b\":\"x\"},");
    }
    buf_append_text(&value, "{}]}");
    run_check_slice(&run, buf_view(&value));
    struct arena *arena = arena_new(1024, 2048);
    assert_int_equal(contract_blank_secrets(run.contract, &run.doc, arena, &edits, &count), ERR_NO_MEMORY);
    assert_int_equal(count, 0);
    arena_free(&arena);
    buf_fini(&value);
    run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),         cmocka_unit_test(blanks),    cmocka_unit_test(builtin_places),
        cmocka_unit_test(builtin_blanks), cmocka_unit_test(envelopes), cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
