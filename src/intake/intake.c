/*
 * The machinery of the intake: its threads and queues, their start and their end. The queues hold
 * every chunk that may exist at a time, so that pushing never waits; what waits is the connection.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "intake/spool_priv.h"

/* Workers give way to the threads that move bytes and commit: these have little to do for a single request, and it
 * waits for each of them in turn. Not the bulk lane: it holds the store's lock at times. */
#define WORKER_NICENESS 10

static void *worker_run(void *context)
{
    struct intake_worker *worker = context;
    /* On Linux the priority of the calling thread only (setpriority(2), NOTES). */
    setpriority(PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, (id_t)gettid()) + WORKER_NICENESS);
    for (;;) {
        struct intake_chunk *chunk = fair_pop(worker->intake->work);
        if (chunk == NULL) {
            return NULL;
        }
        chunk_check(worker, chunk);
        order_chunk(chunk);
    }
}

static size_t queue_capacity(const struct intake_options *options)
{
    return intake_import_limit(options) * (options->request_chunks + 2);
}

static int worker_add_aside(struct intake_worker *worker)
{
    worker->aside = calloc(1, sizeof *worker->aside);
    if (worker->aside == NULL) {
        return ERR_NO_MEMORY;
    }
    worker->aside->intake = worker->intake;
    return worker_init(worker->aside);
}

static int start_workers(struct intake *intake)
{
    intake->workers = calloc(intake->options.worker_threads, sizeof *intake->workers);
    if (intake->workers == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < intake->options.worker_threads; i++) {
        struct intake_worker *worker = &intake->workers[i];
        worker->intake = intake;
        int err = worker_init(worker);
        err = err == 0 ? worker_add_aside(worker) : err;
        if (err != 0 || thread_start(&worker->thread, "worker", worker_run, worker) != 0) {
            worker_fini(worker);
            return ERR_NO_MEMORY;
        }
        intake->worker_count++;
    }
    return 0;
}

static int start(struct intake *intake)
{
    size_t capacity = queue_capacity(&intake->options);
    intake->work = fair_new(capacity, LIMIT_CHUNK_BYTES);
    intake->running = map_new();
    intake->keys = map_new();
    intake->hash_lane = hash_lane_new(intake);
    intake->quota = quota_new(intake->options.store, intake->options.auth);
    if (intake->work == NULL || intake->running == NULL || intake->keys == NULL || intake->quota == NULL ||
        intake->hash_lane == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = start_workers(intake);
    err = err == 0 ? tracks_start(intake, capacity) : err;
    return err == 0 && intake->options.spool != NULL ? feed_new(intake, &intake->feed) : err;
}

int intake_new(const struct intake_options *options, struct intake **intake)
{
    struct intake *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->options = *options;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->idle, NULL);
    pthread_cond_init(&made->early, NULL);
    list_init(&made->pool);
    list_init(&made->resting);
    int err = start(made);
    *intake = made;
    if (err != 0) {
        intake_free(intake);
    }
    return err;
}

/* Also of a start that broke off: what was not made is not ended. */
static void stop_workers(struct intake *intake)
{
    if (intake->work == NULL) {
        return;
    }
    fair_close(intake->work);
    for (size_t i = 0; i < intake->worker_count; i++) {
        pthread_join(intake->workers[i].thread, NULL);
        worker_fini(&intake->workers[i]);
    }
    free(intake->workers);
}

void intake_free(struct intake **intake)
{
    struct intake *freed = *intake;
    *intake = NULL;
    if (freed == NULL) {
        return;
    }
    pthread_mutex_lock(&freed->lock);
    freed->stopping = true;
    pthread_mutex_unlock(&freed->lock);
    feed_free(&freed->feed);
    pthread_mutex_lock(&freed->lock);
    while (freed->import_count > 0) {
        pthread_cond_wait(&freed->idle, &freed->lock);
    }
    pthread_mutex_unlock(&freed->lock);
    stop_workers(freed);
    tracks_stop(freed);
    hash_lane_free(&freed->hash_lane);
    quota_free(&freed->quota);
    chunk_pool_free(freed);
    fair_free(&freed->work);
    map_free(&freed->running);
    map_free(&freed->keys);
    pthread_cond_destroy(&freed->early);
    pthread_cond_destroy(&freed->idle);
    pthread_mutex_destroy(&freed->lock);
    free(freed);
}
