/*
 * An import's life: begun by its HTTP thread, referenced by that thread and by each chunk it has,
 * freed when the last of them is gone.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "intake/spool_priv.h"

#define FAULT_BLOCK_BYTES (16u << 10)
#define FAULT_LIMIT_BYTES (32u << 20)

static void import_free(struct intake_import *import)
{
    frame_fini(import);
    spool_drop(&import->spool);
    arena_free(&import->fault_arena);
    buf_fini(&import->envelope);
    buf_fini(&import->outcomes);
    buf_fini(&import->met);
    reply_fini(&import->reply);
    map_free(&import->older);
    intake_admission_fini(&import->admission);
    free(import->ready);
    pthread_mutex_destroy(&import->lock);
    free(import);
}

static bool allocate_parts(struct intake_import *import)
{
    import->fault_arena = arena_new(FAULT_BLOCK_BYTES, FAULT_LIMIT_BYTES);
    import->ready = calloc(import->ready_slots, sizeof(struct intake_chunk *));
    return import->fault_arena != NULL && import->ready != NULL && frame_init(import) == 0;
}

static void begin_row(struct intake_import *import)
{
    const struct intake_admission *admission = &import->admission;
    import->started_ms = clock_real_ms();
    import->row = (struct store_import){.tenant = admission->grant.tenant->id,
                                        .id = import->id,
                                        .state = IMPORT_OPEN,
                                        .contract = contract_info(admission->contract)->number,
                                        .format = admission->format,
                                        .on_existing = admission->on_existing,
                                        .partial = admission->partial,
                                        .strict = admission->strict,
                                        .dry_run = admission->dry_run,
                                        .resumable = admission->keyed || admission->async,
                                        .request = admission->request,
                                        .started_ms = import->started_ms};
    memcpy(import->row.project, admission->grant.project, sizeof import->row.project);
    import->opening = import->row;
}

/* An import may always have one chunk, so many imports may have more than memory_bytes, under way or while they are
 * being filled; beyond this a new one is told to come again. */
#define FULL_BYTES (96u << 20)

static bool is_full(const struct intake *intake)
{
    size_t bytes = intake->bytes + intake->filled;
    return intake->import_count == intake_import_limit(&intake->options) ||
           (bytes >= FULL_BYTES && bytes - FULL_BYTES >= intake->options.memory_bytes);
}

/* Counts it in and gives it its id. More imports than connections are under way when clients leave before
 * their bodies end; they are bounded all the same, because the queues are (intake.c). */
static int enter(struct intake *intake, struct intake_import *import)
{
    uint64_t random;
    crypto_random(&random, sizeof random);
    pthread_mutex_lock(&intake->lock);
    int err = intake->stopping ? ERR_STOPPING : is_full(intake) ? ERR_OVERLOADED : 0;
    if (err == 0) {
        intake->import_count++;
        import->track = tracks_enter(intake);
        import->id = uuid_make(&intake->uuids, (uint64_t)clock_real_ms(), random);
    }
    pthread_mutex_unlock(&intake->lock);
    return err;
}

static void leave(struct intake *intake, struct intake_track *track)
{
    pthread_mutex_lock(&intake->lock);
    tracks_leave(track);
    if (--intake->import_count == 0) {
        pthread_cond_broadcast(&intake->idle);
    }
    pthread_mutex_unlock(&intake->lock);
}

/* What a replay compares has been counted before. */
static int begin_quota(struct intake_import *import)
{
    const struct intake_admission *admission = &import->admission;
    return import->follow == FOLLOW_ALL ? 0
                                        : quota_begin(import->intake->quota, admission->grant.tenant, &import->id,
                                                      admission->body_bytes, clock_real_ms(), &import->quota);
}

/* A retry of a key is compared at once, whatever it prefers. */
static bool is_spooling(const struct intake_import *import)
{
    return import->admission.async && import->intake->feed != NULL && import->follow == FOLLOW_NOTHING;
}

static int start(struct intake *intake, struct intake_import *import)
{
    int err = enter(intake, import);
    if (err != 0) {
        return err;
    }
    begin_row(import);
    err = follow_begin(import);
    err = err == 0 ? begin_quota(import) : err;
    err = err == 0 && is_spooling(import) ? feed_begin(import) : err;
    err = err == 0 ? import_show(import) : err;
    if (err != 0) {
        quota_end(&import->quota, false);
        follow_end(import);
        leave(intake, import->track);
    }
    return err;
}

int intake_begin(struct intake *intake, struct intake_admission *admission, const struct intake_waker *waker,
                 struct intake_import **import)
{
    struct intake_import *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->intake = intake;
    made->admission = *admission;
    made->waker = *waker;
    made->references = 1;
    made->ready_slots = intake->options.request_chunks + 2;
    pthread_mutex_init(&made->lock, NULL);
    list_init(&made->waiting);
    list_init(&made->running_lane);
    int err = allocate_parts(made) ? start(intake, made) : ERR_NO_MEMORY;
    if (err != 0) {
        admission->retry_after_s = made->quota.retry_after_s;
        made->admission = (struct intake_admission){0}; /* still the caller's */
        import_free(made);
        return err;
    }
    buf_init(&admission->envelope, 0);
    buf_init(&admission->map, 0);
    *import = made;
    return 0;
}

void import_ref(struct intake_import *import)
{
    pthread_mutex_lock(&import->intake->lock);
    import->references++;
    pthread_mutex_unlock(&import->intake->lock);
}

void import_unref(struct intake_import *import)
{
    struct intake *intake = import->intake;
    struct intake_track *track = import->track;
    pthread_mutex_lock(&intake->lock);
    bool gone = --import->references == 0;
    if (gone) {
        import_hide(import);
    }
    pthread_mutex_unlock(&intake->lock);
    if (!gone) {
        return;
    }
    follow_end(import);
    import_free(import);
    leave(intake, track);
}

void intake_release(struct intake_import **import)
{
    struct intake_import *released = *import;
    *import = NULL;
    if (released == NULL) {
        return;
    }
    if (!released->ended) {
        split_cut_off(released);
    }
    import_unref(released);
}
