/*
 * Check: each item of a chunk is parsed and run through its contract, and sealed at once, while its
 * tape is there and its bytes are warm. Faults and findings are copied into the chunk; the last
 * chunk also brings the envelope.
 */
#include <stdlib.h>

#include "intake/intake_priv.h"

#define ITEM_ARENA_BLOCK_BYTES (64u << 10)
#define ITEM_ARENA_LIMIT_BYTES (64u << 20)

int worker_init(struct intake_worker *worker)
{
    worker->parser = json_parser_new(LIMIT_ITEM_BYTES + LIMIT_ENVELOPE_BYTES);
    worker->arena = arena_new(ITEM_ARENA_BLOCK_BYTES, ITEM_ARENA_LIMIT_BYTES);
    buf_init(&worker->canonical, 0);
    buf_init(&worker->document, 0);
    buf_init(&worker->findings, 0);
    buf_init(&worker->card, 0);
    buf_init(&worker->normal, 0);
    return worker->parser == NULL || worker->arena == NULL ? ERR_NO_MEMORY : 0;
}

void worker_fini(struct intake_worker *worker)
{
    json_parser_free(&worker->parser);
    arena_free(&worker->arena);
    buf_fini(&worker->canonical);
    buf_fini(&worker->document);
    buf_fini(&worker->findings);
    buf_fini(&worker->card);
    buf_fini(&worker->normal);
}

static void add_faults(struct intake_chunk *chunk, bool of_envelope, uint64_t index,
                       const struct contract_result *result)
{
    chunk->fault_total += result->fault_total;
    for (size_t i = 0; i < result->fault_count && chunk->fault_count < LIMIT_FAULTS; i++) {
        if (chunk->faults == NULL) {
            chunk->faults = arena_take(chunk->arena, LIMIT_FAULTS * sizeof *chunk->faults);
        }
        if (chunk->faults == NULL) {
            return;
        }
        const struct contract_fault *fault = &result->faults[i];
        chunk->faults[chunk->fault_count++] = (struct intake_fault){.of_envelope = of_envelope,
                                                                    .index = index,
                                                                    .code = fault->code,
                                                                    .pointer = arena_copy(chunk->arena, fault->pointer),
                                                                    .detail = arena_copy(chunk->arena, fault->detail),
                                                                    .hint = arena_copy(chunk->arena, fault->hint)};
    }
}

static void count_finding(struct intake_chunk *chunk, const char *code)
{
    for (size_t i = 0; i < STORE_FINDING_CODES; i++) {
        struct store_finding_count *slot = &chunk->finding_counts[i];
        if (slot->count == 0) {
            size_t size = strnlen(code, sizeof slot->code - 1);
            memcpy(slot->code, code, size);
        }
        if (strcmp(slot->code, code) == 0) {
            slot->count++;
            return;
        }
    }
}

static void add_findings(struct intake_chunk *chunk, const struct contract_result *result)
{
    chunk->finding_total += result->finding_count;
    for (size_t i = 0; i < result->finding_count; i++) {
        count_finding(chunk, result->findings[i].code);
    }
}

static void fail(struct intake_chunk *chunk, int error)
{
    if (chunk->error == 0) {
        chunk->error = error;
    }
}

/* The parser's place in the item, counted from where the item begins in the body. */
static void fail_parse(struct intake_chunk *chunk, int error, const struct json_error *place,
                       const struct json_error *begin)
{
    chunk->error = error;
    chunk->place = *place;
    chunk->place.offset += begin->offset;
    chunk->place.line += begin->line - 1;
    if (place->line == 1) {
        chunk->place.column += begin->column - 1;
    }
}

static struct contract_options options_of(const struct intake_import *import, const struct intake_chunk *chunk)
{
    return (struct contract_options){.scopes = import->admission.grant.scopes,
                                     .strict = import->admission.strict,
                                     .fault_limit = LIMIT_FAULTS - chunk->fault_count};
}

/* The tenant comes from the token (P7): a body that names another one is refused, whether a contract knows the
 * member or not. */
static int check_tenant(const struct intake_import *import, const struct json_doc *doc)
{
    json_at at = json_member(doc, json_root(doc), SLICE("tenantId"));
    bool other = at != 0 && (json_type(doc, at) != JSON_STRING ||
                             !slice_equal_text(json_string(doc, at), import->admission.grant.tenant->name));
    return other ? ERR_TENANT_MISMATCH : 0;
}

/* Parses, checks and seals one item. Non-zero ends the chunk. */
static int check_one(struct intake_worker *worker, struct intake_chunk *chunk, size_t index)
{
    const struct intake_import *import = chunk->import;
    const struct chunk_item *item = chunk_item_at(chunk, index);
    struct json_doc doc;
    struct json_error place = {0};
    int err = json_parse(worker->parser, slice_make(chunk->text.data + item->at, item->size), &JSON_LIMITS_DEFAULT,
                         &doc, &place);
    if (err != 0) {
        fail_parse(chunk, err, &place, &item->begin);
        return err;
    }
    err = check_tenant(import, &doc);
    if (err != 0) {
        return err;
    }
    arena_rewind(worker->arena);
    struct contract_options options = options_of(import, chunk);
    struct contract_result result;
    err = contract_check_item(import->admission.contract, &doc, &options, worker->arena, &result);
    if (err == 0 && result.fault_total > 0) {
        add_faults(chunk, false, chunk->first_index + index, &result);
    }
    if (err == 0 && result.finding_count > 0) {
        add_findings(chunk, &result);
    }
    /* One fault and nothing of an atomic import is kept: sealing the rest would be for nothing. */
    if (err == 0 && chunk->fault_total == 0) {
        err = seal_item(worker, chunk, index, &doc, &result);
    }
    return err;
}

/* The project that the envelope names must be one that the token may use. */
static int check_project(struct intake_import *import, const struct json_doc *doc)
{
    const struct contract_info *info = contract_info(import->admission.contract);
    const struct auth_grant *grant = &import->admission.grant;
    json_at at = info->project.size == 0 ? 0 : json_at_pointer(doc, json_root(doc), info->project);
    if (at == 0 || json_type(doc, at) != JSON_STRING) {
        return 0;
    }
    struct slice project = json_string(doc, at);
    if (project.size == 0 || project.size > LIMIT_NAME_BYTES) {
        return ERR_PROJECT_UNKNOWN;
    }
    if (grant->project[0] != '\0' && !slice_equal_text(project, grant->project)) {
        return ERR_PROJECT_UNKNOWN;
    }
    int err = auth_project_use(import->intake->options.auth, grant->tenant, project);
    if (err == 0) {
        memcpy(import->row.project, project.data, project.size);
    }
    return err;
}

static void note_type(struct intake_import *import, const struct json_doc *doc)
{
    const struct contract_info *info = contract_info(import->admission.contract);
    json_at at = info->type.size == 0 ? 0 : json_at_pointer(doc, json_root(doc), info->type);
    if (at != 0 && json_type(doc, at) == JSON_STRING) {
        struct slice type = json_string(doc, at);
        memcpy(import->row.type, type.data, type.size < LIMIT_NAME_BYTES ? type.size : LIMIT_NAME_BYTES);
    }
}

static int check_envelope_text(struct intake_worker *worker, struct intake_chunk *chunk, struct slice text)
{
    struct intake_import *import = chunk->import;
    struct json_doc doc;
    struct json_error place = {0};
    int err = json_parse(worker->parser, text, &JSON_LIMITS_DEFAULT, &doc, &place);
    if (err != 0) {
        chunk->place = json_splitter_envelope_place(import->splitter, &place);
        return err;
    }
    err = check_tenant(import, &doc);
    if (err != 0) {
        return err;
    }
    arena_rewind(worker->arena);
    struct contract_options options = options_of(import, chunk);
    struct contract_result result;
    err = contract_check_envelope(import->admission.contract, &doc, &options, worker->arena, &result);
    if (err != 0) {
        return err;
    }
    add_faults(chunk, true, 0, &result);
    add_findings(chunk, &result);
    if (result.fault_total > 0) {
        return 0;
    }
    note_type(import, &doc);
    err = check_project(import, &doc);
    return err != 0 ? err : seal_envelope(worker, import, &doc, &result);
}

/* The envelope is copied with the padding that the parser needs. */
static int check_envelope(struct intake_worker *worker, struct intake_chunk *chunk)
{
    struct slice envelope = json_splitter_envelope(chunk->import->splitter);
    if (envelope.size == 0) {
        return 0;
    }
    struct buf text;
    buf_init(&text, 0);
    int err = buf_reserve(&text, envelope.size + JSON_PADDING);
    if (err == 0) {
        buf_append_slice(&text, envelope);
        memset(text.data + text.size, 0, JSON_PADDING);
        err = check_envelope_text(worker, chunk, buf_view(&text));
    }
    buf_fini(&text);
    return err;
}

void chunk_check(struct intake_worker *worker, struct intake_chunk *chunk)
{
    size_t count = chunk_count(chunk);
    int err = seal_prepare(chunk);
    if (err == 0) {
        err = buf_reserve(&chunk->text, JSON_PADDING);
    }
    /* A body that was refused may still have had faulty items before the refusal; the refusal wins. */
    for (size_t i = 0; i < count && err == 0 && chunk->error == 0; i++) {
        err = check_one(worker, chunk, i);
    }
    if (err == 0 && chunk->error == 0 && chunk->last) {
        err = check_envelope(worker, chunk);
    }
    if (err == 0) {
        err = arena_error(chunk->arena);
    }
    if (err != 0) {
        fail(chunk, err);
    }
    seal_finish(chunk);
}
