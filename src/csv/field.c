/*
 * One field of a row. The splitter has already refused quotes that stand wrong, but a row may come from elsewhere, so
 * everything is looked at again; it costs nothing, because every byte is looked at anyway.
 */
#include "csv/csv_priv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const char *read_quoted(const char **at, const char *end, struct csv_field *field)
{
    const char *opening = (*at)++;
    field->verbatim = false;
    const char *start = *at;
    field->form = CSV_QUOTED;
    for (;;) {
        const char *quote = *at == end ? NULL : memchr(*at, '"', (size_t)(end - *at));
        if (quote == NULL) {
            *at = opening;
            return "This quote is never closed. Close it.";
        }
        *at = quote + 1;
        if (*at == end || **at == ',') {
            field->text = slice_make(start, (size_t)(quote - start));
            return NULL;
        }
        if (**at != '"') {
            return "Something stands behind the closing quote of a field. A quote within a quoted field is written "
                   "twice.";
        }
        field->form = CSV_DOUBLED;
        (*at)++;
    }
}

/* What ends a plain field, or is wrong in one. */
static inline bool is_end(char byte)
{
    return byte == ',' || byte == '"';
}

/* What JSON writes with an escape; a quote is none of a plain field's bytes. */
static inline bool is_escaped(char byte)
{
    return (unsigned char)byte < ' ' || byte == '\\';
}

#ifdef __SSE2__

/* Goes on from `at` by whole lanes, to a field's end or to less than a lane before the row's. */
static inline const char *pass_lanes(const char *at, const char *end, bool *verbatim)
{
    const __m128i last_control = _mm_set1_epi8(0x1F);
    while ((size_t)(end - at) >= sizeof(__m128i)) {
        __m128i lane = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(lane, _mm_set1_epi8(',')), _mm_cmpeq_epi8(lane, _mm_set1_epi8('"')));
        __m128i escaped = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(lane, last_control), lane),
                                       _mm_cmpeq_epi8(lane, _mm_set1_epi8('\\')));
        unsigned end_bits = (unsigned)_mm_movemask_epi8(ends);
        unsigned before = end_bits ^ (end_bits - 1); /* up to the first end; all when there is none */
        *verbatim = *verbatim && ((unsigned)_mm_movemask_epi8(escaped) & before) == 0;
        if (end_bits != 0) {
            return at + __builtin_ctz(end_bits);
        }
        at += sizeof(__m128i);
    }
    return at;
}

#else

static inline const char *pass_lanes(const char *at, const char *end, bool *verbatim)
{
    (void)end;
    (void)verbatim;
    return at;
}

#endif

const char *csv_field_read(const char **at, const char *end, struct csv_field *field)
{
    if (*at < end && **at == '"') {
        return read_quoted(at, end, field);
    }
    const char *start = *at;
    bool verbatim = true;
    const char *next = pass_lanes(start, end, &verbatim);
    for (; next < end && !is_end(*next); next++) {
        verbatim = verbatim && !is_escaped(*next);
    }
    *at = next;
    if (next < end && *next == '"') {
        return "A quote stands in a field that does not begin with one. Put the whole field in quotes and write each "
               "quote in it twice.";
    }
    field->form = next == start ? CSV_ABSENT : CSV_PLAIN;
    field->verbatim = verbatim;
    field->text = slice_make(start, (size_t)(next - start));
    return NULL;
}

struct slice csv_field_part(struct slice text, struct slice *rest)
{
    const char *quote = memchr(text.data, '"', text.size);
    if (quote == NULL) {
        *rest = SLICE_NONE;
        return text;
    }
    size_t size = (size_t)(quote - text.data) + 1;
    *rest = slice_from(text, size + 1);
    return slice_make(text.data, size);
}

void csv_row_error(struct slice row, size_t offset, const char *reason, struct json_error *error)
{
    *error = (struct json_error){.reason = reason, .offset = offset, .line = 1};
    size_t line_start = 0;
    for (size_t i = 0; i < offset; i++) {
        bool broken = row.data[i] == '\n' || (row.data[i] == '\r' && (i + 1 == row.size || row.data[i + 1] != '\n'));
        if (broken) {
            error->line++;
            line_start = i + 1;
        }
    }
    error->column = (uint32_t)(offset - line_start) + 1;
}

void csv_append_field(struct buf *out, struct slice text)
{
    bool plain = true;
    for (size_t i = 0; i < text.size && plain; i++) {
        char byte = text.data[i];
        plain = byte != '"' && byte != ',' && byte != '\n' && byte != '\r';
    }
    /* What begins like a byte order mark would be taken for one at the start of a body. */
    if (plain && !slice_starts(text, SLICE("\xEF"))) {
        buf_append_slice(out, text);
        return;
    }
    buf_append_byte(out, '"');
    while (text.size > 0) {
        const char *quote = memchr(text.data, '"', text.size);
        size_t size = quote == NULL ? text.size : (size_t)(quote - text.data) + 1;
        buf_append(out, text.data, size);
        if (quote != NULL) {
            buf_append_byte(out, '"');
        }
        text = slice_from(text, size);
    }
    buf_append_byte(out, '"');
}
