/*
 * Ending imports by request: undo takes back what a committed one made, abort ends one that is open. Both may be
 * asked for again when an answer was lost, so what is so already is no error.
 */
#include "base/clock.h"
#include "registry/registry_priv.h"

/* Customers in the way of an undo that are named. */
#define CHANGED_MAX 100u

static void put_changed(struct buf *json, const struct uuid *changed, size_t count)
{
    struct json_writer writer;
    json_writer_init(&writer, json);
    json_open_array(&writer);
    for (size_t i = 0; i < count && i < CHANGED_MAX; i++) {
        char text[UUID_TEXT_BYTES + 1];
        uuid_to_text(&changed[i], text);
        json_put_text(&writer, text);
    }
    json_close_array(&writer);
}

/* Whether the import has ended that way. */
static bool has_state(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                      enum import_state state)
{
    struct store_import import;
    return registry_import_row(registry, tenant, id, &import) == 0 && import.state == state;
}

int registry_import_undo(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                         struct buf *json)
{
    struct uuid changed[CHANGED_MAX];
    size_t count = 0;
    int err = store_import_undo(registry->store, &tenant->id, id, clock_real_ms(), changed, CHANGED_MAX, &count);
    if (err == ERR_IMPORT_CHANGED) {
        put_changed(json, changed, count);
        return err;
    }
    if (err == ERR_IMPORT_ENDED && has_state(registry, tenant, id, IMPORT_UNDONE)) {
        err = 0;
    }
    return err == 0 ? registry_import_get(registry, tenant, id, json) : err;
}

int registry_import_abort(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                          bool *ended, struct buf *json)
{
    int err = intake_abort(registry->intake, &tenant->id, id);
    *ended = has_state(registry, tenant, id, IMPORT_ABORTED);
    if (err == ERR_IMPORT_ENDED && *ended) {
        err = 0;
    }
    return err == 0 ? registry_import_get(registry, tenant, id, json) : err;
}
