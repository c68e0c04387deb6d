/*
 * A strict RFC 8259 scanner that knows where and why a text is wrong. It runs when the fast parser
 * has refused, and over the small envelope of a body. The difficulty is that its verdict must be
 * the fast parser's on every text, numbers and surrogates included; tests/fuzz/json_fuzz.c holds the
 * two to each other. No recursion: open brackets are a stack of bits.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "json/json_priv.h"

/* Longer numbers can't be told finite by their length alone. */
#define PLAIN_NUMBER_BYTES 300

struct scan {
    const char *at; /* on failure: the place */
    const char *end;
    const char *reason; /* set once */
    uint32_t depth;
    uint32_t depth_limit;
    uint64_t objects[JSON_DEPTH_MAX / 64]; /* bit per level: 1 is an object */
};

static bool fail(struct scan *scan, const char *at, const char *reason)
{
    scan->at = at;
    scan->reason = reason;
    return false;
}

/* NUL stands for the end too: neither may stand between tokens. */
static char peek(const struct scan *scan)
{
    return scan->at < scan->end ? *scan->at : '\0';
}

static bool fail_here(struct scan *scan, const char *reason)
{
    return fail(scan, scan->at,
                scan->at < scan->end ? reason : "The text ends before its value is complete. Send the whole value.");
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r')) {
        scan->at++;
    }
}

static bool in_object(const struct scan *scan)
{
    uint32_t level = scan->depth - 1;
    return (scan->objects[level / 64] >> (level % 64) & 1) != 0;
}

/* ---- strings ---- */

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The value of "\uXXXX" at `at`, or -1. */
static int32_t hex_escape(const char *at, const char *end)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') {
        return -1;
    }
    int32_t value = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static bool scan_unicode_escape(struct scan *scan)
{
    int32_t unit = hex_escape(scan->at, scan->end);
    if (unit < 0) {
        return fail_here(scan, "\\u must be followed by four hexadecimal digits.");
    }
    if (unit < 0xD800 || unit > 0xDFFF) {
        scan->at += 6;
        return true;
    }
    int32_t low = hex_escape(scan->at + 6, scan->end);
    if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
        return fail_here(scan, "A lone surrogate is no character. Escape both halves of the pair, or send UTF-8.");
    }
    scan->at += 12;
    return true;
}

static bool scan_escape(struct scan *scan)
{
    if (scan->end - scan->at < 2) {
        scan->at = scan->end;
        return fail_here(scan, NULL);
    }
    if (scan->at[1] == 'u') {
        return scan_unicode_escape(scan);
    }
    if (scan->at[1] == '\0' || strchr("\"\\/bfnrt", scan->at[1]) == NULL) {
        return fail_here(scan, "JSON knows no such escape. A backslash itself is written twice.");
    }
    scan->at += 2;
    return true;
}

/* Size of the UTF-8 sequence at `at` (RFC 3629 section 4), or 0 when it is none. */
static size_t utf8_size(const char *at, const char *end)
{
    unsigned char first = (unsigned char)at[0];
    size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || (size_t)(end - at) < size) {
        return 0;
    }
    unsigned char second = (unsigned char)at[1];
    unsigned char lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (second < lowest || second > highest) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if (((unsigned char)at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return size;
}

static bool scan_string(struct scan *scan)
{
    scan->at++;
    while (scan->at < scan->end) {
        unsigned char byte = (unsigned char)*scan->at;
        if (byte == '"') {
            scan->at++;
            return true;
        }
        if (byte == '\\') {
            if (!scan_escape(scan)) {
                return false;
            }
        } else if (byte < ' ') {
            return fail_here(scan, "A control character must be escaped in a string, as in \\n or \\u0000.");
        } else {
            size_t size = byte < 0x80 ? 1 : utf8_size(scan->at, scan->end);
            if (size == 0) {
                return fail_here(scan, "These bytes are not UTF-8. Send the text in UTF-8.");
            }
            scan->at += size;
        }
    }
    return fail(scan, scan->end, "The text ends within a string. Close the string with a quote.");
}

/* ---- numbers and words ---- */

static bool scan_digits(struct scan *scan)
{
    const char *from = scan->at;
    while (peek(scan) >= '0' && peek(scan) <= '9') {
        scan->at++;
    }
    return scan->at > from || fail_here(scan, "A digit must stand here: this is no JSON number.");
}

static bool integer_fits(const char *at, const char *end)
{
    bool negative = *at == '-';
    uint64_t limit = negative ? UINT64_C(1) << 63 : UINT64_MAX;
    uint64_t value = 0;
    for (at += negative; at < end; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (value > (limit - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    return true;
}

static bool double_is_finite(struct slice number)
{
    if (number.size < PLAIN_NUMBER_BYTES && memchr(number.data, 'e', number.size) == NULL &&
        memchr(number.data, 'E', number.size) == NULL) {
        return true;
    }
    char *copy = strndup(number.data, number.size);
    bool finite = copy != NULL && isfinite(strtod(copy, NULL));
    free(copy);
    return finite;
}

static bool scan_number(struct scan *scan)
{
    const char *from = scan->at;
    bool integer = true;
    if (peek(scan) == '-') {
        scan->at++;
    }
    bool zero = peek(scan) == '0';
    const char *digits = scan->at;
    if (!scan_digits(scan)) {
        return false;
    }
    if (zero && scan->at > digits + 1) {
        return fail(scan, digits + 1, "A number must not begin with 0.");
    }
    if (peek(scan) == '.') {
        integer = false;
        scan->at++;
        if (!scan_digits(scan)) {
            return false;
        }
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        integer = false;
        scan->at++;
        scan->at += peek(scan) == '+' || peek(scan) == '-';
        if (!scan_digits(scan)) {
            return false;
        }
    }
    bool fits = integer ? integer_fits(from, scan->at) : double_is_finite(slice_make(from, (size_t)(scan->at - from)));
    return fits || fail(scan, from, "This number fits neither 64 bits nor a double. Send it as a string.");
}

static bool scan_word(struct scan *scan, const char *word)
{
    for (const char *letter = word; *letter != '\0'; letter++, scan->at++) {
        if (peek(scan) != *letter) {
            return fail_here(scan,
                             "This is no JSON value. The words of JSON are true, false and null; strings need quotes.");
        }
    }
    return true;
}

static bool scan_scalar(struct scan *scan)
{
    char first = peek(scan);
    if (first == '-' || (first >= '0' && first <= '9')) {
        return scan_number(scan);
    }
    switch (first) {
    case '"':
        return scan_string(scan);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    case ',':
    case ']':
    case '}':
        return fail_here(scan, "A value must stand before this. Remove the comma before it, or add the value.");
    case '\xEF':
        return fail_here(scan, "No byte order mark may stand in JSON. Send UTF-8 without one.");
    default:
        return fail_here(scan, "This is no JSON value. Values are objects, arrays, strings in double quotes, numbers, "
                               "true, false and null.");
    }
}

/* ---- structure ---- */

static bool scan_name(struct scan *scan)
{
    skip_space(scan);
    if (peek(scan) != '"') {
        return fail_here(scan, "A member's name in double quotes must stand here.");
    }
    if (!scan_string(scan)) {
        return false;
    }
    skip_space(scan);
    if (peek(scan) != ':') {
        return fail_here(scan, "A colon must stand behind a member's name.");
    }
    scan->at++;
    return true;
}

static bool open_container(struct scan *scan, bool object)
{
    if (scan->depth == scan->depth_limit) {
        return fail_here(scan, "Arrays and objects are nested deeper than the limit. Send a flatter value.");
    }
    uint64_t bit = UINT64_C(1) << (scan->depth % 64);
    uint64_t *word = &scan->objects[scan->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    scan->depth++;
    scan->at++;
    return true;
}

/* From a value's first byte to where a value is next or the value has ended (*ended). */
static bool scan_value(struct scan *scan, bool *ended)
{
    char first = peek(scan);
    *ended = true;
    if (first != '{' && first != '[') {
        return scan_scalar(scan);
    }
    if (!open_container(scan, first == '{')) {
        return false;
    }
    skip_space(scan);
    if (peek(scan) == (first == '{' ? '}' : ']')) {
        return true; /* the closing bracket is left to scan_after */
    }
    *ended = false;
    return first == '[' || scan_name(scan);
}

/* Behind a value: closes what closes here, up to the comma before the next value or the text's end. */
static bool scan_after(struct scan *scan)
{
    while (scan->depth > 0) {
        skip_space(scan);
        if (peek(scan) == ',') {
            scan->at++;
            return !in_object(scan) || scan_name(scan);
        }
        if (peek(scan) != (in_object(scan) ? '}' : ']')) {
            return fail_here(scan, in_object(scan) ? "A comma or } must stand here." : "A comma or ] must stand here.");
        }
        scan->at++;
        scan->depth--;
    }
    return true;
}

static bool scan_text(struct scan *scan)
{
    do {
        skip_space(scan);
        bool ended;
        if (!scan_value(scan, &ended)) {
            return false;
        }
        if (ended && !scan_after(scan)) {
            return false;
        }
    } while (scan->depth > 0);
    skip_space(scan);
    return scan->at == scan->end || fail_here(scan, "Something stands behind the end of the value. Remove it.");
}

int json_scan(struct slice text, const struct json_limits *limits, struct json_error *error)
{
    assert(limits->depth <= JSON_DEPTH_MAX);
    static const char NOTHING[] = "";
    const char *data = text.size == 0 ? NOTHING : text.data;
    struct scan scan = {.at = data, .end = data + text.size, .depth_limit = limits->depth};
    skip_space(&scan);
    if (scan.at == scan.end) {
        json_error_set(error, text, text.size, "There is no value in the text. Send one.");
        return ERR_MALFORMED_JSON;
    }
    if (scan_text(&scan)) {
        return 0;
    }
    json_error_set(error, text, (size_t)(scan.at - data), scan.reason);
    return ERR_MALFORMED_JSON;
}

void json_error_set(struct json_error *error, struct slice text, size_t offset, const char *reason)
{
    const char *line = text.data;
    error->line = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text.data[i] == '\n') {
            error->line++;
            line = text.data + i + 1;
        }
    }
    error->reason = reason;
    error->offset = offset;
    error->column = offset == 0 ? 1 : (uint32_t)(text.data + offset - line) + 1;
}

/* ---- decoding ---- */

static void append_utf8(struct buf *out, uint32_t code)
{
    if (code < 0x80) {
        buf_append_byte(out, (uint8_t)code);
    } else if (code < 0x800) {
        buf_append_byte(out, (uint8_t)(0xC0 | code >> 6));
        buf_append_byte(out, (uint8_t)(0x80 | (code & 0x3F)));
    } else if (code < 0x10000) {
        buf_append_byte(out, (uint8_t)(0xE0 | code >> 12));
        buf_append_byte(out, (uint8_t)(0x80 | (code >> 6 & 0x3F)));
        buf_append_byte(out, (uint8_t)(0x80 | (code & 0x3F)));
    } else {
        buf_append_byte(out, (uint8_t)(0xF0 | code >> 18));
        buf_append_byte(out, (uint8_t)(0x80 | (code >> 12 & 0x3F)));
        buf_append_byte(out, (uint8_t)(0x80 | (code >> 6 & 0x3F)));
        buf_append_byte(out, (uint8_t)(0x80 | (code & 0x3F)));
    }
}

/* Decodes the escape at `at`; returns what follows it. */
static const char *decode_escape(const char *at, const char *end, struct buf *out)
{
    static const char FROM[] = "\"\\/bfnrt";
    static const char TO[] = "\"\\/\b\f\n\r\t";
    int32_t unit = hex_escape(at, end);
    if (unit < 0) {
        const char *known = end - at < 2 || at[1] == '\0' ? NULL : strchr(FROM, at[1]);
        if (known != NULL) {
            buf_append_byte(out, (uint8_t)TO[known - FROM]);
        }
        return end - at < 2 ? end : at + 2;
    }
    int32_t low = unit >= 0xD800 && unit <= 0xDBFF ? hex_escape(at + 6, end) : -1;
    if (low >= 0xDC00 && low <= 0xDFFF) {
        append_utf8(out, 0x10000u + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00));
        return at + 12;
    }
    append_utf8(out, (uint32_t)unit);
    return at + 6;
}

void json_decode_string(struct slice raw, struct buf *out)
{
    const char *end = raw.data + raw.size;
    for (const char *at = raw.data; at < end;) {
        if (*at == '\\') {
            at = decode_escape(at, end, out);
        } else {
            buf_append_byte(out, (uint8_t)*at++);
        }
    }
}
