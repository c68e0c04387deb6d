/*
 * Classes of bytes, against the lists of characters as the RFCs write them (3986 section 2, 5322
 * section 3.2.3, 5234 appendix B.1), and the size of UTF-8 sequences (3629 section 4).
 */
#include "contract/format_priv.h"

#include "../test.h"

static void classes(void **state)
{
    (void)state;
#define DIGITS "0123456789"
#define LOWERS "abcdefghijklmnopqrstuvwxyz"
#define UPPERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    static const struct {
        unsigned classes;
        const char *characters; /* all of them that are ASCII */
        bool high;              /* and all bytes beyond */
    } rows[] = {
        {FORMAT_DIGIT, DIGITS, false},
        {FORMAT_LOWER, LOWERS, false},
        {FORMAT_UPPER, UPPERS, false},
        {FORMAT_HEX, DIGITS "ABCDEFabcdef", false},
        {FORMAT_ALNUM, DIGITS LOWERS UPPERS, false},
        {FORMAT_ALNUM | FORMAT_ID_MARK | FORMAT_TILDE, DIGITS LOWERS UPPERS "-._~", false}, /* unreserved */
        {FORMAT_ID_MARK, ".-_", false},
        {FORMAT_SUB_DELIM, "!$&'()*+,;=", false},
        {FORMAT_COLON, ":", false},
        {FORMAT_AT, "@", false},
        {FORMAT_SLASH, "/", false},
        {FORMAT_QUESTION, "?", false},
        {FORMAT_ATEXT_MARK, "!#$%&'*+-/=?^_`{|}~", false},
        {FORMAT_HIGH, "", true},
        {FORMAT_ALPHA | FORMAT_HIGH, LOWERS UPPERS, true},
        {0, "", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int byte = 0; byte < 256; byte++) {
            bool listed = byte >= 128 ? rows[i].high : byte != 0 && strchr(rows[i].characters, byte) != NULL;
            if (((format_class((char)byte) & rows[i].classes) != 0) != listed) {
                fail_msg("row %zu: byte %d", i, byte);
            }
        }
    }
}

static void runs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
        unsigned classes;
        size_t run;
        bool all;
    } rows[] = {
        {"", 0, FORMAT_DIGIT, 0, true},     {"123", 0, FORMAT_DIGIT, 3, true},
        {"123", 3, FORMAT_DIGIT, 0, true},  {"12a", 0, FORMAT_DIGIT, 2, false},
        {"a12", 0, FORMAT_DIGIT, 0, false}, {"a12", 1, FORMAT_DIGIT, 2, false},
        {"a12b", 1, FORMAT_ALNUM, 3, true}, {"a-b", 0, FORMAT_ALPHA | FORMAT_ID_MARK, 3, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice text = slice_from_text(rows[i].text);
        if (format_run(text, rows[i].at, rows[i].classes) != rows[i].run ||
            format_all(text, rows[i].classes) != rows[i].all) {
            fail_msg("row %zu: %s", i, rows[i].text);
        }
    }
}

static void utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        size_t sequence;
    } rows[] = {
        {"", 0, 0},
        {"a", 1, 1},
        {"\0", 1, 1},
        {"\x7f", 1, 1},
        {"\x80", 1, 0},
        {"\xbf\xbf", 2, 0},
        {"\xc1\xbf", 2, 0}, /* overlong */
        {"\xc2\x80", 2, 2},
        {"\xdf\xbf", 2, 2},
        {"\xdf", 1, 0},
        {"\xdf\x7f", 2, 0},
        {"\xdf\xc0", 2, 0},
        {"\xe0\x9f\xbf", 3, 0}, /* overlong */
        {"\xe0\xa0\x80", 3, 3},
        {"\xe0\xa0", 2, 0},
        {"\xe0\xa0\x7f", 3, 0},
        {"\xed\x9f\xbf", 3, 3},
        {"\xed\xa0\x80", 3, 0}, /* surrogate */
        {"\xee\x80\x80", 3, 3},
        {"\xef\xbf\xbf", 3, 3},
        {"\xf0\x8f\xbf\xbf", 4, 0}, /* overlong */
        {"\xf0\x90\x80\x80", 4, 4},
        {"\xf0\x90\x80", 3, 0},
        {"\xf0\x90\x80\xc0", 4, 0},
        {"\xf4\x8f\xbf\xbf", 4, 4},
        {"\xf4\x90\x80\x80", 4, 0}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", 4, 0},
        {"\xff", 1, 0},
        {"\xc3\xa9\xff", 3, 2}, /* what follows doesn't matter */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (format_utf8_size(slice_make(rows[i].text, rows[i].size)) != rows[i].sequence) {
            fail_msg("row %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),
        cmocka_unit_test(runs),
        cmocka_unit_test(utf8),
    };
    return cmocka_run_group_tests_name("contract/format_ascii", tests, NULL, NULL);
}
