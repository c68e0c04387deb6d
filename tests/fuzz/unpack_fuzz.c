/* The first byte picks the kind and the sizes of the pieces: whole and in pieces must give the same bytes and the
 * same refusal, and what came out is within the bound on bombs. */
#include <assert.h>

#include "base/buf.h"
#include "unpack/unpack.h"

static int run(struct slice packed, uint8_t pick, size_t piece_bytes, struct buf *out)
{
    struct unpack *unpack = unpack_new(pick % 2 == 0 ? UNPACK_GZIP : UNPACK_ZSTD);
    const char *why = NULL;
    int code = 0;
    while (packed.size > 0 && code == 0) {
        struct slice piece = slice_make(packed.data, piece_bytes < packed.size ? piece_bytes : packed.size);
        struct slice plain = SLICE("more");
        packed = slice_from(packed, piece.size);
        while (code == 0 && plain.size > 0) {
            code = unpack_next(unpack, &piece, &plain, &why);
            buf_append_slice(out, plain);
        }
        assert(code != 0 || piece.size == 0);
    }
    code = unpack_end(unpack, &why);
    assert((code == 0 || why != NULL) && code != ERR_INTERNAL && out->size <= UNPACK_FREE_BYTES + (1u << 17));
    unpack_free(&unpack);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out[2] = {{0}, {0}};
    if (size > 0 && size < (1u << 16)) {
        struct slice packed = slice_make(data + 1, size - 1);
        int whole = run(packed, data[0], size, &out[0]);
        assert(run(packed, data[0], 1 + (data[0] >> 1) % 32, &out[1]) == whole);
        assert(whole != 0 || slice_equal(buf_view(&out[0]), buf_view(&out[1])));
    }
    buf_fini(&out[0]);
    buf_fini(&out[1]);
    return 0;
}
