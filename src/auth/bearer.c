/*
 * The check of a request's credentials. Every request passes here, so one that has been checked
 * before costs a keyed hash and a look into the cache; only the first use of a token, and the first
 * after a revoke, reads rows and verifies a signature.
 *
 * The difficulty is to remember nothing that a revoke has overtaken: the generation is asked for
 * before the first row is read and goes with what is remembered (see cache.c). Whatever a token says
 * of its client is held against the client's row, which is the truth: a token never grants more than
 * its client still has.
 */
#include "auth/auth_priv.h"

/* API keys don't expire. */
#define NEVER_MS INT64_MAX

/* That something is not there means, of a credential, that it is not valid. */
static int as_token_error(int err)
{
    return err == ERR_NOT_FOUND ? ERR_TOKEN_INVALID : err;
}

static int grant_from_row(struct auth *auth, const struct auth_row *row, struct auth_grant *grant)
{
    int err = auth_tenant_get(auth, slice_from_text(row->tenant), &grant->tenant);
    if (err != 0) {
        return err;
    }
    grant->scopes = row->scopes;
    auth_text_copy(grant->project, sizeof grant->project, slice_from_text(row->project));
    auth_text_copy(grant->subject, sizeof grant->subject, slice_from_text(row->id));
    return 0;
}

static int check_key(struct auth *auth, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES], enum auth_key_kind kind,
                     struct auth_grant *grant)
{
    struct auth_row row;
    int err = auth_key_load(auth, hash, kind, &row);
    return err != 0 ? err : grant_from_row(auth, &row, grant);
}

/* What the claims say against what the client's row says. */
static int check_claims(struct auth *auth, const struct auth_claims *claims, struct auth_grant *grant)
{
    struct auth_row row;
    int err = auth_client_load(auth, slice_from_text(claims->client), &row);
    if (err != 0) {
        return err;
    }
    if (strcmp(claims->tenant, row.tenant) != 0 || strcmp(claims->project, row.project) != 0) {
        return ERR_TOKEN_INVALID;
    }
    row.scopes &= claims->scopes;
    return grant_from_row(auth, &row, grant);
}

static int check_jwt(struct auth *auth, struct slice token, int64_t now_ms, int64_t *expires_ms,
                     struct auth_grant *grant)
{
    struct auth_claims claims;
    struct buf payload;
    buf_init(&payload, 0);
    int err = auth_jwt_open(auth->signer, token, &payload);
    if (err == 0) {
        err = auth_claims_read(&payload, buf_view(&auth->issuer), now_ms, &claims);
    }
    buf_fini(&payload);
    if (err != 0) {
        return err;
    }
    *expires_ms = claims.expires_s * 1000;
    return check_claims(auth, &claims, grant);
}

static int check_new(struct auth *auth, struct slice token, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES], int64_t now_ms,
                     struct auth_grant *grant)
{
    int64_t expires_ms = NEVER_MS;
    uint64_t generation = auth_cache_generation(auth->cache);
    *grant = (struct auth_grant){0};
    int err = slice_starts(token, SLICE("mk_")) ? check_key(auth, hash, AUTH_API_KEY, grant)
                                                : check_jwt(auth, token, now_ms, &expires_ms, grant);
    if (err == 0) {
        auth_cache_put(auth->cache, hash, generation, AUTH_BEARER, expires_ms, grant);
    }
    return as_token_error(err);
}

int auth_check_bearer(struct auth *auth, struct slice token, int64_t now_ms, struct auth_grant *grant)
{
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    int64_t expires_ms;
    if (token.size == 0) {
        return ERR_TOKEN_INVALID;
    }
    int err = auth_follow(auth);
    if (err != 0) {
        return err;
    }
    crypto_token_hash(auth->ring, token, hash);
    if (auth_cache_get(auth->cache, hash, AUTH_BEARER, &expires_ms, grant)) {
        return now_ms >= expires_ms ? ERR_TOKEN_EXPIRED : 0;
    }
    return check_new(auth, token, hash, now_ms, grant);
}

int auth_check_tenant_token(struct auth *auth, struct slice token, const struct auth_tenant *tenant)
{
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    int64_t expires_ms;
    struct auth_grant grant = {0};
    if (!slice_starts(token, SLICE("mt_"))) {
        return ERR_TOKEN_INVALID;
    }
    int err = auth_follow(auth);
    if (err != 0) {
        return err;
    }
    crypto_token_hash(auth->ring, token, hash);
    if (!auth_cache_get(auth->cache, hash, AUTH_SECOND, &expires_ms, &grant)) {
        uint64_t generation = auth_cache_generation(auth->cache);
        err = check_key(auth, hash, AUTH_TENANT_TOKEN, &grant);
        if (err != 0) {
            return as_token_error(err);
        }
        auth_cache_put(auth->cache, hash, generation, AUTH_SECOND, NEVER_MS, &grant);
    }
    return uuid_equal(&grant.tenant->id, &tenant->id) ? 0 : ERR_TENANT_MISMATCH;
}
