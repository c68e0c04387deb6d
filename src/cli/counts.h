/* An import as the server tells of it: its state and counts. */
#ifndef CLI_COUNTS_H
#define CLI_COUNTS_H

#include "cli/client.h"

struct counts {
    char import[64];  /* id; "" when unknown */
    char state[16];   /* "open", "committed", "aborted", "undone"; "" when unknown */
    uint64_t decided; /* items that are kept or refused by now; of a server that does not say: received ones */
    uint64_t kept;    /* created, existing, updated and skipped */
    uint64_t refused;
};

/* Reads an import, or an event of one: an object with the members `id`, `state` and `counts` (of an open one
 * `progress`), or with the counts themselves. False when it has none. */
bool counts_read(const struct json_doc *doc, json_at object, struct counts *counts);
/* The same of a text. */
bool counts_parse(struct slice json, struct counts *counts);
/* Asks for GET /v1/imports/{id}. Returns the exit code; what went wrong is told on stderr unless hush. */
int counts_ask(const struct connection *connection, const char *import, bool hush, struct counts *counts);

#endif
