/*
 * A lean HTTP/1.1 client for load: it shares the machine with the server it measures, so it does no more
 * than push prepared bytes and find the end of an answer. Not for people's commands (client.h).
 */
#ifndef CLI_BENCH_HTTP_H
#define CLI_BENCH_HTTP_H

#include <netinet/in.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

#define BENCH_HEAD_BYTES    2048 /* of an answer's or request's head */
#define BENCH_EXCERPT_BYTES 400  /* of a body, for words about an unexpected answer */

/*
 * An answer as it arrives. States: HEAD until the blank line, then BODY (`left` bytes to come) or one of
 * the chunked ones, then DONE. FAILED is for good.
 */
struct bench_reply {
    enum { REPLY_HEAD, REPLY_BODY, REPLY_CHUNK_SIZE, REPLY_CHUNK_END, REPLY_TRAILER, REPLY_DONE, REPLY_FAILED } state;
    int status;
    bool chunked;
    bool closes; /* Connection: close */
    uint64_t left;
    uint64_t hyphens; /* in the body; an id has four */
    size_t head_size;
    size_t excerpt_size;
    size_t line_size; /* of a chunk's size or a trailer line so far */
    char head[BENCH_HEAD_BYTES];
    char excerpt[BENCH_EXCERPT_BYTES];
};

void bench_reply_begin(struct bench_reply *reply);
/* Takes bytes; returns how many belong to this answer. Stops at DONE or FAILED. */
size_t bench_reply_take(struct bench_reply *reply, struct slice bytes);

/* Address of an http:// URL with a numeric host or "localhost". False: none of that kind. */
bool bench_address(const char *url, struct sockaddr_in *address);
/* A connected socket, TCP_NODELAY; -1 with errno. */
int bench_connect(const struct sockaddr_in *address);

/* Sends head and body and reads the whole answer, blocking. 0 or ERR_NETWORK. */
int bench_exchange(int fd, struct slice head, struct slice body, struct bench_reply *reply) MUST_CHECK;

/* The next piece of a body that is made while it is sent: a view until the next call; empty: the body is whole. */
typedef struct slice bench_feed_fn(void *context);
/* Sends head and body, a chunk a piece (RFC 9112 section 7.1), and takes the answer as it comes, also one that comes
 * before the body is whole. 0 or ERR_NETWORK, also when nothing moves for minutes. */
int bench_exchange_chunked(int fd, struct slice head, bench_feed_fn *feed, void *context,
                           struct bench_reply *reply) MUST_CHECK;

#endif
