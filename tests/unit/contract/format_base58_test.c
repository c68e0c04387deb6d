/* Base58 on its own. Vectors: draft-msporny-base58 section 5. */
#include "contract/format_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct base58_row {
    const char *text;
    const char *bytes;
    size_t size;
};

static void base58(void **state)
{
    static const struct base58_row rows[] = {
        {"2NEpo7TZRRrLZSi2U", "Hello World!", 12},
        {"USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z", "The quick brown fox jumps over the lazy dog.",
         44},
        {"11233QC4", "\0\0\x28\x7f\xb4\xcd", 6},
        {"1", "\0", 1},
        {"112", "\0\0\1", 3},
        {"z", "\x39", 1},
        {"5Q", "\xff", 1},
        {"5R", "\1\0", 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct format_bytes out;
        assert_true(format_base58_decode(slice_from_text(rows[i].text), FORMAT_BASE58_BITCOIN, &out));
        assert_int_equal(out.size, rows[i].size);
        assert_memory_equal(out.data, rows[i].bytes, out.size);
    }
}

/* The order of each alphabet: Bitcoin's and XRPL's documentation. */
static void base58_alphabets(void **state)
{
    static const char *const alphabets[] = {"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
                                            "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"};
    (void)state;
    for (int a = 0; a < 2; a++)
        for (int c = 0; c < 256; c++) {
            char text = (char)c;
            const char *place = c == 0 ? NULL : strchr(alphabets[a], text);
            struct format_bytes out;
            bool fits = format_base58_decode(slice_make(&text, 1), (enum format_base58_alphabet)a, &out);
            assert_int_equal(fits, place != NULL);
            if (fits)
                assert_int_equal(out.data[0], place - alphabets[a]);
        }
}

static void base58_bounds(void **state)
{
    char text[FORMAT_BASE58_TEXT_MAX + 1];
    struct format_bytes out;
    (void)state;
    memset(text, 'z', sizeof(text));
    assert_true(format_base58_decode(slice_make(text, FORMAT_BASE58_TEXT_MAX), FORMAT_BASE58_BITCOIN, &out));
    assert_int_equal(out.size, 94); /* 128 digits of log2(58) bits */
    assert_false(format_base58_decode(slice_make(text, sizeof(text)), FORMAT_BASE58_BITCOIN, &out));
    memset(text, '1', sizeof(text));
    assert_true(format_base58_decode(slice_make(text, FORMAT_BASE58_TEXT_MAX), FORMAT_BASE58_BITCOIN, &out));
    assert_int_equal(out.size, FORMAT_BASE58_TEXT_MAX);
    assert_false(format_base58_decode(SLICE_NONE, FORMAT_BASE58_BITCOIN, &out));
    assert_false(format_base58_check(SLICE("3QJmnh"), FORMAT_BASE58_BITCOIN, &out)); /* the checksum of nothing */
    assert_false(format_base58_check(SLICE("11"), FORMAT_BASE58_BITCOIN, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base58),
        cmocka_unit_test(base58_alphabets),
        cmocka_unit_test(base58_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
