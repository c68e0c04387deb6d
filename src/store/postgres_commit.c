/*
 * Committing groups of chunks. Their unique keys are nearly always free, and asking for them costs the server about as
 * much as writing them. So a group is first decided blind: nothing is looked for, all is taken to be free and new, and
 * is written such that the primary keys refuse it where that was wrong. Then the transaction is gone, and the group is
 * decided once more, by what is there.
 *
 * The difficulty is to be wrong seldom: a client that sends again what it has sent makes every group wrong. So the
 * kind notes by tenant that a group was wrong, and goes blind again only when it has looked in vain for a while.
 */
#include <assert.h>
#include <stdlib.h>

#include "store/postgres_priv.h"

/* ---- when to look ---- */

#define DOUBT_PLACES 1024u /* tenants may share one */
#define DOUBT_GROUPS 16u

/* How many groups to look for before the next blind one; by tenant, whole imports and parts of them apart. */
struct store_pg_doubts {
    atomic_uint groups[DOUBT_PLACES][2];
};

struct store_pg_doubts *store_pg_doubts_new(void)
{
    return calloc(1, sizeof(struct store_pg_doubts));
}

static atomic_uint *doubt_of(struct store *store, const struct store_chunk *chunk)
{
    uint32_t bits;
    bool whole = chunk->number == 0 && chunk->row != NULL && chunk->row->state != IMPORT_OPEN;
    memcpy(&bits, chunk->tenant.bytes + UUID_BYTES - sizeof bits, sizeof bits);
    return &store_postgres_of(store)->doubts->groups[bits % DOUBT_PLACES][whole ? 1 : 0];
}

static bool goes_blind(struct store *store, struct store_chunk *const *chunks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (chunks[i]->on_existing == IMPORT_EXISTING_UPDATE || chunks[i]->dry ||
            atomic_load(doubt_of(store, chunks[i])) > 0) {
            return false;
        }
    }
    return true;
}

/* The group is done: `looked`, and found some or not. */
static void note_found(struct store *store, struct store_chunk *const *chunks, size_t count, bool looked, bool found)
{
    for (size_t i = 0; i < count && looked; i++) {
        atomic_uint *doubt = doubt_of(store, chunks[i]);
        unsigned was = atomic_load(doubt);
        if (found) {
            atomic_store(doubt, DOUBT_GROUPS);
        } else if (was > 0) {
            (void)atomic_compare_exchange_strong(doubt, &was, was - 1);
        }
    }
}

/* ---- the group ---- */

static int do_commit(struct store *store, struct store_pg_call *call)
{
    struct store_local *local = store_local_of(store);
    local->blind = call->blind;
    int err = store_local_commit(store, call->chunks, call->limit);
    if (local->doubtful) {
        store_link_fail(&call->lane->pg->link, TROUBLE_AGAIN, ERR_OVERLOADED);
    }
    call->looked = !call->blind;
    call->found = local->met;
    local->blind = false;
    local->doubtful = false;
    return err;
}

static int save(struct store_pg_call *call)
{
    int err = 0;
    for (size_t i = 0; i < call->limit; i++) {
        const struct store_chunk *chunk = call->chunks[i];
        call->saved[i].faults = chunk->faults;
        if (chunk->decided != NULL && chunk->faults.size > 0) {
            buf_append_slice(&call->saved[i].copy, chunk->faults);
            call->saved[i].faults = buf_view(&call->saved[i].copy);
            err = buf_error(&call->saved[i].copy) != 0 ? ERR_NO_MEMORY : err;
        }
        call->saved[i].forget = chunk->forget_request;
        if (chunk->row != NULL) {
            call->saved[i].row = *chunk->row;
        }
    }
    return err;
}

static void saved_free(struct store_pg_saved *saved, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_fini(&saved[i].copy);
    }
    free(saved);
}

static const struct uuid *only_tenant(struct store_chunk *const *chunks, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (!uuid_equal(&chunks[i]->tenant, &chunks[0]->tenant)) {
            return NULL;
        }
    }
    return count == 0 ? NULL : &chunks[0]->tenant;
}

/* What is surely new, mostly: then it is copied. */
static uint32_t fresh_families(struct store_chunk *const *chunks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (chunks[i]->on_existing == IMPORT_EXISTING_UPDATE) {
            return 0;
        }
    }
    return STORE_PG_FAMILY(STORE_FAMILY_BODY) | STORE_PG_FAMILY(STORE_FAMILY_SECRET) |
           STORE_PG_FAMILY(STORE_FAMILY_PENDING) | STORE_PG_FAMILY(STORE_FAMILY_PLAIN) |
           STORE_PG_FAMILY(STORE_FAMILY_UNIQUE);
}

int store_pg_commit_chunks(struct store *store, struct store_chunk *const *chunks, size_t count)
{
    bool blind = goes_blind(store, chunks, count);
    struct store_pg_call call = {.work = do_commit,
                                 .access = PG_WRITE,
                                 .tenant = only_tenant(chunks, count),
                                 .fresh = fresh_families(chunks, count),
                                 .blind = blind,
                                 .chunks = chunks,
                                 .limit = count,
                                 .saved = calloc(count + 1, sizeof *call.saved)};
    if (call.saved == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = save(&call);
    err = err == 0 ? store_pg_perform(store, &call) : err;
    note_found(store, chunks, count, call.looked, call.found || blind);
    if (err != 0) {
        store_pg_restore(&call);
        for (size_t i = 0; i < count; i++) {
            chunks[i]->error = err;
            chunks[i]->faults = call.saved[i].copy.size > 0 ? SLICE_NONE : chunks[i]->faults; /* the copy goes */
        }
    }
    saved_free(call.saved, count);
    return err;
}
