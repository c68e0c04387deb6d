/* Language tags. Vectors: RFC 5646 appendix A, sections 2.2.1 to 2.2.9. */
#include "contract/format_rows.h"

static const struct format_row language_rows[] = {
    {"de", true, 0},
    {"fr", true, 0},
    {"ja", true, 0},
    {"i-enochian", true, 0}, /* appendix A */
    {"zh-Hant", true, 0},
    {"zh-Hans", true, 0},
    {"sr-Cyrl", true, 0},
    {"sr-Latn", true, 0},
    {"zh-cmn-Hans-CN", true, 0},
    {"cmn-Hans-CN", true, 0},
    {"zh-yue-HK", true, 0},
    {"yue-HK", true, 0},
    {"zh-Hans-CN", true, 0},
    {"sr-Latn-RS", true, 0},
    {"sl-rozaj", true, 0},
    {"sl-rozaj-biske", true, 0},
    {"sl-nedis", true, 0},
    {"de-CH-1901", true, 0},
    {"sl-IT-nedis", true, 0},
    {"hy-Latn-IT-arevela", true, 0},
    {"de-DE", true, 0},
    {"en-US", true, 0},
    {"es-419", true, 0},
    {"de-CH-x-phonebk", true, 0},
    {"az-Arab-x-AZE-derbend", true, 0},
    {"x-whatever", true, 0},
    {"qaa-Qaaa-QM-x-southern", true, 0},
    {"de-Qaaa", true, 0},
    {"sr-Latn-QM", true, 0},
    {"sr-Qaaa-RS", true, 0},
    {"en-US-u-islamcal", true, 0},
    {"zh-CN-a-myext-x-private", true, 0},
    {"en-a-myext-b-another", true, 0},
    {"de-419-DE", false, 0},
    {"a-DE", false, 0},
    {"ar-a-aaa-b-bbb-a-ccc", false, 0},
    {"ar-a-aaa-b-bbb-A-ccc", false, 0},
    {"en-GB-oed", true, 0},
    {"EN-gb-OED", true, 0},
    {"sgn-BE-FR", true, 0},
    {"i-klingon", true, 0}, /* 2.2.8 */
    {"art-lojban", true, 0},
    {"zh-min-nan", true, 0},
    {"zh-guoyu", true, 0},
    {"no-bok", true, 0},
    {"i-nothing", false, 0},
    {"i", false, 0},
    {"de-DE-1901-1901", false, 0},
    {"sl-rozaj-ROZAJ", false, 0}, /* 2.2.5 */
    {"sl-rozaj-1994-rozaj", false, 0},
    {"de-1996", true, 0},
    {"de-a996", false, 0},
    {"en-a", false, 0},
    {"en-a-x-b", false, 0},
    {"en-a-b", false, 0},
    {"en-x", false, 0},
    {"x", false, 0},
    {"x-", false, 0},
    {"en-x-a-b-c", true, 0},
    {"x-123456789", false, 0},
    {"en-a-123456789", false, 0},
    {"zh-aaa-bbb-ccc", true, 0},
    {"zh-aaa-bbb-ccc-ddd", false, 0},
    {"abcd-aaa", false, 0},
    {"abcdefgh", true, 0},
    {"abcdefghi", false, 0},
    {"e", false, 0},
    {"en_US", false, 0},
    {"en-", false, 0},
    {"-en", false, 0},
    {"en--US", false, 0},
    {"en-US ", false, 0},
    {"12", false, 0},
    {"en-U1", false, 0},
    {"en-1-aa", true, 0},
    {"en-1-aa-1-bb", false, 0},
    {"<string>", false, 0},
    {"en\0", false, 3},
    {"\xc3\xa9\xc3\xa9", false, 0},
    {"", false, 0},
};

static void language(void **state)
{
    (void)state;
    FORMAT_RUN_ROWS("language", language_rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(language)};
    return cmocka_run_group_tests_name("contract/format_language", tests, NULL, NULL);
}
