/*
 * The outcome of every item, from the outcome rows of the import's chunks, with what is wrong with refused ones from
 * the rows of refused items. Both go by chunk; the difficulty is that only some chunks have refused items, so the
 * next of these is held until its turn comes.
 *
 * Ids are those of customers that are or were there. So in a dry run what would have been created has none, and in
 * an import that failed what had no fault of its own is `aborted`: it shared the fate of the rest.
 */
#include <stdlib.h>

#include "registry/registry_priv.h"

#define BUFFERFUL_BYTES (16u << 10)

struct registry_results {
    const struct registry *registry;
    struct store_import import;
    enum registry_form form;
    struct registry_outlet outlet;
    bool begun;         /* the header was written */
    uint32_t next;      /* number of the chunk that is read next */
    struct buf row;     /* outcomes of the chunk at hand */
    struct slice left;  /* those of them that are not shown yet */
    uint64_t index;     /* of the first of these */
    size_t at;          /* its place in the chunk */
    struct buf reasons; /* struct slice an item of the chunk: its faults; empty when it has none */
    struct registry_refusals refusals;
    bool refusals_left; /* refusals has a chunk that was not passed yet */
};

/* Whether its outcomes stay until the report expires: what aborted and undone imports left is swept. */
static bool is_kept(const struct store_import *import)
{
    return registry_import_counts(import) && import->state != IMPORT_UNDONE;
}

/* Of an import that came to nothing the outcomes may be gone, the first of them first. */
static int find_first(const struct registry *registry, const struct store_import *import)
{
    struct buf row;
    if (import->received == 0 || is_kept(import)) {
        return 0;
    }
    buf_init(&row, 0);
    int err = store_import_outcomes(registry->store, &import->tenant, &import->id, 0, NULL, &row);
    buf_fini(&row);
    return err;
}

int registry_results_open(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                          enum registry_form form, struct registry_results **results)
{
    struct registry_results *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->registry = registry;
    made->form = form;
    buf_init(&made->row, 0);
    buf_init(&made->reasons, 0);
    registry_outlet_init(&made->outlet);
    registry_refusals_init(&made->refusals, registry, tenant, id);
    int err = registry_import_row(registry, tenant, id, &made->import);
    if (err == 0) {
        err = registry_report_check(&made->import);
    }
    if (err == 0) {
        err = find_first(registry, &made->import);
    }
    if (err == 0) {
        err = registry_refusals_open(&made->refusals, 0);
        made->refusals_left = err == 0;
        err = err == ERR_NOT_FOUND ? 0 : err;
    }
    if (err != 0) {
        registry_results_close(&made);
        return err;
    }
    *results = made;
    return 0;
}

void registry_results_close(struct registry_results **results)
{
    struct registry_results *closed = *results;
    *results = NULL;
    registry_refusals_fini(&closed->refusals);
    registry_outlet_fini(&closed->outlet);
    buf_fini(&closed->reasons);
    buf_fini(&closed->row);
    free(closed);
}

/* ---- the next chunk ---- */

static size_t count_outcomes(struct slice outcomes)
{
    struct store_outcome outcome;
    size_t count = 0;
    while (store_outcomes_read(&outcomes, &outcome)) {
        count++;
    }
    return count;
}

/* The faults of the chunk's items by their places; they may come in any order. */
static int gather_reasons(struct registry_results *results, size_t count)
{
    struct registry_refusals *refusals = &results->refusals;
    uint64_t index;
    struct slice text;
    struct slice faults;
    buf_clear(&results->reasons);
    struct slice *reasons = buf_extend(&results->reasons, count * sizeof *reasons);
    if (reasons == NULL) {
        return count == 0 ? 0 : ERR_NO_MEMORY;
    }
    memset(reasons, 0, count * sizeof *reasons);
    if (!results->refusals_left || refusals->chunk != results->next) {
        return 0;
    }
    while (record_refused_next(&refusals->refused, &index, &text, &faults)) {
        if (index >= results->index && index - results->index < count) {
            reasons[index - results->index] = faults;
        }
    }
    return 0;
}

/* Passes the chunk that was shown; the rows of refused items that belong to it are not needed any more. */
static int pass_chunk(struct registry_results *results)
{
    if (results->next == 0 || !results->refusals_left || results->refusals.chunk >= results->next) {
        return 0;
    }
    int err = registry_refusals_open(&results->refusals, results->next);
    results->refusals_left = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* Behind the last chunk. A report must be whole, or be seen to break off. */
static int end(struct registry_results *results)
{
    results->outlet.ended = true;
    bool whole = results->index == results->import.received;
    return whole || !is_kept(&results->import) ? 0 : ERR_CORRUPT;
}

static int load_chunk(struct registry_results *results)
{
    const struct store_import *import = &results->import;
    buf_clear(&results->row);
    int err = pass_chunk(results);
    if (err == 0) {
        err = store_import_outcomes(results->registry->store, &import->tenant, &import->id, results->next, NULL,
                                    &results->row);
        if (err == ERR_NOT_FOUND) {
            return end(results);
        }
    }
    if (err == 0) {
        results->left = buf_view(&results->row);
        results->at = 0;
        err = gather_reasons(results, count_outcomes(results->left));
        results->next++;
    }
    return err;
}

/* ---- an item ---- */

static const char *outcome_text(const struct store_import *import, const struct store_outcome *outcome)
{
    static const char *const texts[] = {
        [STORE_CREATED] = "created", [STORE_EXISTING] = "existing", [STORE_CONFLICT] = "conflict",
        [STORE_BUSY] = "busy",       [STORE_FAULT] = "fault",       [STORE_UPDATED] = "updated",
        [STORE_SKIPPED] = "skipped"};
    bool kept = outcome->kind == STORE_CREATED || outcome->kind == STORE_UPDATED || outcome->kind == STORE_SKIPPED;
    if (kept && !registry_import_counts(import)) {
        return "aborted";
    }
    return outcome->kind >= STORE_CREATED && outcome->kind <= STORE_SKIPPED ? texts[outcome->kind] : "unknown";
}

/* Whether the item has a customer whose id may be told. */
static bool has_customer(const struct store_import *import, const struct store_outcome *outcome)
{
    switch (outcome->kind) {
    case STORE_CREATED:
        return registry_import_counts(import) && !import->dry_run;
    case STORE_UPDATED:
    case STORE_SKIPPED:
        return registry_import_counts(import);
    default:
        return outcome->kind == STORE_EXISTING;
    }
}

static void put_errors(struct json_writer *writer, struct slice faults)
{
    struct record_fault fault;
    json_name(writer, "errors");
    json_open_array(writer);
    while (record_refused_fault(&faults, &fault)) {
        json_open_object(writer);
        json_name(writer, "pointer");
        json_put_string(writer, fault.pointer);
        json_name(writer, "code");
        json_put_string(writer, fault.code);
        json_name(writer, "detail");
        json_put_string(writer, fault.detail);
        if (fault.hint.size > 0) {
            json_name(writer, "hint");
            json_put_string(writer, fault.hint);
        }
        if (!uuid_is_zero(&fault.customer)) {
            registry_put_uuid(writer, "customerId", &fault.customer);
        }
        json_close_object(writer);
    }
    json_close_array(writer);
}

static bool is_refused(const struct store_outcome *outcome)
{
    return outcome->kind == STORE_FAULT || outcome->kind == STORE_CONFLICT || outcome->kind == STORE_BUSY;
}

static void put_line(struct registry_results *results, const struct store_outcome *outcome, struct slice faults)
{
    struct json_writer writer;
    json_writer_init(&writer, &results->outlet.made);
    json_open_object(&writer);
    json_name(&writer, "index");
    json_put_uint(&writer, results->index);
    json_name(&writer, "outcome");
    json_put_text(&writer, outcome_text(&results->import, outcome));
    if (is_refused(outcome)) {
        put_errors(&writer, faults);
    } else if (has_customer(&results->import, outcome)) {
        registry_put_uuid(&writer, "customerId", &outcome->id);
    } else {
        json_name(&writer, "customerId");
        json_put_null(&writer);
    }
    json_close_object(&writer);
    buf_append_byte(&results->outlet.made, '\n');
}

static void put_row(struct registry_results *results, const struct store_outcome *outcome)
{
    char id[UUID_TEXT_BYTES + 1] = "";
    if (has_customer(&results->import, outcome)) {
        uuid_to_text(&outcome->id, id);
    }
    buf_printf(&results->outlet.made, "%llu,%s,%s\r\n", (unsigned long long)results->index,
               outcome_text(&results->import, outcome), id);
}

static int make_results(void *report, struct registry_outlet *outlet)
{
    struct registry_results *results = report;
    struct store_outcome outcome;
    if (!results->begun && results->form == REGISTRY_CSV) {
        buf_append_text(&outlet->made, "index,outcome,customerId\r\n");
    }
    results->begun = true;
    if (results->left.size == 0) {
        int err = load_chunk(results);
        if (err != 0 || outlet->ended) {
            return err;
        }
    }
    const struct slice *reasons = (const struct slice *)(const void *)results->reasons.data;
    while (outlet->made.size < BUFFERFUL_BYTES && store_outcomes_read(&results->left, &outcome)) {
        if (results->form == REGISTRY_CSV) {
            put_row(results, &outcome);
        } else {
            put_line(results, &outcome, reasons[results->at]);
        }
        results->index++;
        results->at++;
    }
    /* What is left without a bufferful can't be read. */
    return results->left.size > 0 && outlet->made.size < BUFFERFUL_BYTES ? ERR_CORRUPT : 0;
}

ssize_t registry_results_read(struct registry_results *results, char *to, size_t room)
{
    return registry_outlet_read(&results->outlet, make_results, results, to, room);
}
