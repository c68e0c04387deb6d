/*
 * Hosts on their own; format_text_test.c and format_uri_test.c hold the formats that contain them.
 * Vectors: RFC 1035 section 2.3.4, 1123 section 2.1, 3986 section 3.2.2, 4291 section 2.2.
 */
#include "contract/format_rows.h"

#include "contract/format_priv.h"

#define TEN     "aaaaaaaaaa"
#define SIXTY   TEN TEN TEN TEN TEN TEN
#define WIDE_10 "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
#define WIDE_59                                                                                                        \
    WIDE_10 WIDE_10 WIDE_10 WIDE_10 WIDE_10 "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"

static void labels(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t ascii; /* labels, 0: no host */
        size_t utf8;
    } rows[] = {
        {"localhost", 1, 1},
        {"example.com", 2, 2},
        {"a.b.c.d.e", 5, 5},
        {"3com.com", 2, 2},
        {"a-b--c.x", 2, 2},
        {"xn--bcher-kva.example", 2, 2},
        {"1.2.3.4.example", 5, 5},
        {"EXAMPLE.Com", 2, 2},
        {"b\xc3\xbc"
         "cher.example",
         0, 2},
        {"\xe9\xa6\x99\xe6\xb8\xaf", 0, 1},
        {SIXTY "aaa.a", 2, 2},
        {SIXTY "aaaa.a", 0, 0},
        {WIDE_59, 0, 1},
        {WIDE_59 "a", 0, 0},
        {SIXTY "." SIXTY "." SIXTY "." SIXTY ".aaaaaaaaa", 5, 5}, /* 253 */
        {SIXTY "." SIXTY "." SIXTY "." SIXTY "." TEN, 0, 0},
        {"", 0, 0},
        {".", 0, 0},
        {"example.com.", 0, 0},
        {".example.com", 0, 0},
        {"a..b", 0, 0},
        {"-a.b", 0, 0},
        {"a-.b", 0, 0},
        {"a.-", 0, 0},
        {"a_b.c", 0, 0},
        {"a b", 0, 0},
        {"192.0.2.1", 0, 0}, /* an address, no name */
        {"a.1", 0, 0},
        {"a.1b", 2, 2},
        {"\xff.example", 0, 0},
        {"a.\xc3", 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice text = slice_from_text(rows[i].text);
        size_t ascii = format_host_labels(text, false);
        size_t utf8 = format_host_labels(text, true);
        if (ascii != rows[i].ascii || utf8 != rows[i].utf8)
            fail_msg("row %zu: \"%s\" has %zu and %zu", i, rows[i].text, ascii, utf8);
    }
}

static void run(bool (*test)(struct slice), const struct format_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = rows[i].size != 0 ? rows[i].size : strlen(rows[i].text);
        if (format_run_exact(test, rows[i].text, size) != rows[i].fits)
            fail_msg("row %zu: \"%s\" should %sfit", i, rows[i].text, rows[i].fits ? "" : "not ");
    }
}

static void ipv4(void **state)
{
    static const struct format_row rows[] = {
        {"0.0.0.0", true, 0},    {"192.0.2.1", true, 0},  {"255.255.255.255", true, 0},
        {"256.0.0.1", false, 0}, {"1.2.3.999", false, 0}, {"1.2.3", false, 0},
        {"1.2.3.4.5", false, 0}, {"1.2.3.", false, 0},    {".1.2.3", false, 0},
        {"1..2.3", false, 0},    {"01.2.3.4", false, 0},  {"1.2.3.00", false, 0},
        {"1.2.3.4 ", false, 0},  {" 1.2.3.4", false, 0},  {"1.2.3.a", false, 0},
        {"0x1.2.3.4", false, 0}, {"1,2,3,4", false, 0},   {"1.2.3.4000", false, 0},
        {"", false, 0},          {"1", false, 0},         {"1.2.3.4\0", false, 8},
    };
    (void)state;
    run(format_ipv4, rows, sizeof(rows) / sizeof(rows[0]));
}

static void ipv6(void **state)
{
    static const struct format_row rows[] = {
        {"::", true, 0},
        {"::1", true, 0},
        {"1::", true, 0},
        {"2001:db8:0:0:8:800:200c:417a", true, 0}, /* RFC 4291 */
        {"2001:DB8::8:800:200C:417A", true, 0},
        {"ff01::101", true, 0},
        {"1:2:3:4:5:6:7:8", true, 0},
        {"1:2:3:4:5:6:7::", true, 0},
        {"::2:3:4:5:6:7:8", true, 0},
        {"1::3:4:5:6:7:8", true, 0},
        {"0:0:0:0:0:0:13.1.68.3", true, 0},
        {"::13.1.68.3", true, 0},
        {"::ffff:129.144.52.38", true, 0},
        {"1:2:3:4:5::1.2.3.4", true, 0},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", true, 0}, /* 45, the longest */
        {"1:2:3:4:5:6:7", false, 0},
        {"1:2:3:4:5:6:7:8:9", false, 0},
        {"1:2:3:4:5:6:7:8::", false, 0},
        {"::1:2:3:4:5:6:7:8", false, 0},
        {"1:2:3:4:5:6:7:1.2.3.4", false, 0},
        {"1:2:3:4:5:6::1.2.3.4", false, 0},
        {"1.2.3.4", false, 0},
        {"1.2.3.4::", false, 0},
        {"::1.2.3", false, 0},
        {"::1.2.3.256", false, 0},
        {"1::2::3", false, 0},
        {":::", false, 0},
        {"::::", false, 0},
        {":", false, 0},
        {":1", false, 0},
        {"1:", false, 0},
        {":1::", false, 0},
        {"1::2:", false, 0},
        {"12345::", false, 0},
        {"::g", false, 0},
        {"::1%eth0", false, 0},
        {"[::1]", false, 0},
        {"", false, 0},
        {"::\0", false, 3},
    };
    (void)state;
    run(format_ipv6, rows, sizeof(rows) / sizeof(rows[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(labels), cmocka_unit_test(ipv4), cmocka_unit_test(ipv6)};
    return cmocka_run_group_tests_name("contract/format_host", tests, NULL, NULL);
}
