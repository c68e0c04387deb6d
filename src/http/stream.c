/*
 * Bodies that are made while they are sent. The library asks for the next bytes whenever the connection can take
 * some, so a client that reads slowly costs what one call makes and no more. The status has gone out by then: what
 * fails on the way can only be shown by breaking the connection off, which chunked transfer makes visible.
 *
 * The stream belongs to the request and not to the library's response, because the order in which the library
 * frees the one and completes the other is not told.
 */
#include "http/http_priv.h"

#define STREAM_BLOCK_BYTES (32u << 10)

static ssize_t read_stream(void *context, uint64_t at, char *to, size_t room)
{
    struct http_request *request = context;
    (void)at;
    ssize_t size = request->stream.read(request->stream.context, to, room);
    if (size > 0) {
        return size;
    }
    if (size == 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (size == HTTP_STREAM_RESTS) {
        return 0;
    }
    struct log_subject subject = {.request = request->id};
    log_warning(&subject, "answer broken off", "\"code\":\"%s\"", err_code((int)size));
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* The library ends a chunked answer to HEAD with a last chunk, which the client would take for the next answer. Told
 * to talk as to HTTP/1.0 it uses no chunks, and closes the connection behind the header fields. */
static void forbid_chunks(struct MHD_Response *response)
{
    MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
}

struct MHD_Response *http_stream_respond(struct http_request *request)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, request, NULL);
    if (response != NULL && strcmp(request->method, "HEAD") == 0) {
        forbid_chunks(response);
    }
    return response;
}

void http_stream_close(struct http_request *request)
{
    if (request->stream.close != NULL) {
        request->stream.close(request->stream.context);
    }
    request->stream = (struct http_stream){0};
}
