/*
 * The writer: commas and escapes are its business, so composing reads like the JSON that comes out.
 * Failures are the buffer's (sticky). Wrong nesting is our mistake and asserted. Doubles are written
 * with as few digits as give the same double back; this needs the C locale's decimal point, which
 * a program has that never calls setlocale.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/json_priv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define LEVELS 64u

void json_writer_init(struct json_writer *writer, struct buf *out)
{
    *writer = (struct json_writer){.out = out};
}

/* What must stand before the next element or name. Level 0 is the text itself: one value. */
static void begin(struct json_writer *writer)
{
    if (writer->after_name) {
        writer->after_name = false;
        return;
    }
    uint64_t bit = UINT64_C(1) << writer->depth;
    if ((writer->has_element & bit) != 0) {
        assert(writer->depth > 0);
        buf_append_byte(writer->out, ',');
    }
    writer->has_element |= bit;
}

static void open_level(struct json_writer *writer, char bracket)
{
    begin(writer);
    assert(writer->depth + 1 < LEVELS);
    writer->depth++;
    writer->has_element &= ~(UINT64_C(1) << writer->depth);
    buf_append_byte(writer->out, (uint8_t)bracket);
}

static void close_level(struct json_writer *writer, char bracket)
{
    assert(writer->depth > 0 && !writer->after_name);
    writer->depth--;
    buf_append_byte(writer->out, (uint8_t)bracket);
}

void json_open_object(struct json_writer *writer)
{
    open_level(writer, '{');
}

void json_close_object(struct json_writer *writer)
{
    close_level(writer, '}');
}

void json_open_array(struct json_writer *writer)
{
    open_level(writer, '[');
}

void json_close_array(struct json_writer *writer)
{
    close_level(writer, ']');
}

void json_name_slice(struct json_writer *writer, struct slice name)
{
    assert(!writer->after_name);
    begin(writer);
    json_append_string(writer->out, name);
    buf_append_byte(writer->out, ':');
    writer->after_name = true;
}

void json_name(struct json_writer *writer, const char *name)
{
    json_name_slice(writer, slice_from_text(name));
}

void json_put_string(struct json_writer *writer, struct slice text)
{
    begin(writer);
    json_append_string(writer->out, text);
}

void json_put_text(struct json_writer *writer, const char *text)
{
    json_put_string(writer, slice_from_text(text));
}

static void append_decimal(struct buf *out, bool negative, uint64_t value)
{
    char digits[20 + 1];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (negative) {
        digits[--at] = '-';
    }
    buf_append(out, digits + at, sizeof digits - at);
}

void json_put_int(struct json_writer *writer, int64_t value)
{
    begin(writer);
    append_decimal(writer->out, value < 0, value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value);
}

void json_put_uint(struct json_writer *writer, uint64_t value)
{
    begin(writer);
    append_decimal(writer->out, false, value);
}

void json_put_double(struct json_writer *writer, double value)
{
    assert(isfinite(value));
    char text[32];
    int size = 0;
    for (int digits = 15; digits <= 17; digits++) {
        size = snprintf(text, sizeof text, "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (back == value) {
            break;
        }
    }
    begin(writer);
    buf_append(writer->out, text, (size_t)size);
}

void json_put_bool(struct json_writer *writer, bool value)
{
    begin(writer);
    buf_append_text(writer->out, value ? "true" : "false");
}

void json_put_null(struct json_writer *writer)
{
    begin(writer);
    buf_append_text(writer->out, "null");
}

void json_put_raw(struct json_writer *writer, struct slice json)
{
    begin(writer);
    buf_append_slice(writer->out, json);
}

static void append_escape(struct buf *out, unsigned char byte)
{
    static const char SHORT[][2] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                                    {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};
    for (size_t i = 0; i < sizeof SHORT / sizeof SHORT[0]; i++) {
        if ((unsigned char)SHORT[i][0] == byte) {
            const char pair[2] = {'\\', SHORT[i][1]};
            buf_append(out, pair, sizeof pair);
            return;
        }
    }
    static const char HEX[] = "0123456789abcdef";
    const char escape[6] = {'\\', 'u', '0', '0', HEX[byte >> 4], HEX[byte & 15]};
    buf_append(out, escape, sizeof escape);
}

#ifdef __SSE2__

/* How many bytes from the start need no escape, in whole lanes; the lane that needs one is not counted. */
static size_t plain_lanes(const char *bytes, size_t size)
{
    const __m128i last_control = _mm_set1_epi8(0x1F);
    size_t at = 0;
    for (; size - at >= sizeof(__m128i); at += sizeof(__m128i)) {
        __m128i lane = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(lane, last_control), lane);
        __m128i marks =
            _mm_or_si128(_mm_cmpeq_epi8(lane, _mm_set1_epi8('"')), _mm_cmpeq_epi8(lane, _mm_set1_epi8('\\')));
        if (_mm_movemask_epi8(_mm_or_si128(controls, marks)) != 0) {
            break;
        }
    }
    return at;
}

#else

static size_t plain_lanes(const char *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    return 0;
}

#endif

void json_append_escaped(struct buf *out, struct slice text)
{
    size_t done = 0;
    for (size_t i = plain_lanes(text.data, text.size); i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte < ' ' || byte == '"' || byte == '\\') {
            buf_append(out, text.data + done, i - done);
            append_escape(out, byte);
            done = i + 1;
        }
    }
    if (done < text.size) {
        buf_append(out, text.data + done, text.size - done);
    }
}

void json_append_string(struct buf *out, struct slice text)
{
    buf_append_byte(out, '"');
    json_append_escaped(out, text);
    buf_append_byte(out, '"');
}
