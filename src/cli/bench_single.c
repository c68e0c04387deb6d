/*
 * Single creates: up to 64 connections, one request at a time on each, one customer a request; a single thread
 * that waits with epoll. A request is small enough for a socket's buffer, so it is written in one go
 * (blocking if it must be), and only answers are waited for.
 */
#include "cli/bench.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/bench_http.h"

#define CONNECTIONS_MAX 64
#define HEAD_BYTES      8192
/* Requests prepared for a second; a faster server ends the measurement early. */
#define PREPARED_PER_SECOND 40000

struct peer {
    int fd;
    int64_t sent_ns;
    struct bench_reply reply;
};

struct singles {
    const struct bench_server *server;
    struct bench_requests requests;
    size_t next;
    uint32_t *latencies_us;
    size_t done;
    size_t under_way;
    int64_t until_ns;
    size_t connections;
    struct peer peers[CONNECTIONS_MAX];
};

int bench_requests_make(const struct bench_run *run, struct bench_server *server, size_t count,
                        struct bench_requests *requests)
{
    struct bench_source source = {.seed = run->seed, .shape = BENCH_CYREXA};
    struct buf body;
    char head[HEAD_BYTES];
    *requests = (struct bench_requests){.count = count};
    buf_init(&requests->text, 0);
    buf_init(&requests->offsets, 0);
    buf_init(&body, 0);
    for (size_t i = 0; i <= count; i++) {
        size_t at = requests->text.size;
        buf_append(&requests->offsets, &at, sizeof at);
        if (i < count) {
            buf_clear(&body);
            bench_body(&source, server->next + i, 1, "", &body);
            buf_append(&requests->text, head, bench_head(server, BENCH_CYREXA, body.size, head, sizeof head));
            buf_append_slice(&requests->text, buf_view(&body));
        }
    }
    server->next += count;
    int err = buf_error(&body) != 0 ? buf_error(&body) : buf_error(&requests->text);
    buf_fini(&body);
    return err != 0 ? err : buf_error(&requests->offsets);
}

struct slice bench_requests_at(const struct bench_requests *requests, size_t index)
{
    size_t range[2];
    memcpy(range, requests->offsets.data + index * sizeof range[0], sizeof range);
    return slice_make(requests->text.data + range[0], range[1] - range[0]);
}

void bench_requests_fini(struct bench_requests *requests)
{
    buf_fini(&requests->text);
    buf_fini(&requests->offsets);
}

static int prepare(struct singles *singles, const struct bench_run *run, struct bench_server *server)
{
    size_t count = (size_t)(run->single_seconds * PREPARED_PER_SECOND);
    int err = bench_requests_make(run, server, count, &singles->requests);
    /* One more, because a very short run prepares none. */
    singles->latencies_us = calloc(count + 1, sizeof *singles->latencies_us);
    return err == 0 && singles->latencies_us == NULL ? ERR_NO_MEMORY : err;
}

/* Sends the next request on the connection. False: nothing more to send, or the write failed. */
static bool send_next(struct singles *singles, struct peer *peer)
{
    peer->sent_ns = clock_monotonic_ns();
    if (singles->next == singles->requests.count || peer->sent_ns >= singles->until_ns) {
        return false;
    }
    struct slice left = bench_requests_at(&singles->requests, singles->next++);
    bench_reply_begin(&peer->reply);
    while (left.size > 0) {
        ssize_t sent = send(peer->fd, left.data, left.size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return false;
        }
        left = slice_from(left, sent > 0 ? (size_t)sent : 0);
    }
    singles->under_way++;
    return true;
}

static void say_unexpected(const struct bench_reply *reply)
{
    cli_say("bench: single: status %d: %.*s", reply->status, (int)reply->excerpt_size, reply->excerpt);
}

/* Bytes have arrived. 0, or ERR_NETWORK when the answer is not the expected one. */
static int on_readable(struct singles *singles, struct peer *peer)
{
    char bytes[4096];
    ssize_t got = recv(peer->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    if (got > 0) {
        (void)bench_reply_take(&peer->reply, slice_make(bytes, (size_t)got));
    }
    if (got <= 0 || peer->reply.state == REPLY_FAILED) {
        say_unexpected(&peer->reply);
        return ERR_NETWORK;
    }
    if (peer->reply.state != REPLY_DONE) {
        return 0;
    }
    if (peer->reply.status != 200 || peer->reply.hyphens < 4 || peer->reply.closes) {
        say_unexpected(&peer->reply);
        return ERR_NETWORK;
    }
    singles->latencies_us[singles->done++] = (uint32_t)((clock_monotonic_ns() - peer->sent_ns) / 1000);
    singles->under_way--;
    (void)send_next(singles, peer);
    return 0;
}

static int connect_all(struct singles *singles, int epoll)
{
    for (size_t i = 0; i < singles->connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &singles->peers[i]};
        singles->peers[i].fd = bench_connect(&singles->server->address);
        if (singles->peers[i].fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, singles->peers[i].fd, &event) != 0) {
            cli_say("bench: single: %s", strerror(errno));
            return ERR_NETWORK;
        }
    }
    return 0;
}

static int run_load(struct singles *singles, int epoll)
{
    int err = 0;
    for (size_t i = 0; i < singles->connections; i++) {
        (void)send_next(singles, &singles->peers[i]);
    }
    while (err == 0 && singles->under_way > 0) {
        struct epoll_event events[CONNECTIONS_MAX];
        int count = epoll_wait(epoll, events, CONNECTIONS_MAX, 30000);
        if (count == 0) {
            cli_say("bench: single: no answer within 30 s");
            err = ERR_NETWORK;
        }
        for (int i = 0; err == 0 && i < count; i++) {
            err = on_readable(singles, events[i].data.ptr);
        }
    }
    return err;
}

static int compare(const void *a, const void *b)
{
    uint32_t x;
    uint32_t y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

void bench_latencies(uint32_t *latencies_us, size_t count, struct bench_line *line)
{
    if (count > 0) {
        qsort(latencies_us, count, sizeof latencies_us[0], compare);
        size_t middle = count / 2;
        size_t late = count * 99 / 100;
        line->p50_ms = latencies_us[middle] / 1e3;
        line->p99_ms = latencies_us[late] / 1e3;
    }
}

static double report(const struct singles *singles, const struct bench_meter *meter, const char *name)
{
    struct bench_line line = bench_line_make(name, BENCH_SHAPE_NAMES[BENCH_CYREXA], "customers/s");
    bench_meter_to_line(meter, singles->done, &line);
    bench_latencies(singles->latencies_us, singles->done, &line);
    bench_report(&line);
    return line.value;
}

int bench_single(const struct bench_run *run, struct bench_server *server, size_t connections, const char *name)
{
    static struct singles singles;
    struct bench_meter meter;
    memset(&singles, 0, sizeof singles);
    assert(connections <= CONNECTIONS_MAX);
    singles.server = server;
    singles.connections = connections;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int err = prepare(&singles, run, server);
    if (err == 0) {
        err = connect_all(&singles, epoll);
    }
    if (err == 0) {
        bench_meter_begin(&meter, server->pid);
        singles.until_ns = meter.began_ns + (int64_t)(run->single_seconds * 1e9);
        err = run_load(&singles, epoll);
        bench_meter_end(&meter);
        if (err == 0 && singles.done > 0) {
            server->single_rate = report(&singles, &meter, name);
        }
    }
    for (size_t i = 0; i < singles.connections; i++) {
        if (singles.peers[i].fd > 0) {
            close(singles.peers[i].fd);
        }
    }
    close(epoll);
    free(singles.latencies_us);
    bench_requests_fini(&singles.requests);
    return err;
}
