/*
 * Sealing: nonce (24), ciphertext (as long as the plain), tag (16), by XChaCha20-Poly1305 under the
 * subkey of the purpose. The one difficulty is the buffer: a growing `out` may move, so `associated`
 * may view `out` only when its room was reserved before, and plain bytes already laid where the
 * ciphertext comes are encrypted in place, without a second copy of them in memory.
 */
#include <assert.h>
#include <sodium.h>

#include "crypto/keys_priv.h"

#define TAG_BYTES (CRYPTO_SEAL_BYTES - CRYPTO_NONCE_BYTES)

static_assert(TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "the tag is Poly1305's");

void crypto_seal(const struct crypto_tenant *keys, enum crypto_purpose purpose, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                 struct slice associated, struct slice plain, struct buf *out)
{
    assert(purpose < CRYPTO_PURPOSE_COUNT);
    assert(plain.size <= SIZE_MAX - CRYPTO_SEAL_BYTES);
    unsigned char *sealed = buf_extend(out, plain.size + CRYPTO_SEAL_BYTES);
    if (sealed == NULL) {
        return;
    }
    memcpy(sealed, nonce, CRYPTO_NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + CRYPTO_NONCE_BYTES, NULL, bytes_of(plain), plain.size,
                                               bytes_of(associated), associated.size, NULL, nonce, keys->seal[purpose]);
}

int crypto_open(const struct crypto_tenant *keys, enum crypto_purpose purpose, struct slice associated,
                struct slice sealed, struct buf *out)
{
    assert(purpose < CRYPTO_PURPOSE_COUNT);
    if (sealed.size < CRYPTO_SEAL_BYTES) {
        return ERR_KEY;
    }
    struct slice boxed = slice_from(sealed, CRYPTO_NONCE_BYTES);
    size_t plain_size = sealed.size - CRYPTO_SEAL_BYTES;
    unsigned char *plain = buf_extend(out, plain_size);
    if (buf_error(out) != 0) {
        return buf_error(out);
    }
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, bytes_of(boxed), boxed.size, bytes_of(associated),
                                                   associated.size, bytes_of(sealed), keys->seal[purpose]) != 0) {
        out->size -= plain_size;
        return ERR_KEY;
    }
    return 0;
}
