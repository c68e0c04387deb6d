/* What the files of the registry share. */
#ifndef REGISTRY_REGISTRY_PRIV_H
#define REGISTRY_REGISTRY_PRIV_H

#include "record/record.h"
#include "registry/registry.h"
#include "json/json.h"

/* Name of the contract with that number, or "unknown". */
struct slice registry_contract_name(const struct registry *registry, uint8_t number);
/* `name`: id or time as a JSON string. */
void registry_put_uuid(struct json_writer *writer, const char *name, const struct uuid *uuid);
void registry_put_time(struct json_writer *writer, const char *name, int64_t ms);
/* Makes the header of a record that was opened that of the customer `id`: content that an update brought was sealed
 * as another, at another time. */
void registry_name_record(struct record_header *header, const struct uuid *id);

/* ---- import.c ---- */

/* The import's row without its envelope. 0 or ERR_NOT_FOUND. */
int registry_import_row(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                        struct store_import *import) MUST_CHECK;
/* Whether its counts say what was kept, or would have been: not those of an import that failed. */
bool registry_import_counts(const struct store_import *import);

/* ---- report.c: what the readers of reports share ---- */

/* A report that is read: 0, ERR_NOT_FOUND or ERR_BUSY, as registry.h says. */
int registry_report_check(const struct store_import *import) MUST_CHECK;

/* Text that was made and not given out yet. */
struct registry_outlet {
    struct buf made;
    size_t given;
    bool ended; /* nothing more will be made */
    int error;
};

/* Appends some text to `made`, about a bufferful; sets `ended` behind the last. Appending nothing is fine. */
typedef int registry_make_fn(void *report, struct registry_outlet *outlet);

void registry_outlet_init(struct registry_outlet *outlet);
/* Wipes it: reports hold personal data. */
void registry_outlet_fini(struct registry_outlet *outlet);
ssize_t registry_outlet_read(struct registry_outlet *outlet, registry_make_fn *make, void *report, char *to,
                             size_t room);

/* The chunks of an import that have refused items, one after the other. */
struct registry_refusals {
    const struct registry *registry;
    const struct auth_tenant *tenant;
    struct uuid import;
    uint32_t chunk; /* whose items are in `refused` */
    struct buf row;
    struct buf plain;
    struct record_refused refused;
};

void registry_refusals_init(struct registry_refusals *refusals, const struct registry *registry,
                            const struct auth_tenant *tenant, const struct uuid *import);
void registry_refusals_fini(struct registry_refusals *refusals);
/* Opens the first chunk from number `from` on that has any. 0, ERR_NOT_FOUND: no more, or why it can't be read. */
int registry_refusals_open(struct registry_refusals *refusals, uint32_t from) MUST_CHECK;

/* ---- faults_json.c, faults_csv.c: an item with what is wrong with it ---- */

/* What is wrong with one item, for its four columns or members. */
struct registry_reasons {
    uint64_t index;
    struct slice faults; /* for record_refused_fault */
};
enum registry_reason { REGISTRY_POINTER, REGISTRY_CODE, REGISTRY_DETAIL };
/* Appends that text of every fault, with " | " between them. */
void registry_reasons_join(const struct registry_reasons *reasons, enum registry_reason which, struct buf *out);

/* Writes items as JSON again. */
struct registry_items {
    struct json_parser *parser;
    size_t capacity;
    struct buf text;
};
void registry_items_init(struct registry_items *items);
void registry_items_fini(struct registry_items *items);
/* Appends the item with the members _row, _pointer, _code and _detail, in place of those that it came with. What is
 * no object becomes one, with the item as _item. 0 or ERR_NO_MEMORY. */
int registry_item_append(struct registry_items *items, struct slice text, const struct registry_reasons *reasons,
                         struct buf *out) MUST_CHECK;
/* Splits an envelope in front of the first item and behind the last: *before gets everything up to and with the
 * bracket. `array` is contract_info.items. 0 or ERR_NO_MEMORY. */
int registry_envelope_open(struct registry_items *items, struct slice envelope, struct slice array,
                           struct buf *before) MUST_CHECK;

/* Appends the header row with the four columns, in place of those that it came with. */
void registry_csv_header(struct slice header, struct buf *out);
/* Appends a row likewise. One that can't be shown has empty fields. */
void registry_csv_row(struct slice header, struct slice row, const struct registry_reasons *reasons, struct buf *out);

/* ---- groups.c ---- */
struct registry_groups;
/* NULL: no memory. */
struct registry_groups *registry_groups_new(void);
void registry_groups_free(struct registry_groups **groups);
/* Counts one item's faults in. 0 or ERR_NO_MEMORY. */
int registry_groups_add(struct registry_groups *groups, const struct registry_reasons *reasons) MUST_CHECK;
void registry_groups_put(struct registry_groups *groups, struct buf *json);

#endif
