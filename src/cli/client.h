/*
 * One HTTP exchange with a server, for the commands that people type (the bench has its own lean
 * client). Bodies and answers of any length pass through callbacks, so that a 10 GB file needs no more
 * memory than a small one. One thread.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/connect.h"

struct client_header {
    const char *name;
    const char *value;
};

#define CLIENT_HEADERS_MAX  8
#define CLIENT_FAULTS_SHOWN 10 /* of a problem's faults, on stderr */

/* Short questions that are asked now and then while a long exchange runs, over a connection of their own. */
struct client_side {
    const char *path; /* GET, with the same bearer */
    /* Takes an answer; status 0: none came. Returns the milliseconds to the next question, negative: no more. */
    int64_t (*take)(void *context, long status, struct slice body);
    void *context;
};

struct client_request {
    const char *method;
    const char *path;   /* "/v1/…", query included */
    const char *bearer; /* "" or NULL: none */
    struct client_header headers[CLIENT_HEADERS_MAX];
    size_t header_count;
    const char *content_type; /* of the body; NULL: application/json */
    struct slice body;        /* small body; or a stream: */
    /* Fills `to`; returns the bytes, 0 at the end, negative to give up. */
    ssize_t (*read)(void *context, char *to, size_t size);
    int64_t size; /* of the stream; -1: unknown, sent chunked */
    /* Takes the body of a 2xx answer piece by piece; NULL: it is collected in the answer. False gives up. */
    bool (*take)(void *context, struct slice piece);
    /* Told now and then how many bytes have left; false gives up. */
    bool (*progress)(void *context, uint64_t sent);
    void *context;
    const struct client_side *side; /* NULL: none */
    bool hush;                      /* what happened is not told on stderr: the caller does */
};

struct client_answer {
    long status;
    struct buf body;       /* unless it was taken */
    char import[64];       /* Muster-Import */
    char location[512];    /* Location */
    char media_type[64];   /* Content-Type, parameters left out */
    bool replayed;         /* Idempotency-Replayed: true */
    int64_t retry_after_s; /* Retry-After; negative: not there */
    char why[256];         /* why no answer came */
};

/* 0 with the status set; ERR_NETWORK: the server can't be reached or the body did not get there whole;
 * ERR_OUTCOME_UNKNOWN: it may have been taken, but no answer came; ERR_CUT_OFF: a callback gave up before
 * that. What happened has been told on stderr, unless hush. */
int client_perform(const struct connection *connection, const struct client_request *request,
                   struct client_answer *answer) MUST_CHECK;
void client_answer_fini(struct client_answer *answer);

/* Exit code for an answer's status (0 to CLI_KEPT for 2xx). */
int client_exit(int err, long status);
/* Prints a problem document (RFC 9457) on stderr, its first faults a line each. */
void client_say_problem(const struct client_answer *answer);
/* Prints one fault as a line; `item` names the item when the fault has no index itself, or is negative. */
void client_print_fault(FILE *out, const struct json_doc *doc, json_at fault, int64_t item);
/* Copies the code of a problem document; "" when the answer has none. */
void client_problem_code(const struct client_answer *answer, char *code, size_t size);
/* The usual end of a command: words about a failure, the exit code. */
int client_finish(int err, const struct client_answer *answer);

/* Appends `text` as one segment of a path or value of a query (RFC 3986). */
void client_append_escaped(struct buf *out, const char *text);

#endif
