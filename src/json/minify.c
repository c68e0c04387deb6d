/*
 * Writes a parsed value again without white space, every token spelled as it was sent, with edits.
 * The difficulty is speed without decoding: tape and tokens run in lockstep (tape.c), so the raw
 * token of any value is known, and between two edits the text is copied in runs that end only where
 * white space stands between tokens; a text without white space is one run.
 *
 * Commas: a stretch that is copied ends with the comma before the next member. So a dropped member
 * takes the comma behind it along, and when there is none (it was the last), the one before it.
 */
#include <assert.h>

#include "json/json_priv.h"

#define ESCAPED_MAX 6u /* bytes that one byte of a name may become */
/* A short run is copied as this many bytes: texts have JSON_PADDING behind, and so has the output. */
#define SHORT_COPY 32u

struct edits {
    const struct json_edit *list;
    size_t count;
};

struct minify {
    const struct json_doc *doc;
    const char *start; /* of the output */
    char *to;
    struct json_cursor cursor;
    uint32_t copied; /* tokens before this one are written or dropped */
};

static void copy_run(struct minify *minify, size_t from, size_t end)
{
    const char *text = minify->doc->text.data;
    while (json_is_space(text[end - 1])) {
        end--;
    }
    size_t size = end - from;
    if (size <= SHORT_COPY) {
        memcpy(minify->to, text + from, SHORT_COPY);
    } else {
        memcpy(minify->to, text + from, size);
    }
    minify->to += size;
}

/* Writes the tokens up to `end`, that one not included. */
static void copy_tokens(struct minify *minify, uint32_t end)
{
    const struct json_doc *doc = minify->doc;
    if (minify->copied >= end) {
        return;
    }
    size_t from = doc->structurals[minify->copied];
    for (uint32_t token = minify->copied + 1; token < end; token++) {
        size_t at = doc->structurals[token];
        if (json_is_space(doc->text.data[at - 1])) {
            copy_run(minify, from, at);
            from = at;
        }
    }
    copy_run(minify, from, end < doc->structural_count ? doc->structurals[end] : doc->text.size);
    minify->copied = end;
}

static void copy_bytes(struct minify *minify, struct slice bytes)
{
    if (bytes.size > 0) {
        memcpy(minify->to, bytes.data, bytes.size);
        minify->to += bytes.size;
    }
}

static void move_to(struct minify *minify, json_at at)
{
    json_cursor_move(minify->doc, &minify->cursor, at);
}

static void drop(struct minify *minify, const struct json_edit *edit)
{
    const struct json_doc *doc = minify->doc;
    move_to(minify, edit->at);
    uint32_t token = minify->cursor.token;
    bool member = token > 0 && json_token_byte(doc, token - 1) == ':';
    copy_tokens(minify, member ? token - 2 : token);
    move_to(minify, json_next(doc, edit->at));
    minify->copied = minify->cursor.token;
    if (json_token_byte(doc, minify->copied - 1) != ',' && minify->to > minify->start && minify->to[-1] == ',') {
        minify->to--;
    }
}

static void replace(struct minify *minify, const struct json_edit *edit)
{
    move_to(minify, edit->at);
    copy_tokens(minify, minify->cursor.token);
    copy_bytes(minify, edit->json);
    move_to(minify, json_next(minify->doc, edit->at));
    uint32_t token = minify->cursor.token;
    minify->copied = json_token_byte(minify->doc, token - 1) == ',' ? token - 1 : token;
}

/* At the bracket that closes the object of an ADD. */
static void add(struct minify *minify, const struct json_edit *edit, json_at close)
{
    move_to(minify, close);
    copy_tokens(minify, minify->cursor.token);
    if (minify->to[-1] != '{') {
        *minify->to++ = ',';
    }
    /* The output has room for the escaped name, so this buffer over it never grows. */
    struct buf name = {.data = minify->to, .capacity = edit->name.size * ESCAPED_MAX + 2};
    json_append_string(&name, edit->name);
    assert(name.data == minify->to);
    minify->to += name.size;
    *minify->to++ = ':';
    copy_bytes(minify, edit->json);
}

/* Applies the edits from `index` on that stand before `end` on the tape; returns the first that does
 * not. An ADD's object is gone through before its end is written; edits within what was dropped or
 * replaced are passed over. */
static size_t apply(struct minify *minify, struct edits edits, size_t index, json_at end)
{
    const struct json_doc *doc = minify->doc;
    while (index < edits.count && edits.list[index].at < end) {
        const struct json_edit *edit = &edits.list[index++];
        json_at next = json_next(doc, edit->at);
        if (edit->kind == JSON_EDIT_ADD) {
            assert(json_tag(doc, edit->at) == '{');
            index = apply(minify, edits, index, next - 1);
            add(minify, edit, next - 1);
            continue;
        }
        (edit->kind == JSON_EDIT_DROP ? drop : replace)(minify, edit);
        while (index < edits.count && edits.list[index].at < next) {
            index++;
        }
    }
    return index;
}

/* Only the edits within this value; more than it can lengthen the text is in *bound. */
static struct edits edits_within(const struct json_doc *doc, json_at from, struct edits edits, size_t *bound)
{
    while (edits.count > 0 && edits.list[0].at < from) {
        edits.list++;
        edits.count--;
    }
    while (edits.count > 0 && edits.list[edits.count - 1].at >= json_next(doc, from)) {
        edits.count--;
    }
    for (size_t i = 0; i < edits.count; i++) {
        assert(i == 0 || edits.list[i - 1].at < edits.list[i].at);
        *bound += edits.list[i].json.size + edits.list[i].name.size * ESCAPED_MAX + 4;
    }
    return edits;
}

/* Token behind a value, its comma not included. */
static uint32_t end_token(const struct json_doc *doc, struct json_cursor cursor, json_at from)
{
    json_cursor_move(doc, &cursor, json_next(doc, from));
    bool comma = json_token_byte(doc, cursor.token - 1) == ',';
    return comma ? cursor.token - 1 : cursor.token;
}

void json_append_minified(struct buf *out, const struct json_doc *doc, json_at from, const struct json_edit *edits,
                          size_t edit_count)
{
    size_t bound = doc->text.size + SHORT_COPY;
    struct edits within = edits_within(doc, from, (struct edits){edits, edit_count}, &bound);
    if (buf_reserve(out, bound) != 0) {
        return;
    }
    char *start = out->data + out->size;
    struct minify minify = {.doc = doc, .start = start, .to = start, .cursor = {1, 0}};
    uint32_t end = doc->structural_count;
    if (from != json_root(doc)) {
        move_to(&minify, from);
        minify.copied = minify.cursor.token;
        end = end_token(doc, minify.cursor, from);
    }
    (void)apply(&minify, within, 0, json_next(doc, from));
    copy_tokens(&minify, end);
    (void)buf_extend(out, (size_t)(minify.to - start));
}
