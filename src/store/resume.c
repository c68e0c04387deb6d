/*
 * Taking commits again after a full disk (S7). The rows are then as the disk has them, and what is known in
 * memory has to follow them: of the write that failed nobody knew whether it happened. What was stopped for any
 * other reason stays stopped.
 *
 * The locks that are held here keep everybody out who decides, sweeps or finishes a run; who only puts a
 * small row waits in the key-value store.
 */
#include "base/clock.h"
#include "base/log.h"
#include "store/run_priv.h"

static int reload_one(struct store_local *local, struct store_kv_view *rows, struct slice key, struct slice mark,
                      struct store_unfinished *entry)
{
    int err = store_rows_mark_read(key, mark, entry);
    if (err != 0) {
        return err;
    }
    const struct store_unfinished *was = store_unfinished_find(local->unfinished, &entry->tenant, &entry->import);
    entry->refused = was != NULL && was->refused;
    entry->touched_ms = clock_real_ms();
    return store_local_has_outcomes(local, rows, &entry->tenant, &entry->import, &entry->wrote);
}

/* The set of unfinished imports as the rows have it. Open ones stay open: they are under way. */
static int reload(struct store_local *local, struct store_kv_view *rows, struct store_unfinished_set **set)
{
    struct store_kv_walk *walk = store_kv_walk_open(local->kv, rows, STORE_FAMILY_UNFINISHED, SLICE_NONE);
    struct slice key;
    struct slice mark;
    int err = 0;
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(local->kv, walk, SLICE(""), false);
    while (err == 0 && store_kv_walk_at(local->kv, walk, &key, &mark)) {
        struct store_unfinished entry;
        err = reload_one(local, rows, key, mark, &entry);
        struct store_unfinished_set *next = err == 0 ? store_unfinished_change(*set, &entry, 1) : NULL;
        if (next == NULL) {
            err = err == 0 ? ERR_NO_MEMORY : err;
            break;
        }
        store_unfinished_release(set);
        *set = next;
        store_kv_walk_step(local->kv, walk);
    }
    int broken = store_kv_walk_close(local->kv, &walk);
    return err == 0 ? broken : err;
}

static int follow_rows(struct store_local *local)
{
    struct store_unfinished_set *set = store_unfinished_new();
    struct store_kv_view *rows = store_kv_view_open(local->kv);
    int err = set != NULL && rows != NULL ? reload(local, rows, &set) : ERR_NO_MEMORY;
    store_kv_view_close(local->kv, &rows);
    if (err == 0) {
        store_local_publish(local, set);
        set = NULL;
    }
    store_unfinished_release(&set);
    return err;
}

/* The locks are held. */
static int resume(struct store_local *local)
{
    int err = store_local_health(local);
    if (err != ERR_STORAGE_FULL) {
        return err;
    }
    store_local_touch_all(local); /* what was looked up before may miss rows of a write that failed, and happened */
    err = store_kv_resume(local->kv);
    err = err == 0 ? follow_rows(local) : err;
    if (err != 0) {
        return ERR_STORAGE_FULL;
    }
    atomic_store(&local->stopped, 0);
    err = store_runs_recover(local);
    if (err == 0) {
        log_info(NULL, "storage resumed", NULL);
        return 0;
    }
    int none = 0;
    (void)atomic_compare_exchange_strong(&local->stopped, &none, ERR_STORAGE_FULL);
    return store_local_health(local);
}

int store_local_resume(struct store *store)
{
    struct store_local *local = store_local_of(store);
    pthread_rwlock_wrlock(&local->run_lock);
    pthread_mutex_lock(&local->commit_lock);
    pthread_mutex_lock(&local->secret_lock);
    int err = resume(local);
    pthread_mutex_unlock(&local->secret_lock);
    store_local_unlock(local);
    pthread_rwlock_unlock(&local->run_lock);
    return err;
}
