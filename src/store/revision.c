/*
 * Reading revisions. A reader looks for them only when its view has a committed import that is not yet folded;
 * else every record is what it says.
 */
#include "store/revision_priv.h"

/* The walk's prefix is the tenant's at least; `row` gets what counts. */
static int find_last(struct store_local *local, const struct store_view *view, struct store_kv_walk *walk,
                     struct slice customer, struct buf *row, uint64_t *number)
{
    struct slice key;
    struct slice value;
    size_t before = row->size;
    bool found = false;
    struct uuid tenant = store_rows_uuid_at(customer, 0);
    *number = 0;
    store_kv_walk_seek(local->kv, walk, customer, false);
    for (; store_kv_walk_at(local->kv, walk, &key, &value) && slice_starts(key, customer);
         store_kv_walk_step(local->kv, walk)) {
        if (key.size != STORE_REVISION_BYTES || value.size < UUID_BYTES) {
            return ERR_CORRUPT;
        }
        struct uuid import = store_rows_uuid_at(value, 0);
        *number = store_rows_revision_number(key) + 1;
        if (!store_view_hides(view, &tenant, &import)) {
            found = true;
            row->size = before;
            buf_append_slice(row, value);
        }
    }
    return !found ? ERR_NOT_FOUND : buf_error(row);
}

int store_revision_last(struct store_local *local, const struct store_view *view, const struct uuid *tenant,
                        const struct uuid *id, struct buf *row, uint64_t *number)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice customer = store_rows_pair_key(bytes, tenant, id);
    struct store_kv_walk *walk = store_kv_walk_open(local->kv, view->rows, STORE_FAMILY_REVISION, customer);
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = find_last(local, view, walk, customer, row, number);
    int broken = store_kv_walk_close(local->kv, &walk);
    return broken != 0 ? broken : err;
}

int store_overlay_open(struct store_local *local, const struct store_view *view, const struct uuid *tenant,
                       struct store_overlay *overlay)
{
    *overlay = (struct store_overlay){.local = local, .view = view, .tenant = tenant};
    buf_init(&overlay->row, 0);
    if (!store_unfinished_revises(view->unfinished, tenant)) {
        return 0;
    }
    overlay->walk = store_kv_walk_open(local->kv, view->rows, STORE_FAMILY_REVISION, uuid_view(tenant));
    return overlay->walk == NULL ? ERR_NO_MEMORY : 0;
}

int store_overlay_find(struct store_overlay *overlay, const struct uuid *id, struct store_revision *revision)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    uint64_t number;
    if (overlay->walk == NULL) {
        return ERR_NOT_FOUND;
    }
    buf_clear(&overlay->row);
    int err = find_last(overlay->local, overlay->view, overlay->walk, store_rows_pair_key(bytes, overlay->tenant, id),
                        &overlay->row, &number);
    return err == 0 ? store_rows_revision_read(buf_view(&overlay->row), revision) : err;
}

int store_overlay_close(struct store_overlay *overlay, int err)
{
    int broken = overlay->walk == NULL ? 0 : store_kv_walk_close(overlay->local->kv, &overlay->walk);
    buf_fini(&overlay->row);
    return err != 0 ? err : broken;
}
