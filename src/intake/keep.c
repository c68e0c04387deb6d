/*
 * Keep: one thread commits groups of chunks of any number of imports, with one sync a group. While
 * it syncs, the next group gathers behind it in the queue: that is the group commit.
 *
 * An import's last chunk carries its row, `committed`; it must not share a group with an earlier chunk of
 * the same import, because an earlier chunk may be refused by the store in that very group. It is
 * carried over to the next group then. An import that fits one chunk never has its row `open`.
 */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "intake/intake_priv.h"

#define GROUP_CHUNKS 256u
#define GROUP_BYTES  (6u << 20)

#define OTHER_CONTENT                                                                                                  \
    SLICE("A customer with this external id exists and has other content; change the id or send the content that it "  \
          "has.")

struct group {
    struct intake *intake;
    struct intake_chunk *chunks[GROUP_CHUNKS];
    size_t count;
    struct intake_chunk *carried; /* first of the next group */
};

static bool has_import(const struct group *group, const struct intake_import *import)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->chunks[i]->import == import) {
            return true;
        }
    }
    return false;
}

/* ---- gathering ---- */

static struct intake_chunk *first_chunk(struct group *group)
{
    struct intake_chunk *chunk = group->carried;
    group->carried = NULL;
    return chunk != NULL ? chunk : queue_pop(group->intake->keep);
}

/* False when there is nothing left and never will be. */
static bool gather(struct group *group)
{
    group->count = 0;
    struct intake_chunk *chunk = first_chunk(group);
    if (chunk == NULL) {
        return false;
    }
    size_t bytes = 0;
    while (chunk != NULL) {
        if (chunk->last && chunk->number > 0 && has_import(group, chunk->import)) {
            group->carried = chunk;
            return true;
        }
        group->chunks[group->count++] = chunk;
        bytes += chunk->records.size;
        void *next = NULL;
        if (group->count < GROUP_CHUNKS && bytes < GROUP_BYTES) {
            queue_pop_many(group->intake->keep, &next, 1);
        }
        chunk = next;
    }
    return true;
}

/* ---- the chunk's commit ---- */

static bool has_failed(struct intake_import *import)
{
    pthread_mutex_lock(&import->lock);
    bool failed = import->failed;
    pthread_mutex_unlock(&import->lock);
    return failed;
}

static void fail_import(struct intake_import *import, int error)
{
    pthread_mutex_lock(&import->lock);
    import->failed = true;
    if (import->error == 0 && error != 0) {
        import->error = error;
    }
    pthread_mutex_unlock(&import->lock);
}

/* How the import ended, into its row. */
static void end_row(struct intake_import *import, uint8_t state, uint32_t chunks)
{
    struct store_import *row = &import->row;
    row->state = state;
    row->bytes = import->bytes;
    row->chunks = chunks;
    row->ended_ms = clock_real_ms();
    row->faults = import->fault_total;
    row->error = (int16_t)(import->error != 0 ? import->error : import->fault_total > 0 ? ERR_FAULTS : 0);
}

static bool has_envelope(const struct intake_import *import)
{
    static const uint8_t none[CRYPTO_MAC_BYTES];
    return memcmp(import->row.envelope_mac, none, sizeof none) != 0;
}

/* The item at `index` named a customer that the import `older` had brought. */
static int compare_older(struct intake_import *import, const struct uuid *older, uint64_t index)
{
    struct store_import row;
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_import_get(import->intake->options.store, &import->row.tenant, older, &row, &envelope);
    buf_fini(&envelope);
    if (err == 0 && memcmp(row.envelope_mac, import->row.envelope_mac, sizeof row.envelope_mac) != 0) {
        struct intake_fault fault = {
            .index = index, .code = err_code(ERR_EXTERNAL_ID_CONFLICT), .detail = OTHER_CONTENT};
        if (buf_error(&import->ids) == 0) {
            memcpy(&fault.customer, import->ids.data + index * sizeof fault.customer, sizeof fault.customer);
        }
        pthread_mutex_lock(&import->lock);
        import_add_fault(import, &fault);
        pthread_mutex_unlock(&import->lock);
    }
    return err == ERR_NOT_FOUND ? 0 : err;
}

/*
 * Customers that existed already may have come in another envelope (another project, another type):
 * that is other content. The store sees to it where a chunk brings the row; for the chunks before it is
 * done here, when the envelope is known.
 */
static void compare_envelopes(struct intake_import *import)
{
    size_t at = 0;
    struct slice key;
    uint64_t index;
    while (import->older != NULL && has_envelope(import) && map_each(import->older, &at, &key, &index)) {
        struct uuid older;
        memcpy(older.bytes, key.data, sizeof older.bytes);
        int err = compare_older(import, &older, index);
        if (err != 0) {
            fail_import(import, err);
        }
    }
}

/* What is committed of the chunk: all of it, or only how its import ended. */
static void prepare(struct intake_chunk *chunk)
{
    struct intake_import *import = chunk->import;
    if (chunk->last && !has_failed(import)) {
        compare_envelopes(import);
    }
    bool failed = has_failed(import);
    struct store_outcome *outcomes = chunk->commit.outcomes;
    chunk->commit = (struct store_chunk){.tenant = import->row.tenant,
                                         .import = import->id,
                                         .number = chunk->number,
                                         .customers = chunk->customers,
                                         .count = failed ? 0 : chunk_count(chunk),
                                         .atomic = true,
                                         .outcomes = outcomes};
    if (chunk->last) {
        end_row(import, failed ? IMPORT_ABORTED : IMPORT_COMMITTED, chunk->number + 1);
        chunk->commit.row = &import->row;
    } else if (!import->opened) {
        chunk->commit.row = &import->opening;
    }
}

/* ---- its outcome ---- */

static struct intake_fault conflict_fault(const struct intake_chunk *chunk, size_t index)
{
    const struct store_outcome *outcome = &chunk->commit.outcomes[index];
    struct intake_fault fault = {.index = chunk->first_index + index, .customer = outcome->id};
    if (outcome->kind == STORE_BUSY) {
        fault.code = err_code(ERR_BUSY);
        fault.detail =
            SLICE("Another import that is still running holds this item's external id; send it again later.");
    } else if (outcome->key_kind == IDENTIFIER_EXTERNAL_ID) {
        fault.code = err_code(ERR_EXTERNAL_ID_CONFLICT);
        fault.detail = OTHER_CONTENT;
    } else {
        fault.code = err_code(ERR_UNIQUE_CONFLICT);
        fault.detail = SLICE("Another customer has an identifier of this item that must be unique.");
    }
    return fault;
}

/* The store refused the chunk: its conflicts become faults. */
static void note_conflicts(struct intake_chunk *chunk)
{
    struct intake_import *import = chunk->import;
    pthread_mutex_lock(&import->lock);
    for (size_t i = 0; i < chunk->commit.count; i++) {
        uint8_t kind = chunk->commit.outcomes[i].kind;
        if (kind == STORE_CONFLICT || kind == STORE_BUSY) {
            struct intake_fault fault = conflict_fault(chunk, i);
            import_add_fault(import, &fault);
        }
    }
    pthread_mutex_unlock(&import->lock);
}

static void note_older(struct intake_import *import, const struct uuid *older, uint64_t index)
{
    if (import->older == NULL) {
        import->older = map_new();
    }
    if (import->older == NULL ||
        (!map_get(import->older, uuid_view(older), NULL) && map_put(import->older, uuid_view(older), index) != 0)) {
        fail_import(import, ERR_NO_MEMORY);
    }
}

static void note_ids(struct intake_chunk *chunk)
{
    struct intake_import *import = chunk->import;
    for (size_t i = 0; i < chunk->commit.count; i++) {
        const struct store_outcome *outcome = &chunk->commit.outcomes[i];
        buf_append(&import->ids, &outcome->id, sizeof outcome->id);
        if (!chunk->last && outcome->kind == STORE_EXISTING && !uuid_equal(&outcome->import, &import->id)) {
            note_older(import, &outcome->import, chunk->first_index + i);
        }
        if (chunk->commit.row != &import->row) { /* else the store has counted */
            import->row.created += outcome->kind == STORE_CREATED;
            import->row.existing += outcome->kind == STORE_EXISTING;
        }
    }
}

static bool has_pending(const struct intake_chunk *chunk)
{
    for (size_t i = 0; i < chunk->commit.count; i++) {
        if (chunk->customers[i].secrets_pending) {
            return true;
        }
    }
    return false;
}

/*
 * A last chunk that was refused, or whose commit failed, must still end its import: once more, without
 * customers. When that fails too, the store is in no state to take anything; its next start aborts what
 * is open.
 */
static void finish(struct group *group, struct intake_chunk *chunk, bool *again)
{
    struct intake_import *import = chunk->import;
    *again = false;
    if (chunk->commit.error != 0) {
        fail_import(import, chunk->commit.error);
        *again = chunk->last && import->opened && !import->ending;
        import->ending = true;
    } else if (chunk->commit.kept) {
        note_ids(chunk);
        import->opened = true;
        if (has_pending(chunk)) {
            hash_lane_wake(group->intake->hash_lane);
        }
    } else {
        note_conflicts(chunk);
        *again = chunk->last;
    }
    if (chunk->last && !*again) {
        import_done(import);
    }
    if (!*again) {
        chunk_release(chunk);
    }
}

static void commit(struct group *group)
{
    struct store_chunk *commits[GROUP_CHUNKS];
    for (size_t i = 0; i < group->count; i++) {
        prepare(group->chunks[i]);
        commits[i] = &group->chunks[i]->commit;
    }
    int err = store_commit(group->intake->options.store, commits, group->count);
    if (err != 0) {
        log_error(NULL, "commit failed", "\"code\":\"%s\",\"chunks\":%zu", err_code(err), group->count);
    }
    struct intake_chunk *repeated[GROUP_CHUNKS];
    size_t repeated_count = 0;
    for (size_t i = 0; i < group->count; i++) {
        struct intake_chunk *chunk = group->chunks[i];
        if (err != 0) {
            chunk->commit.error = err;
        }
        bool again;
        finish(group, chunk, &again);
        if (again) {
            repeated[repeated_count++] = chunk;
        }
    }
    if (repeated_count > 0) {
        /* Failed imports now: this commits their rows only and can't be refused. */
        memcpy(group->chunks, repeated, repeated_count * sizeof repeated[0]);
        group->count = repeated_count;
        commit(group);
    }
}

void *keeper_run(void *context)
{
    struct group group = {.intake = context};
    while (gather(&group)) {
        commit(&group);
    }
    return NULL;
}
