/*
 * A borrowed run of bytes: pointer and length, never owned, never NUL-terminated.
 * May hold any bytes; the holder of the memory decides how long it lives.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data;
    size_t size;
};

#define SLICE_NONE ((struct slice){NULL, 0})
/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
/* For printf's "%.*s". */
#define SLICE_ARG(s) (int)(s).size, (s).data

static inline struct slice slice_make(const void *data, size_t size)
{
    return (struct slice){(const char *)data, size};
}

/* View of a NUL-terminated text; NULL gives an empty slice. */
static inline struct slice slice_from_text(const char *text)
{
    return (struct slice){text, text == NULL ? 0 : strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool slice_equal_text(struct slice a, const char *text)
{
    return slice_equal(a, slice_from_text(text));
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.size >= prefix.size && (prefix.size == 0 || memcmp(s.data, prefix.data, prefix.size) == 0);
}

/* The bytes from `from` on; from must not pass the end. */
static inline struct slice slice_from(struct slice s, size_t from)
{
    return (struct slice){s.data + from, s.size - from};
}

/* ASCII letters compared without case (header names, RFC 9110 section 5.1). */
bool slice_equal_nocase(struct slice a, struct slice b);

/* Without the spaces and tabs around it (optional white space, RFC 9110 section 5.6.3). */
struct slice slice_trim(struct slice s);

/* Lexicographic order of bytes: negative, 0 or positive. */
int slice_compare(struct slice a, struct slice b);

/* Same bytes, in a time that depends on the lengths only. For secrets. */
bool slice_equal_secret(struct slice a, struct slice b);

#endif
