/* The two encodings on their own. Vectors: draft-msporny-base58 section 5; BIP-173 and BIP-350 whole lists. */
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

struct bech32_row {
    const char *text;
    size_t prefix; /* 0: doesn't decode */
    size_t words;
    enum format_bech32_kind kind;
};

static void bech32(void **state)
{
    static const struct bech32_row rows[] = {
        {"A12UEL5L", 1, 0, FORMAT_BECH32},
        {"a12uel5l", 1, 0, FORMAT_BECH32},
        {"an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs", 83, 0,
         FORMAT_BECH32},
        {"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", 6, 32, FORMAT_BECH32},
        {"11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j", 1, 82,
         FORMAT_BECH32},
        {"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", 5, 48, FORMAT_BECH32},
        {"?1ezyfcl", 1, 0, FORMAT_BECH32},
        {"A1LQFN3A", 1, 0, FORMAT_BECH32M},
        {"a1lqfn3a", 1, 0, FORMAT_BECH32M},
        {"an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6", 83, 0,
         FORMAT_BECH32M},
        {"abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", 6, 32, FORMAT_BECH32M},
        {"11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8", 1, 82,
         FORMAT_BECH32M},
        {"split1checkupstagehandshakeupstreamerranterredcaperredlc445v", 5, 48, FORMAT_BECH32M},
        {"?1v759aa", 1, 0, FORMAT_BECH32M},
        {" 1nwldj5", 0, 0, FORMAT_BECH32}, /* BIP-173, invalid */
        {"\x7f"
         "1axkwrx",
         0, 0, FORMAT_BECH32},
        {"\x80"
         "1eym55h",
         0, 0, FORMAT_BECH32},
        {"an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx", 0, 0,
         FORMAT_BECH32},
        {"pzry9x0s0muk", 0, 0, FORMAT_BECH32},
        {"1pzry9x0s0muk", 0, 0, FORMAT_BECH32},
        {"x1b4n0q5v", 0, 0, FORMAT_BECH32},
        {"li1dgmt3", 0, 0, FORMAT_BECH32},
        {"de1lg7wt\xff", 0, 0, FORMAT_BECH32},
        {"A1G7SGD8", 0, 0, FORMAT_BECH32},
        {"10a06t8", 0, 0, FORMAT_BECH32},
        {"1qzzfhee", 0, 0, FORMAT_BECH32},
        {" 1xj0phk", 0, 0, FORMAT_BECH32M}, /* BIP-350, invalid */
        {"\x7f"
         "1g6xzxy",
         0, 0, FORMAT_BECH32M},
        {"\x80"
         "1vctc34",
         0, 0, FORMAT_BECH32M},
        {"an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4", 0, 0,
         FORMAT_BECH32M},
        {"qyrz8wqd2c9m", 0, 0, FORMAT_BECH32M},
        {"1qyrz8wqd2c9m", 0, 0, FORMAT_BECH32M},
        {"y1b0jsk6g", 0, 0, FORMAT_BECH32M},
        {"lt1igcx5c0", 0, 0, FORMAT_BECH32M},
        {"in1muywd", 0, 0, FORMAT_BECH32M},
        {"mm1crxm3i", 0, 0, FORMAT_BECH32M},
        {"au1s5cgom", 0, 0, FORMAT_BECH32M},
        {"M1VUXWEZ", 0, 0, FORMAT_BECH32M},
        {"16plkw9", 0, 0, FORMAT_BECH32M},
        {"1p2gdwpf", 0, 0, FORMAT_BECH32M},
        {"a12UEL5L", 0, 0, FORMAT_BECH32}, /* both cases */
        {"", 0, 0, FORMAT_BECH32},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct format_bech32 out;
        bool fits = format_bech32_decode(slice_from_text(rows[i].text), 90, &out);
        if (fits != (rows[i].prefix != 0))
            fail_msg("row %zu: \"%s\"", i, rows[i].text);
        if (!fits)
            continue;
        assert_int_equal(out.prefix_size, rows[i].prefix);
        assert_int_equal(out.word_count, rows[i].words);
        assert_int_equal(out.kind, rows[i].kind);
    }
}

/* BIP-173: the words of this one count from 0 to 31. */
static void bech32_words(void **state)
{
    struct format_bech32 out;
    (void)state;
    assert_true(format_bech32_decode(SLICE("ABCDEF1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LMQQQXW"), 90, &out));
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(out.words[i], i);
    assert_memory_equal(out.prefix, "abcdef", 6);
}

static void bech32_bytes(void **state)
{
    struct format_bech32 in = {.words = {31, 28}, .word_count = 2};
    struct format_bytes out;
    (void)state;
    assert_true(format_bech32_bytes(&in, 0, &out)); /* 11111 111.00 */
    assert_int_equal(out.size, 1);
    assert_int_equal(out.data[0], 0xff);
    in.words[1] = 29; /* a bit of padding set */
    assert_false(format_bech32_bytes(&in, 0, &out));
    in.word_count = 1; /* five bits of padding */
    in.words[0] = 0;
    assert_false(format_bech32_bytes(&in, 0, &out));
    assert_true(format_bech32_bytes(&in, 1, &out));
    assert_int_equal(out.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base58), cmocka_unit_test(base58_alphabets), cmocka_unit_test(base58_bounds),
        cmocka_unit_test(bech32), cmocka_unit_test(bech32_words),     cmocka_unit_test(bech32_bytes),
    };
    return cmocka_run_group_tests_name("contract/format_encoding", tests, NULL, NULL);
}
