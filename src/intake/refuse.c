/*
 * Refuse: an item that is not kept goes into its chunk's refusals with what is wrong with it, so that it can be
 * mended and sent again; sealed, because it is a customer's data.
 *
 * The difficulty is P6: a refused item has secrets like any other. They are blanked by what the contract says of
 * their place, whatever stands there; an item that can't be read is not shown at all.
 */
#include "intake/intake_priv.h"

void counts_add(struct store_finding_count *counts, size_t room, const char *code, uint64_t count)
{
    for (size_t i = 0; i < room; i++) {
        if (counts[i].count == 0) {
            memcpy(counts[i].code, code, strnlen(code, sizeof counts[i].code - 1));
        }
        if (strcmp(counts[i].code, code) == 0) {
            counts[i].count += count;
            return;
        }
    }
}

uint64_t counts_of(const struct store_finding_count *counts, size_t room, const char *code)
{
    for (size_t i = 0; i < room; i++) {
        if (strcmp(counts[i].code, code) == 0) {
            return counts[i].count;
        }
    }
    return 0;
}

/* ---- the item's text ---- */

static bool is_secret(void *context, struct slice pointer)
{
    return contract_item_is_secret(context, pointer);
}

static int blank_row(struct intake_worker *worker, const struct intake_chunk *chunk, size_t index)
{
    union {
        const struct contract *borrowed;
        void *context;
    } contract = {.borrowed = chunk->import->admission.contract};
    int err = csv_row_blank(chunk->import->header, chunk_item_text(chunk, index), is_secret, contract.context,
                            &worker->blank);
    return err == ERR_MALFORMED_CSV ? 0 : err;
}

static int blank_document(struct intake_worker *worker, const struct intake_chunk *chunk, const struct json_doc *doc)
{
    struct json_edit *edits = NULL;
    size_t count = 0;
    int err = contract_blank_secrets(chunk->import->admission.contract, doc, worker->arena, &edits, &count);
    if (err == 0) {
        json_append_minified(&worker->blank, doc, json_root(doc), edits, count);
    }
    return err != 0 ? err : buf_error(&worker->blank);
}

/* What may be shown of the item, in worker->blank. */
static int show_item(struct intake_worker *worker, const struct intake_chunk *chunk, size_t index,
                     const struct json_doc *doc)
{
    buf_clear(&worker->blank);
    if (chunk->import->admission.format == IMPORT_CSV) {
        return blank_row(worker, chunk, index);
    }
    return doc == NULL ? 0 : blank_document(worker, chunk, doc);
}

/* ---- faults ---- */

int refuse_item(struct intake_worker *worker, struct intake_chunk *chunk, size_t index, const struct json_doc *doc,
                const struct contract_fault *faults, size_t count)
{
    int err = show_item(worker, chunk, index, doc);
    if (err != 0) {
        return err;
    }
    if (chunk->refused++ == 0) {
        record_refusals_begin(&chunk->refusals, chunk->import->admission.format, buf_view(&chunk->import->header_row));
    }
    chunk->customers[index].refused = true;
    chunk->fault_total += count;
    record_refusals_item(&chunk->refusals, chunk->first_index + index, buf_view(&worker->blank));
    for (size_t i = 0; i < count; i++) {
        counts_add(chunk->fault_counts, STORE_FAULT_CODES, faults[i].code, 1);
        record_refusals_fault(&chunk->refusals, &(struct record_fault){.code = slice_from_text(faults[i].code),
                                                                       .pointer = faults[i].pointer,
                                                                       .detail = faults[i].detail,
                                                                       .hint = faults[i].hint});
    }
    return buf_error(&chunk->refusals.plain);
}

int refuse_finish(struct intake_chunk *chunk)
{
    const struct auth_tenant *tenant = chunk->import->admission.grant.tenant;
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    crypto_random(nonce, sizeof nonce);
    buf_clear(&chunk->refusals_row);
    return record_refusals_seal(&chunk->refusals, &tenant->id, &chunk->import->id, chunk->number, tenant->keys, nonce,
                                &chunk->refusals_row);
}

/* ---- conflicts with the store ---- */

int refuse_conflict_code(const struct store_outcome *outcome)
{
    if (outcome->kind == STORE_BUSY) {
        return ERR_BUSY;
    }
    return outcome->key_kind == IDENTIFIER_EXTERNAL_ID ? ERR_EXTERNAL_ID_CONFLICT : ERR_UNIQUE_CONFLICT;
}

static struct slice conflict_detail(int code, uint8_t on_existing)
{
    if (code == ERR_BUSY) {
        return SLICE("Another import that is still running holds this item's external id; send it again later.");
    }
    if (code == ERR_UNIQUE_CONFLICT) {
        return SLICE("Another customer has an identifier of this item that must be unique.");
    }
    if (on_existing == IMPORT_EXISTING_FAIL) {
        return SLICE("A customer with this external id exists, and the request asked for that to fail.");
    }
    return REFUSE_OTHER_CONTENT;
}

static bool is_conflict(const struct store_outcome *outcome)
{
    return outcome->kind == STORE_CONFLICT || outcome->kind == STORE_BUSY;
}

static int add_conflict(struct intake_worker *worker, struct intake_chunk *chunk, size_t index)
{
    const struct store_outcome *outcome = &chunk->commit.outcomes[index];
    struct json_doc doc;
    struct json_error place;
    arena_rewind(worker->arena);
    int code = refuse_conflict_code(outcome);
    int err = check_parse(worker, chunk, index, &doc, &place);
    err = err == 0 ? show_item(worker, chunk, index, &doc) : err;
    if (err == 0) {
        struct record_fault fault = {.code = slice_from_text(err_code(code)),
                                     .detail = conflict_detail(code, chunk->import->admission.on_existing),
                                     .customer = outcome->id};
        record_refusals_item(&chunk->refusals, chunk->first_index + index, buf_view(&worker->blank));
        record_refusals_fault(&chunk->refusals, &fault);
    }
    return err;
}

/* Copies an item that was refused before. */
static void copy_refused(struct intake_chunk *chunk, uint64_t index, struct slice text, struct slice faults)
{
    struct record_fault fault;
    record_refusals_item(&chunk->refusals, index, text);
    while (record_refused_fault(&faults, &fault)) {
        record_refusals_fault(&chunk->refusals, &fault);
    }
}

/* Those refused before, and the conflicts, in the order of the items. */
static int merge(struct intake_worker *worker, struct intake_chunk *chunk, struct record_refused *before)
{
    uint64_t index = 0;
    struct slice text;
    struct slice faults;
    int err = 0;
    bool more = before != NULL && record_refused_next(before, &index, &text, &faults);
    for (size_t i = 0; i < chunk_count(chunk) && err == 0; i++) {
        if (more && index == chunk->first_index + i) {
            copy_refused(chunk, index, text, faults);
            more = record_refused_next(before, &index, &text, &faults);
        } else if (is_conflict(&chunk->commit.outcomes[i])) {
            err = add_conflict(worker, chunk, i);
        }
    }
    return err;
}

int refuse_conflicts(struct intake_worker *worker, struct intake_chunk *chunk)
{
    const struct auth_tenant *tenant = chunk->import->admission.grant.tenant;
    struct record_refused before;
    struct buf plain;
    int err = 0;
    buf_init(&plain, 0);
    bool merging = chunk->refusals_row.size > 0;
    if (merging) {
        err = record_refused_open(&tenant->id, &chunk->import->id, chunk->number, buf_view(&chunk->refusals_row),
                                  tenant->keys, &plain, &before);
    }
    if (err == 0) {
        record_refusals_begin(&chunk->refusals, chunk->import->admission.format, buf_view(&chunk->import->header_row));
        err = merge(worker, chunk, merging ? &before : NULL);
    }
    err = err == 0 ? refuse_finish(chunk) : err;
    crypto_wipe(plain.data, plain.size);
    buf_fini(&plain);
    return err;
}
