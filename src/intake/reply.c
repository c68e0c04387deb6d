/*
 * Reply: the body of a 200, composed piece by piece as it is sent. Outcomes are read back from the store chunk by
 * chunk, so that the ids of millions don't gather in memory; those of an import of one chunk are at hand.
 *
 *   documented  the contract's shape. Of a partial import: null in place of a refused item where the answer is a
 *               bare array; else the ids of those kept, and a member `errors`
 *   counts      one object of numbers (Prefer: return=minimal, and dry runs)
 *   lines       one object a line for each item (Accept: application/x-ndjson)
 */
#include "intake/intake_priv.h"

/* Compose at least this much before it is read, when there is as much. */
#define PIECE_BYTES (32u << 10)

static const char *const OUTCOMES[] = {
    [STORE_CREATED] = "created", [STORE_EXISTING] = "existing", [STORE_CONFLICT] = "conflict", [STORE_BUSY] = "busy",
    [STORE_FAULT] = "fault",     [STORE_UPDATED] = "updated",   [STORE_SKIPPED] = "skipped",
};

static bool is_refused(const struct store_outcome *outcome)
{
    return outcome->kind == STORE_FAULT || outcome->kind == STORE_CONFLICT || outcome->kind == STORE_BUSY;
}

void reply_fini(struct intake_reply *reply)
{
    crypto_wipe(reply->refused_plain.data, reply->refused_plain.size);
    buf_fini(&reply->piece);
    buf_fini(&reply->outcomes);
    buf_fini(&reply->refused_row);
    buf_fini(&reply->refused_plain);
}

/* ---- the parts of a documented answer ---- */

static void put_faults(struct intake_import *import, struct json_writer *writer)
{
    json_name(writer, "errors");
    json_open_array(writer);
    for (size_t i = 0; i < import->fault_count; i++) {
        intake_fault_write(writer, &import->faults[i]);
    }
    json_close_array(writer);
    json_name(writer, "errorsTotal");
    json_put_uint(writer, import->counts.faults);
}

/* The members of a writer's object, without its braces. */
static void append_errors(struct intake_import *import, struct buf *out)
{
    struct json_writer writer;
    struct buf object;
    buf_init(&object, 0);
    json_writer_init(&writer, &object);
    json_open_object(&writer);
    put_faults(import, &writer);
    json_close_object(&writer);
    if (buf_error(&object) == 0) {
        buf_append_byte(out, ',');
        buf_append(out, object.data + 1, object.size - 1);
    }
    buf_fini(&object);
}

static void append_tail(struct intake_import *import, struct buf *out)
{
    const struct contract *contract = import->admission.contract;
    contract_reply_tail(contract, slice_from_text(import->admission.grant.tenant->name), out);
    if (import->counts.progress.refused > 0 && !import->reply.bare && buf_error(out) == 0) {
        out->size--; /* its last brace */
        append_errors(import, out);
    }
}

static void append_id(struct intake_import *import, const struct store_outcome *outcome, struct buf *out)
{
    const struct contract *contract = import->admission.contract;
    char text[UUID_TEXT_BYTES + 1];
    if (!is_refused(outcome)) {
        uuid_to_text(&outcome->id, text);
        contract_reply_item(contract, import->reply.first, slice_make(text, UUID_TEXT_BYTES), out);
    } else if (import->reply.bare) {
        buf_append_text(out, import->reply.first ? "null" : ",null");
    } else {
        return;
    }
    import->reply.first = false;
}

/* ---- counts ---- */

static void put_count(struct json_writer *writer, const char *name, uint64_t count)
{
    json_name(writer, name);
    json_put_uint(writer, count);
}

static void append_counts(struct intake_import *import, struct buf *out)
{
    const struct intake_progress *progress = &import->counts.progress;
    struct json_writer writer;
    char text[UUID_TEXT_BYTES + 1];
    uuid_to_text(&import->id, text);
    json_writer_init(&writer, out);
    json_open_object(&writer);
    json_name(&writer, "import");
    json_put_text(&writer, text);
    json_name(&writer, "dryRun");
    json_put_bool(&writer, import->admission.dry_run);
    put_count(&writer, "received", progress->received);
    put_count(&writer, "created", progress->created);
    put_count(&writer, "existing", progress->existing);
    put_count(&writer, "updated", progress->updated);
    put_count(&writer, "skipped", progress->skipped);
    put_count(&writer, "refused", progress->refused);
    put_count(&writer, "findings", progress->findings);
    if (progress->refused > 0) {
        put_faults(import, &writer);
    }
    json_close_object(&writer);
}

/* ---- lines ---- */

/* The refusals of the chunk at hand. */
static int open_refused(struct intake_import *import, uint32_t number, struct record_refused *refused)
{
    struct intake_reply *reply = &import->reply;
    const struct auth_tenant *tenant = import->admission.grant.tenant;
    uint32_t found = number;
    *refused = (struct record_refused){0};
    crypto_wipe(reply->refused_plain.data, reply->refused_plain.size);
    buf_clear(&reply->refused_plain);
    buf_clear(&reply->refused_row);
    int err = store_import_faults(import->intake->options.store, &tenant->id, &import->id, &found, &reply->refused_row);
    if (err == ERR_NOT_FOUND || (err == 0 && found != number)) {
        return 0;
    }
    return err != 0 ? err
                    : record_refused_open(&tenant->id, &import->id, number, buf_view(&reply->refused_row), tenant->keys,
                                          &reply->refused_plain, refused);
}

/* Refused items come in the order of the outcomes, so that the next one is this one's. */
static void put_line_faults(struct json_writer *writer, struct record_refused *refused)
{
    uint64_t index;
    struct slice text;
    struct slice faults;
    struct record_fault fault;
    json_name(writer, "errors");
    json_open_array(writer);
    if (refused->rest.size > 0 && record_refused_next(refused, &index, &text, &faults)) {
        while (record_refused_fault(&faults, &fault)) {
            json_open_object(writer);
            answer_put_fault(writer, &fault);
            json_close_object(writer);
        }
    }
    json_close_array(writer);
}

static void append_line(struct intake_import *import, const struct store_outcome *outcome,
                        struct record_refused *refused, struct buf *out)
{
    struct json_writer writer;
    char text[UUID_TEXT_BYTES + 1];
    json_writer_init(&writer, out);
    json_open_object(&writer);
    json_name(&writer, "index");
    json_put_uint(&writer, import->reply.index);
    json_name(&writer, "outcome");
    json_put_text(&writer, OUTCOMES[outcome->kind]);
    if (is_refused(outcome)) {
        put_line_faults(&writer, refused);
    } else {
        uuid_to_text(&outcome->id, text);
        json_name(&writer, "customerId");
        json_put_text(&writer, text);
    }
    json_close_object(&writer);
    buf_append_byte(out, '\n');
}

/* ---- the items ---- */

static void append_item(struct intake_import *import, const struct store_outcome *outcome,
                        struct record_refused *refused)
{
    struct buf *out = &import->reply.piece;
    if (import->admission.shape == INTAKE_LINES) {
        append_line(import, outcome, refused, out);
    } else {
        append_id(import, outcome, out);
    }
    import->reply.index++;
}

static int append_at_hand(struct intake_import *import, struct record_refused *refused)
{
    size_t count = import->outcomes.size / sizeof(struct store_outcome);
    for (size_t i = 0; i < count; i++) {
        struct store_outcome outcome;
        memcpy(&outcome, import->outcomes.data + i * sizeof outcome, sizeof outcome);
        append_item(import, &outcome, refused);
    }
    return 0;
}

static int append_stored(struct intake_import *import, uint32_t number, struct record_refused *refused)
{
    struct intake_reply *reply = &import->reply;
    struct store_outcome outcome;
    buf_clear(&reply->outcomes);
    int err = store_import_outcomes(import->intake->options.store, &import->row.tenant, &import->id, number, NULL,
                                    &reply->outcomes);
    if (err != 0) {
        return err == ERR_NOT_FOUND ? 0 : err; /* a last chunk without items */
    }
    struct slice outcomes = buf_view(&reply->outcomes);
    while (store_outcomes_read(&outcomes, &outcome)) {
        append_item(import, &outcome, refused);
    }
    return 0;
}

static int append_chunk(struct intake_import *import)
{
    uint32_t number = import->reply.chunk++;
    struct record_refused refused = {0};
    if (import->admission.shape == INTAKE_LINES && import->counts.progress.refused > 0) {
        int err = open_refused(import, number, &refused);
        if (err != 0) {
            return err;
        }
    }
    return import->outcomes.size > 0 ? append_at_hand(import, &refused) : append_stored(import, number, &refused);
}

/* ---- the whole ---- */

/* What a body that is taken in later is answered with, now and when its key comes again. */
static void append_accepted(struct intake_import *import, struct buf *out)
{
    char text[UUID_TEXT_BYTES + 1];
    uuid_to_text(&import->id, text);
    buf_printf(out, "{\"import\":\"%s\",\"state\":\"open\"}", text);
}

static void begin(struct intake_import *import)
{
    struct intake_reply *reply = &import->reply;
    reply->begun = true;
    reply->first = true;
    if (import->accepted || (import->admission.async && import->follow == FOLLOW_ALL)) {
        append_accepted(import, &reply->piece);
        reply->ended = true;
        return;
    }
    if (import->admission.shape == INTAKE_COUNTS) {
        append_counts(import, &reply->piece);
        reply->ended = true;
    } else if (import->admission.shape == INTAKE_DOCUMENTED) {
        contract_reply_head(import->admission.contract, slice_from_text(import->admission.grant.tenant->name),
                            &reply->piece);
        reply->bare = reply->piece.size > 0 && reply->piece.data[0] == '[';
    }
}

/* Items that should be there and are not, because the import was undone meanwhile, must not end a whole answer. */
static int end(struct intake_import *import)
{
    struct intake_reply *reply = &import->reply;
    if (reply->index != import->counts.progress.received) {
        return ERR_NOT_FOUND;
    }
    if (import->admission.shape == INTAKE_DOCUMENTED) {
        append_tail(import, &reply->piece);
    }
    reply->ended = true;
    return 0;
}

static int compose(struct intake_import *import)
{
    struct intake_reply *reply = &import->reply;
    int err = 0;
    buf_clear(&reply->piece);
    reply->read = 0;
    if (!reply->begun) {
        begin(import);
    }
    while (err == 0 && !reply->ended && reply->piece.size < PIECE_BYTES) {
        err = reply->chunk < import->row.chunks ? append_chunk(import) : end(import);
    }
    return err != 0 ? err : buf_error(&reply->piece);
}

ssize_t intake_reply_read(struct intake_import *import, char *to, size_t room)
{
    struct intake_reply *reply = &import->reply;
    if (reply->read == reply->piece.size && !reply->ended) {
        int err = compose(import);
        if (err != 0) {
            return err;
        }
    }
    size_t left = reply->piece.size - reply->read;
    size_t part = left < room ? left : room;
    if (part > 0) {
        memcpy(to, reply->piece.data + reply->read, part);
    }
    reply->read += part;
    return (ssize_t)part;
}

const char *intake_reply_type(const struct intake_import *import)
{
    return import->admission.shape == INTAKE_LINES ? "application/x-ndjson" : "application/json";
}
