/*
 * A request's moments, byte by byte: when a refusal comes, how a body may arrive, what a connection
 * carries one after the other, and what becomes of those who stop in the middle.
 */
#include "wire.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"
#include "unpack/unpack.h"

#define BULK "/customers/batch"

static const char BATCH[] = "{\"customerType\":\"Individual\",\"customerData\":[{\"customerClaims\":{\"sub\":\"a\"}}],"
                            "\"cmsProjectId\":\"p\"}";

static void bulk_head(const struct wire *wire, struct wire_client *client, const char *fields)
{
    wire_sendf(client,
               "POST " BULK " HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n"
               "Content-Type: application/json\r\n%s\r\n",
               wire->bearer, fields);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- refusals ---- */

/* A client that waits for our word is refused without its body. */
static void refused_instead_of_continue(void **state)
{
    (void)state;
    static const struct {
        const char *name, *line, *fields;
        int status;
        const char *code;
    } rows[] = {
        {"no token", "POST " BULK, "Content-Type: application/json\r\n", 401, "\"token-missing\""},
        {"no such address", "POST /nowhere", "", 404, "\"not-found\""},
        {"no such method", "PUT " BULK, "", 405, "\"method-not-allowed\""},
        {"chunked", "POST " BULK, "Transfer-Encoding: chunked\r\n", 401, "\"token-missing\""},
    };
    struct wire wire;
    wire_init(&wire, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_client client;
        struct wire_answer answer;
        wire_connect(&wire, &client);
        const char *length = strstr(rows[i].fields, "chunked") == NULL ? "Content-Length: 1000000\r\n" : "";
        wire_sendf(&client, "%s HTTP/1.1\r\nHost: test\r\n%s%sExpect: 100-Continue\r\n\r\n", rows[i].line,
                   rows[i].fields, length);
        wire_read(&client, false, &answer);
        wire_expect(&answer, rows[i].name, rows[i].status, rows[i].code);
        wire_answer_fini(&answer);
        assert_true(wire_is_closed(&client)); /* the body was never read: nothing may follow */
        wire_close(&client);
    }
    wire_fini(&wire);
}

static void continued(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client client;
    struct wire_answer answer;
    char fields[128];
    wire_init(&wire, false);
    wire_connect(&wire, &client);
    snprintf(fields, sizeof fields, "Content-Length: %zu\r\nExpect: 100-continue\r\n", strlen(BATCH));
    bulk_head(&wire, &client, fields);
    wire_read(&client, true, &answer);
    assert_int_equal(answer.status, 100);
    wire_answer_fini(&answer);
    wire_sendf(&client, "%s", BATCH);
    wire_read(&client, false, &answer);
    wire_expect(&answer, "continued", 200, "[\"");
    wire_answer_fini(&answer);
    wire_close(&client);
    wire_fini(&wire);
}

/* A client that sends at once is heard out, told, and may go on on the same connection. */
static void refusal_behind_the_body(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client client;
    struct wire_answer answer;
    struct buf body;
    wire_init(&wire, false);
    buf_init(&body, 0);
    memset(buf_extend(&body, 3000000), 'x', 3000000);
    wire_connect(&wire, &client);
    for (int i = 0; i < 2; i++) {
        wire_sendf(&client, "POST " BULK " HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n", body.size);
        wire_send(&client, buf_view(&body));
        wire_read(&client, false, &answer);
        wire_expect(&answer, "refused", 401, "\"token-missing\"");
        assert_true(slice_equal_text(wire_field(&answer, "WWW-Authenticate"), "Bearer"));
        wire_answer_fini(&answer);
    }
    wire_close(&client);
    buf_fini(&body);
    wire_fini(&wire);
}

/* Bodies of everything but bulk requests are bounded. */
static void body_too_large(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client client;
    struct wire_answer answer;
    struct buf body;
    wire_init(&wire, false);
    buf_init(&body, 0);
    memset(buf_extend(&body, 70000), ' ', 70000);
    wire_connect(&wire, &client);
    wire_sendf(&client, "POST /oauth2/token HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n", body.size);
    wire_send(&client, buf_view(&body));
    wire_read(&client, false, &answer);
    wire_expect(&answer, "too large", 413, "\"body-too-large\"");
    wire_answer_fini(&answer);
    wire_close(&client);
    buf_fini(&body);
    wire_fini(&wire);
}

/* What RFC 9112 wants refused: two readings of one message would let a proxy and Muster disagree. */
static void malformed_requests(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } rows[] = {
        {"no host", "GET /healthz HTTP/1.1\r\n\r\n"},
        {"length is no number", "POST /oauth2/token HTTP/1.1\r\nHost: t\r\nContent-Length: x\r\n\r\n"},
        {"negative length", "POST /oauth2/token HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n"},
        {"bad chunk", "POST /oauth2/token HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
    };
    struct wire wire;
    wire_init(&wire, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_client client;
        struct wire_answer answer;
        wire_connect(&wire, &client);
        wire_sendf(&client, "%s", rows[i].text);
        wire_read(&client, false, &answer);
        wire_expect(&answer, rows[i].name, 400, "");
        wire_answer_fini(&answer);
        wire_close(&client);
    }
    wire_fini(&wire);
}

/* A line of the log stays one JSON object whatever the request line says. */
static void log_takes_no_text_of_clients(void **state)
{
    (void)state;
    static const char *const methods[] = {"G\"T", "\",\"a\":\"", "A\\", "get"};
    struct wire wire;
    FILE *file = tmpfile();
    char text[4096] = "";
    int before = dup(STDERR_FILENO);
    assert_non_null(file);
    wire_init(&wire, false);
    dup2(fileno(file), STDERR_FILENO);
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        struct wire_answer answer;
        char line[64];
        snprintf(line, sizeof line, "%s /v1/customers/jane@example.com", methods[i]);
        wire_ask(&wire, line, "", "", &answer);
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    size_t lines = 0;
    while (fgets(text, sizeof text, file) != NULL) {
        assert_non_null(strstr(text, "\"method\":\"?\""));
        assert_null(strstr(text, "jane"));
        lines++;
    }
    assert_int_equal(lines, COUNT_OF(methods));
    fclose(file);
}

/* ---- bodies ---- */

static void body_in_pieces(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client client;
    struct wire_answer answer;
    char fields[64];
    wire_init(&wire, false);
    wire_connect(&wire, &client);
    snprintf(fields, sizeof fields, "Content-Length: %zu\r\n", strlen(BATCH));
    bulk_head(&wire, &client, fields);
    for (size_t at = 0; at < strlen(BATCH); at += 7) {
        pause_ms(2);
        wire_sendf(&client, "%.7s", BATCH + at);
    }
    wire_read(&client, false, &answer);
    wire_expect(&answer, "pieces", 200, "[\"");
    assert_int_equal(wire_field(&answer, "Muster-Import").size, UUID_TEXT_BYTES);
    assert_int_equal(wire_field(&answer, "Request-Id").size, UUID_TEXT_BYTES);
    wire_answer_fini(&answer);
    wire_close(&client);
    wire_fini(&wire);
}

static void chunked_body(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client client;
    struct wire_answer answer;
    wire_init(&wire, false);
    wire_connect(&wire, &client);
    bulk_head(&wire, &client, "Transfer-Encoding: chunked\r\n");
    for (size_t at = 0; at < strlen(BATCH); at += 10) {
        size_t size = strlen(BATCH) - at < 10 ? strlen(BATCH) - at : 10;
        wire_sendf(&client, "%zx;note=1\r\n%.*s\r\n", size, (int)size, BATCH + at);
    }
    wire_sendf(&client, "0\r\nTrailer: no\r\n\r\n");
    wire_read(&client, false, &answer);
    wire_expect(&answer, "chunked", 200, "[\"");
    wire_answer_fini(&answer);
    wire_close(&client);
    wire_fini(&wire);
}

/* Far more than may be under way: the connection is suspended and resumed, and nothing is lost. */
static void more_than_fits(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client client;
    struct wire_answer answer;
    struct buf body;
    wire_init(&wire, true);
    buf_init(&body, 0);
    buf_append_text(&body, "{\"customerType\":\"Individual\",\"cmsProjectId\":\"p\",\"customerData\":[");
    for (int i = 0; i < 9000; i++) {
        buf_printf(&body, "%s{\"customerClaims\":{\"sub\":\"s%d\",\"picture\":\"%0600d\"}}", i == 0 ? "" : ",", i, i);
    }
    buf_append_text(&body, "]}");
    wire_connect(&wire, &client);
    char fields[64];
    snprintf(fields, sizeof fields, "Content-Length: %zu\r\n", body.size);
    bulk_head(&wire, &client, fields);
    wire_send(&client, buf_view(&body));
    wire_read(&client, false, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body.size, 9000 * (UUID_TEXT_BYTES + 3) + 1);
    wire_answer_fini(&answer);
    wire_close(&client);
    buf_fini(&body);
    wire_fini(&wire);
}

/* A packed piece may be all taken and yet hold more than there is room for; chunks follow one another in one read. */
static void more_than_fits_packed(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client client;
    struct wire_answer answer;
    struct buf body, packed;
    wire_init(&wire, true);
    buf_init(&body, 0);
    buf_init(&packed, 0);
    buf_append_text(&body, "{\"customerType\":\"Individual\",\"cmsProjectId\":\"p\",\"customerData\":[");
    for (int i = 0; i < 30000; i++) {
        buf_printf(&body, "%s{\"customerClaims\":{\"sub\":\"s%d\",\"picture\":\"%0300d\"}}", i == 0 ? "" : ",", i, i);
    }
    buf_append_text(&body, "]}");
    assert_int_equal(unpack_pack_zstd(buf_view(&body), &packed), 0);
    wire_connect(&wire, &client);
    bulk_head(&wire, &client, "Content-Encoding: zstd\r\nTransfer-Encoding: chunked\r\n");
    for (size_t at = 0; at < packed.size; at += 50) {
        size_t size = packed.size - at < 50 ? packed.size - at : 50;
        wire_sendf(&client, "%zx\r\n", size);
        wire_send(&client, slice_make(packed.data + at, size));
        wire_sendf(&client, "\r\n");
    }
    wire_sendf(&client, "0\r\n\r\n");
    wire_read(&client, false, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body.size, 30000 * (UUID_TEXT_BYTES + 3) + 1);
    wire_answer_fini(&answer);
    wire_close(&client);
    buf_fini(&body);
    buf_fini(&packed);
    wire_fini(&wire);
}

/* ---- one connection, several requests ---- */

static void pipelined(void **state)
{
    (void)state;
    static const struct {
        bool head;
        int status;
        const char *text;
    } rows[] = {{false, 200, "\"alive\""}, {true, 200, ""},          {false, 404, "\"not-found\""},
                {false, 200, "\"ready\""}, {false, 401, "\"code\""}, {false, 200, "\"alive\""}};
    struct wire wire;
    struct wire_client client;
    wire_init(&wire, false);
    wire_connect(&wire, &client);
    wire_sendf(&client, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"
                        "HEAD /healthz HTTP/1.1\r\nHost: test\r\n\r\n"
                        "GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n"
                        "GET /readyz HTTP/1.1\r\nHost: test\r\n\r\n"
                        "POST /v1/admin/tenants HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}"
                        "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_answer answer;
        wire_read(&client, rows[i].head, &answer);
        wire_expect(&answer, "pipelined", rows[i].status, rows[i].text);
        if (rows[i].head) {
            assert_true(wire_field(&answer, "Content-Length").size > 0);
        }
        wire_answer_fini(&answer);
    }
    wire_close(&client);
    wire_fini(&wire);
}

/* ---- those who stop in the middle ---- */

/* Waits until the newest import has ended; what it came to. */
static void await_end(const struct wire *wire, const char *state)
{
    struct buf json;
    struct uuid none = {{0}};
    buf_init(&json, 0);
    for (int i = 0; i < 3000; i++) {
        buf_clear(&json);
        assert_int_equal(registry_import_list(&wire->fixture.registry, wire->fixture.tenant, &none, 1, &json), 0);
        buf_append_byte(&json, 0);
        if (strstr(json.data, state) != NULL) {
            buf_fini(&json);
            return;
        }
        pause_ms(5);
    }
    fail_msg("no import %s: %s", state, json.data);
}

static void client_is_gone(void **state)
{
    (void)state;
    struct wire wire;
    wire_init(&wire, false);
    for (int reset = 0; reset < 2; reset++) {
        struct wire_client client;
        wire_connect(&wire, &client);
        bulk_head(&wire, &client, "Content-Length: 1000000\r\n");
        wire_sendf(&client, "{\"customerType\":\"Company\",\"cmsProjectId\":\"p\",\"customerData\":[{},{},");
        pause_ms(20);
        if (reset == 1) {
            wire_reset(&client);
        } else {
            wire_close(&client);
        }
        await_end(&wire, "\"aborted\"");
    }
    struct buf json;
    struct registry_query query = {.kind = IDENTIFIER_NONE, .limit = 10};
    buf_init(&json, 0);
    assert_int_equal(registry_customer_list(&wire.fixture.registry, wire.fixture.tenant, &query, &json), 0);
    assert_true(slice_equal_text(buf_view(&json), "{\"customers\":[]}"));
    buf_fini(&json);
    wire_fini(&wire);
}

/* The whole body was sent, but nobody waits for the answer: kept all the same, whole. */
static void answer_is_not_awaited(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client client;
    char fields[64];
    wire_init(&wire, false);
    wire_connect(&wire, &client);
    snprintf(fields, sizeof fields, "Content-Length: %zu\r\n", strlen(BATCH));
    bulk_head(&wire, &client, fields);
    wire_sendf(&client, "%s", BATCH);
    wire_close(&client);
    await_end(&wire, "\"committed\"");
    wire_fini(&wire);
}

/* Clients come and go at random moments, many at once; the server drains clean afterwards. */
static void *crowd(void *context)
{
    const struct wire *wire = context;
    for (int i = 0; i < 40; i++) {
        struct wire_client client;
        wire_connect(wire, &client);
        bulk_head(wire, &client, "Content-Length: 200000\r\n");
        wire_sendf(&client, "{\"customerType\":\"Company\",\"cmsProjectId\":\"p\",\"customerData\":[");
        for (int j = 0; j < i * 5; j++) {
            wire_sendf(&client, "{\"customerClaims\":{\"nickname\":\"%0*d\"}},", 600 + i, j);
        }
        if (i % 2 == 0) {
            wire_reset(&client);
        } else {
            wire_close(&client);
        }
    }
    return NULL;
}

static void crowd_of_leavers(void **state)
{
    (void)state;
    struct wire wire;
    pthread_t threads[4];
    wire_init(&wire, true);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, crowd, &wire), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    wire_fini(&wire);
}

/* ---- draining ---- */

static void *drain(void *context)
{
    static char yes;
    struct wire *wire = context;
    return http_drain(wire->server, 30) ? &yes : NULL;
}

/* New requests are refused, the one under way is finished, and then nothing is left. A request that came before the
 * drain and is answered after its start ends its connection with a good answer: the other one goes on then. */
static void drained(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client under_way, idle[2];
    struct wire_client *next = idle;
    struct wire_answer answer;
    pthread_t thread;
    char fields[64];
    void *all = NULL;
    wire_init(&wire, false);
    wire_connect(&wire, &under_way);
    wire_connect(&wire, &idle[0]);
    wire_connect(&wire, &idle[1]);
    snprintf(fields, sizeof fields, "Content-Length: %zu\r\n", strlen(BATCH));
    bulk_head(&wire, &under_way, fields);
    wire_sendf(&under_way, "%.20s", BATCH);
    pause_ms(50);
    assert_int_equal(pthread_create(&thread, NULL, drain, &wire), 0);
    int status = 200;
    for (int i = 0; i < 2000 && status == 200; i++) {
        wire_sendf(next, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n");
        wire_read(next, false, &answer);
        status = answer.status;
        if (status != 200) {
            wire_expect(&answer, "new", 503, "\"overloaded\"");
            assert_true(slice_equal_text(wire_field(&answer, "Connection"), "close"));
            assert_true(wire_field(&answer, "Retry-After").size > 0);
        } else if (slice_equal_text(wire_field(&answer, "Connection"), "close")) {
            assert_ptr_equal(next, idle);
            assert_true(wire_is_closed(next++));
        }
        wire_answer_fini(&answer);
    }
    assert_int_equal(status, 503);
    assert_true(wire_is_closed(next));
    wire_sendf(&under_way, "%s", BATCH + 20);
    wire_read(&under_way, false, &answer);
    wire_expect(&answer, "under way", 200, "[\"");
    assert_true(slice_equal_text(wire_field(&answer, "Connection"), "close"));
    wire_answer_fini(&answer);
    pthread_join(thread, &all);
    assert_non_null(all);
    wire_close(&under_way);
    wire_close(&idle[0]);
    wire_close(&idle[1]);
    wire_fini(&wire);
}

/* A drain does not wait longer than it was told. */
static void drain_gives_up(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client client;
    wire_init(&wire, false);
    wire_connect(&wire, &client);
    bulk_head(&wire, &client, "Content-Length: 1000\r\n");
    pause_ms(50);
    assert_false(http_drain(wire.server, 0));
    wire_close(&client);
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refused_instead_of_continue),
                                       cmocka_unit_test(continued),
                                       cmocka_unit_test(refusal_behind_the_body),
                                       cmocka_unit_test(body_too_large),
                                       cmocka_unit_test(malformed_requests),
                                       cmocka_unit_test(log_takes_no_text_of_clients),
                                       cmocka_unit_test(body_in_pieces),
                                       cmocka_unit_test(chunked_body),
                                       cmocka_unit_test(more_than_fits),
                                       cmocka_unit_test(more_than_fits_packed),
                                       cmocka_unit_test(pipelined),
                                       cmocka_unit_test(client_is_gone),
                                       cmocka_unit_test(answer_is_not_awaited),
                                       cmocka_unit_test(crowd_of_leavers),
                                       cmocka_unit_test(drained),
                                       cmocka_unit_test(drain_gives_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
