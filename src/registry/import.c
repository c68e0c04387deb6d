/*
 * Showing imports: their rows hold counts, names and times, none of it personal.
 *
 * What an import has done counts once it is committed. So while it is open `counts` has what was received and
 * nothing kept, and `progress` tells how far it is, from the request that is under way; without one (its client
 * left it, or this server has just started) from its row.
 */
#include "base/clock.h"
#include "registry/registry_priv.h"
#include "json/json.h"

/* Customers looked at for secrets that wait to be hashed. */
#define PENDING_LOOKS_MAX 250u

static const char *const STATES[] = {
    [IMPORT_OPEN] = "open", [IMPORT_COMMITTED] = "committed", [IMPORT_ABORTED] = "aborted", [IMPORT_UNDONE] = "undone"};
static const char *const FORMATS[] = {[IMPORT_JSON] = "json", [IMPORT_NDJSON] = "ndjson", [IMPORT_CSV] = "csv"};
static const char *const EXISTING[] = {[IMPORT_EXISTING_SAME] = "same",
                                       [IMPORT_EXISTING_SKIP] = "skip",
                                       [IMPORT_EXISTING_UPDATE] = "update",
                                       [IMPORT_EXISTING_FAIL] = "fail"};

static const char *name_at(const char *const *names, size_t count, size_t index)
{
    return index < count && names[index] != NULL ? names[index] : "unknown";
}
#define NAME_AT(names, index) name_at(names, sizeof(names) / sizeof(names)[0], index)

static void put_text(struct json_writer *writer, const char *name, const char *value)
{
    json_name(writer, name);
    json_put_text(writer, value);
}

static void put_count(struct json_writer *writer, const char *name, uint64_t value)
{
    json_name(writer, name);
    json_put_uint(writer, value);
}

static void put_codes(struct json_writer *writer, const char *name, const struct store_finding_count *counts,
                      size_t count)
{
    json_name(writer, name);
    json_open_object(writer);
    for (size_t i = 0; i < count && counts[i].count > 0; i++) {
        put_count(writer, counts[i].code, counts[i].count);
    }
    json_close_object(writer);
}

bool registry_import_counts(const struct store_import *import)
{
    return import->state == IMPORT_COMMITTED || import->state == IMPORT_UNDONE ||
           (import->dry_run && import->state == IMPORT_ABORTED && import->error == 0);
}

/* Items that came and are not among those that were taken. */
static uint64_t refused_of(const struct store_import *import)
{
    uint64_t taken = import->created + import->existing + import->updated + import->skipped;
    return import->received > taken ? import->received - taken : 0;
}

static void put_counts(struct json_writer *writer, const struct store_import *import,
                       const struct intake_progress *progress)
{
    bool counts = registry_import_counts(import);
    json_name(writer, "counts");
    json_open_object(writer);
    put_count(writer, "received", progress != NULL ? progress->received : import->received);
    put_count(writer, "created", counts ? import->created : 0);
    put_count(writer, "existing", counts ? import->existing : 0);
    put_count(writer, "updated", counts ? import->updated : 0);
    put_count(writer, "skipped", counts ? import->skipped : 0);
    if (counts) {
        put_count(writer, "refused", refused_of(import));
    }
    put_count(writer, "faults", import->faults);
    put_codes(writer, "faultsByCode", import->fault_counts, STORE_FAULT_CODES);
    put_codes(writer, "findings", import->finding_counts, STORE_FINDING_CODES);
    json_close_object(writer);
}

static void put_optional(struct json_writer *writer, const char *name, const char *value)
{
    if (value[0] != '\0') {
        put_text(writer, name, value);
    }
}

/* Items a second in the time from its start. */
static void put_rate(struct json_writer *writer, uint64_t items, int64_t started_ms, int64_t until_ms)
{
    if (until_ms > started_ms) {
        put_count(writer, "itemsPerSecond", items * 1000 / (uint64_t)(until_ms - started_ms));
    }
}

/* What the row of an open import says of it when nobody is at work on it here. */
static struct intake_progress progress_of_row(const struct store_import *import)
{
    return (struct intake_progress){.received = import->received,
                                    .decided = import->received,
                                    .created = import->created,
                                    .existing = import->existing,
                                    .updated = import->updated,
                                    .skipped = import->skipped,
                                    .refused = refused_of(import),
                                    .findings = import->findings,
                                    .bytes = import->bytes};
}

static void put_progress(struct json_writer *writer, const struct intake_progress *progress)
{
    json_open_object(writer);
    put_count(writer, "received", progress->received);
    put_count(writer, "decided", progress->decided);
    put_count(writer, "created", progress->created);
    put_count(writer, "existing", progress->existing);
    put_count(writer, "updated", progress->updated);
    put_count(writer, "skipped", progress->skipped);
    put_count(writer, "refused", progress->refused);
    put_count(writer, "findings", progress->findings);
    put_count(writer, "bytes", progress->bytes);
    if (progress->started_ms != 0) {
        put_rate(writer, progress->decided, progress->started_ms, clock_real_ms());
    }
    json_close_object(writer);
}

static void put_link(struct json_writer *writer, const struct store_import *import, const char *name)
{
    char id[UUID_TEXT_BYTES + 1];
    struct buf link;
    uuid_to_text(&import->id, id);
    buf_init(&link, 0);
    buf_printf(&link, "/v1/imports/%s/%s", id, name);
    json_name(writer, name);
    json_put_string(writer, buf_view(&link));
    buf_fini(&link);
}

/* Only what is there to be had now. */
static void put_links(struct json_writer *writer, const struct store_import *import)
{
    json_name(writer, "links");
    json_open_object(writer);
    if (import->state == IMPORT_OPEN) {
        put_link(writer, import, "events");
    } else if (!import->expired) {
        if (registry_import_counts(import)) {
            put_link(writer, import, "results");
        }
        put_link(writer, import, "faults");
    }
    json_close_object(writer);
}

static void put_terms(struct json_writer *writer, const struct registry *registry, const struct store_import *import)
{
    put_text(writer, "state", NAME_AT(STATES, import->state));
    put_text(writer, "mode", import->partial ? "partial" : "atomic");
    json_name(writer, "contract");
    json_put_string(writer, registry_contract_name(registry, import->contract));
    put_text(writer, "format", NAME_AT(FORMATS, import->format));
    put_text(writer, "onExisting", NAME_AT(EXISTING, import->on_existing));
    put_text(writer, "validation", import->strict ? "strict" : "standard");
    json_name(writer, "dryRun");
    json_put_bool(writer, import->dry_run);
    json_name(writer, "resumable");
    json_put_bool(writer, import->resumable && import->state == IMPORT_OPEN);
    put_optional(writer, "project", import->project);
    put_optional(writer, "type", import->type);
    put_optional(writer, "code", import->error == 0 ? "" : err_code(import->error));
}

/* The members but the last brace, so that more can follow. */
static void open_import(struct json_writer *writer, const struct registry *registry, const struct store_import *import)
{
    struct intake_progress progress;
    bool open = import->state == IMPORT_OPEN;
    bool under_way = open && intake_progress(registry->intake, &import->tenant, &import->id, &progress);
    json_open_object(writer);
    registry_put_uuid(writer, "id", &import->id);
    put_terms(writer, registry, import);
    put_counts(writer, import, under_way ? &progress : NULL);
    if (open) {
        json_name(writer, "progress");
        progress = under_way ? progress : progress_of_row(import);
        put_progress(writer, &progress);
        json_name(writer, "underWay");
        json_put_bool(writer, under_way);
    }
    put_count(writer, "bytes", under_way ? progress.bytes : import->bytes);
    registry_put_time(writer, "startedAt", import->started_ms);
    registry_put_time(writer, "endedAt", import->ended_ms);
    if (import->ended_ms != 0) {
        put_rate(writer, import->received, import->started_ms, import->ended_ms);
    }
    if (import->expired) {
        json_name(writer, "expired");
        json_put_bool(writer, true);
    }
    put_links(writer, import);
}

/* Whether that customer came with this import. */
static bool is_of_import(const struct registry *registry, const struct store_import *import, const struct uuid *id)
{
    struct buf record;
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    buf_init(&record, 0);
    bool same = store_customer_get(registry->store, &import->tenant, id, &record) == 0 &&
                record_read_header(buf_view(&record), &header, keys) == 0 && uuid_equal(&header.import, &import->id);
    buf_fini(&record);
    return same;
}

/* How many of the customers that it made have secrets that wait to be hashed. Ids are in order of time, so those of
 * an import stand behind its own; the walk ends behind the last that may be one, or after some looks. */
static size_t count_pending(const struct registry *registry, const struct store_import *import)
{
    struct uuid tenant = import->tenant;
    struct uuid id = import->id;
    size_t count = 0;
    for (size_t looks = 0; looks < PENDING_LOOKS_MAX; looks++) {
        if (store_secrets_next_pending(registry->store, &tenant, &id) != 0 || !uuid_equal(&tenant, &import->tenant) ||
            uuid_time_ms(&id) > (uint64_t)import->ended_ms + 1000) {
            break;
        }
        count += is_of_import(registry, import, &id) ? 1 : 0;
    }
    return count;
}

static int show(const struct registry *registry, const struct store_import *import, struct buf *json)
{
    struct json_writer writer;
    json_writer_init(&writer, json);
    open_import(&writer, registry, import);
    if (import->state == IMPORT_COMMITTED) {
        put_count(&writer, "secretsPending", count_pending(registry, import));
    }
    json_close_object(&writer);
    return buf_error(json);
}

int registry_import_row(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                        struct store_import *import)
{
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_import_get(registry->store, &tenant->id, id, import, &envelope);
    import->envelope = SLICE_NONE;
    buf_fini(&envelope);
    return err;
}

int registry_import_get(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                        struct buf *json)
{
    struct store_import import;
    int err = registry_import_row(registry, tenant, id, &import);
    return err == 0 ? show(registry, &import, json) : err;
}

int registry_import_progress(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                             bool *ended, struct buf *json)
{
    struct store_import import;
    struct intake_progress progress;
    /* Asked first: when nobody is at work on it any more, its row says what it came to. */
    bool under_way = intake_progress(registry->intake, &tenant->id, id, &progress);
    int err = registry_import_row(registry, tenant, id, &import);
    if (err != 0) {
        return err;
    }
    *ended = import.state != IMPORT_OPEN;
    if (*ended) {
        return show(registry, &import, json);
    }
    struct json_writer writer;
    json_writer_init(&writer, json);
    progress = under_way ? progress : progress_of_row(&import);
    put_progress(&writer, &progress);
    return buf_error(json);
}

/* ---- lists ---- */

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
    open_import(&page->writer, page->registry, import);
    json_close_object(&page->writer);
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

/* ---- by an idempotency key ---- */

/* Row of the newest import that the key was claimed by. 0, ERR_NOT_FOUND, or ERR_BAD_PARAMETER. */
static int newest_of_key(const struct registry *registry, const struct auth_tenant *tenant, struct slice key,
                         struct store_import *newest)
{
    struct store_request claim;
    struct store_import import;
    uint8_t mac[CRYPTO_MAC_BYTES];
    bool found = false;
    for (size_t i = 0; i < registry->contract_count; i++) {
        int err = intake_key_mac(registry->contracts[i], tenant, key, mac);
        if (err != 0) {
            return err;
        }
        err = store_request_get(registry->store, &tenant->id, mac, &claim);
        err = err == 0 ? registry_import_row(registry, tenant, &claim.import, &import) : err;
        if (err != 0 && err != ERR_NOT_FOUND) {
            return err;
        }
        if (err == 0 && (!found || memcmp(import.id.bytes, newest->id.bytes, UUID_BYTES) > 0)) {
            *newest = import;
            found = true;
        }
    }
    return found ? 0 : ERR_NOT_FOUND;
}

int registry_import_find(const struct registry *registry, const struct auth_tenant *tenant, struct slice key,
                         struct buf *json)
{
    struct store_import import;
    struct json_writer writer;
    int err = newest_of_key(registry, tenant, key, &import);
    if (err != 0 && err != ERR_NOT_FOUND) {
        return err;
    }
    json_writer_init(&writer, json);
    json_open_object(&writer);
    json_name(&writer, "imports");
    json_open_array(&writer);
    if (err == 0) {
        open_import(&writer, registry, &import);
        json_close_object(&writer);
    }
    json_close_array(&writer);
    json_close_object(&writer);
    return buf_error(json);
}
