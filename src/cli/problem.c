/* What the server refused, for people: a problem document (RFC 9457) as lines, and its exit code. */
#include "cli/client.h"

int client_exit(int err, long status)
{
    if (err != 0) {
        return err == ERR_NETWORK || err == ERR_CUT_OFF ? CLI_UNREACHABLE
               : err == ERR_OUTCOME_UNKNOWN             ? CLI_UNKNOWN
                                                        : CLI_USAGE;
    }
    switch (status) {
    case 401:
    case 403:
        return CLI_NOT_ALLOWED;
    case 400:
    case 409:
    case 413:
    case 415:
    case 422:
        return CLI_REFUSED;
    case 429:
    case 502:
    case 503:
    case 504:
    case 507:
        return CLI_UNREACHABLE;
    default:
        return status >= 200 && status < 300 ? CLI_KEPT : CLI_USAGE;
    }
}

static void say_fault(const struct json_doc *doc, json_at fault)
{
    json_at index = json_member(doc, fault, SLICE("index"));
    struct slice pointer = cli_json_text(doc, fault, "pointer");
    struct slice code = cli_json_text(doc, fault, "code");
    struct slice detail = cli_json_text(doc, fault, "detail");
    struct slice hint = cli_json_text(doc, fault, "hint");
    if (index != 0 && (json_type(doc, index) == JSON_INT || json_type(doc, index) == JSON_UINT)) {
        fprintf(stderr, "  item %lld", (long long)json_int(doc, index));
    } else {
        fputs("  body", stderr);
    }
    fprintf(stderr, " %.*s: %.*s: %.*s", SLICE_ARG(pointer), SLICE_ARG(code), SLICE_ARG(detail));
    if (hint.size > 0) {
        fprintf(stderr, " (%.*s?)", SLICE_ARG(hint));
    }
    fputc('\n', stderr);
}

static void say_document(const struct json_doc *doc, long status)
{
    json_at root = json_root(doc);
    struct slice code = cli_json_text(doc, root, "code");
    struct slice detail = cli_json_text(doc, root, "detail");
    json_at errors = json_member(doc, root, SLICE("errors"));
    json_at total = json_member(doc, root, SLICE("errorsTotal"));
    cli_say("%ld %.*s: %.*s", status, SLICE_ARG(code), SLICE_ARG(detail));
    if (errors == 0 || json_type(doc, errors) != JSON_ARRAY) {
        return;
    }
    for (json_at at = json_first(doc, errors); !json_is_end(doc, at); at = json_next(doc, at)) {
        say_fault(doc, at);
    }
    if (total != 0 && json_type(doc, total) == JSON_INT && json_int(doc, total) > (int64_t)json_count(doc, errors)) {
        fprintf(stderr, "  … %lld faults in all\n", (long long)json_int(doc, total));
    }
}

void client_say_problem(const struct client_answer *answer)
{
    struct cli_json json = {0};
    buf_append_slice(&json.text, buf_view(&answer->body));
    if (json.text.size > 0 && cli_json_parse(&json) == 0 && json_type(&json.doc, json_root(&json.doc)) == JSON_OBJECT) {
        say_document(&json.doc, answer->status);
    } else {
        cli_say("the server answered %ld without saying why", answer->status);
    }
    cli_json_free(&json);
}

int client_finish(int err, const struct client_answer *answer)
{
    int code = client_exit(err, answer->status);
    if (err != 0 || code == CLI_KEPT) {
        return code;
    }
    client_say_problem(answer);
    /* 503 has both meanings; its code says which. */
    if (answer->status == 503 && answer->body.size > 0 &&
        memmem(answer->body.data, answer->body.size, "\"outcome-unknown\"", strlen("\"outcome-unknown\"")) != NULL) {
        return CLI_UNKNOWN;
    }
    return code;
}
