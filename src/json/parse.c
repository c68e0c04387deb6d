/*
 * Parsing one text: simdjson makes the tape, one walk over it checks what simdjson does not: names
 * that stand twice, and our limits. The difficulty is to look at every name of every customer in a
 * fraction of what the parse took, and to be no slower than that when a hostile text has a thousand
 * names that hash alike:
 *   - an object of up to SORT_FROM members has a bloom filter of 256 bits; only a name whose bit is
 *     already set is compared with those before it, of which there are few;
 *   - a larger one has its names sorted, which no choice of names makes slow.
 * Places are found on the failure path only, by scan.c and json_offset_of.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "json/json_priv.h"
#include "json/kernel_priv.h"

#define SORT_FROM   32u
#define BLOOM_WORDS 4

const struct json_limits JSON_LIMITS_DEFAULT = {LIMIT_DEPTH, LIMIT_MEMBERS, LIMIT_STRING_BYTES};

static const char TWICE[] = "This member stands twice in its object. Send each name once.";
static const char TOO_DEEP[] = "Arrays and objects are nested deeper than the limit. Send a flatter value.";
static const char TOO_MANY[] = "This object has more members than the limit. Send fewer.";
static const char TOO_LONG[] = "This string is longer than the limit. Shorten it.";
static const char TOO_LARGE[] = "The text is larger than the limit of one value. Split it or drop what is not needed.";
static const char REFUSED[] = "The text is not valid JSON (RFC 8259). Check it with a JSON validator.";

struct named {
    struct slice name;
    json_at at;
};

struct json_parser {
    struct json_kernel *kernel;
    size_t capacity_bytes;
    struct named *named; /* room to sort a large object's names */
    size_t named_count;
};

/* One walk over a tape. */
struct check {
    const struct json_doc *doc;
    const struct json_limits *limits;
    struct json_parser *parser;
    bool strings_may_pass; /* the text is long enough to hold a string beyond the limit */
    json_at refused;
    const char *reason;
};

struct json_parser *json_parser_new(size_t capacity_bytes)
{
    struct json_parser *parser = calloc(1, sizeof *parser);
    if (parser == NULL) {
        return NULL;
    }
    parser->capacity_bytes = capacity_bytes;
    parser->kernel = json_kernel_new(capacity_bytes, JSON_DEPTH_MAX);
    if (parser->kernel == NULL) {
        json_parser_free(&parser);
    }
    return parser;
}

void json_parser_free(struct json_parser **parser)
{
    if (*parser == NULL) {
        return;
    }
    json_kernel_free((*parser)->kernel);
    free((*parser)->named);
    free(*parser);
    *parser = NULL;
}

/* The walk's functions return the next position, or 0: refused, or without a reason no memory. */
static json_at refuse(struct check *check, json_at at, const char *reason)
{
    check->refused = at;
    check->reason = reason;
    return 0;
}

static uint8_t name_hash(struct slice name)
{
    uint64_t mix = json_name_head(name.data, name.size) + name.size * UINT64_C(0x9E3779B97F4A7C15);
    if (name.size > sizeof mix) {
        uint64_t tail;
        memcpy(&tail, name.data + name.size - sizeof tail, sizeof tail);
        mix ^= (tail << 29) | (tail >> 35);
    }
    return (uint8_t)((mix * UINT64_C(0xD6E8FEB86659FD93)) >> 56);
}

static bool stands_before(const struct json_doc *doc, json_at object, json_at name_at, struct slice name)
{
    for (json_at at = json_first(doc, object); at < name_at; at = json_next(doc, json_value_of(at))) {
        if (slice_equal(json_string(doc, at), name)) {
            return true;
        }
    }
    return false;
}

static int compare_named(const void *left, const void *right)
{
    const struct named *a = left;
    const struct named *b = right;
    if (a->name.size != b->name.size) {
        return a->name.size < b->name.size ? -1 : 1;
    }
    int order = memcmp(a->name.data, b->name.data, a->name.size);
    return order != 0 ? order : (a->at < b->at ? -1 : 1);
}

static bool make_room(struct json_parser *parser, size_t count)
{
    if (count <= parser->named_count) {
        return true;
    }
    struct named *named = reallocarray(parser->named, count, sizeof *named);
    if (named == NULL) {
        return false;
    }
    parser->named = named;
    parser->named_count = count;
    return true;
}

/* False when refused. */
static bool sort_names(struct check *check, json_at object, size_t count)
{
    const struct json_doc *doc = check->doc;
    if (!make_room(check->parser, count)) {
        return refuse(check, object, NULL) != 0;
    }
    struct named *named = check->parser->named;
    size_t used = 0;
    for (json_at at = json_first(doc, object); !json_is_end(doc, at); at = json_next(doc, json_value_of(at))) {
        named[used++] = (struct named){json_string(doc, at), at};
    }
    qsort(named, used, sizeof *named, compare_named);
    json_at first = 0;
    for (size_t i = 1; i < used; i++) {
        if (slice_equal(named[i - 1].name, named[i].name) && (first == 0 || named[i].at < first)) {
            first = named[i].at;
        }
    }
    return first == 0 || refuse(check, first, TWICE) != 0;
}

static json_at check_value(struct check *check, json_at at, uint32_t depth);

static json_at check_array(struct check *check, json_at array, uint32_t depth)
{
    json_at at = json_first(check->doc, array);
    while (at != 0 && !json_is_end(check->doc, at)) {
        at = check_value(check, at, depth);
    }
    return at == 0 ? 0 : at + 1;
}

static json_at check_object(struct check *check, json_at object, uint32_t depth)
{
    const struct json_doc *doc = check->doc;
    uint32_t count = (uint32_t)(doc->tape[object] >> 32) & 0xFFFFFFu;
    if (count > check->limits->members) {
        return refuse(check, object, TOO_MANY);
    }
    if (count > SORT_FROM && !sort_names(check, object, count)) {
        return 0;
    }
    uint64_t bloom[BLOOM_WORDS] = {0};
    json_at at = json_first(doc, object);
    while (!json_is_end(doc, at)) {
        struct slice name = json_string(doc, at);
        if (check->strings_may_pass && name.size > check->limits->string_bytes) {
            return refuse(check, at, TOO_LONG);
        }
        uint8_t hash = name_hash(name);
        uint64_t bit = UINT64_C(1) << (hash & 63);
        uint64_t *word = &bloom[hash >> 6];
        if (count <= SORT_FROM && (*word & bit) != 0 && stands_before(doc, object, at, name)) {
            return refuse(check, at, TWICE);
        }
        *word |= bit;
        at = json_value_of(at);
        if (json_tag(doc, at) == '"' && !check->strings_may_pass) {
            at++; /* most values: spared the call */
            continue;
        }
        at = check_value(check, at, depth);
        if (at == 0) {
            return 0;
        }
    }
    return at + 1;
}

static json_at check_value(struct check *check, json_at at, uint32_t depth)
{
    switch (json_tag(check->doc, at)) {
    case '{':
    case '[':
        if (depth == check->limits->depth) {
            return refuse(check, at, TOO_DEEP);
        }
        return json_tag(check->doc, at) == '{' ? check_object(check, at, depth + 1) : check_array(check, at, depth + 1);
    case '"':
        if (check->strings_may_pass && json_string(check->doc, at).size > check->limits->string_bytes) {
            return refuse(check, at, TOO_LONG);
        }
        return at + 1;
    default:
        return json_next(check->doc, at);
    }
}

static bool parse_fast(struct json_parser *parser, struct slice text, struct json_doc *doc)
{
    struct json_kernel_doc made;
    if (text.size == 0 || !json_kernel_parse(parser->kernel, text.data, text.size, &made)) {
        return false;
    }
    *doc = (struct json_doc){made.tape, made.strings, text, made.structurals, made.structural_count};
    return true;
}

static int refuse_malformed(struct slice text, const struct json_limits *limits, struct json_error *error)
{
    if (json_scan(text, limits, error) == 0) {
        json_error_set(error, text, 0, REFUSED);
    }
    return ERR_MALFORMED_JSON;
}

int json_parse(struct json_parser *parser, struct slice text, const struct json_limits *limits, struct json_doc *doc,
               struct json_error *error)
{
    assert(limits->depth <= JSON_DEPTH_MAX);
    if (text.size > parser->capacity_bytes) {
        json_error_set(error, text, parser->capacity_bytes, TOO_LARGE);
        return ERR_MALFORMED_JSON;
    }
    if (!parse_fast(parser, text, doc)) {
        return refuse_malformed(text, limits, error);
    }
    struct check check = {doc, limits, parser, text.size > limits->string_bytes, 0, NULL};
    if (check_value(&check, json_root(doc), 0) != 0) {
        return 0;
    }
    if (check.reason == NULL) {
        return ERR_NO_MEMORY;
    }
    json_error_set(error, text, json_offset_of(doc, check.refused), check.reason);
    return ERR_MALFORMED_JSON;
}
