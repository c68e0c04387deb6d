/* Following an import that runs at the server, by its events, to its end. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "cli/counts.h"

/* Shows progress on stderr, or with `as_json` each event's data as a line on stdout. When the import has ended:
 * CLI_KEPT and its state and counts. Else an exit code, told on stderr; CLI_UNKNOWN when Ctrl-C came. */
int watch_follow(const struct connection *connection, const char *import, bool as_json, struct counts *end);

#endif
