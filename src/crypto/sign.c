/*
 * From the 32-byte seed, which RFC 8032 calls the private key, to the public key. libsodium makes
 * both halves at once; its 64-byte secret form is wiped, because nobody here needs it.
 */
#include "crypto/sign.h"

#include <assert.h>
#include <sodium.h>

static_assert(crypto_sign_SEEDBYTES == 32 && crypto_sign_PUBLICKEYBYTES == 32, "sizes of Ed25519");

void crypto_sign_public(const uint8_t seed[32], uint8_t public_key[32])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    int failed = crypto_sign_seed_keypair(public_key, secret, seed);
    assert(failed == 0);
    (void)failed;
    sodium_memzero(secret, sizeof secret);
}
