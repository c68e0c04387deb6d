/*
 * What is too old: open imports that nobody goes on with are aborted; claims on idempotency keys,
 * and the reports of ended imports (outcomes, faults, marks of changes), are removed.
 *
 * An open import that can't be resumed is one whose end could not be written (a full disk), or of whose beginning
 * nobody knew that it was (a database that went away). Who had it is gone: it holds its keys for nothing.
 *
 * The difficulty is to look at little. Imports are never removed, so they are not walked: open ones stand in the
 * set, and whose reports remain is told by the report rows themselves, import by import, with one seek each. A cursor
 * in memory goes round through the families; an import says `expired` in the batch that removes its first
 * row, so what a crash leaves is found by the next round.
 */
#include <assert.h>

#include "base/clock.h"
#include "store/run_priv.h"

#define STEP_ROWS 256 /* looked at under one hold of the lock */

/* In the order of a round. */
static const enum store_family families[] = {STORE_FAMILY_REQUEST, STORE_FAMILY_OUTCOME, STORE_FAMILY_FAULT,
                                             STORE_FAMILY_CHANGE};
#define FAMILY_COUNT (sizeof families / sizeof families[0])

struct expirer {
    struct store_local *local;
    const struct store_expiry *expiry;
    struct store_kv_batch *batch;
    struct store_kv_walk *walk;
    size_t budget; /* rows that may still be looked at */
};

/* ---- open imports ---- */

/* An open import ends: nobody goes on with it. Its idempotency key is free again. One that can't be resumed ends as
 * the next start would end it. */
static int abort_import(struct expirer *expirer, const struct store_unfinished *entry, struct store_import *row)
{
    struct store_local *local = expirer->local;
    struct store_unfinished after = *entry;
    after.state = entry->wrote ? IMPORT_ABORTED : 0;
    after.claimed = false;
    row->state = IMPORT_ABORTED;
    row->error = (int16_t)(row->resumable ? ERR_CUT_OFF : ERR_STOPPING);
    row->ended_ms = clock_real_ms();
    struct store_unfinished_set *next = store_unfinished_change(local->unfinished, &after, 1);
    if (next == NULL) {
        return ERR_NO_MEMORY;
    }
    store_local_put_mark(local, expirer->batch, &after);
    int err = store_local_put_import(local, expirer->batch, row);
    err = err == 0 && entry->claimed ? store_local_erase_claim(local, expirer->batch, entry) : err;
    err = err == 0 ? store_local_write(local, expirer->batch, true) : err;
    if (err == 0) {
        store_local_publish(local, next);
        next = NULL;
    }
    store_unfinished_release(&next);
    return err;
}

/* Whether it has been left alone for long enough to be one that nobody goes on with. A key makes it resumable. */
static bool is_left(const struct expirer *expirer, const struct store_unfinished *entry)
{
    const struct store_expiry *expiry = expirer->expiry;
    bool may_end =
        entry->touched_ms < expiry->resume_before_ms || (!entry->claimed && entry->touched_ms < expiry->lost_before_ms);
    return entry->state == IMPORT_OPEN && !entry->foreign && may_end &&
           !store_runs_has(expirer->local, &entry->tenant, &entry->import) &&
           (expiry->under_way == NULL || !expiry->under_way(expiry->context, &entry->tenant, &entry->import));
}

/* One entry of the set; `entry` is a copy. */
static int look_at_open(struct expirer *expirer, const struct store_unfinished *entry)
{
    const struct store_expiry *expiry = expirer->expiry;
    if (!is_left(expirer, entry)) {
        return 0;
    }
    struct store_import row;
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_local_import_get(&expirer->local->store, &entry->tenant, &entry->import, &row, &envelope);
    bool left = err == 0 && row.state == IMPORT_OPEN &&
                entry->touched_ms < (row.resumable ? expiry->resume_before_ms : expiry->lost_before_ms);
    if (left) {
        err = abort_import(expirer, entry, &row);
        store_kv_batch_clear(expirer->local->kv, expirer->batch);
    }
    buf_fini(&envelope);
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int end_open(struct expirer *expirer)
{
    struct store_local *local = expirer->local;
    pthread_mutex_lock(&local->commit_lock);
    struct store_unfinished_set *set = store_unfinished_hold(local->unfinished);
    int err = 0;
    for (size_t i = 0; i < set->count && err == 0; i++) {
        err = look_at_open(expirer, &set->entries[i]);
    }
    store_unfinished_release(&set);
    store_local_unlock(local);
    return err;
}

/* ---- rows ---- */

static int look_at_request(struct expirer *expirer, struct slice key, struct slice value)
{
    struct store_request request;
    int err = store_rows_request_read(value, &request);
    if (err == 0 && request.created_ms < expirer->expiry->request_before_ms) {
        store_kv_erase(expirer->local->kv, expirer->batch, STORE_FAMILY_REQUEST, key);
    }
    store_kv_walk_step(expirer->local->kv, expirer->walk);
    return err;
}

/* Whether the import's report is too old; its row says `expired` from this batch on then. While it is not
 * cleared its outcomes are needed. */
static int is_expired(struct expirer *expirer, const struct uuid *tenant, const struct uuid *id, bool *expired)
{
    struct store_import row;
    struct buf envelope;
    *expired = false;
    if (store_unfinished_find(expirer->local->unfinished, tenant, id) != NULL) {
        return 0;
    }
    buf_init(&envelope, 0);
    int err = store_local_import_get(&expirer->local->store, tenant, id, &row, &envelope);
    if (err == 0 && row.state != IMPORT_OPEN) {
        *expired = row.expired || row.ended_ms < expirer->expiry->report_before_ms;
    }
    if (*expired && !row.expired) {
        row.expired = true;
        err = store_local_put_import(expirer->local, expirer->batch, &row);
    }
    buf_fini(&envelope);
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* The rows of the import from here on, as far as the step goes; or past all of them. */
static int look_at_report(struct expirer *expirer, enum store_family family, struct slice at, size_t *rows)
{
    struct store_kv *kv = expirer->local->kv;
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice key;
    struct slice value;
    bool expired;
    if (at.size < STORE_PAIR_BYTES) {
        return ERR_CORRUPT;
    }
    struct uuid tenant = store_rows_uuid_at(at, 0);
    struct uuid import = store_rows_uuid_at(at, UUID_BYTES);
    int err = is_expired(expirer, &tenant, &import, &expired);
    if (err == 0 && !expired) {
        memset(bytes, 0xff, sizeof bytes); /* behind every row of the import */
        (void)store_rows_pair_key(bytes, &tenant, &import);
        store_kv_walk_seek(kv, expirer->walk, slice_make(bytes, sizeof bytes), false);
        return 0;
    }
    struct slice prefix = store_rows_pair_key(bytes, &tenant, &import);
    while (err == 0 && *rows < STEP_ROWS && store_kv_walk_at(kv, expirer->walk, &key, &value) &&
           slice_starts(key, prefix)) {
        store_kv_erase(kv, expirer->batch, family, key);
        store_kv_walk_step(kv, expirer->walk);
        (*rows)++;
    }
    return err;
}

/* Goes on from the cursor, and moves it. */
static int walk_rows(struct expirer *expirer)
{
    struct store_local *local = expirer->local;
    enum store_family family = families[local->expired_family];
    struct slice key;
    struct slice value;
    size_t rows = 0;
    size_t most = expirer->budget < STEP_ROWS ? expirer->budget : STEP_ROWS;
    int err = 0;
    store_kv_walk_seek(local->kv, expirer->walk, buf_view(&local->expired_to), false);
    while (err == 0 && rows < most && store_kv_walk_at(local->kv, expirer->walk, &key, &value)) {
        rows++;
        err = family == STORE_FAMILY_REQUEST ? look_at_request(expirer, key, value)
                                             : look_at_report(expirer, family, key, &rows);
    }
    buf_clear(&local->expired_to);
    if (store_kv_walk_at(local->kv, expirer->walk, &key, &value)) {
        buf_append_slice(&local->expired_to, key);
    } else {
        local->expired_family++;
    }
    expirer->budget -= rows < expirer->budget ? rows : expirer->budget;
    return err == 0 ? buf_error(&local->expired_to) : err;
}

/* One step from where the cursor stands. The lock is held. */
static int step(struct expirer *expirer)
{
    struct store_local *local = expirer->local;
    struct store_kv_view *rows = store_kv_view_open(local->kv);
    if (rows == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = ERR_NO_MEMORY;
    expirer->walk = store_kv_walk_open(local->kv, rows, families[local->expired_family], SLICE_NONE);
    if (expirer->walk != NULL) {
        err = walk_rows(expirer);
        int broken = store_kv_walk_close(local->kv, &expirer->walk);
        err = err == 0 ? broken : err;
    }
    store_kv_view_close(local->kv, &rows);
    err = err == 0 ? store_local_write(local, expirer->batch, false) : err;
    store_kv_batch_clear(local->kv, expirer->batch);
    return err;
}

/* The cursor's round; *left when the limit ended it before its end. */
static int go_round(struct expirer *expirer, bool *left)
{
    struct store_local *local = expirer->local;
    int err = 0;
    *left = true;
    while (err == 0 && *left && expirer->budget > 0) {
        pthread_mutex_lock(&local->commit_lock);
        err = step(expirer);
        *left = local->expired_family < FAMILY_COUNT;
        local->expired_family = *left ? local->expired_family : 0;
        store_local_unlock(local);
    }
    return err;
}

int store_local_expire(struct store *store, const struct store_expiry *expiry, bool *left)
{
    struct expirer expirer = {.local = store_local_of(store), .expiry = expiry, .budget = expiry->limit};
    *left = true;
    int err = store_local_health(expirer.local);
    if (err != 0) {
        return err;
    }
    expirer.batch = store_kv_batch_new(expirer.local->kv);
    if (expirer.batch == NULL) {
        return ERR_NO_MEMORY;
    }
    err = end_open(&expirer);
    err = err == 0 ? go_round(&expirer, left) : err;
    store_kv_batch_free(expirer.local->kv, &expirer.batch);
    return err;
}
