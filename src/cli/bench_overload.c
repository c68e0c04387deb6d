/*
 * Overload: single creates arrive ten times as fast as the server took them in the line `single`, whether it
 * keeps up or not. An arrival takes a free connection; while all are taken, arrivals wait in us. What counts
 * is the goodput: customers kept a second, which must not fall because more is asked for.
 */
#include "cli/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/bench_http.h"

#define OFFERED_TIMES       10
#define CONNECTIONS         700 /* the server's default takes 1,000 */
#define SECONDS             3
#define WARM_SECONDS        1 /* before those that count, so that every connection is busy */
#define PREPARED_PER_SECOND 30000
#define EVENTS              256

struct peer {
    int fd;
    int64_t sent_ns;
    struct bench_reply reply;
    struct peer *next_free;
};

struct overload {
    const struct bench_server *server;
    struct bench_requests requests;
    size_t next;      /* request to send */
    uint64_t started; /* arrivals that got a connection */
    uint64_t refused;
    size_t kept;
    size_t under_way;
    uint32_t *latencies_us; /* of the kept */
    int64_t began_ns;
    int64_t until_ns;
    struct peer *free;
    struct peer peers[CONNECTIONS];
};

static void set_free(struct overload *overload, struct peer *peer)
{
    peer->next_free = overload->free;
    overload->free = peer;
}

static int connect_all(struct overload *overload, int epoll)
{
    for (size_t i = 0; i < CONNECTIONS; i++) {
        struct peer *peer = &overload->peers[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
        peer->fd = bench_connect(&overload->server->address);
        if (peer->fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, peer->fd, &event) != 0) {
            cli_say("bench: overload: %s", strerror(errno));
            return ERR_NETWORK;
        }
        set_free(overload, peer);
    }
    return 0;
}

/* A request is smaller than a socket's buffer, and nothing is in it. */
static int send_one(struct overload *overload, struct peer *peer)
{
    struct slice left = bench_requests_at(&overload->requests, overload->next++);
    peer->sent_ns = clock_monotonic_ns();
    bench_reply_begin(&peer->reply);
    while (left.size > 0) {
        ssize_t sent = send(peer->fd, left.data, left.size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            cli_say("bench: overload: %s", strerror(errno));
            return ERR_NETWORK;
        }
        left = slice_from(left, sent > 0 ? (size_t)sent : 0);
    }
    overload->started++;
    overload->under_way++;
    return 0;
}

/* Starts what has arrived by now, as far as there are connections. */
static int start_arrivals(struct overload *overload, int64_t now_ns)
{
    double seconds = (double)(now_ns - overload->began_ns) / 1e9;
    uint64_t arrived = (uint64_t)(seconds * overload->server->single_rate * OFFERED_TIMES);
    int err = 0;
    while (err == 0 && overload->started < arrived && overload->free != NULL &&
           overload->next < overload->requests.count) {
        struct peer *peer = overload->free;
        overload->free = peer->next_free;
        err = send_one(overload, peer);
    }
    return err;
}

/* The whole answer is here: kept, or told when to come again; anything else is wrong. */
static int take_answer(struct overload *overload, struct peer *peer)
{
    int64_t now_ns = clock_monotonic_ns();
    int status = peer->reply.status;
    if ((status == 429 || status == 503) && !peer->reply.closes) {
        overload->refused++;
    } else if (status == 200 && !peer->reply.closes) {
        if (now_ns >= overload->until_ns - SECONDS * 1000000000LL && now_ns < overload->until_ns) {
            overload->latencies_us[overload->kept++] = (uint32_t)((now_ns - peer->sent_ns) / 1000);
        }
    } else {
        cli_say("bench: overload: status %d: %.*s", status, (int)peer->reply.excerpt_size, peer->reply.excerpt);
        return ERR_NETWORK;
    }
    overload->under_way--;
    set_free(overload, peer);
    return 0;
}

static int on_readable(struct overload *overload, struct peer *peer)
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
        cli_say("bench: overload: the server has closed a connection");
        return ERR_NETWORK;
    }
    return peer->reply.state == REPLY_DONE ? take_answer(overload, peer) : 0;
}

static int run_load(struct overload *overload, int epoll)
{
    int err = 0;
    int64_t now_ns = overload->began_ns;
    while (err == 0 && (now_ns < overload->until_ns || overload->under_way > 0)) {
        struct epoll_event events[EVENTS];
        if (now_ns < overload->until_ns) {
            err = start_arrivals(overload, now_ns);
        }
        int count = err != 0 ? 0 : epoll_wait(epoll, events, EVENTS, now_ns < overload->until_ns ? 1 : 30000);
        if (count == 0 && now_ns >= overload->until_ns) {
            cli_say("bench: overload: no answer within 30 s");
            err = ERR_NETWORK;
        }
        for (int i = 0; err == 0 && i < count; i++) {
            err = on_readable(overload, events[i].data.ptr);
        }
        now_ns = clock_monotonic_ns();
    }
    return err;
}

static void report(const struct overload *overload)
{
    struct bench_line line = bench_line_make("overload", BENCH_SHAPE_NAMES[BENCH_CYREXA], "customers/s");
    line.value = (double)overload->kept / SECONDS;
    bench_latencies(overload->latencies_us, overload->kept, &line);
    bench_report(&line);
    bench_note("overload: %.0f/s offered; %llu sent, %llu refused", overload->server->single_rate * OFFERED_TIMES,
               (unsigned long long)overload->started, (unsigned long long)overload->refused);
}

int bench_overload(const struct bench_run *run, struct bench_server *server)
{
    static struct overload overload;
    memset(&overload, 0, sizeof overload);
    overload.server = server;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    size_t count = (WARM_SECONDS + SECONDS) * PREPARED_PER_SECOND;
    overload.latencies_us = calloc(count, sizeof *overload.latencies_us);
    int err = bench_requests_make(run, server, count, &overload.requests);
    if (err == 0) {
        err = overload.latencies_us == NULL ? ERR_NO_MEMORY : connect_all(&overload, epoll);
    }
    if (err == 0) {
        overload.began_ns = clock_monotonic_ns();
        overload.until_ns = overload.began_ns + (WARM_SECONDS + SECONDS) * 1000000000LL;
        err = run_load(&overload, epoll);
    }
    if (err == 0) {
        report(&overload);
    }
    for (size_t i = 0; i < CONNECTIONS && overload.peers[i].fd > 0; i++) {
        close(overload.peers[i].fd);
    }
    close(epoll);
    free(overload.latencies_us);
    bench_requests_fini(&overload.requests);
    return err;
}
