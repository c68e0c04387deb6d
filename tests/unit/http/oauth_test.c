/* The token endpoint: every way to name the client, and the errors of RFC 6749 section 5.2. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "../test.h"

struct client {
    char id[64];
    char secret[128];
};

static void make_client(struct wire *wire, struct client *client)
{
    struct buf id, secret;
    struct auth_rights rights = {.scopes = SCOPE_CUSTOMERS_CREATE | SCOPE_CUSTOMERS_READ};
    buf_init(&id, 0);
    buf_init(&secret, 0);
    assert_int_equal(auth_client_create(wire->fixture.auth, wire->fixture.tenant, SLICE("c"), &rights, &id, &secret),
                     0);
    snprintf(client->id, sizeof client->id, "%.*s", SLICE_ARG(buf_view(&id)));
    snprintf(client->secret, sizeof client->secret, "%.*s", SLICE_ARG(buf_view(&secret)));
    buf_fini(&id);
    buf_fini(&secret);
}

/* Base64 with padding: the test's own, so that the server's decoder is not tested against itself. */
static void encode(const char *text, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i += 3) {
        unsigned bits = (unsigned)(unsigned char)text[i] << 16;
        bits |= i + 1 < size ? (unsigned)(unsigned char)text[i + 1] << 8 : 0;
        bits |= i + 2 < size ? (unsigned)(unsigned char)text[i + 2] : 0;
        *out++ = digits[bits >> 18 & 63];
        *out++ = digits[bits >> 12 & 63];
        *out++ = i + 1 < size ? digits[bits >> 6 & 63] : '=';
        *out++ = i + 2 < size ? digits[bits & 63] : '=';
    }
    *out = '\0';
}

/* "Authorization: Basic …" of id and secret, with the scheme as given. */
static void basic(char *field, size_t size, const char *scheme, const char *id, const char *secret)
{
    char pair[256], encoded[512];
    snprintf(pair, sizeof pair, "%s:%s", id, secret);
    encode(pair, encoded);
    snprintf(field, size, "Authorization: %s %s\r\n", scheme, encoded);
}

/* @I and @S in a form stand for the client's id and secret. */
static void fill(const char *form, const struct client *client, char *out, size_t size)
{
    size_t used = 0;
    for (const char *at = form; *at != '\0' && used < size - 1; at++) {
        if (at[0] == '@' && (at[1] == 'I' || at[1] == 'S')) {
            int put = snprintf(out + used, size - used, "%s", at[1] == 'I' ? client->id : client->secret);
            used += (size_t)put;
            at++;
        } else {
            out[used++] = *at;
        }
    }
    out[used] = '\0';
}

static void forms(void **state)
{
    (void)state;
    enum { NONE, BASIC, LOWER, WRONG, BEARER, GARBAGE };
    static const struct {
        int field;
        const char *form;
        int status;
        const char *text;
    } rows[] = {
        {BASIC, "grant_type=client_credentials", 200, "\"scope\":\"customers:create customers:read\""},
        {LOWER, "grant_type=client_credentials&scope=customers:read", 200, "\"scope\":\"customers:read\""},
        {NONE, "grant_type=client_credentials&client_id=@I&client_secret=@S", 200, "\"token_type\":\"Bearer\""},
        {NONE,
         "client_secret=@S&x=%zz&scope=customers%3Aread+customers%3Acreate&client_id=@I&grant_type=client_credentials",
         200, "\"expires_in\":3600"},
        /* both ways (section 2.3: not more than one) */
        {BASIC, "grant_type=client_credentials&client_id=@I&client_secret=@S", 400, "\"invalid_request\""},
        {BASIC, "grant_type=client_credentials&client_secret=@S", 400, "\"invalid_request\""},
        /* malformed */
        {NONE, "", 400, "\"invalid_request\""},
        {BASIC, "scope=customers:read", 400, "\"invalid_request\""},
        {BASIC, "grant_type=client_credentials&scope=%4", 400, "\"invalid_request\""},
        {BASIC, "grant_type=client_credentials&scope=%gg", 400, "\"invalid_request\""},
        {BASIC, "grant_type=client_credentials&grant_type=client_credentials", 400, "\"invalid_request\""},
        {GARBAGE, "grant_type=client_credentials", 400, "\"invalid_request\""},
        {BEARER, "grant_type=client_credentials", 400, "\"invalid_request\""},
        /* refused */
        {BASIC, "grant_type=password&username=a&password=b", 400, "\"unsupported_grant_type\""},
        {BASIC, "grant_type=CLIENT_CREDENTIALS", 400, "\"unsupported_grant_type\""},
        {BASIC, "grant_type=client_credentials&scope=admin", 400, "\"invalid_scope\""},
        {BASIC, "grant_type=client_credentials&scope=nonsense", 400, "\"invalid_scope\""},
        {WRONG, "grant_type=client_credentials", 401, "\"invalid_client\""},
        {NONE, "grant_type=client_credentials", 401, "\"invalid_client\""},
        {NONE, "grant_type=client_credentials&client_id=@I&client_secret=ms_wrong", 401, "\"invalid_client\""},
        {NONE, "grant_type=client_credentials&client_id=nobody&client_secret=@S", 401, "\"invalid_client\""},
    };
    struct wire wire;
    struct client client;
    wire_init(&wire, false);
    make_client(&wire, &client);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_answer answer;
        char form[1024], field[1024] = "";
        fill(rows[i].form, &client, form, sizeof form);
        switch (rows[i].field) {
        case BASIC:
        case LOWER:
            basic(field, sizeof field, rows[i].field == BASIC ? "Basic" : "basic", client.id, client.secret);
            break;
        case WRONG:
            basic(field, sizeof field, "Basic", client.id, "ms_wrong");
            break;
        case BEARER:
            snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", wire.bearer);
            break;
        case GARBAGE:
            snprintf(field, sizeof field, "Authorization: Basic ???\r\n");
            break;
        default:
            break;
        }
        wire_ask(&wire, "POST /oauth2/token", field, form, &answer);
        wire_expect(&answer, rows[i].form, rows[i].status, rows[i].text);
        assert_true(slice_equal_text(wire_field(&answer, "Cache-Control"), "no-store"));
        /* Section 5.2: a 401 asks for the scheme that the endpoint takes. */
        assert_true(slice_starts(wire_field(&answer, "WWW-Authenticate"), SLICE("Basic")) == (rows[i].status == 401));
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
}

/* The token is one that the server itself takes, within its scopes. */
static void token_is_good(void **state)
{
    (void)state;
    struct wire wire;
    struct client client;
    struct wire_answer answer;
    char field[4096];
    wire_init(&wire, false);
    make_client(&wire, &client);
    basic(field, sizeof field, "Basic", client.id, client.secret);
    wire_ask(&wire, "POST /oauth2/token", field, "grant_type=client_credentials&scope=customers:read", &answer);
    const char *token = strstr(answer.body.data, "\"access_token\":\"") + 16;
    snprintf(field, sizeof field, "Authorization: Bearer %.*s\r\n", (int)strcspn(token, "\""), token);
    wire_answer_fini(&answer);
    wire_ask(&wire, "GET /v1/customers", field, "", &answer);
    wire_expect(&answer, "customers", 200, "{\"customers\":[]}");
    wire_answer_fini(&answer);
    wire_ask(&wire, "GET /v1/imports", field, "", &answer);
    wire_expect(&answer, "imports", 403, "\"scope-missing\"");
    assert_true(slice_equal_text(wire_field(&answer, "WWW-Authenticate"), "Bearer error=\"insufficient_scope\""));
    wire_answer_fini(&answer);
    wire_fini(&wire);
}

static void what_others_need(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text;
    } rows[] = {
        {"GET /.well-known/jwks.json", "\"kty\":\"OKP\""},
        {"GET /.well-known/oauth-authorization-server", "\"token_endpoint\":\"http://127.0.0.1:1/oauth2/token\""}};
    struct wire wire;
    wire_init(&wire, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_answer answer;
        wire_ask(&wire, rows[i].path, "", "", &answer);
        wire_expect(&answer, rows[i].path, 200, rows[i].text);
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(token_is_good),
                                       cmocka_unit_test(what_others_need)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
