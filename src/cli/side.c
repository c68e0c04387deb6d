/*
 * One question at a time. It must never harm the exchange: it has a time-out of its own, and whatever goes
 * wrong with it is no more than an answer with status 0.
 */
#include "cli/side.h"

#include <stdlib.h>

#include "base/clock.h"

#define TIMEOUT_MS   10000L
#define ANSWER_BYTES (256u << 10)

struct side {
    CURLM *multi;
    CURL *curl;
    struct curl_slist *headers;
    const struct client_side *client;
    struct buf body;
    int64_t next_ns; /* negative: no more questions */
    bool asking;
};

static size_t on_write(char *bytes, size_t size, size_t count, void *context)
{
    struct side *side = context;
    buf_append(&side->body, bytes, size * count);
    return buf_error(&side->body) == 0 ? size * count : CURL_WRITEFUNC_ERROR;
}

static bool set_options(struct side *side, const struct connection *connection, const struct client_request *request)
{
    struct buf text;
    buf_init(&text, 0);
    buf_printf(&text, "Authorization: Bearer %s", request->bearer == NULL ? "" : request->bearer);
    buf_append_byte(&text, '\0');
    size_t url = text.size;
    buf_printf(&text, "%s%s", connection->server, request->side->path);
    buf_append_byte(&text, '\0');
    side->headers = buf_error(&text) == 0 ? curl_slist_append(NULL, text.data) : NULL;
    bool made = side->headers != NULL;
    if (made) {
        curl_easy_setopt(side->curl, CURLOPT_URL, text.data + url);
        curl_easy_setopt(side->curl, CURLOPT_HTTPHEADER, side->headers);
        curl_easy_setopt(side->curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(side->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(side->curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(side->curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
        curl_easy_setopt(side->curl, CURLOPT_WRITEFUNCTION, on_write);
        curl_easy_setopt(side->curl, CURLOPT_WRITEDATA, side);
    }
    buf_fini(&text);
    return made;
}

struct side *side_open(CURLM *multi, const struct connection *connection, const struct client_request *request)
{
    struct side *side = request->side == NULL ? NULL : calloc(1, sizeof *side);
    if (side == NULL) {
        return NULL;
    }
    side->multi = multi;
    side->client = request->side;
    buf_init(&side->body, ANSWER_BYTES);
    side->curl = curl_easy_init();
    if (side->curl == NULL || !set_options(side, connection, request)) {
        side_close(&side);
    }
    return side;
}

void side_close(struct side **side)
{
    struct side *closing = *side;
    if (closing == NULL) {
        return;
    }
    if (closing->asking) {
        curl_multi_remove_handle(closing->multi, closing->curl);
    }
    curl_easy_cleanup(closing->curl);
    curl_slist_free_all(closing->headers);
    buf_fini(&closing->body);
    free(closing);
    *side = NULL;
}

void side_step(struct side *side)
{
    if (side == NULL || side->asking || side->next_ns < 0 || clock_monotonic_ns() < side->next_ns) {
        return;
    }
    buf_clear(&side->body);
    side->asking = curl_multi_add_handle(side->multi, side->curl) == CURLM_OK;
    side->next_ns = side->asking ? side->next_ns : -1;
}

void side_ended(struct side *side, const CURLMsg *message)
{
    long status = 0;
    if (side == NULL || message->msg != CURLMSG_DONE || message->easy_handle != side->curl) {
        return;
    }
    if (message->data.result == CURLE_OK) {
        curl_easy_getinfo(side->curl, CURLINFO_RESPONSE_CODE, &status);
    }
    curl_multi_remove_handle(side->multi, side->curl);
    side->asking = false;
    int64_t pause_ms = side->client->take(side->client->context, status, buf_view(&side->body));
    side->next_ns = pause_ms < 0 ? -1 : clock_monotonic_ns() + pause_ms * 1000000;
}
