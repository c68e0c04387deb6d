/* Limits of requests and connections: who is over is told early; slow heads and bodies are ended, others not. */
#include "wire.h"

#include <stdio.h>
#include <time.h>

#include "../test.h"

static const struct http_options WIDE = {.threads = 1, .connections = 64, .header_timeout_s = 60, .body_window_s = 60};

static void nap(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

#define BULK "POST /customer/1.0.0/createBulk HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"

/* The head of a bulk request with a body of that size. */
static void send_head(const struct wire *wire, struct wire_client *client, size_t size, const char *more)
{
    wire_sendf(client, BULK "Authorization: Bearer %s\r\ntenantId: acme\r\ntoken: %s\r\nContent-Length: %zu\r\n%s\r\n",
               wire->bearer, wire->token, size, more);
}

static void expect(struct wire_client *client, const char *row, int status, const char *text)
{
    struct wire_answer answer;
    wire_read(client, false, &answer);
    wire_expect(&answer, row, status, text);
    if (status == 429 || status == 503) {
        assert_true(slice_equal_text(wire_field(&answer, "Retry-After"), "2"));
    }
    wire_answer_fini(&answer);
}

/* Asks again until the status comes: what was under way ends in its own time. */
static void expect_at_last(const struct wire *wire, const char *line, const char *fields, int status)
{
    for (int i = 0;; i++) {
        struct wire_answer answer;
        wire_ask(wire, line, fields, "", &answer);
        int got = answer.status;
        wire_answer_fini(&answer);
        if (got == status) {
            return;
        }
        assert_true(i < 500);
        nap(10);
    }
}

static void requests_under_way(void **state)
{
    (void)state;
    static const struct {
        struct http_options limits;
        int status;
        const char *text;
    } rows[] = {{{.requests = 2}, 503, "overloaded"}, {{.tenant_requests = 2}, 429, "overloaded"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire wire;
        struct wire_client held[2], third;
        struct wire_answer answer;
        struct http_options limits = WIDE;
        char fields[256];
        limits.requests = rows[i].limits.requests;
        limits.tenant_requests = rows[i].limits.tenant_requests;
        wire_init_limited(&wire, &limits);
        snprintf(fields, sizeof fields, "Authorization: Bearer %s\r\n", wire.bearer);
        for (int k = 0; k < 2; k++) {
            wire_connect(&wire, &held[k]);
            send_head(&wire, &held[k], 100, "Expect: 100-continue\r\n");
            expect(&held[k], "held", 100, "");
        }
        wire_connect(&wire, &third);
        send_head(&wire, &third, 100, "Expect: 100-continue\r\n");
        expect(&third, "third, at once", rows[i].status, rows[i].text);
        wire_close(&third);
        wire_connect(&wire, &third);
        send_head(&wire, &third, 4, "");
        wire_send(&third, SLICE("[{}]"));
        expect(&third, "third, after its body", rows[i].status, rows[i].text);
        wire_close(&third);
        wire_ask(&wire, "GET /v1/customers", fields, "", &answer);
        wire_expect(&answer, "another request", rows[i].status, rows[i].text);
        wire_answer_fini(&answer);
        wire_ask(&wire, "GET /readyz", "", "", &answer);
        wire_expect(&answer, "readyz", 200, "");
        wire_answer_fini(&answer);
        wire_reset(&held[0]); /* its place is free, also when its body never comes */
        expect_at_last(&wire, "GET /v1/customers", fields, 200);
        wire_close(&held[1]);
        wire_fini(&wire);
    }
}

/* One tenant's requests leave the other's alone. */
static void of_a_tenant(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client held;
    struct wire_answer answer;
    struct http_options limits = WIDE;
    struct buf id, key;
    struct auth_rights rights = {.scopes = SCOPE_ALL};
    const struct auth_tenant *other;
    char fields[256];
    limits.tenant_requests = 1;
    wire_init_limited(&wire, &limits);
    buf_init(&id, 0);
    buf_init(&key, 0);
    assert_int_equal(auth_tenant_create(wire.fixture.auth, SLICE("other"), true, false), 0);
    assert_int_equal(auth_tenant_get(wire.fixture.auth, SLICE("other"), &other), 0);
    assert_int_equal(auth_key_create(wire.fixture.auth, other, AUTH_API_KEY, SLICE("k"), &rights, &id, &key), 0);
    snprintf(fields, sizeof fields, "Authorization: Bearer %.*s\r\n", SLICE_ARG(buf_view(&key)));
    wire_connect(&wire, &held);
    send_head(&wire, &held, 100, "Expect: 100-continue\r\n");
    expect(&held, "held", 100, "");
    wire_ask(&wire, "GET /v1/customers", fields, "", &answer);
    wire_expect(&answer, "other", 200, "");
    wire_answer_fini(&answer);
    snprintf(fields, sizeof fields, "Authorization: Bearer %s\r\n", wire.bearer);
    wire_ask(&wire, "GET /v1/customers", fields, "", &answer);
    wire_expect(&answer, "own", 429, "overloaded");
    wire_answer_fini(&answer);
    wire_close(&held);
    buf_fini(&id);
    buf_fini(&key);
    wire_fini(&wire);
}

/* A head that drips ends; one that was complete does not, nor a connection that sends nothing. */
static void slow_heads(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client dripping, again, silent;
    struct http_options limits = WIDE;
    limits.header_timeout_s = 1;
    wire_init_limited(&wire, &limits);
    wire_connect(&wire, &silent);
    wire_connect(&wire, &again);
    wire_send(&again, SLICE("GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"));
    expect(&again, "whole", 200, "");
    wire_connect(&wire, &dripping);
    wire_send(&dripping, SLICE("GET /healthz HTTP/1.1\r\nHost"));
    nap(2100);
    wire_send(&silent, SLICE("GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"));
    expect(&silent, "silent", 200, "");
    wire_send(&again, SLICE("GET /hea"));
    assert_true(wire_is_closed(&dripping));
    assert_true(wire_is_closed(&again));
    wire_close(&silent);
    wire_close(&again);
    wire_close(&dripping);
    wire_fini(&wire);
}

static void slow_bodies(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client slow, steady;
    struct http_options limits = WIDE;
    limits.body_window_s = 1;
    limits.body_rate_min = 8;
    wire_init_limited(&wire, &limits);
    wire_connect(&wire, &slow);
    wire_connect(&wire, &steady);
    send_head(&wire, &slow, 1000, "");
    send_head(&wire, &steady, 122, "");
    wire_send(&slow, SLICE("[{}"));
    wire_send(&steady, SLICE("["));
    for (int i = 0; i < 12; i++) {
        wire_send(&steady, SLICE("          "));
        nap(250);
    }
    wire_send(&steady, SLICE("]"));
    expect(&slow, "slow", 408, "too-slow");
    assert_true(wire_is_closed(&slow));
    wire_close(&slow);
    expect(&steady, "steady", 200, "customerIds");
    wire_close(&steady);
    wire_fini(&wire);
}

/* Idle connections make room when connections are scarce; they are left alone otherwise. */
static void idle_when_scarce(void **state)
{
    (void)state;
    for (size_t connections = 4; connections <= 40; connections *= 10) {
        struct wire wire;
        struct wire_client idle[3];
        struct http_options limits = WIDE;
        limits.connections = connections;
        wire_init_limited(&wire, &limits);
        for (int i = 0; i < 3; i++) {
            wire_connect(&wire, &idle[i]);
            wire_send(&idle[i], SLICE("GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"));
            expect(&idle[i], "idle", 200, "");
        }
        nap(3200);
        if (connections == 4) {
            assert_true(wire_is_closed(&idle[0]));
        } else {
            wire_send(&idle[0], SLICE("GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"));
            expect(&idle[0], "still there", 200, "");
        }
        for (int i = 0; i < 3; i++) {
            wire_close(&idle[i]);
        }
        wire_fini(&wire);
    }
}

static void of_one_address(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_client clients[3];
    struct http_options limits = WIDE;
    limits.address_connections = 2;
    wire_init_limited(&wire, &limits);
    for (int i = 0; i < 3; i++) {
        wire_connect(&wire, &clients[i]);
        if (i < 2) {
            wire_send(&clients[i], SLICE("GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"));
            expect(&clients[i], "within", 200, "");
        }
    }
    assert_true(wire_is_closed(&clients[2]));
    for (int i = 0; i < 3; i++) {
        wire_close(&clients[i]);
    }
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests_under_way), cmocka_unit_test(of_a_tenant),
                                       cmocka_unit_test(slow_heads),         cmocka_unit_test(slow_bodies),
                                       cmocka_unit_test(idle_when_scarce),   cmocka_unit_test(of_one_address)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
