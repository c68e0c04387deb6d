/* What is packed is unpacked to the same, alone and as frames in a row. */
#include "../test.h"

#include <stdlib.h>

#include "base/buf.h"
#include "unpack/unpack.h"

static void unpack_all(struct slice packed, struct buf *plain)
{
    struct unpack *unpack = unpack_new(UNPACK_ZSTD);
    const char *why = NULL;
    struct slice piece;
    assert_non_null(unpack);
    do {
        assert_int_equal(unpack_next(unpack, &packed, &piece, &why), 0);
        buf_append_slice(plain, piece);
    } while (packed.size > 0 || piece.size > 0);
    assert_int_equal(unpack_end(unpack, &why), 0);
    unpack_free(&unpack);
}

static void frames_in_a_row_give_the_text(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 0, 100, 200000, 7, 3000000};
    struct buf text;
    struct buf packed;
    struct buf plain;
    buf_init(&text, 0);
    buf_init(&packed, 0);
    buf_init(&plain, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t from = text.size;
        for (size_t j = 0; j < sizes[i]; j++) {
            buf_append_byte(&text, (uint8_t)(j % 251 * (i + 1)));
        }
        assert_int_equal(unpack_pack_zstd(slice_make(text.data + from, sizes[i]), &packed), 0);
    }
    assert_in_range(packed.size, 1, text.size / 4);
    unpack_all(buf_view(&packed), &plain);
    assert_true(slice_equal(buf_view(&plain), buf_view(&text)));
    buf_fini(&text);
    buf_fini(&packed);
    buf_fini(&plain);
}

static void a_buffer_without_room_says_so_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct buf packed;
    buf_init(&packed, 64);
    buf_append_text(&packed, "kept");
    char text[1000] = {0};
    assert_int_equal(unpack_pack_zstd(slice_make(text, sizeof text), &packed), ERR_TOO_LARGE);
    assert_int_equal(packed.size, 4);
    buf_fini(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_in_a_row_give_the_text),
        cmocka_unit_test(a_buffer_without_room_says_so_and_keeps_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
