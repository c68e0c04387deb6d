/*
 * What the files of this room share and nobody else may use: the strict scanner that knows places, the tape's way back
 * to the text, and the splitter's fast span.
 */
#ifndef JSON_JSON_PRIV_H
#define JSON_JSON_PRIV_H

#include "json/json.h"

/* No limit on depth may be greater: recursion over a tape and the scanner's stack count on it. */
#define JSON_DEPTH_MAX 1024u

/* ---- scan.c ---- */

/* Strict RFC 8259 by hand: slow, but it knows the place. 0 or ERR_MALFORMED_JSON. Knows the limit on
 * depth, not the others, and not duplicates. */
int json_scan(struct slice text, const struct json_limits *limits, struct json_error *error) MUST_CHECK;
/* Sets line and column of an offset of the text, and the reason. */
void json_error_set(struct json_error *error, struct slice text, size_t offset, const char *reason);
/* Decodes what stands between the quotes of a string; bad escapes are left out. */
void json_decode_string(struct slice raw, struct buf *out);

/* ---- tape.c ---- */

/* A position on the tape together with its token in the text. */
struct json_cursor {
    json_at at;
    uint32_t token;
};

/* Moves forward to `target`; the cursor starts as {1, 0}. At an end of text the token is the count. */
void json_cursor_move(const struct json_doc *doc, struct json_cursor *cursor, json_at target);
/* Offset in the text of what stands at `at`. Walks from the start: for failures only. */
size_t json_offset_of(const struct json_doc *doc, json_at at);

/* First byte of a token; 0 past the last. */
static inline char json_token_byte(const struct json_doc *doc, uint32_t token)
{
    return token < doc->structural_count ? doc->text.data[doc->structurals[token]] : '\0';
}

/* White space of JSON, seen from outside of any string of a valid text. */
static inline bool json_is_space(char byte)
{
    return (unsigned char)byte <= ' ';
}

/* The first up to eight bytes as a little-endian number, zeros behind the end. Reads eight bytes:
 * for names in a tape's string buffer, which has room behind. */
static inline uint64_t json_name_head(const char *name, size_t size)
{
    uint64_t head;
    memcpy(&head, name, sizeof head);
    return size >= sizeof head ? head : head & ((UINT64_C(1) << (8 * size)) - 1);
}

/* ---- span.c ---- */

/* How far the splitter is within an item that is an object or an array. */
struct json_span {
    uint64_t kinds;     /* a bit per open bracket, the innermost lowest: 1 is an object */
    uint64_t in_string; /* all ones within a string */
    uint64_t escaped;   /* 1: the next byte is escaped by a backslash */
    uint32_t depth;
};

enum json_span_result { JSON_SPAN_OPEN, JSON_SPAN_CLOSED, JSON_SPAN_MISMATCH, JSON_SPAN_TOO_DEEP };

/* Goes on from *at: to the end (open), behind the bracket that closes the item (closed), or to the
 * bracket that is wrong. */
enum json_span_result json_span_run(struct json_span *span, const char **at, const char *end);

/* Counts the line feeds. */
size_t json_count_lines(const char *at, const char *end);

#endif
