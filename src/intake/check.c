/*
 * Check: each item of a chunk is parsed and run through its contract, and sealed at once, while its
 * tape is there and its bytes are warm. An item with faults goes into the chunk's refusals (refuse.c)
 * instead; findings are counted; the last chunk also brings the envelope.
 *
 * A partial import goes on behind an item that can't even be parsed; an atomic one is refused with its place.
 */
#include <stdlib.h>

#include "intake/intake_priv.h"

#define ITEM_ARENA_BLOCK_BYTES (64u << 10)
#define ITEM_ARENA_LIMIT_BYTES (64u << 20)
#define REFUSALS_FULL_BYTES    (4u << 20)
#define FAULTS_WHEN_FULL       8u

int worker_init(struct intake_worker *worker)
{
    worker->parser = json_parser_new(LIMIT_ITEM_BYTES + LIMIT_ENVELOPE_BYTES);
    worker->arena = arena_new(ITEM_ARENA_BLOCK_BYTES, ITEM_ARENA_LIMIT_BYTES);
    buf_init(&worker->canonical, 0);
    buf_init(&worker->document, 0);
    buf_init(&worker->findings, 0);
    buf_init(&worker->card, 0);
    buf_init(&worker->normal, 0);
    buf_init(&worker->item, LIMIT_ITEM_BYTES + JSON_PADDING);
    buf_init(&worker->blank, 0);
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
    crypto_wipe(worker->item.data, worker->item.capacity);
    buf_fini(&worker->item);
    buf_fini(&worker->blank);
    if (worker->aside != NULL) {
        worker_fini(worker->aside);
        free(worker->aside);
        worker->aside = NULL;
    }
}

/* Faults of the envelope. */
static void add_faults(struct intake_chunk *chunk, const struct contract_result *result)
{
    chunk->fault_total += result->fault_total;
    if (result->fault_count == 0) {
        return;
    }
    chunk->faults = arena_take(chunk->arena, result->fault_count * sizeof *chunk->faults);
    if (chunk->faults == NULL) {
        return;
    }
    for (size_t i = 0; i < result->fault_count; i++) {
        const struct contract_fault *fault = &result->faults[i];
        counts_add(chunk->fault_counts, STORE_FAULT_CODES, fault->code, 1);
        chunk->faults[chunk->fault_count++] = (struct intake_fault){.of_envelope = true,
                                                                    .code = fault->code,
                                                                    .pointer = arena_copy(chunk->arena, fault->pointer),
                                                                    .detail = arena_copy(chunk->arena, fault->detail),
                                                                    .hint = arena_copy(chunk->arena, fault->hint)};
    }
}

static void add_findings(struct intake_chunk *chunk, const struct contract_result *result)
{
    chunk->finding_total += result->finding_count;
    for (size_t i = 0; i < result->finding_count; i++) {
        counts_add(chunk->finding_counts, STORE_FINDING_CODES, result->findings[i].code, 1);
    }
}

static void fail(struct intake_chunk *chunk, int error)
{
    if (chunk->error == 0) {
        chunk->error = error;
    }
}

static struct contract_options options_of(const struct intake_import *import, const struct intake_chunk *chunk)
{
    /* What a chunk of nothing but faults may hold of them is bounded; they are counted all the same. */
    bool full = chunk->refusals.plain.size > REFUSALS_FULL_BYTES;
    return (struct contract_options){.scopes = import->admission.grant.scopes,
                                     .strict = import->admission.strict,
                                     .fault_limit = full ? FAULTS_WHEN_FULL : LIMIT_FAULTS};
}

/* ---- parsing ---- */

/* A place in the item, counted from where the item begins in the body. */
static void place_in_body(struct json_error *place, const struct json_error *begin)
{
    place->offset += begin->offset;
    if (place->line == 1) {
        place->column += begin->column - 1;
    }
    place->line += begin->line - 1;
}

static int row_to_json(struct intake_worker *worker, const struct intake_chunk *chunk, size_t index, struct slice *text,
                       struct json_error *place)
{
    buf_clear(&worker->item);
    int err = csv_row_to_json(chunk->import->header, *text, &worker->item, place);
    if (err == ERR_TOO_LARGE || worker->item.size > LIMIT_ITEM_BYTES) {
        *place = chunk_item_at(chunk, index)->begin;
        place->reason = "The row is larger than 1 MiB as JSON, with the names of its columns.";
        return ERR_ITEM_TOO_LARGE;
    }
    if (err == ERR_MALFORMED_CSV) {
        place_in_body(place, &chunk_item_at(chunk, index)->begin);
    }
    err = err == 0 ? buf_reserve(&worker->item, JSON_PADDING) : err;
    *text = buf_view(&worker->item);
    return err;
}

/* The members that a list of faults has besides the item's own; such a list may be mended and sent as it is. */
static const struct slice REPORT_MEMBERS[] = {{"_row", 4}, {"_pointer", 8}, {"_code", 5}, {"_detail", 7}};
#define REPORT_COUNT (sizeof REPORT_MEMBERS / sizeof REPORT_MEMBERS[0])

static int edit_order(const void *a, const void *b)
{
    json_at left = ((const struct json_edit *)a)->at;
    json_at right = ((const struct json_edit *)b)->at;
    return left < right ? -1 : left > right;
}

static int drop_report(struct intake_worker *worker, struct json_doc *doc, struct json_error *place)
{
    struct json_edit edits[REPORT_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        json_at at = json_member(doc, json_root(doc), REPORT_MEMBERS[i]);
        if (at != 0) {
            edits[count++] = (struct json_edit){.kind = JSON_EDIT_DROP, .at = at};
        }
    }
    qsort(edits, count, sizeof edits[0], edit_order);
    buf_clear(&worker->item);
    json_append_minified(&worker->item, doc, json_root(doc), edits, count);
    int err = buf_reserve(&worker->item, JSON_PADDING);
    return err != 0 ? err : json_parse(worker->parser, buf_view(&worker->item), &JSON_LIMITS_DEFAULT, doc, place);
}

int check_parse(struct intake_worker *worker, const struct intake_chunk *chunk, size_t index, struct json_doc *doc,
                struct json_error *place)
{
    struct slice text = chunk_item_text(chunk, index);
    bool is_row = chunk->import->admission.format == IMPORT_CSV;
    *place = (struct json_error){0};
    int err = is_row ? row_to_json(worker, chunk, index, &text, place) : 0;
    if (err != 0) {
        return err;
    }
    err = json_parse(worker->parser, text, &JSON_LIMITS_DEFAULT, doc, place);
    if (err == ERR_MALFORMED_JSON && is_row) {
        const char *reason = place->reason;
        *place = chunk_item_at(chunk, index)->begin; /* a place in what was made of the row tells nobody anything */
        place->reason = reason;
    } else if (err == ERR_MALFORMED_JSON) {
        place_in_body(place, &chunk_item_at(chunk, index)->begin);
    } else if (err == 0 && !is_row && json_member(doc, json_root(doc), REPORT_MEMBERS[0]) != 0) {
        err = drop_report(worker, doc, place);
    }
    return err;
}

/* An item that can't be read: a fault of a partial import, the end of an atomic one. */
static int refuse_unread(struct intake_worker *worker, struct intake_chunk *chunk, size_t index, int err,
                         const struct json_error *place)
{
    bool of_item = err == ERR_MALFORMED_JSON || err == ERR_MALFORMED_CSV || err == ERR_ITEM_TOO_LARGE;
    if (!of_item || !chunk->import->admission.partial) {
        chunk->place = *place;
        return err;
    }
    struct contract_fault fault = {.code = err_code(err), .detail = slice_from_text(place->reason)};
    return refuse_item(worker, chunk, index, NULL, &fault, 1);
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
    struct json_doc doc;
    struct json_error place;
    int err = check_parse(worker, chunk, index, &doc, &place);
    if (err != 0) {
        return refuse_unread(worker, chunk, index, err, &place);
    }
    err = check_tenant(import, &doc);
    if (err != 0) {
        return err;
    }
    arena_rewind(worker->arena);
    struct contract_options options = options_of(import, chunk);
    struct contract_result result;
    err = contract_check_item(import->admission.contract, &doc, &options, worker->arena, &result);
    if (err != 0) {
        return err;
    }
    add_findings(chunk, &result);
    if (result.fault_total > 0) {
        chunk->fault_total += result.fault_total - result.fault_count;
        return refuse_item(worker, chunk, index, &doc, result.faults, result.fault_count);
    }
    /* One fault and nothing of an atomic import is kept: sealing the rest would be for nothing. */
    bool for_nothing = chunk->followed || (chunk->fault_total > 0 && !import->admission.partial);
    return for_nothing ? 0 : seal_item(worker, chunk, index, &doc, &result);
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
        chunk->place = frame_envelope_place(import, &place);
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
    add_faults(chunk, &result);
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
    struct slice envelope = frame_envelope(chunk->import);
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

/* Between two items of a chunk, and while its keys are looked up: a chunk of many takes tens of milliseconds, which a
 * small request need not wait. */
static void check_aside(void *context)
{
    struct intake_worker *worker = context;
    struct intake_chunk *chunk = worker->aside == NULL ? NULL : fair_pop_small(worker->intake->work);
    while (chunk != NULL) {
        chunk_check(worker->aside, chunk);
        order_chunk(chunk);
        chunk = fair_pop_small(worker->intake->work);
    }
}

static int check_items(struct intake_worker *worker, struct intake_chunk *chunk)
{
    size_t count = chunk_count(chunk);
    int err = seal_prepare(chunk);
    /* A body that was refused may still have had faulty items before the refusal; the refusal wins. */
    for (size_t i = 0; i < count && err == 0 && chunk->error == 0; i++) {
        err = check_one(worker, chunk, i);
        check_aside(worker);
    }
    return err == 0 && chunk->refused > 0 ? refuse_finish(chunk) : err;
}

/* The lane decides chunks one after the other; what takes it longest, looking up keys, is done here for it. */
static void look_ahead(struct intake_worker *worker, struct intake_chunk *chunk)
{
    const struct intake_admission *admission = &chunk->import->admission;
    bool goes_by_lane = chunk->number >= LANE_FROM && !chunk->last && !chunk->followed;
    bool refused = chunk->error != 0 || (chunk->refused > 0 && !admission->partial);
    if (!goes_by_lane || refused || chunk->customers == NULL || admission->on_existing == IMPORT_EXISTING_UPDATE ||
        keep_is_over(chunk->import)) {
        return;
    }
    chunk->commit = (struct store_chunk){.tenant = admission->grant.tenant->id,
                                         .customers = chunk->customers,
                                         .count = chunk_count(chunk),
                                         .outcomes = chunk->commit.outcomes};
    chunk->ahead =
        store_look_ahead(chunk->import->intake->options.store, &chunk->commit, chunk->arena, check_aside, worker);
}

void chunk_check(struct intake_worker *worker, struct intake_chunk *chunk)
{
    int err = buf_reserve(&chunk->text, JSON_PADDING);
    if (err == 0 && chunk->import->admission.keyed && chunk->error == 0) {
        err = follow_digest(worker, chunk);
    }
    bool checked = chunk->import->follow != FOLLOW_ALL;
    if (err == 0 && checked) {
        err = check_items(worker, chunk);
    }
    bool whole = chunk->last && checked;
    if (err == 0 && chunk->error == 0 && whole) {
        err = check_envelope(worker, chunk);
    }
    if (err == 0) {
        err = arena_error(chunk->arena);
    }
    if (err != 0) {
        fail(chunk, err);
    }
    seal_finish(chunk);
    look_ahead(worker, chunk);
}
