/* Answers on stdout: the server's JSON as it is, or rows of values for people and for cut and awk. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "cli/cli.h"

/* The JSON and a newline. */
void print_json(struct slice json);
/* A value's members, a tab between them: strings as they are, arrays with spaces between. */
void print_row(FILE *out, const struct json_doc *doc, json_at value);
/* Every element of the array that member `name` of the root is (or the root itself when NULL), a row each. */
void print_rows(FILE *out, const struct json_doc *doc, const char *name);
/* Every member of the root object on a line of its own: "name: value". */
void print_members(FILE *out, const struct json_doc *doc);

#endif
