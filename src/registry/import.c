/* Showing imports: their rows hold counts, names and times, none of it personal. */
#include "registry/registry_priv.h"
#include "json/json.h"

static const char *state_text(uint8_t state)
{
    switch (state) {
    case IMPORT_OPEN:
        return "open";
    case IMPORT_COMMITTED:
        return "committed";
    default:
        return "aborted";
    }
}

static void put_count(struct json_writer *writer, const char *name, uint64_t value)
{
    json_name(writer, name);
    json_put_uint(writer, value);
}

static void put_finding_counts(struct json_writer *writer, const struct store_import *import)
{
    json_name(writer, "findings");
    json_open_object(writer);
    for (size_t i = 0; i < STORE_FINDING_CODES && import->finding_counts[i].count > 0; i++) {
        put_count(writer, import->finding_counts[i].code, import->finding_counts[i].count);
    }
    json_close_object(writer);
}

static void put_counts(struct json_writer *writer, const struct store_import *import)
{
    bool committed = import->state == IMPORT_COMMITTED;
    json_name(writer, "counts");
    json_open_object(writer);
    put_count(writer, "received", import->received);
    put_count(writer, "created", committed ? import->created : 0);
    put_count(writer, "existing", committed ? import->existing : 0);
    put_count(writer, "faults", import->faults);
    put_finding_counts(writer, import);
    json_close_object(writer);
}

static void put_optional(struct json_writer *writer, const char *name, const char *value)
{
    if (value[0] != '\0') {
        json_name(writer, name);
        json_put_text(writer, value);
    }
}

/* Items a second between its start and its end. */
static void put_rate(struct json_writer *writer, const struct store_import *import)
{
    int64_t took_ms = import->ended_ms - import->started_ms;
    if (import->ended_ms != 0 && took_ms > 0) {
        put_count(writer, "itemsPerSecond", import->received * 1000 / (uint64_t)took_ms);
    }
}

static void put_import(struct json_writer *writer, const struct registry *registry, const struct store_import *import)
{
    json_open_object(writer);
    registry_put_uuid(writer, "id", &import->id);
    json_name(writer, "state");
    json_put_text(writer, state_text(import->state));
    json_name(writer, "mode");
    json_put_text(writer, import->partial ? "partial" : "atomic");
    json_name(writer, "contract");
    json_put_string(writer, registry_contract_name(registry, import->contract));
    put_optional(writer, "project", import->project);
    put_optional(writer, "type", import->type);
    put_optional(writer, "code", import->error == 0 ? "" : err_code(import->error));
    put_counts(writer, import);
    put_count(writer, "bytes", import->bytes);
    registry_put_time(writer, "startedAt", import->started_ms);
    registry_put_time(writer, "endedAt", import->ended_ms);
    put_rate(writer, import);
    json_close_object(writer);
}

int registry_import_get(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                        struct buf *json)
{
    struct store_import import;
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_import_get(registry->store, &tenant->id, id, &import, &envelope);
    if (err == 0) {
        struct json_writer writer;
        json_writer_init(&writer, json);
        put_import(&writer, registry, &import);
        err = buf_error(json);
    }
    buf_fini(&envelope);
    return err;
}

struct page {
    const struct registry *registry;
    struct json_writer writer;
    size_t limit;
    size_t shown;
    bool more;
    struct uuid last;
};

static int put_listed(void *context, const struct store_import *import)
{
    struct page *page = context;
    if (page->shown == page->limit) {
        page->more = true;
        return 0;
    }
    put_import(&page->writer, page->registry, import);
    page->last = import->id;
    page->shown++;
    return 0;
}

int registry_import_list(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *before,
                         size_t limit, struct buf *json)
{
    struct page page = {.registry = registry, .limit = limit};
    json_writer_init(&page.writer, json);
    json_open_object(&page.writer);
    json_name(&page.writer, "imports");
    json_open_array(&page.writer);
    int err = store_import_list(registry->store, &tenant->id, before, limit + 1, put_listed, &page);
    json_close_array(&page.writer);
    if (page.more) {
        registry_put_uuid(&page.writer, "next", &page.last);
    }
    json_close_object(&page.writer);
    return err == 0 ? buf_error(json) : err;
}
