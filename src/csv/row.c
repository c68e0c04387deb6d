/*
 * A row as JSON, and a row with some of its fields emptied. Both first find all fields, so that a row that is not
 * well-formed leaves nothing behind.
 *
 * The difficulty is speed with absent subtrees left out exactly: the leaves are in the order of the tree, so a leaf
 * shares with the last one written as many containers as the least that any leaf between them shares with its
 * predecessor. Nothing is opened that will not hold a value, and nothing is looked at twice.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "csv/csv_priv.h"

#define LOCAL_FIELDS     128u
#define NUMBER_BYTES_MAX 400u /* longer ones are no numbers that anybody means */

/* The fields of one row; few of them stand in the struct itself. */
struct fields {
    struct csv_field *list;
    struct csv_field local[LOCAL_FIELDS];
    size_t count;
};

static void fields_fini(struct fields *fields)
{
    if (fields->list != fields->local) {
        free(fields->list);
    }
}

/* Finds the row's fields. Whatever comes back, fields_fini must follow. */
static int fields_init(struct fields *fields, const struct csv_header *header, struct slice row,
                       struct json_error *error)
{
    const char *at = row.data;
    const char *end = row.data + row.size;
    size_t columns = header->column_count;
    fields->count = 0;
    fields->list = columns <= LOCAL_FIELDS ? fields->local : calloc(columns, sizeof *fields->list);
    if (fields->list == NULL) {
        return ERR_NO_MEMORY;
    }
    for (;; at++) {
        if (fields->count == columns) {
            csv_row_error(row, (size_t)(at - row.data),
                          "The row has more fields than the header. A field with a comma needs quotes around it.",
                          error);
            return ERR_MALFORMED_CSV;
        }
        const char *reason = csv_field_read(&at, end, &fields->list[fields->count++]);
        if (reason != NULL) {
            csv_row_error(row, (size_t)(at - row.data), reason, error);
            return ERR_MALFORMED_CSV;
        }
        if (at == end) {
            break;
        }
    }
    for (size_t i = fields->count; i < columns; i++) {
        fields->list[i].form = CSV_ABSENT;
    }
    return 0;
}

/* ---- literals ---- */

static size_t digits(struct slice text, size_t at)
{
    size_t from = at;
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9') {
        at++;
    }
    return at - from;
}

/* RFC 8259 section 6; *whole: without fraction and exponent. */
static bool is_spelled_as_number(struct slice text, bool *whole)
{
    size_t at = text.size > 0 && text.data[0] == '-';
    size_t count = digits(text, at);
    if (count == 0 || (count > 1 && text.data[at] == '0')) {
        return false;
    }
    at += count;
    *whole = at == text.size;
    if (at < text.size && text.data[at] == '.') {
        count = digits(text, ++at);
        at += count;
        if (count == 0) {
            return false;
        }
    }
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        at += at < text.size && (text.data[at] == '+' || text.data[at] == '-');
        count = digits(text, at);
        at += count;
        if (count == 0) {
            return false;
        }
    }
    return at == text.size;
}

/* Whether json_parse takes it: it refuses what fits neither 64 bits nor a finite double, and the whole body with it,
 * where a string is a fault of one item. */
static bool is_number(struct slice text)
{
    char copy[NUMBER_BYTES_MAX + 1];
    bool whole;
    if (text.size > NUMBER_BYTES_MAX || !is_spelled_as_number(text, &whole)) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (!whole) {
        return isfinite(strtod(copy, NULL));
    }
    errno = 0;
    if (copy[0] == '-') {
        (void)strtoll(copy, NULL, 10);
    } else {
        (void)strtoull(copy, NULL, 10);
    }
    return errno == 0;
}

static bool is_literal(struct slice text, unsigned literals)
{
    if ((literals & CSV_BOOLEAN) != 0 && (slice_equal(text, SLICE("true")) || slice_equal(text, SLICE("false")))) {
        return true;
    }
    return (literals & CSV_NUMBER) != 0 && is_number(text);
}

/* ---- a row as JSON ---- */

/* `readable` bytes of memory begin at the bytes; as many as CSV_PADDING fit where they go. */
static inline char *put(char *to, struct slice bytes, size_t readable)
{
    if (bytes.size <= CSV_PADDING && readable >= CSV_PADDING) {
        memcpy(to, bytes.data, CSV_PADDING); /* of a constant size: a few instructions where a call would be */
    } else {
        memcpy(to, bytes.data, bytes.size);
    }
    return to + bytes.size;
}

static inline char *put_closing(char *to, struct slice closing)
{
    for (size_t i = 0; i < closing.size; i++) {
        *to++ = closing.data[i];
    }
    return to;
}

static void append_escaped(struct buf *json, const struct csv_field *field)
{
    if (field->form != CSV_DOUBLED) {
        json_append_string(json, field->text);
        return;
    }
    buf_append_byte(json, '"');
    for (struct slice rest = field->text; rest.size > 0;) {
        json_append_escaped(json, csv_field_part(rest, &rest));
    }
    buf_append_byte(json, '"');
}

/* A leaf, behind what is closed of the one before, and the comma when there is one. Most are copied as they are:
 * all bytes of such a leaf are known, so that room is made once. `end` is the row's. */
static void append_leaf(struct buf *json, bool first, struct slice closing, struct slice way,
                        const struct csv_field *field, const char *end, unsigned literals)
{
    bool literal = literals != 0 && is_literal(field->text, literals);
    bool quoted = !literal && field->verbatim;
    size_t value_size = literal || quoted ? field->text.size + 2u * quoted : 0;
    size_t size = closing.size + !first + way.size + value_size;
    if (buf_extend(json, size) == NULL || (!buf_has_room(json, CSV_PADDING) && buf_reserve(json, CSV_PADDING) != 0)) {
        return;
    }
    char *to = put_closing(json->data + json->size - size, closing);
    if (!first) {
        *to++ = ',';
    }
    to = put(to, way, way.size + CSV_PADDING);
    if (quoted) {
        *to++ = '"';
        to = put(to, field->text, (size_t)(end - field->text.data));
        *to = '"';
    } else if (literal) {
        (void)put(to, field->text, (size_t)(end - field->text.data));
    } else {
        append_escaped(json, field);
    }
}

static void append_leaves(const struct csv_header *header, const struct csv_field *fields, const char *end,
                          struct buf *json)
{
    const struct csv_leaf *last = NULL; /* that has a value */
    uint32_t shared = 0;
    for (uint32_t i = 0; i < header->leaf_count; i++) {
        const struct csv_leaf *leaf = &header->leaves[i];
        const struct csv_field *field = &fields[leaf->column];
        shared = leaf->shared < shared ? leaf->shared : shared;
        if (field->form == CSV_ABSENT) {
            continue;
        }
        struct slice closing = last == NULL ? SLICE_NONE : slice_make(last->closing.data, last->depth - shared);
        append_leaf(json, last == NULL, closing, slice_from(leaf->way, leaf->starts[shared]), field, end,
                    header->columns[leaf->column].literals);
        last = leaf;
        shared = leaf->depth;
    }
    if (last != NULL) {
        buf_append_slice(json, last->closing);
    }
}

int csv_row_to_json(const struct csv_header *header, struct slice row, struct buf *json, struct json_error *error)
{
    struct fields fields;
    int err = fields_init(&fields, header, row, error);
    if (err == 0) {
        buf_append_byte(json, '{');
        append_leaves(header, fields.list, row.data + row.size, json);
        buf_append_byte(json, '}');
        err = buf_error(json);
    }
    fields_fini(&fields);
    return err;
}

/* ---- a row without some of its fields ---- */

static struct slice with_quotes(const struct csv_field *field)
{
    return field->form == CSV_PLAIN ? field->text : slice_make(field->text.data - 1, field->text.size + 2);
}

int csv_row_blank(const struct csv_header *header, struct slice row, csv_blank_fn *blank, void *context,
                  struct buf *out)
{
    struct fields fields;
    struct json_error error;
    int err = fields_init(&fields, header, row, &error);
    for (size_t i = 0; i < fields.count && err == 0; i++) {
        if (i > 0) {
            buf_append_byte(out, ',');
        }
        if (fields.list[i].form != CSV_ABSENT && !blank(context, header->columns[i].pointer)) {
            buf_append_slice(out, with_quotes(&fields.list[i]));
        }
    }
    err = err != 0 ? err : buf_error(out);
    fields_fini(&fields);
    return err;
}
