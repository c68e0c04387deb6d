/*
 * Upkeep behind the requests' backs, in small steps with rests between them: the rows of aborted imports are
 * swept, what is too old is removed, and imports that were left open by mischance are ended. And the store's health: a
 * full disk is tried again each second, a database that is away comes back by itself; storage that failed can't be
 * trusted by this process any more, so after a time in which reads go on it is asked to end.
 *
 * The difficulty is the pace. A step is short and a rest follows it, whatever is left to do, so that
 * upkeep never has more than a share of the store.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "daemon/daemon_priv.h"
#include "store/store.h"

#define STEP_ROWS        1000u
#define PAUSE_IDLE_MS    1000
#define PAUSE_STEP_MS    10 /* bounds the rate: at most 100,000 rows a second */
#define EXPIRE_EVERY_MS  3600000
#define LOST_EVERY_MS    60000
#define LOST_AFTER_MS    120000
#define SECOND_MS        1000
#define HOUR_MS          3600000
#define DAY_MS           (24 * HOUR_MS)
#define NANOSECONDS_A_MS 1000000

struct housekeeping {
    struct housekeeping_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool stopping;
    int said;               /* health that the log has been told of */
    int64_t failed_at_ms;   /* when storage was first seen to have failed; monotonic */
    bool gave_up;           /* the process has been asked to end */
    int64_t next_expire_ms; /* monotonic */
    int64_t next_lost_ms;   /* monotonic */
    bool resumed;           /* a full disk has room again, and imports that it left open are not yet ended */
};

static int64_t now_ms(void)
{
    return clock_monotonic_ns() / NANOSECONDS_A_MS;
}

/* ---- health ---- */

static void say_health(struct housekeeping *housekeeping, int health)
{
    if (health == housekeeping->said) {
        return;
    }
    housekeeping->said = health;
    if (health == 0) {
        log_info(NULL, "storage writable", NULL);
    } else if (health == ERR_STORAGE_FULL || health == ERR_STORAGE_AWAY) {
        log_error(NULL, health == ERR_STORAGE_FULL ? "storage full" : "storage away", "\"code\":\"%s\"",
                  err_code(health));
    } else {
        housekeeping->failed_at_ms = now_ms();
        log_error(NULL, "storage failed, the server is about to end", "\"code\":\"%s\",\"in_s\":%u", err_code(health),
                  housekeeping->options.failed_linger_s);
    }
}

/* Once, when reads have gone on for long enough. */
static void give_up_in_time(struct housekeeping *housekeeping)
{
    int64_t until = housekeeping->failed_at_ms + (int64_t)housekeeping->options.failed_linger_s * SECOND_MS;
    if (!housekeeping->gave_up && now_ms() >= until) {
        housekeeping->gave_up = true;
        housekeeping->options.give_up(housekeeping->options.context);
    }
}

/* True when the store takes writes. */
static bool watch_health(struct housekeeping *housekeeping)
{
    int health = store_health(housekeeping->options.store);
    if (health == ERR_STORAGE_FULL) {
        say_health(housekeeping, health);
        health = store_resume(housekeeping->options.store);
        housekeeping->resumed = housekeeping->resumed || health == 0;
    }
    say_health(housekeeping, health);
    if (health != 0 && health != ERR_STORAGE_FULL && health != ERR_STORAGE_AWAY) {
        give_up_in_time(housekeeping);
    }
    return health == 0;
}

/* ---- steps ---- */

/* Both answer whether more is left. A store that fails says so itself, and is asked again after a rest. */
static bool sweep(struct housekeeping *housekeeping)
{
    bool left = false;
    return store_sweep(housekeeping->options.store, STEP_ROWS, &left) == 0 && left;
}

static bool expire(struct housekeeping *housekeeping)
{
    const struct housekeeping_options *options = &housekeeping->options;
    int64_t now = clock_real_ms();
    struct store_expiry expiry = {.request_before_ms = now - (int64_t)options->idempotency_window_h * HOUR_MS,
                                  .resume_before_ms = now - (int64_t)options->resume_window_h * HOUR_MS,
                                  .report_before_ms = now - (int64_t)options->report_days * DAY_MS,
                                  .under_way = options->under_way,
                                  .context = options->context,
                                  .limit = STEP_ROWS};
    bool left = false;
    if (now_ms() < housekeeping->next_expire_ms) {
        return false;
    }
    left = store_expire(options->store, &expiry, &left) == 0 && left;
    if (!left) {
        housekeeping->next_expire_ms = now_ms() + EXPIRE_EVERY_MS;
    }
    return left;
}

/* Open imports that can't be resumed and that no request has hold their keys for nothing. Behind a full disk there are
 * such, and since it is known who is under way they need not wait; else a while lies between, for a database may be
 * slow to do what it was told. */
static void end_lost(struct housekeeping *housekeeping)
{
    const struct housekeeping_options *options = &housekeeping->options;
    struct store_expiry expiry = {.lost_before_ms = housekeeping->resumed ? INT64_MAX : clock_real_ms() - LOST_AFTER_MS,
                                  .under_way = options->under_way,
                                  .context = options->context};
    bool left = false;
    if (!housekeeping->resumed && now_ms() < housekeeping->next_lost_ms) {
        return;
    }
    if (store_expire(options->store, &expiry, &left) == 0) {
        housekeeping->resumed = false;
    }
    housekeeping->next_lost_ms = now_ms() + LOST_EVERY_MS;
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
    while (pause_ms(housekeeping, left ? PAUSE_STEP_MS : PAUSE_IDLE_MS)) {
        left = false;
        if (watch_health(housekeeping)) {
            end_lost(housekeeping);
            bool swept_all = !sweep(housekeeping);
            left = expire(housekeeping) || !swept_all;
        }
    }
    return NULL;
}

/* ---- start and stop ---- */

int housekeeping_start(const struct housekeeping_options *options, struct housekeeping **housekeeping)
{
    struct housekeeping *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->options = *options;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->stop, NULL);
    if (thread_start(&made->thread, "housekeeping", housekeeping_run, made) != 0) {
        pthread_cond_destroy(&made->stop);
        pthread_mutex_destroy(&made->lock);
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
