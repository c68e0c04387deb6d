/* `muster imports list|show`: what was imported, with its state and counts. */
#include "cli/client.h"
#include "cli/print.h"

static const struct slice VERBS[] = {{"list", 4}, {"show", 4}};

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

static int show(const struct connection *connection, const char *id, bool as_json)
{
    struct client_answer answer;
    struct buf path;
    buf_init(&path, 0);
    buf_append_text(&path, "/v1/imports");
    if (id != NULL) {
        buf_append_byte(&path, '/');
        client_append_escaped(&path, id);
    }
    buf_append_byte(&path, '\0');
    if (buf_error(&path) != 0) {
        return CLI_USAGE;
    }
    struct client_request request = {.method = "GET", .path = path.data, .bearer = connection->token};
    int code = client_finish(client_perform(connection, &request, &answer), &answer);
    if (code == CLI_KEPT && as_json) {
        print_json(buf_view(&answer.body));
    } else if (code == CLI_KEPT) {
        print_answer(buf_view(&answer.body), id == NULL);
    }
    client_answer_fini(&answer);
    buf_fini(&path);
    return code;
}

int cli_run_imports(int argc, char **argv)
{
    struct connection_flags where = {0};
    bool json = false;
    const struct cli_flag flags[] = {
        CONNECTION_FLAGS(where),
        {"json", CLI_SWITCH, &json, NULL, "Print the server's answer as it is."},
    };
    struct connection connection;
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, flags, sizeof flags / sizeof flags[0], &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    if (!cli_words_check("imports", &words, 1, 2)) {
        return CLI_USAGE;
    }
    bool is_list = slice_equal_text(VERBS[0], words.at[0]);
    if (!is_list && !slice_equal_text(VERBS[1], words.at[0])) {
        cli_say_unknown("verb", slice_from_text(words.at[0]), VERBS, 2);
        return CLI_USAGE;
    }
    size_t needed = is_list ? 1 : 2;
    if (!cli_words_check("imports", &words, needed, needed) || connection_load(&where, &connection) != 0) {
        return CLI_USAGE;
    }
    return show(&connection, is_list ? NULL : words.at[1], json);
}
