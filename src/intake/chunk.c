/*
 * Chunks: their pool, and the accounting that bounds what is under way.
 *
 * An import may take a chunk when it has fewer than request_chunks and the bytes under way in all are
 * below memory_bytes; one that has none always may, so that every import moves on. Chunks under way end
 * without anybody's help, so whoever waits for them is woken in the end: no import waits for one
 * that itself waits. Those that are being filled end when their clients like; they are counted apart, and only
 * against new imports (import.c).
 */
#include <assert.h>
#include <stdlib.h>

#include "intake/intake_priv.h"

/* Free chunks keep their memory up to this much in all. */
#define POOL_BYTES        (96u << 20)
#define ARENA_BLOCK_BYTES (16u << 10)
#define ARENA_LIMIT_BYTES (64u << 20)

static struct intake_chunk *chunk_new(void)
{
    struct intake_chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk == NULL) {
        return NULL;
    }
    chunk->arena = arena_new(ARENA_BLOCK_BYTES, ARENA_LIMIT_BYTES);
    if (chunk->arena == NULL) {
        free(chunk);
        return NULL;
    }
    list_init(&chunk->link);
    return chunk;
}

static void chunk_free(struct intake_chunk *chunk)
{
    buf_fini(&chunk->text);
    buf_fini(&chunk->items);
    buf_fini(&chunk->records);
    buf_fini(&chunk->refusals_row);
    buf_fini(&chunk->refusals_before);
    record_refusals_drop(&chunk->refusals);
    arena_free(&chunk->arena);
    free(chunk);
}

static size_t kept_bytes(const struct intake_chunk *chunk)
{
    return chunk->text.capacity + chunk->items.capacity + chunk->records.capacity + arena_held_bytes(chunk->arena);
}

/* Intake lock held. */
static bool may_take(const struct intake_import *import)
{
    const struct intake *intake = import->intake;
    return import->held == 0 ||
           (import->held < intake->options.request_chunks && intake->bytes < intake->options.memory_bytes);
}

/* So that many tiny chunks weigh what they cost: a commit each. */
#define CHUNK_COST_BYTES (4u << 10)

void chunk_push(struct fair *queue, struct intake_chunk *chunk)
{
    enum fair_lane lane = chunk->number == 0 && chunk->last ? FAIR_SMALL : FAIR_LARGE;
    const struct uuid *tenant = &chunk->import->admission.grant.tenant->id;
    bool pushed = fair_try_push(queue, tenant->bytes, lane, CHUNK_COST_BYTES + chunk->text.size, chunk);
    assert(pushed); /* its capacity is that of all imports' chunks together */
    (void)pushed;
}

struct intake_chunk *chunk_take(struct intake_import *import, bool force)
{
    struct intake *intake = import->intake;
    pthread_mutex_lock(&intake->lock);
    if (!force && !may_take(import)) {
        pthread_mutex_unlock(&intake->lock);
        return NULL;
    }
    import->held++;
    import->references++;
    struct list *link = list_take_first(&intake->pool);
    struct intake_chunk *chunk = link == NULL ? NULL : LIST_ENTRY(link, struct intake_chunk, link);
    if (chunk != NULL) {
        intake->pool_bytes -= kept_bytes(chunk);
    }
    pthread_mutex_unlock(&intake->lock);
    if (chunk == NULL) {
        chunk = chunk_new();
    }
    if (chunk == NULL) {
        pthread_mutex_lock(&intake->lock);
        import->held--;
        import->references--;
        pthread_mutex_unlock(&intake->lock);
        return NULL;
    }
    chunk->import = import;
    return chunk;
}

/* Ready for the next import; nothing of a customer stays readable in it. */
static void chunk_reset(struct intake_chunk *chunk)
{
    crypto_wipe(chunk->text.data, chunk->text.size);
    buf_clear(&chunk->text);
    buf_clear(&chunk->items);
    buf_clear(&chunk->records);
    buf_fini(&chunk->refusals_row); /* rare: not worth its memory */
    buf_fini(&chunk->refusals_before);
    record_refusals_drop(&chunk->refusals);
    arena_rewind(chunk->arena);
    struct intake_chunk clean = {
        .text = chunk->text, .items = chunk->items, .records = chunk->records, .arena = chunk->arena};
    *chunk = clean;
    list_init(&chunk->link);
}

/* Takes the resting imports that can go on off the list; they are linked to `awake`. Lock held. */
static void collect_awake(struct intake *intake, struct list *awake)
{
    struct list *link = intake->resting.next;
    while (link != &intake->resting) {
        struct intake_import *import = LIST_ENTRY(link, struct intake_import, waiting);
        link = link->next;
        if (import->done || (!import->ended && may_take(import))) {
            list_remove(&import->waiting);
            list_append(awake, &import->waiting);
            import->resting = false;
            import->references++;
        }
    }
}

static void wake_all(struct list *awake)
{
    for (struct list *link = list_take_first(awake); link != NULL; link = list_take_first(awake)) {
        struct intake_import *import = LIST_ENTRY(link, struct intake_import, waiting);
        import->waker.wake(import->waker.context);
        import_unref(import);
    }
}

void chunk_release(struct intake_chunk *chunk)
{
    struct intake_import *import = chunk->import;
    struct intake *intake = import->intake;
    size_t charged = chunk->charged_bytes;
    size_t filled = chunk->filled_bytes;
    bool early = chunk->shipped && chunk->number < LANE_FROM;
    chunk_reset(chunk);
    struct list awake;
    list_init(&awake);
    pthread_mutex_lock(&intake->lock);
    assert(import->held > 0 && intake->bytes >= charged && intake->filled >= filled);
    import->held--;
    intake->bytes -= charged;
    intake->filled -= filled;
    import->early += early;
    if (import->early == LANE_FROM && early) {
        pthread_cond_broadcast(&intake->early);
    }
    bool pooled = intake->pool_bytes + kept_bytes(chunk) <= POOL_BYTES;
    if (pooled) {
        intake->pool_bytes += kept_bytes(chunk);
        list_append(&intake->pool, &chunk->link);
    }
    collect_awake(intake, &awake);
    pthread_mutex_unlock(&intake->lock);
    if (!pooled) {
        chunk_free(chunk);
    }
    wake_all(&awake);
    import_unref(import);
}

void chunk_wait_early(struct intake_import *import)
{
    struct intake *intake = import->intake;
    pthread_mutex_lock(&intake->lock);
    while (import->early < LANE_FROM) {
        pthread_cond_wait(&intake->early, &intake->lock);
    }
    pthread_mutex_unlock(&intake->lock);
}

void import_done(struct intake_import *import)
{
    struct intake *intake = import->intake;
    quota_end(&import->quota, import->row.state == IMPORT_COMMITTED && import->error == 0);
    if (import->opened && !import->settled && !import->accepted) {
        /* Another server may go on with it; one that waits in this one's spool stays here. */
        store_import_release(intake->options.store, &import->row.tenant, &import->id);
    }
    if (!import->accepted) {
        follow_end(import); /* who has the answer may send the key again at once */
    }
    pthread_mutex_lock(&intake->lock);
    import->done = true;
    bool wake = import->resting;
    if (wake) {
        import->resting = false;
        list_remove(&import->waiting);
        import->references++;
    }
    pthread_mutex_unlock(&intake->lock);
    if (wake) {
        import->waker.wake(import->waker.context);
        import_unref(import);
    }
}

void intake_rest(struct intake_import *import)
{
    struct intake *intake = import->intake;
    pthread_mutex_lock(&intake->lock);
    bool now = import->done || (!import->ended && may_take(import));
    if (!now) {
        import->resting = true;
        list_append(&intake->resting, &import->waiting);
    }
    pthread_mutex_unlock(&intake->lock);
    if (now) {
        import->waker.wake(import->waker.context);
    }
}

bool intake_is_done(struct intake_import *import)
{
    struct intake *intake = import->intake;
    pthread_mutex_lock(&intake->lock);
    bool done = import->done;
    pthread_mutex_unlock(&intake->lock);
    return done;
}

void chunk_pool_free(struct intake *intake)
{
    for (struct list *link = list_take_first(&intake->pool); link != NULL; link = list_take_first(&intake->pool)) {
        chunk_free(LIST_ENTRY(link, struct intake_chunk, link));
    }
}
