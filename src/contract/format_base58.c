/*
 * Base58 (draft-msporny-base58) and Base58Check: numbers in base 58, whose checksum is the front of a
 * double SHA-256. The one difficulty is that the change of base takes time in the square of the
 * length: the text is bounded first, and five digits are taken at once, as 58^5 fits 32 bits.
 */
#include "contract/format_priv.h"
#include "crypto/digest.h"

#define DIGITS_AT_ONCE 5
#define LIMBS_MAX      24 /* of 32 bits: 128 digits of 5.858 bits each */
#define CHECKSUM_BYTES 4

/* Value of each ASCII character, -1 for none: Bitcoin's order of the alphabet, then XRPL's. */
static const int8_t digit_value[2][128] = {
    {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
     -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0,  1,  2,
     3,  4,  5,  6,  7,  8,  -1, -1, -1, -1, -1, -1, -1, 9,  10, 11, 12, 13, 14, 15, 16, -1, 17, 18, 19, 20,
     21, -1, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, -1, -1, -1, -1, -1, -1, 33, 34, 35, 36, 37, 38, 39,
     40, 41, 42, 43, -1, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, -1, -1, -1, -1, -1},
    {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
     -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 50, 33, 7,
     21, 41, 40, 27, 45, 8,  -1, -1, -1, -1, -1, -1, -1, 54, 10, 38, 12, 14, 47, 15, 16, -1, 17, 18, 19, 20,
     13, -1, 22, 23, 24, 25, 26, 11, 28, 29, 30, 31, 32, -1, -1, -1, -1, -1, -1, 5,  34, 35, 36, 37, 6,  39,
     3,  49, 42, 43, -1, 44, 4,  46, 1,  48, 0,  2,  51, 52, 53, 9,  55, 56, 57, -1, -1, -1, -1, -1},
};

static int value_of(enum format_base58_alphabet alphabet, char c)
{
    uint8_t byte = (uint8_t)c;
    return byte < 128 ? digit_value[alphabet][byte] : -1;
}

bool format_base58_all(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (value_of(FORMAT_BASE58_BITCOIN, text.data[i]) < 0)
            return false;
    return true;
}

/* A number below 58^128, lowest limb first, without zero limbs at its top. */
struct number {
    uint32_t limbs[LIMBS_MAX];
    size_t count;
};

static void multiply_add(struct number *number, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    for (size_t i = 0; i < number->count; i++) {
        carry += (uint64_t)number->limbs[i] * factor;
        number->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0)
        number->limbs[number->count++] = (uint32_t)carry;
}

static bool read_number(struct slice text, enum format_base58_alphabet alphabet, struct number *number)
{
    number->count = 0;
    for (size_t at = 0; at < text.size;) {
        uint32_t factor = 1;
        uint32_t add = 0;
        size_t end = at + DIGITS_AT_ONCE < text.size ? at + DIGITS_AT_ONCE : text.size;
        for (; at < end; at++) {
            int value = value_of(alphabet, text.data[at]);
            if (value < 0)
                return false;
            factor *= 58;
            add = add * 58 + (uint32_t)value;
        }
        multiply_add(number, factor, add);
    }
    return true;
}

/* Big-endian, from the first byte that isn't zero. */
static void append_number(const struct number *number, struct format_bytes *out)
{
    bool begun = false;
    for (size_t i = number->count; i-- > 0;)
        for (unsigned shift = 32; shift > 0;) {
            shift -= 8;
            uint8_t byte = (uint8_t)(number->limbs[i] >> shift);
            begun = begun || byte != 0;
            if (begun)
                out->data[out->size++] = byte;
        }
}

bool format_base58_decode(struct slice text, enum format_base58_alphabet alphabet, struct format_bytes *out)
{
    struct number number;
    size_t zeros = 0;
    if (text.size == 0 || text.size > FORMAT_BASE58_TEXT_MAX)
        return false;
    while (zeros < text.size && value_of(alphabet, text.data[zeros]) == 0)
        zeros++;
    if (!read_number(slice_from(text, zeros), alphabet, &number))
        return false;
    memset(out->data, 0, zeros);
    out->size = zeros;
    append_number(&number, out);
    return true;
}

bool format_base58_check(struct slice text, enum format_base58_alphabet alphabet, struct format_bytes *out)
{
    uint8_t digest[32];
    if (!format_base58_decode(text, alphabet, out) || out->size <= CHECKSUM_BYTES)
        return false;
    out->size -= CHECKSUM_BYTES;
    crypto_digest_sha256(slice_make(out->data, out->size), digest);
    crypto_digest_sha256(slice_make(digest, sizeof(digest)), digest);
    return memcmp(digest, out->data + out->size, CHECKSUM_BYTES) == 0;
}
