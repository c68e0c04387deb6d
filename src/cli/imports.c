/* `muster imports …`: what was imported, and what can still be done with it. A table of verbs. */
#include "cli/counts.h"
#include "cli/download.h"
#include "cli/interrupt.h"
#include "cli/print.h"
#include "cli/watch.h"

struct asked {
    struct connection connection;
    const char *id;
    const char *output;
    bool json;
    bool groups;
    bool csv;
};

static void print_answer(struct slice text, bool is_list)
{
    struct cli_json json = {0};
    buf_append_slice(&json.text, text);
    if (cli_json_parse(&json) == 0 && is_list) {
        print_rows(stdout, &json.doc, "imports");
    } else if (json.parser != NULL) {
        print_members(stdout, &json.doc);
    }
    cli_json_free(&json);
}

/* A request about the imports, or about one of them; its answer is printed. */
static int ask(const struct asked *asked, const char *method, const char *what)
{
    struct client_answer answer;
    struct buf path;
    buf_init(&path, 0);
    buf_append_text(&path, "/v1/imports");
    if (asked->id != NULL) {
        buf_append_byte(&path, '/');
        client_append_escaped(&path, asked->id);
    }
    buf_append_text(&path, what);
    buf_append_byte(&path, '\0');
    if (buf_error(&path) != 0) {
        return CLI_USAGE;
    }
    struct client_request request = {.method = method, .path = path.data, .bearer = asked->connection.token};
    int code = client_finish(client_perform(&asked->connection, &request, &answer), &answer);
    if (code == CLI_KEPT && asked->json) {
        print_json(buf_view(&answer.body));
    } else if (code == CLI_KEPT) {
        print_answer(buf_view(&answer.body), asked->id == NULL);
    }
    client_answer_fini(&answer);
    buf_fini(&path);
    return code;
}

static int run_show(const struct asked *asked)
{
    return ask(asked, "GET", "");
}

static int run_undo(const struct asked *asked)
{
    return ask(asked, "POST", "/undo");
}

static int run_abort(const struct asked *asked)
{
    return ask(asked, "POST", "/abort");
}

static int run_faults(const struct asked *asked)
{
    return download_report(&asked->connection, asked->id, asked->groups ? "faults?groups=true" : "faults", NULL,
                           asked->output);
}

static int run_results(const struct asked *asked)
{
    return download_report(&asked->connection, asked->id, "results", asked->csv ? "text/csv" : "application/x-ndjson",
                           asked->output);
}

static int run_watch(const struct asked *asked)
{
    struct counts counts;
    int code = watch_follow(&asked->connection, asked->id, asked->json, &counts);
    if (code != CLI_KEPT) {
        return code;
    }
    cli_say("%s: %llu kept, %llu refused", counts.state, (unsigned long long)counts.kept,
            (unsigned long long)counts.refused);
    return strcmp(counts.state, "aborted") == 0 || counts.refused > 0 ? CLI_REFUSED : CLI_KEPT;
}

static const struct verb {
    const char *name;
    bool has_id;
    int (*run)(const struct asked *asked);
} VERBS[] = {
    {"list", false, run_show},  {"show", true, run_show}, {"faults", true, run_faults}, {"results", true, run_results},
    {"watch", true, run_watch}, {"undo", true, run_undo}, {"abort", true, run_abort},
};

#define VERB_COUNT (sizeof VERBS / sizeof VERBS[0])

int cli_run_imports(int argc, char **argv)
{
    struct connection_flags where = {0};
    struct asked asked = {0};
    const struct cli_flag flags[] = {
        CONNECTION_FLAGS(where),
        {"output", CLI_TEXT, &asked.output, "FILE", "Put faults or results there (-o FILE)."},
        {"groups", CLI_SWITCH, &asked.groups, NULL, "Faults by code and place, with counts and ranges of rows."},
        {"csv", CLI_SWITCH, &asked.csv, NULL, "Results as CSV."},
        {"json", CLI_SWITCH, &asked.json, NULL, "Print the server's answer as it is."},
    };
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, flags, sizeof flags / sizeof flags[0], &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    if (!cli_words_check("imports", &words, 1, 2)) {
        return CLI_USAGE;
    }
    int found = cli_find_name("verb", words.at[0], VERBS, sizeof VERBS[0], VERB_COUNT);
    const struct verb *verb = found < 0 ? NULL : &VERBS[found];
    size_t needed = verb != NULL && verb->has_id ? 2 : 1;
    if (verb == NULL || !cli_words_check("imports", &words, needed, needed) ||
        connection_load(&where, &asked.connection) != 0) {
        return CLI_USAGE;
    }
    asked.id = verb->has_id ? words.at[1] : NULL;
    return verb->run(&asked);
}
