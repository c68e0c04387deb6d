/* `muster store …`: store.c (verbs and flags), store_copy.c, store_status.c. */
#ifndef CLI_STORE_PRIV_H
#define CLI_STORE_PRIV_H

#include "cli/cli.h"

struct store_flags {
    const char *from;
    const char *to;
    const char *store;
    bool json;
    bool quiet;
};

/* Each returns the exit code. */
int store_copy_command(const struct store_flags *flags);
int store_status_command(const struct store_flags *flags);
int store_migrate_command(const struct store_flags *flags);

#endif
