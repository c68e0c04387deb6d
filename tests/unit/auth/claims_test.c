/* The claims of an access token: their text, and what a wrong one is told. The signature is jwt_test.c's. */
#include "house.h"

#include <stdio.h>

#include "auth/auth_priv.h"

#define GOOD                                                                                                           \
    "{\"iss\":\"https://muster.example\",\"aud\":\"https://muster.example\",\"sub\":\"client-00ff\","                  \
    "\"client_id\":\"client-00ff\",\"iat\":1722988800,\"exp\":1722992400,"                                             \
    "\"jti\":\"01912345-6789-7abc-8def-0123456789ab\",\"scope\":\"customers:read\",\"tenant\":\"demo\"}"

static const struct auth_claims CLAIMS = {
    .client = "client-00ff",
    .tenant = "demo",
    .scopes = SCOPE_CUSTOMERS_READ,
    .token_id = {{0x01, 0x91, 0x23, 0x45, 0x67, 0x89, 0x7a, 0xbc, 0x8d, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab}},
    .issued_s = HOUSE_NOW_MS / 1000,
    .expires_s = HOUSE_NOW_MS / 1000 + AUTH_TOKEN_SECONDS,
};

static int read_text(const char *text, int64_t now_ms, struct auth_claims *claims)
{
    struct buf payload;
    buf_init(&payload, 0);
    buf_append_text(&payload, text);
    int err = auth_claims_read(&payload, HOUSE_ISSUER, now_ms, claims);
    buf_fini(&payload);
    return err;
}

static void claims_are_judged(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        int err;
    } rows[] = {
        {"{", "{", 0},
        {"\"iss\":\"https://muster.example\"", "\"iss\":\"https://evil.example\"", ERR_TOKEN_INVALID},
        {"\"iss\":\"https://muster.example\",", "", ERR_TOKEN_INVALID},
        {"\"iss\":\"https://muster.example\"", "\"iss\":\"https://muster.example/\"", ERR_TOKEN_INVALID},
        {"\"aud\":\"https://muster.example\"", "\"aud\":\"https://other.example\"", ERR_TOKEN_INVALID},
        {"\"aud\":\"https://muster.example\",", "", ERR_TOKEN_INVALID},
        {"\"aud\":\"https://muster.example\"", "\"aud\":7", ERR_TOKEN_INVALID},
        {"\"sub\":\"client-", "\"sub\":\"client-0", ERR_TOKEN_INVALID},
        {"\"client_id\":\"client-", "\"client_id\":\"client-0", ERR_TOKEN_INVALID},
        {",\"tenant\":\"demo\"", "", ERR_TOKEN_INVALID},
        {"\"tenant\":\"demo\"", "\"tenant\":\"demo\\u0000\"", ERR_TOKEN_INVALID},
        {"\"scope\":\"customers:read\"", "\"scope\":\"customers:write\"", ERR_TOKEN_INVALID},
        {"\"scope\":\"customers:read\",", "", ERR_TOKEN_INVALID},
        {"\"jti\":\"0", "\"jti\":\"x", ERR_TOKEN_INVALID},
        {"\"iat\":1722988800", "\"iat\":1722988830", 0},
        {"\"iat\":1722988800", "\"iat\":1722988831", ERR_TOKEN_INVALID},
        {"\"iat\":1722988800", "\"iat\":\"1722988800\"", ERR_TOKEN_INVALID},
        {"\"iat\":1722988800", "\"iat\":-1", ERR_TOKEN_INVALID},
        {"\"iat\":1722988800,", "", ERR_TOKEN_INVALID},
        {"\"iat\":", "\"nbf\":1722988830,\"iat\":", 0},
        {"\"iat\":", "\"nbf\":1722988831,\"iat\":", ERR_TOKEN_INVALID},
        {"\"iat\":", "\"nbf\":null,\"iat\":", ERR_TOKEN_INVALID},
        {"\"exp\":1722992400", "\"exp\":1722988801", 0},
        {"\"exp\":1722992400", "\"exp\":1722988800", ERR_TOKEN_EXPIRED},
        {"\"exp\":1722992400", "\"exp\":0", ERR_TOKEN_EXPIRED},
        {"\"exp\":1722992400", "\"exp\":9223372036854775807", ERR_TOKEN_INVALID},
        {"\"exp\":1722992400", "\"exp\":18446744073709551615", ERR_TOKEN_INVALID},
        {"\"exp\":1722992400", "\"exp\":1e99", ERR_TOKEN_INVALID},
        {"\"exp\":1722992400,", "", ERR_TOKEN_INVALID},
        {"\"tenant\":\"demo\"", "\"tenant\":\"demo\",\"tenant\":\"demo\"", ERR_TOKEN_INVALID},
        {"}", "} x", ERR_TOKEN_INVALID},
        {"}", "", ERR_TOKEN_INVALID},
        {"\"aud\":\"https://muster.example\"", "\"aud\":[\"https://muster.example\"]", ERR_TOKEN_INVALID},
        {"\"tenant\":\"demo\"", "\"tenant\":\"demo\",\"project\":\"\"", 0},
        {"\"tenant\":\"demo\"", "\"tenant\":\"demo\",\"project\":null", ERR_TOKEN_INVALID},
        {"\"tenant\":\"demo\"", "\"tenant\":\"01234567890123456789012345678901234567890123456789012345678901234\"",
         ERR_TOKEN_INVALID},
        {"\"scope\":\"customers:read\"", "\"scope\":\"\"", 0},
        {"\"tenant\":\"demo\"", "\"tenant\":\"demo\",\"later\":{}", 0}, /* what is not known is ignored */
        {GOOD, "[]", ERR_TOKEN_INVALID},
        {GOOD, "{}", ERR_TOKEN_INVALID},
        {GOOD, "7", ERR_TOKEN_INVALID},
        {GOOD, "", ERR_TOKEN_INVALID},
        /* expired and wrong is wrong: asking again would not help */
        {"\"exp\":1722992400", "\"exp\":0,\"nbf\":1722988831", ERR_TOKEN_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct auth_claims claims;
        char payload[2048];
        const char *at = strstr(GOOD, rows[i].from);
        assert_non_null(at);
        snprintf(payload, sizeof payload, "%.*s%s%s", (int)(at - GOOD), GOOD, rows[i].to, at + strlen(rows[i].from));
        int err = read_text(payload, HOUSE_NOW_MS, &claims);
        if (err != rows[i].err) {
            fail_msg("row %zu: %s gave %d", i, rows[i].to, err);
        }
    }
}

/* Milliseconds around the ends of a token's time. */
static void times(void **state)
{
    static const struct {
        int64_t later_ms; /* after it was issued */
        int err;
    } rows[] = {
        {-30001, ERR_TOKEN_INVALID},
        {-30000, 0},
        {0, 0},
        {1000 * AUTH_TOKEN_SECONDS - 1, 0},
        {1000 * AUTH_TOKEN_SECONDS, ERR_TOKEN_EXPIRED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct auth_claims claims;
        assert_int_equal(read_text(GOOD, HOUSE_NOW_MS + rows[i].later_ms, &claims), rows[i].err);
    }
}

/* What is written is that text, and reads as what it was. */
static void there_and_back(void **state)
{
    static const struct {
        const char *project;
        uint32_t scopes;
        const char *from, *to; /* how the text differs from GOOD */
    } rows[] = {
        {"", SCOPE_CUSTOMERS_READ, "", ""},
        {"", 0, "customers:read", ""},
        {"", SCOPE_CUSTOMERS_CREATE | SCOPE_CUSTOMERS_READ, "customers:read", "customers:create customers:read"},
        {"say \"p\"", SCOPE_CUSTOMERS_READ, "\"demo\"", "\"demo\",\"project\":\"say \\\"p\\\"\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct auth_claims claims = CLAIMS;
        struct auth_claims read;
        struct buf json;
        char expected[2048];
        const char *at = strstr(GOOD, rows[i].from);
        assert_non_null(at);
        snprintf(expected, sizeof expected, "%.*s%s%s", (int)(at - GOOD), GOOD, rows[i].to, at + strlen(rows[i].from));
        claims.scopes = rows[i].scopes;
        auth_text_copy(claims.project, sizeof claims.project, slice_from_text(rows[i].project));
        buf_init(&json, 0);
        auth_claims_write(&claims, HOUSE_ISSUER, &json);
        assert_true(slice_equal_text(buf_view(&json), expected));
        assert_int_equal(auth_claims_read(&json, HOUSE_ISSUER, HOUSE_NOW_MS, &read), 0);
        assert_string_equal(read.client, claims.client);
        assert_string_equal(read.tenant, claims.tenant);
        assert_string_equal(read.project, claims.project);
        assert_int_equal(read.scopes, claims.scopes);
        assert_true(uuid_equal(&read.token_id, &claims.token_id));
        assert_int_equal(read.issued_s, claims.issued_s);
        assert_int_equal(read.expires_s, claims.expires_s);
        buf_fini(&json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_judged),
        cmocka_unit_test(times),
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
