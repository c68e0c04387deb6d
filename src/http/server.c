/*
 * A request's way through libmicrohttpd. The library calls one function again and again: first with
 * the headers, then with pieces of the body, then without any. What a call may do depends on that
 * moment; a connection that has to wait is suspended and called again after its resume.
 *
 * A refusal that is known from the headers is sent at once when the client waits for our word
 * (Expect: 100-continue); otherwise the body is read and thrown away first, because a client that is
 * still sending would lose the answer to a connection reset. Only where nobody can tell for sure where the
 * request ends is it answered at once, and the connection closed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/http_priv.h"

#define CONNECTION_MEMORY_BYTES (64u << 10)
#define CONNECTION_GROWTH_BYTES (32u << 10)

/* ---- a request's life ---- */

/* For the log, whose texts must need no escapes: a method that nobody registered may hold anything. */
static void note_method(struct http_request *request, const char *method)
{
    bool plain = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(method);
    snprintf(request->method, sizeof request->method, "%s", plain ? method : "?");
}

static struct http_request *request_new(struct http_server *server, struct MHD_Connection *connection,
                                        const char *method)
{
    struct http_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        return NULL;
    }
    request->server = server;
    request->connection = connection;
    request->started_ns = clock_monotonic_ns();
    request->content_type = "application/json";
    note_method(request, method);
    buf_init(&request->param_text, 0);
    buf_init(&request->query_text, 0);
    buf_init(&request->body, HTTP_BODY_LIMIT_BYTES);
    buf_init(&request->answer, 0);
    /* A request's id needs to be unique, not in order: one that is made without a lock will do. */
    struct uuid_maker maker = {0};
    uint64_t random;
    crypto_random(&random, sizeof random);
    struct uuid id = uuid_make(&maker, (uint64_t)clock_real_ms(), random);
    uuid_to_text(&id, request->id);
    atomic_fetch_add(&server->active, 1);
    return request;
}

static void log_request(const struct http_request *request)
{
    char import[UUID_TEXT_BYTES + 1] = "";
    const struct auth_tenant *tenant =
        request->import != NULL ? request->admission.grant.tenant : request->grant.tenant;
    struct log_subject subject = {.request = request->id, .import = import};
    if (tenant != NULL) {
        subject.tenant = tenant->name;
    }
    long long took_us = (clock_monotonic_ns() - request->started_ns) / 1000;
    if (request->import == NULL || !intake_is_done(request->import)) {
        log_info(&subject, request->import == NULL ? "request" : "cut off",
                 "\"method\":\"%s\",\"route\":\"%s\",\"status\":%u,\"us\":%lld", request->method,
                 request->route == NULL ? "" : request->route->path, request->status, took_us);
        return;
    }
    struct intake_answer answer;
    uuid_to_text(intake_import_id(request->import), import);
    intake_answer(request->import, &answer);
    log_info(&subject, "import",
             "\"contract\":\"%.*s\",\"status\":%u,\"items\":%llu,\"created\":%llu,\"existing\":%llu,\"faults\":%llu,"
             "\"findings\":%llu,\"bytes\":%llu,\"us\":%lld",
             SLICE_ARG(contract_info(request->contract)->name), request->status, (unsigned long long)answer.item_count,
             (unsigned long long)answer.created, (unsigned long long)answer.existing,
             (unsigned long long)answer.fault_total, (unsigned long long)answer.findings,
             (unsigned long long)answer.bytes, took_us);
}

static void request_free(struct http_request *request)
{
    struct http_server *server = request->server;
    log_request(request);
    http_stream_close(request);
    http_limits_leave(request);
    intake_release(&request->import);
    intake_admission_fini(&request->admission);
    crypto_wipe(request->body.data, request->body.size);
    crypto_wipe(request->answer.data, request->answer.size);
    buf_fini(&request->param_text);
    buf_fini(&request->query_text);
    buf_fini(&request->body);
    buf_fini(&request->answer);
    free(request);
    atomic_fetch_sub(&server->active, 1);
}

static void completed(void *context, struct MHD_Connection *connection, void **held,
                      enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)connection;
    (void)why;
    struct http_request *request = *held;
    if (request != NULL) {
        if (!http_limits_answered(request)) {
            request->status = (unsigned)err_http_status(ERR_TOO_SLOW);
        }
        request_free(request);
        *held = NULL;
    }
}

/* ---- resting ---- */

/* The library still touches its daemon when the resumed connection may already have ended; so the wake
 * itself counts as under way, or a stop could come in between. */
void http_wake(void *context)
{
    struct http_request *request = context;
    struct http_server *server = request->server;
    atomic_fetch_add(&server->active, 1);
    http_limits_rest(request, false);
    MHD_resume_connection(request->connection);
    atomic_fetch_sub(&server->active, 1);
}

static void rest(struct http_request *request)
{
    http_limits_rest(request, true);
    MHD_suspend_connection(request->connection);
    intake_rest(request->import);
}

/* ---- answering ---- */

static void add_import_headers(const struct http_request *request, struct MHD_Response *response)
{
    char import[UUID_TEXT_BYTES + 1];
    uuid_to_text(intake_import_id(request->import), import);
    MHD_add_response_header(response, "Muster-Import", import);
    if (request->admission.applied[0] != '\0') {
        MHD_add_response_header(response, "Preference-Applied", request->admission.applied);
    }
    if (request->replayed) {
        MHD_add_response_header(response, "Idempotency-Replayed", "true");
    }
    if (request->location[0] != '\0') {
        MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, request->location);
    }
    if (request->link[0] != '\0') {
        MHD_add_response_header(response, "Link", request->link);
    }
}

/* What to authenticate with (RFC 6750 section 3, RFC 6749 section 5.2); NULL when that is not the matter. */
static const char *challenge_of(const struct http_request *request)
{
    if (request->status != 401) {
        return request->refusal == ERR_SCOPE_MISSING ? "Bearer error=\"insufficient_scope\"" : NULL;
    }
    if (request->challenge != NULL) {
        return request->challenge;
    }
    return request->refusal == ERR_TOKEN_MISSING ? "Bearer" : "Bearer error=\"invalid_token\"";
}

static void add_headers(const struct http_request *request, struct MHD_Response *response)
{
    const char *challenge = challenge_of(request);
    if (request->status != 204) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->content_type);
    }
    MHD_add_response_header(response, "Request-Id", request->id);
    if (request->import != NULL) {
        add_import_headers(request, response);
    }
    if (challenge != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, challenge);
    }
    if (request->status == 405) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, request->allow);
    }
    if (request->retry_after_s > 0) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%u", request->retry_after_s);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    if (request->no_store) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    }
    if (request->unframed || atomic_load(&request->server->draining)) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
}

/* The body lives in the request until it is completed, which is after the last byte was sent. */
static struct MHD_Response *respond(struct http_request *request)
{
    if (request->stream.read != NULL && request->refusal == 0) {
        return http_stream_respond(request);
    }
    if (buf_error(&request->answer) != 0) {
        buf_fini(&request->answer);
        request->status = 503;
    }
    return MHD_create_response_from_buffer(request->answer.size,
                                           request->answer.data == NULL ? (void *)request->id : request->answer.data,
                                           MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result http_send(struct http_request *request)
{
    request->phase = HTTP_ANSWERED;
    struct MHD_Response *response = respond(request);
    if (response == NULL) {
        return MHD_NO;
    }
    add_headers(request, response);
    enum MHD_Result sent = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    return sent;
}

static enum MHD_Result send_refusal(struct http_request *request)
{
    http_problem(request, request->refusal, request->what, NULL);
    return http_send(request);
}

static enum MHD_Result run_handler(struct http_request *request)
{
    int err = request->route->handler(request);
    if (err != 0) {
        request->refusal = err;
        return send_refusal(request);
    }
    return http_send(request);
}

/* ---- the three moments ---- */

static bool waits_for_our_word(const struct http_request *request)
{
    return slice_equal_nocase(http_header(request, MHD_HTTP_HEADER_EXPECT), SLICE("100-continue"));
}

static bool has_body(const struct http_request *request)
{
    struct slice length = http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return http_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING).size > 0 ||
           (length.size > 0 && !slice_equal_text(length, "0"));
}

/* The headers are here. */
static enum MHD_Result begin(struct http_request *request, const char *method, const char *path)
{
    int found = http_route_find(request, method, path);
    request->refusal = http_fields_check(request);
    if (request->unframed) {
        return send_refusal(request);
    }
    if (request->refusal == 0) {
        request->refusal = found;
    }
    if (request->refusal == 0 && atomic_load(&request->server->draining)) {
        request->refusal = ERR_STOPPING;
    }
    if (request->refusal == 0 && !http_looks_after_us(request->route)) {
        request->refusal = http_limits_admit(request);
    }
    if (request->refusal == 0 && request->route->access == HTTP_BULK) {
        http_bulk_begin(request);
    } else if (request->refusal == 0) {
        request->body.limit_bytes = request->route->slow ? HTTP_SECRET_LIMIT_BYTES : HTTP_BODY_LIMIT_BYTES;
        request->refusal = http_route_admit(request);
    }
    if (request->refusal != 0 && has_body(request) && waits_for_our_word(request)) {
        return send_refusal(request);
    }
    return MHD_YES;
}

/* A piece of the body is here; what stays in *size is given again. */
static enum MHD_Result receive(struct http_request *request, const char *data, size_t *size)
{
    struct slice piece = slice_make(data, *size);
    http_limits_rest(request, false);
    http_limits_body(request, *size);
    if (request->refusal != 0) {
        *size = 0;
        return MHD_YES;
    }
    if (request->import == NULL) {
        buf_append_slice(&request->body, piece);
        request->refusal = buf_error(&request->body);
        *size = 0;
        return MHD_YES;
    }
    bool go_on = intake_take(request->import, &piece);
    *size = piece.size;
    /* The library goes on with what it has read when all of a piece is taken, also on a suspended connection: what
     * has to rest then meets the next call. */
    if (!go_on && piece.size > 0) {
        rest(request);
    }
    return MHD_YES;
}

static enum MHD_Result hand_to_slow(struct http_request *request)
{
    request->phase = HTTP_WORKING;
    MHD_suspend_connection(request->connection);
    if (!queue_try_push(request->server->slow, request)) {
        request->refusal = ERR_OVERLOADED;
        MHD_resume_connection(request->connection);
    }
    return MHD_YES;
}

/* The body is complete, or a rest is over. */
static enum MHD_Result finish(struct http_request *request)
{
    if (!http_limits_whole(request)) {
        return MHD_NO;
    }
    if (request->refusal != 0) {
        return send_refusal(request);
    }
    if (request->import != NULL) {
        if (request->phase == HTTP_RECEIVING) {
            if (!intake_end(request->import)) {
                rest(request);
                return MHD_YES;
            }
            request->phase = HTTP_WORKING;
        }
        if (!intake_is_done(request->import)) {
            rest(request);
            return MHD_YES;
        }
        http_bulk_answer(request);
        return http_send(request);
    }
    if (!request->route->slow) {
        return run_handler(request);
    }
    return request->phase == HTTP_RECEIVING ? hand_to_slow(request) : http_send(request);
}

static enum MHD_Result access_handler(void *context, struct MHD_Connection *connection, const char *path,
                                      const char *method, const char *version, const char *data, size_t *size,
                                      void **held)
{
    (void)version;
    struct http_request *request = *held;
    if (request == NULL) {
        request = request_new(context, connection, method);
        *held = request;
        return request != NULL && http_limits_head(request) ? begin(request, method, path) : MHD_NO;
    }
    return *size > 0 ? receive(request, data, size) : finish(request);
}

/* The port for watchers: there is nothing else at it. */
static enum MHD_Result watched_handler(void *context, struct MHD_Connection *connection, const char *path,
                                       const char *method, const char *version, const char *data, size_t *size,
                                       void **held)
{
    bool ours = strcmp(path, HTTP_HEALTH_PATH) == 0 || strcmp(path, HTTP_READY_PATH) == 0;
    return access_handler(context, connection, ours ? path : "/", method, version, data, size, held);
}

/* ---- start and stop ---- */

/* The library would undo a path's escapes before the path is cut into segments: an escaped slash would cut
 * one, and what looks like an escape afterwards would be undone twice. So it undoes none. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct http_server *server, int fd, size_t threads,
                                       MHD_AccessHandlerCallback handler)
{
    const struct http_options *options = &server->options;
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)options->connections, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)options->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_INCREMENT, CONNECTION_GROWTH_BYTES, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)options->address_connections, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)completed, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)http_limits_notify, server->limits},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(flags, 0, NULL, NULL, handler, server, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

static bool start_daemons(struct http_server *server)
{
    const struct http_options *options = &server->options;
    server->daemon = start_daemon(server, options->listening, options->threads, access_handler);
    if (server->daemon != NULL && options->watched >= 0) {
        server->watched = start_daemon(server, options->watched, 1, watched_handler);
    }
    return server->daemon != NULL && (options->watched < 0 || server->watched != NULL);
}

static void stop_daemons(struct http_server *server)
{
    if (server->watched != NULL) {
        MHD_stop_daemon(server->watched);
    }
    if (server->daemon != NULL) {
        MHD_stop_daemon(server->daemon);
    }
}

int http_start(const struct http_options *options, struct http_server **server)
{
    struct http_server *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->options = *options;
    int err = http_slow_start(made);
    if (err == 0) {
        err = http_limits_new(&made->options, &made->limits);
    }
    if (err == 0) {
        err = http_events_start(made);
    }
    if (err != 0 || !start_daemons(made)) {
        stop_daemons(made);
        http_events_end(made);
        http_events_stop(made);
        http_limits_free(&made->limits);
        http_slow_stop(made);
        free(made);
        return ERR_NO_MEMORY;
    }
    *server = made;
    return 0;
}

bool http_drain(struct http_server *server, unsigned timeout_s)
{
    atomic_store(&server->draining, true);
    http_events_end(server);
    int fd = MHD_quiesce_daemon(server->daemon);
    if (fd >= 0) {
        close(fd);
    }
    int64_t until = clock_monotonic_ns() + (int64_t)timeout_s * 1000000000;
    while (atomic_load(&server->active) > 0 && clock_monotonic_ns() < until) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return atomic_load(&server->active) == 0;
}

void http_stop(struct http_server **server)
{
    struct http_server *stopped = *server;
    *server = NULL;
    stop_daemons(stopped);
    http_events_end(stopped);
    http_events_stop(stopped);
    http_limits_free(&stopped->limits);
    http_slow_stop(stopped);
    free(stopped);
}
