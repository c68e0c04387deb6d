/* `muster get` and `muster find`: customers by id or by what they can be found by, as JSON on stdout. */
#include "cli/client.h"
#include "cli/print.h"

static int get_path(const struct connection *connection, const char *path, struct client_answer *answer)
{
    struct client_request request = {.method = "GET", .path = path, .bearer = connection->token};
    return client_perform(connection, &request, answer);
}

static int get_one(const struct connection *connection, const char *id)
{
    struct client_answer answer;
    struct buf path;
    buf_init(&path, 0);
    buf_append_text(&path, "/v1/customers/");
    client_append_escaped(&path, id);
    buf_append_byte(&path, '\0');
    if (buf_error(&path) != 0) {
        return CLI_USAGE;
    }
    int code = client_finish(get_path(connection, path.data, &answer), &answer);
    if (code == CLI_KEPT) {
        print_json(buf_view(&answer.body));
    }
    client_answer_fini(&answer);
    buf_fini(&path);
    return code;
}

int cli_run_get(int argc, char **argv)
{
    struct connection_flags where = {0};
    bool json = false;
    const struct cli_flag flags[] = {
        CONNECTION_FLAGS(where),
        {"json", CLI_SWITCH, &json, NULL, "JSON; the only form there is."},
    };
    struct connection connection;
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, flags, sizeof flags / sizeof flags[0], &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    if (!cli_words_check("get", &words, 1, CLI_WORDS_MAX) || connection_load(&where, &connection) != 0) {
        return CLI_USAGE;
    }
    int code = CLI_KEPT;
    for (size_t i = 0; i < words.count; i++) {
        int one = get_one(&connection, words.at[i]);
        code = one != CLI_KEPT ? one : code;
    }
    return code;
}

/* Prints the customers of the answer's array, one JSON object a line; returns how many. */
static uint64_t print_customers(struct slice text)
{
    struct cli_json json = {0};
    uint64_t count = 0;
    buf_append_slice(&json.text, text);
    if (cli_json_parse(&json) == 0) {
        json_at root = json_root(&json.doc);
        json_at array =
            json_type(&json.doc, root) == JSON_ARRAY ? root : json_member(&json.doc, root, SLICE("customers"));
        for (json_at at = array == 0 ? 0 : json_first(&json.doc, array); at != 0 && !json_is_end(&json.doc, at);
             at = json_next(&json.doc, at)) {
            struct buf line;
            buf_init(&line, 0);
            json_append_minified(&line, &json.doc, at, NULL, 0);
            print_json(buf_view(&line));
            buf_fini(&line);
            count++;
        }
    }
    cli_json_free(&json);
    return count;
}

static int find_by(const struct connection *connection, const char *kind, const char *value, bool as_json)
{
    struct client_answer answer;
    struct buf path;
    buf_init(&path, 0);
    buf_printf(&path, "/v1/customers?%s=", kind);
    client_append_escaped(&path, value);
    buf_append_byte(&path, '\0');
    if (buf_error(&path) != 0) {
        return CLI_USAGE;
    }
    int code = client_finish(get_path(connection, path.data, &answer), &answer);
    if (code == CLI_KEPT && as_json) {
        print_json(buf_view(&answer.body));
    } else if (code == CLI_KEPT && print_customers(buf_view(&answer.body)) == 0) {
        cli_say("no customer with that %s", kind);
        code = CLI_USAGE;
    }
    client_answer_fini(&answer);
    buf_fini(&path);
    return code;
}

int cli_run_find(int argc, char **argv)
{
    static const char *const kinds[] = {"email", "phone", "externalId", "wallet", "did"};
    struct connection_flags where = {0};
    const char *values[5] = {NULL};
    bool json = false;
    const struct cli_flag flags[] = {
        CONNECTION_FLAGS(where),
        {"email", CLI_TEXT, &values[0], "VALUE", "An e-mail address."},
        {"phone", CLI_TEXT, &values[1], "VALUE", "A telephone number."},
        {"external-id", CLI_TEXT, &values[2], "VALUE", "The client's own id."},
        {"wallet", CLI_TEXT, &values[3], "VALUE", "A wallet address."},
        {"did", CLI_TEXT, &values[4], "VALUE", "A decentralised identifier."},
        {"json", CLI_SWITCH, &json, NULL, "Print the server's answer as it is."},
    };
    struct connection connection;
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, flags, sizeof flags / sizeof flags[0], &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    size_t given = 0;
    size_t which = 0;
    for (size_t i = 0; i < 5; i++) {
        given += values[i] != NULL ? 1 : 0;
        which = values[i] != NULL ? i : which;
    }
    if (given != 1) {
        cli_say("name one identifier: --email, --phone, --external-id, --wallet or --did");
        return CLI_USAGE;
    }
    if (!cli_words_check("find", &words, 0, 0) || connection_load(&where, &connection) != 0) {
        return CLI_USAGE;
    }
    return find_by(&connection, kinds[which], values[which], json);
}
