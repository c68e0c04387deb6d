/*
 * UUIDs as 16 bytes in network order, and version 7 of them (RFC 9562 section 5.7): 48 bits of
 * milliseconds, then a counter, so that a generator's ids sort in the order they were made.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdint.h>

#include "base/slice.h"

#define UUID_BYTES      16
#define UUID_TEXT_BYTES 36

struct uuid {
    uint8_t bytes[UUID_BYTES];
};

/* Makes version 7 ids: strictly growing, also when the clock stands or steps back. Not thread-safe. */
struct uuid_maker {
    uint64_t last_ms;
    uint64_t counter; /* 62 bits: 12 of rand_a's place and the upper part of rand_b's */
};

/* Next id. `random` is fresh randomness for the low bits and a new millisecond's counter. */
struct uuid uuid_make(struct uuid_maker *maker, uint64_t now_ms, uint64_t random);

/* Sets `count` ids aside: the maker returned makes them, when called that often with a clock of 0, and they sort
 * behind all ids made before and before all made after. For a thread that makes many without the
 * lock of the shared maker. */
struct uuid_maker uuid_reserve(struct uuid_maker *maker, uint64_t now_ms, uint64_t random, uint64_t count);

void uuid_to_text(const struct uuid *uuid, char text[UUID_TEXT_BYTES + 1]);
/* Accepts the 36 character form, either case. False when it is no UUID. */
bool uuid_from_text(struct slice text, struct uuid *uuid);
bool uuid_is_zero(const struct uuid *uuid);

static inline bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, UUID_BYTES) == 0;
}

static inline int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, UUID_BYTES);
}

static inline struct slice uuid_view(const struct uuid *uuid)
{
    return slice_make(uuid->bytes, UUID_BYTES);
}

/* Milliseconds since 1970 that a version 7 id carries. */
uint64_t uuid_time_ms(const struct uuid *uuid);

#endif
