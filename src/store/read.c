/*
 * Reading customers and imports. A customer is shown when its record's import is not hidden in the same
 * view, with its last revision that is not hidden in place of the record, if there is one. A list or find that walks
 * over a large unfinished import passes its records one by one: it is bounded by that import, not by `limit`.
 */
#include "store/revision_priv.h"

/* Whether the view shows the value's record, which must be that of the customer. 0 or ERR_CORRUPT. */
static int look(const struct store_view *view, const struct uuid *tenant, const struct uuid *id, struct slice value,
                struct slice *record, bool *shown)
{
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    int err = store_rows_body_read(value, id, record);
    err = err == 0 ? record_read_header(*record, &header, keys) : err;
    if (err == 0 && !uuid_equal(&header.tenant, tenant)) {
        err = ERR_CORRUPT;
    }
    *shown = err == 0 && !store_view_hides(view, tenant, &header.import);
    return err;
}

/* Appends the record, when the view shows it; else ERR_NOT_FOUND and the buffer as it was. */
static int get_shown(struct store_overlay *overlay, const struct uuid *id, struct buf *record)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct store_revision revision;
    struct slice found;
    size_t before = record->size;
    bool shown = false;
    int err = store_overlay_find(overlay, id, &revision);
    if (err != ERR_NOT_FOUND) {
        buf_append_slice(record, err == 0 ? revision.record : SLICE_NONE);
        return err == 0 ? buf_error(record) : err;
    }
    err = store_kv_get(overlay->local->kv, overlay->view->rows, STORE_FAMILY_BODY,
                       store_rows_pair_key(key, overlay->tenant, id), record);
    if (err == 0) {
        err = look(overlay->view, overlay->tenant, id, slice_from(buf_view(record), before), &found, &shown);
    }
    if (err != 0 || !shown) {
        record->size = before;
        return err == 0 ? ERR_NOT_FOUND : err;
    }
    memmove(record->data + before, found.data, found.size); /* past what an update wrote in front of it */
    record->size = before + found.size;
    return 0;
}

int store_local_customer_get(struct store *store, const struct uuid *tenant, const struct uuid *id, struct buf *record)
{
    struct store_local *local = store_local_of(store);
    struct store_view view;
    struct store_overlay overlay;
    int err = store_view_open(local, &view);
    if (err != 0) {
        return err;
    }
    err = store_overlay_open(local, &view, tenant, &overlay);
    err = err == 0 ? get_shown(&overlay, id, record) : err;
    err = store_overlay_close(&overlay, err);
    store_view_close(local, &view);
    return err;
}

/* ---- list ---- */

/* Opens a view and a walk over one family's rows with the prefix; both or none. */
static int walk_open(struct store_local *local, enum store_family family, struct slice prefix, struct store_view *view,
                     struct store_kv_walk **walk)
{
    int err = store_view_open(local, view);
    if (err != 0) {
        return err;
    }
    *walk = store_kv_walk_open(local->kv, view->rows, family, prefix);
    if (*walk == NULL) {
        store_view_close(local, view);
        return ERR_NO_MEMORY;
    }
    return 0;
}

/* `err` of the work inside, else what broke the walk. */
static int walk_end(struct store_local *local, struct store_view *view, struct store_kv_walk **walk, int err)
{
    int broken = store_kv_walk_close(local->kv, walk);
    store_view_close(local, view);
    return err != 0 ? err : broken;
}

struct list {
    struct store_overlay overlay;
    struct store_kv_walk *walk;
    const struct uuid *after;
    size_t limit;
    store_record_fn *each;
    void *context;
};

static int list_one(struct list *list, const struct uuid *id, struct slice value)
{
    struct store_revision revision;
    struct slice record;
    bool shown = false;
    int err = look(list->overlay.view, list->overlay.tenant, id, value, &record, &shown);
    if (err != 0 || !shown) {
        return err;
    }
    int updated = store_overlay_find(&list->overlay, id, &revision);
    if (updated != 0 && updated != ERR_NOT_FOUND) {
        return updated;
    }
    list->limit--;
    return list->each(list->context, id, updated == 0 ? revision.record : record);
}

static int list_shown(struct list *list)
{
    struct store_kv *kv = list->overlay.local->kv;
    struct slice key;
    struct slice value;
    int err = 0;
    for (; list->limit > 0 && err == 0 && store_kv_walk_at(kv, list->walk, &key, &value);
         store_kv_walk_step(kv, list->walk)) {
        struct uuid id = store_rows_uuid_at(key, STORE_TENANT_BYTES);
        if (!uuid_equal(&id, list->after)) {
            err = list_one(list, &id, value);
        }
    }
    return err;
}

int store_local_customer_list(struct store *store, const struct uuid *tenant, const struct uuid *after, size_t limit,
                              store_record_fn *each, void *context)
{
    struct store_local *local = store_local_of(store);
    struct store_view view;
    struct list list = {.after = after, .limit = limit, .each = each, .context = context};
    uint8_t from[STORE_ROW_KEY_BYTES];
    int err = walk_open(local, STORE_FAMILY_BODY, uuid_view(tenant), &view, &list.walk);
    if (err != 0) {
        return err;
    }
    err = store_overlay_open(local, &view, tenant, &list.overlay);
    if (err == 0) {
        store_kv_walk_seek(local->kv, list.walk, store_rows_pair_key(from, tenant, after), false);
        err = list_shown(&list);
    }
    err = store_overlay_close(&list.overlay, err);
    return walk_end(local, &view, &list.walk, err);
}

/* ---- find ---- */

/* The ids that an index entry leads to, in order: the walk over the plain entries, and the one
 * holder of the unique entry where its id falls among them. */
struct finder {
    struct store_local *local;
    const struct store_view *view;
    const struct uuid *tenant;
    const struct uuid *after;
    struct store_overlay overlay;
    const struct record_key *key;
    struct store_kv_walk *plain;
    bool has_unique; /* and it is not yet passed */
    struct uuid unique;
};

static int find_unique(struct finder *finder, const struct record_key *key)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct store_holder holder;
    struct buf value;
    buf_init(&value, 0);
    int err = store_kv_get(finder->local->kv, finder->view->rows, STORE_FAMILY_UNIQUE,
                           store_rows_unique_key(bytes, finder->tenant, key), &value);
    err = err == 0 ? store_rows_holder_read(buf_view(&value), &holder) : err;
    if (err == 0) {
        finder->unique = holder.id;
        finder->has_unique = uuid_compare(&holder.id, finder->after) > 0;
    }
    buf_fini(&value);
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* The next id behind `after`; false at the end. */
static bool find_next(struct finder *finder, struct uuid *id)
{
    struct store_kv *kv = finder->local->kv;
    struct slice key;
    struct slice value;
    bool found = false;
    while (!found && store_kv_walk_at(kv, finder->plain, &key, &value)) {
        *id = store_rows_uuid_at(key, STORE_UNIQUE_BYTES);
        found = uuid_compare(id, finder->after) > 0;
        if (!found) {
            store_kv_walk_step(kv, finder->plain);
        }
    }
    if (finder->has_unique && (!found || uuid_compare(&finder->unique, id) <= 0)) {
        bool both = found && uuid_equal(&finder->unique, id);
        *id = finder->unique;
        finder->has_unique = false;
        found = true;
        if (!both) {
            return true;
        }
    }
    if (found) {
        store_kv_walk_step(kv, finder->plain);
    }
    return found;
}

/* Whether what is shown has the key: an entry may be of other content of the customer, newer or older. */
static int check_key(const struct record_key *key, struct slice record)
{
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    int err = record_read_header(record, &header, keys);
    for (size_t i = 0; err == 0 && i < header.key_count; i++) {
        if (keys[i].kind == key->kind && memcmp(keys[i].mac, key->mac, CRYPTO_MAC_BYTES) == 0) {
            return 0;
        }
    }
    return err == 0 ? ERR_NOT_FOUND : err;
}

static int find_shown(struct finder *finder, size_t limit, store_record_fn *each, void *context)
{
    struct uuid id;
    struct buf record;
    int err = 0;
    buf_init(&record, 0);
    while (limit > 0 && err == 0 && find_next(finder, &id)) {
        buf_clear(&record);
        err = get_shown(&finder->overlay, &id, &record);
        err = err == 0 ? check_key(finder->key, buf_view(&record)) : err;
        if (err == 0) {
            limit--;
            err = each(context, &id, buf_view(&record));
        } else if (err == ERR_NOT_FOUND) {
            err = 0;
        }
    }
    buf_fini(&record);
    return err;
}

int store_local_customer_find(struct store *store, const struct uuid *tenant, const struct record_key *key,
                              const struct uuid *after, size_t limit, store_record_fn *each, void *context)
{
    struct store_local *local = store_local_of(store);
    struct store_view view;
    struct finder finder = {.local = local, .view = &view, .tenant = tenant, .after = after, .key = key};
    uint8_t prefix[STORE_ROW_KEY_BYTES];
    uint8_t from[STORE_ROW_KEY_BYTES];
    int err = walk_open(local, STORE_FAMILY_PLAIN, store_rows_unique_key(prefix, tenant, key), &view, &finder.plain);
    if (err != 0) {
        return err;
    }
    err = store_overlay_open(local, &view, tenant, &finder.overlay);
    err = err == 0 ? find_unique(&finder, key) : err;
    if (err == 0) {
        store_kv_walk_seek(local->kv, finder.plain, store_rows_plain_key(from, tenant, key, after), false);
        err = find_shown(&finder, limit, each, context);
    }
    err = store_overlay_close(&finder.overlay, err);
    return walk_end(local, &view, &finder.plain, err);
}

/* ---- imports ---- */

int store_local_import_get(struct store *store, const struct uuid *tenant, const struct uuid *id,
                           struct store_import *import, struct buf *envelope)
{
    struct store_local *local = store_local_of(store);
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice key = store_rows_pair_key(bytes, tenant, id);
    struct buf row;
    buf_init(&row, 0);
    int err = store_kv_get(local->kv, NULL, STORE_FAMILY_IMPORT, key, &row);
    err = err == 0 ? store_rows_import_read(key, buf_view(&row), import) : err;
    if (err == 0) {
        size_t before = envelope->size;
        buf_append_slice(envelope, import->envelope);
        err = buf_error(envelope);
        import->envelope = err == 0 ? slice_make(envelope->data + before, import->envelope.size) : SLICE_NONE;
    }
    buf_fini(&row);
    return err;
}

int store_local_import_list(struct store *store, const struct uuid *tenant, const struct uuid *before, size_t limit,
                            store_import_fn *each, void *context)
{
    struct store_local *local = store_local_of(store);
    struct store_view view;
    struct store_kv_walk *walk = NULL;
    struct slice key;
    struct slice row;
    struct uuid from = *before;
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    int err = walk_open(local, STORE_FAMILY_IMPORT, uuid_view(tenant), &view, &walk);
    if (err != 0) {
        return err;
    }
    if (uuid_is_zero(before)) {
        memset(from.bytes, 0xff, UUID_BYTES);
    }
    store_kv_walk_seek(local->kv, walk, store_rows_pair_key(bytes, tenant, &from), true);
    for (; limit > 0 && err == 0 && store_kv_walk_at(local->kv, walk, &key, &row); limit--) {
        struct store_import import;
        err = store_rows_import_read(key, row, &import);
        err = err == 0 ? each(context, &import) : err;
        store_kv_walk_step(local->kv, walk);
    }
    return walk_end(local, &view, &walk, err);
}

int store_local_import_outcomes(struct store *store, const struct uuid *tenant, const struct uuid *import,
                                uint32_t chunk, uint8_t chain[CRYPTO_MAC_BYTES], struct buf *outcomes)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct buf row;
    buf_init(&row, 0);
    int err = store_kv_get(store_local_of(store)->kv, NULL, STORE_FAMILY_OUTCOME,
                           store_rows_outcome_key(key, tenant, import, chunk), &row);
    struct slice rest = buf_view(&row);
    err = err == 0 ? store_rows_chain_read(&rest, chain) : err;
    if (err == 0) {
        buf_append_slice(outcomes, rest);
        err = buf_error(outcomes);
    }
    buf_fini(&row);
    return err;
}

int store_local_import_faults(struct store *store, const struct uuid *tenant, const struct uuid *import,
                              uint32_t *chunk, struct buf *faults)
{
    struct store_local *local = store_local_of(store);
    struct store_view view;
    struct store_kv_walk *walk = NULL;
    struct slice key;
    struct slice row;
    uint8_t prefix[STORE_ROW_KEY_BYTES];
    uint8_t from[STORE_ROW_KEY_BYTES];
    int err = walk_open(local, STORE_FAMILY_FAULT, store_rows_pair_key(prefix, tenant, import), &view, &walk);
    if (err != 0) {
        return err;
    }
    store_kv_walk_seek(local->kv, walk, store_rows_outcome_key(from, tenant, import, *chunk), false);
    if (!store_kv_walk_at(local->kv, walk, &key, &row)) {
        err = ERR_NOT_FOUND;
    } else if (key.size != STORE_OUTCOME_BYTES) {
        err = ERR_CORRUPT;
    } else {
        *chunk = store_rows_outcome_chunk(key);
        buf_append_slice(faults, row);
        err = buf_error(faults);
    }
    int broken = walk_end(local, &view, &walk, 0);
    return broken != 0 ? broken : err;
}
