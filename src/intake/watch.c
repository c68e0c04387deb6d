/*
 * Watch: imports under way as others see them: how far they are, and ending them by request. An import is found
 * by its tenant and id until its last reference is gone.
 */
#include "base/clock.h"
#include "intake/spool_priv.h"

#define NAME_BYTES (2 * UUID_BYTES)

static struct slice name_of(const struct uuid *tenant, const struct uuid *id, uint8_t bytes[NAME_BYTES])
{
    memcpy(bytes, tenant->bytes, UUID_BYTES);
    memcpy(bytes + UUID_BYTES, id->bytes, UUID_BYTES);
    return slice_make(bytes, NAME_BYTES);
}

int import_show(struct intake_import *import)
{
    struct intake *intake = import->intake;
    uint8_t bytes[NAME_BYTES];
    if (import->follow == FOLLOW_ALL) {
        return 0; /* what it follows has ended */
    }
    pthread_mutex_lock(&intake->lock);
    int err = map_put(intake->running, name_of(&import->row.tenant, &import->id, bytes), (uint64_t)(uintptr_t)import);
    import->watched = err == 0;
    pthread_mutex_unlock(&intake->lock);
    return err;
}

void import_hide(struct intake_import *import)
{
    struct map *running = import->intake->running;
    uint8_t bytes[NAME_BYTES];
    struct slice name = name_of(&import->row.tenant, &import->id, bytes);
    uint64_t shown = 0;
    if (import->watched && map_get(running, name, &shown) && shown == (uint64_t)(uintptr_t)import) {
        map_delete(running, name); /* else a newer request goes on with the import in its place */
    }
    import->watched = false;
}

/* With a reference more; NULL: none. */
static struct intake_import *find(struct intake *intake, const struct uuid *tenant, const struct uuid *id)
{
    uint8_t bytes[NAME_BYTES];
    uint64_t found = 0;
    struct intake_import *import = NULL;
    pthread_mutex_lock(&intake->lock);
    if (map_get(intake->running, name_of(tenant, id, bytes), &found)) {
        import = (struct intake_import *)(uintptr_t)found;
        import->references++;
    }
    pthread_mutex_unlock(&intake->lock);
    return import;
}

bool intake_progress(struct intake *intake, const struct uuid *tenant, const struct uuid *id,
                     struct intake_progress *progress)
{
    struct intake_import *import = find(intake, tenant, id);
    if (import == NULL) {
        return false;
    }
    pthread_mutex_lock(&import->lock);
    *progress = import->counts.progress;
    pthread_mutex_unlock(&import->lock);
    progress->bytes = atomic_load(&import->bytes);
    progress->started_ms = import->started_ms;
    import_unref(import);
    return true;
}

bool intake_is_under_way(struct intake *intake, const struct uuid *tenant, const struct uuid *id)
{
    struct intake_progress progress;
    return intake_progress(intake, tenant, id, &progress) || (intake->feed != NULL && feed_has(intake->feed, id));
}

/* ---- ending one ---- */

/* Its body is refused from now on. One whose end is on its way to the store has ended. *parted: its request has
 * left it open and does no more about it. */
static int abort_running(struct intake_import *import, bool *parted)
{
    pthread_mutex_lock(&import->lock);
    bool closed = import->closed;
    *parted = import->parted;
    if (!closed && !*parted) {
        import->failed = true;
        import->left = false; /* its last chunk must end it */
        import->error = import->error == 0 ? ERR_ABORTED : import->error;
        atomic_store(&import->aborting, true);
    }
    pthread_mutex_unlock(&import->lock);
    return closed ? ERR_IMPORT_ENDED : 0;
}

/* Nobody here has it: its row says how it ends. Another server that goes on with it hears so from the store. */
static int abort_left(struct intake *intake, struct store_import *row)
{
    struct store_chunk chunk = {
        .tenant = row->tenant, .import = row->id, .number = row->chunks, .row = row, .by_request = true};
    struct store_chunk *chunks = &chunk;
    row->state = IMPORT_ABORTED;
    row->error = ERR_ABORTED;
    row->ended_ms = clock_real_ms();
    int err = store_commit(intake->options.store, &chunks, 1);
    return err != 0 ? err : chunk.error;
}

int intake_abort(struct intake *intake, const struct uuid *tenant, const struct uuid *id)
{
    struct intake_import *import = find(intake, tenant, id);
    if (import != NULL) {
        bool parted = false;
        int ended = abort_running(import, &parted);
        import_unref(import);
        if (!parted) {
            return ended;
        }
    }
    struct store_import row;
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_import_get(intake->options.store, tenant, id, &row, &envelope);
    if (err == 0) {
        err = row.state == IMPORT_OPEN ? abort_left(intake, &row) : ERR_IMPORT_ENDED;
    }
    buf_fini(&envelope);
    return err;
}
