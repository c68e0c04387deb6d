/*
 * Bodies of generated customers in every form that a bulk request takes, made piece by piece: what stands before the
 * customers, any number of runs of them, what stands behind. Pure; one thread a maker.
 */
#ifndef CLI_BENCH_FORMS_H
#define CLI_BENCH_FORMS_H

#include "cli/bench_customers.h"

/* BENCH_ZSTD is the JSON, packed; every piece is a frame. */
enum bench_form { BENCH_JSON, BENCH_NDJSON, BENCH_CSV, BENCH_ZSTD, BENCH_FORMS };

/* Its headers, each with its line break. */
extern const char *const BENCH_FORM_HEADERS[BENCH_FORMS];

struct bench_maker;

/* `project` must live as long. NULL: no memory. */
struct bench_maker *bench_maker_new(const struct bench_source *source, enum bench_form form, const char *project);
void bench_maker_free(struct bench_maker **maker);
/* Each appends; the buffer remembers a failure. Begin may be called again, for another body. */
void bench_maker_begin(struct bench_maker *maker, struct buf *out);
void bench_maker_customers(struct bench_maker *maker, uint64_t first, uint64_t count, struct buf *out);
void bench_maker_end(struct bench_maker *maker, struct buf *out);

#endif
