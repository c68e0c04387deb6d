/*
 * The local store: opening (S6), the instant that readers see (S3), writing (S7).
 *
 * The difficulty is S3 for an import of many chunks, whose rows come one commit after the other
 * while readers walk. The rule has two halves:
 *
 *   U1  An import is put into the set of unfinished imports before its first row is written, and
 *       taken out of it after the row that commits it, its last, is on stable storage.
 *   U2  A view is a snapshot of the rows and the set, taken together under view_lock; every change
 *       of the current set is made under view_lock. The lock is not held while anything is written.
 *
 * So for an import I and a view V = (rows, set), one of these holds:
 *   - I is in the set: V hides all of I.
 *   - I is not yet in the set when V is taken: by U1 none of I's rows is written yet: V has none.
 *   - I is no longer in the set when V is taken: by U1 all of I's rows are written: V has all.
 * There is no fourth case, since set and rows are of one instant (U2). An import whose chunk and
 * committing row are one batch never enters the set: RocksDB shows a batch whole or not at all, and
 * only after its log is synced. An import that is undone after it was committed enters the set when
 * its row is written: before that V shows all of it, since sweeping starts behind it. A swept
 * import leaves the set after its last row is gone, so a view without it in the set has no row of it.
 *
 * An import that updates older customers stays in the set when it is committed, as committed, which
 * hides nothing; the change of its state stands for the leaving above. It leaves when its last
 * revision is folded, so a view without it in the set has no revision of it.
 */
#include "store/format_priv.h"
#include "store/run_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

#define ARENA_BLOCK_BYTES (1u << 20)
#define ARENA_LIMIT_BYTES (512u << 20)

/* ---- views ---- */

int store_view_open(struct store_local *local, struct store_view *view)
{
    pthread_mutex_lock(&local->view_lock);
    view->rows = store_kv_view_open(local->kv);
    view->unfinished = store_unfinished_hold(local->unfinished);
    pthread_mutex_unlock(&local->view_lock);
    if (view->rows == NULL) {
        store_unfinished_release(&view->unfinished);
        return ERR_NO_MEMORY;
    }
    return 0;
}

void store_view_close(struct store_local *local, struct store_view *view)
{
    store_kv_view_close(local->kv, &view->rows);
    store_unfinished_release(&view->unfinished);
}

void store_local_publish(struct store_local *local, struct store_unfinished_set *next)
{
    pthread_mutex_lock(&local->view_lock);
    struct store_unfinished_set *old = local->unfinished;
    local->unfinished = next;
    pthread_mutex_unlock(&local->view_lock);
    store_unfinished_release(&old);
}

/* ---- writing ---- */

int store_local_health(struct store_local *local)
{
    return atomic_load(&local->stopped);
}

/* After a failed write or sync nobody knows what is on the disk, and a later sync that succeeds
 * proves nothing about the earlier one. So the first failure is the last write. */
int store_local_write(struct store_local *local, struct store_kv_batch *batch, bool sync)
{
    int err = store_local_health(local);
    if (err != 0) {
        return err;
    }
#ifdef MUSTER_PLANT_NO_SYNC
    sync = false; /* a planted defect, for the crash tests to find: answers before the sync */
#endif
    return store_local_failed(local, store_kv_write(local->kv, batch, sync && local->sync));
}

int store_local_failed(struct store_local *local, int err)
{
    int none = 0;
    if (err == 0 || err == ERR_NO_MEMORY || local->shared) {
        return err;
    }
    err = err == ERR_STORAGE_FULL ? ERR_STORAGE_FULL : ERR_STORAGE_IO;
    int state = err == ERR_STORAGE_FULL ? ERR_STORAGE_FULL : ERR_STORAGE_STOPPED;
    if (!atomic_compare_exchange_strong(&local->stopped, &none, state) && state == ERR_STORAGE_STOPPED) {
        atomic_store(&local->stopped, state); /* the worse of two */
    }
    log_error(NULL, "storage stopped", "\"code\":\"%s\"", err_code(err));
    return err;
}

/* ---- unique keys that were written ---- */

/* The bytes behind tenant and kind are a keyed hash already. */
static size_t touched_place(const uint8_t key[STORE_UNIQUE_BYTES])
{
    uint32_t bits;
    memcpy(&bits, key + UUID_BYTES + 1, sizeof bits);
    return bits % STORE_TOUCHED;
}

void store_local_touch(struct store_local *local, const uint8_t key[STORE_UNIQUE_BYTES])
{
    if (local->touched != NULL) {
        local->touched[touched_place(key)] = ++local->touches;
    }
}

void store_local_touch_all(struct store_local *local)
{
    local->all_touched = ++local->touches;
}

bool store_local_touched(const struct store_local *local, const uint8_t key[STORE_UNIQUE_BYTES], uint64_t since)
{
    return local->touched != NULL && (local->touched[touched_place(key)] > since || local->all_touched > since);
}

void store_local_unlock(struct store_local *local)
{
    atomic_store(&local->seen, local->touches);
    pthread_mutex_unlock(&local->commit_lock);
}

/* Older than it could be when whoever has the lock has touched nothing yet: then more is looked up again. */
uint64_t store_local_seen(const struct store_local *local)
{
    return atomic_load(&local->seen);
}

/* ---- opening ---- */

int store_local_check_format(struct store_local *local, struct buf *why)
{
    int err = store_format_check(local->kv, why);
    if (err != ERR_NOT_FOUND) {
        return err != 0 ? err : store_format_refuse_copy(local->kv, why);
    }
    store_format_put(local->kv, local->batch);
    err = store_local_write(local, local->batch, true);
    store_kv_batch_clear(local->kv, local->batch);
    return err;
}

static int start(struct store_local *local, struct buf *why)
{
    int err = store_local_check_format(local, why);
    if (err != 0) {
        return err;
    }
    struct store_kv_view *rows = store_kv_view_open(local->kv);
    if (rows == NULL) {
        return ERR_NO_MEMORY;
    }
    err = store_runs_recover(local);
    err = err == 0 ? store_local_recover(local, rows) : err;
    store_kv_view_close(local->kv, &rows);
    store_kv_batch_clear(local->kv, local->batch);
    return err;
}

/* ---- the kind ---- */

void store_local_free(struct store_local **of)
{
    struct store_local *local = *of;
    *of = NULL;
    store_kv_batch_free(local->kv, &local->batch);
    store_kv_close(&local->kv);
    buf_fini(&local->expired_to);
    buf_fini(&local->folded_to);
    arena_free(&local->arena);
    map_free(&local->members);
    free(local->touched);
    store_unfinished_release(&local->unfinished);
    pthread_mutex_destroy(&local->commit_lock);
    pthread_mutex_destroy(&local->secret_lock);
    pthread_mutex_destroy(&local->view_lock);
    pthread_rwlock_destroy(&local->run_lock);
    free(local);
}

static void local_close(struct store *store)
{
    struct store_local *local = store_local_of(store);
    store_local_free(&local);
}

static int local_health(struct store *store)
{
    return store_local_health(store_local_of(store));
}

static void local_facts(struct store *store, struct store_facts *facts)
{
    const struct store_local *local = store_local_of(store);
    store_kv_describe(local->kv, facts);
    facts->schema = STORE_FORMAT_VERSION;
    if (!local->sync) {
        (void)snprintf(facts->durability, sizeof facts->durability, "none: answers come before the sync");
    }
}

static const struct store_ops local_ops = {
    .close = local_close,
    .commit = store_local_commit,
    .customer_get = store_local_customer_get,
    .customer_list = store_local_customer_list,
    .customer_find = store_local_customer_find,
    .import_get = store_local_import_get,
    .import_list = store_local_import_list,
    .import_outcomes = store_local_import_outcomes,
    .import_faults = store_local_import_faults,
    .import_undo = store_local_import_undo,
    .request_get = store_local_request_get,
    .secrets_get = store_local_secrets_get,
    .secrets_replace = store_local_secrets_replace,
    .secrets_next_pending = store_local_secrets_next_pending,
    .meta_get = store_local_meta_get,
    .meta_put = store_local_meta_put,
    .meta_add = store_local_meta_add,
    .meta_replace = store_local_meta_replace,
    .meta_delete = store_local_meta_delete,
    .meta_list = store_local_meta_list,
    .sweep = store_local_sweep,
    .expire = store_local_expire,
    .facts = local_facts,
    .health = local_health,
    .resume = store_local_resume,
    .run_open = store_local_run_open,
    .run_add = store_local_run_add,
    .look_ahead = store_local_look_ahead,
    .run_bytes = store_local_run_bytes,
    .run_count = store_local_run_count,
    .run_finish = store_local_run_finish,
    .run_cancel = store_local_run_cancel,
    .verify = store_local_verify,
};

static struct store_local *make(void)
{
    struct store_local *local = calloc(1, sizeof *local);
    if (local == NULL) {
        return NULL;
    }
    local->store.ops = &local_ops;
    pthread_mutex_init(&local->commit_lock, NULL);
    pthread_mutex_init(&local->secret_lock, NULL);
    pthread_mutex_init(&local->view_lock, NULL);
    pthread_rwlock_init(&local->run_lock, NULL);
    buf_init(&local->expired_to, 0);
    buf_init(&local->folded_to, 0);
    local->arena = arena_new(ARENA_BLOCK_BYTES, ARENA_LIMIT_BYTES);
    local->members = map_new();
    local->unfinished = store_unfinished_new();
    return local;
}

int store_local_new(struct store_kv **kv, bool sync, struct store_local **out)
{
    struct store_local *local = make();
    *out = NULL;
    if (local == NULL) {
        store_kv_close(kv);
        return ERR_NO_MEMORY;
    }
    local->kv = *kv;
    *kv = NULL;
    local->sync = sync;
    local->batch = store_kv_batch_new(local->kv);
    if (local->arena == NULL || local->members == NULL || local->unfinished == NULL || local->batch == NULL) {
        store_local_free(&local);
        return ERR_NO_MEMORY;
    }
    *out = local;
    return 0;
}

/* Takes the key-value store. */
static int open_over(struct store_kv **kv, bool sync, struct store **store, struct buf *why)
{
    struct store_local *local = NULL;
    int err = store_local_new(kv, sync, &local);
    if (err == 0) {
        local->touched = calloc(STORE_TOUCHED, sizeof *local->touched);
        err = local->touched == NULL ? ERR_NO_MEMORY : start(local, why);
    }
    if (err != 0) {
        if (local != NULL) {
            store_local_free(&local);
        }
        return err;
    }
    *store = &local->store;
    return 0;
}

int store_open_rocks(const char *path, const struct store_options *options, struct store **store, struct buf *why)
{
    struct store_kv *kv = NULL;
    *store = NULL;
    int err = store_kv_rocks_open(path, options, &kv, why);
    if (err != 0) {
        return err;
    }
    err = open_over(&kv, options == NULL || !options->unsafe_no_sync, store, why);
    if (err != 0 && why->size == 0) {
        buf_append_text(why, err_text(err));
    }
    return err;
}

int store_open_memory(struct store **store)
{
    struct store_kv *kv = NULL;
    struct buf why;
    *store = NULL;
    int err = store_kv_memory_open(&kv);
    if (err != 0) {
        return err;
    }
    buf_init(&why, 0);
    err = open_over(&kv, true, store, &why);
    buf_fini(&why);
    return err;
}
