/*
 * Plain digests that check what others made: the checksums inside wallet addresses. They keep no
 * secret and decide no trust; for those see crypto.h. Thread-safe.
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <stdint.h>

#include "base/slice.h"

/* SHA-256 (FIPS 180-4). */
void crypto_digest_sha256(struct slice bytes, uint8_t digest[32]);
/* BLAKE2b with 64 bytes of digest and no key (RFC 7693). */
void crypto_digest_blake2b_512(struct slice bytes, uint8_t digest[64]);
/* Keccak-256 as it was submitted, which Ethereum uses: not SHA3-256, whose padding differs. */
void crypto_digest_keccak_256(struct slice bytes, uint8_t digest[32]);

#endif
