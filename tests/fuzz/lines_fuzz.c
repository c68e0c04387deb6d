/* The first byte picks the sizes of the pieces: whole and in pieces must tell the same lines and
 * places, and no line has a line feed. */
#include "json_fuzz.h"

static void tell(struct json_lines *lines, struct buf *told)
{
    struct json_error at = json_lines_item(lines);
    buf_printf(told, "\n%zu %u %u\n", at.offset, at.line, at.column);
}

static void split(struct slice body, uint32_t seed, struct buf *told)
{
    struct json_lines *lines = json_lines_new();
    enum json_split_event event;
    while (body.size > 0) {
        seed = seed == 0 ? 0 : (seed * 1664525u + 1013904223u) | 1u;
        size_t size = seed == 0 ? body.size : 1 + (seed >> 8) % 17 * (seed >> 31);
        struct slice piece = slice_make(body.data, size < body.size ? size : body.size), bytes;
        body = slice_from(body, piece.size);
        while ((event = json_lines_next(lines, &piece, &bytes)) != JSON_SPLIT_MORE) {
            assert(event == JSON_SPLIT_ITEM_END || (event == JSON_SPLIT_PART && bytes.size > 0));
            assert(memchr(bytes.size > 0 ? bytes.data : "", '\n', bytes.size) == NULL);
            buf_append_slice(told, bytes);
            if (event == JSON_SPLIT_ITEM_END) {
                tell(lines, told);
            }
        }
        assert(piece.size == 0);
    }
    if (json_lines_end(lines)) {
        tell(lines, told);
    }
    json_lines_free(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf told[2] = {{0}, {0}};
    if (size > 0 && size <= LIMIT_ITEM_BYTES) {
        split(slice_make(data + 1, size - 1), 0, &told[0]);
        split(slice_make(data + 1, size - 1), data[0] | 1u, &told[1]);
        assert(slice_equal(buf_view(&told[0]), buf_view(&told[1])));
    }
    buf_fini(&told[0]);
    buf_fini(&told[1]);
    return 0;
}
