/* Which names are taken: tables. */
#include "house.h"

#include "auth/auth_priv.h"

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

struct row {
    struct slice name;
    bool tenant;
    bool printable;
};

#define ROW(literal, tenant, printable)                                                                                \
    {                                                                                                                  \
        {(literal), sizeof(literal) - 1}, (tenant), (printable)                                                        \
    }

static const struct row ROWS[] = {
    ROW("", false, false),
    ROW("a", true, true),
    ROW("7", true, true),
    ROW("demo-1.EU_west", true, true),
    ROW(X64, true, true),
    ROW(X64 "x", false, false),
    ROW(".hidden", false, true),
    ROW("-flag", false, true),
    ROW("_x", false, true),
    ROW("a b", false, true),
    ROW("a/b", false, true),
    ROW("../x", false, true),
    ROW("a%2Fb", false, true),
    ROW("a\0b", false, false),
    ROW("a\n", false, false),
    ROW("a\x7F", false, false),
    ROW("Z\xC3\xBCrich", false, true),            /* two bytes */
    ROW("\xE6\x9D\xB1\xE4\xBA\xAC", false, true), /* three */
    ROW("\xF0\x9F\x8F\xA6", false, true),         /* four */
    ROW("\xC3", false, false),                    /* cut off */
    ROW("\xC0\xAF", false, false),                /* overlong '/' */
    ROW("\xC1\xBF", false, false),                /* overlong */
    ROW("\xE0\x80\xAF", false, false),            /* overlong '/' */
    ROW("\xF0\x80\x80\xAF", false, false),        /* overlong '/' */
    ROW("\xED\xA0\x80", false, false),            /* surrogate */
    ROW("\xF4\x90\x80\x80", false, false),        /* beyond U+10FFFF */
    ROW("\xF5\x80\x80\x80", false, false),        /* no lead byte */
    ROW("\x80", false, false),                    /* continuation first */
    ROW("\xC3\x28", false, false),                /* no continuation */
    ROW("\xC2\x85", false, false),                /* C1 */
    ROW("a\xE2\x80\xAEz", false, false),          /* right-to-left override; NOLINT: escapes mislead nobody */
    ROW("a\xE2\x80\xA8", false, false),           /* line separator */
    ROW("\xEF\xBB\xBF"
        "a",
        false, false),                 /* byte order mark */
    ROW("\xEF\xBF\xBE", false, false), /* U+FFFE */
};

static void names_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        if (auth_name_is_tenant(ROWS[i].name) != ROWS[i].tenant ||
            auth_name_is_printable(ROWS[i].name) != ROWS[i].printable) {
            fail_msg("row %zu", i);
        }
    }
}

static void ids_are_judged(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"client-00ff", true},
        {"client-", false},
        {"client", false},
        {"client-00FF", false},
        {"client-00/ff", false},
        {"client-g", false},
        {"key-00ff", false},
        {"xclient-00ff", false},
        {"client-0000000000000000000000000000000000000000", true},
        {"client-00000000000000000000000000000000000000000", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (auth_name_is_id(slice_from_text(rows[i].text), "client-") != rows[i].good) {
            fail_msg("row %zu: %s", i, rows[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_judged),
        cmocka_unit_test(ids_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
