/* Ask: what a request wants, and that what is not understood is refused, never passed over as if it were done. */
#include "fixture.h"

#include "../test.h"
#include "intake/intake_priv.h"

static int ask(const struct fixture *fixture, const char *contract, struct intake_headers *headers,
               struct intake_admission *admission)
{
    const char *what = NULL;
    *admission = (struct intake_admission){.contract = fixture_contract(fixture, contract),
                                           .grant = {.tenant = fixture->tenant}};
    if (headers->content_type.data == NULL) {
        headers->content_type = SLICE("application/json");
    }
    return ask_read(headers, admission, &what);
}

static void preferences(void **state)
{
    (void)state;
    static const struct {
        const char *prefer;
        bool partial, strict;
        uint8_t shape;
        const char *applied;
    } rows[] = {
        {NULL, false, false, INTAKE_DOCUMENTED, ""},
        {"handling=lenient", true, false, INTAKE_DOCUMENTED, "handling=lenient"},
        {"Handling=\"lenient\"; x=1", true, false, INTAKE_DOCUMENTED, "handling=lenient"},
        {"handling=strict", false, false, INTAKE_DOCUMENTED, "handling=strict"},
        {"handling=lenient, handling=strict", true, false, INTAKE_DOCUMENTED, "handling=lenient"},
        {"handling=strict, handling=lenient", false, false, INTAKE_DOCUMENTED, "handling=strict"},
        {"validation=strict,return=minimal", false, true, INTAKE_COUNTS, "validation=strict, return=minimal"},
        {"handling=len, xhandling=lenient, wait=5", false, false, INTAKE_DOCUMENTED, ""},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct intake_headers headers = {.prefer = slice_from_text(rows[i].prefer)};
        struct intake_admission admission;
        assert_int_equal(ask(&fixture, "cyrexa", &headers, &admission), 0);
        if (admission.partial != rows[i].partial || admission.strict != rows[i].strict ||
            admission.shape != rows[i].shape || strcmp(admission.applied, rows[i].applied) != 0) {
            fail_msg("row %zu: %s", i, admission.applied);
        }
        intake_admission_fini(&admission);
    }
    fixture_fini(&fixture);
}

static void query(void **state)
{
    (void)state;
    static const struct {
        const char *contract, *type;
        const char *names[3], *values[3];
        int error;
        const char *envelope;
    } rows[] = {
        {"cyrexa", "application/json", {NULL}, {NULL}, 0, ""},
        {"cyrexa", "application/json", {"onExisting"}, {"update"}, 0, ""},
        {"cyrexa", "application/json", {"onExisting"}, {"Update"}, ERR_BAD_PARAMETER, NULL},
        {"cyrexa", "application/json", {"dryRun"}, {"1"}, ERR_BAD_PARAMETER, NULL},
        {"cyrexa", "application/json", {"dryrun"}, {"true"}, ERR_BAD_PARAMETER, NULL},
        {"cyrexa", "application/json", {"map"}, {"a=id"}, ERR_BAD_PARAMETER, NULL},
        {"cyrexa", "text/csv", {"map"}, {"a=id"}, 0, ""},
        {"cyrexa", "text/csv", {"customerType"}, {"Individual"}, ERR_BAD_PARAMETER, NULL},
        {"nexera", "application/json", {"customerType"}, {"Individual"}, ERR_BAD_PARAMETER, NULL},
        {"nexera",
         "application/x-ndjson",
         {"customerType", "dryRun", "cmsProjectId"},
         {"In\"d", "false", "p"},
         0,
         "{\"customerType\":\"In\\\"d\",\"cmsProjectId\":\"p\",\"customerData\":[]}"},
        {"nexera", "text/csv", {"customerData"}, {"x"}, ERR_BAD_PARAMETER, NULL},
        {"muster", "application/x-ndjson", {"project"}, {"p"}, 0, "{\"project\":\"p\",\"customers\":[]}"},
        {"muster", "application/x-ndjson", {NULL}, {NULL}, 0, "{\"customers\":[]}"},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct intake_param params[3];
        struct intake_headers headers = {.content_type = slice_from_text(rows[i].type), .params = params};
        struct intake_admission admission;
        for (size_t j = 0; j < 3 && rows[i].names[j] != NULL; j++) {
            params[j] = (struct intake_param){slice_from_text(rows[i].names[j]), slice_from_text(rows[i].values[j])};
            headers.param_count++;
        }
        int err = ask(&fixture, rows[i].contract, &headers, &admission);
        if (err != rows[i].error || (err == 0 && !slice_equal_text(buf_view(&admission.envelope), rows[i].envelope))) {
            fail_msg("row %zu: %s %.*s", i, err_code(err), SLICE_ARG(buf_view(&admission.envelope)));
        }
        intake_admission_fini(&admission);
    }
    fixture_fini(&fixture);
}

#define LONG_KEY                                                                                                       \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
    "0123456789abcdef0123456789abcde"

static void keys(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int error;
        const char *same; /* means the same key as this */
    } rows[] = {{"k", 0, "k"},
                {"\"k\"", 0, "k"},
                {" \"k\"\t", 0, "k"},
                {"\"k\\\\\\\"\"", 0, "\"k\\\\\\\"\""},
                {"a b", 0, "\"a b\""},
                {LONG_KEY, 0, "\"" LONG_KEY "\""},
                {LONG_KEY "f", ERR_BAD_PARAMETER, NULL},
                {"", ERR_BAD_PARAMETER, NULL},
                {"\"\"", ERR_BAD_PARAMETER, NULL},
                {"\"", ERR_BAD_PARAMETER, NULL},
                {"\"k", ERR_BAD_PARAMETER, NULL},
                {"k\"l", ERR_BAD_PARAMETER, NULL},
                {"\"k\\", ERR_BAD_PARAMETER, NULL},
                {"k\x01", ERR_BAD_PARAMETER, NULL},
                {"\xC3\xA4", ERR_BAD_PARAMETER, NULL}};
    struct fixture fixture;
    uint8_t mac[CRYPTO_MAC_BYTES], other[CRYPTO_MAC_BYTES];
    fixture_init(&fixture, false);
    const struct contract *cyrexa = fixture_contract(&fixture, "cyrexa");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct intake_headers headers = {.idempotency_key = slice_from_text(rows[i].key)};
        struct intake_admission admission;
        int err = ask(&fixture, "cyrexa", &headers, &admission);
        if (err != rows[i].error) {
            fail_msg("row %zu: %s", i, err_code(err));
        }
        if (err == 0) {
            assert_true(admission.keyed);
            assert_int_equal(intake_key_mac(cyrexa, fixture.tenant, slice_from_text(rows[i].same), mac), 0);
            assert_memory_equal(mac, admission.key_mac, sizeof mac);
            assert_int_equal(intake_key_mac(fixture_contract(&fixture, "nexera"), fixture.tenant,
                                            slice_from_text(rows[i].same), other),
                             0);
            assert_memory_not_equal(mac, other, sizeof mac);
        }
        intake_admission_fini(&admission);
    }
    fixture_fini(&fixture);
}

/* What a retry must repeat: anything that changes what is kept; not how the answer looks, nor how the body is packed.
 */
static void terms(void **state)
{
    (void)state;
    static const struct {
        const char *type, *prefer, *encoding, *accept, *name, *value;
        bool same;
    } rows[] = {
        {"text/csv", NULL, NULL, NULL, NULL, NULL, true},
        {"text/csv", NULL, "gzip", NULL, NULL, NULL, true},
        {"text/csv", NULL, NULL, "application/x-ndjson", NULL, NULL, true},
        {"text/csv", "return=minimal", NULL, NULL, NULL, NULL, true},
        {"text/csv", NULL, NULL, NULL, "onExisting", "same", true},
        {"text/csv", NULL, NULL, NULL, "onExisting", "skip", false},
        {"text/csv", NULL, NULL, NULL, "dryRun", "true", false},
        {"text/csv", NULL, NULL, NULL, "map", "a=id", false},
        {"text/csv", NULL, NULL, NULL, "customerType", "Company", false},
        {"text/csv", "handling=lenient", NULL, NULL, NULL, NULL, false},
        {"text/csv", "validation=strict", NULL, NULL, NULL, NULL, false},
        {"application/x-ndjson", NULL, NULL, NULL, NULL, NULL, false},
    };
    struct fixture fixture;
    uint8_t first[CRYPTO_MAC_BYTES] = {0};
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct intake_param param = {slice_from_text(rows[i].name), slice_from_text(rows[i].value)};
        struct intake_headers headers = {.content_type = slice_from_text(rows[i].type),
                                         .prefer = slice_from_text(rows[i].prefer),
                                         .content_encoding = slice_from_text(rows[i].encoding),
                                         .accept = slice_from_text(rows[i].accept),
                                         .idempotency_key = SLICE("k"),
                                         .params = &param,
                                         .param_count = rows[i].name != NULL};
        struct intake_admission admission;
        assert_int_equal(ask(&fixture, "nexera", &headers, &admission), 0);
        if (i == 0) {
            memcpy(first, admission.terms_mac, sizeof first);
        }
        if ((memcmp(first, admission.terms_mac, sizeof first) == 0) != rows[i].same) {
            fail_msg("row %zu", i);
        }
        intake_admission_fini(&admission);
    }
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(preferences), cmocka_unit_test(query), cmocka_unit_test(keys),
                                       cmocka_unit_test(terms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
