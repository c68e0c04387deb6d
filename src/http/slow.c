/*
 * Requests that take a password hash (20 ms of a core) run on threads of their own, so that nobody
 * else's bytes wait behind them. Their connection is suspended meanwhile; the queue is bounded, and what
 * does not fit is told to come back.
 */
#include <stdlib.h>

#include "base/thread.h"
#include "http/http_priv.h"

#define SLOW_QUEUE 256u

static void *slow_run(void *context)
{
    struct http_server *server = context;
    for (;;) {
        struct http_request *request = queue_pop(server->slow);
        if (request == NULL) {
            return NULL;
        }
        int err = request->route->handler(request);
        if (err != 0) {
            request->refusal = err;
        }
        http_wake(request);
    }
}

int http_slow_start(struct http_server *server)
{
    size_t wanted = server->options.slow_threads;
    server->slow = queue_new(SLOW_QUEUE);
    server->slow_threads = calloc(wanted, sizeof *server->slow_threads);
    if (server->slow == NULL || server->slow_threads == NULL) {
        return ERR_NO_MEMORY;
    }
    while (server->slow_count < wanted &&
           thread_start(&server->slow_threads[server->slow_count], "slow", slow_run, server) == 0) {
        server->slow_count++;
    }
    return server->slow_count == wanted ? 0 : ERR_NO_MEMORY;
}

void http_slow_stop(struct http_server *server)
{
    if (server->slow != NULL) {
        queue_close(server->slow);
    }
    for (size_t i = 0; i < server->slow_count; i++) {
        pthread_join(server->slow_threads[i], NULL);
    }
    free(server->slow_threads);
    queue_free(&server->slow);
}
