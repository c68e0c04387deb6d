/*
 * What the readers of reports share. A report is made in bufferfuls and given out in pieces of any size; so a
 * reader holds a bufferful and the rows of one chunk, however many items the import has. Rows of refused items
 * hold personal data: every buffer that had some is wiped.
 */
#include "registry/registry_priv.h"

int registry_report_check(const struct store_import *import)
{
    if (import->expired) {
        return ERR_NOT_FOUND;
    }
    return import->state == IMPORT_OPEN ? ERR_BUSY : 0;
}

/* ---- giving out ---- */

void registry_outlet_init(struct registry_outlet *outlet)
{
    *outlet = (struct registry_outlet){0};
    buf_init(&outlet->made, 0);
}

void registry_outlet_fini(struct registry_outlet *outlet)
{
    crypto_wipe(outlet->made.data, outlet->made.capacity);
    buf_fini(&outlet->made);
}

/* Makes text until there is some or the end. */
static void fill(struct registry_outlet *outlet, registry_make_fn *make, void *report)
{
    buf_clear(&outlet->made);
    outlet->given = 0;
    while (outlet->made.size == 0 && !outlet->ended && outlet->error == 0) {
        outlet->error = make(report, outlet);
        if (outlet->error == 0) {
            outlet->error = buf_error(&outlet->made);
        }
    }
}

ssize_t registry_outlet_read(struct registry_outlet *outlet, registry_make_fn *make, void *report, char *to,
                             size_t room)
{
    if (outlet->given == outlet->made.size && outlet->error == 0) {
        fill(outlet, make, report);
    }
    if (outlet->error != 0) {
        return outlet->error;
    }
    size_t left = outlet->made.size - outlet->given;
    size_t part = left < room ? left : room;
    if (part > 0) {
        memcpy(to, outlet->made.data + outlet->given, part);
        outlet->given += part;
    }
    return (ssize_t)part;
}

/* ---- refused items ---- */

void registry_refusals_init(struct registry_refusals *refusals, const struct registry *registry,
                            const struct auth_tenant *tenant, const struct uuid *import)
{
    *refusals = (struct registry_refusals){.registry = registry, .tenant = tenant, .import = *import};
    buf_init(&refusals->row, 0);
    buf_init(&refusals->plain, 0);
}

static void forget(struct registry_refusals *refusals)
{
    crypto_wipe(refusals->plain.data, refusals->plain.size);
    buf_clear(&refusals->plain);
    buf_clear(&refusals->row);
    refusals->refused = (struct record_refused){0};
}

void registry_refusals_fini(struct registry_refusals *refusals)
{
    forget(refusals);
    buf_fini(&refusals->plain);
    buf_fini(&refusals->row);
}

int registry_refusals_open(struct registry_refusals *refusals, uint32_t from)
{
    const struct auth_tenant *tenant = refusals->tenant;
    forget(refusals);
    refusals->chunk = from;
    int err = store_import_faults(refusals->registry->store, &tenant->id, &refusals->import, &refusals->chunk,
                                  &refusals->row);
    if (err == 0) {
        err = record_refused_open(&tenant->id, &refusals->import, refusals->chunk, buf_view(&refusals->row),
                                  tenant->keys, &refusals->plain, &refusals->refused);
    }
    return err;
}

/* ---- reasons ---- */

void registry_reasons_join(const struct registry_reasons *reasons, enum registry_reason which, struct buf *out)
{
    struct slice left = reasons->faults;
    struct record_fault fault;
    for (bool first = true; record_refused_fault(&left, &fault); first = false) {
        const struct slice texts[] = {
            [REGISTRY_POINTER] = fault.pointer, [REGISTRY_CODE] = fault.code, [REGISTRY_DETAIL] = fault.detail};
        buf_append_text(out, first ? "" : " | ");
        buf_append_slice(out, texts[which]);
    }
}
