/* Header fields that a proxy in front could read otherwise than Muster, and those that only look so. */
#include "wire.h"

#include <stdio.h>

#include "../test.h"

/* Fields that two readers could read in two ways. Where the end of the body is not sure, nothing behind it may be
 * taken for a request. */
static void two_readings(void **state)
{
    (void)state;
    static const struct {
        const char *name, *fields, *body;
        bool closes;
    } rows[] = {
        {"both lengths", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", true},
        {"two lengths", "Content-Length: 1\r\nContent-Length: 1\r\n", "x", true},
        {"two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n", true},
        {"unknown coding", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n", true},
        {"coding behind another", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", true},
        {"space before the colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n", true},
        {"two tenants", "tenantId: acme\r\nTenantID: other\r\n", "", false},
        {"two credentials", "Authorization: Bearer a\r\nauthorization: Bearer b\r\n", "", false},
        {"two tokens", "token: a\r\ntoken: b\r\n", "", false},
        {"two hosts", "Host: u\r\n", "", false},
    };
    struct wire wire;
    wire_init(&wire, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_client client;
        struct wire_answer answer;
        wire_connect(&wire, &client);
        wire_sendf(
            &client,
            "POST /customer/1.0.0/createBulk HTTP/1.1\r\nHost: t\r\n%s\r\n%sGET /healthz HTTP/1.1\r\nHost: t\r\n\r\n",
            rows[i].fields, rows[i].body);
        wire_read(&client, false, &answer);
        wire_expect(&answer, rows[i].name, 400, "\"bad-parameter\"");
        wire_answer_fini(&answer);
        if (rows[i].closes) {
            assert_true(wire_is_closed(&client));
        } else {
            wire_read(&client, false, &answer);
            wire_expect(&answer, rows[i].name, 200, "alive");
            wire_answer_fini(&answer);
        }
        wire_close(&client);
    }
    wire_fini(&wire);
}

/* White space around a value is not part of it; what repeats in good order is fine. */
static void fields_that_are_fine(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_answer answer;
    char fields[512];
    wire_init(&wire, false);
    snprintf(fields, sizeof fields,
             "Authorization: Bearer %s \r\ntenantId: \t acme \t\r\nAccept: text/plain\r\nAccept: */*\r\n", wire.reader);
    wire_ask(&wire, "GET http://elsewhere:80/v1/customers?limit=1", fields, "", &answer);
    wire_expect(&answer, "spaces and absolute form", 200, "\"customers\":[");
    wire_answer_fini(&answer);
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_readings),
        cmocka_unit_test(fields_that_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
