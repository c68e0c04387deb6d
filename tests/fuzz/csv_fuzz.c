/* The first byte picks the sizes of the pieces: whole and in pieces must tell the same rows and refusal. The first row
 * is the header; the others' JSON must be what json_parse takes, if it is UTF-8, and a blanked row has no field. */
#include <assert.h>

#include "base/limits.h"
#include "csv/csv.h"

static unsigned types(void *context, struct slice pointer)
{
    (void)context;
    return (unsigned)pointer.size % 8;
}

static bool blank(void *context, struct slice pointer)
{
    (void)context;
    return pointer.size > 0;
}

static void take(struct csv_header **header, struct slice row)
{
    static struct json_parser *parser;
    struct buf json = {0}, empty = {0}, why = {0};
    struct json_error error = {0};
    struct json_doc doc;
    size_t at;
    parser = parser != NULL ? parser : json_parser_new(8 * LIMIT_ITEM_BYTES);
    if (*header == NULL) {
        assert(csv_header_compile(row, SLICE_NONE, types, NULL, header, &at, &why) == 0 || at <= row.size);
    } else if (csv_row_to_json(*header, row, &json, &error) == 0) {
        assert(buf_reserve(&json, JSON_PADDING) == 0);
        int err = json_parse(parser, buf_view(&json), &JSON_LIMITS_DEFAULT, &doc, &error);
        assert(err == 0 || strstr(error.reason, "UTF-8") != NULL);
        assert(csv_row_blank(*header, row, blank, NULL, &empty) == 0 && empty.size < csv_header_columns(*header));
        assert(empty.size == 0 || strspn(empty.data, ",") >= empty.size);
    } else {
        assert(error.reason != NULL && error.offset <= row.size && json.size == 0);
    }
    buf_fini(&json);
    buf_fini(&empty);
    buf_fini(&why);
}

static int split(struct slice body, uint32_t seed, struct buf *told)
{
    struct csv_splitter *splitter = csv_splitter_new();
    struct csv_header *header = NULL;
    struct json_error error = {0};
    enum json_split_event event = JSON_SPLIT_MORE;
    size_t row = 0;
    bool open;
    while (body.size > 0 && event != JSON_SPLIT_ERROR) {
        seed = seed == 0 ? 0 : (seed * 1664525u + 1013904223u) | 1u;
        size_t size = seed == 0 ? body.size : 1 + (seed >> 8) % 97 * (seed >> 31);
        struct slice piece = slice_make(body.data, size < body.size ? size : body.size), bytes;
        body = slice_from(body, piece.size);
        while ((event = csv_splitter_next(splitter, &piece, &bytes)) == JSON_SPLIT_PART ||
               event == JSON_SPLIT_ITEM_END) {
            buf_append_slice(told, bytes);
            if (event == JSON_SPLIT_ITEM_END) {
                error = csv_splitter_item(splitter);
                take(&header, slice_make(told->data + row, told->size - row));
                buf_printf(told, "@%zu %u %u\n", error.offset, error.line, error.column);
                row = told->size;
            }
        }
    }
    int err = csv_splitter_end(splitter, &open);
    assert(csv_splitter_error(splitter, &error) == err && (err == 0) == (error.reason == NULL));
    told->size = err == 0 ? told->size : 0;
    buf_printf(told, "%zu %u %u %d", error.offset, error.line, error.column, open);
    csv_header_free(&header);
    csv_splitter_free(&splitter);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf told[2] = {{0}, {0}};
    if (size > 0 && size <= LIMIT_ITEM_BYTES) {
        int whole = split(slice_make(data + 1, size - 1), 0, &told[0]);
        assert(split(slice_make(data + 1, size - 1), data[0] | 1u, &told[1]) == whole);
        assert(slice_equal(buf_view(&told[0]), buf_view(&told[1])));
    }
    buf_fini(&told[0]);
    buf_fini(&told[1]);
    return 0;
}
