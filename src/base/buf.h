/*
 * A growing byte buffer that remembers its first failure: after it every append does nothing, and
 * buf_error returns the code, so composing needs no check in the middle.
 * Not thread-safe: one owner at a time. What every customer is composed with is inline: an append that finds
 * room is a few comparisons and a copy.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdint.h>

#include "base/slice.h"

struct buf {
    char *data;
    size_t size;
    size_t capacity;
    size_t limit_bytes;
    int error;
};

/* Empty buffer that may grow to `limit_bytes`; 0 means no limit. Takes no memory yet. */
void buf_init(struct buf *buf, size_t limit_bytes);

/* Frees the memory; the buffer is empty again and may be used again. */
void buf_fini(struct buf *buf);

/* Empties it and forgets the failure; keeps the memory. */
void buf_clear(struct buf *buf);

/* buf_extend and buf_append when there is not simply room. */
void *buf_extend_slowly(struct buf *buf, size_t size);
void buf_append_slowly(struct buf *buf, const void *bytes, size_t size);

static inline bool buf_has_room(const struct buf *buf, size_t size)
{
    bool allowed = buf->limit_bytes == 0 || size <= buf->limit_bytes - buf->size;
    return buf->error == 0 && allowed && size <= buf->capacity - buf->size;
}

/* Room for `size` more bytes at the end, to be filled by the caller; NULL (sticky) without memory.
 * The size counts at once. */
static inline void *buf_extend(struct buf *buf, size_t size)
{
    if (!buf_has_room(buf, size)) {
        return buf_extend_slowly(buf, size);
    }
    buf->size += size;
    return buf->data + buf->size - size;
}

static inline void buf_append(struct buf *buf, const void *bytes, size_t size)
{
    if (size == 0 || !buf_has_room(buf, size)) {
        buf_append_slowly(buf, bytes, size);
        return;
    }
    memcpy(buf->data + buf->size, bytes, size);
    buf->size += size;
}

static inline void buf_append_slice(struct buf *buf, struct slice bytes)
{
    buf_append(buf, bytes.data, bytes.size);
}

static inline void buf_append_byte(struct buf *buf, uint8_t byte)
{
    buf_append(buf, &byte, 1);
}

void buf_append_text(struct buf *buf, const char *text);
/* Little-endian integers. */
void buf_append_u16(struct buf *buf, uint16_t value);
void buf_append_u32(struct buf *buf, uint32_t value);
void buf_append_u64(struct buf *buf, uint64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes sure `size` more bytes fit without growing, uncounted: padding behind the end. */
int buf_reserve(struct buf *buf, size_t size);

/* Remembers a failure of what was to be appended, a part that was composed in a buffer of its own; 0: none. */
void buf_fail(struct buf *buf, int error);

/* 0, or the first failure (ERR_NO_MEMORY, ERR_TOO_LARGE). */
int buf_error(const struct buf *buf);

static inline struct slice buf_view(const struct buf *buf)
{
    return (struct slice){buf->data, buf->size};
}

#endif
