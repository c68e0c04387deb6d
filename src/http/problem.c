/*
 * Problem documents (RFC 9457). `detail` says what to do; the members that clients of the two
 * contracts' siblings read (`error`, `message`) repeat it. No text of a customer's member is ever in one.
 */
#include <stdio.h>

#include "http/http_priv.h"

#define RETRY_AFTER_S 2u /* when nobody knows better */

static void put(struct json_writer *writer, const char *name, const char *value)
{
    json_name(writer, name);
    json_put_text(writer, value);
}

static void put_place(struct json_writer *writer, const struct json_error *place)
{
    json_name(writer, "offset");
    json_put_uint(writer, place->offset);
    if (place->line > 0) {
        json_name(writer, "line");
        json_put_uint(writer, place->line);
        json_name(writer, "column");
        json_put_uint(writer, place->column);
    }
}

static void put_faults(struct json_writer *writer, const struct intake_answer *answer)
{
    if (answer->place.reason != NULL) {
        put_place(writer, &answer->place);
    }
    if (answer->fault_count == 0) {
        return;
    }
    json_name(writer, "errors");
    json_open_array(writer);
    for (size_t i = 0; i < answer->fault_count; i++) {
        intake_fault_write(writer, &answer->faults[i]);
    }
    json_close_array(writer);
    json_name(writer, "errorsTotal");
    json_put_uint(writer, answer->fault_total);
}

/* The sentence of the error, and what is known besides. */
static void compose_detail(struct buf *detail, int err, const char *what, const struct intake_answer *answer)
{
    if (answer != NULL && answer->place.reason != NULL) {
        buf_append_text(detail, answer->place.reason);
        if (err == ERR_MALFORMED_JSON) {
            return; /* says all, and may be about a limit, which is not JSON's */
        }
        buf_append_text(detail, " ");
    }
    if (err == ERR_SCOPE_MISSING && what != NULL) {
        buf_printf(detail, "The token lacks the scope %s, which this needs.", what);
        return;
    }
    buf_append_text(detail, what != NULL ? what : err_text(err));
}

/* "malformed-json" as a title: a phrase that does not change from case to case (RFC 9457 section 3.1.3). */
static void put_title(struct json_writer *writer, const char *code)
{
    char title[64];
    size_t size = strnlen(code, sizeof title - 1);
    for (size_t i = 0; i < size; i++) {
        title[i] = code[i] == '-' ? ' ' : code[i];
    }
    title[size] = '\0';
    if (title[0] >= 'a' && title[0] <= 'z') {
        title[0] = (char)(title[0] - ('a' - 'A'));
    }
    put(writer, "title", title);
}

static void put_sibling(struct json_writer *writer, const struct http_request *request, struct slice detail)
{
    if (request->contract == NULL) {
        return;
    }
    struct slice name = contract_info(request->contract)->problem_text;
    if (name.size > 0) {
        json_name_slice(writer, name);
        json_put_string(writer, detail);
    }
}

static bool is_retryable(unsigned status)
{
    return status == 503 || status == 429 || status == 507;
}

void http_problem(struct http_request *request, int err, const char *what, const struct intake_answer *answer)
{
    struct json_writer writer;
    struct buf detail;
    buf_init(&detail, 0);
    compose_detail(&detail, err, what, answer);
    request->refusal = err;
    request->status = (unsigned)err_http_status(err);
    request->content_type = "application/problem+json";
    if (!is_retryable(request->status) && err != ERR_BUSY && err != ERR_KEY_IN_FLIGHT) {
        request->retry_after_s = 0;
    } else if (request->retry_after_s == 0) {
        request->retry_after_s = RETRY_AFTER_S;
    }
    buf_clear(&request->answer);
    json_writer_init(&writer, &request->answer);
    json_open_object(&writer);
    char type[96];
    snprintf(type, sizeof type, "urn:muster:problem:%s", err_code(err));
    put(&writer, "type", type);
    put_title(&writer, err_code(err));
    json_name(&writer, "status");
    json_put_uint(&writer, request->status);
    json_name(&writer, "detail");
    json_put_string(&writer, buf_view(&detail));
    char instance[UUID_TEXT_BYTES + 1];
    memcpy(instance, request->id, sizeof instance);
    if (answer != NULL && answer->replayed) {
        uuid_to_text(&answer->request, instance); /* a replay is the first answer again */
    }
    put(&writer, "instance", instance);
    put(&writer, "code", err_code(err));
    put_sibling(&writer, request, buf_view(&detail));
    if (answer != NULL) {
        put_faults(&writer, answer);
    }
    json_close_object(&writer);
    buf_fini(&detail);
}
