/*
 * In order again: workers end chunks in any order, but faults are listed, and customers kept, in the
 * order of the body. A chunk that is early waits in its import's row of ready chunks.
 *
 * An import fails once, at the first chunk in order that has an error or (being atomic) a fault;
 * from then on no customer of it is kept, and its last chunk writes how it ended. Later chunks are
 * still checked, so that all refused items are told.
 */
#include <assert.h>

#include "intake/intake_priv.h"

void import_add_fault(struct intake_import *import, const struct intake_fault *fault)
{
    if (import->fault_count == LIMIT_FAULTS) {
        return;
    }
    if (import->faults == NULL) {
        import->faults = arena_take(import->fault_arena, LIMIT_FAULTS * sizeof *import->faults);
    }
    if (import->faults == NULL) {
        return;
    }
    struct intake_fault *copy = &import->faults[import->fault_count++];
    *copy = *fault;
    copy->pointer = arena_copy(import->fault_arena, fault->pointer);
    copy->detail = arena_copy(import->fault_arena, fault->detail);
    copy->hint = arena_copy(import->fault_arena, fault->hint);
}

static void merge_counts(struct store_finding_count *counts, size_t room, const struct store_finding_count *add)
{
    for (size_t i = 0; i < room && add[i].count > 0; i++) {
        counts_add(counts, room, add[i].code, add[i].count);
    }
}

/* The report of an atomic import stops at a number of items: it is for mending, not for keeping what was refused. */
static void bound_report(const struct intake_import *import, struct intake_chunk *chunk)
{
    if (!import->admission.partial && import->counts.progress.refused > LIMIT_REPORTED_ITEMS) {
        buf_clear(&chunk->refusals_row);
    }
}

static void merge_findings(struct intake_import *import, struct intake_chunk *chunk)
{
    struct intake_counts *counts = &import->counts;
    counts->faults += chunk->fault_total;
    counts->progress.refused += chunk->refused;
    counts->progress.findings += chunk->finding_total;
    merge_counts(counts->finding_counts, STORE_FINDING_CODES, chunk->finding_counts);
    merge_counts(counts->fault_counts, STORE_FAULT_CODES, chunk->fault_counts);
    for (size_t i = 0; i < chunk->fault_count; i++) {
        import_add_fault(import, &chunk->faults[i]);
    }
    bool of_envelope = chunk->fault_count > 0;
    import->failed = import->failed || of_envelope || (chunk->refused > 0 && !import->admission.partial);
    bound_report(import, chunk);
}

/* A body that its client did not end, or a failure that may pass: with a key, what was kept waits for a retry. */
static bool may_be_resumed(const struct intake_import *import, int error)
{
    return import->admission.keyed && !import->failed && (error == ERR_CUT_OFF || err_is_temporary(error));
}

/* Whether the chunk stands for one that the key's import has kept. From the spool comes that import's own body. */
static bool is_retried(const struct intake_import *import, const struct intake_chunk *chunk)
{
    return chunk->followed && !import->admission.spooled;
}

/* A body that can't be read is not the one that the key's import has kept chunks of. */
static bool is_unreadable(int error)
{
    return error == ERR_MALFORMED_JSON || error == ERR_MALFORMED_CSV || error == ERR_MALFORMED_ENVELOPE ||
           error == ERR_ITEM_TOO_LARGE;
}

/* Whether the body is the key's can't be told: its packing is damaged, or it is beyond a limit by now. */
static bool is_unknown(int error)
{
    return error == ERR_MALFORMED_ENCODING || error == ERR_TOO_LARGE || error == ERR_TOO_MANY_ITEMS;
}

/* A body that is not the key's must leave what the key's import has alone; unless that is to be aborted. */
static bool spares_kept(struct intake_import *import, const struct intake_chunk *chunk)
{
    bool other = chunk->error == ERR_KEY_REUSED || (is_retried(import, chunk) && is_unknown(chunk->error));
    return other && !atomic_load(&import->aborting);
}

static void note_error(struct intake_import *import, const struct intake_chunk *chunk)
{
    import->left = import->left || spares_kept(import, chunk) || may_be_resumed(import, chunk->error);
    import->failed = import->failed || !import->left;
    if (import->error == 0) {
        import->error = chunk->error;
        import->place = chunk->place;
    }
}

/* This chunk's turn has come. Import lock held. */
static void take_turn(struct intake_import *import, struct intake_chunk *chunk)
{
    int err = chunk->error == 0 && import->admission.keyed && !import->left ? follow_turn(import, chunk) : 0;
    chunk->error = chunk->error == 0 ? err : chunk->error;
    if (is_retried(import, chunk) && is_unreadable(chunk->error)) {
        chunk->error = ERR_KEY_REUSED;
        chunk->place = (struct json_error){0};
    }
    if (chunk->error != 0) {
        note_error(import, chunk);
    }
    if (import->follow != FOLLOW_ALL) {
        merge_findings(import, chunk);
        import->counts.progress.received += chunk_count(chunk);
    }
}

/* Whether anything of the chunk is for the store. */
static bool has_to_be_kept(const struct intake_import *import, const struct intake_chunk *chunk)
{
    if (chunk->last) {
        return import->follow != FOLLOW_ALL; /* one that is left still waits for what stands before it */
    }
    if (chunk->followed || import->left) {
        return false;
    }
    return !import->failed || chunk->refusals_row.size > 0;
}

static struct intake_chunk *next_ready(struct intake_import *import)
{
    struct intake_chunk **slot = &import->ready[import->next % import->ready_slots];
    struct intake_chunk *chunk = *slot;
    *slot = NULL;
    return chunk;
}

static void drop(struct intake_chunk *chunk)
{
    if (chunk->last) {
        import_done(chunk->import);
    }
    chunk_release(chunk);
}

void order_chunk(struct intake_chunk *chunk)
{
    struct intake_import *import = chunk->import;
    pthread_mutex_lock(&import->lock);
    assert(import->ready[chunk->number % import->ready_slots] == NULL);
    import->ready[chunk->number % import->ready_slots] = chunk;
    struct list dropped;
    list_init(&dropped);
    for (chunk = next_ready(import); chunk != NULL; chunk = next_ready(import)) {
        import->next++;
        take_turn(import, chunk);
        if (!has_to_be_kept(import, chunk)) {
            list_append(&dropped, &chunk->link);
            continue;
        }
        chunk_push(chunk->number < LANE_FROM ? import->track->keep : import->track->lane, chunk);
    }
    pthread_mutex_unlock(&import->lock);
    for (struct list *link = list_take_first(&dropped); link != NULL; link = list_take_first(&dropped)) {
        drop(LIST_ENTRY(link, struct intake_chunk, link));
    }
}
