/*
 * Reading a request's headers and query. The library has cut the query into names and values and made
 * spaces of plus signs; escapes are undone here (see leave_escaped in server.c).
 */
#include <stdio.h>

#include "base/text.h"
#include "http/http_priv.h"

#define PAGE_DEFAULT 100u

struct slice http_header(const struct http_request *request, const char *name)
{
    struct slice value = slice_from_text(MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name));
    while (value.size > 0 && (value.data[value.size - 1] == ' ' || value.data[value.size - 1] == '\t')) {
        value.size--;
    }
    return value;
}

struct reading {
    struct http_request *request;
    const char *const *names;
};

static const char *known_name(const char *const *names, const char *name)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0) {
            return names[i];
        }
    }
    return NULL;
}

/* Decodes one parameter behind the others; what is wrong with it goes to request->what. */
static enum MHD_Result read_value(void *context, enum MHD_ValueKind kind, const char *name, const char *text)
{
    const struct reading *reading = context;
    struct http_request *request = reading->request;
    const char *known = known_name(reading->names, name);
    struct slice value;
    (void)kind;
    if (known == NULL) {
        request->what = "The query has a parameter that this address does not know.";
        return MHD_NO;
    }
    if (http_query(request, known, &value) || request->query_count == HTTP_QUERY_VALUES) {
        request->what = "The query has a parameter twice.";
        return MHD_NO;
    }
    size_t at = request->query_text.size;
    if (!text_decode_percent(slice_from_text(text), false, &request->query_text)) {
        request->what = "The query has a % that two hexadecimal digits don't follow.";
        return MHD_NO;
    }
    request->query[request->query_count++] =
        (struct http_query_value){.name = known, .value = {NULL, request->query_text.size - at}};
    return MHD_YES;
}

int http_query_read(struct http_request *request, const char *const *names)
{
    struct reading reading = {.request = request, .names = names};
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, read_value, &reading);
    if (request->what != NULL) {
        return ERR_BAD_PARAMETER;
    }
    int err = buf_error(&request->query_text);
    size_t at = 0;
    for (size_t i = 0; i < request->query_count && err == 0; i++) {
        struct slice *value = &request->query[i].value;
        *value = slice_make(request->query_text.data + at, value->size);
        at += value->size;
    }
    return err;
}

bool http_query(const struct http_request *request, const char *name, struct slice *value)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (strcmp(request->query[i].name, name) == 0) {
            *value = request->query[i].value;
            return true;
        }
    }
    return false;
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
