/*
 * The exchange itself, over libcurl; side.c asks the questions beside it.
 *
 * The difficulty is to say honestly what is known when no answer came: a body that did not leave whole
 * was not kept (the server aborts it); one that did leave may have been kept, so the outcome is unknown.
 */
#include "cli/client.h"

#include <stdlib.h>

#include "cli/side.h"

/* What is kept of an answer that no callback takes. */
#define ANSWER_BYTES (64u << 20)
#define WAIT_MS      200 /* a callback is asked at least this often whether to go on */

struct exchange {
    CURL *curl;
    const struct client_request *request;
    struct client_answer *answer;
    struct slice body_left;
    bool body_done;
    bool answer_headed; /* the answer's head came whole; libcurl takes one that breaks off for an answer without a body
                         */
    bool gave_up;
    char why[CURL_ERROR_SIZE];
};

static size_t on_read(char *to, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    const struct client_request *request = exchange->request;
    size_t room = size * count;
    if (request->read != NULL) {
        ssize_t got = request->read(request->context, to, room);
        exchange->body_done = got == 0;
        exchange->gave_up = exchange->gave_up || got < 0;
        return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
    }
    size_t part = exchange->body_left.size < room ? exchange->body_left.size : room;
    if (part > 0) {
        memcpy(to, exchange->body_left.data, part);
    }
    exchange->body_left = slice_from(exchange->body_left, part);
    exchange->body_done = exchange->body_left.size == 0;
    return part;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    const struct client_request *request = exchange->request;
    struct slice piece = slice_make(bytes, size * count);
    long status = 0;
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
    if (request->take != NULL && status >= 200 && status < 300) {
        bool taken = request->take(request->context, piece);
        exchange->gave_up = exchange->gave_up || !taken;
        return taken ? piece.size : CURL_WRITEFUNC_ERROR;
    }
    buf_append_slice(&exchange->answer->body, piece);
    return buf_error(&exchange->answer->body) == 0 ? piece.size : CURL_WRITEFUNC_ERROR;
}

/* A header's value without the white space around it, when the line is that header. */
static bool header_value(struct slice line, struct slice name, struct slice *value)
{
    if (line.size <= name.size || line.data[name.size] != ':' ||
        !slice_equal_nocase(slice_make(line.data, name.size), name)) {
        return false;
    }
    *value = slice_from(line, name.size + 1);
    while (value->size > 0 && strchr(" \t\r\n", value->data[value->size - 1]) != NULL) {
        value->size--;
    }
    while (value->size > 0 && (value->data[0] == ' ' || value->data[0] == '\t')) {
        *value = slice_from(*value, 1);
    }
    return true;
}

static void copy_or_empty(struct slice value, char *to, size_t size)
{
    if (!cli_text_copy(value, to, size)) {
        to[0] = '\0';
    }
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    struct client_answer *answer = exchange->answer;
    struct slice line = slice_make(bytes, size * count);
    struct slice value;
    if (header_value(line, SLICE("Muster-Import"), &value)) {
        copy_or_empty(value, answer->import, sizeof answer->import);
    } else if (header_value(line, SLICE("Location"), &value)) {
        copy_or_empty(value, answer->location, sizeof answer->location);
    } else if (header_value(line, SLICE("Idempotency-Replayed"), &value)) {
        answer->replayed = slice_equal_text(value, "true");
    } else if (header_value(line, SLICE("Content-Type"), &value)) {
        const char *end = value.size == 0 ? NULL : memchr(value.data, ';', value.size);
        value.size = end == NULL ? value.size : (size_t)(end - value.data);
        copy_or_empty(value, answer->media_type, sizeof answer->media_type);
    } else if (slice_equal_text(line, "\r\n")) {
        long status = 0;
        curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
        exchange->answer_headed = status >= 200; /* below is "100 Continue" */
    }
    return line.size;
}

static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    struct exchange *exchange = context;
    (void)down_total;
    (void)down;
    (void)up_total;
    if (exchange->request->progress == NULL || exchange->request->progress(exchange->request->context, (uint64_t)up)) {
        return 0;
    }
    exchange->gave_up = true;
    return 1;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *prefix, const char *value)
{
    struct buf line;
    buf_init(&line, 0);
    buf_printf(&line, "%s: %s%s", name, prefix, value);
    buf_append_byte(&line, '\0');
    struct curl_slist *longer = buf_error(&line) == 0 ? curl_slist_append(list, line.data) : NULL;
    buf_fini(&line);
    return longer == NULL ? list : longer;
}

static struct curl_slist *headers(const struct client_request *request)
{
    struct curl_slist *list = NULL;
    if (request->bearer != NULL && request->bearer[0] != '\0') {
        list = add_header(list, "Authorization", "Bearer ", request->bearer);
    }
    if (request->read != NULL || request->body.size > 0) {
        list = add_header(list, "Content-Type", "",
                          request->content_type == NULL ? "application/json" : request->content_type);
    }
    if (request->read != NULL && request->size < 0) {
        list = add_header(list, "Transfer-Encoding", "", "chunked");
    }
    for (size_t i = 0; i < request->header_count; i++) {
        list = add_header(list, request->headers[i].name, "", request->headers[i].value);
    }
    return list;
}

static void set_body(CURL *curl, const struct client_request *request, struct exchange *exchange)
{
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 1L << 20);
    if (request->read == NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
    } else if (request->size >= 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
    }
}

static void set_options(CURL *curl, struct exchange *exchange, const char *url, struct curl_slist *list)
{
    const struct client_request *request = exchange->request;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    if (strcmp(request->method, "GET") != 0) {
        set_body(curl, request, exchange);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

/* What a failed exchange means, in the words of client.h. */
static int meaning(const struct exchange *exchange, CURLcode code)
{
    bool has_body = exchange->request->read != NULL || exchange->request->body.size > 0;
    curl_off_t sent = 0;
    curl_easy_getinfo(exchange->curl, CURLINFO_SIZE_UPLOAD_T, &sent);
    int64_t whole = exchange->request->read == NULL ? (int64_t)exchange->request->body.size : exchange->request->size;
    bool all_sent = has_body && (whole >= 0 ? sent >= whole : exchange->body_done);
    if (code == CURLE_OUT_OF_MEMORY) {
        return ERR_NO_MEMORY;
    }
    if (all_sent) {
        return ERR_OUTCOME_UNKNOWN;
    }
    return exchange->gave_up ? ERR_CUT_OFF : ERR_NETWORK;
}

static void say_failure(const char *why, const char *server, int err)
{
    if (err == ERR_OUTCOME_UNKNOWN) {
        cli_say("no answer from %s: %s. It is not known whether this was kept; sending it again is safe.", server, why);
    } else if (err == ERR_CUT_OFF) {
        cli_say("broken off before the body was sent whole: nothing of it is kept");
    } else {
        cli_say("%s: %s", server, why);
    }
}

/* A server may refuse and close before the body has left: then its answer counts, not our failed write. */
static bool has_refusal(const struct client_answer *answer, CURLcode code)
{
    return answer->status >= 400 && (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR);
}

/* Drives the exchange, and the questions beside it, to the exchange's end. */
static CURLcode drive(struct exchange *exchange, CURLM *multi, struct side *side)
{
    CURLMcode state = curl_multi_add_handle(multi, exchange->curl);
    while (state == CURLM_OK) {
        int left = 0;
        state = curl_multi_perform(multi, &left);
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;) {
            if (message->msg == CURLMSG_DONE && message->easy_handle == exchange->curl) {
                CURLcode code = message->data.result;
                curl_multi_remove_handle(multi, exchange->curl);
                return code;
            }
            side_ended(side, message);
        }
        side_step(side);
        if (state == CURLM_OK) {
            state = curl_multi_poll(multi, NULL, 0, WAIT_MS, NULL);
        }
    }
    curl_multi_remove_handle(multi, exchange->curl);
    return state == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
}

static CURLcode perform(struct exchange *exchange, const struct connection *connection)
{
    CURLM *multi = curl_multi_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (multi != NULL) {
        struct side *side = side_open(multi, connection, exchange->request);
        code = drive(exchange, multi, side);
        side_close(&side);
        curl_multi_cleanup(multi);
    }
    return code;
}

/* What the caller learns besides the error. */
static void finish_answer(const struct exchange *exchange, CURLcode code)
{
    struct client_answer *answer = exchange->answer;
    curl_off_t wait_s = 0;
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_getinfo(exchange->curl, CURLINFO_RETRY_AFTER, &wait_s);
    answer->retry_after_s = wait_s > 0 ? (int64_t)wait_s : -1;
    if (code != CURLE_OK) {
        snprintf(answer->why, sizeof answer->why, "%s",
                 exchange->why[0] != '\0' ? exchange->why : curl_easy_strerror(code));
    }
}

int client_perform(const struct connection *connection, const struct client_request *request,
                   struct client_answer *answer)
{
    struct exchange exchange = {.request = request, .answer = answer, .body_left = request->body};
    char url[8192];
    memset(answer, 0, sizeof *answer);
    buf_init(&answer->body, ANSWER_BYTES);
    if (snprintf(url, sizeof url, "%s%s", connection->server, request->path) >= (int)sizeof url) {
        cli_say("the address would be longer than %zu bytes", sizeof url);
        return ERR_BAD_PARAMETER;
    }
    exchange.curl = curl_easy_init();
    if (exchange.curl == NULL) {
        cli_say("libcurl could not start");
        return ERR_NO_MEMORY;
    }
    struct curl_slist *list = headers(request);
    set_options(exchange.curl, &exchange, url, list);
    CURLcode code = perform(&exchange, connection);
    if (code == CURLE_OK && !exchange.answer_headed) {
        code = CURLE_GOT_NOTHING;
    }
    finish_answer(&exchange, code);
    int err = 0;
    if (code != CURLE_OK && !has_refusal(answer, code)) {
        err = meaning(&exchange, code);
        if (!request->hush) {
            say_failure(answer->why, connection->server, err);
        }
    }
    curl_slist_free_all(list);
    curl_easy_cleanup(exchange.curl);
    return err;
}

void client_answer_fini(struct client_answer *answer)
{
    buf_fini(&answer->body);
}

void client_append_escaped(struct buf *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr("-._~", c) != NULL;
        if (plain) {
            buf_append_byte(out, c);
        } else {
            buf_printf(out, "%%%02X", c);
        }
    }
}
