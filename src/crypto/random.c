/* The start of libsodium, the system's randomness and the wiping of memory, for rooms that must not
 * name libsodium themselves. */
#include <sodium.h>

#include "crypto/crypto.h"

#define STRETCH_FROM_BYTES 1024u

int crypto_init(void)
{
    return sodium_init() < 0 ? ERR_INTERNAL : 0;
}

/*
 * Much at once (the nonces of a chunk) is stretched by ChaCha20 from one fresh seed, as the kernel
 * does it too, at a fifth of its price. The seed is used once and wiped.
 */
void crypto_random(void *bytes, size_t size)
{
    if (size < STRETCH_FROM_BYTES) {
        randombytes_buf(bytes, size);
        return;
    }
    uint8_t seed[randombytes_SEEDBYTES];
    randombytes_buf(seed, sizeof seed);
    randombytes_buf_deterministic(bytes, size, seed);
    sodium_memzero(seed, sizeof seed);
}

void crypto_wipe(void *bytes, size_t size)
{
    if (size > 0) {
        sodium_memzero(bytes, size);
    }
}
