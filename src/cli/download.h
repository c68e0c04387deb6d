/* A long answer to stdout or into a file, never held whole. */
#ifndef CLI_DOWNLOAD_H
#define CLI_DOWNLOAD_H

#include "cli/client.h"

/* GET of `path` to `file`, or to stdout when NULL. The file is there whole or not at all, and for its owner only:
 * customers are in it. `accept` may be NULL. Returns the exit code; what went wrong is told on stderr. */
int download(const struct connection *connection, const char *path, const char *accept, const char *file);
/* The same of GET /v1/imports/{import}/{what}. */
int download_report(const struct connection *connection, const char *import, const char *what, const char *accept,
                    const char *file);

#endif
