/*
 * One body on one connection. It is made by one function whether it is held before the clock starts or made while it
 * is sent: a piece is a run of customers, and the next one is made when the socket has taken the last. Making a
 * customer is a small part of what the server does for it, and the socket's buffer covers that time, so one thread is
 * enough.
 *
 * The stream lines: a body of a line's customers in each form, to a server whose store is empty.
 */
#include "cli/bench_stream.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/bench_http.h"

#define HEAD_BYTES  8192
#define RUN         100u /* customers of a piece */
#define PIECE_BYTES (128u << 10)
#define ID_HYPHENS  4u

/* ---- a body that is made while it is sent ---- */

struct body {
    struct bench_stream *stream;
    struct bench_maker *maker;
    enum { BODY_BEGIN, BODY_CUSTOMERS, BODY_END } state;
    struct buf text; /* the piece at hand */
    uint64_t bytes;
    struct buf whole; /* the body made ahead, and how much of it is taken */
    size_t taken;
};

static bool wants_more(const struct body *body)
{
    const struct bench_stream *stream = body->stream;
    return stream->customers < stream->customers_max && (stream->bytes_max == 0 || body->bytes < stream->bytes_max) &&
           (stream->stop == NULL || !atomic_load(stream->stop));
}

static void make_customers(struct body *body)
{
    struct bench_stream *stream = body->stream;
    uint64_t left = stream->customers_max - stream->customers;
    uint64_t count = left < RUN ? left : RUN;
    if (stream->bytes_max != 0 && stream->bytes_max - body->bytes < RUN * BENCH_CUSTOMER_BYTES) {
        count = 1; /* so that small bodies end in time */
    }
    bench_maker_customers(body->maker, stream->first + stream->customers, count, &body->text);
    stream->customers += count;
}

/* The next piece, empty behind the last one. Without memory the body ends early, which the ids tell. */
static struct slice next_made(void *context)
{
    struct body *body = context;
    buf_clear(&body->text);
    while (body->text.size == 0 && body->state != BODY_END && buf_error(&body->text) == 0) {
        if (body->state == BODY_BEGIN) {
            bench_maker_begin(body->maker, &body->text);
            body->state = BODY_CUSTOMERS;
        } else if (wants_more(body)) {
            make_customers(body);
        } else {
            bench_maker_end(body->maker, &body->text);
            body->state = BODY_END;
        }
    }
    body->bytes += body->text.size;
    return buf_error(&body->text) != 0 ? SLICE_NONE : buf_view(&body->text);
}

static int make_ahead(struct body *body)
{
    struct slice piece;
    while ((piece = next_made(body)).size > 0) {
        buf_append_slice(&body->whole, piece);
    }
    return buf_error(&body->text) != 0 ? buf_error(&body->text) : buf_error(&body->whole);
}

static struct slice next_held(void *context)
{
    struct body *body = context;
    struct slice left = slice_from(buf_view(&body->whole), body->taken);
    struct slice piece = slice_make(left.data, left.size < PIECE_BYTES ? left.size : PIECE_BYTES);
    body->taken += piece.size;
    return piece;
}

/* ---- sending it ---- */

static uint64_t count_hyphens(const char *text)
{
    uint64_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '-' ? 1 : 0;
    }
    return count;
}

/* Whether the answer has an id for each customer, no more and no less. */
static bool has_all(const struct bench_server *server, const struct bench_stream *stream,
                    const struct bench_reply *reply)
{
    uint64_t others = stream->source.shape == BENCH_CYREXA ? count_hyphens(server->connection.tenant) : 0;
    return reply->status == 200 && reply->hyphens == stream->customers * ID_HYPHENS + others;
}

static int post(const struct bench_server *server, struct body *body, struct bench_meter *meter)
{
    static _Thread_local struct bench_reply reply;
    const struct bench_stream *stream = body->stream;
    char head[HEAD_BYTES];
    size_t head_size =
        bench_head_chunked(server, stream->source.shape, stream->form, stream->lenient, head, sizeof head);
    int fd = bench_connect(&server->address);
    int err = fd < 0 ? ERR_NETWORK : 0;
    bench_reply_begin(&reply);
    bench_meter_begin(meter, server->pid);
    if (err == 0) {
        err = bench_exchange_chunked(fd, slice_make(head, head_size), stream->ahead ? next_held : next_made, body,
                                     &reply);
    }
    bench_meter_end(meter);
    if (fd >= 0) {
        close(fd);
    }
    if (err == 0 && !has_all(server, stream, &reply)) {
        err = ERR_NETWORK;
    }
    if (err != 0) {
        cli_say("bench: %s %s: status %d, %llu ids for %llu customers: %.*s", stream->name,
                BENCH_SHAPE_NAMES[stream->source.shape], reply.status, (unsigned long long)reply.hyphens / ID_HYPHENS,
                (unsigned long long)stream->customers, (int)reply.excerpt_size, reply.excerpt);
    }
    return err;
}

int bench_stream_send(const struct bench_server *server, struct bench_stream *stream, struct bench_meter *meter)
{
    struct body body = {.stream = stream,
                        .maker = bench_maker_new(&stream->source, stream->form, server->connection.project)};
    stream->customers = 0;
    buf_init(&body.text, 0);
    buf_init(&body.whole, 0);
    int err = body.maker == NULL ? ERR_NO_MEMORY : 0;
    if (err == 0 && stream->ahead) {
        err = make_ahead(&body);
    }
    if (err != 0) {
        cli_say("bench: %s: %s", stream->name, err_text(err));
    } else {
        err = post(server, &body, meter);
    }
    bench_maker_free(&body.maker);
    buf_fini(&body.text);
    buf_fini(&body.whole);
    return err;
}

/* ---- the stream lines ---- */

static const struct {
    const char *name;
    enum bench_form form;
    bool lenient;
} LINES[] = {
    {"stream-json", BENCH_JSON, false}, {"stream-ndjson", BENCH_NDJSON, false}, {"stream-csv", BENCH_CSV, false},
    {"stream-zstd", BENCH_ZSTD, false}, {"stream-lenient", BENCH_JSON, true},
};
#define LINE_COUNT (sizeof LINES / sizeof LINES[0])

static int run_line(const struct bench_run *run, struct bench_server *server, enum bench_shape shape, size_t index)
{
    struct bench_meter meter;
    struct bench_line line = bench_line_make(LINES[index].name, BENCH_SHAPE_NAMES[shape], "customers/s");
    struct bench_stream stream = {.name = line.name,
                                  .source = {.seed = run->seed, .shape = shape},
                                  .form = LINES[index].form,
                                  .lenient = LINES[index].lenient,
                                  .ahead = true,
                                  .first = server->next,
                                  .customers_max = run->customers};
    int err = bench_stream_send(server, &stream, &meter);
    server->next += run->customers;
    if (err == 0) {
        bench_meter_to_line(&meter, stream.customers, &line);
        bench_report(&line);
    }
    return err;
}

int bench_streams_of(const struct bench_run *run, struct bench_server *server)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < LINE_COUNT * BENCH_SHAPES; i++) {
        err = run_line(run, server, (enum bench_shape)(i / LINE_COUNT), i % LINE_COUNT);
    }
    return err;
}

/* With the floor of this run to hold the lines against; every line begins with an empty store. */
int bench_streams(const struct bench_run *run)
{
    struct bench_server server = {0};
    int err = 0;
    for (int shape = run->shape_first; err == 0 && shape < run->shape_end; shape++) {
        if (!bench_reported("floor", BENCH_SHAPE_NAMES[shape])) {
            err = bench_floor(run, (enum bench_shape)shape);
        }
        for (size_t i = 0; err == 0 && i < LINE_COUNT; i++) {
            err = bench_server_start(run, &server);
            if (err == 0) {
                err = run_line(run, &server, (enum bench_shape)shape, i);
            }
            bench_server_stop(&server);
        }
    }
    return err;
}
