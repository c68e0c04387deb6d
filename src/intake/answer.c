/*
 * Answer: what has become of a request, once everything is decided: one error for the whole of it, its counts, and
 * the first faults in the order of the items. Faults are read back from the refusals that were stored, so that a
 * replay tells what the first answer told.
 */
#include "intake/intake_priv.h"

const struct uuid *intake_import_id(const struct intake_import *import)
{
    return &import->id;
}

/* ---- one error ---- */

static uint64_t count_of(const struct intake_counts *counts, int err)
{
    return counts_of(counts->fault_counts, STORE_FAULT_CODES, err_code(err));
}

int answer_error_of_faults(const struct intake_counts *counts)
{
    uint64_t unique = count_of(counts, ERR_UNIQUE_CONFLICT);
    uint64_t busy = count_of(counts, ERR_BUSY);
    uint64_t conflicts = unique + busy + count_of(counts, ERR_EXTERNAL_ID_CONFLICT);
    if (counts->faults == 0) {
        return 0;
    }
    if (conflicts < counts->faults) {
        return count_of(counts, ERR_SCOPE_MISSING) == counts->faults ? ERR_SCOPE_MISSING : ERR_FAULTS;
    }
    if (busy == counts->faults) {
        return ERR_BUSY;
    }
    return unique == counts->faults ? ERR_UNIQUE_CONFLICT : ERR_EXTERNAL_ID_CONFLICT;
}

static uint64_t kept_items(const struct intake_progress *progress)
{
    return progress->created + progress->existing + progress->updated + progress->skipped;
}

/* A row that says nothing of why its import ended. */
static bool is_unsaid(const struct store_import *row)
{
    return row->state == IMPORT_ABORTED && !row->dry_run && row->error == 0;
}

/* What was aborted is never a yes. Import lock held. */
static int error_of(const struct intake_import *import)
{
    const struct intake_counts *counts = &import->counts;
    if (import->error != 0) {
        return import->error;
    }
    if (import->follow == FOLLOW_ALL && import->row.error != 0) {
        return import->row.error;
    }
    bool nothing = import->admission.partial && counts->progress.received > 0 && kept_items(&counts->progress) == 0;
    bool unsaid = import->failed || (import->follow == FOLLOW_ALL && is_unsaid(&import->row));
    int error = unsaid || nothing ? answer_error_of_faults(counts) : 0;
    return unsaid && error == 0 ? ERR_OUTCOME_UNKNOWN : error;
}

/* ---- faults ---- */

static void add_stored(struct intake_import *import, uint64_t index, struct slice faults)
{
    struct record_fault fault;
    while (record_refused_fault(&faults, &fault)) {
        struct intake_fault told = {.index = index,
                                    .code = arena_copy(import->fault_arena, fault.code).data,
                                    .pointer = fault.pointer,
                                    .detail = fault.detail,
                                    .hint = fault.hint,
                                    .customer = fault.customer};
        if (told.code != NULL) {
            import_add_fault(import, &told);
        }
    }
}

static int add_row(struct intake_import *import, uint32_t chunk, struct slice row)
{
    const struct auth_tenant *tenant = import->admission.grant.tenant;
    struct record_refused refused;
    struct buf plain;
    uint64_t index;
    struct slice text;
    struct slice faults;
    buf_init(&plain, 0);
    int err = record_refused_open(&tenant->id, &import->id, chunk, row, tenant->keys, &plain, &refused);
    while (err == 0 && import->fault_count < LIMIT_FAULTS && record_refused_next(&refused, &index, &text, &faults)) {
        add_stored(import, index, faults);
    }
    crypto_wipe(plain.data, plain.size);
    buf_fini(&plain);
    return err;
}

/* What can't be read back is not told; it is counted all the same. */
static void read_faults(struct intake_import *import)
{
    struct buf row;
    int err = 0;
    buf_init(&row, 0);
    for (uint32_t chunk = 0; err == 0 && import->fault_count < LIMIT_FAULTS; chunk++) {
        buf_clear(&row);
        err = store_import_faults(import->intake->options.store, &import->row.tenant, &import->id, &chunk, &row);
        err = err == 0 ? add_row(import, chunk, buf_view(&row)) : err;
    }
    buf_fini(&row);
}

/* Faults of items first, then those of the envelope, which are here already. */
static void report(struct intake_import *import)
{
    const struct intake_fault *own = import->faults;
    size_t own_count = import->fault_count;
    import->reported = true;
    if (import->counts.progress.refused == 0) {
        return;
    }
    import->faults = NULL;
    import->fault_count = 0;
    read_faults(import);
    for (size_t i = 0; i < own_count; i++) {
        import_add_fault(import, &own[i]);
    }
}

void intake_answer(struct intake_import *import, struct intake_answer *answer)
{
    pthread_mutex_lock(&import->lock);
    if (!import->reported) {
        report(import);
    }
    const struct intake_progress *progress = &import->counts.progress;
    *answer = (struct intake_answer){.error = error_of(import),
                                     .retry_after_s = import->quota.retry_after_s,
                                     .replayed = import->follow == FOLLOW_ALL && import->error == 0,
                                     .partial = import->admission.partial,
                                     .request = import->row.request,
                                     .place = import->place,
                                     .faults = import->faults,
                                     .fault_count = import->fault_count,
                                     .fault_total = import->counts.faults,
                                     .item_count = progress->received,
                                     .created = progress->created,
                                     .existing = progress->existing,
                                     .updated = progress->updated,
                                     .skipped = progress->skipped,
                                     .refused = progress->refused,
                                     .findings = progress->findings,
                                     .bytes = atomic_load(&import->bytes)};
    if (answer->error != 0) {
        answer->created = 0; /* what was kept of it is aborted, or waits for a retry */
        answer->existing = 0;
        answer->updated = 0;
        answer->skipped = 0;
    } else if (import->accepted || (answer->replayed && import->admission.async)) {
        answer->accepted = true;
    } else if (buf_error(&import->outcomes) != 0) {
        answer->error = ERR_OUTCOME_UNKNOWN; /* kept, but there is no memory to say it with */
    }
    pthread_mutex_unlock(&import->lock);
}

void answer_put_fault(struct json_writer *writer, const struct record_fault *fault)
{
    json_name(writer, "pointer");
    json_put_string(writer, fault->pointer);
    json_name(writer, "code");
    json_put_string(writer, fault->code);
    json_name(writer, "detail");
    json_put_string(writer, fault->detail);
    if (fault->hint.size > 0) {
        json_name(writer, "hint");
        json_put_string(writer, fault->hint);
    }
    if (!uuid_is_zero(&fault->customer)) {
        char text[UUID_TEXT_BYTES + 1];
        uuid_to_text(&fault->customer, text);
        json_name(writer, "customerId");
        json_put_text(writer, text);
    }
}

void intake_fault_write(struct json_writer *writer, const struct intake_fault *fault)
{
    json_open_object(writer);
    if (!fault->of_envelope) {
        json_name(writer, "index");
        json_put_uint(writer, fault->index);
    }
    answer_put_fault(writer, &(struct record_fault){.code = slice_from_text(fault->code),
                                                    .pointer = fault->pointer,
                                                    .detail = fault->detail,
                                                    .hint = fault->hint,
                                                    .customer = fault->customer});
    json_close_object(writer);
}
