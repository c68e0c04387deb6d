/* See wire.h. Nothing here knows the server's insides. */
#include "wire.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../test.h"

#define PATIENCE_SECONDS 30

static void make_key(struct wire *wire, enum auth_key_kind kind, uint32_t scopes, char *out, size_t size)
{
    struct buf id, key;
    struct auth_rights rights = {.scopes = scopes};
    buf_init(&id, 0);
    buf_init(&key, 0);
    assert_int_equal(auth_key_create(wire->fixture.auth, wire->fixture.tenant, kind, SLICE("k"), &rights, &id, &key),
                     0);
    snprintf(out, size, "%.*s", SLICE_ARG(buf_view(&key)));
    buf_fini(&id);
    buf_fini(&key);
}

static void init(struct wire *wire, bool tight, const struct http_options *limits)
{
    struct buf text;
    int listening = -1;
    *wire = (struct wire){0};
    fixture_init(&wire->fixture, tight);
    make_key(wire, AUTH_API_KEY, SCOPE_ALL, wire->bearer, sizeof wire->bearer);
    make_key(wire, AUTH_API_KEY, SCOPE_CUSTOMERS_READ, wire->reader, sizeof wire->reader);
    make_key(wire, AUTH_TENANT_TOKEN, 0, wire->token, sizeof wire->token);
    buf_init(&text, 0);
    assert_int_equal(auth_operator_create(wire->fixture.auth, &text), 0);
    snprintf(wire->operator, sizeof wire->operator, "%.*s", SLICE_ARG(buf_view(&text)));
    buf_clear(&text);
    assert_int_equal(http_listen("127.0.0.1:0", &listening, &wire->port, &text), 0);
    buf_fini(&text);
    struct http_options options = *limits;
    options.listening = listening;
    options.watched = -1;
    options.slow_threads = 1;
    options.idle_timeout_s = 60;
    options.auth = wire->fixture.auth;
    options.intake = wire->fixture.intake;
    options.registry = &wire->fixture.registry;
    assert_int_equal(http_start(&options, &wire->server), 0);
}

void wire_init(struct wire *wire, bool tight)
{
    static const struct http_options wide = {
        .threads = 2, .connections = 64, .header_timeout_s = 60, .body_window_s = 60};
    init(wire, tight, &wide);
}

void wire_init_limited(struct wire *wire, const struct http_options *limits)
{
    init(wire, false, limits);
}

void wire_fini(struct wire *wire)
{
    assert_true(http_drain(wire->server, PATIENCE_SECONDS));
    http_stop(&wire->server);
    fixture_fini(&wire->fixture);
}

void wire_connect(const struct wire *wire, struct wire_client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(wire->port)};
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    buf_init(&client->in, 0);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client->fd >= 0);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof address), 0);
}

void wire_close(struct wire_client *client)
{
    close(client->fd);
    buf_fini(&client->in);
}

void wire_reset(struct wire_client *client)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    wire_close(client);
}

void wire_send(struct wire_client *client, struct slice bytes)
{
    while (bytes.size > 0) {
        ssize_t sent = send(client->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent <= 0) {
            fail_msg("the server takes no more bytes");
            return;
        }
        bytes = slice_from(bytes, (size_t)sent);
    }
}

void wire_sendf(struct wire_client *client, const char *format, ...)
{
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert_true(size >= 0 && (size_t)size < sizeof text);
    wire_send(client, slice_make(text, (size_t)size));
}

/* Waits for more bytes; false when the connection has ended. */
static bool more(struct wire_client *client)
{
    char piece[65536];
    ssize_t got = recv(client->fd, piece, sizeof piece, 0);
    if (got > 0) {
        buf_append(&client->in, piece, (size_t)got);
    }
    return got > 0;
}

/* Takes the first bytes of what came, with a NUL behind them. */
static void take(struct wire_client *client, size_t size, struct buf *to)
{
    while (client->in.size < size) {
        if (!more(client)) {
            fail_msg("the answer was cut off after %zu of %zu bytes", client->in.size, size);
        }
    }
    buf_init(to, 0);
    buf_append(to, client->in.data, size);
    buf_append_byte(to, 0);
    to->size--;
    memmove(client->in.data, client->in.data + size, client->in.size - size);
    client->in.size -= size;
}

void wire_read_line(struct wire_client *client, struct buf *line)
{
    const char *end;
    while (client->in.size == 0 || (end = memchr(client->in.data, '\n', client->in.size)) == NULL) {
        if (!more(client)) {
            fail_msg("the answer was cut off within a line");
        }
    }
    take(client, (size_t)(end - client->in.data) + 1, line);
}

bool wire_read_chunk(struct wire_client *client, struct buf *chunk)
{
    struct buf line;
    wire_read_line(client, &line);
    size_t size = (size_t)strtoull(line.data, NULL, 16);
    buf_fini(&line);
    take(client, size + 2, chunk);
    assert_memory_equal(chunk->data + size, "\r\n", 2);
    chunk->size = size;
    chunk->data[size] = '\0';
    return size > 0;
}

static void read_chunks(struct wire_client *client, struct buf *body)
{
    struct buf chunk;
    buf_init(body, 0);
    while (wire_read_chunk(client, &chunk)) {
        buf_append_slice(body, buf_view(&chunk));
        buf_fini(&chunk);
    }
    buf_fini(&chunk);
    buf_append_byte(body, 0);
    body->size--;
}

void wire_read_head(struct wire_client *client, struct wire_answer *answer)
{
    const char *end = NULL;
    *answer = (struct wire_answer){0};
    while (client->in.size == 0 || (end = memmem(client->in.data, client->in.size, "\r\n\r\n", 4)) == NULL) {
        if (!more(client)) {
            fail_msg("there is no answer");
        }
    }
    take(client, (size_t)(end - client->in.data) + 4, &answer->head);
    answer->status = (int)strtol(answer->head.data + sizeof "HTTP/1.1 " - 1, NULL, 10);
}

void wire_read(struct wire_client *client, bool head, struct wire_answer *answer)
{
    wire_read_head(client, answer);
    if (!head && slice_equal_nocase(wire_field(answer, "Transfer-Encoding"), SLICE("chunked"))) {
        read_chunks(client, &answer->body);
        return;
    }
    struct slice length = wire_field(answer, "Content-Length");
    size_t size = head || length.size == 0 ? 0 : (size_t)strtoull(length.data, NULL, 10);
    take(client, size, &answer->body);
}

bool wire_is_closed(struct wire_client *client)
{
    return client->in.size == 0 && !more(client);
}

void wire_ask(const struct wire *wire, const char *line, const char *fields, const char *body,
              struct wire_answer *answer)
{
    struct wire_client client;
    wire_connect(wire, &client);
    wire_sendf(&client, "%s HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n%s", line, fields, strlen(body),
               body);
    wire_read(&client, strncmp(line, "HEAD ", 5) == 0, answer);
    wire_close(&client);
}

void wire_answer_fini(struct wire_answer *answer)
{
    buf_fini(&answer->head);
    buf_fini(&answer->body);
}

struct slice wire_field(const struct wire_answer *answer, const char *name)
{
    for (const char *line = strstr(answer->head.data, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
        const char *value = line + 2 + strlen(name);
        if (strncasecmp(line + 2, name, strlen(name)) == 0 && *value == ':') {
            value += value[1] == ' ' ? 2 : 1;
            return slice_make(value, strcspn(value, "\r"));
        }
    }
    return SLICE_NONE;
}

void wire_expect(const struct wire_answer *answer, const char *row, int status, const char *text)
{
    if (answer->status != status || strstr(answer->body.data, text) == NULL) {
        fail_msg("%s: %d %s, expected %d with %s", row, answer->status, answer->body.data, status, text);
    }
}
