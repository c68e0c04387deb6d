/*
 * Progress as server-sent events: GET /v1/imports/{id}/events. A subscriber's connection is suspended between its
 * events, so it costs nothing; one thread, the ticker, wakes all of them about once a second, and sleeps when there is
 * none.
 *
 *   E1  A subscriber is in `waiting` exactly while its connection is suspended. Both happen under the lock.
 *   E2  Only the ticker takes one out, and it resumes the connection before it lets go of the lock; afterwards the
 *       subscriber is its HTTP thread's again, which may free it at once.
 *   E3  Once `stopping` is set nobody is put into `waiting` any more, and the ticker empties it a last time: a stop
 *       finds no connection suspended.
 *
 * An event that says the same as the one before is not sent. A comment every 15 s then keeps the connection, and
 * finds out whether the client is still there.
 */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/thread.h"
#include "http/http_priv.h"

#define SUBSCRIBERS_MAX    256u
#define SUBSCRIBERS_TENANT 32u /* of one tenant, so that none takes them all */
#define TICK_NS            INT64_C(1000000000)
#define SILENCE_NS         (INT64_C(15) * 1000000000)

struct subscriber {
    struct list all;
    struct list waiting;
    struct http_request *request;
    struct uuid import;
    struct buf event; /* what is being sent */
    size_t sent;
    struct buf last; /* data of the last event */
    int64_t sent_ns; /* when something was sent last */
    bool due;        /* it is time for the next event */
    bool suspended;  /* it is in `waiting` */
    bool ended;      /* the last event was made */
};

struct http_events {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct list all;
    struct list waiting;
    size_t count;
    bool stopping;
    pthread_t ticker;
};

/* ---- the ticker ---- */

static void wake_all(struct http_events *events)
{
    for (struct list *link; (link = list_take_first(&events->waiting)) != NULL;) {
        struct subscriber *subscriber = LIST_ENTRY(link, struct subscriber, waiting);
        subscriber->suspended = false;
        subscriber->due = true;
        http_wake(subscriber->request);
    }
}

/* Waits a tick, or less when the end has come. */
static void wait_tick(struct http_events *events)
{
    int64_t until_ns = clock_monotonic_ns() + TICK_NS;
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    while (!events->stopping && clock_monotonic_ns() < until_ns) {
        pthread_cond_timedwait(&events->changed, &events->lock, &until);
    }
}

static void *tick(void *context)
{
    struct http_events *events = context;
    pthread_mutex_lock(&events->lock);
    while (!events->stopping) {
        if (list_empty(&events->waiting)) {
            pthread_cond_wait(&events->changed, &events->lock);
        } else {
            wait_tick(events);
            wake_all(events);
        }
    }
    wake_all(events);
    pthread_mutex_unlock(&events->lock);
    return NULL;
}

int http_events_start(struct http_server *server)
{
    struct http_events *made = calloc(1, sizeof *made);
    pthread_condattr_t monotonic;
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    list_init(&made->all);
    list_init(&made->waiting);
    pthread_mutex_init(&made->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&made->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (thread_start(&made->ticker, "events", tick, made) != 0) {
        pthread_cond_destroy(&made->changed);
        pthread_mutex_destroy(&made->lock);
        free(made);
        return ERR_NO_MEMORY;
    }
    server->events = made;
    return 0;
}

void http_events_end(struct http_server *server)
{
    if (server->events == NULL) {
        return;
    }
    pthread_mutex_lock(&server->events->lock);
    server->events->stopping = true;
    pthread_cond_broadcast(&server->events->changed);
    pthread_mutex_unlock(&server->events->lock);
}

void http_events_stop(struct http_server *server)
{
    struct http_events *stopped = server->events;
    server->events = NULL;
    if (stopped == NULL) {
        return;
    }
    pthread_join(stopped->ticker, NULL);
    pthread_cond_destroy(&stopped->changed);
    pthread_mutex_destroy(&stopped->lock);
    free(stopped);
}

/* ---- a subscriber ---- */

/* Counts it in, if there is a place. */
static int enter(struct http_events *events, struct subscriber *subscriber)
{
    size_t of_tenant = 0;
    pthread_mutex_lock(&events->lock);
    for (struct list *link = events->all.next; link != &events->all; link = link->next) {
        const struct subscriber *other = LIST_ENTRY(link, struct subscriber, all);
        of_tenant += other->request->grant.tenant == subscriber->request->grant.tenant ? 1 : 0;
    }
    int err = events->stopping                                                      ? ERR_STOPPING
              : events->count >= SUBSCRIBERS_MAX || of_tenant >= SUBSCRIBERS_TENANT ? ERR_OVERLOADED
                                                                                    : 0;
    if (err == 0) {
        list_append(&events->all, &subscriber->all);
        events->count++;
    }
    pthread_mutex_unlock(&events->lock);
    return err;
}

static void subscriber_free(struct subscriber *subscriber)
{
    buf_fini(&subscriber->event);
    buf_fini(&subscriber->last);
    free(subscriber);
}

static void close_events(void *context)
{
    struct subscriber *subscriber = context;
    struct http_events *events = subscriber->request->server->events;
    pthread_mutex_lock(&events->lock);
    list_remove(&subscriber->all);
    events->count--;
    pthread_mutex_unlock(&events->lock);
    subscriber_free(subscriber);
}

/* Composes the next event into subscriber->event; nothing when there is nothing to say. */
static int make_event(struct subscriber *subscriber)
{
    struct http_request *request = subscriber->request;
    int64_t now_ns = clock_monotonic_ns();
    struct buf json;
    buf_init(&json, 0);
    int err = registry_import_progress(request->server->options.registry, request->grant.tenant, &subscriber->import,
                                       &subscriber->ended, &json);
    bool news = err == 0 && (subscriber->ended || !slice_equal(buf_view(&json), buf_view(&subscriber->last)));
    if (news) {
        buf_printf(&subscriber->event, "event: %s\ndata: ", subscriber->ended ? "end" : "progress");
        buf_append_slice(&subscriber->event, buf_view(&json));
        buf_append_text(&subscriber->event, "\n\n");
        buf_clear(&subscriber->last);
        buf_append_slice(&subscriber->last, buf_view(&json));
    } else if (err == 0 && now_ns - subscriber->sent_ns >= SILENCE_NS) {
        buf_append_text(&subscriber->event, ":\n\n");
    }
    if (subscriber->event.size > 0) {
        subscriber->sent_ns = now_ns;
    }
    buf_fini(&json);
    return err != 0 ? err : buf_error(&subscriber->event);
}

/* Suspends the connection until the next tick (E1). False when there will be none (E3). */
static bool rest(struct subscriber *subscriber)
{
    struct http_events *events = subscriber->request->server->events;
    pthread_mutex_lock(&events->lock);
    bool rests = !events->stopping;
    if (rests && !subscriber->suspended) {
        subscriber->suspended = true;
        list_append(&events->waiting, &subscriber->waiting);
        MHD_suspend_connection(subscriber->request->connection);
        pthread_cond_signal(&events->changed);
    }
    pthread_mutex_unlock(&events->lock);
    return rests;
}

static ssize_t read_events(void *context, char *to, size_t room)
{
    struct subscriber *subscriber = context;
    if (subscriber->sent == subscriber->event.size && subscriber->due && !subscriber->ended) {
        buf_clear(&subscriber->event);
        subscriber->sent = 0;
        subscriber->due = false;
        int err = make_event(subscriber);
        if (err != 0) {
            return err;
        }
    }
    size_t left = subscriber->event.size - subscriber->sent;
    if (left == 0) {
        return !subscriber->ended && rest(subscriber) ? HTTP_STREAM_RESTS : 0;
    }
    size_t part = left < room ? left : room;
    memcpy(to, subscriber->event.data + subscriber->sent, part);
    subscriber->sent += part;
    return (ssize_t)part;
}

static int subscribe(struct http_request *request, const struct uuid *id)
{
    struct subscriber *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->request = request;
    made->import = *id;
    made->due = true;
    list_init(&made->all);
    list_init(&made->waiting);
    buf_init(&made->event, 0);
    buf_init(&made->last, 0);
    int err = make_event(made); /* or 404 */
    made->due = false;
    if (err == 0) {
        err = enter(request->server->events, made);
    }
    if (err != 0) {
        subscriber_free(made);
        return err;
    }
    request->stream = (struct http_stream){.read = read_events, .close = close_events, .context = made};
    return 0;
}

int http_import_events(struct http_request *request)
{
    static const char *const names[] = {NULL};
    static const char *const type = "text/event-stream";
    struct uuid id;
    size_t chosen;
    int err = http_query_read(request, names);
    if (err == 0 && !uuid_from_text(request->params[0], &id)) {
        err = ERR_NOT_FOUND;
    }
    if (err == 0) {
        err = http_accept(request, &type, 1, &chosen);
    }
    if (err == 0) {
        err = subscribe(request, &id);
    }
    request->content_type = type;
    request->no_store = true;
    request->status = 200;
    return err;
}
