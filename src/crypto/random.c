/* The start of libsodium, the system's randomness and the wiping of memory, for rooms that must not
 * name libsodium themselves. */
#include <sodium.h>

#include "crypto/crypto.h"

int crypto_init(void)
{
    return sodium_init() < 0 ? ERR_INTERNAL : 0;
}

void crypto_random(void *bytes, size_t size)
{
    randombytes_buf(bytes, size);
}

void crypto_wipe(void *bytes, size_t size)
{
    if (size > 0) {
        sodium_memzero(bytes, size);
    }
}
