/*
 * The small rows of the house. Each write is a batch of its own, synced.
 *
 * The stamp is a row of its own, a random number that each replacing writes anew where several servers share the
 * store. Random, not counted: it is only ever compared with itself, and a store that was put back from a copy must not
 * come upon a number that a server has seen.
 */
#include "crypto/crypto.h"
#include "store/local_priv.h"

const struct slice store_stamp_key = {"stamp", 5};

int store_local_meta_get(struct store *store, struct slice key, struct buf *value)
{
    return store_kv_get(store_local_of(store)->kv, NULL, STORE_FAMILY_META, key, value);
}

static void put_stamp(struct store_local *local, struct store_kv_batch *batch)
{
    uint64_t stamp = 0;
    while (stamp == 0) {
        crypto_random(&stamp, sizeof stamp);
    }
    store_kv_put(local->kv, batch, STORE_FAMILY_META, store_stamp_key, slice_make(&stamp, sizeof stamp));
}

static int change(struct store_local *local, struct slice key, const struct slice *value, bool stamped)
{
    struct store_kv_batch *batch = store_kv_batch_new(local->kv);
    if (batch == NULL) {
        return ERR_NO_MEMORY;
    }
    if (value != NULL) {
        store_kv_put(local->kv, batch, STORE_FAMILY_META, key, *value);
    } else {
        store_kv_erase(local->kv, batch, STORE_FAMILY_META, key);
    }
    if (stamped && local->shared) {
        put_stamp(local, batch);
    }
    int err = store_local_write(local, batch, true);
    store_kv_batch_free(local->kv, &batch);
    return err;
}

int store_local_meta_put(struct store *store, struct slice key, struct slice value)
{
    return change(store_local_of(store), key, &value, false);
}

/* Over rows that others share, a row that came meanwhile fails the write, and all of this is done again. */
int store_local_meta_add(struct store *store, struct slice key, struct slice value)
{
    struct store_local *local = store_local_of(store);
    struct buf found;
    buf_init(&found, 0);
    pthread_mutex_lock(&local->commit_lock);
    int err = store_kv_get(local->kv, NULL, STORE_FAMILY_META, key, &found);
    err = err == 0 ? ERR_EXISTS : err == ERR_NOT_FOUND ? change(local, key, &value, false) : err;
    pthread_mutex_unlock(&local->commit_lock);
    buf_fini(&found);
    return err;
}

/* The same for a row that was changed meanwhile. */
int store_local_meta_replace(struct store *store, struct slice key, struct slice old, struct slice value)
{
    struct store_local *local = store_local_of(store);
    struct buf found;
    buf_init(&found, 0);
    pthread_mutex_lock(&local->commit_lock);
    int err = store_kv_get(local->kv, NULL, STORE_FAMILY_META, key, &found);
    if (err == 0) {
        err = slice_equal(buf_view(&found), old) ? change(local, key, &value, true) : ERR_BUSY;
    }
    pthread_mutex_unlock(&local->commit_lock);
    buf_fini(&found);
    return err;
}

int store_local_meta_stamp(struct store_local *local, uint64_t *stamp)
{
    struct buf found;
    buf_init(&found, 0);
    int err = store_kv_get(local->kv, NULL, STORE_FAMILY_META, store_stamp_key, &found);
    *stamp = 0;
    if (err == 0) {
        err = found.size == sizeof *stamp ? 0 : ERR_CORRUPT;
    }
    if (err == 0) {
        memcpy(stamp, found.data, sizeof *stamp);
    }
    buf_fini(&found);
    return err == ERR_NOT_FOUND ? 0 : err;
}

int store_local_meta_delete(struct store *store, struct slice key)
{
    return change(store_local_of(store), key, NULL, false);
}

static int list_rows(struct store_local *local, struct store_kv_walk *walk, store_meta_fn *each, void *context)
{
    struct slice key;
    struct slice value;
    int err = 0;
    while (err == 0 && store_kv_walk_at(local->kv, walk, &key, &value)) {
        err = each(context, key, value);
        store_kv_walk_step(local->kv, walk);
    }
    return err;
}

int store_local_meta_list(struct store *store, struct slice prefix, store_meta_fn *each, void *context)
{
    struct store_local *local = store_local_of(store);
    struct store_view view;
    int err = store_view_open(local, &view);
    if (err != 0) {
        return err;
    }
    struct store_kv_walk *walk = store_kv_walk_open(local->kv, view.rows, STORE_FAMILY_META, prefix);
    err = ERR_NO_MEMORY;
    if (walk != NULL) {
        store_kv_walk_seek(local->kv, walk, prefix, false);
        err = list_rows(local, walk, each, context);
        int broken = store_kv_walk_close(local->kv, &walk);
        err = err == 0 ? broken : err;
    }
    store_view_close(local, &view);
    return err;
}
