/*
 * Single creates beside a stream: their latency on a quiet server, then while another connection sends a body that
 * ends only when they are done. Many connections at a time measure what is left of the machine, a few what one
 * customer waits behind another's import.
 */
#include <pthread.h>
#include <time.h>

#include "cli/bench_stream.h"

#define MANY 64u
#define FEW  4u
/* Numbers that the singles don't reach. */
#define STREAM_FIRST 100000000u
/* So long a stream runs before the singles begin. */
#define WARM_SECONDS 1

struct beside {
    const struct bench_server *server;
    struct bench_stream stream;
    struct bench_meter meter;
    atomic_bool stop;
    int err;
};

static void *run_stream(void *context)
{
    struct beside *beside = context;
    beside->err = bench_stream_send(beside->server, &beside->stream, &beside->meter);
    return NULL;
}

static void report(const struct beside *beside)
{
    struct bench_line line = bench_line_make("beside-stream", BENCH_SHAPE_NAMES[BENCH_CYREXA], "customers/s");
    bench_meter_to_line(&beside->meter, beside->stream.customers, &line);
    line.cpu_per_1000 = -1; /* the singles' would be in it */
    bench_report(&line);
}

/* The singles' lines have neither CPU nor memory of the server (`alone` has no process): the stream's would be in
 * them. */
static int singles_beside(const struct bench_run *run, const struct bench_server *server, struct bench_server *alone,
                          struct beside *beside)
{
    static const struct timespec warm = {.tv_sec = WARM_SECONDS};
    pthread_t thread;
    beside->server = server;
    if (pthread_create(&thread, NULL, run_stream, beside) != 0) {
        cli_say("bench: beside: no thread");
        return ERR_NO_MEMORY;
    }
    nanosleep(&warm, NULL);
    int err = bench_single(run, alone, MANY, "beside-64");
    if (err == 0) {
        err = bench_single(run, alone, FEW, "beside-4");
    }
    atomic_store(&beside->stop, true);
    pthread_join(thread, NULL);
    return err != 0 ? err : beside->err;
}

int bench_beside(const struct bench_run *run)
{
    struct bench_server server = {0};
    struct beside beside = {.stream = {.name = "beside-stream",
                                       .source = {.seed = run->seed, .shape = BENCH_CYREXA},
                                       .first = STREAM_FIRST,
                                       .customers_max = UINT64_MAX,
                                       .stop = &beside.stop}};
    int err = bench_server_start(run, &server);
    struct bench_server alone = server;
    alone.pid = 0;
    if (err == 0) {
        err = bench_single(run, &alone, MANY, "quiet-64");
    }
    if (err == 0) {
        err = bench_single(run, &alone, FEW, "quiet-4");
    }
    if (err == 0) {
        err = singles_beside(run, &server, &alone, &beside);
    }
    if (err == 0) {
        report(&beside);
    }
    bench_server_stop(&server);
    return err;
}
