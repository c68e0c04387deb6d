/* The authorization server: what it issues to whom, and what it says of itself. */
#include "house.h"

#include "auth/jwt_priv.h"
#include "json/json.h"

static void issue_judges_id_secret_and_scope(void **state)
{
    static const struct {
        const char *id;     /* NULL: the client's */
        const char *secret; /* NULL: the client's */
        const char *scope;
        int err;
        uint32_t granted;
    } rows[] = {
        {NULL, NULL, "", 0, SCOPE_CUSTOMERS_CREATE | SCOPE_CUSTOMERS_READ},
        {NULL, NULL, "customers:read", 0, SCOPE_CUSTOMERS_READ},
        {NULL, NULL, "customers:read customers:create", 0, SCOPE_CUSTOMERS_CREATE | SCOPE_CUSTOMERS_READ},
        {NULL, NULL, "customers:read admin", ERR_SCOPE_MISSING, 0},
        {NULL, NULL, "customers:fly", ERR_SCOPE_MISSING, 0},
        {NULL, "", "", ERR_TOKEN_INVALID, 0},
        {NULL, "ms_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "", ERR_TOKEN_INVALID, 0},
        {NULL, "ms_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "admin", ERR_TOKEN_INVALID, 0},
        {"client-000000000000000000000000", NULL, "", ERR_TOKEN_INVALID, 0},
        {"client-", NULL, "", ERR_TOKEN_INVALID, 0},
        {"", NULL, "", ERR_TOKEN_INVALID, 0},
        {"../key/x", NULL, "", ERR_TOKEN_INVALID, 0},
    };
    struct house house;
    struct buf token;
    (void)state;
    house_open(&house);
    buf_init(&token, 0);
    struct house_pair client =
        house_client(&house, house_tenant(&house, "demo"), SCOPE_CUSTOMERS_CREATE | SCOPE_CUSTOMERS_READ, "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t granted = 0;
        struct slice id = rows[i].id == NULL ? buf_view(&client.id) : slice_from_text(rows[i].id);
        struct slice secret = rows[i].secret == NULL ? buf_view(&client.secret) : slice_from_text(rows[i].secret);
        buf_clear(&token);
        int err = auth_issue(house.auth, id, secret, slice_from_text(rows[i].scope), HOUSE_NOW_MS, &token, &granted);
        if (err != rows[i].err || granted != rows[i].granted || (err == 0) != (token.size > 0)) {
            fail_msg("row %zu gave %d, %u", i, err, granted);
        }
    }
    buf_fini(&token);
    house_pair_fini(&client);
    house_close(&house);
}

/* Parses `text` (padded) and hands out the document; the parser must be freed after use. */
static struct json_parser *parse(struct buf *text, struct json_doc *doc)
{
    struct json_error error;
    struct json_parser *parser = json_parser_new(text->size);
    assert_non_null(parser);
    assert_int_equal(buf_reserve(text, JSON_PADDING), 0);
    assert_int_equal(json_parse(parser, buf_view(text), &JSON_LIMITS_DEFAULT, doc, &error), 0);
    return parser;
}

static struct slice string_at(const struct json_doc *doc, const char *pointer)
{
    json_at at = json_at_pointer(doc, json_root(doc), slice_from_text(pointer));
    if (at == 0 || json_type(doc, at) != JSON_STRING) {
        return SLICE_NONE;
    }
    return json_string(doc, at);
}

/* RFC 9068 section 2.2, member by member; no two tokens have one jti. */
static void tokens_carry_the_claims(void **state)
{
    static const struct {
        const char *pointer;
        const char *expected;
    } rows[] = {
        {"/iss", "https://muster.example"},
        {"/aud", "https://muster.example"},
        {"/scope", "customers:read"},
        {"/tenant", "demo"},
        {"/project", "p"},
    };
    struct house house;
    struct json_doc doc;
    struct buf payload;
    struct auth_signer *signer;
    (void)state;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    assert_int_equal(auth_project_create(house.auth, demo, SLICE("p")), 0);
    struct house_pair client = house_client(&house, demo, SCOPE_CUSTOMERS_READ, "p");
    struct buf token = house_token(&house, &client);
    struct buf second = house_token(&house, &client);
    assert_false(slice_equal(buf_view(&token), buf_view(&second)));
    assert_int_equal(auth_signer_new(house.ring, &signer), 0);
    buf_init(&payload, 0);
    assert_int_equal(auth_jwt_open(signer, buf_view(&token), &payload), 0);
    struct json_parser *parser = parse(&payload, &doc);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(slice_equal_text(string_at(&doc, rows[i].pointer), rows[i].expected));
    }
    assert_true(slice_equal(string_at(&doc, "/sub"), buf_view(&client.id)));
    assert_true(slice_equal(string_at(&doc, "/client_id"), buf_view(&client.id)));
    assert_int_equal(json_int(&doc, json_member(&doc, json_root(&doc), SLICE("iat"))), HOUSE_NOW_MS / 1000);
    assert_int_equal(json_int(&doc, json_member(&doc, json_root(&doc), SLICE("exp"))), HOUSE_NOW_MS / 1000 + 3600);
    assert_int_equal(string_at(&doc, "/jti").size, UUID_TEXT_BYTES);
    json_parser_free(&parser);
    auth_signer_free(&signer);
    buf_fini(&payload);
    buf_fini(&token);
    buf_fini(&second);
    house_pair_fini(&client);
    house_close(&house);
}

static void key_set_has_the_public_key_only(void **state)
{
    static const struct {
        const char *pointer;
        const char *expected;
    } rows[] = {
        {"/keys/0/kty", "OKP"},
        {"/keys/0/crv", "Ed25519"},
        {"/keys/0/alg", "EdDSA"},
        {"/keys/0/use", "sig"},
    };
    struct house house;
    struct json_doc doc;
    struct buf json;
    (void)state;
    house_open(&house);
    buf_init(&json, 0);
    assert_int_equal(auth_jwks(house.auth, &json), 0);
    struct json_parser *parser = parse(&json, &doc);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(slice_equal_text(string_at(&doc, rows[i].pointer), rows[i].expected));
    }
    assert_int_equal(string_at(&doc, "/keys/0/x").size, 43);
    assert_int_equal(string_at(&doc, "/keys/0/kid").size, 43);
    assert_int_equal(json_count(&doc, json_at_pointer(&doc, json_root(&doc), SLICE("/keys/0"))), 6);
    json_parser_free(&parser);
    buf_fini(&json);
    house_close(&house);
}

static void metadata_names_the_endpoints(void **state)
{
    static const struct {
        const char *pointer;
        const char *expected;
    } rows[] = {
        {"/issuer", "https://muster.example"},
        {"/token_endpoint", "https://muster.example/oauth2/token"},
        {"/jwks_uri", "https://muster.example/.well-known/jwks.json"},
        {"/grant_types_supported/0", "client_credentials"},
        {"/token_endpoint_auth_methods_supported/0", "client_secret_basic"},
        {"/token_endpoint_auth_methods_supported/1", "client_secret_post"},
        {"/scopes_supported/0", "customers:create"},
        {"/scopes_supported/8", "admin"},
    };
    struct house house;
    struct json_doc doc;
    struct buf json;
    (void)state;
    house_open(&house);
    buf_init(&json, 0);
    assert_int_equal(auth_metadata(house.auth, &json), 0);
    struct json_parser *parser = parse(&json, &doc);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(slice_equal_text(string_at(&doc, rows[i].pointer), rows[i].expected));
    }
    json_at types = json_member(&doc, json_root(&doc), SLICE("response_types_supported"));
    assert_true(types != 0 && json_count(&doc, types) == 0);
    json_parser_free(&parser);
    buf_fini(&json);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issue_judges_id_secret_and_scope),
        cmocka_unit_test(tokens_carry_the_claims),
        cmocka_unit_test(key_set_has_the_public_key_only),
        cmocka_unit_test(metadata_names_the_endpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
