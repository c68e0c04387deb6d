/*
 * Check and seal by themselves, for `muster bench`: the same code as in a worker, over one chunk of
 * a body in memory, by the calling thread.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "intake/intake_priv.h"

/* The first items of the body, as the splitter cuts them, up to one chunk. */
static int fill(struct intake_import *import, struct slice body)
{
    struct intake_chunk *chunk = import->filling;
    struct slice bytes;
    while (chunk_count(chunk) < LIMIT_CHUNK_ITEMS && body.size > 0) {
        if (json_splitter_next(import->splitter, &body, &bytes) != JSON_SPLIT_ITEM_END) {
            break;
        }
        struct chunk_item item = {.at = chunk->text.size, .size = bytes.size};
        buf_append_slice(&chunk->text, bytes);
        buf_append(&chunk->items, &item, sizeof item);
    }
    return chunk_count(chunk) == 0 ? ERR_MALFORMED_ENVELOPE : buf_error(&chunk->text);
}

static int check_only(struct intake_worker *worker, const struct intake_chunk *chunk)
{
    struct contract_options options = {.scopes = SCOPE_ALL, .fault_limit = 1};
    int err = 0;
    for (size_t i = 0; i < chunk_count(chunk) && err == 0; i++) {
        const struct chunk_item *item = chunk_item_at(chunk, i);
        struct json_doc doc;
        struct json_error place;
        struct contract_result result;
        err = json_parse(worker->parser, slice_make(chunk->text.data + item->at, item->size), &JSON_LIMITS_DEFAULT,
                         &doc, &place);
        arena_rewind(worker->arena);
        if (err == 0) {
            err = contract_check_item(chunk->import->admission.contract, &doc, &options, worker->arena, &result);
        }
    }
    return err;
}

/* What a round leaves in the chunk is thrown away before the next. */
static void rewind_chunk(struct intake_chunk *chunk)
{
    arena_rewind(chunk->arena);
    buf_clear(&chunk->records);
    chunk->faults = NULL;
    chunk->fault_count = 0;
    chunk->fault_total = 0;
    chunk->finding_total = 0;
    chunk->error = 0;
}

static int measure(struct intake_worker *worker, struct intake_chunk *chunk, double seconds, uint64_t *items,
                   int64_t *check_ns, int64_t *seal_ns)
{
    int64_t until = clock_monotonic_ns() + (int64_t)(seconds * 1e9);
    int err = buf_reserve(&chunk->text, JSON_PADDING);
    while (err == 0 && clock_monotonic_ns() < until) {
        int64_t start = clock_thread_cpu_ns();
        err = check_only(worker, chunk);
        int64_t checked = clock_thread_cpu_ns();
        rewind_chunk(chunk);
        if (err == 0) {
            chunk_check(worker, chunk);
            err = chunk->fault_total > 0 ? ERR_FAULTS : chunk->error;
        }
        /* chunk_check is check and seal in one go; the difference is seal. */
        *check_ns += checked - start;
        *seal_ns += clock_thread_cpu_ns() - checked - (checked - start);
        *items += chunk_count(chunk);
    }
    return err;
}

int intake_measure(const struct contract *contract, const struct auth_tenant *tenant, struct slice body, double seconds,
                   uint64_t *items, int64_t *check_ns, int64_t *seal_ns)
{
    struct intake intake = {.options = {.request_chunks = 2, .memory_bytes = SIZE_MAX}};
    struct intake_import import = {
        .intake = &intake,
        .started_ms = clock_real_ms(),
        .references = 1,
        .admission = {.contract = contract, .grant = {.tenant = tenant, .scopes = SCOPE_ALL}}};
    struct intake_worker worker = {.intake = &intake};
    pthread_mutex_init(&intake.lock, NULL);
    list_init(&intake.pool);
    list_init(&intake.resting);
    *items = 0;
    *check_ns = 0;
    *seal_ns = 0;
    import.splitter = json_splitter_new(contract_info(contract)->items, LIMIT_ENVELOPE_BYTES);
    import.filling = chunk_take(&import, true);
    int err = worker_init(&worker);
    if (import.splitter == NULL || import.filling == NULL) {
        err = ERR_NO_MEMORY;
    }
    if (err == 0) {
        err = fill(&import, body);
    }
    if (err == 0) {
        err = measure(&worker, import.filling, seconds, items, check_ns, seal_ns);
    }
    if (import.filling != NULL) {
        chunk_release(import.filling);
    }
    chunk_pool_free(&intake);
    worker_fini(&worker);
    json_splitter_free(&import.splitter);
    pthread_mutex_destroy(&intake.lock);
    return err;
}
