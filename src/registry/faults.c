/*
 * The refused items of an import, read as they are sent, in the form of the body they came in: a CSV file, lines of
 * JSON, or the contract's JSON with its envelope around them. So the answer can be mended and sent again as it is.
 *
 * Gathered into groups nothing can be said before everything was seen. So that no call takes long meanwhile and the
 * connection stays alive, a line break is given for each chunk, which JSON passes over.
 */
#include <assert.h>
#include <stdlib.h>

#include "registry/registry_priv.h"

#define BUFFERFUL_BYTES (16u << 10)

struct registry_faults {
    const struct registry *registry;
    struct store_import import;
    struct registry_outlet outlet;
    struct registry_refusals refusals;
    struct registry_items items;
    struct registry_groups *groups; /* NULL: the items themselves */
    struct buf before;              /* JSON: what stands in front of the first item */
    struct slice after;             /* and behind the last */
    bool begun;
    bool some;     /* an item was written */
    bool open;     /* refusals has a chunk */
    uint32_t next; /* the first chunk that was not looked at */
};

/* What stands around the items of a JSON body. */
static int read_envelope(struct registry_faults *faults, const struct contract_info *info,
                         const struct auth_tenant *tenant, const struct store_import *import)
{
    struct buf plain;
    buf_init(&plain, 0);
    int err = 0;
    if (import->envelope.size > 0) {
        err = crypto_open(tenant->keys, CRYPTO_ENVELOPE, uuid_view(&import->id), import->envelope, &plain);
    }
    if (err == 0) {
        err = registry_envelope_open(&faults->items, buf_view(&plain), info->items, &faults->before);
    }
    faults->after = SLICE("]}\n");
    crypto_wipe(plain.data, plain.size);
    buf_fini(&plain);
    return err;
}

static const struct contract_info *info_of(const struct registry *registry, uint8_t number)
{
    for (size_t i = 0; i < registry->contract_count; i++) {
        const struct contract_info *info = contract_info(registry->contracts[i]);
        if (info->number == number) {
            return info;
        }
    }
    return NULL;
}

static int open_form(struct registry_faults *faults, const struct auth_tenant *tenant,
                     const struct store_import *import)
{
    const struct contract_info *info = info_of(faults->registry, import->contract);
    if (import->format != IMPORT_JSON) {
        return 0;
    }
    if (info != NULL && info->items.size > 0) {
        return read_envelope(faults, info, tenant, import);
    }
    buf_append_byte(&faults->before, '[');
    faults->after = SLICE("]\n");
    return buf_error(&faults->before);
}

/* The envelope is not kept longer than it takes. */
static int open_import(struct registry_faults *faults, const struct auth_tenant *tenant, const struct uuid *id)
{
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_import_get(faults->registry->store, &tenant->id, id, &faults->import, &envelope);
    if (err == 0) {
        err = registry_report_check(&faults->import);
    }
    if (err == 0 && faults->groups == NULL) {
        err = open_form(faults, tenant, &faults->import);
    }
    faults->import.envelope = SLICE_NONE;
    buf_fini(&envelope);
    return err;
}

static int open_next(struct registry_faults *faults)
{
    int err = registry_refusals_open(&faults->refusals, faults->next);
    faults->open = err == 0;
    faults->next = faults->refusals.chunk + 1;
    return err == ERR_NOT_FOUND ? 0 : err;
}

int registry_faults_open(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                         bool groups, struct registry_faults **faults)
{
    struct registry_faults *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->registry = registry;
    buf_init(&made->before, 0);
    registry_outlet_init(&made->outlet);
    registry_refusals_init(&made->refusals, registry, tenant, id);
    registry_items_init(&made->items);
    made->groups = groups ? registry_groups_new() : NULL;
    int err = groups && made->groups == NULL ? ERR_NO_MEMORY : open_import(made, tenant, id);
    if (err == 0) {
        err = open_next(made);
    }
    if (err != 0) {
        registry_faults_close(&made);
        return err;
    }
    *faults = made;
    return 0;
}

void registry_faults_close(struct registry_faults **faults)
{
    struct registry_faults *closed = *faults;
    *faults = NULL;
    registry_groups_free(&closed->groups);
    registry_items_fini(&closed->items);
    registry_refusals_fini(&closed->refusals);
    registry_outlet_fini(&closed->outlet);
    crypto_wipe(closed->before.data, closed->before.size);
    buf_fini(&closed->before);
    free(closed);
}

const char *registry_faults_type(const struct registry_faults *faults)
{
    if (faults->groups != NULL || faults->import.format == IMPORT_JSON) {
        return "application/json";
    }
    return faults->import.format == IMPORT_CSV ? "text/csv" : "application/x-ndjson";
}

/* ---- items ---- */

static int put_item(struct registry_faults *faults, struct slice text, const struct registry_reasons *reasons)
{
    struct buf *out = &faults->outlet.made;
    if (faults->import.format == IMPORT_CSV) {
        registry_csv_row(faults->refusals.refused.header, text, reasons, out);
        return 0;
    }
    if (faults->import.format == IMPORT_JSON) {
        buf_append_text(out, faults->some ? ",\n" : "\n");
    }
    int err = registry_item_append(&faults->items, text, reasons, out);
    if (faults->import.format == IMPORT_NDJSON) {
        buf_append_byte(out, '\n');
    }
    faults->some = true;
    return err;
}

static void begin(struct registry_faults *faults)
{
    faults->begun = true;
    if (faults->import.format == IMPORT_CSV) {
        registry_csv_header(faults->refusals.refused.header, &faults->outlet.made);
    } else {
        buf_append_slice(&faults->outlet.made, buf_view(&faults->before));
    }
}

static int make_items(void *report, struct registry_outlet *outlet)
{
    struct registry_faults *faults = report;
    struct registry_reasons reasons;
    struct slice text;
    int err = 0;
    if (!faults->begun) {
        begin(faults);
    }
    while (err == 0 && faults->open && outlet->made.size < BUFFERFUL_BYTES) {
        if (record_refused_next(&faults->refusals.refused, &reasons.index, &text, &reasons.faults)) {
            err = put_item(faults, text, &reasons);
        } else {
            err = open_next(faults);
        }
    }
    if (err == 0 && !faults->open) {
        buf_append_slice(&outlet->made, faults->after);
        outlet->ended = true;
    }
    return err;
}

/* ---- groups ---- */

static int make_groups(void *report, struct registry_outlet *outlet)
{
    struct registry_faults *faults = report;
    struct registry_reasons reasons;
    struct slice text;
    int err = 0;
    if (!faults->open) {
        registry_groups_put(faults->groups, &outlet->made);
        outlet->ended = true;
        return 0;
    }
    while (err == 0 && record_refused_next(&faults->refusals.refused, &reasons.index, &text, &reasons.faults)) {
        err = registry_groups_add(faults->groups, &reasons);
    }
    buf_append_byte(&outlet->made, '\n');
    return err == 0 ? open_next(faults) : err;
}

ssize_t registry_faults_read(struct registry_faults *faults, char *to, size_t room)
{
    return registry_outlet_read(&faults->outlet, faults->groups != NULL ? make_groups : make_items, faults, to, room);
}
