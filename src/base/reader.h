/*
 * A cursor over bytes of a binary format, the reading twin of buf: the first read past the end is
 * remembered, every later one returns zeros, and reader_error says so at the end.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stdint.h>

#include "base/slice.h"

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

void reader_init(struct reader *reader, struct slice bytes);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
/* A view of the next `size` bytes; SLICE_NONE past the end. */
struct slice reader_bytes(struct reader *reader, size_t size);
/* Copies `size` bytes to `to`; zeros past the end. */
void reader_copy(struct reader *reader, void *to, size_t size);
size_t reader_left(const struct reader *reader);
/* 0, or ERR_CORRUPT when a read passed the end. */
int reader_error(const struct reader *reader);

#endif
