/*
 * A whole server on a free port of the loopback, over the intake's fixture, and a client that speaks
 * bytes: what it sends is what the test wrote, so that a moment within a request can be chosen.
 */
#ifndef TESTS_UNIT_HTTP_WIRE_H
#define TESTS_UNIT_HTTP_WIRE_H

#include "../intake/fixture.h"
#include "http/http.h"

struct wire {
    struct fixture fixture;
    struct http_server *server;
    uint16_t port;
    char bearer[128];   /* API key with every scope of the tenant acme */
    char reader[128];   /* one that may only read */
    char token[128];    /* tenant token of acme */
    char operator[128]; /* the operator's key */
};

/* One connection; bytes behind an answer wait for the next. */
struct wire_client {
    int fd;
    struct buf in;
};

struct wire_answer {
    int status;
    struct buf head; /* status line and header fields, NUL-terminated */
    struct buf body; /* NUL-terminated */
};

void wire_init(struct wire *wire, bool tight);
/* With the limits of these options; their other members are set here. */
void wire_init_limited(struct wire *wire, const struct http_options *limits);
void wire_fini(struct wire *wire);

void wire_connect(const struct wire *wire, struct wire_client *client);
void wire_close(struct wire_client *client);
/* Resets the connection: what a client does that dies. */
void wire_reset(struct wire_client *client);
void wire_send(struct wire_client *client, struct slice bytes);
/* printf of a small request. */
void wire_sendf(struct wire_client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The head of the next answer; its body is left to the functions below. */
void wire_read_head(struct wire_client *client, struct wire_answer *answer);
/* The next answer, also one in chunks; one to HEAD has no body. Fails the test when none comes. */
void wire_read(struct wire_client *client, bool head, struct wire_answer *answer);
/* Of an answer in chunks whose head was read: a line, or the next chunk; false when it was the last. */
void wire_read_line(struct wire_client *client, struct buf *line);
bool wire_read_chunk(struct wire_client *client, struct buf *chunk);
/* True when the server closes the connection without another byte. */
bool wire_is_closed(struct wire_client *client);
/* A request with a body of its own connection: method and target, header fields each with its CRLF. */
void wire_ask(const struct wire *wire, const char *line, const char *fields, const char *body,
              struct wire_answer *answer);
void wire_answer_fini(struct wire_answer *answer);

/* Value of a header field of the answer; empty when it has none. */
struct slice wire_field(const struct wire_answer *answer, const char *name);
/* Fails unless the answer has the status and its body the text. */
void wire_expect(const struct wire_answer *answer, const char *row, int status, const char *text);

#endif
