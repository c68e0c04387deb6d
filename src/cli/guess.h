/* Which contract a body is for, when nobody said: by what its first bytes look like. Pure. */
#ifndef CLI_GUESS_H
#define CLI_GUESS_H

#include "base/slice.h"
#include "cli/format.h"

#define GUESS_ITEM_MEMBERS 24

/* What the command line knows of a contract; the server knows the rest. */
struct guess_contract {
    const char *name;
    const char *path;                          /* route */
    const char *member;                        /* root member that gives a JSON body away; NULL: the root is an array */
    const char *ids;                           /* JSON Pointer of the array of ids in the answer */
    bool tenant_headers;                       /* tenantId and token go along */
    const char *items[GUESS_ITEM_MEMBERS + 1]; /* members that only its items have; ends with NULL */
};

#define GUESS_CONTRACTS 3
extern const struct guess_contract GUESS_TABLE[GUESS_CONTRACTS];

const struct guess_contract *guess_by_name(const char *name);
/* Contract of a body that begins like this, or NULL. `map` is the renaming of a CSV's columns that goes along
 * ("Mail=person/email,…"), or empty. */
const struct guess_contract *guess_by_body(enum format format, struct slice start, struct slice map);

#endif
