/*
 * What was left unfinished when the store was closed or crashed (S6), and the rows that say so. Open imports are
 * aborted, but for resumable ones; what had ended and was not cleared goes on being cleared; a mark of which
 * nothing is left goes. The marks are few, so this does not depend on the number of customers or imports.
 */
#include "base/clock.h"
#include "store/local_priv.h"

int store_local_has_outcomes(struct store_local *local, struct store_kv_view *rows, const struct uuid *tenant,
                             const struct uuid *import, bool *has)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice prefix = store_rows_pair_key(bytes, tenant, import);
    struct store_kv_walk *walk = store_kv_walk_open(local->kv, rows, STORE_FAMILY_OUTCOME, prefix);
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    struct slice key;
    struct slice value;
    store_kv_walk_seek(local->kv, walk, prefix, false);
    *has = store_kv_walk_at(local->kv, walk, &key, &value);
    return store_kv_walk_close(local->kv, &walk);
}

void store_local_put_mark(struct store_local *local, struct store_kv_batch *batch, const struct store_unfinished *entry)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    uint8_t value[STORE_MARK_BYTES + STORE_OWNED_BYTES];
    struct slice key = store_rows_pair_key(bytes, &entry->tenant, &entry->import);
    if (entry->state == 0) {
        store_kv_erase(local->kv, batch, STORE_FAMILY_UNFINISHED, key);
    } else {
        store_kv_put(local->kv, batch, STORE_FAMILY_UNFINISHED, key,
                     local->shared ? store_rows_mark_write_owned(value, entry) : store_rows_mark_write(value, entry));
    }
}

int store_local_put_import(struct store_local *local, struct store_kv_batch *batch, const struct store_import *import)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct buf row;
    buf_init(&row, 0);
    store_rows_import_write(&row, import);
    store_kv_put(local->kv, batch, STORE_FAMILY_IMPORT, store_rows_pair_key(key, &import->tenant, &import->id),
                 buf_view(&row));
    int err = buf_error(&row);
    buf_fini(&row);
    return err;
}

int store_local_erase_claim(struct store_local *local, struct store_kv_batch *batch,
                            const struct store_unfinished *entry)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct store_request claim;
    int err = store_local_request_get(&local->store, &entry->tenant, entry->mac, &claim);
    if (err == 0 && uuid_equal(&claim.import, &entry->import)) {
        store_kv_erase(local->kv, batch, STORE_FAMILY_REQUEST, store_rows_request_key(key, &entry->tenant, entry->mac));
    }
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* What becomes of an import that was left unfinished (S6): `entry->state`, 0 when nothing is left to do for it. A
 * mark without a row is left to the sweep. */
static int recover_import(struct store_local *local, struct store_import *row, int err, struct store_unfinished *entry)
{
    if (err == ERR_NOT_FOUND) {
        entry->state = entry->wrote ? IMPORT_ABORTED : 0;
        return 0;
    }
    if (err != 0 || (row->state == IMPORT_OPEN && row->resumable)) {
        return err;
    }
    entry->claimed = false;
    if (row->state == IMPORT_OPEN) {
        row->state = IMPORT_ABORTED;
        row->error = (int16_t)ERR_STOPPING;
        row->ended_ms = clock_real_ms();
        err = store_local_put_import(local, local->batch, row);
    }
    bool done = row->state == IMPORT_COMMITTED && !entry->revises;
    entry->state = entry->wrote && !done ? row->state : 0;
    return err;
}

/* Among many nodes, nobody goes on with an open import of a node that lives no more. A start looks at its own alone:
 * whether another lives is not sure yet. One without an owner was given back; a start looks at those too, for rows that
 * came from another kind of store have none. */
bool store_local_is_left(const struct store_local *local, const struct store_unfinished *entry)
{
    bool own = uuid_is_zero(&entry->owner) || uuid_equal(&entry->owner, &local->node);
    return entry->state == IMPORT_OPEN && !entry->foreign && local->running != own;
}

static bool is_left(const struct store_local *local, const struct store_unfinished *entry)
{
    const struct store_unfinished *known = store_unfinished_find(local->unfinished, &entry->tenant, &entry->import);
    return !local->shared || (known != NULL && store_local_is_left(local, known));
}

/* It was given back, and waits for whoever goes on with it. */
static bool is_waiting(const struct store_local *local, const struct store_unfinished *entry,
                       const struct store_import *row)
{
    return local->shared && uuid_is_zero(&entry->owner) && entry->touched_ms != 0 && row->state == IMPORT_OPEN &&
           row->resumable;
}

/* One unfinished mark as it was left behind. */
static int recover(struct store_local *local, struct store_kv_view *rows, struct slice key, struct slice mark)
{
    struct store_unfinished entry;
    struct store_import row;
    struct buf envelope;
    int err = store_rows_mark_read(key, mark, &entry);
    if (err == 0 && !is_left(local, &entry)) {
        return 0;
    }
    err = err == 0 ? store_local_has_outcomes(local, rows, &entry.tenant, &entry.import, &entry.wrote) : err;
    if (err != 0) {
        return err;
    }
    buf_init(&envelope, 0);
    int found = store_local_import_get(&local->store, &entry.tenant, &entry.import, &row, &envelope);
    bool waiting = found == 0 && is_waiting(local, &entry, &row);
    entry.touched_ms = clock_real_ms();
    memset(&entry.owner, 0, sizeof entry.owner);
    err = waiting ? 0 : recover_import(local, &row, found, &entry);
    buf_fini(&envelope);
    if (err != 0 || waiting) {
        return err;
    }
    store_local_put_mark(local, local->batch, &entry);
    struct store_unfinished_set *next = store_unfinished_change(local->unfinished, &entry, 1);
    if (next == NULL) {
        return ERR_NO_MEMORY;
    }
    store_local_publish(local, next);
    return 0;
}

int store_local_recover(struct store_local *local, struct store_kv_view *rows)
{
    struct store_kv_walk *walk = store_kv_walk_open(local->kv, rows, STORE_FAMILY_UNFINISHED, SLICE_NONE);
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    struct slice key;
    struct slice mark;
    size_t count = 0;
    int err = 0;
    store_kv_walk_seek(local->kv, walk, SLICE(""), false);
    while (err == 0 && store_kv_walk_at(local->kv, walk, &key, &mark)) {
        err = recover(local, rows, key, mark);
        count++;
        store_kv_walk_step(local->kv, walk);
    }
    int broken = store_kv_walk_close(local->kv, &walk);
    err = err == 0 ? broken : err;
    return err == 0 && count > 0 ? store_local_write(local, local->batch, true) : err;
}

int store_local_release(struct store_local *local, const struct uuid *tenant, const struct uuid *import)
{
    const struct store_unfinished *known = store_unfinished_find(local->unfinished, tenant, import);
    struct store_import row;
    struct buf envelope;
    if (known == NULL || known->state != IMPORT_OPEN || !uuid_equal(&known->owner, &local->node)) {
        return 0;
    }
    struct store_unfinished entry = *known;
    memset(&entry.owner, 0, sizeof entry.owner);
    buf_init(&envelope, 0);
    int found = store_local_import_get(&local->store, tenant, import, &row, &envelope);
    int err = recover_import(local, &row, found, &entry);
    buf_fini(&envelope);
    if (err == 0) {
        store_local_put_mark(local, local->batch, &entry);
        err = store_local_write(local, local->batch, true);
    }
    store_kv_batch_clear(local->kv, local->batch);
    return err;
}
