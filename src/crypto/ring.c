/*
 * The key hierarchy: one root key, a random key per tenant, and subkeys of both.
 *
 *   root key (32 bytes, outside the store)
 *     +- subkeys 1 to 5, context "MusterRt": wrap, token, pepper, signing, check
 *   tenant key (32 random bytes; the store has it sealed under `wrap`)
 *     +- subkeys, context "MusterTn": 1.. seal by purpose, 16 fingerprint, 32.. blind by kind
 *
 * A subkey is crypto_kdf's: BLAKE2b keyed with the parent, number as salt, context as
 * personalisation. The numbers are part of what is stored: never reuse or change one. A wrapped
 * tenant key is nonce (24), ciphertext (32), tag (16) of XChaCha20-Poly1305 with the tenant's id as
 * associated data, so that a key moved to another tenant's row does not open.
 */
#include <assert.h>
#include <sodium.h>

#include "crypto/keys_priv.h"

static const char ring_context[crypto_kdf_CONTEXTBYTES + 1] = "MusterRt";
static const char tenant_context[crypto_kdf_CONTEXTBYTES + 1] = "MusterTn";

enum { SUBKEY_WRAP = 1, SUBKEY_TOKEN, SUBKEY_PEPPER, SUBKEY_SIGNING, SUBKEY_CHECK };
enum { SUBKEY_SEAL = 1, SUBKEY_FINGERPRINT = 16, SUBKEY_BLIND = 32 };

static_assert(CRYPTO_KEY_BYTES == crypto_kdf_KEYBYTES, "one size of key everywhere");
static_assert(CRYPTO_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "subkeys seal");
static_assert(CRYPTO_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonces are XChaCha20's");
static_assert(SUBKEY_SEAL + (int)CRYPTO_PURPOSE_COUNT <= SUBKEY_FINGERPRINT, "subkey numbers don't meet");

static void derive(uint8_t *subkey, size_t size, uint64_t number, const char *context, const uint8_t *parent)
{
    int failed = crypto_kdf_derive_from_key(subkey, size, number, context, parent);
    assert(failed == 0);
    (void)failed;
}

struct crypto_ring *crypto_ring_new(const uint8_t root[CRYPTO_KEY_BYTES])
{
    struct crypto_ring *ring = sodium_malloc(sizeof *ring);
    if (ring == NULL) {
        return NULL;
    }
    derive(ring->wrap, sizeof ring->wrap, SUBKEY_WRAP, ring_context, root);
    derive(ring->token, sizeof ring->token, SUBKEY_TOKEN, ring_context, root);
    derive(ring->pepper, sizeof ring->pepper, SUBKEY_PEPPER, ring_context, root);
    derive(ring->signing, sizeof ring->signing, SUBKEY_SIGNING, ring_context, root);
    derive(ring->check, sizeof ring->check, SUBKEY_CHECK, ring_context, root);
    sodium_mprotect_readonly(ring);
    return ring;
}

void crypto_ring_free(struct crypto_ring **ring)
{
    sodium_free(*ring);
    *ring = NULL;
}

void crypto_ring_check_value(const struct crypto_ring *ring, uint8_t value[16])
{
    memcpy(value, ring->check, sizeof ring->check);
}

void crypto_ring_signing_seed(const struct crypto_ring *ring, uint8_t seed[32])
{
    memcpy(seed, ring->signing, sizeof ring->signing);
}

void crypto_tenant_key_make(const struct crypto_ring *ring, const struct uuid *tenant,
                            uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES])
{
    uint8_t key[CRYPTO_KEY_BYTES];
    crypto_random(key, sizeof key);
    crypto_random(wrapped, CRYPTO_NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(wrapped + CRYPTO_NONCE_BYTES, NULL, key, sizeof key, tenant->bytes,
                                               UUID_BYTES, NULL, wrapped, ring->wrap);
    crypto_wipe(key, sizeof key);
}

static void derive_tenant(struct crypto_tenant *keys, const uint8_t key[CRYPTO_KEY_BYTES])
{
    for (uint64_t purpose = 0; purpose < CRYPTO_PURPOSE_COUNT; purpose++) {
        derive(keys->seal[purpose], CRYPTO_KEY_BYTES, SUBKEY_SEAL + purpose, tenant_context, key);
    }
    for (uint64_t kind = 0; kind < IDENTIFIER_KIND_COUNT; kind++) {
        derive(keys->blind[kind], CRYPTO_KEY_BYTES, SUBKEY_BLIND + kind, tenant_context, key);
    }
    derive(keys->fingerprint, FINGERPRINT_KEY_BYTES, SUBKEY_FINGERPRINT, tenant_context, key);
}

int crypto_tenant_open(const struct crypto_ring *ring, const struct uuid *tenant,
                       const uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES], struct crypto_tenant **keys)
{
    *keys = NULL;
    uint8_t key[CRYPTO_KEY_BYTES];
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(key, NULL, NULL, wrapped + CRYPTO_NONCE_BYTES,
                                                   CRYPTO_WRAPPED_KEY_BYTES - CRYPTO_NONCE_BYTES, tenant->bytes,
                                                   UUID_BYTES, wrapped, ring->wrap) != 0) {
        return ERR_KEY;
    }
    struct crypto_tenant *opened = sodium_malloc(sizeof *opened);
    if (opened != NULL) {
        derive_tenant(opened, key);
        sodium_mprotect_readonly(opened);
    }
    crypto_wipe(key, sizeof key);
    *keys = opened;
    return opened == NULL ? ERR_NO_MEMORY : 0;
}

void crypto_tenant_free(struct crypto_tenant **keys)
{
    sodium_free(*keys);
    *keys = NULL;
}
