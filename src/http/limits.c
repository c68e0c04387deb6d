/*
 * Who may have how much of the server at a time: requests in all and of a tenant, and how long a
 * connection may take over a request. libmicrohttpd knows one time-out, for a connection without any
 * traffic; a client that sends a byte now and then is none of its business. So a thread looks at all
 * connections twice a second:
 *
 *   state     since                               ended when
 *   IDLE      accepted, or the last answer sent   a head has begun and is not complete in header_timeout, or
 *                                                 connections are scarce and it is idle for SCARCE_IDLE_MS
 *   BODY      the head is complete                in body_window fewer bytes came than body_rate_min asks for;
 *                                                 time for which we let the client wait does not count
 *   BUSY      the body is complete                never here
 *
 * The difficulty: two threads may move a connection on, its own and the watcher, so every move is a compare
 * and swap; who loses leaves it alone. A socket is shut down only under the lock that its peer leaves the
 * list by, so its number can't have become another's.
 */
#include <linux/tcp.h> /* the C library's has no tcpi_bytes_received */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/thread.h"
#include "http/http_priv.h"

#define TICK_MS        500
#define SCARCE_IDLE_MS 2000
#define MS             1000000ll

enum peer_state { PEER_IDLE, PEER_BODY, PEER_BUSY, PEER_ENDED };

struct http_peer {
    struct list link;
    int fd;
    atomic_int state;
    _Atomic int64_t idle_ns;    /* since when it is idle */
    atomic_uint_fast64_t body;  /* bytes of bodies that came */
    atomic_uint_fast64_t rests; /* how often we made it wait; odd while we do */
    char request[UUID_TEXT_BYTES + 1];

    /* The watcher's. */
    int64_t seen_idle_ns; /* idle_ns that `seen_bytes` belongs to */
    uint64_t seen_bytes;  /* of the connection, when its idle time began */
    int64_t head_ns;      /* when its head was seen to have begun; 0: not yet */
    int64_t window_ns;    /* when the window began; 0: none */
    uint64_t window_body;
    uint64_t window_rests;
};

struct http_limits {
    const struct http_options *options;
    atomic_size_t admitted;
    pthread_mutex_t tenant_lock;
    struct map *tenants; /* id -> requests under way */

    pthread_mutex_t lock;
    pthread_cond_t stop;
    struct list peers;
    size_t peer_count;
    bool stopping;
    bool watching;
    pthread_t watcher;
};

/* ---- requests under way ---- */

int http_limits_admit(struct http_request *request)
{
    struct http_limits *limits = request->server->limits;
    size_t most = limits->options->requests;
    if (atomic_fetch_add(&limits->admitted, 1) >= most && most != 0) {
        atomic_fetch_sub(&limits->admitted, 1);
        return ERR_OVERLOADED;
    }
    request->admitted = true;
    return 0;
}

int http_limits_admit_tenant(struct http_request *request)
{
    struct http_limits *limits = request->server->limits;
    size_t most = limits->options->tenant_requests;
    uint64_t count = 0;
    if (most == 0) {
        return 0;
    }
    struct slice id = uuid_view(&request->grant.tenant->id);
    pthread_mutex_lock(&limits->tenant_lock);
    (void)map_get(limits->tenants, id, &count);
    int err = count >= most ? ERR_TENANT_BUSY : map_put(limits->tenants, id, count + 1);
    pthread_mutex_unlock(&limits->tenant_lock);
    request->tenant_admitted = err == 0;
    return err;
}

void http_limits_leave(struct http_request *request)
{
    struct http_limits *limits = request->server->limits;
    if (request->admitted) {
        atomic_fetch_sub(&limits->admitted, 1);
    }
    if (!request->tenant_admitted) {
        return;
    }
    uint64_t count = 0;
    struct slice id = uuid_view(&request->grant.tenant->id);
    pthread_mutex_lock(&limits->tenant_lock);
    (void)map_get(limits->tenants, id, &count);
    if (count > 1) {
        int err = map_put(limits->tenants, id, count - 1); /* it is there, so this takes no memory */
        (void)err;
    } else {
        (void)map_delete(limits->tenants, id);
    }
    pthread_mutex_unlock(&limits->tenant_lock);
}

/* ---- a connection, seen by its thread ---- */

static struct http_peer *peer_of(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static bool move(struct http_peer *peer, int from, int to)
{
    return peer == NULL || atomic_compare_exchange_strong(&peer->state, &from, to);
}

bool http_limits_head(struct http_request *request)
{
    struct http_peer *peer = peer_of(request);
    request->peer = peer;
    if (peer == NULL) {
        return true;
    }
    memcpy(peer->request, request->id, sizeof peer->request);
    return move(peer, PEER_IDLE, PEER_BODY);
}

void http_limits_body(struct http_request *request, size_t bytes)
{
    if (request->peer != NULL) {
        atomic_fetch_add(&request->peer->body, bytes);
    }
}

void http_limits_rest(struct http_request *request, bool resting)
{
    struct http_peer *peer = request->peer;
    if (peer != NULL && (atomic_load(&peer->rests) % 2 == 1) != resting) {
        atomic_fetch_add(&peer->rests, 1);
    }
}

bool http_limits_whole(struct http_request *request)
{
    struct http_peer *peer = request->peer;
    return peer == NULL || atomic_load(&peer->state) == PEER_BUSY || move(peer, PEER_BODY, PEER_BUSY);
}

bool http_limits_answered(struct http_request *request)
{
    struct http_peer *peer = request->peer;
    if (peer == NULL) {
        return true;
    }
    if (atomic_load(&peer->state) == PEER_ENDED) {
        return false;
    }
    http_limits_rest(request, false);
    atomic_store(&peer->idle_ns, clock_monotonic_ns());
    return move(peer, PEER_BODY, PEER_IDLE) || move(peer, PEER_BUSY, PEER_IDLE);
}

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

void http_limits_notify(void *context, struct MHD_Connection *connection, void **held,
                        enum MHD_ConnectionNotificationCode what)
{
    struct http_limits *limits = context;
    struct http_peer *peer = *held;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        peer = calloc(1, sizeof *peer); /* without memory it is simply not watched */
        *held = peer;
    }
    if (peer == NULL) {
        return;
    }
    pthread_mutex_lock(&limits->lock);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        peer->fd = socket_of(connection);
        peer->idle_ns = clock_monotonic_ns();
        peer->seen_idle_ns = peer->idle_ns;
        list_append(&limits->peers, &peer->link);
        limits->peer_count++;
    } else {
        list_remove(&peer->link);
        limits->peer_count--;
    }
    pthread_mutex_unlock(&limits->lock);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        free(peer);
        *held = NULL;
    }
}

/* ---- the watcher; the lock is held ---- */

/* Bytes that ever came over the connection. */
static uint64_t bytes_received(const struct http_peer *peer)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return getsockopt(peer->fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

/* The library sees its client leave. */
static void end(struct http_peer *peer, int state)
{
    if (move(peer, state, PEER_ENDED)) {
        shutdown(peer->fd, SHUT_RDWR);
    }
}

static void look_at_idle(const struct http_limits *limits, struct http_peer *peer, int64_t now_ns)
{
    int64_t idle_ns = atomic_load(&peer->idle_ns);
    uint64_t bytes = bytes_received(peer);
    if (peer->seen_idle_ns != idle_ns) {
        peer->seen_idle_ns = idle_ns;
        peer->seen_bytes = bytes;
        peer->head_ns = 0;
    }
    if (bytes != peer->seen_bytes && peer->head_ns == 0) {
        peer->head_ns = now_ns;
    }
    bool scarce = limits->peer_count >= limits->options->connections - limits->options->connections / 4;
    bool slow = peer->head_ns != 0 && now_ns - peer->head_ns >= limits->options->header_timeout_s * 1000 * MS;
    bool in_the_way = peer->head_ns == 0 && scarce && now_ns - idle_ns >= SCARCE_IDLE_MS * MS;
    if (slow || in_the_way) {
        end(peer, PEER_IDLE);
    }
}

/* The library can't answer in the middle of a body; nothing else is being sent then. */
static void tell_too_slow(const struct http_peer *peer)
{
    struct http_request request = {.retry_after_s = 0};
    struct buf answer;
    memcpy(request.id, peer->request, sizeof request.id);
    buf_init(&request.answer, 0);
    buf_init(&answer, 0);
    http_problem(&request, ERR_TOO_SLOW, NULL, NULL);
    buf_printf(&answer,
               "HTTP/1.1 408 Request Timeout\r\nContent-Type: %s\r\nContent-Length: %zu\r\nRequest-Id: %s\r\n"
               "Connection: close\r\n\r\n",
               request.content_type, request.answer.size, request.id);
    buf_append_slice(&answer, buf_view(&request.answer));
    if (buf_error(&answer) == 0) {
        (void)!send(peer->fd, answer.data, answer.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    buf_fini(&request.answer);
    buf_fini(&answer);
}

static void begin_window(struct http_peer *peer, int64_t now_ns)
{
    peer->window_ns = now_ns;
    peer->window_body = atomic_load(&peer->body);
    peer->window_rests = atomic_load(&peer->rests);
}

static void look_at_body(const struct http_limits *limits, struct http_peer *peer, int64_t now_ns)
{
    const struct http_options *options = limits->options;
    bool waits = atomic_load(&peer->rests) % 2 == 1 || peer->window_rests != atomic_load(&peer->rests);
    if (peer->window_ns == 0 || waits) {
        begin_window(peer, now_ns);
        return;
    }
    if (now_ns - peer->window_ns < options->body_window_s * 1000 * MS) {
        return;
    }
    uint64_t came = atomic_load(&peer->body) - peer->window_body;
    if (came >= options->body_rate_min * (uint64_t)options->body_window_s) {
        begin_window(peer, now_ns);
    } else if (move(peer, PEER_BODY, PEER_ENDED)) {
        tell_too_slow(peer);
        shutdown(peer->fd, SHUT_RDWR);
    }
}

static void look_at_all(struct http_limits *limits)
{
    int64_t now_ns = clock_monotonic_ns();
    for (struct list *link = limits->peers.next; link != &limits->peers; link = link->next) {
        struct http_peer *peer = LIST_ENTRY(link, struct http_peer, link);
        int state = atomic_load(&peer->state);
        if (state == PEER_IDLE) {
            look_at_idle(limits, peer, now_ns);
        } else if (state == PEER_BODY && limits->options->body_rate_min > 0) {
            look_at_body(limits, peer, now_ns);
        }
        if (state != PEER_BODY) {
            peer->window_ns = 0;
        }
    }
}

static void *watch(void *context)
{
    struct http_limits *limits = context;
    pthread_mutex_lock(&limits->lock);
    while (!limits->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK_MS * MS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&limits->stop, &limits->lock, &until);
        look_at_all(limits);
    }
    pthread_mutex_unlock(&limits->lock);
    return NULL;
}

/* ---- start and stop ---- */

int http_limits_new(const struct http_options *options, struct http_limits **limits)
{
    struct http_limits *made = calloc(1, sizeof *made);
    *limits = made;
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->options = options;
    list_init(&made->peers);
    pthread_mutex_init(&made->tenant_lock, NULL);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->stop, NULL);
    made->tenants = map_new();
    made->watching = made->tenants != NULL && thread_start(&made->watcher, "limits", watch, made) == 0;
    return made->watching ? 0 : ERR_NO_MEMORY;
}

void http_limits_free(struct http_limits **limits)
{
    struct http_limits *freed = *limits;
    *limits = NULL;
    if (freed == NULL) {
        return;
    }
    pthread_mutex_lock(&freed->lock);
    freed->stopping = true;
    pthread_cond_signal(&freed->stop);
    pthread_mutex_unlock(&freed->lock);
    if (freed->watching) {
        pthread_join(freed->watcher, NULL);
    }
    map_free(&freed->tenants);
    pthread_cond_destroy(&freed->stop);
    pthread_mutex_destroy(&freed->lock);
    pthread_mutex_destroy(&freed->tenant_lock);
    free(freed);
}
