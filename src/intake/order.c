/*
 * In order again: workers end chunks in any order, but faults are listed, and customers kept, in the
 * order of the body. A chunk that is early waits in its import's row of ready chunks.
 *
 * An import fails once, at the first chunk in order that has an error or (being atomic) a fault;
 * from then on nothing of it goes to the keeper but its last chunk, which writes how it ended. Later
 * chunks are still checked, so that all faults are listed.
 */
#include <assert.h>

#include "intake/intake_priv.h"

void import_add_fault(struct intake_import *import, const struct intake_fault *fault)
{
    import->fault_total++;
    import->failed = true;
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

static void add_finding_count(struct store_import *row, const struct store_finding_count *add)
{
    for (size_t i = 0; i < STORE_FINDING_CODES; i++) {
        struct store_finding_count *slot = &row->finding_counts[i];
        if (slot->count == 0) {
            *slot = *add;
            return;
        }
        if (strcmp(slot->code, add->code) == 0) {
            slot->count += add->count;
            return;
        }
    }
}

static void merge_findings(struct intake_import *import, const struct intake_chunk *chunk)
{
    import->row.findings += chunk->finding_total;
    for (size_t i = 0; i < STORE_FINDING_CODES && chunk->finding_counts[i].count > 0; i++) {
        add_finding_count(&import->row, &chunk->finding_counts[i]);
    }
}

static void merge_faults(struct intake_import *import, const struct intake_chunk *chunk)
{
    if (chunk->fault_total > 0) {
        import->conflicts_only = false;
    }
    for (size_t i = 0; i < chunk->fault_count; i++) {
        import_add_fault(import, &chunk->faults[i]);
    }
    import->fault_total += chunk->fault_total - chunk->fault_count;
}

/* This chunk's turn has come. Import lock held. */
static void take_turn(struct intake_import *import, struct intake_chunk *chunk)
{
    if (chunk->error != 0) {
        import->failed = true;
        if (import->error == 0) {
            import->error = chunk->error;
            import->place = chunk->place;
        }
    }
    merge_faults(import, chunk);
    merge_findings(import, chunk);
    import->row.received += chunk_count(chunk);
}

static struct intake_chunk *next_ready(struct intake_import *import)
{
    struct intake_chunk **slot = &import->ready[import->next % import->ready_slots];
    struct intake_chunk *chunk = *slot;
    *slot = NULL;
    return chunk;
}

void order_chunk(struct intake_chunk *chunk)
{
    struct intake_import *import = chunk->import;
    struct intake *intake = import->intake;
    pthread_mutex_lock(&import->lock);
    assert(import->ready[chunk->number % import->ready_slots] == NULL);
    import->ready[chunk->number % import->ready_slots] = chunk;
    struct list dropped;
    list_init(&dropped);
    for (chunk = next_ready(import); chunk != NULL; chunk = next_ready(import)) {
        import->next++;
        take_turn(import, chunk);
        if (import->failed && !chunk->last) {
            list_append(&dropped, &chunk->link);
            continue;
        }
        bool pushed = queue_try_push(intake->keep, chunk);
        assert(pushed); /* as large as the work queue */
        (void)pushed;
    }
    pthread_mutex_unlock(&import->lock);
    for (struct list *link = list_take_first(&dropped); link != NULL; link = list_take_first(&dropped)) {
        chunk_release(LIST_ENTRY(link, struct intake_chunk, link));
    }
}
