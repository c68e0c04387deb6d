/*
 * Password hashes: made with Argon2id, verified in every form that hash_form.c reads. Two
 * difficulties. A hash that a client sent names its own cost, so each scheme has a bound here
 * above which it is refused instead of computed. And what is computed from a password is wiped
 * before it is left.
 *
 * Our own hashes are Argon2id over BLAKE2b-256(plain) keyed with the ring's pepper: who has the
 * store but not the root key can't even begin to guess.
 */
#include <argon2.h>
#include <assert.h>
#include <crypt.h>
#include <nettle/pbkdf2.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/limits.h"
#include "crypto/hash_priv.h"
#include "crypto/keys_priv.h"

/* Bounds of one verification: 256 MiB of memory and, here, about a second or two. */
#define MEMORY_MAX_KIB      (256u * 1024)
#define MEMORY_WORK_KIB     (1024u * 1024) /* memory times passes (Argon2) or times p (scrypt) */
#define ARGON2_LANES_MAX    64u
#define BCRYPT_COST_MAX     15u
#define BCRYPT_PLAIN_BYTES  72u
#define BCRYPT_CHARS        60u
#define BCRYPT_DIGEST_CHARS 31u
#define PBKDF2_WORK_MAX     3000000u /* iterations times blocks */

#define PEPPERED_BYTES 32

static void pepper(const struct crypto_ring *ring, struct slice plain, uint8_t peppered[PEPPERED_BYTES])
{
    int failed =
        crypto_generichash(peppered, PEPPERED_BYTES, bytes_of(plain), plain.size, ring->pepper, sizeof ring->pepper);
    assert(failed == 0);
    (void)failed;
}

int crypto_password_hash(const struct crypto_ring *ring, struct slice plain, struct buf *out)
{
    uint8_t peppered[PEPPERED_BYTES];
    char text[crypto_pwhash_STRBYTES];
    pepper(ring, plain, peppered);
    int failed = crypto_pwhash_str(text, (const char *)peppered, sizeof peppered, CRYPTO_ARGON_PASSES,
                                   (size_t)CRYPTO_ARGON_MEMORY_KIB * 1024);
    crypto_wipe(peppered, sizeof peppered);
    if (failed != 0) {
        return ERR_NO_MEMORY;
    }
    buf_append_text(out, text);
    return buf_error(out);
}

/* Whether libsodium can compute it: what we make ourselves, and a fifth faster than libargon2. */
static bool sodium_knows(const struct hash_parts *parts)
{
    return parts->scheme == HASH_ARGON2ID && parts->version == 19 && parts->lanes == 1 &&
           parts->salt_size == crypto_pwhash_SALTBYTES;
}

static int compute_argon2(const struct hash_parts *parts, struct slice plain, uint8_t *digest)
{
    if (parts->lanes < 1 || parts->lanes > ARGON2_LANES_MAX || parts->cost < 8 * parts->lanes ||
        parts->cost > MEMORY_MAX_KIB || parts->passes < 1 || parts->cost * parts->passes > MEMORY_WORK_KIB) {
        return ERR_BAD_PARAMETER;
    }
    if (sodium_knows(parts)) {
        int failed = crypto_pwhash(digest, parts->digest_size, plain.data, plain.size, parts->salt, parts->passes,
                                   (size_t)parts->cost * 1024, crypto_pwhash_ALG_ARGON2ID13);
        return failed == 0 ? 0 : ERR_NO_MEMORY;
    }
    struct hash_parts own = *parts;
    /* Argon2's context takes the password without const; only a flag that is not set makes it write there. */
    union {
        const char *given;
        uint8_t *taken;
    } password = {.given = plain.data};
    argon2_context context = {
        .out = digest,
        .outlen = (uint32_t)parts->digest_size,
        .pwd = password.taken,
        .pwdlen = (uint32_t)plain.size,
        .salt = own.salt,
        .saltlen = (uint32_t)own.salt_size,
        .t_cost = (uint32_t)parts->passes,
        .m_cost = (uint32_t)parts->cost,
        .lanes = (uint32_t)parts->lanes,
        .threads = 1,
        .version = parts->version,
        .flags = ARGON2_DEFAULT_FLAGS,
    };
    static const argon2_type types[] = {
        [HASH_ARGON2D] = Argon2_d, [HASH_ARGON2I] = Argon2_i, [HASH_ARGON2ID] = Argon2_id};
    return argon2_ctx(&context, types[parts->scheme]) == ARGON2_OK ? 0 : ERR_NO_MEMORY;
}

static int compute_scrypt(const struct hash_parts *parts, struct slice plain, uint8_t *digest)
{
    if (parts->cost < 1 || parts->cost > 28 || parts->passes < 1 || parts->passes > UINT16_MAX || parts->lanes < 1 ||
        parts->lanes > UINT16_MAX) {
        return ERR_BAD_PARAMETER;
    }
    /* N blocks of 128 * r bytes; N is at least 2, so at most a rounding of KiB is lost. */
    uint64_t rounds = (uint64_t)1 << parts->cost;
    uint64_t memory_kib = rounds * parts->passes / 8;
    if (memory_kib > MEMORY_MAX_KIB || memory_kib * parts->lanes > MEMORY_WORK_KIB) {
        return ERR_BAD_PARAMETER;
    }
    int failed = crypto_pwhash_scryptsalsa208sha256_ll(bytes_of(plain), plain.size, parts->salt, parts->salt_size,
                                                       rounds, (uint32_t)parts->passes, (uint32_t)parts->lanes, digest,
                                                       parts->digest_size);
    return failed == 0 ? 0 : ERR_NO_MEMORY;
}

static int compute_pbkdf2(const struct hash_parts *parts, struct slice plain, uint8_t *digest)
{
    static const size_t block_bytes[] = {[HASH_PBKDF2_SHA1] = 20, [HASH_PBKDF2_SHA256] = 32, [HASH_PBKDF2_SHA512] = 64};
    size_t block = block_bytes[parts->scheme];
    uint64_t blocks = (parts->digest_size + block - 1) / block;
    if (parts->cost < 1 || parts->cost * blocks > PBKDF2_WORK_MAX) {
        return ERR_BAD_PARAMETER;
    }
    unsigned iterations = (unsigned)parts->cost;
    if (parts->scheme == HASH_PBKDF2_SHA1) {
        pbkdf2_hmac_sha1(plain.size, bytes_of(plain), iterations, parts->salt_size, parts->salt, parts->digest_size,
                         digest);
    } else if (parts->scheme == HASH_PBKDF2_SHA256) {
        pbkdf2_hmac_sha256(plain.size, bytes_of(plain), iterations, parts->salt_size, parts->salt, parts->digest_size,
                           digest);
    } else {
        pbkdf2_hmac_sha512(plain.size, bytes_of(plain), iterations, parts->salt_size, parts->salt, parts->digest_size,
                           digest);
    }
    return 0;
}

/* bcrypt takes and gives C texts: it reads at most 72 bytes and can't hold a NUL. Only the digest is
 * compared: some makers leave bits in the salt's last character that bcrypt ignores. */
static int verify_bcrypt(const struct hash_parts *parts, struct slice hash, struct slice plain, bool *match)
{
    char password[BCRYPT_PLAIN_BYTES + 1] = {0};
    char setting[BCRYPT_CHARS + 1] = {0};
    size_t size = plain.size < BCRYPT_PLAIN_BYTES ? plain.size : BCRYPT_PLAIN_BYTES;
    assert(hash.size == BCRYPT_CHARS);
    if (parts->cost > BCRYPT_COST_MAX) {
        return ERR_BAD_PARAMETER;
    }
    struct crypt_data *data = calloc(1, sizeof *data);
    if (data == NULL) {
        return ERR_NO_MEMORY;
    }
    memcpy(password, plain.data, size);
    memcpy(setting, hash.data, hash.size);
    struct slice made = slice_from_text(crypt_rn(password, setting, data, (int)sizeof *data));
    *match = memchr(password, '\0', size) == NULL && made.size == BCRYPT_CHARS &&
             slice_equal_secret(slice_from(made, BCRYPT_CHARS - BCRYPT_DIGEST_CHARS),
                                slice_from(hash, BCRYPT_CHARS - BCRYPT_DIGEST_CHARS));
    crypto_wipe(password, sizeof password);
    crypto_wipe(data, sizeof *data);
    free(data);
    return 0;
}

static int verify_parts(const struct hash_parts *parts, struct slice hash, struct slice plain, bool *match)
{
    if (parts->form == CRYPTO_HASH_BCRYPT) {
        return verify_bcrypt(parts, hash, plain, match);
    }
    uint8_t digest[HASH_DIGEST_MAX];
    int err;
    if (parts->form == CRYPTO_HASH_ARGON2) {
        err = compute_argon2(parts, plain, digest);
    } else if (parts->form == CRYPTO_HASH_SCRYPT) {
        err = compute_scrypt(parts, plain, digest);
    } else {
        err = compute_pbkdf2(parts, plain, digest);
    }
    if (err == 0) {
        *match = sodium_memcmp(digest, parts->digest, parts->digest_size) == 0;
    }
    crypto_wipe(digest, sizeof digest);
    return err;
}

int crypto_password_verify(const struct crypto_ring *ring, struct slice hash, bool peppered, struct slice plain,
                           bool *match)
{
    struct hash_parts parts;
    *match = false;
    if (plain.size > LIMIT_STRING_BYTES || !hash_parse(hash, &parts)) {
        return ERR_BAD_PARAMETER;
    }
    /* The libraries want a place even for no bytes. */
    struct slice input = plain.size == 0 ? SLICE("") : plain;
    if (!peppered) {
        return verify_parts(&parts, hash, input, match);
    }
    uint8_t password[PEPPERED_BYTES];
    pepper(ring, input, password);
    int err = verify_parts(&parts, hash, slice_make(password, sizeof password), match);
    crypto_wipe(password, sizeof password);
    return err;
}
