/* Server-sent events: progress while an import is open, its end, and subscribers that leave or are sent away. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "../registry/report.h"
#include "../test.h"

static const struct report_item one[] = {{0}};

static void subscribe(const struct wire *wire, const struct report *report, struct wire_client *client)
{
    char id[UUID_TEXT_BYTES + 1];
    struct wire_answer answer;
    uuid_to_text(&report->row.id, id);
    wire_connect(wire, client);
    wire_sendf(client, "GET /v1/imports/%s/events HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n\r\n", id,
               wire->bearer);
    wire_read_head(client, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(slice_equal_text(wire_field(&answer, "Content-Type"), "text/event-stream"));
    assert_true(slice_equal_text(wire_field(&answer, "Cache-Control"), "no-store"));
    wire_answer_fini(&answer);
}

static void expect_event(struct wire_client *client, const char *begin, const char *has)
{
    struct buf event;
    assert_true(wire_read_chunk(client, &event));
    if (strncmp(event.data, begin, strlen(begin)) != 0 || strstr(event.data, has) == NULL) {
        fail_msg("expected %s with %s, not %s", begin, has, event.data);
    }
    assert_string_equal(event.data + event.size - 3, "}\n\n");
    buf_fini(&event);
}

static void expect_over(struct wire_client *client)
{
    struct buf chunk;
    assert_false(wire_read_chunk(client, &chunk));
    buf_fini(&chunk);
    wire_close(client);
}

static void progress_and_end(void **state)
{
    (void)state;
    struct wire wire;
    struct report report;
    struct wire_client client;
    wire_init(&wire, false);
    report_begin(&wire.fixture, &report, "cyrexa", IMPORT_JSON);
    subscribe(&wire, &report, &client);
    expect_event(&client, "event: progress\ndata: {\"received\":0,\"decided\":0,", "\"created\":0");
    report_chunk(&wire.fixture, &report, one, 1);
    report_end(&wire.fixture, &report, IMPORT_OPEN, 0);
    expect_event(&client, "event: progress\ndata: {\"received\":1,\"decided\":1,", "\"created\":1");
    report_end(&wire.fixture, &report, IMPORT_COMMITTED, 0);
    expect_event(&client, "event: end\ndata: {\"id\":\"", "\"state\":\"committed\"");
    expect_over(&client);
    /* Asked again it has ended at once. */
    subscribe(&wire, &report, &client);
    expect_event(&client, "event: end\n", "\"state\":\"committed\"");
    expect_over(&client);
    wire_fini(&wire);
}

/* Many at once, some of which leave: the others go on. */
static void crowd(void **state)
{
    (void)state;
    enum { CROWD = 20 };
    struct wire wire;
    struct report report;
    struct wire_client clients[CROWD];
    wire_init(&wire, false);
    report_begin(&wire.fixture, &report, "cyrexa", IMPORT_JSON);
    for (size_t i = 0; i < CROWD; i++) {
        subscribe(&wire, &report, &clients[i]);
        expect_event(&clients[i], "event: progress\n", "\"received\":0");
    }
    for (size_t i = 0; i < CROWD; i += 2) {
        wire_reset(&clients[i]);
    }
    report_end(&wire.fixture, &report, IMPORT_ABORTED, ERR_ABORTED);
    for (size_t i = 1; i < CROWD; i += 2) {
        expect_event(&clients[i], "event: end\n", "\"code\":\"import-aborted\"");
        expect_over(&clients[i]);
    }
    wire_fini(&wire);
}

/* One tenant can't take all places; a place that is left is free again. */
static void places(void **state)
{
    (void)state;
    enum { PLACES = 32 };
    struct wire wire;
    struct report report;
    struct wire_client clients[PLACES];
    struct wire_answer answer;
    char id[UUID_TEXT_BYTES + 1], line[128], field[256];
    wire_init(&wire, false);
    report_begin(&wire.fixture, &report, "cyrexa", IMPORT_JSON);
    for (size_t i = 0; i < PLACES; i++) {
        subscribe(&wire, &report, &clients[i]);
    }
    uuid_to_text(&report.row.id, id);
    snprintf(line, sizeof line, "GET /v1/imports/%s/events", id);
    snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", wire.bearer);
    wire_ask(&wire, line, field, "", &answer);
    wire_expect(&answer, line, 503, "\"overloaded\"");
    wire_answer_fini(&answer);
    report_end(&wire.fixture, &report, IMPORT_COMMITTED, 0);
    for (size_t i = 0; i < PLACES; i++) {
        expect_event(&clients[i], "event: progress\n", "\"received\":0");
        expect_event(&clients[i], "event: end\n", "\"state\":\"committed\"");
        expect_over(&clients[i]);
    }
    wire_ask(&wire, line, field, "", &answer);
    wire_expect(&answer, line, 200, "event: end\n");
    wire_answer_fini(&answer);
    wire_fini(&wire);
}

/* A stop sends subscribers away, however long their import may take. */
static void drained(void **state)
{
    (void)state;
    struct wire wire;
    struct report report;
    struct wire_client clients[3];
    wire_init(&wire, false);
    report_begin(&wire.fixture, &report, "cyrexa", IMPORT_JSON);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        subscribe(&wire, &report, &clients[i]);
        expect_event(&clients[i], "event: progress\n", "\"received\":0");
    }
    assert_true(http_drain(wire.server, 20));
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        expect_over(&clients[i]);
    }
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(progress_and_end), cmocka_unit_test(crowd),
                                       cmocka_unit_test(places), cmocka_unit_test(drained)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
