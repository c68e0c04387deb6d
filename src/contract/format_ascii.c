/*
 * Classes of bytes for all formats: one look-up instead of a chain of comparisons, for e-mail,
 * phone and URI are tested for every customer. The compiler fills the table from the definitions
 * below; it can't be written wrong entry by entry.
 */
#include "contract/format_priv.h"

#define BETWEEN(c, low, high) ((c) >= (low) && (c) <= (high))
#define IF(condition, class)  ((condition) ? (class) : 0)
#define SUB_DELIM(c)                                                                                                   \
    ((c) == '!' || (c) == '$' || (c) == '&' || BETWEEN(c, '\'', '*') || (c) == '+' || (c) == ',' || (c) == ';' ||      \
     (c) == '=')
#define ATEXT_MARK(c)                                                                                                  \
    ((c) == '!' || BETWEEN(c, '#', '\'') || (c) == '*' || (c) == '+' || (c) == '-' || (c) == '/' || (c) == '=' ||      \
     (c) == '?' || BETWEEN(c, '^', '`') || BETWEEN(c, '{', '~'))
#define CLASS(c)                                                                                                       \
    (IF(BETWEEN(c, '0', '9'), FORMAT_DIGIT) | IF(BETWEEN(c, 'a', 'z'), FORMAT_LOWER) |                                 \
     IF(BETWEEN(c, 'A', 'Z'), FORMAT_UPPER) | IF(BETWEEN(c, 'a', 'f') || BETWEEN(c, 'A', 'F'), FORMAT_HEX_LETTER) |    \
     IF((c) == '.' || (c) == '-' || (c) == '_', FORMAT_ID_MARK) | IF((c) == '~', FORMAT_TILDE) |                       \
     IF(SUB_DELIM(c), FORMAT_SUB_DELIM) | IF((c) == ':', FORMAT_COLON) | IF((c) == '@', FORMAT_AT) |                   \
     IF((c) == '/', FORMAT_SLASH) | IF((c) == '?', FORMAT_QUESTION) | IF(ATEXT_MARK(c), FORMAT_ATEXT_MARK) |           \
     IF((c) >= 128, FORMAT_HIGH))
#define FOUR(c)       CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define SIXTEEN(c)    FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define SIXTY_FOUR(c) SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

const uint16_t format_class_table[256] = {SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)};

/* How long the sequence is that this byte begins; 0 for a byte that begins none. */
static size_t sequence_size(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

/* The second byte's range is narrower where the sequence could be overlong, a surrogate or too high. */
static bool second_fits(uint8_t first, uint8_t second)
{
    uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high;
}

size_t format_utf8_size(struct slice text)
{
    const uint8_t *bytes = (const uint8_t *)text.data;
    size_t size = text.size == 0 ? 0 : sequence_size(bytes[0]);
    if (size > text.size)
        return 0;
    if (size > 1 && !second_fits(bytes[0], bytes[1]))
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return size;
}
