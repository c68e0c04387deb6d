/*
 * Dates, date-times and time zones. The one difficulty is second 60: it exists only in the last
 * minute of a June or a December in UTC, so a date-time that has it is moved to UTC first.
 */
#include <stdlib.h>

#include "contract/format_priv.h"

#define MINUTES_OF_DAY (24 * 60)

struct day {
    int year, month, day;
};

/* Value of `count` digits at `at`, -1 when one isn't a digit. The caller knows that the bytes are there. */
static int number(struct slice text, size_t at, size_t count)
{
    int value = 0;
    for (size_t i = at; i < at + count; i++) {
        if ((format_class(text.data[i]) & FORMAT_DIGIT) == 0)
            return -1;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

/* RFC 3339 appendix C. */
static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* full-date of RFC 3339 section 5.6 in the first ten bytes. */
static bool full_date(struct slice text, struct day *out)
{
    if (text.size < 10 || text.data[4] != '-' || text.data[7] != '-')
        return false;
    *out = (struct day){number(text, 0, 4), number(text, 5, 2), number(text, 8, 2)};
    return out->year >= 0 && out->month >= 1 && out->month <= 12 && out->day >= 1 &&
           out->day <= days_of_month(out->year, out->month);
}

/* Size of time-offset as minutes east of UTC; false when it isn't one or bytes follow. */
static bool offset(struct slice text, int *minutes)
{
    *minutes = 0;
    if (text.size == 1)
        return text.data[0] == 'Z' || text.data[0] == 'z';
    if (text.size != 6 || (text.data[0] != '+' && text.data[0] != '-') || text.data[3] != ':')
        return false;
    int hour = number(text, 1, 2);
    int minute = number(text, 4, 2);
    *minutes = (hour * 60 + minute) * (text.data[0] == '-' ? -1 : 1);
    return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59;
}

/*
 * Whether the minute, counted from the day's begin and east of UTC, may have a second 60 (section
 * 5.7). An offset is less than a day, so the last minute in UTC is of the same day or the day before.
 */
static bool is_leap_minute(struct day day, int minute, int east)
{
    switch (minute - east) {
    case MINUTES_OF_DAY - 1:
        return (day.month == 6 && day.day == 30) || (day.month == 12 && day.day == 31);
    case -1:
        return day.day == 1 && (day.month == 7 || day.month == 1);
    default:
        return false;
    }
}

/* RFC 3339 section 5.6, full-date. */
bool format_date(struct slice text)
{
    struct day day;
    return text.size == 10 && full_date(text, &day);
}

/* RFC 3339 section 5.6, date-time; "T" and "Z" in either case, a space instead of "T" not. */
bool format_date_time(struct slice text)
{
    struct day day;
    int east;
    if (text.size < 20 || !full_date(text, &day) || (text.data[10] != 'T' && text.data[10] != 't'))
        return false;
    if (text.data[13] != ':' || text.data[16] != ':')
        return false;
    int hour = number(text, 11, 2);
    int minute = number(text, 14, 2);
    int second = number(text, 17, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    size_t at = 19;
    if (text.data[at] == '.') {
        size_t digits = format_run(text, at + 1, FORMAT_DIGIT);
        if (digits == 0)
            return false;
        at += 1 + digits;
    }
    if (!offset(slice_from(text, at), &east))
        return false;
    return second < 60 || is_leap_minute(day, hour * 60 + minute, east);
}

#define ZONE(name) {name, sizeof(name) - 1},
static const struct slice zones[] = {
#include "contract/format_zones.inc"
};
#undef ZONE

static int compare_zone(const void *text, const void *zone)
{
    return slice_compare(*(const struct slice *)text, *(const struct slice *)zone);
}

/* A name of the IANA time zone database, zone or link, in its exact case (RFC 6557, zic(8)). */
bool format_time_zone(struct slice text)
{
    return bsearch(&text, zones, sizeof(zones) / sizeof(zones[0]), sizeof(zones[0]), compare_zone) != NULL;
}
