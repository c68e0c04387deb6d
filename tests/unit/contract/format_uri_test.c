/* URI and DID. Vectors: RFC 3986 sections 1.1.2, 3.2.2 and 5.4; DID Core; did:key, did:web, did:pkh. */
#include "contract/format_rows.h"

static const struct format_row uri_rows[] = {
    {"ftp://ftp.is.co.za/rfc/rfc1808.txt", true, 0}, /* 1.1.2 */
    {"http://www.ietf.org/rfc/rfc2396.txt", true, 0},
    {"ldap://[2001:db8::7]/c=GB?objectClass?one", true, 0},
    {"mailto:John.Doe@example.com", true, 0},
    {"news:comp.infosystems.www.servers.unix", true, 0},
    {"tel:+1-816-555-1212", true, 0},
    {"telnet://192.0.2.16:80/", true, 0},
    {"urn:oasis:names:specification:docbook:dtd:xml:4.1.2", true, 0},
    {"foo://example.com:8042/over/there?name=ferret#nose", true, 0}, /* 3 */
    {"https://example.com", true, 0},
    {"HTTPS://user:pass%20word@example.com:/", true, 0},
    {"file:///etc/hosts", true, 0},
    {"data:,A%20brief%20note", true, 0},
    {"http://[v1.fe80::a+en1]/", true, 0},
    {"http://[::]/", true, 0},
    {"http://[::ffff:192.0.2.128]:80/", true, 0},
    {"http://[1:2:3:4:5:6:7:8]/", true, 0},
    {"http://[1:2:3:4:5:6:1.2.3.4]/", true, 0},
    {"http://[1:2:3:4:5:6:7::]/", true, 0},
    {"http://[::2:3:4:5:6:7:8]/", true, 0},
    {"http://a/b/c/d;p?q=/?#/?", true, 0},
    {"http://example.com/~user/(a)!$&'*+,;=:@", true, 0},
    {"http://[1:2:3:4:5:6:7]/", false, 0},
    {"http://[1:2:3:4:5:6:7:8:9]/", false, 0},
    {"http://[1::2::3]/", false, 0},
    {"http://[:::]/", false, 0},
    {"http://[1:2:3:4:5:6:7:8::]/", false, 0},
    {"http://[::1:2:3:4:5:6:1.2.3.4]/", false, 0},
    {"http://[1:2:3:4:5:6:7:1.2.3.4]/", false, 0},
    {"http://[:1]/", false, 0},
    {"http://[1:]/", false, 0},
    {"http://[12345::]/", false, 0},
    {"http://[::1.2.3.256]/", false, 0},
    {"http://[::1.2.3.04]/", false, 0},
    {"http://[::1%25eth0]/", false, 0},
    {"http://[::1/", false, 0},
    {"http://[]/", false, 0},
    {"http://[v.a]/", false, 0},
    {"http://[v.aa]/", false, 0},
    {"http://[v1.]/", false, 0},
    {"http://[::1]a/", false, 0},
    {"http://a:8a/", false, 0},
    {"http://a@b@c/", false, 0},
    {"http://a b/", false, 0},
    {"http://a/b c", false, 0},
    {"http://a/%", false, 0},
    {"http://a/%2", false, 0},
    {"http://a/%2g", false, 0},
    {"http://a/#a#b", false, 0},
    {"http://a/<b>", false, 0},
    {"http://a/\\b", false, 0},
    {"http://a/\"", false, 0},
    {"http://a/[b]", false, 0},
    {"http://a/\xc3\xa9", false, 0},
    {"http://a/\0", false, 10},
    {"http:///path", false, 0},
    {"http:path", false, 0},
    {"https://", false, 0},
    {"//example.com/", false, 0},
    {"www.example.com", false, 0},
    {"/path", false, 0},
    {":a", false, 0},
    {"1a:b", false, 0},
    {"a_b:c", false, 0},
    {"string", false, 0},
    {"", false, 0},
};

static void uri(void **state)
{
    (void)state;
    FORMAT_RUN_ROWS("uri", uri_rows);
}

static void did(void **state)
{
    static const struct format_row rows[] = {
        {"did:example:123456789abcdefghi", true, 0}, /* DID Core 1.3 */
        {"did:example:123:456", true, 0},
        {"did:example:a%20b", true, 0},
        {"did:example:a::b", true, 0},
        {"did:3:x._-", true, 0},
        {"did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH", true, 0}, /* did:key 1.2 */
        {"did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", true, 0},
        {"did:web:w3c-ccg.github.io", true, 0}, /* did:web 2.3 */
        {"did:web:w3c-ccg.github.io:user:alice", true, 0},
        {"did:web:example.com%3A3000", true, 0},
        {"did:web:example.com%3A3000:user:alice", true, 0},
        {"did:web:localhost%3A8443", true, 0},
        {"did:pkh:eip155:1:0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb", true, 0}, /* did:pkh, CAIP-10 */
        {"did:pkh:bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p6", true, 0},
        {"did:pkh:tezos:NetXdQprcVkpaWU:tz1TzrmTBSuiVHV2VfMnGRMYvTEPCP42oSM8", true, 0},
        {"did:pkh:chainstd:8c3444cf8970a9e41a706fab93e7a6c4:6d9b0b4b9994e8a6afbd3dc3ed983cd51c755afb", true, 0},
        {"did:key:6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH", false, 0},
        {"did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvkt0", false, 0},
        {"did:key:z", false, 0},
        {"did:web:example..com", false, 0},
        {"did:web:192.0.2.1", false, 0},
        {"did:web:example.com%3A", false, 0},
        {"did:web:example.com%3Aa", false, 0},
        {"did:web:example.com%3A123456", false, 0},
        {"did:web:example.com%2Fpath", false, 0},
        {"did:web:example.com::alice", false, 0},
        {"did:web::alice", false, 0},
        {"did:pkh:eip155:1", false, 0},
        {"did:pkh:ei:1:0xab", false, 0},
        {"did:pkh:EIP155:1:0xab", false, 0},
        {"did:pkh:eip.155:1:0xab", false, 0},
        {"did:pkh:toolongns:1:0xab", false, 0},
        {"did:pkh:eip155:123456789012345678901234567890123:0xab", false, 0},
        {"did:pkh:eip155::0xab", false, 0},
        {"did:pkh:eip155:1:0xab:1", false, 0},
        {"did:pkh:eip155:1:0x_ab", false, 0},
        {"did:example:", false, 0},
        {"did:example:a:", false, 0},
        {"did:example", false, 0},
        {"did:Example:a", false, 0},
        {"did::a", false, 0},
        {"DID:example:a", false, 0},
        {"did:example:a/path", false, 0}, /* a DID URL */
        {"did:example:a#key", false, 0},
        {"did:example:a?q", false, 0},
        {"did:example:a%2", false, 0},
        {"did:example:a~", false, 0},
        {"did:example:\xc3\xa9", false, 0},
        {"did:example:a\0", false, 14},
        {"did:", false, 0},
        {"string", false, 0},
        {"", false, 0},
    };
    (void)state;
    FORMAT_RUN_ROWS("did", rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(uri), cmocka_unit_test(did)};
    return cmocka_run_group_tests_name("contract/format_uri", tests, NULL, NULL);
}
