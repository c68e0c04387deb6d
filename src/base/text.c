/* Encodings of RFC 4648 and RFC 3986, and the nearest word for "did you mean". */
#include "base/text.h"

static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void text_append_base64url(struct buf *buf, struct slice bytes)
{
    for (size_t at = 0; at < bytes.size; at += 3) {
        size_t left = bytes.size - at < 3 ? bytes.size - at : 3;
        uint32_t group = 0;
        for (size_t i = 0; i < 3; i++) {
            group = group << 8 | (i < left ? (uint8_t)bytes.data[at + i] : 0u);
        }
        for (size_t i = 0; i <= left; i++) {
            buf_append_byte(buf, (uint8_t)BASE64URL[group >> (18 - 6 * i) & 63]);
        }
    }
}

static int sextet(char c, char c62, char c63)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == c62 ? 62 : c == c63 ? 63 : -1;
}

/* Text without padding; bits left over at the end must be zero. */
static bool decode(struct slice text, char c62, char c63, struct buf *bytes)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < text.size; i++) {
        int value = sextet(text.data[i], c62, c63);
        if (value < 0) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)value) & 0xFFFFu;
        held += 6;
        if (held >= 8) {
            held -= 8;
            buf_append_byte(bytes, (uint8_t)(bits >> held));
        }
    }
    return held < 6 && (bits & ((1u << held) - 1)) == 0;
}

static struct slice without_padding(struct slice text)
{
    for (int i = 0; i < 2 && text.size > 0 && text.data[text.size - 1] == '='; i++) {
        text.size--;
    }
    return text;
}

bool text_decode_base64(struct slice text, struct buf *bytes)
{
    return text.size % 4 == 0 && decode(without_padding(text), '+', '/', bytes);
}

bool text_decode_base64url(struct slice text, struct buf *bytes)
{
    return decode(without_padding(text), '-', '_', bytes);
}

void text_append_hex(struct buf *buf, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        buf_append_byte(buf, (uint8_t)digits[(uint8_t)bytes.data[i] >> 4]);
        buf_append_byte(buf, (uint8_t)digits[(uint8_t)bytes.data[i] & 15]);
    }
}

bool text_to_u64(struct slice text, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(*value, 10u, value) ||
            __builtin_add_overflow(*value, (uint64_t)(c - '0'), value)) {
            return false;
        }
    }
    return text.size > 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool text_decode_percent(struct slice text, bool form, struct buf *out)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '%') {
            int high = text.size - i > 2 ? hex_digit(text.data[i + 1]) : -1;
            int low = text.size - i > 2 ? hex_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high << 4 | low);
            i += 2;
        } else if (form && c == '+') {
            c = ' ';
        }
        buf_append_byte(out, (uint8_t)c);
    }
    return true;
}

#define NEAREST_BYTES 64u

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein distance over bytes; both at most NEAREST_BYTES long. */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[NEAREST_BYTES + 1];
    for (size_t j = 0; j <= b.size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t above = row[j];
            size_t change = diagonal + ((a.data[i - 1] | 0x20) != (b.data[j - 1] | 0x20));
            row[j] = smallest(above + 1, row[j - 1] + 1, change);
            diagonal = above;
        }
    }
    return row[b.size];
}

int text_nearest(struct slice word, const struct slice *candidates, size_t count)
{
    int nearest = -1;
    /* Meant is what differs in at most a third of its letters. */
    size_t least = word.size / 3 + 1;
    if (word.size == 0 || word.size > NEAREST_BYTES) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].size > NEAREST_BYTES) {
            continue;
        }
        size_t differing = distance(word, candidates[i]);
        if (differing <= least && (nearest < 0 || differing < least)) {
            least = differing;
            nearest = (int)i;
        }
    }
    return nearest;
}
