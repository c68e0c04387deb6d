/* A member that is missing counts as none: a server may leave out what is zero. */
#include "cli/counts.h"

static uint64_t number(const struct json_doc *doc, json_at object, const char *name)
{
    json_at at = json_member(doc, object, slice_from_text(name));
    bool is_number = at != 0 && (json_type(doc, at) == JSON_INT || json_type(doc, at) == JSON_UINT);
    return is_number && json_int(doc, at) > 0 ? (uint64_t)json_int(doc, at) : 0;
}

static bool has(const struct json_doc *doc, json_at object, const char *name)
{
    return json_member(doc, object, slice_from_text(name)) != 0;
}

static json_at inner(const struct json_doc *doc, json_at object, const char *name)
{
    json_at at = json_member(doc, object, slice_from_text(name));
    return at != 0 && json_type(doc, at) == JSON_OBJECT ? at : 0;
}

static void copy(const struct json_doc *doc, json_at object, const char *name, char *to, size_t size)
{
    if (!cli_text_copy(cli_json_text(doc, object, name), to, size)) {
        to[0] = '\0';
    }
}

bool counts_read(const struct json_doc *doc, json_at object, struct counts *counts)
{
    memset(counts, 0, sizeof *counts);
    if (json_type(doc, object) != JSON_OBJECT) {
        return false;
    }
    copy(doc, object, "id", counts->import, sizeof counts->import);
    copy(doc, object, "state", counts->state, sizeof counts->state);
    json_at from = inner(doc, object, "progress");
    from = from != 0 ? from : inner(doc, object, "counts");
    from = from != 0 ? from : object;
    counts->kept = number(doc, from, "created") + number(doc, from, "existing") + number(doc, from, "updated") +
                   number(doc, from, "skipped");
    counts->refused = number(doc, from, has(doc, from, "refused") ? "refused" : "faults");
    counts->decided = number(doc, from, has(doc, from, "decided") ? "decided" : "received");
    return has(doc, from, "received") || has(doc, from, "created");
}

bool counts_parse(struct slice text, struct counts *counts)
{
    struct cli_json json = {0};
    buf_append_slice(&json.text, text);
    memset(counts, 0, sizeof *counts);
    bool found = cli_json_parse(&json) == 0 && counts_read(&json.doc, json_root(&json.doc), counts);
    cli_json_free(&json);
    return found;
}

int counts_ask(const struct connection *connection, const char *import, bool hush, struct counts *counts)
{
    struct client_answer answer;
    struct buf path;
    buf_init(&path, 0);
    buf_append_text(&path, "/v1/imports/");
    client_append_escaped(&path, import);
    buf_append_byte(&path, '\0');
    memset(counts, 0, sizeof *counts);
    if (buf_error(&path) != 0) {
        return CLI_USAGE;
    }
    struct client_request request = {.method = "GET", .path = path.data, .bearer = connection->token, .hush = hush};
    int err = client_perform(connection, &request, &answer);
    int code = hush ? client_exit(err, answer.status) : client_finish(err, &answer);
    if (code == CLI_KEPT && !counts_parse(buf_view(&answer.body), counts)) {
        code = CLI_USAGE;
    }
    client_answer_fini(&answer);
    buf_fini(&path);
    return code;
}
