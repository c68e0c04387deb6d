/* The buffer: growth, the limit and the sticky failure. */
#include "base/buf.h"

#include "../test.h"
#include "base/err.h"

static void appends(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 0);
    buf_append_text(&buf, "a");
    buf_append_u16(&buf, 0x0102);
    buf_append_u32(&buf, 0x03040506);
    buf_append_u64(&buf, 0x0708090a0b0c0d0eull);
    buf_printf(&buf, "%05d", 42);
    assert_int_equal(buf_error(&buf), 0);
    assert_int_equal(buf.size, 1 + 2 + 4 + 8 + 5);
    assert_memory_equal(buf.data,
                        "a\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07"
                        "00042",
                        buf.size);
    buf_fini(&buf);
    assert_int_equal(buf.size, 0);
}

static void grows_from_byte_to_megabyte(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 0);
    for (size_t i = 0; i < (1u << 20); i++) {
        buf_append_byte(&buf, (uint8_t)i);
    }
    for (size_t i = 0; i < buf.size; i++) {
        assert_int_equal((uint8_t)buf.data[i], (uint8_t)i);
    }
    buf_fini(&buf);
}

static void limit_is_sticky(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4);
    buf_append_text(&buf, "abcd");
    assert_int_equal(buf_error(&buf), 0);
    buf_append_text(&buf, "e");
    assert_int_equal(buf_error(&buf), ERR_TOO_LARGE);
    buf_printf(&buf, "%s", "");
    assert_null(buf_extend(&buf, 0));
    assert_int_equal(buf.size, 4);
    buf_clear(&buf);
    buf_printf(&buf, "%d", 1234);
    assert_int_equal(buf_error(&buf), 0);
    assert_memory_equal(buf.data, "1234", 4);
    buf_fini(&buf);
}

static void takes_a_failure(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 0);
    buf_fail(&buf, 0);
    buf_append_text(&buf, "a");
    assert_int_equal(buf_error(&buf), 0);
    buf_fail(&buf, ERR_NO_MEMORY);
    buf_fail(&buf, ERR_TOO_LARGE);
    buf_fail(&buf, 0);
    buf_append_text(&buf, "b");
    assert_int_equal(buf_error(&buf), ERR_NO_MEMORY); /* the first stays */
    assert_int_equal(buf.size, 1);
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(appends), cmocka_unit_test(grows_from_byte_to_megabyte),
                                       cmocka_unit_test(limit_is_sticky), cmocka_unit_test(takes_a_failure)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
