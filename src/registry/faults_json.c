/*
 * Refused items as JSON, to be mended and sent again: the item as it came, and four members that say what is wrong
 * with it, which the intake passes over. An item that was sent again has such members from the time before: these
 * give way, or the item would have members twice and not be JSON.
 */
#include "registry/registry_priv.h"

#define PARSER_LEAST_BYTES (64u << 10)
#define REASON_MEMBERS     4

static const char *const REASONS[REASON_MEMBERS] = {"_row", "_pointer", "_code", "_detail"};

void registry_items_init(struct registry_items *items)
{
    *items = (struct registry_items){0};
    buf_init(&items->text, 0);
}

void registry_items_fini(struct registry_items *items)
{
    json_parser_free(&items->parser);
    crypto_wipe(items->text.data, items->text.capacity);
    buf_fini(&items->text);
}

/* 0, ERR_NO_MEMORY, or ERR_MALFORMED_JSON. */
static int parse(struct registry_items *items, struct slice text, struct json_doc *doc)
{
    struct json_error error;
    if (items->capacity < text.size + JSON_PADDING) {
        json_parser_free(&items->parser);
        items->capacity = text.size + JSON_PADDING < PARSER_LEAST_BYTES ? PARSER_LEAST_BYTES : text.size + JSON_PADDING;
        items->parser = json_parser_new(items->capacity);
    }
    buf_clear(&items->text);
    buf_append_slice(&items->text, text);
    if (items->parser == NULL || buf_reserve(&items->text, JSON_PADDING) != 0) {
        items->capacity = 0;
        return ERR_NO_MEMORY;
    }
    return json_parse(items->parser, buf_view(&items->text), &JSON_LIMITS_DEFAULT, doc, &error);
}

/* Edits that take out the members of the time before. */
static size_t find_reasons(const struct json_doc *doc, struct json_edit edits[REASON_MEMBERS])
{
    size_t count = 0;
    for (json_at at = json_first(doc, json_root(doc)); !json_is_end(doc, at); at = json_next(doc, json_value_of(at))) {
        struct slice name = json_string(doc, at);
        for (size_t i = 0; i < REASON_MEMBERS && count < REASON_MEMBERS; i++) {
            if (slice_equal_text(name, REASONS[i])) {
                edits[count++] = (struct json_edit){.kind = JSON_EDIT_DROP, .at = json_value_of(at)};
            }
        }
    }
    return count;
}

static void append_joined(struct buf *out, const char *name, const struct registry_reasons *reasons,
                          enum registry_reason which)
{
    struct buf text;
    buf_init(&text, 0);
    registry_reasons_join(reasons, which, &text);
    buf_printf(out, ",\"%s\":", name);
    json_append_string(out, buf_view(&text));
    buf_fini(&text);
}

/* Behind the members of an object that is still open. */
static void append_reasons(struct buf *out, bool empty, const struct registry_reasons *reasons)
{
    buf_printf(out, "%s\"_row\":%llu", empty ? "" : ",", (unsigned long long)reasons->index);
    append_joined(out, "_pointer", reasons, REGISTRY_POINTER);
    append_joined(out, "_code", reasons, REGISTRY_CODE);
    append_joined(out, "_detail", reasons, REGISTRY_DETAIL);
    buf_append_byte(out, '}');
}

/* Appends an object that is still open; false in *empty when it has members. */
static void append_open(struct buf *out, const struct json_doc *doc, const struct json_edit *edits, size_t count,
                        bool *empty)
{
    size_t start = out->size;
    json_append_minified(out, doc, json_root(doc), edits, count);
    if (buf_error(out) == 0) {
        out->size--; /* the brace */
    }
    *empty = out->size <= start + 1;
}

int registry_item_append(struct registry_items *items, struct slice text, const struct registry_reasons *reasons,
                         struct buf *out)
{
    struct json_doc doc;
    bool empty = true;
    int err = parse(items, text, &doc);
    if (err == ERR_NO_MEMORY) {
        return err;
    }
    if (err == 0 && json_type(&doc, json_root(&doc)) == JSON_OBJECT) {
        struct json_edit edits[REASON_MEMBERS];
        size_t count = find_reasons(&doc, edits);
        append_open(out, &doc, edits, count, &empty);
    } else if (err == 0) {
        buf_append_text(out, "{\"_item\":");
        json_append_minified(out, &doc, json_root(&doc), NULL, 0);
        empty = false;
    } else {
        buf_append_byte(out, '{'); /* it can't be shown */
    }
    append_reasons(out, empty, reasons);
    return buf_error(out);
}

/* The one reference token of a JSON Pointer (RFC 6901 section 4). */
static void decode_token(struct slice pointer, struct buf *name)
{
    for (size_t i = 1; i < pointer.size; i++) {
        char byte = pointer.data[i];
        if (byte == '~' && i + 1 < pointer.size) {
            byte = pointer.data[++i] == '1' ? '/' : '~';
        }
        buf_append_byte(name, (uint8_t)byte);
    }
}

int registry_envelope_open(struct registry_items *items, struct slice envelope, struct slice array, struct buf *before)
{
    struct json_doc doc;
    struct buf name;
    bool empty = true;
    int err = parse(items, envelope, &doc);
    if (err == 0 && json_type(&doc, json_root(&doc)) == JSON_OBJECT) {
        json_at at = json_at_pointer(&doc, json_root(&doc), array);
        struct json_edit edit = {.kind = JSON_EDIT_DROP, .at = at};
        append_open(before, &doc, &edit, at != 0 ? 1 : 0, &empty);
    } else if (err == ERR_NO_MEMORY) {
        return err;
    } else {
        buf_append_byte(before, '{'); /* the body was refused before its envelope was known */
    }
    buf_init(&name, 0);
    decode_token(array, &name);
    buf_append_text(before, empty ? "" : ",");
    json_append_string(before, buf_view(&name));
    buf_append_text(before, ":[");
    err = buf_error(&name);
    buf_fini(&name);
    return err == 0 ? buf_error(before) : err;
}
