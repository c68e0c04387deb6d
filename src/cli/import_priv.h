/* `muster import` among its own files: what was asked for, the request made of it, and its end. */
#ifndef CLI_IMPORT_PRIV_H
#define CLI_IMPORT_PRIV_H

#include "cli/client.h"
#include "cli/guess.h"
#include "cli/ids.h"
#include "cli/import_body.h"
#include "cli/progress.h"
#include "cli/retry.h"

#define IMPORT_KEY_BYTES 255 /* of an Idempotency-Key, as the API has it */

struct import_options {
    const char *contract;
    const char *format;
    const char *map;
    const char *on_existing;
    const char *key;
    const char *faults;
    struct cli_list set;
    uint64_t retries;
    bool lenient;
    bool strict;
    bool dry_run;
    bool is_async;
    bool no_wait;
    bool quiet;
    bool json;
};

struct import {
    struct import_options options;
    struct connection connection;
    int argc; /* the command line, for how to go on */
    char **argv;
    struct import_body body;
    enum format format;
    const struct guess_contract *contract;
    char key[IMPORT_KEY_BYTES + 1];
    /* The request: texts with their NUL. */
    struct buf path;
    struct buf prefer;
    struct buf key_header;
    struct buf side_path;
    /* Its attempts. */
    struct retry retry;
    struct progress progress;
    struct ids *ids;
    struct client_answer answer;
    bool answer_begun;
    bool answer_failed; /* it could not be read, or not be printed */
    uint64_t most_sent; /* of all attempts */
    bool is_unknown;    /* an attempt's body left whole, and no answer came */
    int64_t started_ns;
};

/* ---- import_request.c ---- */

/* Checks what was asked for and chooses a key; false, told on stderr. */
bool import_request_check(struct import *import);
/* Makes the request's texts; false: no memory. Frees them. */
bool import_request_make(struct import *import);
void import_request_free(struct import *import);
void import_request_fill(struct import *import, struct client_request *request);
/* Says how to go on with this import: the same command line, with its key, on a line of its own. */
void import_request_say_repeat(const struct import *import);

/* ---- import_end.c ---- */

/* The answer stands: tells what became of the import, follows one that runs on, fetches its faults. Returns the
 * exit code. */
int import_end(struct import *import, int err);
/* An answer came but went nowhere: it was no answer, or stdout takes no more. */
int import_end_unread(const struct import *import);

#endif
