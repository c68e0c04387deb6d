/* Admit: every header's part in the decision, and the order in which a stranger is told. */
#include "fixture.h"

#include <stdio.h>

#include "../test.h"
#include "base/clock.h"

struct keys {
    char bearer[256];  /* may create */
    char reader[256];  /* may only read */
    char token[128];   /* tenant token */
    char foreign[128]; /* another tenant's token */
};

static void make_key(struct fixture *fixture, const struct auth_tenant *tenant, enum auth_key_kind kind,
                     uint32_t scopes, const char *prefix, char *out, size_t size)
{
    struct buf id, key;
    struct auth_rights rights = {.scopes = scopes};
    buf_init(&id, 0);
    buf_init(&key, 0);
    assert_int_equal(auth_key_create(fixture->auth, tenant, kind, SLICE("k"), &rights, &id, &key), 0);
    snprintf(out, size, "%s%.*s", prefix, SLICE_ARG(buf_view(&key)));
    buf_fini(&id);
    buf_fini(&key);
}

static void make_keys(struct fixture *fixture, struct keys *keys)
{
    const struct auth_tenant *other;
    assert_int_equal(auth_tenant_create(fixture->auth, SLICE("other"), false, false), 0);
    assert_int_equal(auth_tenant_get(fixture->auth, SLICE("other"), &other), 0);
    make_key(fixture, fixture->tenant, AUTH_API_KEY, SCOPE_CUSTOMERS_CREATE, "Bearer ", keys->bearer,
             sizeof keys->bearer);
    make_key(fixture, fixture->tenant, AUTH_API_KEY, SCOPE_CUSTOMERS_READ, "bearer ", keys->reader,
             sizeof keys->reader);
    make_key(fixture, fixture->tenant, AUTH_TENANT_TOKEN, 0, "", keys->token, sizeof keys->token);
    make_key(fixture, other, AUTH_TENANT_TOKEN, 0, "", keys->foreign, sizeof keys->foreign);
}

static void every_header(void **state)
{
    (void)state;
    struct fixture fixture;
    struct keys keys;
    fixture_init(&fixture, false);
    make_keys(&fixture, &keys);
    const struct {
        const char *contract, *authorization, *tenant, *token, *type, *encoding, *accept;
        int error;
    } rows[] = {
        {"cyrexa", keys.bearer, "acme", keys.token, "application/json", NULL, NULL, 0},
        {"cyrexa", keys.bearer, "acme", keys.token, "Application/JSON; charset=utf-8", "identity",
         "text/html, */*;q=0.1", 0},
        {"cyrexa", NULL, "acme", keys.token, "application/json", NULL, NULL, ERR_TOKEN_MISSING},
        {"cyrexa", "", "acme", keys.token, "application/json", NULL, NULL, ERR_TOKEN_MISSING},
        {"cyrexa", "Basic abc", "acme", keys.token, "application/json", NULL, NULL, ERR_TOKEN_INVALID},
        {"cyrexa", "Bearer mk_nonsense", "acme", keys.token, "application/json", NULL, NULL, ERR_TOKEN_INVALID},
        {"cyrexa", "Bearer mk_nonsense", "other", NULL, "text/html", NULL, NULL, ERR_TOKEN_INVALID},
        {"cyrexa", keys.bearer, "other", keys.token, "application/json", NULL, NULL, ERR_TENANT_MISMATCH},
        {"cyrexa", keys.bearer, NULL, keys.token, "application/json", NULL, NULL, ERR_BAD_PARAMETER},
        {"cyrexa", keys.bearer, "acme", NULL, "application/json", NULL, NULL, ERR_TOKEN_MISSING},
        {"cyrexa", keys.bearer, "acme", "mt_x", "application/json", NULL, NULL, ERR_TOKEN_INVALID},
        {"cyrexa", keys.bearer, "acme", keys.foreign, "application/json", NULL, NULL, ERR_TENANT_MISMATCH},
        {"cyrexa", keys.reader, "acme", keys.token, "application/json", NULL, NULL, ERR_SCOPE_MISSING},
        {"nexera", keys.bearer, NULL, NULL, "application/json", NULL, "application/json", 0},
        {"nexera", keys.bearer, "other", NULL, "application/json", NULL, NULL, ERR_TENANT_MISMATCH},
        {"nexera", keys.bearer, NULL, NULL, "text/csv", "gzip", "application/x-ndjson", 0},
        {"nexera", keys.bearer, NULL, NULL, "text/csv; charset=\"UTF-8\"", "zstd", NULL, 0},
        {"nexera", keys.bearer, NULL, NULL, "text/csv;charset=latin1", NULL, NULL, ERR_MEDIA_TYPE},
        {"nexera", keys.bearer, NULL, NULL, "application/x-ndjson", "x-gzip", NULL, 0},
        {"nexera", keys.bearer, NULL, NULL, "text/plain", NULL, NULL, ERR_MEDIA_TYPE},
        {"nexera", keys.bearer, NULL, NULL, NULL, NULL, NULL, ERR_MEDIA_TYPE},
        {"nexera", keys.bearer, NULL, NULL, "application/jsonx", NULL, NULL, ERR_MEDIA_TYPE},
        {"nexera", keys.bearer, NULL, NULL, "application/json", "br", NULL, ERR_MEDIA_TYPE},
        {"nexera", keys.bearer, NULL, NULL, "application/json", NULL, "text/html", ERR_NOT_ACCEPTABLE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct intake_headers headers = {.authorization = slice_from_text(rows[i].authorization),
                                         .tenant = slice_from_text(rows[i].tenant),
                                         .token = slice_from_text(rows[i].token),
                                         .content_type = slice_from_text(rows[i].type),
                                         .content_encoding = slice_from_text(rows[i].encoding),
                                         .accept = slice_from_text(rows[i].accept)};
        struct intake_admission admission;
        const char *what;
        int err = intake_admit(fixture.auth, fixture_contract(&fixture, rows[i].contract), &headers, clock_real_ms(),
                               &admission, &what);
        if (err != rows[i].error) {
            fail_msg("row %zu: %s, expected %s", i, err_code(err), err_code(rows[i].error));
        }
        intake_admission_fini(&admission);
    }
    fixture_fini(&fixture);
}

static void preference(void **state)
{
    (void)state;
    static const struct {
        const char *prefer;
        bool strict;
    } rows[] = {{NULL, false},
                {"validation=strict", true},
                {"handling=lenient, validation=strict", true},
                {"respond-async,Validation=\"strict\"; x=1", true},
                {"validation=lenient", false},
                {"xvalidation=strict", false}};
    struct fixture fixture;
    struct keys keys;
    fixture_init(&fixture, false);
    make_keys(&fixture, &keys);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct intake_headers headers = {.authorization = slice_from_text(keys.bearer),
                                         .content_type = SLICE("application/json"),
                                         .prefer = slice_from_text(rows[i].prefer)};
        struct intake_admission admission;
        const char *what;
        assert_int_equal(intake_admit(fixture.auth, fixture_contract(&fixture, "nexera"), &headers, clock_real_ms(),
                                      &admission, &what),
                         0);
        assert_int_equal(admission.strict, rows[i].strict);
        assert_int_equal(admission.applied[0] != '\0', rows[i].strict);
        intake_admission_fini(&admission);
    }
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_header), cmocka_unit_test(preference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
