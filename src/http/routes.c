/*
 * The table of routes. Bulk routes come from the contracts, the rest stands here. A path is compared
 * segment by segment, so that /v1/customers/{} is one row and a literal ":id" is just a bad id. Only then
 * are a segment's escapes undone: an escaped slash belongs to its segment.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/http_priv.h"

/* Who may send batches may end one, and so may who may take them back. */
#define SCOPE_IMPORTS_ABORT (SCOPE_CUSTOMERS_CREATE | SCOPE_IMPORTS_UNDO)

/* clang-format off */
static const struct http_route ROUTES[] = {
    {"GET",    HTTP_HEALTH_PATH,                          HTTP_OPEN,     0,                     false, http_health},
    {"GET",    HTTP_READY_PATH,                           HTTP_OPEN,     0,                     false, http_ready},
    {"POST",   "/oauth2/token",                           HTTP_OPEN,     0,                     false, http_token},
    {"GET",    "/.well-known/jwks.json",                  HTTP_OPEN,     0,                     false, http_jwks},
    {"GET",    "/.well-known/oauth-authorization-server", HTTP_OPEN,     0,                     false, http_metadata},
    {"GET",    "/v1/customers",                           HTTP_TENANT,   SCOPE_CUSTOMERS_READ,  false, http_customer_list},
    {"GET",    "/v1/customers/{}",                        HTTP_TENANT,   SCOPE_CUSTOMERS_READ,  false, http_customer_get},
    {"POST",   "/v1/customers/{}/verify",                 HTTP_TENANT,   SCOPE_CUSTOMERS_READ,  true,  http_secret_verify},
    {"GET",    "/v1/imports",                             HTTP_TENANT,   SCOPE_IMPORTS_READ,    false, http_import_list},
    {"GET",    "/v1/imports/{}",                          HTTP_TENANT,   SCOPE_IMPORTS_READ,    false, http_import_get},
    {"GET",    "/v1/imports/{}/results",                  HTTP_TENANT,   SCOPE_IMPORTS_READ,    false, http_import_results},
    {"GET",    "/v1/imports/{}/faults",                   HTTP_TENANT,   SCOPE_IMPORTS_READ,    false, http_import_faults},
    {"GET",    "/v1/imports/{}/events",                   HTTP_TENANT,   SCOPE_IMPORTS_READ,    false, http_import_events},
    {"POST",   "/v1/imports/{}/undo",                     HTTP_TENANT,   SCOPE_IMPORTS_UNDO,    true,  http_import_undo},
    {"POST",   "/v1/imports/{}/abort",                    HTTP_TENANT,   SCOPE_IMPORTS_ABORT,   true,  http_import_abort},
    {"POST",   "/v1/admin/tenants",                       HTTP_OPERATOR, 0,                     false, http_tenant_create},
    {"GET",    "/v1/admin/tenants",                       HTTP_OPERATOR, 0,                     false, http_tenant_list},
    {"PATCH",  "/v1/admin/tenants/{}",                    HTTP_OPERATOR, 0,                     false, http_tenant_limit},
    {"DELETE", "/v1/admin/tenants/{}",                    HTTP_OPERATOR, 0,                     false, http_tenant_revoke},
    {"POST",   "/v1/admin/tenants/{}/projects",           HTTP_OPERATOR, 0,                     false, http_project_create},
    {"GET",    "/v1/admin/tenants/{}/projects",           HTTP_OPERATOR, 0,                     false, http_project_list},
    {"DELETE", "/v1/admin/tenants/{}/projects/{}",        HTTP_OPERATOR, 0,                     false, http_project_revoke},
    {"POST",   "/v1/admin/tenants/{}/clients",            HTTP_OPERATOR, 0,                     false, http_client_create},
    {"GET",    "/v1/admin/tenants/{}/clients",            HTTP_OPERATOR, 0,                     false, http_client_list},
    {"DELETE", "/v1/admin/tenants/{}/clients/{}",         HTTP_OPERATOR, 0,                     false, http_client_revoke},
    {"POST",   "/v1/admin/tenants/{}/keys",               HTTP_OPERATOR, 0,                     false, http_key_create},
    {"GET",    "/v1/admin/tenants/{}/keys",               HTTP_OPERATOR, 0,                     false, http_key_list},
    {"DELETE", "/v1/admin/tenants/{}/keys/{}",            HTTP_OPERATOR, 0,                     false, http_key_revoke},
};
/* clang-format on */
#define ROUTE_COUNT (sizeof ROUTES / sizeof ROUTES[0])

static const struct http_route BULK = {"POST", "", HTTP_BULK, SCOPE_CUSTOMERS_CREATE, false, NULL};

static struct slice next_segment(struct slice *path)
{
    size_t size = 0;
    *path = slice_from(*path, 1); /* the slash */
    while (size < path->size && path->data[size] != '/') {
        size++;
    }
    struct slice segment = slice_make(path->data, size);
    *path = slice_from(*path, size);
    return segment;
}

/* Whether the path fits; parameters are views of the path then. */
static bool path_fits(struct slice pattern, struct slice path, struct slice params[HTTP_PARAMS])
{
    size_t count = 0;
    while (pattern.size > 0 && path.size > 0) {
        struct slice wanted = next_segment(&pattern);
        struct slice given = next_segment(&path);
        if (slice_equal_text(wanted, "{}")) {
            if (given.size == 0) {
                return false;
            }
            params[count++] = given;
        } else if (!slice_equal(wanted, given)) {
            return false;
        }
    }
    return pattern.size == 0 && path.size == 0;
}

/* HEAD is answered like GET, without the body (RFC 9110 section 9.3.2). */
static void add_allow(struct http_request *request, const char *method)
{
    size_t used = strlen(request->allow);
    snprintf(request->allow + used, sizeof request->allow - used, "%s%s%s", used == 0 ? "" : ", ", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

static bool method_fits(const char *method, const char *wanted)
{
    return strcmp(method, wanted) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(wanted, "GET") == 0);
}

static const struct contract *contract_at_path(const struct registry *registry, struct slice path)
{
    for (size_t i = 0; i < registry->contract_count; i++) {
        if (slice_equal(contract_info(registry->contracts[i])->path, path)) {
            return registry->contracts[i];
        }
    }
    return NULL;
}

/* Decodes the segments that stand for parameters. */
static int decode_params(struct http_request *request)
{
    size_t ends[HTTP_PARAMS];
    for (size_t i = 0; i < HTTP_PARAMS; i++) {
        if (request->params[i].size > 0 && !text_decode_percent(request->params[i], false, &request->param_text)) {
            return ERR_NOT_FOUND;
        }
        ends[i] = request->param_text.size;
    }
    for (size_t i = 0; i < HTTP_PARAMS; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        request->params[i] = slice_make(request->param_text.data + start, ends[i] - start);
    }
    return buf_error(&request->param_text);
}

/* The path of a target in absolute form, which a server must take although no client but a proxy sends it (RFC
 * 9112 section 3.2.2). */
static struct slice path_of(struct slice target)
{
    static const struct slice schemes[] = {{"http://", 7}, {"https://", 8}};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t size = schemes[i].size;
        if (target.size > size && slice_equal_nocase(slice_make(target.data, size), schemes[i])) {
            struct slice rest = slice_from(target, size);
            const char *slash = memchr(rest.data, '/', rest.size);
            return slash == NULL ? SLICE("/") : slice_from(rest, (size_t)(slash - rest.data));
        }
    }
    return target;
}

int http_route_find(struct http_request *request, const char *method, const char *path_text)
{
    struct slice path = path_of(slice_from_text(path_text));
    if (path.size == 0 || path.data[0] != '/') {
        return ERR_NOT_FOUND;
    }
    request->contract = contract_at_path(request->server->options.registry, path);
    if (request->contract != NULL) {
        if (strcmp(method, BULK.method) == 0) {
            request->route = &BULK;
            return 0;
        }
        add_allow(request, BULK.method);
    }
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        struct slice params[HTTP_PARAMS] = {SLICE_NONE, SLICE_NONE};
        if (!path_fits(slice_from_text(ROUTES[i].path), path, params)) {
            continue;
        }
        if (method_fits(method, ROUTES[i].method)) {
            request->route = &ROUTES[i];
            memcpy(request->params, params, sizeof params);
            return decode_params(request);
        }
        add_allow(request, ROUTES[i].method);
    }
    return request->allow[0] != '\0' ? ERR_METHOD_NOT_ALLOWED : ERR_NOT_FOUND;
}

static int admit_tenant(struct http_request *request, struct slice token, int64_t now_ms)
{
    int err = auth_check_bearer(request->server->options.auth, token, now_ms, &request->grant);
    if (err != 0) {
        return err;
    }
    struct slice named = http_header(request, "tenantId");
    if (named.size > 0 && !slice_equal_text(named, request->grant.tenant->name)) {
        return ERR_TENANT_MISMATCH;
    }
    uint32_t wanted = request->route->scope;
    if ((request->grant.scopes & wanted) == 0) {
        request->what = scope_to_text(wanted & (~wanted + 1));
        return ERR_SCOPE_MISSING;
    }
    return http_limits_admit_tenant(request);
}

int http_route_admit(struct http_request *request)
{
    if (request->route->access == HTTP_OPEN) {
        return 0;
    }
    struct slice token;
    int err = intake_bearer(http_header(request, MHD_HTTP_HEADER_AUTHORIZATION), &token);
    if (err != 0) {
        return err;
    }
    if (request->route->access == HTTP_OPERATOR) {
        return auth_check_operator(request->server->options.auth, token);
    }
    return admit_tenant(request, token, clock_real_ms());
}
