/*
 * The splitter's hot loop: how far an object or array reaches, 64 bytes at a step. Each block
 * becomes masks with a bit a byte: quotes that no backslash escapes, brackets, and, as the running
 * exclusive-or of the quotes, what lies within strings. Only brackets outside of strings are then
 * looked at one by one: their kinds must match, or a wrong item could take others with it and shift
 * the index of all that follow. What crosses a block (or a piece of the body) is one bit each: within
 * a string, and behind a backslash.
 */
#include "base/limits.h"
#include "json/json_priv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK 64u

_Static_assert(LIMIT_DEPTH <= 64, "json_span keeps the kinds of the open brackets in 64 bits");

struct masks {
    uint64_t quotes;
    uint64_t backslashes;
    uint64_t brackets;
};

#ifdef __SSE2__

#define LANE 16u

static uint64_t equal_mask(__m128i bytes, char byte, unsigned shift)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte))) << shift;
}

static inline struct masks masks_of(const char *block)
{
    struct masks masks = {0, 0, 0};
    for (unsigned lane = 0; lane < BLOCK; lane += LANE) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + lane));
        masks.quotes |= equal_mask(bytes, '"', lane);
        masks.backslashes |= equal_mask(bytes, '\\', lane);
        /* [ and { differ in one bit, ] and } in the same one; nothing else becomes { or } by it. */
        __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        __m128i either =
            _mm_or_si128(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')), _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
        masks.brackets |= (uint64_t)(unsigned)_mm_movemask_epi8(either) << lane;
    }
    return masks;
}

static size_t count_lines_in_lanes(const char **at, const char *end)
{
    const __m128i feed = _mm_set1_epi8('\n');
    size_t count = 0;
    while ((size_t)(end - *at) >= BLOCK) {
        /* A byte of the sum counts four lanes at a time and may not pass 255. */
        __m128i sum = _mm_setzero_si128();
        for (unsigned i = 0; i < 63 && (size_t)(end - *at) >= BLOCK; i++, *at += BLOCK) {
            for (unsigned lane = 0; lane < BLOCK; lane += LANE) {
                __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(*at + lane));
                sum = _mm_sub_epi8(sum, _mm_cmpeq_epi8(bytes, feed));
            }
        }
        __m128i halves = _mm_sad_epu8(sum, _mm_setzero_si128());
        count += (size_t)_mm_cvtsi128_si32(halves) + (size_t)_mm_extract_epi16(halves, 4);
    }
    return count;
}

#else

static struct masks masks_of(const char *block)
{
    struct masks masks = {0, 0, 0};
    for (unsigned i = 0; i < BLOCK; i++) {
        char folded = (char)(block[i] | 0x20);
        masks.quotes |= (uint64_t)(block[i] == '"') << i;
        masks.backslashes |= (uint64_t)(block[i] == '\\') << i;
        masks.brackets |= (uint64_t)(folded == '{' || folded == '}') << i;
    }
    return masks;
}

static size_t count_lines_in_lanes(const char **at, const char *end)
{
    (void)at;
    (void)end;
    return 0;
}

#endif

size_t json_count_lines(const char *at, const char *end)
{
    size_t count = count_lines_in_lanes(&at, end);
    for (; at < end; at++) {
        count += *at == '\n';
    }
    return count;
}

/* The bytes that a backslash escapes. A backslash that is itself escaped escapes nothing. Carries
 * whether the byte behind the `size` bytes of the block is escaped. */
static inline uint64_t escaped_bytes(struct json_span *span, uint64_t backslashes, unsigned size)
{
    uint64_t escaped = span->escaped;
    uint64_t left = backslashes & ~escaped;
    uint64_t carry = 0;
    while (left != 0) {
        unsigned at = (unsigned)__builtin_ctzll(left);
        uint64_t next = at + 1 < BLOCK ? UINT64_C(1) << (at + 1) : 0;
        carry = at + 1 == size;
        escaped |= next;
        left &= ~next & (left - 1);
    }
    span->escaped = carry;
    return escaped;
}

/* Bit i is the exclusive-or of the bits 0 to i. */
static inline uint64_t running_xor(uint64_t bits)
{
    for (unsigned shift = 1; shift < 64; shift *= 2) {
        bits ^= bits << shift;
    }
    return bits;
}

/* One bracket outside of strings. A backslash there is no JSON, and would hide quotes from us. */
static inline enum json_span_result take_bracket(struct json_span *span, char bracket)
{
    if (bracket == '\\') {
        return JSON_SPAN_MISMATCH;
    }
    uint64_t object = (unsigned char)bracket >> 5 & 1; /* the bit in which braces and brackets differ */
    if ((bracket & 0x06) == 0x02) {                    /* [ and {: 0x5B 0x7B; ] and }: 0x5D 0x7D */
        if (span->depth == LIMIT_DEPTH) {
            return JSON_SPAN_TOO_DEEP;
        }
        span->depth++;
        span->kinds = span->kinds << 1 | object;
        return JSON_SPAN_OPEN;
    }
    if ((span->kinds & 1) != object) {
        return JSON_SPAN_MISMATCH;
    }
    span->kinds >>= 1;
    span->depth--;
    return span->depth == 0 ? JSON_SPAN_CLOSED : JSON_SPAN_OPEN;
}

/* `size`: bytes of the block that are the text's; what follows them in it are spaces. *used tells
 * where it stopped. */
static inline enum json_span_result run_block(struct json_span *span, const char *block, unsigned size, unsigned *used)
{
    struct masks masks = masks_of(block);
    if ((masks.backslashes | span->escaped) != 0) {
        masks.quotes &= ~escaped_bytes(span, masks.backslashes, size);
    }
    uint64_t within = running_xor(masks.quotes) ^ span->in_string;
    span->in_string = UINT64_C(0) - (within >> 63);
    for (uint64_t left = (masks.brackets | masks.backslashes) & ~within; left != 0; left &= left - 1) {
        unsigned at = (unsigned)__builtin_ctzll(left);
        enum json_span_result result = take_bracket(span, block[at]);
        if (result != JSON_SPAN_OPEN) {
            *used = result == JSON_SPAN_CLOSED ? at + 1 : at;
            return result;
        }
    }
    *used = size;
    return JSON_SPAN_OPEN;
}

enum json_span_result json_span_run(struct json_span *span, const char **at, const char *end)
{
    unsigned used = 0;
    while ((size_t)(end - *at) >= BLOCK) {
        enum json_span_result result = run_block(span, *at, BLOCK, &used);
        *at += used;
        if (result != JSON_SPAN_OPEN) {
            return result;
        }
    }
    if (*at == end) {
        return JSON_SPAN_OPEN;
    }
    char last[BLOCK];
    unsigned size = (unsigned)(end - *at);
    memset(last, ' ', sizeof last);
    memcpy(last, *at, size);
    enum json_span_result result = run_block(span, last, size, &used);
    *at += used;
    return result;
}
