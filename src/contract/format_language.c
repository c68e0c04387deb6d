/*
 * Language tags, well-formed after RFC 5646 section 2.2.9: the grammar, no variant twice, no
 * extension's singleton twice. The subtags' registry is not asked, so a language nobody speaks fits.
 * The one difficulty is that a subtag's place follows from its length and letters alone, so the
 * parts are taken greedily in their order and what is left over is the error.
 */
#include "contract/format_priv.h"

/* No tag in use comes near (RFC 5646 section 4.4.1 asks for 35); bounds the search for doubles. */
#define TAG_BYTES_MAX 255
#define VARIANTS_MAX  (TAG_BYTES_MAX / 5)

/* Reads a tag subtag by subtag: `word` is the one in hand, `done` says that none is. */
struct subtags {
    struct slice rest;
    struct slice word;
    bool more;
    bool done;
};

static void advance(struct subtags *tags)
{
    size_t size = 0;
    if (!tags->more) {
        tags->done = true;
        tags->word = SLICE_NONE;
        return;
    }
    while (size < tags->rest.size && tags->rest.data[size] != '-')
        size++;
    tags->word = slice_make(tags->rest.data, size);
    tags->more = size < tags->rest.size;
    tags->rest = slice_from(tags->rest, tags->more ? size + 1 : size);
}

static bool is(const struct subtags *tags, unsigned classes, size_t least, size_t most)
{
    return tags->word.size >= least && tags->word.size <= most && format_all(tags->word, classes);
}

static bool is_private(const struct subtags *tags)
{
    return tags->word.size == 1 && (tags->word.data[0] == 'x' || tags->word.data[0] == 'X');
}

/* The tags of section 2.2.8 that break the grammar; the other old ones follow it. */
static bool is_irregular(struct slice text)
{
    static const char *const tags[] = {"en-GB-oed", "i-ami", "i-bnn",     "i-default", "i-enochian", "i-hak",
                                       "i-klingon", "i-lux", "i-mingo",   "i-navajo",  "i-pwn",      "i-tao",
                                       "i-tay",     "i-tsu", "sgn-BE-FR", "sgn-BE-NL", "sgn-CH-DE"};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (slice_equal_nocase(text, slice_from_text(tags[i])))
            return true;
    return false;
}

/* language = 2*3ALPHA ["-" extlang] / 4ALPHA / 5*8ALPHA */
static bool take_language(struct subtags *tags)
{
    bool is_short = is(tags, FORMAT_ALPHA, 2, 3);
    if (!is_short && !is(tags, FORMAT_ALPHA, 4, 8))
        return false;
    advance(tags);
    for (int i = 0; i < 3 && is_short && is(tags, FORMAT_ALPHA, 3, 3); i++)
        advance(tags);
    return true;
}

static void take_script_and_region(struct subtags *tags)
{
    if (is(tags, FORMAT_ALPHA, 4, 4))
        advance(tags);
    if (is(tags, FORMAT_ALPHA, 2, 2) || is(tags, FORMAT_DIGIT, 3, 3))
        advance(tags);
}

static bool is_variant(const struct subtags *tags)
{
    if (is(tags, FORMAT_ALNUM, 4, 4))
        return (format_class(tags->word.data[0]) & FORMAT_DIGIT) != 0;
    return is(tags, FORMAT_ALNUM, 5, 8);
}

static bool take_variants(struct subtags *tags)
{
    struct slice seen[VARIANTS_MAX];
    size_t count = 0;
    for (; is_variant(tags); advance(tags)) {
        for (size_t i = 0; i < count; i++)
            if (slice_equal_nocase(seen[i], tags->word))
                return false;
        seen[count++] = tags->word;
    }
    return true;
}

/* The singleton's bit: digits first, then letters without case. */
static uint64_t singleton_bit(char c)
{
    if ((format_class(c) & FORMAT_DIGIT) != 0)
        return UINT64_C(1) << (c - '0');
    return UINT64_C(1) << (10 + ((c | 0x20) - 'a'));
}

/* extension = singleton 1*("-" (2*8alphanum)), section 2.2.6 */
static bool take_extensions(struct subtags *tags)
{
    uint64_t seen = 0;
    while (is(tags, FORMAT_ALNUM, 1, 1) && !is_private(tags)) {
        uint64_t bit = singleton_bit(tags->word.data[0]);
        advance(tags);
        if ((seen & bit) != 0 || !is(tags, FORMAT_ALNUM, 2, 8))
            return false;
        seen |= bit;
        while (is(tags, FORMAT_ALNUM, 2, 8))
            advance(tags);
    }
    return true;
}

/* privateuse = "x" 1*("-" (1*8alphanum)), section 2.2.7 */
static bool take_private(struct subtags *tags)
{
    if (!is_private(tags))
        return true;
    advance(tags);
    if (tags->done)
        return false;
    while (is(tags, FORMAT_ALNUM, 1, 8))
        advance(tags);
    return true;
}

bool format_language(struct slice text)
{
    struct subtags tags = {.rest = text, .more = true};
    if (text.size == 0 || text.size > TAG_BYTES_MAX)
        return false;
    if (is_irregular(text))
        return true;
    advance(&tags);
    if (!is_private(&tags)) {
        if (!take_language(&tags))
            return false;
        take_script_and_region(&tags);
        if (!take_variants(&tags) || !take_extensions(&tags))
            return false;
    }
    return take_private(&tags) && tags.done;
}
