/*
 * Unpacking what the libraries themselves packed: whole, in pieces of every size, cut in two at every byte, and
 * ended at every byte; then what must be refused, with the offset at which it is.
 */
#include "../test.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "unpack/unpack.h"

static void pack_gzip(struct buf *out, const void *text, size_t size)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&stream, size);
    stream.next_in = text;
    stream.avail_in = (uInt)size;
    stream.next_out = buf_extend(out, bound);
    stream.avail_out = (uInt)bound;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->size -= stream.avail_out;
    deflateEnd(&stream);
}

/* `window_log` 0: the library's choice. Streams, so that the frame does not tell its size. */
static void pack_zstd(struct buf *out, const void *text, size_t size, int window_log)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_non_null(context);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    size_t bound = ZSTD_compressBound(size);
    ZSTD_outBuffer to = {buf_extend(out, bound), bound, 0};
    ZSTD_inBuffer from = {text, size, 0};
    size_t left = ZSTD_compressStream2(context, &to, &from, ZSTD_e_continue);
    assert_false(ZSTD_isError(left));
    assert_int_equal(ZSTD_compressStream2(context, &to, &from, ZSTD_e_end), 0);
    out->size -= bound - to.pos;
    ZSTD_freeCCtx(context);
}

static void pack(enum unpack_kind kind, struct buf *out, const void *text, size_t size)
{
    if (kind == UNPACK_GZIP) {
        pack_gzip(out, text, size);
    } else {
        pack_zstd(out, text, size, 0);
    }
}

struct told {
    struct buf plain;
    int code;
    const char *why;
    uint64_t offset;
};

/* The first piece has `first` bytes, the others `size`. */
static void run(enum unpack_kind kind, struct slice packed, size_t first, size_t size, struct told *told)
{
    struct unpack *unpack = unpack_new(kind);
    assert_non_null(unpack);
    *told = (struct told){.code = 0};
    for (size_t next = first; packed.size > 0 && told->code == 0; next = size) {
        struct slice piece = slice_make(packed.data, next < packed.size ? next : packed.size);
        packed = slice_from(packed, piece.size);
        struct slice plain = SLICE("more");
        while (told->code == 0 && plain.size > 0) {
            told->code = unpack_next(unpack, &piece, &plain, &told->why);
            buf_append_slice(&told->plain, plain);
        }
        assert_true(told->code != 0 || piece.size == 0);
    }
    int end = unpack_end(unpack, &told->why);
    assert_true(told->code == 0 || end == told->code); /* a refusal stays */
    told->code = end;
    told->offset = unpack_offset(unpack);
    unpack_free(&unpack);
    assert_null(unpack);
}

static void expect(enum unpack_kind kind, const struct buf *packed, size_t first, size_t size, struct slice plain)
{
    struct told told;
    run(kind, buf_view(packed), first, size, &told);
    if (told.code != 0 || !slice_equal(buf_view(&told.plain), plain)) {
        fail_msg("kind %d in %zu, %zu: code %d (%s), %zu bytes", kind, first, size, told.code, told.why,
                 told.plain.size);
    }
    assert_int_equal(told.offset, packed->size);
    buf_fini(&told.plain);
}

static void expect_refusal(enum unpack_kind kind, struct slice packed, int code, uint64_t offset)
{
    for (size_t piece = 1; piece <= packed.size; piece += packed.size == 1 ? 1 : packed.size - 1) {
        struct told told;
        run(kind, packed, piece, piece, &told);
        if (told.code != code || told.why == NULL || told.offset != offset) {
            fail_msg("kind %d, %zu bytes in %zu: code %d at %zu (%s)", kind, packed.size, piece, told.code,
                     (size_t)told.offset, told.why);
        }
        buf_fini(&told.plain);
    }
}

/* Text that packs, but not to nothing. */
static void fill(char *text, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        text[i] = (char)('a' + (seed >> 24) % 11);
    }
}

static const enum unpack_kind KINDS[] = {UNPACK_GZIP, UNPACK_ZSTD};

/* One, three and empty members; a skippable frame of zstd is among them. */
static void make_members(enum unpack_kind kind, size_t count, struct buf *packed, struct buf *plain)
{
    static const char SKIPPABLE[] = "\x5E\x2A\x4D\x18\x05\0\0\0skip.";
    static char text[300];
    for (size_t i = 0; i < count; i++) {
        size_t size = i % 2 == 0 ? sizeof text : 0;
        fill(text, size, (uint32_t)i);
        pack(kind, packed, text, size);
        buf_append(plain, text, size);
        if (kind == UNPACK_ZSTD) {
            buf_append(packed, SKIPPABLE, sizeof SKIPPABLE - 1);
        }
    }
}

static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        for (size_t count = 1; count <= 3; count += 2) {
            struct buf packed = {0}, plain = {0};
            make_members(KINDS[i], count, &packed, &plain);
            for (size_t piece = 1; piece <= packed.size; piece++) {
                expect(KINDS[i], &packed, piece, piece, buf_view(&plain));
                expect(KINDS[i], &packed, piece, packed.size, buf_view(&plain));
            }
            buf_fini(&packed);
            buf_fini(&plain);
        }
    }
}

/* Only where a member ends the body may end. */
static void test_every_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        struct buf packed = {0};
        static char text[300];
        fill(text, sizeof text, 7);
        pack(KINDS[i], &packed, text, sizeof text);
        size_t member = packed.size;
        pack(KINDS[i], &packed, text, sizeof text);
        expect_refusal(KINDS[i], SLICE_NONE, ERR_CUT_OFF, 0);
        for (size_t size = 0; size <= packed.size; size++) {
            struct told told;
            run(KINDS[i], slice_make(packed.data, size), size, size, &told);
            bool whole = size == member || size == packed.size;
            assert_int_equal(told.code, whole ? 0 : ERR_CUT_OFF);
            assert_true(!whole || told.plain.size == (size == member ? 1u : 2u) * sizeof text);
            buf_fini(&told.plain);
        }
        struct told told;
        run(KINDS[i], SLICE_NONE, 1, 1, &told);
        assert_int_equal(told.code, ERR_CUT_OFF);
        buf_fini(&packed);
    }
}

/* More than the buffer and the window hold. */
static void test_large(void **state)
{
    (void)state;
    size_t size = 10u << 20;
    char *text = malloc(size);
    assert_non_null(text);
    fill(text, size, 3);
    memset(text + (size >> 1), 'x', 1u << 20);
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        struct buf packed = {0};
        pack(KINDS[i], &packed, text, size);
        expect(KINDS[i], &packed, 1, 65536, slice_make(text, size));
        expect(KINDS[i], &packed, packed.size, 1, slice_make(text, size));
        buf_fini(&packed);
    }
    free(text);
}

/* What can be known from the bytes given comes out before more are asked for: all but the checksum is there. */
static void test_nothing_is_held_back(void **state)
{
    (void)state;
    static const size_t CHECKSUM_BYTES[] = {[UNPACK_GZIP] = 8, [UNPACK_ZSTD] = 4};
    static char text[(1u << 20) + 2000]; /* a buffer is full just before the end */
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        struct buf packed = {0};
        struct told told;
        pack(KINDS[i], &packed, text, sizeof text);
        run(KINDS[i], slice_make(packed.data, packed.size - CHECKSUM_BYTES[KINDS[i]]), packed.size, 1, &told);
        assert_int_equal(told.code, ERR_CUT_OFF);
        assert_int_equal(told.plain.size, sizeof text);
        buf_fini(&told.plain);
        buf_fini(&packed);
    }
}

static void test_garbage(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        struct buf packed = {0};
        pack(KINDS[i], &packed, "{}", 2);
        uint64_t member = packed.size;
        buf_append(&packed, "\0\0", 2);
        expect_refusal(KINDS[i], buf_view(&packed), ERR_MALFORMED_ENCODING, member);
        packed.size = member;
        buf_append_byte(&packed, (uint8_t)packed.data[0]); /* begins like a member */
        buf_append_byte(&packed, '!');
        expect_refusal(KINDS[i], buf_view(&packed), ERR_MALFORMED_ENCODING, member + 1);
        /* [ is also how a skippable frame may begin */
        expect_refusal(KINDS[i], SLICE("[{}]"), ERR_MALFORMED_ENCODING, KINDS[i] == UNPACK_ZSTD);
        expect_refusal(KINDS[i], SLICE("{\"a\":1}"), ERR_MALFORMED_ENCODING, 0);
        expect_refusal(KINDS[i], SLICE("\n"), ERR_MALFORMED_ENCODING, 0);
        buf_fini(&packed);
    }
    /* the other kind; zlib's own format; a format of zstd before 1.0 */
    expect_refusal(UNPACK_GZIP, SLICE("\x28\xB5\x2F\xFD"), ERR_MALFORMED_ENCODING, 0);
    expect_refusal(UNPACK_GZIP, SLICE("\x78\x9C\x03\x00"), ERR_MALFORMED_ENCODING, 0);
    expect_refusal(UNPACK_ZSTD, SLICE("\x1F\x8B\x08\x00"), ERR_MALFORMED_ENCODING, 0);
    expect_refusal(UNPACK_ZSTD, SLICE("\x27\xB5\x2F\xFD"), ERR_MALFORMED_ENCODING, 0);
    expect_refusal(UNPACK_ZSTD, SLICE("\x28\xB5\x2F\xFC"), ERR_MALFORMED_ENCODING, 3);
}

/* Every damaged byte is seen: the checksums see to it. What it is taken for may be a body that goes on. */
static void test_damage(void **state)
{
    (void)state;
    static char text[300];
    fill(text, sizeof text, 9);
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        struct buf packed = {0};
        pack(KINDS[i], &packed, text, sizeof text);
        for (size_t at = 0; at < packed.size; at++) {
            /* gzip: time, level, system; zstd: the size of the window */
            bool unchecked = KINDS[i] == UNPACK_GZIP ? at >= 4 && at < 10 : at == 5;
            packed.data[at] = (char)(packed.data[at] ^ 0x15);
            struct told told;
            run(KINDS[i], buf_view(&packed), packed.size, 1, &told);
            bool refused = told.code == ERR_MALFORMED_ENCODING || told.code == ERR_CUT_OFF;
            if (!refused && !(unchecked && slice_equal(buf_view(&told.plain), slice_make(text, sizeof text)))) {
                fail_msg("kind %d, byte %zu: code %d", KINDS[i], at, told.code);
            }
            packed.data[at] = (char)(packed.data[at] ^ 0x15);
            buf_fini(&told.plain);
        }
        buf_fini(&packed);
    }
}

static void test_window(void **state)
{
    (void)state;
    for (int window_log = 23; window_log <= 24; window_log++) {
        struct buf packed = {0};
        pack_zstd(&packed, "window", 6, window_log);
        struct told told;
        run(UNPACK_ZSTD, buf_view(&packed), packed.size, 1, &told);
        assert_int_equal(told.code, window_log == 23 ? 0 : ERR_MALFORMED_ENCODING);
        assert_true(window_log == 23 || strstr(told.why, "window") != NULL);
        buf_fini(&told.plain);
        buf_fini(&packed);
    }
}

/* Counts what comes out of a body of `mebibytes` zeros. */
static int unpack_zeros(enum unpack_kind kind, size_t mebibytes, size_t *made, uint64_t *offset)
{
    size_t size = mebibytes << 20;
    char *zeros = calloc(1, size);
    struct buf packed = {0};
    assert_non_null(zeros);
    pack(kind, &packed, zeros, size);
    free(zeros);
    struct unpack *unpack = unpack_new(kind);
    struct slice body = buf_view(&packed), plain = SLICE("more");
    const char *why;
    int code = 0;
    *made = 0;
    while (code == 0 && plain.size > 0) {
        code = unpack_next(unpack, &body, &plain, &why);
        *made += plain.size;
    }
    *offset = unpack_offset(unpack);
    unpack_free(&unpack);
    buf_fini(&packed);
    return code;
}

/* A bomb is taken up to the bytes that are free, and not a buffer further. */
static void test_bombs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        size_t made;
        uint64_t offset;
        assert_int_equal(unpack_zeros(KINDS[i], 64, &made, &offset), 0);
        assert_int_equal(made, UNPACK_FREE_BYTES);
        assert_int_equal(unpack_zeros(KINDS[i], 80, &made, &offset), ERR_TOO_LARGE);
        assert_true(made >= UNPACK_FREE_BYTES && made <= UNPACK_FREE_BYTES + (1u << 17));
        assert_true(offset > 0 && offset * UNPACK_RATIO_MAX < made + (1u << 17));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut), cmocka_unit_test(test_every_end),
        cmocka_unit_test(test_large),     cmocka_unit_test(test_nothing_is_held_back),
        cmocka_unit_test(test_garbage),   cmocka_unit_test(test_damage),
        cmocka_unit_test(test_window),    cmocka_unit_test(test_bombs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
