/* Imports over HTTP: their reports as streams, who may read and end them, and clients that leave in the middle. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "../registry/report.h"
#include "../test.h"

static const struct report_item two[] = {
    {0}, {.text = "{\"id\":5}", .fault_count = 1, .faults = {REPORT_FAULT("type", "/id", "Send a string.")}}};

static void make(const struct wire *wire, struct report *report, uint8_t state, char id[UUID_TEXT_BYTES + 1])
{
    report_begin(&wire->fixture, report, "cyrexa", IMPORT_JSON);
    report_chunk(&wire->fixture, report, two, 2);
    if (state != IMPORT_OPEN) {
        report_end(&wire->fixture, report, state, 0);
    }
    uuid_to_text(&report->row.id, id);
}

static void make_key(const struct wire *wire, const char *tenant_name, uint32_t scopes, char *field, size_t size)
{
    const struct auth_tenant *tenant;
    struct buf id, key;
    struct auth_rights rights = {.scopes = scopes};
    buf_init(&id, 0);
    buf_init(&key, 0);
    assert_int_equal(auth_tenant_get(wire->fixture.auth, slice_from_text(tenant_name), &tenant), 0);
    assert_int_equal(auth_key_create(wire->fixture.auth, tenant, AUTH_API_KEY, SLICE("k"), &rights, &id, &key), 0);
    snprintf(field, size, "Authorization: Bearer %.*s\r\n", SLICE_ARG(buf_view(&key)));
    buf_fini(&id);
    buf_fini(&key);
}

enum who { ALL, READER, UNDOER, CREATOR, NOBODY, STRANGER, WHO_COUNT };

struct address {
    const char *method, *rest;
    enum who who;
    bool open; /* asked of the open import */
    int status;
    const char *text;
};

static void addresses(void **state)
{
    (void)state;
    static const struct address rows[] = {
        {"GET", "", ALL, false, 200, "\"state\":\"committed\""},
        {"GET", "?x=1", ALL, false, 400, "\"bad-parameter\""},
        {"GET", "/results", READER, false, 200, "\"outcome\":\"fault\",\"errors\":[{\"pointer\":\"/id\""},
        {"GET", "/results?limit=1", ALL, false, 400, "\"bad-parameter\""},
        {"GET", "/results", CREATOR, false, 403, "imports:read"},
        {"GET", "/results", STRANGER, false, 404, "\"not-found\""},
        {"GET", "/results", ALL, true, 409, "still open"},
        {"GET", "/faults", READER, false, 200, "{\"id\":5,\"_row\":1,\"_pointer\":\"/id\",\"_code\":\"type\""},
        {"GET", "/faults?groups=false", ALL, false, 200, "\"_row\":1"},
        {"GET", "/faults?groups=true", ALL, false, 200, "\"groups\":[{\"code\":\"type\""},
        {"GET", "/faults?groups=yes", ALL, false, 400, "true or false"},
        {"GET", "/faults?groups", ALL, false, 400, "true or false"},
        {"GET", "/faults?codes=1", ALL, false, 400, "\"bad-parameter\""},
        {"GET", "/faults", UNDOER, false, 403, "imports:read"},
        {"GET", "/faults", STRANGER, false, 404, "\"not-found\""},
        {"GET", "/faults", ALL, true, 409, "still open"},
        {"GET", "/events", UNDOER, false, 403, "imports:read"},
        {"GET", "/events", STRANGER, false, 404, "\"not-found\""},
        {"GET", "/events?since=1", ALL, false, 400, "\"bad-parameter\""},
        {"GET", "/events", ALL, false, 200, "event: end\ndata: {\"id\":\""},
        {"POST", "/results", ALL, false, 405, "\"method-not-allowed\""},
        {"GET", "/undo", ALL, false, 405, "\"method-not-allowed\""},
        {"POST", "/undo", READER, false, 403, "imports:undo"},
        {"POST", "/undo", CREATOR, false, 403, "imports:undo"},
        {"POST", "/undo?x=1", ALL, false, 400, "\"bad-parameter\""},
        {"POST", "/abort", READER, false, 403, "customers:create"},
        {"POST", "/abort", NOBODY, false, 403, "customers:create"},
        {"POST", "/abort", CREATOR, false, 409, "taken back with undo"},
        {"POST", "/abort", UNDOER, false, 409, "taken back with undo"},
        {"POST", "/abort?x=1", ALL, false, 400, "\"bad-parameter\""},
    };
    struct wire wire;
    struct report report;
    char closed[UUID_TEXT_BYTES + 1], open[UUID_TEXT_BYTES + 1], fields[WHO_COUNT][256];
    wire_init(&wire, false);
    assert_int_equal(auth_tenant_create(wire.fixture.auth, SLICE("other"), false, false), 0);
    make_key(&wire, "acme", SCOPE_ALL, fields[ALL], sizeof fields[ALL]);
    make_key(&wire, "acme", SCOPE_IMPORTS_READ, fields[READER], sizeof fields[READER]);
    make_key(&wire, "acme", SCOPE_IMPORTS_UNDO, fields[UNDOER], sizeof fields[UNDOER]);
    make_key(&wire, "acme", SCOPE_CUSTOMERS_CREATE, fields[CREATOR], sizeof fields[CREATOR]);
    make_key(&wire, "acme", SCOPE_CUSTOMERS_READ, fields[NOBODY], sizeof fields[NOBODY]);
    make_key(&wire, "other", SCOPE_ALL, fields[STRANGER], sizeof fields[STRANGER]);
    make(&wire, &report, IMPORT_COMMITTED, closed);
    make(&wire, &report, IMPORT_OPEN, open);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char line[256];
        struct wire_answer answer;
        snprintf(line, sizeof line, "%s /v1/imports/%s%s", rows[i].method, rows[i].open ? open : closed, rows[i].rest);
        wire_ask(&wire, line, fields[rows[i].who], "", &answer);
        wire_expect(&answer, line, rows[i].status, rows[i].text);
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
}

static void bad_ids(void **state)
{
    (void)state;
    static const struct {
        const char *method, *rest;
    } rows[] = {{"GET", ""},        {"GET", "/results"}, {"GET", "/faults"}, {"GET", "/faults?groups=true"},
                {"GET", "/events"}, {"POST", "/undo"},   {"POST", "/abort"}};
    static const char *const ids[] = {"x", "%00", "00000000-0000-7000-8000-00000000000g",
                                      "00000000-0000-0000-0000-0000000000001"};
    struct wire wire;
    char field[256];
    wire_init(&wire, false);
    snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", wire.bearer);
    for (size_t i = 0; i < COUNT_OF(rows) * COUNT_OF(ids); i++) {
        char line[256];
        struct wire_answer answer;
        snprintf(line, sizeof line, "%s /v1/imports/%s%s", rows[i % COUNT_OF(rows)].method, ids[i / COUNT_OF(rows)],
                 rows[i % COUNT_OF(rows)].rest);
        wire_ask(&wire, line, field, "", &answer);
        wire_expect(&answer, line, 404, "\"not-found\"");
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
}

/* HEAD is answered without reading the stream, and with not a byte behind the head. */
static void heads(void **state)
{
    (void)state;
    static const char *const rests[] = {"/results", "/faults", "/faults?groups=true", "/events"};
    struct wire wire;
    struct report report;
    char id[UUID_TEXT_BYTES + 1];
    wire_init(&wire, false);
    make(&wire, &report, IMPORT_COMMITTED, id);
    for (size_t i = 0; i < COUNT_OF(rests); i++) {
        struct wire_client client;
        struct wire_answer answer;
        wire_connect(&wire, &client);
        wire_sendf(&client, "HEAD /v1/imports/%s%s HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n\r\n", id,
                   rests[i], wire.bearer);
        wire_read(&client, true, &answer);
        assert_int_equal(answer.status, 200);
        assert_int_equal(wire_field(&answer, "Transfer-Encoding").size, 0);
        assert_true(wire_is_closed(&client));
        wire_answer_fini(&answer);
        wire_close(&client);
    }
    wire_fini(&wire);
}

/* Once, again as after an answer that got lost, and of what is not committed. */
static void undo(void **state)
{
    (void)state;
    struct wire wire;
    struct report report;
    struct wire_answer answer;
    char id[UUID_TEXT_BYTES + 1], line[128], field[256];
    wire_init(&wire, false);
    snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", wire.bearer);
    make(&wire, &report, IMPORT_COMMITTED, id);
    snprintf(line, sizeof line, "POST /v1/imports/%s/undo", id);
    for (int times = 0; times < 2; times++) {
        wire_ask(&wire, line, field, "", &answer);
        wire_expect(&answer, line, 200, "\"state\":\"undone\"");
        wire_answer_fini(&answer);
    }
    make(&wire, &report, IMPORT_OPEN, id);
    snprintf(line, sizeof line, "POST /v1/imports/%s/undo", id);
    wire_ask(&wire, line, field, "", &answer);
    wire_expect(&answer, line, 409, "Only an import that is committed");
    wire_answer_fini(&answer);
    wire_fini(&wire);
}

/* What is in the way of an undo is named in the problem document. */
static void undo_changed(void **state)
{
    (void)state;
    static const struct report_item first[] = {{.external = 7, .content = 1}};
    static const struct report_item second[] = {{.external = 7, .content = 2}};
    struct wire wire;
    struct report report;
    struct wire_answer answer;
    char ids[2][UUID_TEXT_BYTES + 1], line[128], field[256];
    wire_init(&wire, false);
    snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", wire.bearer);
    for (size_t i = 0; i < 2; i++) {
        report_begin(&wire.fixture, &report, "cyrexa", IMPORT_JSON);
        report.row.on_existing = IMPORT_EXISTING_UPDATE;
        report_chunk(&wire.fixture, &report, i == 0 ? first : second, 1);
        report_end(&wire.fixture, &report, IMPORT_COMMITTED, 0);
        uuid_to_text(&report.row.id, ids[i]);
    }
    snprintf(line, sizeof line, "POST /v1/imports/%s/undo", ids[0]);
    wire_ask(&wire, line, field, "", &answer);
    wire_expect(&answer, line, 409, "\"code\":\"import-changed\",\"customers\":[\"");
    assert_string_equal(answer.body.data + answer.body.size - 3, "\"]}");
    assert_true(slice_equal_text(wire_field(&answer, "Content-Type"), "application/problem+json"));
    wire_answer_fini(&answer);
    wire_fini(&wire);
}

enum { CHUNKS = 40, ITEMS = 1000 };

static void make_large(const struct wire *wire, struct report *report, char id[UUID_TEXT_BYTES + 1])
{
    static struct report_item items[ITEMS];
    report_begin(&wire->fixture, report, "cyrexa", IMPORT_JSON);
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = two[1];
    }
    for (size_t i = 0; i < CHUNKS; i++) {
        report_chunk(&wire->fixture, report, items, ITEMS);
    }
    report_end(&wire->fixture, report, IMPORT_COMMITTED, 0);
    uuid_to_text(&report->row.id, id);
}

/* Reports larger than what any buffer on the way holds: whole for who reads; who resets in the middle leaves nothing.
 */
static void large(void **state)
{
    (void)state;
    static const char *const rests[] = {"results", "faults"};
    struct wire wire;
    struct report report;
    char id[UUID_TEXT_BYTES + 1], line[128], field[256];
    wire_init(&wire, false);
    make_large(&wire, &report, id);
    snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", wire.bearer);
    for (size_t i = 0; i < COUNT_OF(rests); i++) {
        struct wire_client client;
        struct wire_answer answer;
        snprintf(line, sizeof line, "GET /v1/imports/%s/%s", id, rests[i]);
        for (size_t times = 0; times < 3; times++) {
            wire_connect(&wire, &client);
            wire_sendf(&client, "%s HTTP/1.1\r\nHost: test\r\n%s\r\n", line, field);
            wire_read_head(&client, &answer);
            assert_int_equal(answer.status, 200);
            wire_answer_fini(&answer);
            wire_reset(&client);
        }
        wire_ask(&wire, line, field, "", &answer);
        size_t lines = 0;
        for (const char *at = answer.body.data; (at = strchr(at, '\n')) != NULL; at++) {
            lines++;
        }
        assert_int_equal(lines, CHUNKS * ITEMS + i); /* faults: and the bracket's */
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
}

/* What fails on the way is seen to break off: the last chunk never comes. */
static void broken_off(void **state)
{
    (void)state;
    struct wire wire;
    struct report report;
    struct wire_client client;
    struct wire_answer answer;
    struct buf chunk;
    char id[UUID_TEXT_BYTES + 1];
    wire_init(&wire, false);
    report_begin(&wire.fixture, &report, "cyrexa", IMPORT_JSON);
    report_chunk(&wire.fixture, &report, two, 2);
    report.row.received++;
    report_end(&wire.fixture, &report, IMPORT_COMMITTED, 0);
    uuid_to_text(&report.row.id, id);
    wire_connect(&wire, &client);
    wire_sendf(&client, "GET /v1/imports/%s/results HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n\r\n", id,
               wire.bearer);
    wire_read_head(&client, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(wire_read_chunk(&client, &chunk));
    assert_true(wire_is_closed(&client));
    buf_fini(&chunk);
    wire_answer_fini(&answer);
    wire_close(&client);
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),    cmocka_unit_test(bad_ids), cmocka_unit_test(heads),     cmocka_unit_test(undo),
        cmocka_unit_test(undo_changed), cmocka_unit_test(large),   cmocka_unit_test(broken_off)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
