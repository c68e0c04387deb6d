/* Dates, times, zones. Vectors: RFC 3339 sections 5.7, 5.8 and appendices C and D; the IANA database. */
#include "contract/format_rows.h"

static void date(void **state)
{
    static const struct format_row rows[] = {
        {"1985-04-12", true, 0},
        {"1996-12-19", true, 0},
        {"2000-02-29", true, 0},
        {"2024-02-29", true, 0},
        {"0000-01-01", true, 0},
        {"9999-12-31", true, 0},
        {"1900-02-29", false, 0},
        {"2023-02-29", false, 0},
        {"2100-02-29", false, 0},
        {"2024-02-30", false, 0},
        {"2024-04-31", false, 0},
        {"2024-06-31", false, 0},
        {"2024-09-31", false, 0},
        {"2024-11-31", false, 0},
        {"2024-00-10", false, 0},
        {"2024-13-10", false, 0},
        {"2024-01-00", false, 0},
        {"2024-01-32", false, 0},
        {"2024-1-01", false, 0},
        {"24-01-01", false, 0},
        {"20240101", false, 0},
        {"2024/01/01", false, 0},
        {"2024-01-0a", false, 0},
        {"-024-01-01", false, 0},
        {"2024-01-01T", false, 0},
        {" 2024-01-01", false, 0},
        {"2024-01-01\0", false, 11},
        {"2024-01-\0001", false, 10},
        {"01.02.2024", false, 0},
        {"<string>", false, 0},
        {"", false, 0},
    };
    (void)state;
    FORMAT_RUN_ROWS("date", rows);
}

static void date_time(void **state)
{
    static const struct format_row rows[] = {
        {"1985-04-12T23:20:50.52Z", true, 0}, /* 5.8 */
        {"1996-12-19T16:39:57-08:00", true, 0},
        {"1990-12-31T23:59:60Z", true, 0},
        {"1990-12-31T15:59:60-08:00", true, 0},
        {"1937-01-01T12:00:27.87+00:20", true, 0},
        {"1972-06-30T23:59:60Z", true, 0}, /* appendix D */
        {"1972-07-01T09:59:60.5+10:00", true, 0},
        {"1973-01-01T00:59:60+01:00", true, 0},
        {"2024-08-07T13:45:40.886Z", true, 0},
        {"2024-08-07t13:45:40z", true, 0},
        {"2024-08-07T13:45:40-00:00", true, 0},
        {"2024-08-07T13:45:40+23:59", true, 0},
        {"2024-08-07T00:00:00.000000000000000000Z", true, 0},
        {"1990-12-30T23:59:60Z", false, 0},
        {"1972-06-29T23:59:60Z", false, 0},
        {"1990-11-30T23:59:60Z", false, 0},
        {"1990-12-31T23:58:60Z", false, 0},
        {"1990-12-31T22:59:60Z", false, 0},
        {"1990-12-31T23:59:60-08:00", false, 0},
        {"1990-12-30T15:59:60-08:00", false, 0},
        {"1990-12-31T00:59:60+01:00", false, 0},
        {"1973-01-02T00:59:60+01:00", false, 0},
        {"1973-02-01T00:59:60+01:00", false, 0},
        {"1990-12-31T23:59:61Z", false, 0},
        {"1990-12-31T24:00:00Z", false, 0},
        {"1990-12-31T23:60:00Z", false, 0},
        {"1990-02-29T23:00:00Z", false, 0},
        {"1990-12-31T23:59:59", false, 0},
        {"1990-12-31 23:59:59Z", false, 0},
        {"1990-12-31T23:59:59.Z", false, 0},
        {"1990-12-31T23:59:59,5Z", false, 0},
        {"1990-12-31T23:59:59+24:00", false, 0},
        {"1990-12-31T23:59:59+01:60", false, 0},
        {"1990-12-31T23:59:59+0100", false, 0},
        {"1990-12-31T23:59:59+01", false, 0},
        {"1990-12-31T23:59:59ZZ", false, 0},
        {"1990-12-31T23:59Z", false, 0},
        {"1990-12-31T23:59:59.5", false, 0},
        {"1990-12-31T2:59:59.5Z", false, 0},
        {"1990-12-31T23:59:59Z\0", false, 21},
        {"1990-12-31", false, 0},
        {"", false, 0},
    };
    (void)state;
    FORMAT_RUN_ROWS("date-time", rows);
}

static void time_zone(void **state)
{
    static const struct format_row rows[] = {
        {"Africa/Abidjan", true, 0},
        {"Europe/Zurich", true, 0},
        {"America/Argentina/Buenos_Aires", true, 0},
        {"America/Indiana/Knox", true, 0},
        {"Etc/GMT+12", true, 0},
        {"Etc/GMT-14", true, 0},
        {"UTC", true, 0},
        {"GMT", true, 0},
        {"Zulu", true, 0},
        {"Asia/Kolkata", true, 0},
        {"Asia/Calcutta", true, 0},
        {"Europe/Kyiv", true, 0},
        {"US/Pacific", true, 0},
        {"America/Ciudad_Juarez", true, 0},
        {"europe/zurich", false, 0},
        {"Europe", false, 0},
        {"Europe/", false, 0},
        {"Europe/Zurich ", false, 0},
        {"Europe/Zurich/", false, 0},
        {"Europe/Zurichx", false, 0},
        {"+01:00", false, 0},
        {"CEST", false, 0},
        {"../../etc/passwd", false, 0},
        {"Europe/Zurich\0", false, 14},
        {"AAA", false, 0},
        {"zzz", false, 0},
        {"", false, 0},
    };
    (void)state;
    FORMAT_RUN_ROWS("time-zone", rows);
}

/* Each name of the table is found, so the table is in the order that the search needs. */
static void time_zone_order(void **state)
{
#define ZONE(name) name,
    static const char *const names[] = {
#include "contract/format_zones.inc"
    };
    const struct format *format = format_find(SLICE("time-zone"));
    const size_t count = sizeof(names) / sizeof(names[0]);
    (void)state;
    assert_true(count > 590);
    for (size_t i = 0; i < count; i++)
        assert_true(format->test(slice_from_text(names[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(date), cmocka_unit_test(date_time), cmocka_unit_test(time_zone),
                                       cmocka_unit_test(time_zone_order)};
    return cmocka_run_group_tests_name("contract/format_time", tests, NULL, NULL);
}
