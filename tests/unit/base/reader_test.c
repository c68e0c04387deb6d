/* The reader gives back what a buf was given, and zeros with an error past the end. */
#include "base/reader.h"

#include "../test.h"
#include "base/buf.h"
#include "base/err.h"

static void reads_what_was_written(void **state)
{
    (void)state;
    struct buf buf;
    struct reader reader;
    buf_init(&buf, 0);
    buf_append_byte(&buf, 7);
    buf_append_u16(&buf, 65535);
    buf_append_u32(&buf, 4000000000u);
    buf_append_u64(&buf, UINT64_MAX - 1);
    buf_append_text(&buf, "tail");
    reader_init(&reader, buf_view(&buf));
    assert_int_equal(reader_u8(&reader), 7);
    assert_int_equal(reader_u16(&reader), 65535);
    assert_int_equal(reader_u32(&reader), 4000000000u);
    assert_true(reader_u64(&reader) == UINT64_MAX - 1);
    assert_true(slice_equal_text(reader_bytes(&reader, 4), "tail"));
    assert_int_equal(reader_left(&reader), 0);
    assert_int_equal(reader_error(&reader), 0);
    buf_fini(&buf);
}

static void past_the_end_is_zero_and_sticky(void **state)
{
    (void)state;
    struct reader reader;
    reader_init(&reader, SLICE("abc"));
    assert_int_equal(reader_u32(&reader), 0);
    assert_int_equal(reader_u8(&reader), 0);
    assert_int_equal(reader_bytes(&reader, 1).size, 0);
    assert_int_equal(reader_error(&reader), ERR_CORRUPT);
    reader_init(&reader, SLICE_NONE);
    assert_int_equal(reader_bytes(&reader, 0).size, 0);
    assert_int_equal(reader_error(&reader), 0);
    reader_init(&reader, SLICE("abc"));
    assert_int_equal(reader_bytes(&reader, SIZE_MAX).size, 0);
    assert_int_equal(reader_error(&reader), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_what_was_written),
                                       cmocka_unit_test(past_the_end_is_zero_and_sticky)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
