/*
 * Finish: makes the runs of the bulk lane durable, beside the lane, which fills the next run meanwhile: a run's
 * files are synced and taken in while the cores go on checking and deciding. One thread, one run at a time, in the
 * order in which they are given.
 *
 * The difficulty is what follows a run that fails: nothing behind it may be kept, else the import has a hole. So
 * whether the import goes on is asked here, in order, before each of its runs.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/thread.h"
#include "intake/intake_priv.h"

struct finisher {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct finish_job job; /* its import NULL: idle */
    bool closed;
};

static void finish_run(struct finish_job *job)
{
    struct intake_import *import = job->import;
    if (keep_is_over(import)) {
        store_run_cancel(&job->run);
        return;
    }
    int err = store_run_finish(&job->run);
    if (err != 0) {
        log_error(NULL, "run failed", "\"code\":\"%s\"", err_code(err));
        keep_fail(import, err);
    } else if (job->pending) {
        hash_lane_wake(import->intake->hash_lane, &import->row.tenant);
    }
}

static void work(struct finish_job *job)
{
    struct intake_import *import = job->import;
    if (job->run != NULL) {
        finish_run(job);
    }
    if (job->behind != NULL) {
        chunk_push(import->track->keep, job->behind);
    }
    import_unref(import);
}

/* Waits until it is idle. The lock is held. */
static void wait_idle(struct finisher *finisher)
{
    while (finisher->job.import != NULL) {
        pthread_cond_wait(&finisher->changed, &finisher->lock);
    }
}

static void *run(void *context)
{
    struct finisher *finisher = context;
    pthread_mutex_lock(&finisher->lock);
    for (;;) {
        while (finisher->job.import == NULL && !finisher->closed) {
            pthread_cond_wait(&finisher->changed, &finisher->lock);
        }
        if (finisher->job.import == NULL) {
            break;
        }
        struct finish_job job = finisher->job;
        pthread_mutex_unlock(&finisher->lock);
        work(&job);
        pthread_mutex_lock(&finisher->lock);
        finisher->job = (struct finish_job){0};
        pthread_cond_broadcast(&finisher->changed);
    }
    pthread_mutex_unlock(&finisher->lock);
    return NULL;
}

struct finisher *finisher_new(void)
{
    struct finisher *finisher = calloc(1, sizeof *finisher);
    if (finisher == NULL) {
        return NULL;
    }
    pthread_mutex_init(&finisher->lock, NULL);
    pthread_cond_init(&finisher->changed, NULL);
    if (thread_start(&finisher->thread, "finish", run, finisher) != 0) {
        pthread_cond_destroy(&finisher->changed);
        pthread_mutex_destroy(&finisher->lock);
        free(finisher);
        return NULL;
    }
    return finisher;
}

void finisher_free(struct finisher **finisher)
{
    struct finisher *freed = *finisher;
    *finisher = NULL;
    if (freed == NULL) {
        return;
    }
    pthread_mutex_lock(&freed->lock);
    freed->closed = true;
    pthread_cond_broadcast(&freed->changed);
    pthread_mutex_unlock(&freed->lock);
    pthread_join(freed->thread, NULL);
    pthread_cond_destroy(&freed->changed);
    pthread_mutex_destroy(&freed->lock);
    free(freed);
}

void finisher_give(struct finisher *finisher, const struct finish_job *job)
{
    import_ref(job->import);
    pthread_mutex_lock(&finisher->lock);
    wait_idle(finisher);
    finisher->job = *job;
    pthread_cond_broadcast(&finisher->changed);
    pthread_mutex_unlock(&finisher->lock);
}

void finisher_wait(struct finisher *finisher)
{
    pthread_mutex_lock(&finisher->lock);
    wait_idle(finisher);
    pthread_mutex_unlock(&finisher->lock);
}
