/*
 * The canonical bytes of a value, for fingerprints. Every value is a tag and what it needs to end
 * itself, so different values never give the same bytes:
 *
 *   n t f                null, true, false
 *   i u d  8 bytes       signed, unsigned beyond the signed, double; little-endian. A double that is
 *                        a whole number within 64 bits is written as i or u: 1, 1.0 and 1e0 are one
 *   s  4 bytes, bytes    size and decoded bytes of a string
 *   [ values ]           in order
 *   { (s value) pairs }  by name: the first eight bytes, then all, then the shorter first
 *
 * The difficulty is speed: the result's bound is known beforehand, so it is written through a plain
 * pointer, and the same reserved room holds, behind the bound, the members of the objects that are
 * being sorted. What an edit puts in is parsed, so that it counts by its meaning too.
 */
#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#include "json/json_priv.h"

/* A short string is copied as this many bytes: the string buffer has 64 bytes behind, and so has
 * the output. */
#define SHORT_COPY 32u
/* Larger objects are left to qsort, which no order of names makes slow. */
#define INSERTION_MAX 24u
/* A number takes 9 bytes for two words of tape, a string 5 and its bytes for one. */
#define WORD_BYTES 5u

struct member {
    uint64_t head; /* the name's first eight bytes as a big-endian number */
    const char *name;
    uint32_t name_size;
    json_at value; /* 0: the edit adds it */
    const struct json_edit *edit;
};

struct canonical {
    const struct json_doc *doc;
    const struct json_edit *edits;
    size_t edit_count;
    char *to;
    struct member *free; /* where the next object's members go */
    int error;
};

static void put_value(struct canonical *canonical, json_at at, const struct json_edit *edit);

static void put_tagged(struct canonical *canonical, char tag, uint64_t value)
{
    *canonical->to = tag;
    memcpy(canonical->to + 1, &value, sizeof value);
    canonical->to += 1 + sizeof value;
}

static void put_double(struct canonical *canonical, double value)
{
    if (value >= -0x1p63 && value < 0x1p63 && (double)(int64_t)value >= value && (double)(int64_t)value <= value) {
        put_tagged(canonical, 'i', (uint64_t)(int64_t)value);
        return;
    }
    if (value >= 0x1p63 && value < 0x1p64) {
        put_tagged(canonical, 'u', (uint64_t)value); /* doubles of this size are whole */
        return;
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_tagged(canonical, 'd', bits);
}

static void put_string_head(struct canonical *canonical, uint32_t size)
{
    *canonical->to = 's';
    memcpy(canonical->to + 1, &size, sizeof size);
    canonical->to += 1 + sizeof size;
}

/* Bytes from anywhere. */
static void put_plain_string(struct canonical *canonical, const char *bytes, uint32_t size)
{
    put_string_head(canonical, size);
    if (size > 0) {
        memcpy(canonical->to, bytes, size);
        canonical->to += size;
    }
}

/* Bytes of the tape's string buffer. */
static void put_tape_string(struct canonical *canonical, const char *bytes, uint32_t size)
{
    put_string_head(canonical, size);
    if (size <= SHORT_COPY) {
        memcpy(canonical->to, bytes, SHORT_COPY);
    } else {
        memcpy(canonical->to, bytes, size);
    }
    canonical->to += size;
}

/* ---- members in order ---- */

static int compare_members(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;
    if (a->head != b->head) {
        return a->head < b->head ? -1 : 1;
    }
    size_t shared = a->name_size < b->name_size ? a->name_size : b->name_size;
    int order = shared == 0 ? 0 : memcmp(a->name, b->name, shared);
    return order != 0 ? order : (a->name_size > b->name_size) - (a->name_size < b->name_size);
}

static void sort_members(struct member *members, size_t count)
{
    if (count > INSERTION_MAX) {
        qsort(members, count, sizeof *members, compare_members);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct member member = members[i];
        size_t to = i;
        while (to > 0 && (member.head < members[to - 1].head ||
                          (member.head == members[to - 1].head && compare_members(&member, &members[to - 1]) < 0))) {
            members[to] = members[to - 1];
            to--;
        }
        members[to] = member;
    }
}

static struct member member_of_edit(const struct json_edit *edit)
{
    char head[8] = {0};
    memcpy(head, edit->name.data, edit->name.size < sizeof head ? edit->name.size : sizeof head);
    return (struct member){__builtin_bswap64(json_name_head(head, sizeof head)), edit->name.data,
                           (uint32_t)edit->name.size, 0, edit};
}

/* The first edit at or behind `at`. */
static size_t edit_from(const struct canonical *canonical, json_at at)
{
    size_t low = 0;
    size_t high = canonical->edit_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (canonical->edits[middle].at < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The edit at `at`, or NULL; *index, which only grows along a container, is moved there. */
static const struct json_edit *edit_at(const struct canonical *canonical, size_t *index, json_at at)
{
    while (*index < canonical->edit_count && canonical->edits[*index].at < at) {
        (*index)++;
    }
    return *index < canonical->edit_count && canonical->edits[*index].at == at ? &canonical->edits[*index] : NULL;
}

static bool drops(const struct json_edit *edit)
{
    return edit != NULL && edit->kind == JSON_EDIT_DROP;
}

/* Collects the object's members at `members`; returns how many. */
static size_t collect(const struct canonical *canonical, json_at object, struct member *members)
{
    const struct json_doc *doc = canonical->doc;
    size_t index = edit_from(canonical, object);
    const struct json_edit *added = edit_at(canonical, &index, object);
    size_t count = 0;
    for (json_at at = json_first(doc, object); !json_is_end(doc, at); at = json_next(doc, json_value_of(at))) {
        const struct json_edit *edit = edit_at(canonical, &index, json_value_of(at));
        if (!drops(edit)) {
            struct slice name = json_string(doc, at);
            members[count++] = (struct member){__builtin_bswap64(json_name_head(name.data, name.size)), name.data,
                                               (uint32_t)name.size, json_value_of(at), edit};
        }
    }
    if (added != NULL && added->kind == JSON_EDIT_ADD) {
        members[count++] = member_of_edit(added);
    }
    return count;
}

/* ---- what an edit puts in ---- */

/* A word, or a string without escapes, needs no parser: the usual replacements. */
static bool put_simple(struct canonical *canonical, struct slice json)
{
    if (slice_equal_text(json, "true") || slice_equal_text(json, "false") || slice_equal_text(json, "null")) {
        *canonical->to++ = json.data[0];
        return true;
    }
    if (json.size < 2 || json.data[0] != '"' || memchr(json.data, '\\', json.size) != NULL) {
        return false;
    }
    const char *close = memchr(json.data + 1, '"', json.size - 1);
    if (close != json.data + json.size - 1) {
        return false;
    }
    put_plain_string(canonical, json.data + 1, (uint32_t)json.size - 2);
    return true;
}

static void put_parsed(struct canonical *canonical, struct json_parser *parser, struct slice padded)
{
    struct json_doc doc;
    struct json_error error;
    const struct json_limits limits = {JSON_DEPTH_MAX, UINT32_MAX, UINT32_MAX};
    int err = json_parse(parser, padded, &limits, &doc, &error);
    assert(err == 0 || err == ERR_NO_MEMORY); /* an edit is our own JSON */
    if (err != 0) {
        canonical->error = err;
        return;
    }
    struct canonical inner = {.doc = &doc, .to = canonical->to, .free = canonical->free};
    put_value(&inner, json_root(&doc), NULL);
    canonical->to = inner.to;
}

static void put_json(struct canonical *canonical, struct slice json)
{
    if (put_simple(canonical, json)) {
        return;
    }
    struct json_parser *parser = json_parser_new(json.size);
    char *padded = calloc(1, json.size + JSON_PADDING);
    if (parser == NULL || padded == NULL) {
        canonical->error = ERR_NO_MEMORY;
    } else {
        memcpy(padded, json.data, json.size);
        put_parsed(canonical, parser, slice_make(padded, json.size));
    }
    free(padded);
    json_parser_free(&parser);
}

/* ---- values ---- */

static void put_object(struct canonical *canonical, json_at object)
{
    struct member *members = canonical->free;
    size_t count = collect(canonical, object, members);
    sort_members(members, count);
    canonical->free = members + count;
    *canonical->to++ = '{';
    for (size_t i = 0; i < count; i++) {
        if (members[i].value == 0) {
            put_plain_string(canonical, members[i].name, members[i].name_size);
        } else {
            put_tape_string(canonical, members[i].name, members[i].name_size);
        }
        put_value(canonical, members[i].value, members[i].edit);
    }
    *canonical->to++ = '}';
    canonical->free = members;
}

static void put_array(struct canonical *canonical, json_at array)
{
    size_t index = edit_from(canonical, array);
    *canonical->to++ = '[';
    for (json_at at = json_first(canonical->doc, array); !json_is_end(canonical->doc, at);
         at = json_next(canonical->doc, at)) {
        const struct json_edit *edit = edit_at(canonical, &index, at);
        if (!drops(edit)) {
            put_value(canonical, at, edit);
        }
    }
    *canonical->to++ = ']';
}

/* `edit`: the one at this value (or the one that adds it), if any. */
static void put_value(struct canonical *canonical, json_at at, const struct json_edit *edit)
{
    if (at == 0 || (edit != NULL && edit->kind == JSON_EDIT_REPLACE)) {
        put_json(canonical, edit->json);
        return;
    }
    const struct json_doc *doc = canonical->doc;
    char tag = json_tag(doc, at);
    switch (tag) {
    case '{':
        put_object(canonical, at);
        break;
    case '[':
        put_array(canonical, at);
        break;
    case '"': {
        struct slice text = json_string(doc, at);
        put_tape_string(canonical, text.data, (uint32_t)text.size);
        break;
    }
    case 'l':
        put_tagged(canonical, 'i', doc->tape[at + 1]);
        break;
    case 'u':
        put_tagged(canonical, 'u', doc->tape[at + 1]);
        break;
    case 'd':
        put_double(canonical, json_double(doc, at));
        break;
    default:
        *canonical->to++ = tag;
    }
}

/* What must be reserved. A member takes two words of tape at least; those of one object and of the
 * objects around it are sorted at the same time. */
struct room {
    size_t bytes;   /* of the result */
    size_t members; /* that can be in sorting at once */
};

static struct room room_for(const struct json_doc *doc, json_at from, const struct json_edit *edits, size_t edit_count)
{
    size_t words = json_next(doc, from) - from;
    struct room room = {words * WORD_BYTES + doc->text.size, words / 2 + 1};
    for (size_t i = 0; i < edit_count; i++) {
        assert(i == 0 || edits[i - 1].at < edits[i].at);
        /* A digit between commas is two words of tape for two bytes: never more words than bytes and one. */
        size_t edit_words = edits[i].json.size + 1;
        room.bytes += edit_words * WORD_BYTES + edits[i].json.size + WORD_BYTES + edits[i].name.size;
        room.members += edit_words / 2 + 1;
    }
    return room;
}

void json_append_canonical(struct buf *out, const struct json_doc *doc, json_at from, const struct json_edit *edits,
                           size_t edit_count)
{
    const uintptr_t align = alignof(struct member);
    struct room room = room_for(doc, from, edits, edit_count);
    if (buf_reserve(out, room.bytes + SHORT_COPY + align + room.members * sizeof(struct member)) != 0) {
        return;
    }
    char *start = out->data + out->size;
    uintptr_t behind = ((uintptr_t)(start + room.bytes + SHORT_COPY) + align - 1) & ~(align - 1);
    struct canonical canonical = {doc, edits, edit_count, start, (struct member *)behind, 0};
    size_t index = edit_from(&canonical, from);
    put_value(&canonical, from, edit_at(&canonical, &index, from));
    assert(canonical.to <= start + room.bytes);
    if (canonical.error == 0) {
        (void)buf_extend(out, (size_t)(canonical.to - start));
    } else {
        out->error = canonical.error;
    }
}
