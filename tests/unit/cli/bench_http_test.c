/* The load client's reader of answers, fed whole and byte by byte; addresses; bodies that are made while sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/bench_http.h"

#define ID "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"

static const struct {
    const char *text;
    size_t after; /* bytes at the end that belong to the next answer */
    int status;   /* 0: refused */
    uint64_t hyphens;
    bool closes;
    const char *excerpt;
} ROWS[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n[\"" ID "\"]", 0, 200, 4, false, "[\"" ID "\"]"},
    {"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", 0, 204, 0, true, ""},
    {"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\n--HTTP/1.1", 8, 200, 2, false, "--"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na-b-c\r\n1A\r\n-bcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
     0, 200, 3, false, "a-b-c-bcdefghijklmnopqrstuvwxyz"},
    {"HTTP/1.1 422 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n-\r\n0\r\nT: 1\r\n\r\nH", 1, 422, 1, false, "-"},
    {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 0, 0, 0, false, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz", 0, 0, 0, false, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", 0, 0, 0, false, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n-x\r\n", 0, 0, 1, false, "-"},
    {"SMTP/1.1 200 OK\r\n\r\n", 0, 0, 0, false, ""},
};

static void feed(struct bench_reply *reply, struct slice text, size_t step, size_t *used)
{
    bench_reply_begin(reply);
    *used = 0;
    while (*used < text.size && reply->state != REPLY_DONE && reply->state != REPLY_FAILED) {
        size_t left = text.size - *used;
        *used += bench_reply_take(reply, slice_make(text.data + *used, left < step ? left : step));
    }
}

static void answers_are_read(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 2, 7, 1000};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        for (size_t j = 0; j < sizeof steps / sizeof steps[0]; j++) {
            struct bench_reply reply;
            struct slice text = slice_from_text(ROWS[i].text);
            size_t used;
            feed(&reply, text, steps[j], &used);
            if (ROWS[i].status == 0) {
                assert_int_equal(reply.state, REPLY_FAILED);
                continue;
            }
            assert_int_equal(reply.state, REPLY_DONE);
            assert_int_equal(reply.status, ROWS[i].status);
            assert_int_equal(text.size - used, ROWS[i].after);
            assert_int_equal(reply.closes, ROWS[i].closes);
            assert_int_equal(reply.hyphens, ROWS[i].hyphens);
            assert_true(slice_equal_text(slice_make(reply.excerpt, reply.excerpt_size), ROWS[i].excerpt));
        }
    }
}

static void an_endless_head_is_refused(void **state)
{
    (void)state;
    struct bench_reply reply;
    bench_reply_begin(&reply);
    for (int i = 0; i <= BENCH_HEAD_BYTES; i++) {
        (void)bench_reply_take(&reply, SLICE("x"));
    }
    assert_int_equal(reply.state, REPLY_FAILED);
}

static void addresses_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *host; /* NULL: refused */
        uint16_t port;
    } rows[] = {
        {"http://127.0.0.1:8484", "127.0.0.1", 8484},
        {"http://localhost:1/x", "127.0.0.1", 1},
        {"http://10.0.0.2", "10.0.0.2", 80},
        {"https://127.0.0.1:1", NULL, 0},
        {"http://127.0.0.1:65536", NULL, 0},
        {"http://127.0.0.1:", NULL, 0},
        {"http://example.com", NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sockaddr_in address;
        char host[INET_ADDRSTRLEN];
        bool known = bench_address(rows[i].url, &address);
        assert_int_equal(known, rows[i].host != NULL);
        if (known) {
            assert_string_equal(inet_ntop(AF_INET, &address.sin_addr, host, sizeof host), rows[i].host);
            assert_int_equal(ntohs(address.sin_port), rows[i].port);
        }
    }
}

/* ---- a body that is made while it is sent ---- */

#define PIECES      300u
#define PIECE_BYTES 5001u /* all of them are more than a socket holds */

struct feeding {
    char piece[PIECE_BYTES];
    unsigned given;
    unsigned end; /* pieces of the body; 0: it has no end */
};

static struct slice feed_piece(void *context)
{
    struct feeding *feeding = context;
    if (feeding->end != 0 && feeding->given == feeding->end) {
        return SLICE_NONE;
    }
    memset(feeding->piece, 'a' + (int)(feeding->given % 26), sizeof feeding->piece);
    feeding->given++;
    return slice_make(feeding->piece, sizeof feeding->piece);
}

/* The other end: it reads up to the end of the body, or not at all, says its answer, and waits to be left. */
struct peer {
    int fd;
    bool reads;
    const char *answer; /* NULL: it leaves without one */
    struct buf got;
};

static void *run_peer(void *context)
{
    static const char end[] = "\r\n0\r\n\r\n";
    struct peer *peer = context;
    struct buf *got = &peer->got;
    char bytes[4096];
    ssize_t size;
    while (peer->reads &&
           (got->size < sizeof end - 1 || memcmp(got->data + got->size - (sizeof end - 1), end, sizeof end - 1) != 0)) {
        size = read(peer->fd, bytes, sizeof bytes);
        assert_true(size > 0);
        buf_append(got, bytes, (size_t)size);
    }
    if (peer->answer != NULL) {
        size = write(peer->fd, peer->answer, strlen(peer->answer));
        assert_int_equal(size, strlen(peer->answer));
        shutdown(peer->fd, SHUT_WR);
        while (peer->reads && read(peer->fd, bytes, sizeof bytes) > 0) {
        }
    } else {
        close(peer->fd);
        peer->fd = -1;
    }
    return NULL;
}

static int exchange(struct peer *peer, unsigned pieces, struct bench_reply *reply)
{
    struct feeding feeding = {.end = pieces};
    pthread_t thread;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    peer->fd = ends[1];
    buf_init(&peer->got, 0);
    assert_int_equal(pthread_create(&thread, NULL, run_peer, peer), 0);
    int err = bench_exchange_chunked(ends[0], SLICE("HEAD\r\n\r\n"), feed_piece, &feeding, reply);
    close(ends[0]);
    pthread_join(thread, NULL);
    if (peer->fd >= 0) {
        close(peer->fd);
    }
    return err;
}

static void a_body_goes_out_in_chunks(void **state)
{
    (void)state;
    static const unsigned counts[] = {1, PIECES};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct peer peer = {.reads = true, .answer = ROWS[0].text};
        struct feeding again = {.end = counts[i]};
        struct bench_reply reply;
        struct buf expected;
        buf_init(&expected, 0);
        buf_append_text(&expected, "HEAD\r\n\r\n");
        for (unsigned j = 0; j < counts[i]; j++) {
            buf_printf(&expected, "%x\r\n", PIECE_BYTES);
            buf_append_slice(&expected, feed_piece(&again));
            buf_append_text(&expected, "\r\n");
        }
        buf_append_text(&expected, "0\r\n\r\n");
        assert_int_equal(exchange(&peer, counts[i], &reply), 0);
        assert_int_equal(reply.status, 200);
        assert_int_equal(reply.hyphens, 4);
        assert_true(slice_equal(buf_view(&peer.got), buf_view(&expected)));
        buf_fini(&peer.got);
        buf_fini(&expected);
    }
}

/* A refusal while the body goes on without end, and nobody takes it. */
static void an_answer_that_comes_early_is_taken(void **state)
{
    (void)state;
    struct peer peer = {.answer = "HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"};
    struct bench_reply reply;
    assert_int_equal(exchange(&peer, 0, &reply), 0);
    assert_int_equal(reply.status, 413);
    assert_true(reply.closes);
    buf_fini(&peer.got);
}

static void an_answer_that_is_missing_is_an_error(void **state)
{
    (void)state;
    static const struct peer rows[] = {{.reads = true}, {.reads = false}, {.reads = true, .answer = "HTTP/1.1 200"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer peer = rows[i];
        struct bench_reply reply;
        assert_int_equal(exchange(&peer, PIECES, &reply), ERR_NETWORK);
        buf_fini(&peer.got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(an_endless_head_is_refused),
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(a_body_goes_out_in_chunks),
        cmocka_unit_test(an_answer_that_comes_early_is_taken),
        cmocka_unit_test(an_answer_that_is_missing_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
