/* Slow threads: who is verified there, and that nobody else waits behind them. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "../test.h"

/* A secret is verified on a slow thread; pending and ready it matches alike. */
static void slow_request(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int status;
        const char *text;
    } rows[] = {{"{\"kind\":\"password\",\"value\":\"wrong\"}", 200, "{\"match\":false}"},
                {"{\"kind\":\"password\",\"value\":\"correct horse\"}", 200, "{\"match\":true}"},
                {"{\"kind\":\"pin\",\"value\":\"correct horse\"}", 200, "{\"match\":false}"},
                {"{\"kind\":\"code\",\"value\":\"1\"}", 400, "\"bad-parameter\""},
                {"{\"kind\":\"password\"}", 400, "\"bad-parameter\""},
                {"[]", 400, "\"bad-parameter\""},
                {"{", 400, "\"malformed-json\""}};
    struct wire wire;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa"};
    char line[128], fields[256];
    wire_init(&wire, false);
    fixture_post(&wire.fixture, &batch, &options, SLICE("[{\"person\":{\"password\":\"correct horse\"}}]"));
    const char *id = strstr(batch.reply.data, "\"customerId\":\"") + 14;
    snprintf(line, sizeof line, "POST /v1/customers/%.36s/verify", id);
    snprintf(fields, sizeof fields, "Authorization: Bearer %s\r\n", wire.reader);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_answer answer;
        wire_ask(&wire, line, fields, rows[i].body, &answer);
        wire_expect(&answer, rows[i].body, rows[i].status, rows[i].text);
        wire_answer_fini(&answer);
    }
    fixture_end(&batch);
    wire_fini(&wire);
}

/* One slow thread, eight who want it: all are answered, and a request that is not slow does not wait for them. */
static void others_go_on(void **state)
{
    (void)state;
    enum { CROWD = 8 };
    static const char body[] = "{\"kind\":\"password\",\"value\":\"correct horse\"}";
    struct wire wire;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa"};
    struct wire_client crowd[CROWD];
    struct wire_answer answer;
    wire_init(&wire, false);
    fixture_post(&wire.fixture, &batch, &options, SLICE("[{\"person\":{\"password\":\"correct horse\"}}]"));
    const char *id = strstr(batch.reply.data, "\"customerId\":\"") + 14;
    for (size_t i = 0; i < CROWD; i++) {
        wire_connect(&wire, &crowd[i]);
        wire_sendf(&crowd[i],
                   "POST /v1/customers/%.36s/verify HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   id, wire.reader, sizeof body - 1, body);
    }
    wire_ask(&wire, "GET /healthz", "", "", &answer);
    wire_expect(&answer, "others", 200, "\"alive\"");
    wire_answer_fini(&answer);
    for (size_t i = 0; i < CROWD; i++) {
        wire_read(&crowd[i], false, &answer);
        wire_expect(&answer, "crowd", 200, "{\"match\":true}");
        wire_answer_fini(&answer);
        wire_close(&crowd[i]);
    }
    fixture_end(&batch);
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_request),
        cmocka_unit_test(others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
