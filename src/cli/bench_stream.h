/*
 * One body on one connection, made of any number of customers, for the lines about streams. The answer is read as it
 * comes, and ids in it are counted, not held.
 */
#ifndef CLI_BENCH_STREAM_H
#define CLI_BENCH_STREAM_H

#include <stdatomic.h>

#include "cli/bench.h"

struct bench_stream {
    const char *name; /* for words about a failure */
    struct bench_source source;
    enum bench_form form;
    bool lenient;
    bool ahead;              /* the body is made before the clock starts, and held */
    uint64_t first;          /* number of the first customer */
    uint64_t customers_max;  /* the body ends with these, */
    uint64_t bytes_max;      /* or with the run of customers that reaches these bytes; 0: no end by bytes, */
    const atomic_bool *stop; /* or when this becomes true; NULL: never */
    uint64_t customers;      /* after: so many were sent */
};

/* Sends it and waits for the answer; the meter runs from the first byte sent to the last one received. 0 when every
 * customer got an id; else ERR_, told on stderr. */
int bench_stream_send(const struct bench_server *server, struct bench_stream *stream,
                      struct bench_meter *meter) MUST_CHECK;

#endif
