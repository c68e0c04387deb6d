/*
 * Signed tokens, for the other files of auth. Apart from auth_priv.h because jwt.c must not see
 * json/json.h: rhonabwy brings jansson's header along, whose names are the same.
 */
#ifndef AUTH_JWT_PRIV_H
#define AUTH_JWT_PRIV_H

#include "base/buf.h"
#include "base/err.h"
#include "crypto/crypto.h"

/* A key pair of EdDSA over Ed25519. Any thread may use it. */
struct auth_signer;

/* Of the ring's seed. 0, ERR_NO_MEMORY or ERR_INTERNAL. */
int auth_signer_new(const struct crypto_ring *ring, struct auth_signer **signer) MUST_CHECK;
void auth_signer_free(struct auth_signer **signer);
/* The public key as a JWK, in JSON; lives as long as the signer. */
struct slice auth_signer_jwk(const struct auth_signer *signer);

/* Appends the compact JWS of the payload, as an access token. */
int auth_jwt_sign(struct auth_signer *signer, struct slice payload, struct buf *token) MUST_CHECK;
/* Appends the payload of an access token that this signer made; ERR_TOKEN_INVALID for anything else. */
int auth_jwt_open(const struct auth_signer *signer, struct slice token, struct buf *payload) MUST_CHECK;

#endif
