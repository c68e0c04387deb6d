/* Reading a request's headers and query. libmicrohttpd has decoded percent escapes of the query. */
#include <stdio.h>

#include "base/text.h"
#include "http/http_priv.h"

#define PAGE_DEFAULT 100u

struct slice http_header(const struct http_request *request, const char *name)
{
    return slice_from_text(MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name));
}

bool http_query(const struct http_request *request, const char *name, struct slice *value)
{
    const char *text = NULL;
    size_t size = 0;
    if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &text, &size) !=
        MHD_YES) {
        return false;
    }
    *value = slice_make(text, text == NULL ? 0 : size);
    return true;
}

int http_query_limit(struct http_request *request, size_t *limit)
{
    struct slice text;
    uint64_t value = PAGE_DEFAULT;
    if (http_query(request, "limit", &text) &&
        (!text_to_u64(text, &value) || value == 0 || value > REGISTRY_PAGE_MAX)) {
        request->what = "The query parameter limit must be a whole number from 1 to 1000.";
        return ERR_BAD_PARAMETER;
    }
    *limit = (size_t)value;
    return 0;
}

int http_query_uuid(struct http_request *request, const char *name, struct uuid *uuid)
{
    struct slice text;
    *uuid = (struct uuid){{0}};
    if (http_query(request, name, &text) && !uuid_from_text(text, uuid)) {
        request->what = "The query parameter cursor must be the `next` of the page before.";
        return ERR_BAD_PARAMETER;
    }
    return 0;
}

struct allowed {
    const char *const *names;
    bool unknown;
};

static enum MHD_Result check_name(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct allowed *allowed = context;
    (void)kind;
    (void)value;
    for (size_t i = 0; allowed->names[i] != NULL; i++) {
        if (strcmp(allowed->names[i], name) == 0) {
            return MHD_YES;
        }
    }
    allowed->unknown = true;
    return MHD_NO;
}

int http_query_check(struct http_request *request, const char *const *names)
{
    struct allowed allowed = {.names = names};
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, check_name, &allowed);
    if (!allowed.unknown) {
        return 0;
    }
    request->what = "The query has a parameter that this address does not know.";
    return ERR_BAD_PARAMETER;
}
