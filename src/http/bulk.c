/* Bulk requests: the intake's steps, seen from the HTTP thread. */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/http_priv.h"

/* An answer up to this size goes with its length, like one that was composed in one piece. */
#define WHOLE_ANSWER_BYTES (64u << 10)
#define PARAMS_MAX         32u

/* ---- the head ---- */

struct params {
    struct intake_param at[PARAMS_MAX];
    size_t ends[PARAMS_MAX]; /* of name and value, in the text */
    size_t count;
    struct buf *text;
    bool failed;
};

/* Decodes one parameter behind the others; slices are made when the text no longer moves. */
static enum MHD_Result read_param(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct params *params = context;
    (void)kind;
    size_t at = params->text->size;
    if (params->count == PARAMS_MAX || !text_decode_percent(slice_from_text(name), false, params->text)) {
        params->failed = true;
        return MHD_NO;
    }
    size_t name_size = params->text->size - at;
    if (!text_decode_percent(slice_from_text(value), false, params->text)) {
        params->failed = true;
        return MHD_NO;
    }
    params->at[params->count].name.size = name_size;
    params->at[params->count].value.size = params->text->size - at - name_size;
    params->count++;
    return MHD_YES;
}

static bool is_twice(const struct params *params, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (slice_equal(params->at[i].name, params->at[index].name)) {
            return true;
        }
    }
    return false;
}

static int read_params(struct http_request *request, struct params *params)
{
    params->text = &request->query_text;
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, read_param, params);
    const char *at = request->query_text.data;
    for (size_t i = 0; i < params->count; i++) {
        params->at[i].name.data = at;
        params->at[i].value.data = at + params->at[i].name.size;
        at += params->at[i].name.size + params->at[i].value.size;
        if (is_twice(params, i)) {
            request->what = "The query has a parameter twice.";
            return ERR_BAD_PARAMETER;
        }
    }
    if (params->failed) {
        request->what = "The query has too many parameters, or a % that two hexadecimal digits don't follow.";
        return ERR_BAD_PARAMETER;
    }
    return buf_error(&request->query_text);
}

static enum MHD_Result join_field(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct buf *joined = context;
    (void)kind;
    if (slice_equal_nocase(slice_from_text(name), SLICE("Prefer"))) {
        buf_append_text(joined, joined->size > 0 ? "," : "");
        buf_append_text(joined, value);
    }
    return MHD_YES;
}

static struct slice tenant_header(const struct http_request *request, const struct contract_info *info)
{
    return http_header(request, info->tenant_header.size > 0 ? info->tenant_header.data : "tenantId");
}

/* Of the body as it will be taken, when the head says it; else 0. */
static uint64_t body_bytes(const struct http_request *request)
{
    uint64_t size = 0;
    bool packed = request->admission.encoding != INTAKE_IDENTITY;
    return !packed && text_to_u64(http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH), &size) ? size : 0;
}

static int admit(struct http_request *request, const struct params *params, struct slice prefer)
{
    const struct contract_info *info = contract_info(request->contract);
    struct intake_headers headers = {.authorization = http_header(request, MHD_HTTP_HEADER_AUTHORIZATION),
                                     .tenant = tenant_header(request, info),
                                     .content_type = http_header(request, MHD_HTTP_HEADER_CONTENT_TYPE),
                                     .content_encoding = http_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING),
                                     .accept = http_header(request, MHD_HTTP_HEADER_ACCEPT),
                                     .prefer = prefer,
                                     .idempotency_key = http_header(request, "Idempotency-Key"),
                                     .params = params->at,
                                     .param_count = params->count};
    if (info->token_header.size > 0) {
        headers.token = http_header(request, info->token_header.data);
    }
    if (!uuid_from_text(slice_from_text(request->id), &headers.request)) {
        return ERR_INTERNAL;
    }
    return intake_admit(request->server->options.auth, request->contract, &headers, clock_real_ms(),
                        &request->admission, &request->what);
}

void http_bulk_begin(struct http_request *request)
{
    struct params params = {0};
    struct buf prefer;
    buf_init(&prefer, 0);
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, join_field, &prefer);
    int err = read_params(request, &params);
    const char *what = request->what;
    /* Who may not come in learns nothing of what is wrong with the query. */
    request->refusal = admit(request, &params, buf_view(&prefer));
    if (request->refusal == 0 && err != 0) {
        request->refusal = err;
        request->what = what;
    }
    request->grant = request->admission.grant;
    if (request->refusal == 0) {
        request->refusal = http_limits_admit_tenant(request);
    }
    if (request->refusal == 0) {
        struct intake_waker waker = {.wake = http_wake, .context = request};
        request->admission.body_bytes = body_bytes(request);
        request->refusal = intake_begin(request->server->options.intake, &request->admission, &waker, &request->import);
        request->retry_after_s = request->admission.retry_after_s;
    }
    buf_fini(&prefer);
}

/* ---- the answer ---- */

/* What was composed first, then the rest as it is read. */
static ssize_t read_reply(void *context, char *to, size_t room)
{
    struct http_request *request = context;
    size_t left = request->answer.size - request->answer_read;
    if (left == 0) {
        return intake_reply_read(request->import, to, room);
    }
    size_t part = left < room ? left : room;
    memcpy(to, request->answer.data + request->answer_read, part);
    request->answer_read += part;
    return (ssize_t)part;
}

static void close_reply(void *context)
{
    (void)context; /* the import is the request's */
}

/* Where the whole story of a partial import is (RFC 8288), or will be of one that is taken in later. */
static void add_link(struct http_request *request, const struct intake_answer *answer)
{
    char import[UUID_TEXT_BYTES + 1];
    uuid_to_text(intake_import_id(request->import), import);
    if (answer->accepted) {
        snprintf(request->location, sizeof request->location, "/v1/imports/%s", import);
    }
    if (answer->refused > 0) {
        snprintf(request->link, sizeof request->link, "</v1/imports/%s>; rel=\"describedby\"", import);
    }
}

/* As much as fits one buffer; the stream goes on behind it when there is more. */
static int compose(struct http_request *request)
{
    ssize_t size = 1;
    while (size > 0 && request->answer.size < WHOLE_ANSWER_BYTES) {
        size_t room = 16u << 10;
        if (buf_reserve(&request->answer, room) != 0) {
            return ERR_OUTCOME_UNKNOWN;
        }
        size = intake_reply_read(request->import, request->answer.data + request->answer.size, room);
        request->answer.size += size > 0 ? (size_t)size : 0;
    }
    if (size > 0) {
        request->stream = (struct http_stream){.read = read_reply, .close = close_reply, .context = request};
    }
    return size < 0 ? ERR_OUTCOME_UNKNOWN : 0;
}

void http_bulk_answer(struct http_request *request)
{
    struct intake_answer answer;
    intake_answer(request->import, &answer);
    request->retry_after_s = answer.retry_after_s;
    request->replayed = answer.replayed;
    add_link(request, &answer);
    int err = answer.error;
    if (err == 0) {
        request->status = answer.accepted ? 202 : 200;
        request->content_type = answer.accepted ? "application/json" : intake_reply_type(request->import);
        err = compose(request);
    }
    if (err != 0) {
        request->content_type = "application/json";
        http_problem(request, err, err == ERR_SCOPE_MISSING ? scope_to_text(SCOPE_CUSTOMERS_STATUS) : NULL, &answer);
    }
}
