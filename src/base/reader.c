/* Reading past the end sets `failed`, moves to the end and gives zeros. */
#include "base/reader.h"

#include "base/err.h"

void reader_init(struct reader *reader, struct slice bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    *reader = (struct reader){.at = at, .end = bytes.size == 0 ? at : at + bytes.size};
}

struct slice reader_bytes(struct reader *reader, size_t size)
{
    if (size > reader_left(reader)) {
        reader->failed = true;
        reader->at = reader->end;
        return SLICE_NONE;
    }
    struct slice bytes = slice_make(reader->at, size);
    if (size > 0) {
        reader->at += size;
    }
    return bytes;
}

void reader_copy(struct reader *reader, void *to, size_t size)
{
    struct slice bytes = reader_bytes(reader, size);
    if (bytes.size == size && size > 0) {
        memcpy(to, bytes.data, size);
    } else {
        memset(to, 0, size);
    }
}

static uint64_t little_endian(struct reader *reader, size_t size)
{
    uint8_t bytes[8] = {0};
    reader_copy(reader, bytes, size);
    uint64_t value = 0;
    for (size_t i = size; i > 0; i--) {
        value = value << 8 | bytes[i - 1];
    }
    return value;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)little_endian(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
    return (uint16_t)little_endian(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)little_endian(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
    return little_endian(reader, 8);
}

size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

int reader_error(const struct reader *reader)
{
    return reader->failed ? ERR_CORRUPT : 0;
}
