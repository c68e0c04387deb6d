/*
 * Whether an import that came to no end is sent again, and after how long. A policy and nothing else: it
 * neither waits nor sends. Pure.
 */
#ifndef CLI_RETRY_H
#define CLI_RETRY_H

#include <stdint.h>

#include "base/slice.h"

#define RETRY_DEFAULT     10     /* attempts in a row that bring nothing new */
#define RETRY_FIRST_MS    250    /* the first pause, doubled each time */
#define RETRY_LONGEST_MS  30000  /* of our own pauses */
#define RETRY_PATIENCE_MS 600000 /* a server that wants a longer one is not waited for */

struct retry {
    uint64_t limit;
    uint64_t failed; /* attempts since something new was brought */
};

/* How an attempt ended. */
struct retry_end {
    int err;               /* of client_perform */
    long status;           /* of the answer, when err is 0 */
    struct slice code;     /* of the problem document, or empty */
    int64_t retry_after_s; /* what the server asks for; negative: nothing */
    bool progress;         /* more reached the server than ever before */
    bool again;            /* the body can be read from its start once more */
};

enum retry_kind {
    RETRY_OVER,      /* the answer stands: sending the same again would bring the same */
    RETRY_NOW,       /* wait, then send again */
    RETRY_EXHAUSTED, /* worth another attempt, but none is left */
    RETRY_TOO_LONG,  /* the same, because the server wants a longer pause than we wait */
    RETRY_NO_BODY    /* the same, because the body can't be read again */
};

struct retry_decision {
    enum retry_kind kind;
    int64_t wait_ms;
};

/* Decides, and counts the attempt. `random` is any number: pauses of many clients must not fall together. */
struct retry_decision retry_decide(struct retry *retry, const struct retry_end *end, uint32_t random);

#endif
