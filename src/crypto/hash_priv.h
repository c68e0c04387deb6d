/*
 * A ready-made password hash, taken apart: hash_form.c reads the text, password.c computes with
 * it. For insiders of the crypto room.
 */
#ifndef CRYPTO_HASH_PRIV_H
#define CRYPTO_HASH_PRIV_H

#include "crypto/crypto.h"

#define HASH_SALT_MAX   128
#define HASH_DIGEST_MAX 64

enum hash_scheme {
    HASH_ARGON2D,
    HASH_ARGON2I,
    HASH_ARGON2ID,
    HASH_BCRYPT,
    HASH_SCRYPT,
    HASH_PBKDF2_SHA1,
    HASH_PBKDF2_SHA256,
    HASH_PBKDF2_SHA512
};

struct hash_parts {
    enum crypto_hash_form form;
    enum hash_scheme scheme;
    uint32_t version; /* Argon2 only: 16 or 19 */
    uint64_t cost;    /* Argon2: KiB; bcrypt, scrypt: power of two; PBKDF2: iterations */
    uint64_t passes;  /* Argon2: t; scrypt: r */
    uint64_t lanes;   /* Argon2, scrypt: p */
    uint8_t salt[HASH_SALT_MAX];
    size_t salt_size; /* 0 for bcrypt, whose text stays whole */
    uint8_t digest[HASH_DIGEST_MAX];
    size_t digest_size;
};

/* Takes a text apart; false when it is not a whole, well-formed hash. Says nothing of whether its
 * cost is bearable. */
bool hash_parse(struct slice text, struct hash_parts *parts);

#endif
