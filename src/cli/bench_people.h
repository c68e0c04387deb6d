/* Names, places and numbers of several countries, for bench_customers.c. Read-only tables. */
#ifndef CLI_BENCH_PEOPLE_H
#define CLI_BENCH_PEOPLE_H

#include "base/slice.h"

#define PEOPLE_COUNT   10
#define PEOPLE_NAMES   8
#define PEOPLE_STREETS 4

struct person_name {
    struct slice native; /* in the country's script */
    struct slice latin;
    struct slice mail; /* lower-case ASCII */
};

struct people {
    struct slice language; /* BCP 47 */
    struct slice locale;   /* BCP 47 */
    struct slice country2; /* ISO 3166-1 alpha-2 */
    struct slice country3; /* alpha-3 */
    struct slice zone;     /* IANA */
    struct slice phone;    /* E.164 up to the last nine digits */
    struct slice operator_name;
    struct slice domain; /* reserved by RFC 2606 */
    struct slice city;
    struct slice area;
    struct slice latitude; /* digits that five more follow */
    struct slice longitude;
    struct slice streets[PEOPLE_STREETS];
    struct person_name given[PEOPLE_NAMES];
    struct person_name family[PEOPLE_NAMES];
};

extern const struct people PEOPLE[PEOPLE_COUNT];

#endif
