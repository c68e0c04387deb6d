/*
 * What the files of `muster bench` share: the run, its lines, and meters of CPU and memory. One thread
 * drives; only bench_bulk.c and bench_beside.c make threads, and join them before they return.
 */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include <netinet/in.h>
#include <sys/types.h>

#include "cli/bench_forms.h"
#include "cli/connect.h"

/* ---- lines (bench_report.c) ---- */

/* One measurement. A number that does not apply is negative and printed as "-". */
struct bench_line {
    const char *name; /* static: "bulk-1000" */
    const char *shape;
    const char *unit;
    double value;
    double p50_ms;
    double p99_ms;
    double cpu_per_1000; /* seconds per 1,000 customers */
    double rss_mib;      /* peak */
};

/* A line with nothing but its names. */
struct bench_line bench_line_make(const char *name, const char *shape, const char *unit);
void bench_report_begin(void);
/* Prints the line on stdout and remembers it for the bars. */
void bench_report(const struct bench_line *line);
/* Whether that line was reported in this run. */
bool bench_reported(const char *name, const char *shape);
/* A line of words among the measurements: "# …". */
void bench_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Holds what was measured against the bars, on stderr. */
void bench_bars(void);

/* ---- meters (bench_meter.c) ---- */

/* A process between begin and end: its CPU seconds and its peak of resident memory. */
struct bench_meter {
    pid_t pid; /* 0: no process to look at */
    double cpu_begin;
    int64_t began_ns;
    double seconds; /* after end */
    double cpu;     /* after end; negative without a process */
    double rss_mib; /* after end; negative without a process */
};

void bench_meter_begin(struct bench_meter *meter, pid_t pid);
void bench_meter_end(struct bench_meter *meter);
/* Value per second, CPU and memory of `count` customers, into the line. */
void bench_meter_to_line(const struct bench_meter *meter, uint64_t count, struct bench_line *line);
/* Holds the process on one core, or lets it go again. */
void bench_one_core(bool one);

/* ---- the run ---- */

struct bench_run {
    uint64_t customers; /* of one bulk line */
    uint64_t seed;
    double step_seconds; /* of check, seal, split */
    double single_seconds;
    uint64_t large_bytes; /* of the body of size-large */
    char folder[512];     /* scratch; made and removed by bench.c */
    const char *store;    /* URL of the servers' store; NULL: in their data folder */
    int shape_first;      /* the shapes that are measured: enum bench_shape, first and one behind the last */
    int shape_end;
};

/* A server under load. */
struct bench_server {
    pid_t pid; /* 0: not ours */
    struct connection connection;
    struct sockaddr_in address;
    uint64_t next;      /* number of the first customer that it has not got yet */
    double single_rate; /* customers a second of the line `single`; 0: not measured */
};

/* Single creates, ready to be sent: head and body of each, one behind the other. */
struct bench_requests {
    struct buf text;
    struct buf offsets; /* size_t, one more than requests */
    size_t count;
};
/* Of customers that the server has not got yet. The caller frees them with fini on an error too. */
int bench_requests_make(const struct bench_run *run, struct bench_server *server, size_t count,
                        struct bench_requests *requests) MUST_CHECK;
struct slice bench_requests_at(const struct bench_requests *requests, size_t index);
void bench_requests_fini(struct bench_requests *requests);
/* Percentiles of latencies, which are sorted, into the line. */
void bench_latencies(uint32_t *latencies_us, size_t count, struct bench_line *line);

/* Each measures and reports its lines. 0, or an ERR_ that has been told on stderr. */
int bench_steps(const struct bench_run *run, enum bench_shape shape) MUST_CHECK;
/* Only the floor, the first of the steps. */
int bench_floor(const struct bench_run *run, enum bench_shape shape) MUST_CHECK;
int bench_store(const struct bench_run *run, enum bench_shape shape) MUST_CHECK;
int bench_bulk(const struct bench_run *run, struct bench_server *server, const struct bench_source *source,
               uint64_t batch, const char *name) MUST_CHECK;
/* `connections`: 64 at most. */
int bench_single(const struct bench_run *run, struct bench_server *server, size_t connections,
                 const char *name) MUST_CHECK;
/* Needs the rate of bench_single. */
int bench_overload(const struct bench_run *run, struct bench_server *server) MUST_CHECK;
/* The stream lines against a server that runs. */
int bench_streams_of(const struct bench_run *run, struct bench_server *server) MUST_CHECK;
/* Each of these starts servers of its own, with empty stores. */
int bench_streams(const struct bench_run *run) MUST_CHECK;
int bench_growth(const struct bench_run *run) MUST_CHECK;
int bench_beside(const struct bench_run *run) MUST_CHECK;
int bench_size(const struct bench_run *run) MUST_CHECK;
int bench_hashing(const struct bench_run *run, struct bench_server *server) MUST_CHECK;
int bench_copy(const struct bench_run *run) MUST_CHECK;
int bench_postgres(const struct bench_run *given) MUST_CHECK;

/* Starts `muster serve --demo` on a free port with its data in run->folder. */
int bench_server_start(const struct bench_run *run, struct bench_server *server) MUST_CHECK;
/* Ends it and waits for it. */
void bench_server_stop(struct bench_server *server);
/* Composes a bulk request's head for a body of that size; the text's size. */
size_t bench_head(const struct bench_server *server, enum bench_shape shape, size_t body_bytes, char *head,
                  size_t size);

/* The same for a body of any form that comes in chunks. */
size_t bench_head_chunked(const struct bench_server *server, enum bench_shape shape, enum bench_form form, bool lenient,
                          char *head, size_t size);

/* Writes customers first to first + count - 1 as rows of PostgreSQL's COPY text format. */
int bench_emit_copy(const struct bench_run *run, enum bench_shape shape, uint64_t first, uint64_t count,
                    const char *path) MUST_CHECK;

/* A line's customers as such rows, in files of run->folder, four of each shape: cyrexa.0 … */
int bench_emit_parts(const struct bench_run *run) MUST_CHECK;
/* The script of that name: installed, in the source tree that we stand in, or in the one that we were built in. */
bool bench_find_script(const char *name, char *path, size_t size);

/* Removes a folder and all in it. */
void bench_remove(const char *folder);

#endif
