/*
 * Upkeep behind the requests' backs: the rows of aborted imports are swept in small steps, and a store
 * that stopped is said so in the log once.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "daemon/daemon_priv.h"
#include "store/store.h"

#define SWEEP_ROWS     1000u
#define PAUSE_IDLE_MS  1000
#define PAUSE_SWEEP_MS 10 /* bounds the rate: at most 100,000 rows a second */

struct housekeeping {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool stopping;
    int said; /* health that the log has been told of */
};

static void watch_health(struct housekeeping *housekeeping)
{
    int health = store_health(housekeeping->store);
    if (health != housekeeping->said) {
        housekeeping->said = health;
        if (health != 0) {
            log_error(NULL, "storage stopped", "\"code\":\"%s\"", err_code(health));
        } else {
            log_info(NULL, "storage writable", NULL);
        }
    }
}

/* Waits, but no longer than until the stop. False then. */
static bool pause_ms(struct housekeeping *housekeeping, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&housekeeping->lock);
    if (!housekeeping->stopping) {
        pthread_cond_timedwait(&housekeeping->stop, &housekeeping->lock, &until);
    }
    bool go_on = !housekeeping->stopping;
    pthread_mutex_unlock(&housekeeping->lock);
    return go_on;
}

static void *housekeeping_run(void *context)
{
    struct housekeeping *housekeeping = context;
    bool left = true;
    while (pause_ms(housekeeping, left ? PAUSE_SWEEP_MS : PAUSE_IDLE_MS)) {
        watch_health(housekeeping);
        left = false;
        if (store_health(housekeeping->store) == 0 && store_sweep(housekeeping->store, SWEEP_ROWS, &left) != 0) {
            left = false;
        }
    }
    return NULL;
}

int housekeeping_start(struct store *store, struct housekeeping **housekeeping)
{
    struct housekeeping *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->store = store;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->stop, NULL);
    if (pthread_create(&made->thread, NULL, housekeeping_run, made) != 0) {
        free(made);
        return ERR_NO_MEMORY;
    }
    *housekeeping = made;
    return 0;
}

void housekeeping_stop(struct housekeeping **housekeeping)
{
    struct housekeeping *stopped = *housekeeping;
    *housekeeping = NULL;
    if (stopped == NULL) {
        return;
    }
    pthread_mutex_lock(&stopped->lock);
    stopped->stopping = true;
    pthread_cond_signal(&stopped->stop);
    pthread_mutex_unlock(&stopped->lock);
    pthread_join(stopped->thread, NULL);
    pthread_cond_destroy(&stopped->stop);
    pthread_mutex_destroy(&stopped->lock);
    free(stopped);
}
