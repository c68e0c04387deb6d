/*
 * Everything that looks like an access token and is not one. Tokens are forged here with the server's
 * own key where that is what it takes to reach a check, and with others where it is not.
 */
#include "house.h"

#include <rhonabwy.h>
#include <stdio.h>

#include "auth/jwt_priv.h"
#include "base/text.h"
#include "crypto/sign.h"

#define NOW_S (HOUSE_NOW_MS / 1000)

/* The house's key pair, as a forger who had it would hold it. */
struct forge {
    char key_id[64];
    char private_jwk[256];
    uint8_t public_key[32];
};

static void forge_init(struct forge *forge, const struct crypto_ring *ring)
{
    uint8_t seed[32];
    struct buf x;
    struct buf d;
    jwk_t *key = NULL;
    crypto_ring_signing_seed(ring, seed);
    crypto_sign_public(seed, forge->public_key);
    buf_init(&x, 0);
    buf_init(&d, 0);
    text_append_base64url(&x, slice_make(forge->public_key, 32));
    text_append_base64url(&d, slice_make(seed, 32));
    snprintf(forge->private_jwk, sizeof forge->private_jwk,
             "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"%.*s\",\"x\":\"%.*s\"}", SLICE_ARG(buf_view(&d)),
             SLICE_ARG(buf_view(&x)));
    assert_int_equal(r_jwk_init(&key), RHN_OK);
    assert_int_equal(r_jwk_import_from_json_str(key, forge->private_jwk), RHN_OK);
    char *thumbprint = r_jwk_thumbprint(key, R_JWK_THUMB_SHA256, 0);
    snprintf(forge->key_id, sizeof forge->key_id, "%s", thumbprint);
    r_free(thumbprint);
    r_jwk_free(key);
    buf_fini(&x);
    buf_fini(&d);
}

/* A token with that header, signed with `key` by `alg`. */
static void forge_sign(const char *header, const char *payload, jwa_alg alg, jwk_t *key, struct buf *token)
{
    jws_t *jws = NULL;
    assert_int_equal(r_jws_init(&jws), RHN_OK);
    assert_int_equal(r_jws_set_full_header_json_str(jws, header), RHN_OK);
    assert_int_equal(r_jws_set_alg(jws, alg), RHN_OK);
    assert_int_equal(r_jws_set_payload(jws, (const unsigned char *)payload, strlen(payload)), RHN_OK);
    char *text = r_jws_serialize(jws, key, 0);
    assert_non_null(text);
    buf_append_text(token, text);
    r_free(text);
    r_jws_free(jws);
}

static void forge_eddsa(const struct forge *forge, const char *header, const char *payload, struct buf *token)
{
    jwk_t *key = NULL;
    assert_int_equal(r_jwk_init(&key), RHN_OK);
    assert_int_equal(r_jwk_import_from_json_str(key, forge->private_jwk), RHN_OK);
    forge_sign(header, payload, R_JWA_ALG_EDDSA, key, token);
    r_jwk_free(key);
}

static void forge_hmac(struct slice secret, const char *header, const char *payload, struct buf *token)
{
    jwk_t *key = NULL;
    assert_int_equal(r_jwk_init(&key), RHN_OK);
    assert_int_equal(r_jwk_import_from_symmetric_key(key, (const unsigned char *)secret.data, secret.size), RHN_OK);
    forge_sign(header, payload, R_JWA_ALG_HS256, key, token);
    r_jwk_free(key);
}

static void forge_plain(const char *header, const char *payload, const char *signature, struct buf *token)
{
    text_append_base64url(token, slice_from_text(header));
    buf_append_text(token, ".");
    text_append_base64url(token, slice_from_text(payload));
    buf_append_text(token, ".");
    buf_append_text(token, signature);
}

/* The stage of the forgeries: a tenant with a client, and the claims of a good token for it. */
struct stage {
    struct house house;
    struct forge forge;
    struct house_pair client;
    struct house_pair others; /* client of another tenant */
    char payload[1024];
};

static void stage_open(struct stage *stage)
{
    house_open(&stage->house);
    forge_init(&stage->forge, stage->house.ring);
    stage->client = house_client(&stage->house, house_tenant(&stage->house, "demo"), SCOPE_CUSTOMERS_READ, "");
    stage->others = house_client(&stage->house, house_tenant(&stage->house, "other"), SCOPE_ALL, "");
    const char *id = stage->client.id.data;
    int size = (int)stage->client.id.size;
    snprintf(stage->payload, sizeof stage->payload,
             "{\"iss\":\"https://muster.example\",\"aud\":\"https://"
             "muster.example\",\"sub\":\"%.*s\",\"client_id\":\"%.*s\","
             "\"iat\":%lld,\"exp\":%lld,\"jti\":\"01912345-6789-7abc-8def-0123456789ab\",\"scope\":\"customers:read\","
             "\"tenant\":\"demo\"}",
             size, id, size, id, (long long)NOW_S, (long long)NOW_S + 3600);
}

static void stage_close(struct stage *stage)
{
    house_pair_fini(&stage->client);
    house_pair_fini(&stage->others);
    house_close(&stage->house);
}

static int check(struct stage *stage, struct buf *token)
{
    int err = house_check(&stage->house, token, 0);
    buf_clear(token);
    return err;
}

/* ---- headers ---- */

/* %s is the key's id. */
static void headers_are_judged(void **state)
{
    static const struct {
        const char *header;
        int err;
    } rows[] = {
        {"{\"typ\":\"at+jwt\",\"kid\":\"%s\"}", 0},
        {"{\"typ\":\"JWT\",\"kid\":\"%s\"}", ERR_TOKEN_INVALID},
        {"{\"typ\":\"at+jwt \",\"kid\":\"%s\"}", ERR_TOKEN_INVALID},
        {"{\"typ\":7,\"kid\":\"%s\"}", ERR_TOKEN_INVALID},
        {"{\"kid\":\"%s\"}", ERR_TOKEN_INVALID},
        {"{\"typ\":\"at+jwt\"}", ERR_TOKEN_INVALID},
        {"{\"typ\":\"at+jwt\",\"kid\":\"x%s\"}", ERR_TOKEN_INVALID},
        {"{\"typ\":\"at+jwt\",\"kid\":\"\"}", ERR_TOKEN_INVALID},
        {"{\"typ\":\"at+jwt\",\"kid\":\"%s\",\"crit\":[\"exp\"]}", ERR_TOKEN_INVALID},
        {"{\"typ\":\"at+jwt\",\"kid\":\"%s\",\"crit\":[]}", ERR_TOKEN_INVALID},
    };
    struct stage stage;
    struct buf token;
    (void)state;
    stage_open(&stage);
    buf_init(&token, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char header[256];
        const char *mark = strstr(rows[i].header, "%s");
        int before = mark == NULL ? (int)strlen(rows[i].header) : (int)(mark - rows[i].header);
        snprintf(header, sizeof header, "%.*s%s%s", before, rows[i].header, mark == NULL ? "" : stage.forge.key_id,
                 mark == NULL ? "" : mark + 2);
        forge_eddsa(&stage.forge, header, stage.payload, &token);
        int err = check(&stage, &token);
        if (err != rows[i].err) {
            fail_msg("row %zu: %s gave %d", i, header, err);
        }
    }
    buf_fini(&token);
    stage_close(&stage);
}

static void other_algorithms_are_refused(void **state)
{
    static const char *const nones[] = {"none", "None", "NONE", "nOnE", "", "HS256", "EdDSA"};
    struct stage stage;
    struct buf token;
    char header[256];
    (void)state;
    stage_open(&stage);
    buf_init(&token, 0);
    for (size_t i = 0; i < sizeof nones / sizeof nones[0]; i++) {
        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", nones[i],
                 stage.forge.key_id);
        forge_plain(header, stage.payload, "", &token);
        assert_int_equal(check(&stage, &token), ERR_TOKEN_INVALID);
        forge_plain(header, stage.payload, "AAAA", &token);
        assert_int_equal(check(&stage, &token), ERR_TOKEN_INVALID);
    }
    /* The public key taken for an HMAC secret: as bytes, and as the text that the key set shows. */
    struct buf x;
    buf_init(&x, 0);
    text_append_base64url(&x, slice_make(stage.forge.public_key, 32));
    snprintf(header, sizeof header, "{\"typ\":\"at+jwt\",\"kid\":\"%s\"}", stage.forge.key_id);
    forge_hmac(slice_make(stage.forge.public_key, 32), header, stage.payload, &token);
    assert_int_equal(check(&stage, &token), ERR_TOKEN_INVALID);
    forge_hmac(buf_view(&x), header, stage.payload, &token);
    assert_int_equal(check(&stage, &token), ERR_TOKEN_INVALID);
    buf_fini(&x);
    buf_fini(&token);
    stage_close(&stage);
}

/* A key that the token brings along, under our key's id, is not the one that counts. */
static void keys_in_the_header_are_not_read(void **state)
{
    static const char attacker[] = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                                   "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
                                   "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"; /* RFC 8037 A.1 */
    struct stage stage;
    struct forge forge;
    struct buf token;
    char header[512];
    (void)state;
    stage_open(&stage);
    buf_init(&token, 0);
    forge = stage.forge;
    snprintf(forge.private_jwk, sizeof forge.private_jwk, "%s", attacker);
    snprintf(header, sizeof header,
             "{\"typ\":\"at+jwt\",\"kid\":\"%s\",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
             "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}}",
             forge.key_id);
    forge_eddsa(&forge, header, stage.payload, &token);
    assert_int_equal(check(&stage, &token), ERR_TOKEN_INVALID);
    snprintf(header, sizeof header, "{\"typ\":\"at+jwt\",\"kid\":\"%s\"}", forge.key_id);
    forge_eddsa(&forge, header, stage.payload, &token);
    assert_int_equal(check(&stage, &token), ERR_TOKEN_INVALID);
    buf_fini(&token);
    stage_close(&stage);
}

/* ---- claims ---- */

/* The good payload with one text replaced, signed with the right key. */
static int check_claims(struct stage *stage, const char *from, const char *to)
{
    char payload[2048];
    char header[256];
    struct buf token;
    const char *at = strstr(stage->payload, from);
    if (at == NULL) {
        fail_msg("no %s in the payload", from);
        return 0;
    }
    snprintf(payload, sizeof payload, "%.*s%s%s", (int)(at - stage->payload), stage->payload, to, at + strlen(from));
    snprintf(header, sizeof header, "{\"typ\":\"at+jwt\",\"kid\":\"%s\"}", stage->forge.key_id);
    buf_init(&token, 0);
    forge_eddsa(&stage->forge, header, payload, &token);
    int err = check(stage, &token);
    buf_fini(&token);
    return err;
}

/* What only the rows can deny, and one of each verdict of claims_test.c. */
static void claims_are_held_against_rows(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        int err;
    } rows[] = {
        {"{", "{", 0},
        {"\"client_id\":\"client-", "\"client_id\":\"../client-", ERR_TOKEN_INVALID},
        {"\"tenant\":\"demo\"", "\"tenant\":\"other\"", ERR_TOKEN_INVALID},
        {"\"tenant\":\"demo\"", "\"tenant\":\"demo\",\"project\":\"p\"", ERR_TOKEN_INVALID},
        {"\"iss\":\"https://muster.example\"", "\"iss\":\"https://evil.example\"", ERR_TOKEN_INVALID},
        {"\"exp\":1722992400", "\"exp\":1722988800", ERR_TOKEN_EXPIRED},
    };
    struct stage stage;
    (void)state;
    stage_open(&stage);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int err = check_claims(&stage, rows[i].from, rows[i].to);
        if (err != rows[i].err) {
            fail_msg("row %zu: %s gave %d", i, rows[i].to, err);
        }
    }
    stage_close(&stage);
}

/* A token never grants what its client does not have. */
static void scopes_stay_within_the_clients(void **state)
{
    struct stage stage;
    struct auth_grant grant;
    struct buf token;
    char header[256];
    char *at;
    (void)state;
    stage_open(&stage);
    buf_init(&token, 0);
    at = strstr(stage.payload, "\"customers:read\"");
    assert_non_null(at);
    memcpy(at, "\"admin\"         ", strlen("\"customers:read\""));
    snprintf(header, sizeof header, "{\"typ\":\"at+jwt\",\"kid\":\"%s\"}", stage.forge.key_id);
    forge_eddsa(&stage.forge, header, stage.payload, &token);
    assert_int_equal(auth_check_bearer(stage.house.auth, buf_view(&token), HOUSE_NOW_MS, &grant), 0);
    assert_int_equal(grant.scopes, 0);
    buf_fini(&token);
    stage_close(&stage);
}

/* ---- texts ---- */

/* Every single character of a good token matters, but for unused bits at the end of its signature. */
static void tampered_tokens_are_refused(void **state)
{
    struct stage stage;
    (void)state;
    stage_open(&stage);
    struct buf token = house_token(&stage.house, &stage.client);
    assert_int_equal(house_check(&stage.house, &token, 0), 0);
    for (size_t i = 0; i + 1 < token.size; i++) {
        char kept = token.data[i];
        token.data[i] = kept == 'A' ? 'B' : 'A';
        if (house_check(&stage.house, &token, 0) != ERR_TOKEN_INVALID) {
            fail_msg("character %zu", i);
        }
        token.data[i] = kept;
    }
    assert_int_equal(house_check(&stage.house, &token, 0), 0);
    buf_fini(&token);
    stage_close(&stage);
}

static void texts_that_are_no_tokens_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "a..c",
        ".b.c",
        "mk_",
        "mk",
        "mt_x",
        "Bearer x",
        "eyJ",
        "e30.e30.e30",
        "e30.e30.",
        "{\"payload\":\"\"}",
        "mk_/../tenant",
        "\xff\xfe",
        "a b.c.d",
        "bnVsbA.bnVsbA.AAAA",
        "mk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    struct house house;
    struct auth_grant grant;
    struct buf big;
    (void)state;
    house_open(&house);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(auth_check_bearer(house.auth, slice_from_text(rows[i]), HOUSE_NOW_MS, &grant),
                         ERR_TOKEN_INVALID);
    }
    buf_init(&big, 0);
    for (int i = 0; i < 100000; i++) {
        buf_append_text(&big, "A");
    }
    buf_append_text(&big, ".A.A");
    assert_int_equal(house_check(&house, &big, 0), ERR_TOKEN_INVALID);
    buf_fini(&big);
    house_close(&house);
}

/* The same client on a server of another root key, or of another name. */
static void other_servers_tokens_are_refused(void **state)
{
    struct stage stage;
    struct auth *elsewhere;
    struct auth_grant grant;
    (void)state;
    stage_open(&stage);
    struct buf token = house_token(&stage.house, &stage.client);
    assert_int_equal(auth_new(stage.house.store, stage.house.ring, SLICE("https://elsewhere.example"), &elsewhere), 0);
    assert_int_equal(auth_check_bearer(elsewhere, buf_view(&token), HOUSE_NOW_MS, &grant), ERR_TOKEN_INVALID);
    auth_free(&elsewhere);
    struct crypto_ring *other = house_ring(9);
    struct forge forge;
    char header[256];
    forge_init(&forge, other);
    snprintf(header, sizeof header, "{\"typ\":\"at+jwt\",\"kid\":\"%s\"}", forge.key_id);
    buf_clear(&token);
    forge_eddsa(&forge, header, stage.payload, &token);
    assert_int_equal(check(&stage, &token), ERR_TOKEN_INVALID);
    crypto_ring_free(&other);
    buf_fini(&token);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_judged),
        cmocka_unit_test(other_algorithms_are_refused),
        cmocka_unit_test(keys_in_the_header_are_not_read),
        cmocka_unit_test(claims_are_held_against_rows),
        cmocka_unit_test(scopes_stay_within_the_clients),
        cmocka_unit_test(tampered_tokens_are_refused),
        cmocka_unit_test(texts_that_are_no_tokens_are_refused),
        cmocka_unit_test(other_servers_tokens_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
