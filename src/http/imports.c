/*
 * Handlers of /v1/imports. Reports are streams that read the registry's readers; what fails before the first byte is a
 * problem like any other.
 */
#include "http/http_priv.h"

static const char *const NO_NAMES[] = {NULL};

/* The id in the path; what is no UUID names nothing. */
static int path_uuid(const struct http_request *request, struct uuid *id)
{
    return uuid_from_text(request->params[0], id) ? 0 : ERR_NOT_FOUND;
}

/* The id, and a query without anything. */
static int read_plain(struct http_request *request, struct uuid *id)
{
    int err = http_query_read(request, NO_NAMES);
    return err == 0 ? path_uuid(request, id) : err;
}

int http_import_get(struct http_request *request)
{
    struct uuid id;
    int err = read_plain(request, &id);
    if (err == 0) {
        err = registry_import_get(request->server->options.registry, request->grant.tenant, &id, &request->answer);
    }
    request->status = 200;
    return err;
}

/* Somebody who has a key but no answer looks for the import. */
static int find_by_key(struct http_request *request, struct slice key)
{
    int err = registry_import_find(request->server->options.registry, request->grant.tenant, key, &request->answer);
    if (err == ERR_BAD_PARAMETER) {
        request->what = "idempotencyKey must be 1 to 255 printable characters, as in the header field.";
    }
    request->status = 200;
    return err;
}

int http_import_list(struct http_request *request)
{
    static const char *const names[] = {"limit", "cursor", "idempotencyKey", NULL};
    struct uuid before;
    struct slice key;
    size_t limit = 0;
    int err = http_query_read(request, names);
    if (err == 0 && http_query(request, "idempotencyKey", &key)) {
        return find_by_key(request, key);
    }
    if (err == 0) {
        err = http_query_limit(request, &limit);
    }
    if (err == 0) {
        err = http_query_uuid(request, "cursor", &before);
    }
    if (err == 0) {
        err = registry_import_list(request->server->options.registry, request->grant.tenant, &before, limit,
                                   &request->answer);
    }
    request->status = 200;
    return err;
}

/* ---- reports ---- */

/* The sentence of ERR_BUSY is about a batch; this is about a report. */
static int explain_open(struct http_request *request, int err)
{
    if (err == ERR_BUSY) {
        request->what = "The import is still open. Its report is there when it has ended; events tell when.";
    }
    return err;
}

static ssize_t read_results(void *context, char *to, size_t room)
{
    return registry_results_read(context, to, room);
}

static void close_results(void *context)
{
    struct registry_results *results = context;
    registry_results_close(&results);
}

int http_import_results(struct http_request *request)
{
    static const char *const types[] = {"application/x-ndjson", "text/csv"};
    struct registry_results *results = NULL;
    struct uuid id;
    size_t chosen = 0;
    int err = read_plain(request, &id);
    if (err == 0) {
        err = http_accept(request, types, 2, &chosen);
    }
    if (err == 0) {
        err = registry_results_open(request->server->options.registry, request->grant.tenant, &id,
                                    chosen == 0 ? REGISTRY_LINES : REGISTRY_CSV, &results);
    }
    if (err != 0) {
        return explain_open(request, err);
    }
    request->stream = (struct http_stream){.read = read_results, .close = close_results, .context = results};
    request->content_type = types[chosen];
    request->status = 200;
    return 0;
}

static ssize_t read_faults(void *context, char *to, size_t room)
{
    return registry_faults_read(context, to, room);
}

static void close_faults(void *context)
{
    struct registry_faults *faults = context;
    registry_faults_close(&faults);
}

/* `groups`, true or false. */
static int read_groups(struct http_request *request, bool *groups)
{
    static const char *const names[] = {"groups", NULL};
    struct slice text = SLICE("false");
    int err = http_query_read(request, names);
    if (err != 0) {
        return err;
    }
    http_query(request, "groups", &text);
    *groups = slice_equal_text(text, "true");
    if (!*groups && !slice_equal_text(text, "false")) {
        request->what = "The query parameter groups is true or false.";
        return ERR_BAD_PARAMETER;
    }
    return 0;
}

int http_import_faults(struct http_request *request)
{
    struct registry_faults *faults = NULL;
    struct uuid id;
    bool groups = false;
    size_t chosen;
    int err = read_groups(request, &groups);
    if (err == 0) {
        err = path_uuid(request, &id);
    }
    if (err == 0) {
        err = registry_faults_open(request->server->options.registry, request->grant.tenant, &id, groups, &faults);
    }
    if (err != 0) {
        return explain_open(request, err);
    }
    const char *type = registry_faults_type(faults);
    err = http_accept(request, &type, 1, &chosen);
    if (err != 0) {
        registry_faults_close(&faults);
        return err;
    }
    request->stream = (struct http_stream){.read = read_faults, .close = close_faults, .context = faults};
    request->content_type = type;
    request->status = 200;
    return 0;
}

/* ---- ending an import ---- */

/* The problem document, and the customers in the way. */
static void refuse_changed(struct http_request *request, struct slice customers)
{
    http_problem(request, ERR_IMPORT_CHANGED, NULL, NULL);
    request->refusal = 0; /* it is composed already */
    request->answer.size--;
    buf_append_text(&request->answer, ",\"customers\":");
    buf_append_slice(&request->answer, customers);
    buf_append_byte(&request->answer, '}');
}

int http_import_undo(struct http_request *request)
{
    struct buf json;
    struct uuid id;
    buf_init(&json, 0);
    int err = read_plain(request, &id);
    if (err == 0) {
        err = registry_import_undo(request->server->options.registry, request->grant.tenant, &id, &json);
    }
    if (err == ERR_IMPORT_CHANGED) {
        refuse_changed(request, buf_view(&json));
        err = 0;
    } else {
        if (err == ERR_IMPORT_ENDED) {
            request->what = "Only an import that is committed, and whose report is still kept, can be undone.";
        }
        request->status = 200;
        buf_append_slice(&request->answer, buf_view(&json));
    }
    buf_fini(&json);
    return err;
}

int http_import_abort(struct http_request *request)
{
    struct uuid id;
    bool ended = false;
    int err = read_plain(request, &id);
    if (err == 0) {
        err = registry_import_abort(request->server->options.registry, request->grant.tenant, &id, &ended,
                                    &request->answer);
    }
    if (err == ERR_IMPORT_ENDED) {
        request->what = "The import is committed. What it made can be taken back with undo.";
    }
    request->status = ended ? 200 : 202;
    return err;
}
