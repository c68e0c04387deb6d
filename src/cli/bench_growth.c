/*
 * Streams against what is stored and how long they are. Growth: the rate of a first stream into an empty store, and of
 * one of the same length once ten times as much is stored. Size: the server's memory for a body of gigabytes and for
 * one of kilobytes. Bodies that are long are made while they are sent.
 */
#include "cli/bench_stream.h"

#define SMALL_BYTES 10000u

static int measure(const struct bench_server *server, struct bench_stream *stream)
{
    struct bench_meter meter;
    struct bench_line line = bench_line_make(stream->name, BENCH_SHAPE_NAMES[stream->source.shape], "customers/s");
    int err = bench_stream_send(server, stream, &meter);
    if (err == 0) {
        bench_meter_to_line(&meter, stream->customers, &line);
        bench_report(&line);
    }
    return err;
}

/* ---- growth ---- */

/* With 1,000,000 customers a line: the first 500,000; what lacks to 5,000,000; 500,000 more. */
static int grow(const struct bench_run *run, const struct bench_server *server, enum bench_shape shape)
{
    uint64_t step = run->customers / 2 > 0 ? run->customers / 2 : 1;
    const struct {
        const char *name;
        uint64_t first;
        uint64_t count;
        bool ahead;
    } parts[] = {{"growth-first", 0, step, true},
                 {"growth-fill", step, 9 * step, false},
                 {"growth-last", 10 * step, step, true}};
    int err = 0;
    for (size_t i = 0; err == 0 && i < sizeof parts / sizeof parts[0]; i++) {
        struct bench_stream stream = {.name = parts[i].name,
                                      .source = {.seed = run->seed, .shape = shape},
                                      .ahead = parts[i].ahead,
                                      .first = parts[i].first,
                                      .customers_max = parts[i].count};
        err = measure(server, &stream);
    }
    return err;
}

int bench_growth(const struct bench_run *run)
{
    struct bench_server server = {0};
    int err = 0;
    for (int shape = run->shape_first; err == 0 && shape < run->shape_end; shape++) {
        err = bench_server_start(run, &server);
        if (err == 0) {
            err = grow(run, &server, (enum bench_shape)shape);
        }
        bench_server_stop(&server);
    }
    return err;
}

/* ---- size ---- */

static int send_bytes(const struct bench_run *run, const char *name, uint64_t bytes)
{
    struct bench_server server = {0};
    struct bench_stream stream = {.name = name,
                                  .source = {.seed = run->seed, .shape = BENCH_CYREXA},
                                  .customers_max = UINT64_MAX,
                                  .bytes_max = bytes};
    int err = bench_server_start(run, &server);
    if (err == 0) {
        err = measure(&server, &stream);
    }
    bench_server_stop(&server);
    return err;
}

int bench_size(const struct bench_run *run)
{
    int err = send_bytes(run, "size-small", SMALL_BYTES);
    if (err == 0) {
        bench_note("size-large: a body of %llu bytes", (unsigned long long)run->large_bytes);
        err = send_bytes(run, "size-large", run->large_bytes);
    }
    return err;
}
