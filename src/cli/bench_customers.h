/*
 * Customers that look like real ones, for measurements and tests: names in several scripts, unique ids,
 * addresses that pass the contracts' formats. Customer n of a seed is always the same, whoever makes it
 * and in whatever order. Pure; thread-safe.
 */
#ifndef CLI_BENCH_CUSTOMERS_H
#define CLI_BENCH_CUSTOMERS_H

#include <stdint.h>

#include "base/buf.h"

enum bench_shape { BENCH_CYREXA, BENCH_NEXERA, BENCH_SHAPES };

/* "cyrexa", "nexera" */
extern const char *const BENCH_SHAPE_NAMES[BENCH_SHAPES];

struct bench_source {
    uint64_t seed;
    enum bench_shape shape;
    bool plain_secrets; /* plain passwords for the hashing lane; else ready-made hashes on some */
};

/* What a database would index of a customer; views into the buffer until its next growth. */
struct bench_keys {
    struct slice external_id;
    struct slice first;  /* e-mail; of a Nexera customer the wallet */
    struct slice second; /* telephone; of a Nexera customer the DID */
};

/* No customer is longer. */
#define BENCH_CUSTOMER_BYTES 4096

/* Appends customer n as one JSON object without white space. `keys` may be NULL. */
void bench_customer(const struct bench_source *source, uint64_t n, struct buf *out, struct bench_keys *keys);

/* What stands around the customers of a body in the shape's envelope. */
void bench_body_begin(const struct bench_source *source, struct buf *out);
void bench_body_end(const struct bench_source *source, const char *project, struct buf *out);
/* One request's body: customers first to first + count - 1 in the shape's envelope. */
void bench_body(const struct bench_source *source, uint64_t first, uint64_t count, const char *project,
                struct buf *out);

#endif
