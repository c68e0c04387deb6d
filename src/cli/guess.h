/* Which contract a body is for, when nobody said: by what its first bytes look like. Pure. */
#ifndef CLI_GUESS_H
#define CLI_GUESS_H

#include "base/slice.h"

/* What the command line knows of a contract; the server knows the rest. */
struct guess_contract {
    const char *name;
    const char *path;    /* route */
    const char *member;  /* root member that gives the body away; NULL: the root is an array */
    const char *ids;     /* JSON Pointer of the array of ids in the answer */
    bool tenant_headers; /* tenantId and token go along */
};

#define GUESS_CONTRACTS 3
extern const struct guess_contract GUESS_TABLE[GUESS_CONTRACTS];

const struct guess_contract *guess_by_name(const char *name);
/* Contract of a body that begins like this, or NULL. */
const struct guess_contract *guess_by_body(struct slice start);

#endif
