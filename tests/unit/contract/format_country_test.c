/* Country codes: ISO 3166-1. */
#include "contract/format_rows.h"

/* ISO 3166-1, and codes that are not of it: reserved, user-assigned, withdrawn. */
static void country(void **state)
{
    static const struct format_row two[] = {
        {"AD", true, 0},  {"ZW", true, 0},  {"CH", true, 0},   {"SS", true, 0},  {"BQ", true, 0},   {"EU", false, 0},
        {"UK", false, 0}, {"XK", false, 0}, {"AN", false, 0},  {"DA", false, 0}, /* across two codes of the table */
        {"ch", false, 0}, {"C", false, 0},  {"CHE", false, 0}, {"", false, 0},   {"C\0", false, 2},
    };
    static const struct format_row three[] = {
        {"ABW", true, 0},  {"ZWE", true, 0},  {"CHE", true, 0},  {"ROU", true, 0},   {"TLS", true, 0},
        {"XKX", false, 0}, {"ANT", false, 0}, {"ROM", false, 0}, {"TMP", false, 0},  {"WAF", false, 0},
        {"che", false, 0}, {"CH", false, 0},  {"", false, 0},    {"CHEE", false, 0},
    };
    (void)state;
    FORMAT_RUN_ROWS("iso-3166-1-alpha-2", two);
    FORMAT_RUN_ROWS("iso-3166-1-alpha-3", three);
}

/* The length of each table and that no code stands in it twice, by trying all. */
static void country_count(void **state)
{
    const struct format *two = format_find(SLICE("iso-3166-1-alpha-2"));
    const struct format *three = format_find(SLICE("iso-3166-1-alpha-3"));
    int twos = 0;
    int threes = 0;
    (void)state;
    for (int a = 'A'; a <= 'Z'; a++)
        for (int b = 'A'; b <= 'Z'; b++) {
            char code[3] = {(char)a, (char)b, 'A'};
            twos += two->test(slice_make(code, 2));
            for (; code[2] <= 'Z'; code[2]++)
                threes += three->test(slice_make(code, 3));
        }
    assert_int_equal(twos, 249);
    assert_int_equal(threes, 249);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(country),
        cmocka_unit_test(country_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
