/* What the server refused, for people: a problem document (RFC 9457) as lines, and its exit code. */
#include "cli/client.h"

/* Statuses with several meanings: the code says which. */
static const struct {
    const char *code;
    int exit;
} BY_CODE[] = {
    {"outcome-unknown", CLI_UNKNOWN},
    {"idempotency-key-in-flight", CLI_UNKNOWN},
    {"busy", CLI_UNREACHABLE},
};

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
    case 408:
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

void client_print_fault(FILE *out, const struct json_doc *doc, json_at fault, int64_t item)
{
    json_at index = json_member(doc, fault, SLICE("index"));
    struct slice pointer = cli_json_text(doc, fault, "pointer");
    struct slice code = cli_json_text(doc, fault, "code");
    struct slice detail = cli_json_text(doc, fault, "detail");
    struct slice hint = cli_json_text(doc, fault, "hint");
    if (index != 0 && (json_type(doc, index) == JSON_INT || json_type(doc, index) == JSON_UINT)) {
        item = json_int(doc, index);
    }
    if (item >= 0) {
        fprintf(out, "  item %lld", (long long)item);
    } else {
        fputs("  body", out);
    }
    fprintf(out, " %.*s: %.*s: %.*s", SLICE_ARG(pointer), SLICE_ARG(code), SLICE_ARG(detail));
    if (hint.size > 0) {
        fprintf(out, " (%.*s?)", SLICE_ARG(hint));
    }
    fputc('\n', out);
}

static void say_faults(const struct json_doc *doc, json_at errors)
{
    json_at total = json_member(doc, json_root(doc), SLICE("errorsTotal"));
    int64_t count = json_count(doc, errors);
    uint32_t shown = 0;
    for (json_at at = json_first(doc, errors); !json_is_end(doc, at) && shown < CLIENT_FAULTS_SHOWN;
         at = json_next(doc, at)) {
        client_print_fault(stderr, doc, at, -1);
        shown++;
    }
    if (total != 0 && json_type(doc, total) == JSON_INT && json_int(doc, total) > count) {
        count = json_int(doc, total);
    }
    if (count > shown) {
        fprintf(stderr, "  … %lld faults in all\n", (long long)count);
    }
}

/* The customers that stand in the way. */
static void say_customers(const struct json_doc *doc, json_at customers)
{
    uint32_t shown = 0;
    for (json_at at = json_first(doc, customers); !json_is_end(doc, at) && shown < CLIENT_FAULTS_SHOWN;
         at = json_next(doc, at)) {
        if (json_type(doc, at) == JSON_STRING) {
            fprintf(stderr, "  customer %.*s\n", SLICE_ARG(json_string(doc, at)));
            shown++;
        }
    }
    if (json_count(doc, customers) > shown) {
        fprintf(stderr, "  … %lu customers in all\n", (unsigned long)json_count(doc, customers));
    }
}

static void say_document(const struct json_doc *doc, long status)
{
    json_at root = json_root(doc);
    struct slice code = cli_json_text(doc, root, "code");
    struct slice detail = cli_json_text(doc, root, "detail");
    json_at errors = json_member(doc, root, SLICE("errors"));
    json_at customers = json_member(doc, root, SLICE("customers"));
    cli_say("%ld %.*s: %.*s", status, SLICE_ARG(code), SLICE_ARG(detail));
    if (errors != 0 && json_type(doc, errors) == JSON_ARRAY) {
        say_faults(doc, errors);
    }
    if (customers != 0 && json_type(doc, customers) == JSON_ARRAY) {
        say_customers(doc, customers);
    }
}

void client_problem_code(const struct client_answer *answer, char *code, size_t size)
{
    struct cli_json json = {0};
    buf_append_slice(&json.text, buf_view(&answer->body));
    code[0] = '\0';
    if (json.text.size > 0 && cli_json_parse(&json) == 0 &&
        !cli_text_copy(cli_json_text(&json.doc, json_root(&json.doc), "code"), code, size)) {
        code[0] = '\0';
    }
    cli_json_free(&json);
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
    char what[64];
    client_problem_code(answer, what, sizeof what);
    for (size_t i = 0; i < sizeof BY_CODE / sizeof BY_CODE[0]; i++) {
        if (strcmp(BY_CODE[i].code, what) == 0) {
            return BY_CODE[i].exit;
        }
    }
    return code;
}
