/* The first byte picks the array and the sizes of the pieces: whole and in pieces must tell the same,
 * and a valid body must have as many items as its array has elements. */
#include <assert.h>

#include "base/limits.h"
#include "json/json.h"

static int split(struct slice body, struct slice array, uint32_t seed, struct buf *told, uint32_t *items)
{
    struct json_splitter *splitter = json_splitter_new(array, LIMIT_ENVELOPE_BYTES);
    enum json_split_event event = JSON_SPLIT_MORE;
    struct json_error error;
    while (body.size > 0 && event != JSON_SPLIT_ERROR) {
        seed = seed == 0 ? 0 : (seed * 1664525u + 1013904223u) | 1u;
        size_t size = seed == 0 ? body.size : 1 + (seed >> 8) % 97 * (seed >> 31);
        struct slice piece = slice_make(body.data, size < body.size ? size : body.size), bytes;
        body = slice_from(body, piece.size);
        while ((event = json_splitter_next(splitter, &piece, &bytes)) == JSON_SPLIT_PART ||
               event == JSON_SPLIT_ITEM_END) {
            buf_append_slice(told, bytes);
            buf_append_text(told, event == JSON_SPLIT_ITEM_END ? "|" : "");
            *items += event == JSON_SPLIT_ITEM_END;
        }
    }
    int err = json_splitter_end(splitter);
    assert(json_splitter_error(splitter, &error) == err && (err == 0) == (error.reason == NULL));
    told->size = err == 0 ? told->size : 0; /* how much came before a refusal is the pieces' affair */
    buf_printf(told, "%zu %u %u %u", error.offset, error.line, error.column, err == 0 ? *items : 0);
    buf_append_slice(told, err == 0 ? json_splitter_envelope(splitter) : SLICE_NONE);
    json_splitter_free(&splitter);
    return err;
}

/* Elements of the array in a valid body, or -1. */
static int64_t elements(struct slice body, struct slice array)
{
    struct buf padded = {0};
    struct json_doc doc;
    struct json_parser *parser = json_parser_new(body.size);
    buf_append_slice(&padded, body);
    bool valid = buf_reserve(&padded, JSON_PADDING) == 0 && body.size > 0 &&
                 json_parse(parser, buf_view(&padded), &JSON_LIMITS_DEFAULT, &doc, &(struct json_error){0}) == 0;
    json_at at = valid ? json_at_pointer(&doc, json_root(&doc), array) : 0;
    int64_t count = at != 0 && json_tag(&doc, at) == '[' ? (int64_t)json_count(&doc, at) : -1;
    buf_fini(&padded);
    json_parser_free(&parser);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf told[2] = {{0}, {0}};
    uint32_t items[2] = {0, 0};
    if (size > 0 && size <= LIMIT_ITEM_BYTES) {
        struct slice array = data[0] % 2 == 0 ? SLICE("") : SLICE("/customerData");
        struct slice body = slice_make(data + 1, size - 1);
        int whole = split(body, array, 0, &told[0], &items[0]);
        assert(split(body, array, data[0] | 1u, &told[1], &items[1]) == whole);
        assert(slice_equal(buf_view(&told[0]), buf_view(&told[1])));
        int64_t count = elements(body, array);
        assert(count < 0 || (whole == 0 && count == (int64_t)items[0]));
    }
    buf_fini(&told[0]);
    buf_fini(&told[1]);
    return 0;
}
