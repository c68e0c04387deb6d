/*
 * The authorization server: the client credentials grant (RFC 6749 section 4.4), the key set and the
 * metadata that let others find and check its tokens. The difficulty is small but sharp: a client
 * that is unknown, revoked or wrong about its secret gets one and the same answer.
 */
#include "auth/auth_priv.h"

/* The client's row when the secret is the client's and its tenant is not revoked. */
static int authenticate(struct auth *auth, struct slice client_id, struct slice secret, struct auth_row *row)
{
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    const struct auth_tenant *tenant;
    int err = auth_client_load(auth, client_id, row);
    if (err == 0) {
        crypto_token_hash(auth->ring, secret, hash);
        bool same = slice_equal_secret(slice_make(hash, sizeof hash), slice_make(row->hash, sizeof row->hash));
        err = same ? auth_tenant_get(auth, slice_from_text(row->tenant), &tenant) : ERR_NOT_FOUND;
    }
    return err == ERR_NOT_FOUND ? ERR_TOKEN_INVALID : err;
}

/* The scopes of the token: what was asked for, or all that the client has. */
static int choose_scopes(struct slice asked, uint32_t has, uint32_t *granted)
{
    uint32_t scopes;
    if (auth_scopes_from_text(asked, &scopes) != 0 || (scopes & ~has) != 0) {
        return ERR_SCOPE_MISSING;
    }
    *granted = scopes != 0 ? scopes : has;
    return 0;
}

static int sign_claims(struct auth *auth, const struct auth_row *row, uint32_t scopes, int64_t now_ms,
                       struct buf *token)
{
    struct auth_claims claims = {
        .scopes = scopes,
        .token_id = auth_uuid_make(auth),
        .issued_s = now_ms / 1000,
        .expires_s = now_ms / 1000 + AUTH_TOKEN_SECONDS,
    };
    struct buf payload;
    auth_text_copy(claims.client, sizeof claims.client, slice_from_text(row->id));
    auth_text_copy(claims.tenant, sizeof claims.tenant, slice_from_text(row->tenant));
    auth_text_copy(claims.project, sizeof claims.project, slice_from_text(row->project));
    buf_init(&payload, 0);
    auth_claims_write(&claims, buf_view(&auth->issuer), &payload);
    int err = buf_error(&payload);
    if (err == 0) {
        err = auth_jwt_sign(auth->signer, buf_view(&payload), token);
    }
    buf_fini(&payload);
    return err;
}

int auth_issue(struct auth *auth, struct slice client_id, struct slice secret, struct slice scope, int64_t now_ms,
               struct buf *token, uint32_t *granted)
{
    struct auth_row row;
    int err = authenticate(auth, client_id, secret, &row);
    if (err == 0) {
        err = choose_scopes(scope, row.scopes, granted);
    }
    return err != 0 ? err : sign_claims(auth, &row, *granted, now_ms, token);
}

int auth_jwks(struct auth *auth, struct buf *json)
{
    struct json_writer writer;
    json_writer_init(&writer, json);
    json_open_object(&writer);
    json_name(&writer, "keys");
    json_open_array(&writer);
    json_put_raw(&writer, auth_signer_jwk(auth->signer));
    json_close_array(&writer);
    json_close_object(&writer);
    return buf_error(json);
}

/* The issuer with a path behind it. */
static void put_url(struct json_writer *writer, const char *name, struct slice issuer, const char *path)
{
    struct buf url;
    buf_init(&url, 0);
    buf_append_slice(&url, issuer);
    buf_append_text(&url, path);
    json_name(writer, name);
    json_put_string(writer, buf_view(&url));
    buf_fail(writer->out, buf_error(&url));
    buf_fini(&url);
}

static void put_list(struct json_writer *writer, const char *name, const char *const *texts, size_t count)
{
    json_name(writer, name);
    json_open_array(writer);
    for (size_t i = 0; i < count; i++) {
        json_put_text(writer, texts[i]);
    }
    json_close_array(writer);
}

static void put_scopes(struct json_writer *writer)
{
    json_name(writer, "scopes_supported");
    json_open_array(writer);
    for (uint32_t bit = 1; bit <= SCOPE_ALL; bit <<= 1) {
        json_put_text(writer, scope_to_text(bit));
    }
    json_close_array(writer);
}

int auth_metadata(struct auth *auth, struct buf *json)
{
    static const char *const grants[] = {"client_credentials"};
    static const char *const methods[] = {"client_secret_basic", "client_secret_post"};
    struct slice issuer = buf_view(&auth->issuer);
    struct json_writer writer;
    json_writer_init(&writer, json);
    json_open_object(&writer);
    put_url(&writer, "issuer", issuer, "");
    put_url(&writer, "token_endpoint", issuer, "/oauth2/token");
    put_url(&writer, "jwks_uri", issuer, "/.well-known/jwks.json");
    put_list(&writer, "grant_types_supported", grants, 1);
    put_list(&writer, "token_endpoint_auth_methods_supported", methods, 2);
    put_scopes(&writer);
    put_list(&writer, "response_types_supported", NULL, 0);
    json_close_object(&writer);
    return buf_error(json);
}
