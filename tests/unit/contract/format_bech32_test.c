/* Bech32 on its own. Vectors: the whole lists of BIP-173 and BIP-350. */
#include "contract/format_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct bech32_row {
    const char *text;
    size_t prefix; /* 0: doesn't decode */
    size_t words;
    enum format_bech32_kind kind;
};

static const struct bech32_row bech32_rows[] = {
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

static void bech32(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bech32_rows) / sizeof(bech32_rows[0]); i++) {
        struct format_bech32 out;
        bool fits = format_bech32_decode(slice_from_text(bech32_rows[i].text), 90, &out);
        if (fits != (bech32_rows[i].prefix != 0))
            fail_msg("row %zu: \"%s\"", i, bech32_rows[i].text);
        if (!fits)
            continue;
        assert_int_equal(out.prefix_size, bech32_rows[i].prefix);
        assert_int_equal(out.word_count, bech32_rows[i].words);
        assert_int_equal(out.kind, bech32_rows[i].kind);
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
        cmocka_unit_test(bech32),
        cmocka_unit_test(bech32_words),
        cmocka_unit_test(bech32_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
