/*
 * Everything cryptographic, over libsodium: the key ring, sealing (authenticated encryption), blind
 * indexes, fingerprints, password hashes, tokens' hashes, randomness. No files: keys come and go as
 * bytes. Keys live in memory that is locked and wiped (sodium_malloc).
 *
 * All functions may be called from any thread once crypto_init has returned; a key ring and tenant
 * keys are immutable after they are made.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/kinds.h"
#include "base/slice.h"
#include "base/uuid.h"

#define CRYPTO_KEY_BYTES         32
#define CRYPTO_MAC_BYTES         16 /* blind indexes and fingerprints */
#define CRYPTO_TOKEN_HASH_BYTES  32
#define CRYPTO_WRAPPED_KEY_BYTES (24 + CRYPTO_KEY_BYTES + 16)
#define CRYPTO_NONCE_BYTES       24
/* What sealing adds: nonce in front, tag behind. */
#define CRYPTO_SEAL_BYTES (CRYPTO_NONCE_BYTES + 16)

/* Once, before anything else. 0 or ERR_INTERNAL. */
int crypto_init(void) MUST_CHECK;

void crypto_random(void *bytes, size_t size);
/* Overwrites what must not stay in memory; never optimised away. */
void crypto_wipe(void *bytes, size_t size);

/* A key as it is handed over: 32 bytes, or 64 hex digits or 44 characters of base64, with or without a line end. 0,
 * or ERR_KEY with nothing in `key`. */
int crypto_key_from_text(struct slice text, uint8_t key[CRYPTO_KEY_BYTES]) MUST_CHECK;

/* ---- key ring ---- */

struct crypto_ring;   /* made of the root key */
struct crypto_tenant; /* one tenant's subkeys */

/* Ring of a 32-byte root key (copied; the caller wipes its own). NULL: no memory. */
struct crypto_ring *crypto_ring_new(const uint8_t root[CRYPTO_KEY_BYTES]);
void crypto_ring_free(struct crypto_ring **ring);
/* A value that tells root keys apart without telling them: kept in the store, compared at start. */
void crypto_ring_check_value(const struct crypto_ring *ring, uint8_t value[16]);
/* Seed of the Ed25519 key that signs access tokens; the caller wipes it. */
void crypto_ring_signing_seed(const struct crypto_ring *ring, uint8_t seed[32]);

/* A fresh tenant key, wrapped under the ring for the store. */
void crypto_tenant_key_make(const struct crypto_ring *ring, const struct uuid *tenant,
                            uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES]);
/* Subkeys of a wrapped tenant key. 0, ERR_KEY (another root key or tenant) or ERR_NO_MEMORY. */
int crypto_tenant_open(const struct crypto_ring *ring, const struct uuid *tenant,
                       const uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES], struct crypto_tenant **keys) MUST_CHECK;
void crypto_tenant_free(struct crypto_tenant **keys);

/* ---- sealing: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), a key per purpose ---- */

enum crypto_purpose {
    CRYPTO_BODY = 0,
    CRYPTO_SECRET = 1,
    CRYPTO_ENVELOPE = 2,
    CRYPTO_REFUSED = 3, /* refused items */
    CRYPTO_SPOOL = 4,   /* bodies that are taken in later */
    CRYPTO_PURPOSE_COUNT
};

/* Appends nonce, ciphertext and tag. `nonce` is 24 fresh random bytes, never used twice. Views into
 * `out` need its room reserved before; `plain` may stand where its ciphertext comes, CRYPTO_NONCE_BYTES
 * behind the end of `out`, and is then encrypted in place. */
void crypto_seal(const struct crypto_tenant *keys, enum crypto_purpose purpose, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                 struct slice associated, struct slice plain, struct buf *out);
/* Appends the plain bytes. 0, ERR_KEY when they don't open, or ERR_NO_MEMORY. */
int crypto_open(const struct crypto_tenant *keys, enum crypto_purpose purpose, struct slice associated,
                struct slice sealed, struct buf *out) MUST_CHECK;

/* ---- keyed hashes ---- */

/* Blind index of a normalised identifier: keyed BLAKE2b, 16 bytes, separate by kind. */
void crypto_blind(const struct crypto_tenant *keys, enum identifier_kind kind, struct slice value,
                  uint8_t mac[CRYPTO_MAC_BYTES]);
/* Fingerprint of canonical content: SipHash-2-4 with 16 bytes of result. */
void crypto_fingerprint(const struct crypto_tenant *keys, struct slice content, uint8_t mac[CRYPTO_MAC_BYTES]);

/* Keyed hash under which the store keeps a token or client secret. */
void crypto_token_hash(const struct crypto_ring *ring, struct slice token, uint8_t hash[CRYPTO_TOKEN_HASH_BYTES]);
/* Appends prefix and 32 random bytes in base64url: a new token's text. */
void crypto_token_make(const char *prefix, struct buf *token);

/* ---- passwords: Argon2id (RFC 9106), PHC string form ---- */

/* OWASP's floor, see the Password Storage Cheat Sheet. */
#define CRYPTO_ARGON_MEMORY_KIB (19u * 1024)
#define CRYPTO_ARGON_PASSES     2u

/* Appends "$argon2id$…" of the plain secret, peppered: the input of Argon2id is a MAC of it under a
 * key of the ring, which is not in the store. 0 or ERR_NO_MEMORY. Takes about 20 ms. */
int crypto_password_hash(const struct crypto_ring *ring, struct slice plain, struct buf *out) MUST_CHECK;

/* A ready-made hash in PHC or modular-crypt form. */
enum crypto_hash_form {
    CRYPTO_HASH_NONE = 0, /* not a hash: a plain secret */
    CRYPTO_HASH_ARGON2,   /* $argon2i$ $argon2d$ $argon2id$ */
    CRYPTO_HASH_BCRYPT,   /* $2a$ $2b$ $2y$ */
    CRYPTO_HASH_SCRYPT,   /* $scrypt$ (PHC) and $7$ */
    CRYPTO_HASH_PBKDF2    /* $pbkdf2-sha256$ $pbkdf2-sha512$ $pbkdf2$ */
};

/* Recognises a whole, well-formed hash; anything else is a plain secret. */
enum crypto_hash_form crypto_hash_recognise(struct slice text);

/* Whether plain is what the hash was made of: *match. `peppered` tells hashes of crypto_password_hash
 * from ready-made ones. 0, ERR_BAD_PARAMETER for parameters beyond reason, or ERR_NO_MEMORY. */
int crypto_password_verify(const struct crypto_ring *ring, struct slice hash, bool peppered, struct slice plain,
                           bool *match) MUST_CHECK;

#endif
