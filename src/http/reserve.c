/*
 * A thread in reserve. Threads that move bytes also ask the store, and a database that is away without a word lets
 * them wait: the last of them never does, so that somebody still takes connections and says how we are. What would
 * have made it wait is told to come back.
 *
 * The difficulty: with a database that answers, all of them asking it at once is nothing unusual. So the last one
 * waits a moment for another to come back, and refuses at once only when that was in vain.
 */
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "http/http_priv.h"

#define MOMENT_NS 250000000

void http_reserve_init(struct http_server *server)
{
    struct http_reserve *reserve = &server->reserve;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&reserve->lock, NULL);
    pthread_cond_init(&reserve->freed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    reserve->kept = server->options.store_shared && server->options.threads > 1;
    reserve->left = reserve->kept ? server->options.threads - 1 : 0;
}

void http_reserve_fini(struct http_server *server)
{
    pthread_cond_destroy(&server->reserve.freed);
    pthread_mutex_destroy(&server->reserve.lock);
}

bool http_reserve_enter(struct http_server *server)
{
    struct http_reserve *reserve = &server->reserve;
    if (!reserve->kept) {
        return true;
    }
    int64_t until_ns = clock_monotonic_ns() + MOMENT_NS;
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    pthread_mutex_lock(&reserve->lock);
    while (reserve->left == 0 && !reserve->stuck) {
        reserve->stuck = pthread_cond_timedwait(&reserve->freed, &reserve->lock, &until) == ETIMEDOUT;
    }
    bool entered = reserve->left > 0;
    reserve->left -= entered ? 1 : 0;
    pthread_mutex_unlock(&reserve->lock);
    return entered;
}

void http_reserve_leave(struct http_server *server)
{
    struct http_reserve *reserve = &server->reserve;
    if (!reserve->kept) {
        return;
    }
    pthread_mutex_lock(&reserve->lock);
    reserve->left++;
    reserve->stuck = false;
    pthread_cond_signal(&reserve->freed);
    pthread_mutex_unlock(&reserve->lock);
}
