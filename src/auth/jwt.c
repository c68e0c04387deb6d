/*
 * Access tokens as signed JSON (RFC 7515, RFC 8037) through rhonabwy: one key, one algorithm, one
 * type. The rules of RFC 8725 are kept by accepting nothing else: the header must say EdDSA, our
 * key's id and at+jwt, keys that a header brings along are not even read, and there is no code for
 * another algorithm, `none` included.
 *
 * The difficulty is threads: rhonabwy's keys are reference-counted JSON, so the private one is used
 * under a lock (a client asks for a token once an hour) and the public one is read anew for each
 * check (which happens once a token and revoke; see cache.c). The key's id is its RFC 7638
 * thumbprint, so another root key has another id.
 */
#include "auth/jwt_priv.h"

#include <pthread.h>
#include <rhonabwy.h>
#include <stdlib.h>

#include "base/text.h"
#include "crypto/sign.h"

#define TOKEN_LIMIT_BYTES 4096
#define TOKEN_TYPE        "at+jwt"

struct auth_signer {
    pthread_mutex_t lock; /* guards private_key */
    jwk_t *private_key;
    char *key_id;
    struct buf public_x;   /* base64url */
    struct buf public_jwk; /* JSON and a NUL */
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_error = ERR_INTERNAL;

static void library_init(void)
{
    library_error = r_global_init() == RHN_OK ? 0 : ERR_INTERNAL;
}

static jwk_t *key_from_text(const char *text)
{
    jwk_t *key = NULL;
    if (r_jwk_init(&key) != RHN_OK) {
        return NULL;
    }
    if (r_jwk_import_from_json_str(key, text) != RHN_OK) {
        r_jwk_free(key);
        return NULL;
    }
    return key;
}

/* The private key as rhonabwy takes it; the text of it is wiped. */
static jwk_t *private_key_new(const uint8_t seed[32], struct slice public_x)
{
    struct buf text;
    jwk_t *key = NULL;
    buf_init(&text, 0);
    if (buf_reserve(&text, 256) != 0) { /* at once, so that no copy stays behind in freed memory */
        return NULL;
    }
    buf_append_text(&text, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"");
    text_append_base64url(&text, slice_make(seed, 32));
    buf_printf(&text, "\",\"x\":\"%.*s\"}", SLICE_ARG(public_x));
    buf_append_byte(&text, 0);
    if (buf_error(&text) == 0) {
        key = key_from_text(text.data);
    }
    crypto_wipe(text.data, text.size);
    buf_fini(&text);
    return key;
}

static int signer_fill(struct auth_signer *signer, const uint8_t seed[32])
{
    uint8_t public_key[32];
    crypto_sign_public(seed, public_key);
    text_append_base64url(&signer->public_x, slice_make(public_key, sizeof public_key));
    signer->private_key = private_key_new(seed, buf_view(&signer->public_x));
    if (signer->private_key == NULL) {
        return ERR_NO_MEMORY;
    }
    signer->key_id = r_jwk_thumbprint(signer->private_key, R_JWK_THUMB_SHA256, R_FLAG_IGNORE_REMOTE);
    if (signer->key_id == NULL) {
        return ERR_NO_MEMORY;
    }
    buf_printf(&signer->public_jwk,
               "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%.*s\",\"kid\":\"%s\",\"alg\":\"EdDSA\",\"use\":\"sig\"}",
               SLICE_ARG(buf_view(&signer->public_x)), signer->key_id);
    buf_append_byte(&signer->public_jwk, 0);
    return buf_error(&signer->public_jwk);
}

int auth_signer_new(const struct crypto_ring *ring, struct auth_signer **signer)
{
    uint8_t seed[32];
    pthread_once(&library_once, library_init);
    if (library_error != 0) {
        return library_error;
    }
    *signer = calloc(1, sizeof **signer);
    if (*signer == NULL) {
        return ERR_NO_MEMORY;
    }
    pthread_mutex_init(&(*signer)->lock, NULL);
    buf_init(&(*signer)->public_x, 0);
    buf_init(&(*signer)->public_jwk, 0);
    crypto_ring_signing_seed(ring, seed);
    int err = signer_fill(*signer, seed);
    crypto_wipe(seed, sizeof seed);
    if (err != 0) {
        auth_signer_free(signer);
    }
    return err;
}

void auth_signer_free(struct auth_signer **signer)
{
    if (*signer == NULL) {
        return;
    }
    r_jwk_free((*signer)->private_key);
    r_free((*signer)->key_id);
    buf_fini(&(*signer)->public_x);
    buf_fini(&(*signer)->public_jwk);
    pthread_mutex_destroy(&(*signer)->lock);
    free(*signer);
    *signer = NULL;
}

struct slice auth_signer_jwk(const struct auth_signer *signer)
{
    return slice_make(signer->public_jwk.data, signer->public_jwk.size - 1);
}

/* ---- signing ---- */

static int jws_fill(jws_t *jws, const char *key_id, struct slice payload)
{
    if (r_jws_set_alg(jws, R_JWA_ALG_EDDSA) != RHN_OK || r_jws_set_header_str_value(jws, "typ", TOKEN_TYPE) != RHN_OK ||
        r_jws_set_header_str_value(jws, "kid", key_id) != RHN_OK ||
        r_jws_set_payload(jws, (const unsigned char *)payload.data, payload.size) != RHN_OK) {
        return ERR_NO_MEMORY;
    }
    return 0;
}

int auth_jwt_sign(struct auth_signer *signer, struct slice payload, struct buf *token)
{
    jws_t *jws = NULL;
    char *text = NULL;
    if (r_jws_init(&jws) != RHN_OK) {
        return ERR_NO_MEMORY;
    }
    int err = jws_fill(jws, signer->key_id, payload);
    if (err == 0) {
        pthread_mutex_lock(&signer->lock);
        text = r_jws_serialize(jws, signer->private_key, R_FLAG_IGNORE_REMOTE);
        pthread_mutex_unlock(&signer->lock);
        err = text == NULL ? ERR_NO_MEMORY : 0;
    }
    if (err == 0) {
        buf_append_text(token, text);
        err = buf_error(token);
    }
    r_free(text);
    r_jws_free(jws);
    return err;
}

/* ---- opening ---- */

/* Three runs of base64url with dots between, none of them empty. */
static bool has_shape(struct slice token)
{
    size_t dots = 0;
    size_t run = 0;
    for (size_t i = 0; i < token.size; i++) {
        char c = token.data[i];
        bool is_dot = c == '.';
        if (is_dot && run == 0) {
            return false;
        }
        if (!is_dot && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' &&
            c != '_') {
            return false;
        }
        dots += is_dot;
        run = is_dot ? 0 : run + 1;
    }
    return dots == 2 && run > 0;
}

static bool text_is(const char *text, const char *expected)
{
    return text != NULL && strcmp(text, expected) == 0;
}

/* Whether the header names our algorithm, our key and an access token, and no extension that it calls critical
 * (RFC 7515 section 4.1.11: we know none). */
static bool header_is_ours(const struct auth_signer *signer, jws_t *jws)
{
    json_t *critical = r_jws_get_header_json_t_value(jws, "crit");
    bool is_critical = critical != NULL;
    json_decref(critical);
    return !is_critical && r_jws_get_alg(jws) == R_JWA_ALG_EDDSA &&
           text_is(r_jws_get_header_str_value(jws, "alg"), "EdDSA") &&
           text_is(r_jws_get_header_str_value(jws, "typ"), TOKEN_TYPE) &&
           text_is(r_jws_get_header_str_value(jws, "kid"), signer->key_id);
}

static int verify(const struct auth_signer *signer, jws_t *jws)
{
    if (!header_is_ours(signer, jws)) {
        return ERR_TOKEN_INVALID;
    }
    jwk_t *key = key_from_text(signer->public_jwk.data);
    if (key == NULL) {
        return ERR_NO_MEMORY;
    }
    int result = r_jws_verify_signature(jws, key, R_FLAG_IGNORE_REMOTE);
    r_jwk_free(key);
    if (result == RHN_ERROR_MEMORY) {
        return ERR_NO_MEMORY;
    }
    return result == RHN_OK ? 0 : ERR_TOKEN_INVALID;
}

int auth_jwt_open(const struct auth_signer *signer, struct slice token, struct buf *payload)
{
    jws_t *jws = NULL;
    size_t size = 0;
    if (token.size > TOKEN_LIMIT_BYTES || !has_shape(token)) {
        return ERR_TOKEN_INVALID;
    }
    if (r_jws_init(&jws) != RHN_OK) {
        return ERR_NO_MEMORY;
    }
    int err = ERR_TOKEN_INVALID;
    if (r_jws_advanced_compact_parsen(jws, token.data, token.size, R_PARSE_NONE, R_FLAG_IGNORE_REMOTE) == RHN_OK) {
        err = verify(signer, jws);
    }
    if (err == 0) {
        const unsigned char *bytes = r_jws_get_payload(jws, &size);
        buf_append(payload, bytes, size);
        err = buf_error(payload);
    }
    r_jws_free(jws);
    return err;
}
