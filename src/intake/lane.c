/*
 * The bulk lane: chunks of large imports gather in runs (store.h), which cost the store a fraction of commits, and
 * never stand in the way of small requests, which the keeper commits meanwhile. One thread; an import's chunks
 * come here in order, behind those that the keeper had.
 *
 * Nothing of a run is durable before it is finished (finish.c), while the next one is filled. A run ends when it is
 * large, when it has been idle for a while (its client is slow), when all runs together hold too much, and before its
 * import's last chunk goes to the keeper, which writes the import's end.
 */
#include "base/clock.h"
#include "base/log.h"
#include "intake/intake_priv.h"

#define RUN_CUSTOMERS 100000u
#define RUN_BYTES     (40u << 20)
#define ALL_BYTES     (48u << 20)
#define IDLE_NS       2000000000
#define LOOK_MS       500

static void forward(struct intake_chunk *chunk)
{
    chunk_push(chunk->import->track->keep, chunk);
}

static bool is_stuck(struct intake_import *import)
{
    pthread_mutex_lock(&import->lock);
    bool stuck = import->stuck;
    pthread_mutex_unlock(&import->lock);
    return stuck;
}

/* ---- runs ---- */

/* The import has no run any more; whoever calls this goes on with the run. */
static void let_go(struct intake_import *import)
{
    list_remove(&import->running_lane);
    import->run = NULL;
    import->run_pending = false;
    import_unref(import);
}

/* Nothing of the import is on its way to the store when this returns. */
static void cancel_run(struct intake_import *import)
{
    finisher_wait(import->track->finisher);
    if (import->run != NULL) {
        store_run_cancel(&import->run);
        let_go(import);
    }
}

/* The run is made durable, then `behind` goes to the keeper. */
static void finish_run(struct intake_import *import, struct intake_chunk *behind)
{
    bool empty = import->run != NULL && store_run_count(import->run) == 0;
    if (empty) {
        store_run_cancel(&import->run);
    }
    struct finish_job job = {.import = import, .run = import->run, .pending = import->run_pending, .behind = behind};
    if (job.run != NULL || behind != NULL) {
        finisher_give(import->track->finisher, &job);
    }
    if (job.run != NULL || empty) {
        let_go(import);
    }
}

static int open_run(struct intake_import *import, struct list *runs)
{
    if (import->run != NULL) {
        return 0;
    }
    int err = store_run_open(import->intake->options.store, &import->row.tenant, &import->id, &import->run);
    if (err == 0) {
        list_append(runs, &import->running_lane);
        import_ref(import);
    }
    return err;
}

/* The runs together stay within their memory: the largest is finished. */
static void bound_runs(struct list *runs)
{
    size_t bytes = 0;
    struct intake_import *largest = NULL;
    for (struct list *link = runs->next; link != runs; link = link->next) {
        struct intake_import *import = LIST_ENTRY(link, struct intake_import, running_lane);
        bytes += store_run_bytes(import->run);
        if (largest == NULL || store_run_bytes(import->run) > store_run_bytes(largest->run)) {
            largest = import;
        }
    }
    if (bytes > ALL_BYTES) {
        finish_run(largest, NULL);
    }
}

static void finish_idle(struct list *runs)
{
    int64_t now = clock_monotonic_ns();
    for (struct list *link = runs->next; link != runs;) {
        struct intake_import *import = LIST_ENTRY(link, struct intake_import, running_lane);
        link = link->next;
        if (now - import->run_ns > IDLE_NS) {
            finish_run(import, NULL);
        }
    }
}

/* ---- a chunk ---- */

static void add(struct intake_chunk *chunk, struct list *runs)
{
    struct intake_import *import = chunk->import;
    struct intake_worker *tools = &import->track->laner_tools;
    int err = open_run(import, runs);
    keep_prepare(chunk, tools);
    chunk->commit.ahead = chunk->commit.count > 0 ? chunk->ahead : NULL;
    err = err == 0 ? store_run_add(import->run, &chunk->commit) : err;
    if (err != 0 || chunk->commit.error != 0) {
        keep_fail(import, err != 0 ? err : chunk->commit.error);
        cancel_run(import);
        chunk_release(chunk);
        return;
    }
    if (!chunk->commit.kept) {
        keep_note_conflicts(chunk, tools);
        cancel_run(import);
        forward(chunk); /* its refusals are told */
        return;
    }
    keep_note(chunk);
    import->run_pending = import->run_pending || keep_has_pending(chunk);
    import->run_ns = clock_monotonic_ns();
    chunk_release(chunk);
    if (store_run_count(import->run) >= RUN_CUSTOMERS || store_run_bytes(import->run) >= RUN_BYTES) {
        finish_run(import, NULL);
    }
    bound_runs(runs);
}

static void take(struct intake_chunk *chunk, struct list *runs)
{
    struct intake_import *import = chunk->import;
    chunk_wait_early(import);
    if (keep_has_failed(import)) {
        cancel_run(import);
        forward(chunk);
    } else if (chunk->last) {
        finish_run(import, chunk);
    } else if (is_stuck(import)) {
        cancel_run(import);
        chunk_release(chunk);
    } else {
        add(chunk, runs);
    }
}

void *bulk_run(void *context)
{
    struct intake_track *track = context;
    struct list runs;
    list_init(&runs);
    for (;;) {
        bool idle = list_empty(&runs);
        struct intake_chunk *chunk = idle ? fair_pop(track->lane) : fair_pop_timed(track->lane, LOOK_MS);
        if (chunk == NULL && idle) {
            return NULL; /* closed; imports with runs have ended before that */
        }
        if (chunk != NULL) {
            take(chunk, &runs);
        }
        finish_idle(&runs);
    }
}
