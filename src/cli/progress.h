/*
 * How far an import is, for people: a bar that is written over on a terminal, a line every ten seconds
 * elsewhere. Customers are what the server says it has taken; bytes are those that left, which the server's
 * pace holds back. One thread.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/counts.h"

struct progress {
    int64_t size; /* bytes to send; negative: not known */
    uint64_t sent;
    int64_t started_ns;
    int64_t shown_ns;
    struct counts counts; /* the latest; import "" while the server has told none */
    uint64_t first_taken; /* customers at the first answer of this attempt, and when */
    int64_t first_ns;     /* 0: no answer yet */
    int64_t counted_ns;   /* when `counts` were told */
    bool is_terminal;
};

/* Begins an attempt. */
void progress_start(struct progress *progress, int64_t size);
/* So many bytes have left by now; shows it when it is time to. */
void progress_sent(struct progress *progress, uint64_t sent);
/* The server has told where the import is. */
void progress_counts(struct progress *progress, const struct counts *counts);
/* For client_side: `context` is the progress; takes an answer of GET /v1/imports?idempotencyKey=…. */
int64_t progress_take(void *context, long status, struct slice body);
/* Shows it now. */
void progress_show(struct progress *progress, int64_t now_ns);
/* Wipes the line off a terminal. */
void progress_end(const struct progress *progress);

/* The line itself, without what begins and ends it. */
void progress_print(const struct progress *progress, int64_t now_ns, struct buf *line);

#endif
