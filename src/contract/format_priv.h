/*
 * What the format_*.c files share: classes of ASCII, host names, and the two encodings that carry a
 * checksum. Each format bounds its input's length before it does anything that isn't linear.
 */
#ifndef CONTRACT_FORMAT_PRIV_H
#define CONTRACT_FORMAT_PRIV_H

#include <stdint.h>

#include "base/slice.h"

/* ---- classes of bytes (format_ascii.c) ---- */

enum {
    FORMAT_DIGIT = 1 << 0,
    FORMAT_LOWER = 1 << 1,
    FORMAT_UPPER = 1 << 2,
    FORMAT_HEX_LETTER = 1 << 3,
    FORMAT_ID_MARK = 1 << 4,   /* . - _ */
    FORMAT_TILDE = 1 << 5,     /* ~ */
    FORMAT_SUB_DELIM = 1 << 6, /* RFC 3986 */
    FORMAT_COLON = 1 << 7,
    FORMAT_AT = 1 << 8,
    FORMAT_SLASH = 1 << 9,
    FORMAT_QUESTION = 1 << 10,
    FORMAT_ATEXT_MARK = 1 << 11, /* RFC 5322 atext that is neither letter nor digit */
    FORMAT_HIGH = 1 << 12,       /* not ASCII */
    FORMAT_ALPHA = FORMAT_LOWER | FORMAT_UPPER,
    FORMAT_ALNUM = FORMAT_ALPHA | FORMAT_DIGIT,
    FORMAT_HEX = FORMAT_DIGIT | FORMAT_HEX_LETTER
};

extern const uint16_t format_class_table[256];

static inline unsigned format_class(char c)
{
    return format_class_table[(uint8_t)c];
}

/* How many bytes from `at` on are of these classes. */
static inline size_t format_run(struct slice text, size_t at, unsigned classes)
{
    size_t end = at;
    while (end < text.size && (format_class(text.data[end]) & classes) != 0)
        end++;
    return end - at;
}

/* Whether all bytes are of these classes; true for none. */
static inline bool format_all(struct slice text, unsigned classes)
{
    return format_run(text, 0, classes) == text.size;
}

/* Bytes of the UTF-8 sequence at the front, 0 when there is none (RFC 3629 section 4). */
size_t format_utf8_size(struct slice text);

/* ---- hosts (format_host.c) ---- */

/* Number of labels of a host name; 0 when it isn't one. Labels beyond ASCII count when `utf8`. */
size_t format_host_labels(struct slice text, bool utf8);
bool format_ipv4(struct slice text);
bool format_ipv6(struct slice text);

/* ---- base58 (format_base58.c) ---- */

#define FORMAT_BASE58_TEXT_MAX 128 /* a Cardano address of the Byron era has up to about 115 */

enum format_base58_alphabet { FORMAT_BASE58_BITCOIN, FORMAT_BASE58_XRPL };

struct format_bytes {
    uint8_t data[FORMAT_BASE58_TEXT_MAX];
    size_t size;
};

/* Whether all characters are of the Bitcoin alphabet, at any length. */
bool format_base58_all(struct slice text);
/* Decodes at most FORMAT_BASE58_TEXT_MAX characters; false for more, none, or a wrong one. */
bool format_base58_decode(struct slice text, enum format_base58_alphabet alphabet, struct format_bytes *out);
/* The same, and the last four bytes must be, and are taken off as, the checksum. */
bool format_base58_check(struct slice text, enum format_base58_alphabet alphabet, struct format_bytes *out);

/* ---- bech32 (format_bech32.c) ---- */

#define FORMAT_BECH32_TEXT_MAX 128 /* Cardano goes beyond the 90 of BIP-173 */

enum format_bech32_kind { FORMAT_BECH32 = 1, FORMAT_BECH32M = 0x2bc830a3 };

struct format_bech32 {
    char prefix[FORMAT_BECH32_TEXT_MAX]; /* human-readable part in lower case */
    size_t prefix_size;
    uint8_t words[FORMAT_BECH32_TEXT_MAX]; /* five bits each, checksum taken off */
    size_t word_count;
    enum format_bech32_kind kind;
};

/* Decodes at most `text_max` (up to FORMAT_BECH32_TEXT_MAX) characters of either kind. */
bool format_bech32_decode(struct slice text, size_t text_max, struct format_bech32 *out);
/* The words from `from` on as bytes; false when the padding isn't less than five zero bits. */
bool format_bech32_bytes(const struct format_bech32 *in, size_t from, struct format_bytes *out);

static inline struct slice format_bech32_prefix(const struct format_bech32 *in)
{
    return (struct slice){in->prefix, in->prefix_size};
}

/* ---- the formats themselves, named in format.c ---- */

bool format_email(struct slice text);
bool format_phone(struct slice text);
bool format_uuid(struct slice text);
bool format_date(struct slice text);
bool format_date_time(struct slice text);
bool format_time_zone(struct slice text);
bool format_uri(struct slice text);
bool format_did(struct slice text);
bool format_language(struct slice text);
bool format_country_alpha_2(struct slice text);
bool format_country_alpha_3(struct slice text);

#endif
