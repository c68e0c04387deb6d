/*
 * What the key ring and a tenant's keys hold: subkeys only, never the key they came from. For
 * insiders of the crypto room. Both live in memory of sodium_malloc, read-only once they are made.
 */
#ifndef CRYPTO_KEYS_PRIV_H
#define CRYPTO_KEYS_PRIV_H

#include "crypto/crypto.h"

struct crypto_ring {
    uint8_t wrap[CRYPTO_KEY_BYTES];    /* seals tenant keys for the store */
    uint8_t token[CRYPTO_KEY_BYTES];   /* hashes tokens and client secrets */
    uint8_t pepper[CRYPTO_KEY_BYTES];  /* goes over a password before Argon2id */
    uint8_t signing[CRYPTO_KEY_BYTES]; /* seed of the Ed25519 key of access tokens */
    uint8_t check[16];                 /* tells root keys apart */
};

#define FINGERPRINT_KEY_BYTES 16

struct crypto_tenant {
    uint8_t seal[CRYPTO_PURPOSE_COUNT][CRYPTO_KEY_BYTES];
    uint8_t blind[IDENTIFIER_KIND_COUNT][CRYPTO_KEY_BYTES];
    uint8_t fingerprint[FINGERPRINT_KEY_BYTES];
};

/* A slice's bytes as libsodium takes them. */
static inline const unsigned char *bytes_of(struct slice slice)
{
    return (const unsigned char *)slice.data;
}

#endif
