/*
 * The secrets rows and the list of those that wait for the hashing lane. Each row repeats the import
 * of its customer, so that visibility is decided without reading the record.
 *
 * The difficulty: a replaced row must not come back to life after its customer was swept. The
 * compare, the check of visibility and the write happen under secret_lock, which the sweep holds
 * too. The view is closed before the lock is given back, so no snapshot keeps the old row longer
 * than this call.
 */
#include "store/revision_priv.h"

/* A visible customer's stored value: its import, then the row. ERR_NOT_FOUND and the buffer as it was when
 * there is none or it is hidden. */
static int get_value(struct store_local *local, const struct store_view *view, struct slice key,
                     const struct uuid *tenant, struct buf *value)
{
    size_t before = value->size;
    int err = store_kv_get(local->kv, view->rows, STORE_FAMILY_SECRET, key, value);
    if (err == 0 && value->size - before < UUID_BYTES) {
        err = ERR_CORRUPT;
    }
    if (err == 0) {
        struct uuid import = store_rows_uuid_at(buf_view(value), before);
        err = store_view_hides(view, tenant, &import) ? ERR_NOT_FOUND : 0;
    }
    if (err != 0) {
        value->size = before;
    }
    return err;
}

/* The secrets of the customer's revision that counts. ERR_NOT_FOUND: none counts; *counts tells whether one does,
 * without secrets. */
static int get_revised(struct store_local *local, const struct store_view *view, const struct uuid *tenant,
                       const struct uuid *id, struct uuid *owner, struct buf *row, bool *counts)
{
    struct store_overlay overlay;
    struct store_revision revision;
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    int err = store_overlay_open(local, view, tenant, &overlay);
    err = err == 0 ? store_overlay_find(&overlay, id, &revision) : err;
    *counts = err == 0;
    err = err == 0 ? record_read_header(revision.record, &header, keys) : err;
    if (err == 0 && revision.secrets.size == 0) {
        err = ERR_NOT_FOUND;
    } else if (err == 0) {
        *owner = header.id;
        buf_append_slice(row, revision.secrets);
        err = buf_error(row);
    }
    return store_overlay_close(&overlay, err);
}

static int get_stored(struct store_local *local, const struct store_view *view, const struct uuid *tenant,
                      const struct uuid *id, struct uuid *owner, struct buf *row)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice secrets;
    struct buf value;
    buf_init(&value, 0);
    int err = get_value(local, view, store_rows_pair_key(bytes, tenant, id), tenant, &value);
    err = err == 0 ? store_rows_secret_read(buf_view(&value), id, owner, &secrets) : err;
    if (err == 0) {
        buf_append_slice(row, secrets);
        err = buf_error(row);
    }
    buf_fini(&value);
    return err;
}

int store_local_secrets_get(struct store *store, const struct uuid *tenant, const struct uuid *id, struct uuid *owner,
                            struct buf *row)
{
    struct store_local *local = store_local_of(store);
    struct store_view view;
    bool counts = false;
    int err = store_view_open(local, &view);
    if (err != 0) {
        return err;
    }
    err = get_revised(local, &view, tenant, id, owner, row, &counts);
    if (err == ERR_NOT_FOUND && !counts) {
        err = get_stored(local, &view, tenant, id, owner, row);
    }
    store_view_close(local, &view);
    return err;
}

/* Writes the row that takes the place of one that began with `front`: its import, and what it is sealed to. */
static int write_row(struct store_local *local, struct slice key, struct slice front, struct slice row, bool pending)
{
    struct store_kv_batch *batch = store_kv_batch_new(local->kv);
    struct buf value;
    if (batch == NULL) {
        return ERR_NO_MEMORY;
    }
    buf_init(&value, 0);
    buf_append_slice(&value, front);
    buf_append_slice(&value, row);
    store_kv_put(local->kv, batch, STORE_FAMILY_SECRET, key, buf_view(&value));
    if (pending) {
        store_kv_put(local->kv, batch, STORE_FAMILY_PENDING, key, slice_make(front.data, UUID_BYTES));
    } else {
        store_kv_erase(local->kv, batch, STORE_FAMILY_PENDING, key);
    }
    int err = buf_error(&value);
    err = err == 0 ? store_local_write(local, batch, true) : err;
    buf_fini(&value);
    store_kv_batch_free(local->kv, &batch);
    return err;
}

/* The stored value, if it still is what is replaced: a revision that counts makes the row one of older content. */
static int get_replaced(struct store_local *local, struct slice key, const struct uuid *tenant, const struct uuid *id,
                        struct buf *value)
{
    struct store_view view;
    struct store_overlay overlay;
    struct store_revision revision;
    int err = store_view_open(local, &view);
    if (err != 0) {
        return err;
    }
    err = store_overlay_open(local, &view, tenant, &overlay);
    err = err == 0 ? store_overlay_find(&overlay, id, &revision) : err;
    err = store_overlay_close(&overlay, err);
    err = err == 0 ? ERR_BUSY : err == ERR_NOT_FOUND ? get_value(local, &view, key, tenant, value) : err;
    store_view_close(local, &view);
    return err;
}

int store_local_secrets_replace(struct store *store, const struct uuid *tenant, const struct uuid *id, struct slice old,
                                struct slice row, bool pending)
{
    struct store_local *local = store_local_of(store);
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice key = store_rows_pair_key(bytes, tenant, id);
    struct uuid owner;
    struct slice secrets;
    struct buf value;
    buf_init(&value, 0);
    pthread_mutex_lock(&local->secret_lock);
    int err = get_replaced(local, key, tenant, id, &value);
    err = err == 0 ? store_rows_secret_read(buf_view(&value), id, &owner, &secrets) : err;
    if (err == 0) {
        struct slice front = slice_make(value.data, value.size - secrets.size);
        err = slice_equal(secrets, old) ? write_row(local, key, front, row, pending) : ERR_BUSY;
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
