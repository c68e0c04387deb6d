/*
 * Version 7 layout used here (RFC 9562 section 6.2, method 1, a counter in rand_a and the top of
 * rand_b):
 *   48 bits  milliseconds
 *    4 bits  version 7
 *   12 bits  counter, high part
 *    2 bits  variant 10
 *   30 bits  counter, low part
 *   32 bits  random
 * A new millisecond starts the 42-bit counter at a random value below 2^41, so that two makers
 * rarely meet and 2^41 ids fit behind it; a clock that stands or steps back keeps the last
 * millisecond and counts on.
 */
#include "base/uuid.h"

#define COUNTER_BITS       42
#define COUNTER_START_MASK ((1ull << (COUNTER_BITS - 1)) - 1)

struct uuid_maker uuid_reserve(struct uuid_maker *maker, uint64_t now_ms, uint64_t random, uint64_t count)
{
    if (now_ms > maker->last_ms) {
        maker->last_ms = now_ms;
        maker->counter = (random >> 20) & COUNTER_START_MASK;
    } else if ((maker->counter + count) >> COUNTER_BITS != 0) {
        maker->last_ms++;
        maker->counter = 0;
    }
    struct uuid_maker reserved = *maker;
    maker->counter += count;
    return reserved;
}

struct uuid uuid_make(struct uuid_maker *maker, uint64_t now_ms, uint64_t random)
{
    if (now_ms > maker->last_ms) {
        maker->last_ms = now_ms;
        maker->counter = (random >> 20) & COUNTER_START_MASK;
    } else if (++maker->counter >> COUNTER_BITS != 0) {
        maker->last_ms++;
        maker->counter = 0;
    }
    uint64_t high = maker->last_ms << 16 | 0x7000u | maker->counter >> 30;
    uint64_t low = 0x8000000000000000ull | (maker->counter & 0x3FFFFFFFull) << 32 | (random & 0xFFFFFFFFull);
    struct uuid uuid;
    for (int i = 0; i < 8; i++) {
        uuid.bytes[i] = (uint8_t)(high >> (56 - 8 * i));
        uuid.bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    return uuid;
}

void uuid_to_text(const struct uuid *uuid, char text[UUID_TEXT_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    char *out = text;
    for (int i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *out++ = '-';
        }
        *out++ = digits[uuid->bytes[i] >> 4];
        *out++ = digits[uuid->bytes[i] & 15];
    }
    *out = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool uuid_from_text(struct slice text, struct uuid *uuid)
{
    if (text.size != UUID_TEXT_BYTES) {
        return false;
    }
    size_t at = 0;
    for (int i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            if (text.data[at++] != '-') {
                return false;
            }
        }
        int high = hex_value(text.data[at]);
        int low = hex_value(text.data[at + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        uuid->bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}

bool uuid_is_zero(const struct uuid *uuid)
{
    static const struct uuid zero;
    return uuid_equal(uuid, &zero);
}

uint64_t uuid_time_ms(const struct uuid *uuid)
{
    uint64_t ms = 0;
    for (int i = 0; i < 6; i++) {
        ms = ms << 8 | uuid->bytes[i];
    }
    return ms;
}
