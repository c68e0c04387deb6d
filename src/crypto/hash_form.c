/*
 * Which texts are password hashes. A client may send a hash in the place of a password, and a
 * password may begin with "$2b$" by chance or by malice: so a text counts as a hash only when all
 * of it reads as one. The forms, with B64 = base64 without padding and # a decimal number:
 *
 *   $argon2id$v=#$m=#,t=#,p=#$B64 salt$B64 hash   argon2i, argon2d alike; no v means 16
 *   $2b$##$53 characters                          2a, 2y alike; cost 04 to 31
 *   $scrypt$ln=#,r=#,p=#$B64 salt$B64 hash        PHC
 *   $7$N rrrrr ppppp salt$43 characters           crypt(5), without the spaces
 *   $pbkdf2-sha256$i=#[,l=#]$B64 salt$B64 hash    PHC; sha512 alike; $pbkdf2$ is SHA-1
 *   $pbkdf2-sha256$#$salt$hash                    passlib: base64 with '.' for '+'
 *
 * PHC: the string format of the Password Hashing Competition.
 */
#include <sodium.h>

#include "crypto/hash_priv.h"

/* Nothing longer is a hash: it bounds the work on a hostile text. */
#define HASH_TEXT_MAX     512
#define ARGON2_SALT_MIN   8
#define DIGEST_MIN        16
#define BCRYPT_TAIL_CHARS 53
#define CRYPT_DIGEST_SIZE 32

static bool take(struct slice *rest, const char *text)
{
    struct slice prefix = slice_from_text(text);
    if (!slice_starts(*rest, prefix)) {
        return false;
    }
    *rest = slice_from(*rest, prefix.size);
    return true;
}

/* A decimal number of 32 bits without sign or leading zeros, as the PHC format writes it. */
static bool take_number(struct slice *rest, uint64_t *number)
{
    uint64_t value = 0;
    size_t size = 0;
    while (size < rest->size && size < 10 && rest->data[size] >= '0' && rest->data[size] <= '9') {
        value = value * 10 + (uint64_t)(rest->data[size] - '0');
        size++;
    }
    if (size == 0 || (size > 1 && rest->data[0] == '0') || value > UINT32_MAX) {
        return false;
    }
    *number = value;
    *rest = slice_from(*rest, size);
    return true;
}

/* What stands before the next '$', which is taken too, or before the end. */
static struct slice take_field(struct slice *rest)
{
    const char *end = rest->size == 0 ? NULL : memchr(rest->data, '$', rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->data);
    struct slice field = {rest->data, size};
    *rest = slice_from(*rest, end == NULL ? size : size + 1);
    return field;
}

static bool decode(struct slice text, bool dots, uint8_t *bytes, size_t max, size_t *size)
{
    char plain[HASH_TEXT_MAX];
    if (text.size == 0 || text.size > sizeof plain) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (dots && c == '+') {
            return false;
        }
        plain[i] = dots && c == '.' ? '+' : c;
    }
    return sodium_base642bin(bytes, max, plain, text.size, NULL, size, NULL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0;
}

/* "salt$hash" and the end. */
static bool take_salt_and_digest(struct slice rest, bool dots, struct hash_parts *parts)
{
    struct slice salt = take_field(&rest);
    return decode(salt, dots, parts->salt, sizeof parts->salt, &parts->salt_size) &&
           decode(rest, dots, parts->digest, sizeof parts->digest, &parts->digest_size) &&
           parts->digest_size >= DIGEST_MIN;
}

static bool parse_argon2(struct slice rest, enum hash_scheme scheme, struct hash_parts *parts)
{
    uint64_t version = 16;
    parts->form = CRYPTO_HASH_ARGON2;
    parts->scheme = scheme;
    if (take(&rest, "v=") && !(take_number(&rest, &version) && take(&rest, "$"))) {
        return false;
    }
    parts->version = (uint32_t)version;
    return (version == 16 || version == 19) && take(&rest, "m=") && take_number(&rest, &parts->cost) &&
           take(&rest, ",t=") && take_number(&rest, &parts->passes) && take(&rest, ",p=") &&
           take_number(&rest, &parts->lanes) && take(&rest, "$") && take_salt_and_digest(rest, false, parts) &&
           parts->salt_size >= ARGON2_SALT_MIN;
}

/* Place of a character in crypt(5)'s alphabet "./0-9A-Za-z", or -1. */
static int crypt_digit(char c)
{
    if (c == '.' || c == '/') {
        return c - '.';
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 2;
    }
    if (c >= 'A' && c <= 'Z') {
        return c - 'A' + 12;
    }
    return c >= 'a' && c <= 'z' ? c - 'a' + 38 : -1;
}

static bool all_crypt_digits(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (crypt_digit(text.data[i]) < 0) {
            return false;
        }
    }
    return true;
}

static bool parse_bcrypt(struct slice rest, struct hash_parts *parts)
{
    parts->form = CRYPTO_HASH_BCRYPT;
    parts->scheme = HASH_BCRYPT;
    if (rest.size != 3 + BCRYPT_TAIL_CHARS || rest.data[2] != '$') {
        return false;
    }
    int tens = rest.data[0] - '0';
    int ones = rest.data[1] - '0';
    if (tens < 0 || tens > 3 || ones < 0 || ones > 9) {
        return false;
    }
    parts->cost = (uint64_t)tens * 10 + (uint64_t)ones;
    return parts->cost >= 4 && parts->cost <= 31 && all_crypt_digits(slice_from(rest, 3));
}

static bool parse_scrypt(struct slice rest, struct hash_parts *parts)
{
    parts->form = CRYPTO_HASH_SCRYPT;
    parts->scheme = HASH_SCRYPT;
    return take(&rest, "ln=") && take_number(&rest, &parts->cost) && take(&rest, ",r=") &&
           take_number(&rest, &parts->passes) && take(&rest, ",p=") && take_number(&rest, &parts->lanes) &&
           take(&rest, "$") && take_salt_and_digest(rest, false, parts);
}

/* Five characters of six bits, the lowest first. */
static uint64_t crypt_number(struct slice text)
{
    uint64_t number = 0;
    for (size_t i = text.size; i > 0; i--) {
        number = number << 6 | (uint64_t)crypt_digit(text.data[i - 1]);
    }
    return number;
}

/* Characters of six bits, the lowest first; bits left over must be zero. */
static bool crypt_decode(struct slice text, uint8_t *bytes, size_t size)
{
    uint32_t held = 0;
    unsigned held_bits = 0;
    size_t made = 0;
    for (size_t i = 0; i < text.size; i++) {
        held |= (uint32_t)crypt_digit(text.data[i]) << held_bits;
        held_bits += 6;
        if (held_bits >= 8 && made < size) {
            bytes[made++] = (uint8_t)held;
            held >>= 8;
            held_bits -= 8;
        }
    }
    return made == size && held == 0;
}

/* The salt of this form is its text itself. */
static bool parse_crypt_scrypt(struct slice rest, struct hash_parts *parts)
{
    struct slice settings = take_field(&rest);
    parts->form = CRYPTO_HASH_SCRYPT;
    parts->scheme = HASH_SCRYPT;
    if (settings.size < 12 || settings.size - 11 > sizeof parts->salt || rest.size != 43 ||
        !all_crypt_digits(settings) || !all_crypt_digits(rest)) {
        return false;
    }
    parts->cost = (uint64_t)crypt_digit(settings.data[0]);
    parts->passes = crypt_number((struct slice){settings.data + 1, 5});
    parts->lanes = crypt_number((struct slice){settings.data + 6, 5});
    parts->salt_size = settings.size - 11;
    memcpy(parts->salt, settings.data + 11, parts->salt_size);
    parts->digest_size = CRYPT_DIGEST_SIZE;
    return crypt_decode(rest, parts->digest, parts->digest_size);
}

static bool parse_pbkdf2(struct slice rest, enum hash_scheme scheme, struct hash_parts *parts)
{
    parts->form = CRYPTO_HASH_PBKDF2;
    parts->scheme = scheme;
    bool phc = take(&rest, "i=");
    uint64_t size = 0;
    if (!take_number(&rest, &parts->cost)) {
        return false;
    }
    bool sized = phc && take(&rest, ",l=");
    if (sized && !take_number(&rest, &size)) {
        return false;
    }
    return take(&rest, "$") && take_salt_and_digest(rest, !phc, parts) && (!sized || size == parts->digest_size);
}

/* Dispatches on the name in front. */
static bool parse(struct slice rest, struct hash_parts *parts)
{
    if (take(&rest, "$argon2id$")) {
        return parse_argon2(rest, HASH_ARGON2ID, parts);
    }
    if (take(&rest, "$argon2i$")) {
        return parse_argon2(rest, HASH_ARGON2I, parts);
    }
    if (take(&rest, "$argon2d$")) {
        return parse_argon2(rest, HASH_ARGON2D, parts);
    }
    if (take(&rest, "$2a$") || take(&rest, "$2b$") || take(&rest, "$2y$")) {
        return parse_bcrypt(rest, parts);
    }
    if (take(&rest, "$scrypt$")) {
        return parse_scrypt(rest, parts);
    }
    if (take(&rest, "$7$")) {
        return parse_crypt_scrypt(rest, parts);
    }
    if (take(&rest, "$pbkdf2-sha256$")) {
        return parse_pbkdf2(rest, HASH_PBKDF2_SHA256, parts);
    }
    if (take(&rest, "$pbkdf2-sha512$")) {
        return parse_pbkdf2(rest, HASH_PBKDF2_SHA512, parts);
    }
    return take(&rest, "$pbkdf2$") && parse_pbkdf2(rest, HASH_PBKDF2_SHA1, parts);
}

bool hash_parse(struct slice text, struct hash_parts *parts)
{
    memset(parts, 0, sizeof *parts);
    return text.size > 0 && text.size <= HASH_TEXT_MAX && parse(text, parts);
}

enum crypto_hash_form crypto_hash_recognise(struct slice text)
{
    /* Nearly every secret is a plain one: don't set up the parts for it. */
    if (text.size == 0 || text.data[0] != '$') {
        return CRYPTO_HASH_NONE;
    }
    struct hash_parts parts;
    return hash_parse(text, &parts) ? parts.form : CRYPTO_HASH_NONE;
}
