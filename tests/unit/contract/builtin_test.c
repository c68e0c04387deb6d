/*
 * The built-in contracts: they compile, their documented samples (examples/) pass with no fault, and
 * what the documentation says of single members holds. The folder of the samples is given by meson.
 */
#include "contract/builtin.h"
#include "contract/check_run.h"

#define NO_STATUS (SCOPE_ALL & ~SCOPE_CUSTOMERS_STATUS)

enum { CYREXA, NEXERA, MUSTER, BUILTIN_COUNT };

static void compile_builtin(struct run *run, size_t index)
{
    struct buf why;
    buf_init(&why, 0);
    contract_free(&run->contract);
    if (contract_compile(contract_builtin(index), &run->contract, &why) != 0) {
        fail_msg("contract %zu: %.*s", index, SLICE_ARG(buf_view(&why)));
    }
    buf_fini(&why);
}

/* Parses an example and makes the text of its first item (or of the envelope) a value of its own. */
static void read_example(const char *name, struct buf *text)
{
    char path[512];
    char piece[4096];
    (void)snprintf(path, sizeof path, "%s/%s", EXAMPLES, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (size_t size = fread(piece, 1, sizeof piece, file); size > 0; size = fread(piece, 1, sizeof piece, file)) {
        buf_append(text, piece, size);
    }
    fclose(file);
    assert_int_equal(buf_reserve(text, JSON_PADDING), 0);
    memset(text->data + text->size, 0, JSON_PADDING);
}

static void cut_value(const char *name, const char *pointer, struct buf *value)
{
    struct json_parser *parser = json_parser_new(1u << 20);
    struct json_doc doc;
    struct json_error error;
    struct buf text;
    buf_init(&text, 0);
    read_example(name, &text);
    assert_int_equal(json_parse(parser, buf_view(&text), &JSON_LIMITS_DEFAULT, &doc, &error), 0);
    json_at at = json_at_pointer(&doc, json_root(&doc), slice_from_text(pointer));
    assert_true(at != 0);
    json_append_minified(value, &doc, at, NULL, 0);
    buf_fini(&text);
    json_parser_free(&parser);
}

static void infos(void **state)
{
    (void)state;
    static const struct {
        uint8_t number;
        const char *name, *path, *items, *tenant_header, *token_header, *project, *type, *problem;
    } rows[BUILTIN_COUNT] = {
        {1, "cyrexa", "/customer/1.0.0/createBulk", "", "tenantId", "token", "", "", "message"},
        {2, "nexera", "/customers/batch", "/customerData", "", "", "/cmsProjectId", "/customerType", "error"},
        {3, "muster", "/v1/customers", "/customers", "", "", "/project", "", ""},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < BUILTIN_COUNT; i++) {
        compile_builtin(&run, i);
        const struct contract_info *info = contract_info(run.contract);
        assert_int_equal(info->number, rows[i].number);
        assert_true(slice_equal_text(info->name, rows[i].name));
        assert_true(slice_equal_text(info->path, rows[i].path));
        assert_true(slice_equal_text(info->items, rows[i].items));
        assert_true(slice_equal_text(info->tenant_header, rows[i].tenant_header));
        assert_true(slice_equal_text(info->token_header, rows[i].token_header));
        assert_true(slice_equal_text(info->project, rows[i].project));
        assert_true(slice_equal_text(info->type, rows[i].type));
        assert_true(slice_equal_text(info->problem_text, rows[i].problem));
    }
    assert_null(contract_builtin(BUILTIN_COUNT).data);
    run_fini(&run);
}

static void cyrexa_sample(void **state)
{
    (void)state;
    struct run run;
    struct buf value;
    run_init(&run);
    buf_init(&value, 0);
    cut_value("cyrexa-createBulk.json", "/0", &value);
    compile_builtin(&run, CYREXA);
    run_check_slice(&run, buf_view(&value));
    const char *told = run_tell(&run);
    const char *kept = strstr(told, "= ");
    assert_non_null(kept);
    static const char EXPECTED[] =
        "f format /person/dateOfBirth\nf format /person/email\nf format /person/telephoneNumbers/0/number\n"
        "I external-id <string>\nC type Person\nC status new\nC category category1\n"
        "S pin /person/pinCode <string>\nS password /person/password <string>\nI email <string>\nI phone <string>\n"
        "S answer /person/SecretQuestion/0/answer <string> (<string>)\n"
        "S code /twofa/targetCode <string>\nS code /twofa/inputCode <string>\nC name <string>\n";
    assert_memory_equal(told, EXPECTED, sizeof EXPECTED - 1);
    assert_ptr_equal(kept, told + sizeof EXPECTED - 1);
    static const char *const SECRETS[] = {"pinCode", "password", "answer", "targetCode", "inputCode"};
    for (size_t i = 0; i < 5; i++) {
        assert_null(strstr(kept, SECRETS[i]));
    }
    assert_non_null(strstr(kept, "\"codematch\":true"));
    run.options.scopes = 0; /* the sample needs no scope: its codes agree */
    run_check_slice(&run, buf_view(&value));
    assert_int_equal(run.result.fault_total, 0);
    buf_fini(&value);
    run_fini(&run);
}

static void nexera_sample(void **state)
{
    (void)state;
    struct run run;
    struct buf value;
    run_init(&run);
    buf_init(&value, 0);
    cut_value("nexera-customers-batch.json", "/customerData/0", &value);
    compile_builtin(&run, NEXERA);
    run_check_slice(&run, buf_view(&value));
    assert_string_equal(run_tell(&run),
                        "f format /customerWallet/wallet\nf format /customerClaims/profile\n"
                        "f format /customerClaims/picture\nf format /customerClaims/website\n"
                        "f format /customerClaims/zoneinfo\nf format /customerDid/did\nI wallet string (tezos)\n"
                        "I external-id string\nI did string\nC name string\n");
    run.options.scopes = NO_STATUS;
    run_check_slice(&run, buf_view(&value));
    assert_int_equal(run.result.fault_total, 1);
    assert_string_equal(run.result.faults[0].code, "scope-missing");
    assert_string_equal(run.result.faults[0].pointer.data, "/customerWallet/verified");
    buf_fini(&value);
    run_fini(&run);
}

struct row {
    size_t contract;
    const char *value;
    const char *told;
    uint32_t scopes;
};

/* Single members. The card's status of a customer without one is "new". */
static void members(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {CYREXA, "{}", "C status new\n", 0},
        {CYREXA, "[]", "F type \n", 0},
        {CYREXA, "{\"customerStatus\":\"under_verification\"}",
         "C status under_verificaiton\n= {\"customerStatus\":\"under_verificaiton\"}\n", 0},
        {CYREXA, "{\"customerStatus\":\"bankrupt\"}", "C status bancrupted\n= {\"customerStatus\":\"bancrupted\"}\n",
         SCOPE_ALL},
        {CYREXA, "{\"customerStatus\":\"bankrupted\"}",
         "F scope-missing /customerStatus\nC status bancrupted\n= {\"customerStatus\":\"bancrupted\"}\n", NO_STATUS},
        {CYREXA, "{\"customerStatus\":\"blacklisted\"}", "F scope-missing /customerStatus\nC status blacklisted\n",
         NO_STATUS},
        {CYREXA, "{\"customerType\":\"person\"}", "F enum /customerType\nC type person\nC status new\n", 0},
        {CYREXA, "{\"organization\":{\"a\":1}}", "f unnamed-member /organization\nC status new\n", 0},
        {CYREXA, "{\"person\":{\"firstName\":{\"name\":\"A\"},\"lastName\":{\"name\":\"B\",\"order\":\"1\"}}}",
         "F type /person/lastName/order\nC name A B\nC status new\n", 0},
        {CYREXA,
         "{\"person\":{\"documents\":[{\"status\":\"verified\"},{\"status\":\"expired\",\"purpose\":\"PEP&SANCTION\"}]}"
         "}",
         "F scope-missing /person/documents/0/status\nC status new\n", NO_STATUS},
        {CYREXA, "{\"person\":{\"pinCode\":1234}}", "F type /person/pinCode\nC status new\n", 0},
        {CYREXA, "{\"twofa\":{\"codematch\":true}}", "F scope-missing /twofa/codematch\nC status new\n", NO_STATUS},
        {CYREXA, "{\"twofa\":{\"codematch\":true,\"targetCode\":\"1\",\"inputCode\":\"2\"}}",
         "F code-mismatch /twofa/codematch\nS code /twofa/targetCode 1\nS code /twofa/inputCode 2\nC status new\n"
         "= {\"twofa\":{\"codematch\":false}}\n",
         SCOPE_ALL},
        {CYREXA, "{\"person\":{\"telephoneNumbers\":[{\"phoneType\":\"satellite\",\"number\":\"+41446681800\"}]}}",
         "I phone +41446681800\nC status new\n", 0},
        {NEXERA, "{}", "", 0},
        {NEXERA, "{\"customerClaims\":{\"nationality\":\"XKX\",\"countryOfResidence\":\"che\"}}",
         "F enum /customerClaims/countryOfResidence\n", 0},
        {NEXERA, "{\"customerClaims\":{\"givenName\":\"A\",\"familyName\":\"B\"}}", "C name A B\n", 0},
        {NEXERA, "{\"customerClaims\":{\"sub\":null}}", "F type /customerClaims/sub\n", 0},
        {NEXERA, "{\"customerWallet\":{\"wallet\":\"x\",\"blockchainNamespace\":\"Tezos\"}}",
         "F enum /customerWallet/blockchainNamespace\nI wallet x (Tezos)\n", 0},
        {NEXERA, "{\"customerWallet\":{\"verified\":false}}", "", 0},
        {MUSTER,
         "{\"externalId\":\"1\",\"type\":\"person\",\"names\":{\"given\":\"A\",\"family\":\"B\"},"
         "\"email\":\"a@b.example\",\"phones\":[{\"number\":\"+41446681800\",\"kind\":\"mobile\"}],"
         "\"dids\":[{\"did\":\"did:web:example.com\"}],\"extra\":{\"any\":[\"thing\"]}}",
         "I external-id 1\nC type person\nI email a@b.example\nI phone +41446681800\nI did did:web:example.com\n"
         "C name A B\nC status new\n",
         0},
        {MUSTER, "{\"secrets\":{\"password\":\"p\",\"questions\":[{\"question\":\"q\",\"answer\":\"a\"}]}}",
         "S password /secrets/password p\nS answer /secrets/questions/0/answer a (q)\nC status new\n"
         "= {\"secrets\":{\"questions\":[{\"question\":\"q\"}]}}\n",
         0},
        {MUSTER, "{\"secrets\":{\"passwort\":\"p\"}}", "F unnamed-member /secrets/passwort\nC status new\n", 0},
        {MUSTER, "{\"status\":\"verified\"}", "F scope-missing /status\nC status verified\n", NO_STATUS},
        {MUSTER, "{\"verification\":{\"sentCode\":\"1\",\"enteredCode\":\"1\"}}",
         "S code /verification/sentCode 1\nS code /verification/enteredCode 1\nC status new\n"
         "= {\"verification\":{\"matched\":true}}\n",
         0},
        {MUSTER, "{\"addresses\":[{\"position\":{\"latitude\":91,\"longitude\":0}}]}",
         "F range /addresses/0/position/latitude\nC status new\n", 0},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        compile_builtin(&run, rows[i].contract);
        run.options.scopes = rows[i].scopes;
        run_check(&run, rows[i].value);
        const char *told = run_tell(&run);
        if (strcmp(told, rows[i].told) != 0) {
            fail_msg("row %zu: %s gives\n%s", i, rows[i].value, told);
        }
    }
    run_fini(&run);
}

/* The envelope as the splitter leaves it. */
static void envelopes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {NEXERA, "{\"customerType\":\"Individual\",\"customerData\":[],\"cmsProjectId\":\"p\"}", "", 0},
        {NEXERA, "{\"customerType\":\"individual\",\"customerData\":[]}", "F required \nF enum /customerType\n", 0},
        {NEXERA, "{\"customerType\":\"Company\",\"cmsProjectId\":\"p\"}", "F required \n", 0},
        {NEXERA, "{\"customerType\":\"Company\",\"customerData\":{},\"cmsProjectId\":7,\"x\":1}",
         "F type /customerData\nF type /cmsProjectId\nf unnamed-member /x\n", 0},
        {MUSTER, "{\"customers\":[]}", "", 0},
        {MUSTER, "{\"project\":\"\",\"customers\":[]}", "F length /project\n", 0},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        compile_builtin(&run, rows[i].contract);
        run_check(&run, rows[i].value);
        assert_int_equal(contract_check_envelope(run.contract, &run.doc, &run.options, run.arena, &run.result), 0);
        assert_string_equal(run_tell(&run), rows[i].told);
    }
    run_fini(&run);
}

/* The length limits of strings. */
static void limits(void **state)
{
    (void)state;
    static const struct {
        size_t contract;
        const char *before, *after;
        size_t size;
        size_t faults;
    } rows[] = {
        {CYREXA, "{\"customerName\":\"", "\"}", 262144, 0},
        {CYREXA, "{\"customerName\":\"", "\"}", 262145, 1},
        {NEXERA, "{\"customerClaims\":{\"pictureBase64\":\"", "\"}}", 262145, 0},
        {NEXERA, "{\"customerClaims\":{\"picture\":\"", "\"}}", 262145, 1},
    };
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf value;
        buf_init(&value, 0);
        buf_append_text(&value, rows[i].before);
        memset(buf_extend(&value, rows[i].size), 'a', rows[i].size);
        buf_append_text(&value, rows[i].after);
        compile_builtin(&run, rows[i].contract);
        run_check_slice(&run, buf_view(&value));
        assert_int_equal(run.result.fault_total, rows[i].faults);
        buf_fini(&value);
    }
    run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(infos),   cmocka_unit_test(cyrexa_sample), cmocka_unit_test(nexera_sample),
        cmocka_unit_test(members), cmocka_unit_test(envelopes),     cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
