/*
 * The public half of an Ed25519 key (RFC 8032), for the room that signs access tokens. Signing
 * itself is that room's.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include <stdint.h>

/* Public key of the seed. */
void crypto_sign_public(const uint8_t seed[32], uint8_t public_key[32]);

#endif
