/*
 * The command line: a table of commands, and what several of them share: flags, words on stderr, exit
 * codes, and the connection to a server. Data goes to stdout, words go to stderr, secrets never come
 * by flag. Included by the files of this folder only; one thread.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "json/json.h"

/* What the process tells its caller; docs/cli.md lists them. */
enum cli_exit {
    CLI_KEPT = 0,        /* done; an import kept everything */
    CLI_USAGE = 1,       /* wrong usage, or something unexpected */
    CLI_REFUSED = 3,     /* the server refused items or the whole body */
    CLI_NOT_ALLOWED = 4, /* the credentials don't allow it */
    CLI_UNREACHABLE = 5, /* no server there, or it takes nothing now; nothing was kept */
    CLI_UNKNOWN = 6      /* the answer was lost; repeating is safe */
};

struct cli_command {
    const char *name;
    const char *usage;    /* what follows "muster NAME" */
    const char *sentence; /* what it does, in a line */
    int (*run)(int argc, char **argv);
};

/* The commands in the order of the help; ends with a NULL name. */
extern const struct cli_command CLI_COMMANDS[];

const struct cli_command *cli_command_find(struct slice name);
/* Says that there is no such command; returns the exit code. */
int cli_command_unknown(const char *word);
void cli_help_all(FILE *out);

int cli_run_serve(int argc, char **argv);
int cli_run_config(int argc, char **argv);
int cli_run_tenant(int argc, char **argv);
int cli_run_project(int argc, char **argv);
int cli_run_client(int argc, char **argv);
int cli_run_key(int argc, char **argv);
int cli_run_import(int argc, char **argv);
int cli_run_imports(int argc, char **argv);
int cli_run_get(int argc, char **argv);
int cli_run_find(int argc, char **argv);
int cli_run_store(int argc, char **argv);
int cli_run_verify(int argc, char **argv);
int cli_run_contract(int argc, char **argv);
int cli_run_bench(int argc, char **argv);
int cli_run_version(int argc, char **argv);
int cli_run_help(int argc, char **argv);

/* ---- flags (flags.c) ---- */

#define CLI_LIST_MAX 16

/* Values of a flag that may be given several times. */
struct cli_list {
    const char *at[CLI_LIST_MAX];
    size_t count;
};

struct cli_flag {
    const char *name; /* without the dashes */
    enum { CLI_TEXT, CLI_NUMBER, CLI_SWITCH, CLI_LIST } type;
    void *to;          /* const char **, uint64_t *, bool * or struct cli_list * */
    const char *value; /* what the value is called in the help; NULL for a switch */
    const char *sentence;
};

#define CLI_WORDS_MAX 8

/* The arguments that are no flags, the command's own name left out. */
struct cli_words {
    const char *at[CLI_WORDS_MAX];
    size_t count;
};

/* CLI_PARSED: go on. CLI_HELPED: --help was asked and printed. CLI_WRONG: told on stderr. */
enum cli_parsed { CLI_PARSED, CLI_HELPED, CLI_WRONG };

/* Takes argv apart after argv[0], the command's name. Flags may stand anywhere; "--" ends them. "-o" is short for
 * a flag "output". */
enum cli_parsed cli_parse(int argc, char **argv, const struct cli_flag *flags, size_t count, struct cli_words *words);
/* The exit code of a command whose cli_parse did not return CLI_PARSED. */
int cli_parse_exit(enum cli_parsed parsed);
/* False, and told on stderr with the usage, when fewer or more words were given. */
bool cli_words_check(const char *command, const struct cli_words *words, size_t least, size_t most);
/* Prints usage, sentence and flags of a command to `out`. */
void cli_help_command(FILE *out, const struct cli_command *command, const struct cli_flag *flags, size_t count);

/* ---- words (words.c) ---- */

/* A line on stderr, "muster: " in front. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Tells that `word` is no `what` ("command") and names the nearest of the candidates, if one is near. */
void cli_say_unknown(const char *what, struct slice word, const struct slice *candidates, size_t count);
/* The place of `word` in a table of at most CLI_NAMES_MAX rows, which begin with a name (const char *); -1: none has
 * it, which has been told. */
#define CLI_NAMES_MAX 16
int cli_find_name(const char *what, const char *word, const void *rows, size_t row_bytes, size_t count);
/* Whether stderr is a terminal: progress is a line that is written over. */
bool cli_is_terminal(void);

/* ---- a small JSON text, held and parsed (text.c) ---- */

struct cli_json {
    struct buf text;
    struct json_parser *parser;
    struct json_doc doc;
    struct json_error error;
};

/* Reads a file ("-": stdin) whole, up to `limit_bytes`. 0, or ERR_ with errno's words said on stderr. */
int cli_read_file(const char *path, size_t limit_bytes, struct buf *text) MUST_CHECK;
/* Parses json->text. 0 or ERR_MALFORMED_JSON / ERR_NO_MEMORY; json->error tells where. */
int cli_json_parse(struct cli_json *json) MUST_CHECK;
void cli_json_free(struct cli_json *json);
/* The string member of an object, or SLICE_NONE. */
struct slice cli_json_text(const struct json_doc *doc, json_at object, const char *name);
/* Copies a slice as a NUL-terminated text; false when it does not fit. */
bool cli_text_copy(struct slice from, char *to, size_t size);

#endif
