/* The first byte picks the array and the sizes of the pieces: whole and in pieces must tell the same,
 * and a valid body must have as many items as its array has elements. */
#include "json_fuzz.h"

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
        struct buf padded = {0};
        struct json_doc doc;
        json_at at = fuzz_parse(body, &padded, &doc) == 0 ? json_at_pointer(&doc, json_root(&doc), array) : 0;
        assert(at == 0 || json_tag(&doc, at) != '[' || (whole == 0 && json_count(&doc, at) == items[0]));
        buf_fini(&padded);
    }
    buf_fini(&told[0]);
    buf_fini(&told[1]);
    return 0;
}
