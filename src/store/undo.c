/*
 * Undoing a committed import: its row says UNDONE, its mark hides it (S3), and the sweep does the rest.
 *
 * The difficulty: what is undone must be what came, no more and no less. A customer that a later import has
 * changed is no longer what came with this one, and a customer that this one changed existed before it. Either
 * refuses the undo. The first is told by the change marks, which the later import wrote under this one's key;
 * the second by this one's outcomes, which are looked at only when its row counts updates.
 */
#include "store/local_priv.h"

struct undo {
    struct store_local *local;
    struct store_kv_view *rows;
    const struct uuid *tenant;
    const struct uuid *import;
    struct uuid *changed;
    size_t room;
    size_t count;
    bool refused;
};

static void note(struct undo *undo, const struct uuid *customer)
{
    undo->refused = true;
    if (undo->count < undo->room) {
        undo->changed[undo->count++] = *customer;
    }
}

/* A customer of the import that another one changes, or has. One that was aborted has not. */
static int note_changed(struct undo *undo, struct slice key, struct slice value)
{
    if (key.size != STORE_CHANGE_BYTES || value.size != UUID_BYTES) {
        return ERR_CORRUPT;
    }
    struct uuid by = store_rows_uuid_at(value, 0);
    const struct store_unfinished *entry = store_unfinished_find(undo->local->unfinished, undo->tenant, &by);
    if (entry == NULL || !store_unfinished_ended(entry)) {
        struct uuid customer = store_rows_uuid_at(key, STORE_PAIR_BYTES);
        note(undo, &customer);
    }
    return 0;
}

/* Customers of others that this one has changed. */
static int note_updated(struct undo *undo, struct slice key, struct slice row)
{
    struct store_outcome outcome;
    int err = store_rows_chain_read(&row, NULL);
    (void)key;
    while (err == 0 && store_rows_outcome_read(&row, &outcome, &err)) {
        if (outcome.kind == STORE_UPDATED && !uuid_equal(&outcome.import, undo->import)) {
            note(undo, &outcome.id);
        }
    }
    return err;
}

/* Each row of the family that belongs to the import, until `changed` is full. */
static int look(struct undo *undo, enum store_family family,
                int (*each)(struct undo *undo, struct slice key, struct slice row))
{
    struct store_kv *kv = undo->local->kv;
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice prefix = store_rows_pair_key(bytes, undo->tenant, undo->import);
    struct store_kv_walk *walk = store_kv_walk_open(kv, undo->rows, family, prefix);
    struct slice key;
    struct slice row;
    int err = 0;
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(kv, walk, prefix, false);
    while (err == 0 && (!undo->refused || undo->count < undo->room) && store_kv_walk_at(kv, walk, &key, &row)) {
        err = each(undo, key, row);
        store_kv_walk_step(kv, walk);
    }
    int broken = store_kv_walk_close(kv, &walk);
    return err == 0 ? broken : err;
}

/* 0, ERR_IMPORT_CHANGED, or why that can't be told. */
static int check_changed(struct undo *undo, const struct store_import *row)
{
    undo->rows = store_kv_view_open(undo->local->kv);
    if (undo->rows == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = look(undo, STORE_FAMILY_CHANGE, note_changed);
    if (err == 0 && row->updated > 0) {
        err = look(undo, STORE_FAMILY_OUTCOME, note_updated);
    }
    store_kv_view_close(undo->local->kv, &undo->rows);
    return err == 0 && undo->refused ? ERR_IMPORT_CHANGED : err;
}

/* Row and mark in one batch; then it enters the set. */
static int write_undone(struct store_local *local, struct store_import *import)
{
    struct store_unfinished entry = {.tenant = import->tenant,
                                     .import = import->id,
                                     .state = IMPORT_UNDONE,
                                     .wrote = true,
                                     .revises = import->updated > 0};
    struct store_unfinished_set *next = store_unfinished_change(local->unfinished, &entry, 1);
    if (next == NULL) {
        return ERR_NO_MEMORY;
    }
    store_local_put_mark(local, local->batch, &entry);
    int err = store_local_put_import(local, local->batch, import);
    err = err == 0 ? store_local_write(local, local->batch, true) : err;
    store_kv_batch_clear(local->kv, local->batch);
    if (err == 0) {
        store_local_publish(local, next);
        next = NULL;
    }
    store_unfinished_release(&next);
    return err;
}

static int undo_import(struct undo *undo, int64_t now_ms)
{
    struct store_import import;
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_local_import_get(&undo->local->store, undo->tenant, undo->import, &import, &envelope);
    if (err == 0 && (import.state != IMPORT_COMMITTED || import.expired)) {
        err = ERR_IMPORT_ENDED;
    }
    err = err == 0 ? check_changed(undo, &import) : err;
    if (err == 0) {
        import.state = IMPORT_UNDONE;
        import.ended_ms = now_ms;
        err = write_undone(undo->local, &import);
    }
    buf_fini(&envelope);
    return err;
}

int store_local_import_undo(struct store *store, const struct uuid *tenant, const struct uuid *import, int64_t now_ms,
                            struct uuid *changed, size_t room, size_t *count)
{
    struct undo undo = {
        .local = store_local_of(store), .tenant = tenant, .import = import, .changed = changed, .room = room};
    pthread_mutex_lock(&undo.local->commit_lock);
    int err = store_local_health(undo.local);
    err = err == 0 ? undo_import(&undo, now_ms) : err;
    store_local_unlock(undo.local);
    *count = undo.count;
    return err;
}
