/* E-mail, phone, UUID. Vectors: RFC 5321 and 5322 and their errata, RFC 6531, E.164, RFC 9562. */
#include "contract/format_rows.h"

#define SIXTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

#define NINETEEN_WIDE                                                                                                  \
    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc" \
    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
#define TWENTY_WIDE NINETEEN_WIDE "\xc3\xbc"

static void email(void **state)
{
    static const struct format_row rows[] = {
        {"jdoe@machine.example", true, 0}, /* RFC 5322 A.1.1 */
        {"john.q.public@example.com", true, 0},
        {"Joe.Q.Public@EXAMPLE.com", true, 0},
        {"a@b.c", true, 0},
        {"!#$%&'*+-/=?^_`{|}~@example.org", true, 0}, /* RFC 5322 3.2.3 */
        {"\"Joe.\\\\Blow\"@example.com", true, 0},    /* RFC 3696 section 3 */
        {"\"Abc@def\"@example.com", true, 0},
        {"\"Fred Bloggs\"@example.com", true, 0},
        {"\"\\\"\"@example.com", true, 0},
        {"\"\"@example.com", true, 0}, /* QcontentSMTP may be empty */
        {"customer/department=shipping@example.com", true, 0},
        {"user@[192.0.2.1]", true, 0}, /* RFC 5321 4.1.3 */
        {"user@[IPv6:2001:db8::1]", true, 0},
        {"user@xn--bcher-kva.example", true, 0},
        {"\xe9\x98\xbf\xe8\x8a\xb1@\xe4\xbc\x8a\xe6\x98\xad\xe5\x82\xa5.\xe9\xa6\x99\xe6\xb8\xaf", true,
         0},                                                              /* RFC 6531 */
        {"a@" TWENTY_WIDE TWENTY_WIDE NINETEEN_WIDE ".example", true, 0}, /* "xn--" and 59 octets at least */
        {"a@" TWENTY_WIDE TWENTY_WIDE TWENTY_WIDE ".example", false, 0},
        {SIXTY "aaaa@example.com", true, 0},
        {"a@" SIXTY "aaa.example", true, 0},
        {SIXTY "@" SIXTY "." SIXTY "." SIXTY ".aaaaaaaaaa", true, 0}, /* 254 */
        {SIXTY "@" SIXTY "." SIXTY "." SIXTY ".aaaaaaaaaaa", false, 0},
        {SIXTY "aaaaa@example.com", false, 0},
        {"a@" SIXTY "aaaa.example", false, 0},
        {"", false, 0},
        {"@", false, 0},
        {"a@", false, 0},
        {"@b.c", false, 0},
        {"a.b.c", false, 0},
        {"a@b", false, 0},
        {"a@@b.c", false, 0},
        {"a@b@c.d", false, 0},
        {".a@b.c", false, 0},
        {"a.@b.c", false, 0},
        {"a..b@b.c", false, 0},
        {"a b@c.d", false, 0},
        {"a@b..c", false, 0},
        {"a@.b.c", false, 0},
        {"a@b.c.", false, 0},
        {"a@-b.c", false, 0},
        {"a@b-.c", false, 0},
        {"a@b_c.d", false, 0},
        {"a@127.0.0.1", false, 0},
        {"a@[256.0.0.1]", false, 0},
        {"a@[1.2.3]", false, 0},
        {"a@[IPv6:1::2::3]", false, 0},
        {"a@[192.0.2.1", false, 0},
        {"a@[", false, 0},
        {"\"a@b.c", false, 0},
        {"\"a\"b@c.d", false, 0},
        {"\"a\\", false, 0},
        {"\"a\nb\"@c.d", false, 0},
        {"John Doe <a@b.c>", false, 0},
        {" a@b.c", false, 0},
        {"a@b.c ", false, 0},
        {"<string>", false, 0},
        {"a\0@b.c", false, 6},
        {"a@b.c\0", false, 6},
        {"\xff@b.c", false, 0},
        {"\xc0\xaf@b.c", false, 0}, /* overlong */
        {"\xe0\x80\xaf@b.c", false, 0},
        {"\xf0\x80\x80\xaf@b.c", false, 0},
        {"\xed\xa0\x80@b.c", false, 0}, /* surrogate */
        {"\xf4\x90\x80\x80@b.c", false, 0},
        {"a@b.\xe9\x98", false, 0}, /* cut off */
    };
    (void)state;
    FORMAT_RUN_ROWS("email", rows);
}

static void phone(void **state)
{
    static const struct format_row rows[] = {
        {"+14155552671", true, 0},
        {"+442071838750", true, 0},
        {"+12", true, 0},
        {"+123456789012345", true, 0},
        {"+1234567890123456", false, 0},
        {"+1", false, 0},
        {"+", false, 0},
        {"", false, 0},
        {"+0123456789", false, 0},
        {"14155552671", false, 0},
        {"0041441234567", false, 0},
        {"+1 415 555 2671", false, 0},
        {"+1-415", false, 0},
        {"+1(415)", false, 0},
        {"++1415", false, 0},
        {"+1415a", false, 0},
        {"<string>", false, 0},
        {"+1415\0", false, 6},
        {"+\xd9\xa1\xd9\xa2\xd9\xa3", false, 0}, /* other digits */
    };
    (void)state;
    FORMAT_RUN_ROWS("phone", rows);
}

static void uuid(void **state)
{
    static const struct format_row rows[] = {
        {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true, 0}, /* RFC 9562 section 4 */
        {"C232AB00-9414-11EC-B3C8-9F6BDECED846", true, 0}, /* A.1 */
        {"017F22E2-79B0-7CC3-98C4-DC0C0C07398F", true, 0}, /* A.6 */
        {"00000000-0000-0000-0000-000000000000", true, 0}, /* 5.9 */
        {"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", true, 0}, /* 5.10 */
        {"f81d4fae7dec11d0a76500a0c91e6bf6", false, 0},
        {"{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}", false, 0},
        {"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", false, 0},
        {"f81d4fae-7dec-11d0-a765-00a0c91e6bf", false, 0},
        {"f81d4fae-7dec-11d0-a765-00a0c91e6bfg", false, 0},
        {"f81d4fae-7dec-11d0-a76500a0c91e6bf6-0", false, 0},
        {"f81d4fae-7dec-11d0-a765-00a0c91e6bf\0", false, 36},
        {"", false, 0},
    };
    (void)state;
    FORMAT_RUN_ROWS("uuid", rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(email),
        cmocka_unit_test(phone),
        cmocka_unit_test(uuid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
