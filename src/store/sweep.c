/*
 * Clearing up behind imports that have ended: what aborted and undone ones left is removed, what committed ones
 * brought for older customers is folded into their records (settle.c). The outcome rows of an import name the customers
 * it created; they are taken chunk by chunk, some customers at a time, and an outcome row goes last of its chunk, the
 * unfinished mark last of the import. So a crash, or a limit that is reached, at any point leaves a state that the next
 * call goes on from. Nothing is synced: a log's order means that what survives is a beginning of it.
 *
 * The difficulty: a key that the import held may have a new owner, because it is free from the
 * moment of the abort. An index entry goes only if it still names the swept customer, and the check
 * and the removal happen under commit_lock, where owners are made.
 */
#include <assert.h>

#include "store/revision_priv.h"

#define STEP_CUSTOMERS 256 /* removed under one hold of the locks */

struct sweeper {
    struct store_local *local;
    struct store_kv_batch *batch;
    struct store_unfinished import;
    size_t budget;  /* rows that may still be removed */
    size_t removed; /* customers in this step */
};

static void erase_row(struct sweeper *sweeper, enum store_family family, struct slice key)
{
    store_kv_erase(sweeper->local->kv, sweeper->batch, family, key);
    sweeper->budget -= sweeper->budget > 0 ? 1 : 0;
}

static int erase_unique(struct sweeper *sweeper, const struct uuid *id, const struct record_key *index)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice key = store_rows_unique_key(bytes, &sweeper->import.tenant, index);
    struct store_holder holder;
    struct buf value;
    buf_init(&value, 0);
    int err = store_kv_get(sweeper->local->kv, NULL, STORE_FAMILY_UNIQUE, key, &value);
    err = err == 0 ? store_rows_holder_read(buf_view(&value), &holder) : err;
    if (err == 0 && uuid_equal(&holder.id, id) && uuid_equal(&holder.import, &sweeper->import.import)) {
        store_local_touch(sweeper->local, bytes);
        erase_row(sweeper, STORE_FAMILY_UNIQUE, key);
    }
    buf_fini(&value);
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int erase_keys(struct sweeper *sweeper, const struct uuid *id, const struct record_header *header)
{
    int err = 0;
    for (size_t i = 0; i < header->key_count && err == 0; i++) {
        uint8_t key[STORE_ROW_KEY_BYTES];
        if (header->keys[i].unique) {
            err = erase_unique(sweeper, id, &header->keys[i]);
        } else {
            erase_row(sweeper, STORE_FAMILY_PLAIN,
                      store_rows_plain_key(key, &sweeper->import.tenant, &header->keys[i], id));
        }
    }
    return err;
}

/* All rows of one customer, if it is still there and of this import. */
static int erase_customer(struct sweeper *sweeper, const struct uuid *id)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice key = store_rows_pair_key(bytes, &sweeper->import.tenant, id);
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    struct slice record;
    struct buf value;
    buf_init(&value, 0);
    int err = store_kv_get(sweeper->local->kv, NULL, STORE_FAMILY_BODY, key, &value);
    err = err == 0 ? store_rows_body_read(buf_view(&value), id, &record) : err;
    err = err == 0 ? record_read_header(record, &header, keys) : err;
    if (err == 0 && uuid_equal(&header.import, &sweeper->import.import)) {
        err = erase_keys(sweeper, id, &header);
        erase_row(sweeper, STORE_FAMILY_BODY, key);
        erase_row(sweeper, STORE_FAMILY_SECRET, key);
        erase_row(sweeper, STORE_FAMILY_PENDING, key);
        sweeper->removed++;
    }
    buf_fini(&value);
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* The mark that the import was to change a customer of an older one. */
static int erase_change(struct sweeper *sweeper, const struct store_outcome *outcome)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice key = store_rows_change_key(bytes, &sweeper->import.tenant, &outcome->import, &outcome->id);
    struct buf value;
    buf_init(&value, 0);
    int err = store_kv_get(sweeper->local->kv, NULL, STORE_FAMILY_CHANGE, key, &value);
    if (err == 0 && slice_equal(buf_view(&value), uuid_view(&sweeper->import.import))) {
        erase_row(sweeper, STORE_FAMILY_CHANGE, key);
    }
    buf_fini(&value);
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* A customer that the import updates: what it brought becomes the customer's record, or goes. */
static int settle_customer(struct sweeper *sweeper, const struct store_outcome *outcome)
{
    size_t rows = 0;
    int err = store_settle_customer(sweeper->local, sweeper->batch, &sweeper->import.tenant, &outcome->id, &rows);
    sweeper->budget -= rows < sweeper->budget ? rows : sweeper->budget;
    sweeper->removed += rows > 0 ? 1 : 0;
    return err == 0 && store_unfinished_ended(&sweeper->import) ? erase_change(sweeper, outcome) : err;
}

/* Customers of one chunk, as far as budget and step go; *whole when none is left. */
static int clear_chunk(struct sweeper *sweeper, struct slice outcomes, bool *whole)
{
    struct store_outcome outcome;
    bool ended = store_unfinished_ended(&sweeper->import);
    int err = store_rows_chain_read(&outcomes, NULL);
    *whole = true;
    while (err == 0 && store_rows_outcome_read(&outcomes, &outcome, &err)) {
        bool created = outcome.kind == STORE_CREATED && ended;
        if (!created && outcome.kind != STORE_UPDATED) {
            continue;
        }
        if (sweeper->budget == 0 || sweeper->removed == STEP_CUSTOMERS) {
            *whole = false;
            return err;
        }
        err = created ? erase_customer(sweeper, &outcome.id) : settle_customer(sweeper, &outcome);
    }
    return err;
}

/* The chunk that the walk stands at. The outcome row of an ended import goes when nothing else of it is left; of
 * one that is folded it stays, and the place is noted. */
static int clear_row(struct sweeper *sweeper, struct slice key, struct slice outcomes)
{
    bool whole = false;
    int err = clear_chunk(sweeper, outcomes, &whole);
    if (err != 0 || !whole) {
        return err;
    }
    if (store_unfinished_ended(&sweeper->import)) {
        erase_row(sweeper, STORE_FAMILY_OUTCOME, key);
        return 0;
    }
    buf_clear(&sweeper->local->folded_to);
    buf_append_slice(&sweeper->local->folded_to, key);
    return buf_error(&sweeper->local->folded_to);
}

/* Fills the batch with one step's work on the import; *end when that leaves nothing of it. */
static int fill_step(struct sweeper *sweeper, struct store_kv_view *rows, bool *end)
{
    struct store_kv *kv = sweeper->local->kv;
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice prefix = store_rows_pair_key(bytes, &sweeper->import.tenant, &sweeper->import.import);
    struct slice folded = buf_view(&sweeper->local->folded_to);
    bool goes_on = !store_unfinished_ended(&sweeper->import) && slice_starts(folded, prefix);
    struct store_kv_walk *walk = store_kv_walk_open(kv, rows, STORE_FAMILY_OUTCOME, prefix);
    struct slice key;
    struct slice outcomes;
    int err = 0;
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(kv, walk, goes_on ? folded : prefix, false);
    while (err == 0 && sweeper->budget > 0 && sweeper->removed < STEP_CUSTOMERS &&
           store_kv_walk_at(kv, walk, &key, &outcomes)) {
        err = clear_row(sweeper, key, outcomes);
        store_kv_walk_step(kv, walk);
    }
    *end = sweeper->budget > 0 && sweeper->removed < STEP_CUSTOMERS && !store_kv_walk_at(kv, walk, &key, &outcomes);
    int broken = store_kv_walk_close(kv, &walk);
    if (err == 0 && broken == 0 && *end) {
        erase_row(sweeper, STORE_FAMILY_UNFINISHED, prefix);
    }
    return err == 0 ? broken : err;
}

/* Writes the step. The import leaves the set behind the write of its end. */
static int write_step(struct sweeper *sweeper, bool end)
{
    struct store_local *local = sweeper->local;
    struct store_unfinished_set *next = NULL;
    if (end) {
        struct store_unfinished gone = {.tenant = sweeper->import.tenant, .import = sweeper->import.import};
        next = store_unfinished_change(local->unfinished, &gone, 1);
        if (next == NULL) {
            return ERR_NO_MEMORY;
        }
    }
    int err = store_local_write(local, sweeper->batch, false);
    if (err == 0 && next != NULL) {
        store_local_publish(local, next);
        next = NULL;
    }
    store_unfinished_release(&next);
    return err;
}

/* One step on one import that has ended; *left when there was one. Both locks are held. */
static int step(struct sweeper *sweeper, bool *left)
{
    struct store_local *local = sweeper->local;
    const struct store_unfinished_set *set = local->unfinished;
    size_t at = 0;
    while (at < set->count && set->entries[at].state == IMPORT_OPEN) {
        at++;
    }
    *left = at < set->count;
    if (!*left || sweeper->budget == 0) {
        return 0;
    }
    sweeper->import = set->entries[at];
    sweeper->removed = 0;
    uint8_t key[STORE_ROW_KEY_BYTES];
    store_kv_lock(local->kv, STORE_FAMILY_UNFINISHED,
                  store_rows_pair_key(key, &sweeper->import.tenant, &sweeper->import.import), false);
    struct store_kv_view *rows = store_kv_view_open(local->kv);
    if (rows == NULL) {
        return ERR_NO_MEMORY;
    }
    bool end = false;
    int err = fill_step(sweeper, rows, &end);
    store_kv_view_close(local->kv, &rows);
    err = err == 0 ? write_step(sweeper, end) : err;
    store_kv_batch_clear(local->kv, sweeper->batch);
    if (err != 0) {
        buf_clear(&local->folded_to); /* it is ahead of what is written */
    }
    return err;
}

int store_sweep_customer(struct store_local *local, struct store_kv_batch *batch, const struct uuid *tenant,
                         const struct uuid *import, const struct uuid *id)
{
    struct sweeper sweeper = {
        .local = local, .batch = batch, .budget = SIZE_MAX, .import = {.tenant = *tenant, .import = *import}};
    return erase_customer(&sweeper, id);
}

int store_local_sweep(struct store *store, size_t limit, bool *left)
{
    struct sweeper sweeper = {.local = store_local_of(store), .budget = limit};
    int err = store_local_health(sweeper.local);
    sweeper.batch = store_kv_batch_new(sweeper.local->kv);
    *left = true;
    if (sweeper.batch == NULL) {
        return ERR_NO_MEMORY;
    }
    bool more = true;
    while (err == 0 && more) {
        more = sweeper.budget > 0; /* else this step only looks what is left */
        pthread_mutex_lock(&sweeper.local->commit_lock);
        pthread_mutex_lock(&sweeper.local->secret_lock);
        err = step(&sweeper, left);
        pthread_mutex_unlock(&sweeper.local->secret_lock);
        store_local_unlock(sweeper.local);
        more = more && *left;
    }
    store_kv_batch_free(sweeper.local->kv, &sweeper.batch);
    return err;
}
