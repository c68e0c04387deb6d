/* The buffer doubles; a failure is remembered in `error` and makes every later append a no-op. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

#define FIRST_BYTES 256u

void buf_init(struct buf *buf, size_t limit_bytes)
{
    *buf = (struct buf){.limit_bytes = limit_bytes};
}

void buf_fini(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->limit_bytes);
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->error = 0;
}

static int grow(struct buf *buf, size_t needed)
{
    size_t capacity = buf->capacity == 0 ? FIRST_BYTES : buf->capacity;
    while (capacity < needed) {
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    }
    char *data = realloc(buf->data, capacity);
    if (data == NULL) {
        buf->error = ERR_NO_MEMORY;
        return buf->error;
    }
    buf->data = data;
    buf->capacity = capacity;
    return 0;
}

int buf_reserve(struct buf *buf, size_t size)
{
    if (buf->error != 0) {
        return buf->error;
    }
    if (size > SIZE_MAX - buf->size) {
        buf->error = ERR_NO_MEMORY;
        return buf->error;
    }
    return buf->size + size <= buf->capacity ? 0 : grow(buf, buf->size + size);
}

void *buf_extend_slowly(struct buf *buf, size_t size)
{
    if (buf->error == 0 && buf->limit_bytes != 0 && size > buf->limit_bytes - buf->size) {
        buf->error = ERR_TOO_LARGE;
    }
    if (buf_reserve(buf, size) != 0) {
        return NULL;
    }
    char *end = buf->data + buf->size;
    buf->size += size;
    return end;
}

void buf_append_slowly(struct buf *buf, const void *bytes, size_t size)
{
    void *end = size == 0 ? NULL : buf_extend_slowly(buf, size);
    if (end != NULL) {
        memcpy(end, bytes, size);
    }
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

static void append_little_endian(struct buf *buf, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    buf_append(buf, bytes, size);
}

void buf_append_u16(struct buf *buf, uint16_t value)
{
    append_little_endian(buf, value, 2);
}

void buf_append_u32(struct buf *buf, uint32_t value)
{
    append_little_endian(buf, value, 4);
}

void buf_append_u64(struct buf *buf, uint64_t value)
{
    append_little_endian(buf, value, 8);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(size >= 0);
    /* vsnprintf writes a NUL, which does not count. */
    if (buf_reserve(buf, (size_t)size + 1) != 0) {
        return;
    }
    char *end = buf_extend(buf, (size_t)size);
    if (end != NULL) {
        va_start(args, format);
        vsnprintf(end, (size_t)size + 1, format, args);
        va_end(args);
    }
}

void buf_fail(struct buf *buf, int error)
{
    if (buf->error == 0) {
        buf->error = error;
    }
}

int buf_error(const struct buf *buf)
{
    return buf->error;
}
