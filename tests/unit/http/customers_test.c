/* Reading over HTTP: ids in the address, one identifier at a time, pages, and names that are not known. */
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
        {"GET /v1/customers", 200, "\"name\":\"one\""},
        {"GET /v1/customers?externalId=", 400, "empty"},
        {"GET /v1/customers?externalId", 400, "empty"},
        {"GET /v1/customers?email=One@Example.com", 200, "\"name\":\"one\""},
        {"GET /v1/customers?email=a@b.example&phone=1", 400, "one identifier"},
        {"GET /v1/customers/:id", 404, "\"not-found\""},
        {"GET /v1/customers/00000000-0000-7000-8000-000000000000", 404, "\"not-found\""},
        {"GET /v1/customers/", 404, "\"not-found\""},
        {"GET /v1/imports?limit=1", 200, "\"state\":\"committed\""},
        {"GET /v1/imports?state=open", 400, "\"bad-parameter\""},
        {"GET /v1/imports/nothing", 404, "\"not-found\""},
        {"DELETE /v1/customers", 405, "\"method-not-allowed\""},
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

/* A header that names another tenant than the token is refused, whatever is asked for. */
static void other_tenant(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_answer answer;
    char field[256];
    wire_init(&wire, false);
    snprintf(field, sizeof field, "Authorization: Bearer %s\r\ntenantid: other\r\n", wire.bearer);
    wire_ask(&wire, "GET /v1/customers", field, "", &answer);
    wire_expect(&answer, "tenant", 403, "\"tenant-mismatch\"");
    wire_answer_fini(&answer);
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(queries), cmocka_unit_test(other_tenant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
