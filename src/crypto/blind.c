/*
 * Keyed hashes. What is looked up later (identifiers, tokens) is BLAKE2b in its keyed mode, with a
 * key of its own per kind, so an e-mail address and a DID of the same text don't meet. What is only
 * compared (a fingerprint of 1.5 KB for every customer) is SipHash-2-4 with 128 bits of result:
 * a third of the time, and as unforgeable for who has neither key nor results (docs/crypto.md).
 */
#include <assert.h>
#include <sodium.h>

#include "base/text.h"
#include "crypto/keys_priv.h"

#define TOKEN_RANDOM_BYTES 32

static_assert(CRYPTO_MAC_BYTES == crypto_shorthash_siphashx24_BYTES, "a fingerprint is a MAC's size");
static_assert(FINGERPRINT_KEY_BYTES == crypto_shorthash_siphashx24_KEYBYTES, "SipHash's key");

static void keyed_hash(const uint8_t key[CRYPTO_KEY_BYTES], struct slice value, uint8_t *hash, size_t size)
{
    int failed = crypto_generichash(hash, size, bytes_of(value), value.size, key, CRYPTO_KEY_BYTES);
    assert(failed == 0);
    (void)failed;
}

void crypto_blind(const struct crypto_tenant *keys, enum identifier_kind kind, struct slice value,
                  uint8_t mac[CRYPTO_MAC_BYTES])
{
    assert(kind > IDENTIFIER_NONE && kind < IDENTIFIER_KIND_COUNT);
    keyed_hash(keys->blind[kind], value, mac, CRYPTO_MAC_BYTES);
}

void crypto_fingerprint(const struct crypto_tenant *keys, struct slice content, uint8_t mac[CRYPTO_MAC_BYTES])
{
    /* SipHash does address arithmetic on its input even when there is none. */
    struct slice bytes = content.data == NULL ? SLICE("") : content;
    crypto_shorthash_siphashx24(mac, bytes_of(bytes), bytes.size, keys->fingerprint);
}

void crypto_token_hash(const struct crypto_ring *ring, struct slice token, uint8_t hash[CRYPTO_TOKEN_HASH_BYTES])
{
    keyed_hash(ring->token, token, hash, CRYPTO_TOKEN_HASH_BYTES);
}

void crypto_token_make(const char *prefix, struct buf *token)
{
    uint8_t random[TOKEN_RANDOM_BYTES];
    crypto_random(random, sizeof random);
    buf_append_text(token, prefix);
    text_append_base64url(token, slice_make(random, sizeof random));
    crypto_wipe(random, sizeof random);
}
