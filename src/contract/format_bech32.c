/*
 * Bech32 (BIP-173) and Bech32m (BIP-350): a prefix, the separator "1", five bits a character, and
 * six characters of checksum, whose final constant tells the two kinds apart. A text may be in lower
 * or in upper case, never in both; the checksum is of the lower one.
 */
#include "contract/format_priv.h"

#include <assert.h>

#define PREFIX_MAX     83
#define CHECKSUM_WORDS 6

/* Value of each ASCII character in lower case, -1 for none. */
static const int8_t word_value[128] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 15, -1, 10, 17,
    21, 20, 26, 30, 7,  5,  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 29, -1, 24, 13, 25, 9,  8,
    23, -1, 18, 22, 31, 27, 19, -1, 1,  0,  3,  16, 11, 28, 12, 14, 6,  4,  2,  -1, -1, -1, -1, -1};

static uint32_t add_word(uint32_t sum, uint32_t word)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ word;
    for (unsigned i = 0; i < 5; i++)
        sum ^= (0u - (top >> i & 1)) & generator[i];
    return sum;
}

static uint32_t checksum(const struct format_bech32 *in)
{
    uint32_t sum = 1;
    for (size_t i = 0; i < in->prefix_size; i++)
        sum = add_word(sum, (uint32_t)(uint8_t)in->prefix[i] >> 5);
    sum = add_word(sum, 0);
    for (size_t i = 0; i < in->prefix_size; i++)
        sum = add_word(sum, (uint32_t)(uint8_t)in->prefix[i] & 31);
    for (size_t i = 0; i < in->word_count; i++)
        sum = add_word(sum, in->words[i]);
    return sum;
}

/* Whether all is printable ASCII and not of both cases. */
static bool characters_fit(struct slice text)
{
    unsigned classes = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 33 || text.data[i] > 126)
            return false;
        classes |= format_class(text.data[i]);
    }
    return (classes & FORMAT_ALPHA) != FORMAT_ALPHA;
}

static char lower(char c)
{
    return (format_class(c) & FORMAT_UPPER) != 0 ? (char)(c | 0x20) : c;
}

static size_t separator(struct slice text)
{
    size_t at = text.size;
    while (at > 0 && text.data[at - 1] != '1')
        at--;
    return at == 0 ? 0 : at - 1;
}

static bool read_words(struct slice text, struct format_bech32 *out)
{
    out->word_count = text.size;
    for (size_t i = 0; i < text.size; i++) {
        int8_t value = word_value[(uint8_t)lower(text.data[i])];
        if (value < 0)
            return false;
        out->words[i] = (uint8_t)value;
    }
    return true;
}

bool format_bech32_decode(struct slice text, size_t text_max, struct format_bech32 *out)
{
    assert(text_max <= FORMAT_BECH32_TEXT_MAX);
    if (text.size > text_max || !characters_fit(text))
        return false;
    size_t split = separator(text);
    if (split == 0 || split > PREFIX_MAX || text.size - split - 1 < CHECKSUM_WORDS)
        return false;
    out->prefix_size = split;
    for (size_t i = 0; i < split; i++)
        out->prefix[i] = lower(text.data[i]);
    if (!read_words(slice_from(text, split + 1), out))
        return false;
    uint32_t sum = checksum(out);
    out->word_count -= CHECKSUM_WORDS;
    out->kind = sum == FORMAT_BECH32 ? FORMAT_BECH32 : FORMAT_BECH32M;
    return sum == FORMAT_BECH32 || sum == FORMAT_BECH32M;
}

bool format_bech32_bytes(const struct format_bech32 *in, size_t from, struct format_bytes *out)
{
    uint32_t held = 0;
    unsigned bits = 0;
    out->size = 0;
    for (size_t i = from; i < in->word_count; i++) {
        held = (held << 5 | in->words[i]) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out->data[out->size++] = (uint8_t)(held >> bits);
        }
    }
    return bits < 5 && (held & ((1u << bits) - 1)) == 0;
}
