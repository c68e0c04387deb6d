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

struct MHD_Response *http_stream_respond(struct http_request *request)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, request, NULL);
}

void http_stream_close(struct http_request *request)
{
    if (request->stream.close != NULL) {
        request->stream.close(request->stream.context);
    }
    request->stream = (struct http_stream){0};
}
