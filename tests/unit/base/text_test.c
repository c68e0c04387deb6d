/* Encodings: the vectors of RFC 4648 section 10, percent escapes, numbers, the nearest word. */
#include "base/text.h"

#include "../test.h"

static void base64(void **state)
{
    (void)state;
    static const char *const rows[][3] = {{"", "", ""},
                                          {"f", "Zg", "Zg=="},
                                          {"fo", "Zm8", "Zm8="},
                                          {"foo", "Zm9v", "Zm9v"},
                                          {"foob", "Zm9vYg", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy", "Zm9vYmFy"}};
    struct buf buf;
    buf_init(&buf, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_clear(&buf);
        text_append_base64url(&buf, slice_from_text(rows[i][0]));
        assert_true(slice_equal_text(buf_view(&buf), rows[i][1]));
        buf_clear(&buf);
        assert_true(text_decode_base64url(slice_from_text(rows[i][1]), &buf));
        assert_true(slice_equal_text(buf_view(&buf), rows[i][0]));
        buf_clear(&buf);
        assert_true(text_decode_base64(slice_from_text(rows[i][2]), &buf));
        assert_true(slice_equal_text(buf_view(&buf), rows[i][0]));
    }
    static const char *const bad[] = {"Z", "Zh", "Zm9=v", "Z g", "Zm9v!"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        buf_clear(&buf);
        assert_false(text_decode_base64url(slice_from_text(bad[i]), &buf));
    }
    assert_false(text_decode_base64(SLICE("Zg"), &buf));
    buf_fini(&buf);
}

static void percent(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        bool form, good;
    } rows[] = {{"a%20b", "a b", false, true}, {"a+b", "a+b", false, true},
                {"a+b", "a b", true, true},    {"%E2%82%ac", "\xE2\x82\xAC", false, true},
                {"%4", "", false, false},      {"%", "", false, false},
                {"%zz", "", false, false},     {"x%41", "xA", false, true}};
    struct buf buf;
    buf_init(&buf, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_clear(&buf);
        assert_int_equal(text_decode_percent(slice_from_text(rows[i].in), rows[i].form, &buf), rows[i].good);
        if (rows[i].good) {
            assert_true(slice_equal_text(buf_view(&buf), rows[i].out));
        }
    }
    buf_fini(&buf);
}

static void numbers(void **state)
{
    (void)state;
    uint64_t value;
    assert_true(text_to_u64(SLICE("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    static const char *const bad[] = {"", "18446744073709551616", "-1", "+1", "1 ", "0x1", "99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(text_to_u64(slice_from_text(bad[i]), &value));
    }
}

static void nearest(void **state)
{
    (void)state;
    static const struct slice words[] = {{"new", 3}, {"verified", 8}, {"blacklisted", 11}, {"on_hold", 7}};
    static const struct {
        const char *word;
        int index;
    } rows[] = {{"verifed", 1}, {"Verified", 1}, {"onhold", 3}, {"black_listed", 2}, {"zzz", -1}, {"", -1}, {"nwe", 0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(text_nearest(slice_from_text(rows[i].word), words, COUNT_OF(words)), rows[i].index);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(base64), cmocka_unit_test(percent), cmocka_unit_test(numbers),
                                       cmocka_unit_test(nearest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
