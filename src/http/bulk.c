/* Bulk requests: the intake's steps, seen from the HTTP thread. */
#include "base/clock.h"
#include "http/http_priv.h"

/* Asking for what is not there must not look as if it had been done. */
static int check_unsupported(struct http_request *request)
{
    static const char *const none[] = {NULL};
    if (http_header(request, "Idempotency-Key").size > 0) {
        request->what =
            "Idempotency-Key is not taken here. Leave it out: a batch whose items carry external ids can be "
            "sent again safely.";
        return ERR_BAD_PARAMETER;
    }
    return http_query_read(request, none);
}

static struct slice tenant_header(const struct http_request *request, const struct contract_info *info)
{
    return http_header(request, info->tenant_header.size > 0 ? info->tenant_header.data : "tenantId");
}

void http_bulk_begin(struct http_request *request)
{
    const struct contract_info *info = contract_info(request->contract);
    const struct http_options *options = &request->server->options;
    struct intake_headers headers = {.authorization = http_header(request, MHD_HTTP_HEADER_AUTHORIZATION),
                                     .tenant = tenant_header(request, info),
                                     .content_type = http_header(request, MHD_HTTP_HEADER_CONTENT_TYPE),
                                     .content_encoding = http_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING),
                                     .accept = http_header(request, MHD_HTTP_HEADER_ACCEPT),
                                     .prefer = http_header(request, "Prefer")};
    if (info->token_header.size > 0) {
        headers.token = http_header(request, info->token_header.data);
    }
    request->refusal =
        intake_admit(options->auth, request->contract, &headers, clock_real_ms(), &request->admission, &request->what);
    request->grant = request->admission.grant;
    if (request->refusal == 0) {
        request->refusal = check_unsupported(request);
    }
    if (request->refusal == 0) {
        struct intake_waker waker = {.wake = http_wake, .context = request};
        request->refusal = intake_begin(options->intake, &request->admission, &waker, &request->import);
    }
}

void http_bulk_take(struct http_request *request, struct slice *piece)
{
    intake_take(request->import, piece);
}

void http_bulk_answer(struct http_request *request)
{
    struct intake_answer answer;
    intake_answer(request->import, &answer);
    if (answer.error != 0) {
        http_problem(request, answer.error,
                     answer.error == ERR_SCOPE_MISSING ? scope_to_text(SCOPE_CUSTOMERS_STATUS) : NULL, &answer);
        return;
    }
    request->status = 200;
    char piece[4096];
    for (ssize_t size; (size = intake_reply_read(request->import, piece, sizeof piece)) > 0;) {
        buf_append(&request->answer, piece, (size_t)size);
    }
}
