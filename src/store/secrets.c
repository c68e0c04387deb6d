/*
 * The secrets rows and the list of those that wait for the hashing lane. Each row repeats the import
 * of its customer, so that visibility is decided without reading the record.
 *
 * The difficulty: a replaced row must not come back to life after its customer was swept. The
 * compare, the check of visibility and the write happen under secret_lock, which the sweep holds
 * too. The view is closed before the lock is given back, so no snapshot keeps the old row longer
 * than this call.
 */
#include "store/local_priv.h"

/* A visible customer's stored value: its import, then the row. ERR_NOT_FOUND and the buffer as it was
 * when there is none or it is hidden. */
static int get_value(struct store_local *local, struct slice key, const struct uuid *tenant, struct buf *value)
{
    struct store_view view;
    size_t before = value->size;
    int err = store_view_open(local, &view);
    if (err != 0) {
        return err;
    }
    err = store_kv_get(local->kv, view.rows, STORE_FAMILY_SECRET, key, value);
    if (err == 0 && value->size - before < UUID_BYTES) {
        err = ERR_CORRUPT;
    }
    if (err == 0) {
        struct uuid import = store_rows_uuid_at(buf_view(value), before);
        err = store_view_hides(&view, tenant, &import) ? ERR_NOT_FOUND : 0;
    }
    if (err != 0) {
        value->size = before;
    }
    store_view_close(local, &view);
    return err;
}

int store_local_secrets_get(struct store *store, const struct uuid *tenant, const struct uuid *id, struct buf *row)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct buf value;
    buf_init(&value, 0);
    int err = get_value(store_local_of(store), store_rows_pair_key(bytes, tenant, id), tenant, &value);
    if (err == 0) {
        buf_append_slice(row, slice_from(buf_view(&value), UUID_BYTES));
        err = buf_error(row);
    }
    buf_fini(&value);
    return err;
}

/* Writes the row that takes the place of `value`, whose import it keeps. */
static int write_row(struct store_local *local, struct slice key, struct slice import, struct slice row, bool pending)
{
    struct store_kv_batch *batch = store_kv_batch_new(local->kv);
    struct buf value;
    if (batch == NULL) {
        return ERR_NO_MEMORY;
    }
    buf_init(&value, 0);
    buf_append_slice(&value, import);
    buf_append_slice(&value, row);
    store_kv_put(local->kv, batch, STORE_FAMILY_SECRET, key, buf_view(&value));
    if (pending) {
        store_kv_put(local->kv, batch, STORE_FAMILY_PENDING, key, import);
    } else {
        store_kv_erase(local->kv, batch, STORE_FAMILY_PENDING, key);
    }
    int err = buf_error(&value);
    err = err == 0 ? store_local_write(local, batch, true) : err;
    buf_fini(&value);
    store_kv_batch_free(local->kv, &batch);
    return err;
}

int store_local_secrets_replace(struct store *store, const struct uuid *tenant, const struct uuid *id, struct slice old,
                                struct slice row, bool pending)
{
    struct store_local *local = store_local_of(store);
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice key = store_rows_pair_key(bytes, tenant, id);
    struct buf value;
    buf_init(&value, 0);
    pthread_mutex_lock(&local->secret_lock);
    int err = get_value(local, key, tenant, &value);
    if (err == 0) {
        struct slice found = buf_view(&value);
        bool same = slice_equal(slice_from(found, UUID_BYTES), old);
        err = same ? write_row(local, key, slice_make(found.data, UUID_BYTES), row, pending) : ERR_BUSY;
    }
    pthread_mutex_unlock(&local->secret_lock);
    buf_fini(&value);
    return err;
}

/* The first shown mark behind (*tenant, *id). */
static int next_shown(struct store_local *local, const struct store_view *view, struct store_kv_walk *walk,
                      struct slice from, struct uuid *tenant, struct uuid *id)
{
    struct slice key;
    struct slice mark;
    store_kv_walk_seek(local->kv, walk, from, false);
    for (; store_kv_walk_at(local->kv, walk, &key, &mark); store_kv_walk_step(local->kv, walk)) {
        if (key.size != STORE_PAIR_BYTES || mark.size != UUID_BYTES) {
            return ERR_CORRUPT;
        }
        struct uuid owner = store_rows_uuid_at(key, 0);
        struct uuid import = store_rows_uuid_at(mark, 0);
        if (!slice_equal(key, from) && !store_view_hides(view, &owner, &import)) {
            *tenant = owner;
            *id = store_rows_uuid_at(key, UUID_BYTES);
            return 0;
        }
    }
    return ERR_NOT_FOUND;
}

int store_local_secrets_next_pending(struct store *store, struct uuid *tenant, struct uuid *id)
{
    struct store_local *local = store_local_of(store);
    struct store_view view;
    uint8_t from[STORE_ROW_KEY_BYTES];
    int err = store_view_open(local, &view);
    if (err != 0) {
        return err;
    }
    struct store_kv_walk *walk = store_kv_walk_open(local->kv, view.rows, STORE_FAMILY_PENDING, SLICE_NONE);
    err = ERR_NO_MEMORY;
    if (walk != NULL) {
        err = next_shown(local, &view, walk, store_rows_pair_key(from, tenant, id), tenant, id);
        int broken = store_kv_walk_close(local->kv, &walk);
        err = broken != 0 ? broken : err;
    }
    store_view_close(local, &view);
    return err;
}
