/* Reading a request's query: names, escapes, and the parameters that all lists share. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "../test.h"

static void queries(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int status;
        const char *text;
    } rows[] = {
        {"GET /v1/customers?limit=1", 200, "\"next\":\""},
        {"GET /v1/customers?limit=0", 400, "limit"},
        {"GET /v1/customers?limit=1001", 400, "limit"},
        {"GET /v1/customers?limit=-1", 400, "limit"},
        {"GET /v1/customers?limit=", 400, "limit"},
        {"GET /v1/customers?cursor=x", 400, "cursor"},
        {"GET /v1/customers?externalId=a%2B1", 200, "\"name\":\"one\""},
        {"GET /v1/customers?externalId=a+1", 200, "{\"customers\":[]}"}, /* the plus is a space in a query */
        {"GET /v1/customers?externalId=%61%2b1", 200, "\"name\":\"one\""},
        {"GET /v1/customers?externalId=a%252B1", 200, "{\"customers\":[]}"},
        {"GET /v1/customers?externalId=a%zz", 400, "\"bad-parameter\""},
        {"GET /v1/customers?name=one", 400, "\"bad-parameter\""},
        {"GET /v1/customers?limit=1000", 200, "\"name\":\"one\""},
        {"GET /v1/customers?limit=18446744073709551617", 400, "limit"},
        {"GET /v1/customers?limit=1&limit=1", 400, "a parameter twice"},
        {"GET /v1/customers?limit=1%", 400, "a % that two hexadecimal digits"},
        {"GET /v1/customers?limit=1%3", 400, "a % that two hexadecimal digits"},
        {"GET /v1/customers?limit=%31", 200, "\"next\":\""},
        {"GET /v1/customers?li%6Dit=1", 400, "\"bad-parameter\""}, /* a name's escapes are not undone */
        {"GET /v1/customers?=1", 400, "\"bad-parameter\""},
        {"GET /v1/customers?cursor=", 400, "cursor"},
        {"GET /v1/customers?cursor=00000000-0000-7000-8000-00000000000g", 400, "cursor"},
        {"GET /v1/customers?cursor=00000000-0000-7000-8000-000000000000", 200, "\"name\":\"one\""},
        {"GET /v1/customers?cursor=ffffffff-ffff-7fff-bfff-ffffffffffff", 200, "{\"customers\":[]}"},
    };
    struct wire wire;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa"};
    char field[256];
    wire_init(&wire, false);
    fixture_post(&wire.fixture, &batch, &options,
                 SLICE("[{\"id\":\"a+1\",\"customerName\":\"one\",\"person\":{\"email\":\"one@example.com\"}},"
                       "{\"id\":\"b\",\"customerName\":\"two\"}]"));
    assert_int_equal(batch.answer.error, 0);
    fixture_end(&batch);
    snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", wire.bearer);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_answer answer;
        wire_ask(&wire, rows[i].line, field, "", &answer);
        wire_expect(&answer, rows[i].line, rows[i].status, rows[i].text);
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
