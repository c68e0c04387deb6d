/*
 * Refused items as CSV (RFC 4180), to be mended and sent again: header and rows as they came, and behind them four
 * columns that say what is wrong, which the intake passes over. A file that was sent again has such columns from the
 * time before, anywhere: these give way. So fields are told apart, but never decoded or quoted anew.
 *
 * A row may have fewer fields than the header: it is filled up, or the four would stand in other columns.
 */
#include "registry/registry_priv.h"

/* The next field with its quotes; *left goes behind its comma. False when there was none. */
static bool take_field(struct slice *left, bool *more, struct slice *field)
{
    bool quoted = false;
    size_t size = 0;
    if (!*more) {
        return false;
    }
    while (size < left->size && (quoted || left->data[size] != ',')) {
        quoted = quoted != (left->data[size] == '"');
        size++;
    }
    *field = slice_make(left->data, size);
    *more = size < left->size;
    *left = slice_from(*left, *more ? size + 1 : size);
    return true;
}

static bool is_reason(struct slice field)
{
    static const char *const names[] = {"_row", "_pointer", "_code", "_detail"};
    if (field.size >= 2 && field.data[0] == '"') {
        field = slice_make(field.data + 1, field.size - 2);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_equal_text(field, names[i])) {
            return true;
        }
    }
    return false;
}

void registry_csv_header(struct slice header, struct buf *out)
{
    struct slice field;
    bool more = header.size > 0;
    while (take_field(&header, &more, &field)) {
        if (!is_reason(field)) {
            buf_append_slice(out, field);
            buf_append_byte(out, ',');
        }
    }
    buf_append_text(out, "_row,_pointer,_code,_detail\r\n");
}

static void append_joined(struct buf *out, const struct registry_reasons *reasons, enum registry_reason which)
{
    struct buf text;
    buf_init(&text, 0);
    registry_reasons_join(reasons, which, &text);
    buf_append_text(out, ",\"");
    for (size_t i = 0; i < text.size; i++) {
        buf_append_text(out, text.data[i] == '"' ? "\"" : "");
        buf_append_byte(out, (uint8_t)text.data[i]);
    }
    buf_append_byte(out, '"');
    buf_fini(&text);
}

void registry_csv_row(struct slice header, struct slice row, const struct registry_reasons *reasons, struct buf *out)
{
    struct slice name;
    bool more_names = header.size > 0;
    bool more = row.size > 0;
    while (take_field(&header, &more_names, &name)) {
        struct slice field = SLICE_NONE;
        bool there = take_field(&row, &more, &field);
        if (!is_reason(name)) {
            buf_append_slice(out, there ? field : SLICE_NONE);
            buf_append_byte(out, ',');
        }
    }
    buf_printf(out, "%llu", (unsigned long long)reasons->index);
    append_joined(out, reasons, REGISTRY_POINTER);
    append_joined(out, reasons, REGISTRY_CODE);
    append_joined(out, reasons, REGISTRY_DETAIL);
    buf_append_text(out, "\r\n");
}
