/*
 * tenant, project, client, key: create, list, revoke, and a tenant's limits, over the admin API with the
 * operator's key. One table of nouns; what differs between them is the path and the body of a create.
 */
#include "base/text.h"
#include "cli/client.h"
#include "cli/print.h"

struct noun {
    const char *name;     /* "project", the command */
    const char *plural;   /* last part of the path, and the list's member */
    bool under_tenant;    /* its commands name a tenant first */
    const char *shown;    /* member of a create's answer that is printed; NULL: all of them */
    const char *reminder; /* said after a create; NULL: nothing */
};

static const struct noun TENANT = {"tenant", "tenants", false, "name", NULL};
static const struct noun PROJECT = {"project", "projects", true, "name", NULL};
static const struct noun CLIENT = {"client", "clients", true, NULL, "The secret is shown this once. Keep it."};
static const struct noun KEY = {"key", "keys", true, "key", "The key is shown this once. Keep it."};

/* Members of a tenant that limit what it may send. */
#define LIMITS 4
static const char *const LIMIT_NAMES[LIMITS] = {"itemsPerRequest", "bytesPerRequest", "itemsPerDay", "bytesPerDay"};

struct admin_flags {
    struct connection_flags connection;
    const char *scopes;
    const char *project;
    const char *kind;
    const char *limits[LIMITS]; /* a number, or "none" */
    bool create_projects;
    bool strict;
    bool json;
};

/* "a,b c" as the JSON array of its names. */
static void write_scopes(struct json_writer *writer, const char *scopes)
{
    json_name(writer, "scopes");
    json_open_array(writer);
    for (const char *at = scopes + strspn(scopes, ", "); *at != '\0'; at += strspn(at, ", ")) {
        size_t size = strcspn(at, ", ");
        json_put_string(writer, slice_make(at, size));
        at += size;
    }
    json_close_array(writer);
}

/* False, told on stderr, when one is neither a number nor "none". */
static bool check_limits(const struct admin_flags *flags)
{
    for (size_t i = 0; i < LIMITS; i++) {
        const char *text = flags->limits[i];
        uint64_t value;
        if (text != NULL && strcmp(text, "none") != 0 && !text_to_u64(slice_from_text(text), &value)) {
            cli_say("%s: \"%s\" is not a whole number or none", LIMIT_NAMES[i], text);
            return false;
        }
    }
    return true;
}

static void write_limits(struct json_writer *writer, const struct admin_flags *flags)
{
    for (size_t i = 0; i < LIMITS; i++) {
        uint64_t value;
        if (flags->limits[i] == NULL) {
            continue;
        }
        json_name(writer, LIMIT_NAMES[i]);
        if (text_to_u64(slice_from_text(flags->limits[i]), &value)) {
            json_put_uint(writer, value);
        } else {
            json_put_null(writer);
        }
    }
}

static void write_limits_body(const struct admin_flags *flags, struct buf *body)
{
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_open_object(&writer);
    write_limits(&writer, flags);
    json_close_object(&writer);
}

static void write_body(const struct noun *noun, const struct admin_flags *flags, const char *name, struct buf *body)
{
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_open_object(&writer);
    json_name(&writer, "name");
    json_put_text(&writer, name);
    if (noun == &TENANT) {
        json_name(&writer, "createProjects");
        json_put_bool(&writer, flags->create_projects);
        json_name(&writer, "strict");
        json_put_bool(&writer, flags->strict);
        write_limits(&writer, flags);
    }
    if (noun == &KEY) {
        json_name(&writer, "kind");
        json_put_text(&writer, flags->kind);
    }
    if (noun == &CLIENT || (noun == &KEY && strcmp(flags->kind, "tenant-token") != 0)) {
        write_scopes(&writer, flags->scopes);
    }
    if ((noun == &CLIENT || noun == &KEY) && flags->project != NULL) {
        json_name(&writer, "project");
        json_put_text(&writer, flags->project);
    }
    json_close_object(&writer);
}

/* "/v1/admin/tenants[/TENANT/plural][/NAME]" */
static void write_path(const struct noun *noun, const char *tenant, const char *name, struct buf *path)
{
    buf_append_text(path, "/v1/admin/tenants");
    if (noun->under_tenant) {
        buf_append_byte(path, '/');
        client_append_escaped(path, tenant);
        buf_printf(path, "/%s", noun->plural);
    }
    if (name != NULL) {
        buf_append_byte(path, '/');
        client_append_escaped(path, name);
    }
    buf_append_byte(path, '\0');
}

enum verb { CREATE, LIST, REVOKE, LIMIT, VERB_COUNT }; /* LIMIT: of tenants only */
static const struct slice VERBS[VERB_COUNT] = {
    {"create", 6},
    {"list", 4},
    {"revoke", 6},
    {"limits", 6},
};
static const char *const METHODS[VERB_COUNT] = {"POST", "GET", "DELETE", "PATCH"};

static void print_created(const struct noun *noun, const struct json_doc *doc)
{
    struct slice shown = noun->shown == NULL ? SLICE_NONE : cli_json_text(doc, json_root(doc), noun->shown);
    if (shown.size > 0) {
        printf("%.*s\n", SLICE_ARG(shown));
    } else {
        print_members(stdout, doc);
    }
    if (noun->reminder != NULL) {
        cli_say("%s", noun->reminder);
    }
}

static void print_answer(const struct noun *noun, enum verb verb, bool as_json, struct client_answer *answer)
{
    struct cli_json json = {0};
    if (answer->body.size == 0) {
        return;
    }
    if (as_json) {
        print_json(buf_view(&answer->body));
        return;
    }
    buf_append_slice(&json.text, buf_view(&answer->body));
    if (cli_json_parse(&json) == 0) {
        if (verb == LIST) {
            print_rows(stdout, &json.doc, noun->plural);
        } else if (verb == CREATE) {
            print_created(noun, &json.doc);
        } else {
            print_members(stdout, &json.doc);
        }
    }
    cli_json_free(&json);
}

static int perform(const struct noun *noun, enum verb verb, const struct admin_flags *flags,
                   const struct connection *connection, const struct cli_words *words)
{
    struct client_answer answer;
    struct buf path;
    struct buf body;
    const char *tenant = words->count > 1 ? words->at[1] : "";
    const char *name = noun->under_tenant ? (words->count > 2 ? words->at[2] : "") : tenant;
    buf_init(&path, 0);
    buf_init(&body, 0);
    write_path(noun, tenant, verb == REVOKE || verb == LIMIT ? name : NULL, &path);
    if (verb == CREATE) {
        write_body(noun, flags, name, &body);
    } else if (verb == LIMIT) {
        write_limits_body(flags, &body);
    }
    int err = buf_error(&path) != 0 ? buf_error(&path) : buf_error(&body);
    int code = CLI_USAGE;
    if (err == 0) {
        struct client_request request = {
            .method = METHODS[verb], .path = path.data, .bearer = connection->operator_key, .body = buf_view(&body)};
        err = client_perform(connection, &request, &answer);
        code = client_finish(err, &answer);
        if (code == CLI_KEPT) {
            print_answer(noun, verb, flags->json, &answer);
        }
        client_answer_fini(&answer);
    }
    buf_fini(&path);
    buf_fini(&body);
    return code;
}

static int find_verb(const struct noun *noun, const struct cli_words *words)
{
    if (words->count == 0) {
        (void)cli_words_check(noun->name, words, 1, 1);
        return -1;
    }
    int count = noun == &TENANT ? VERB_COUNT : LIMIT;
    for (int i = 0; i < count; i++) {
        if (slice_equal_text(VERBS[i], words->at[0])) {
            size_t needed = 1 + (size_t)(noun->under_tenant ? 1 : 0) + (size_t)(i == LIST ? 0 : 1);
            return cli_words_check(noun->name, words, needed, needed) ? i : -1;
        }
    }
    cli_say_unknown("verb", slice_from_text(words->at[0]), VERBS, (size_t)count);
    return -1;
}

static int run(const struct noun *noun, int argc, char **argv)
{
    struct admin_flags flags = {.scopes = "customers:create,customers:read,imports:read", .kind = "api-key"};
    const struct cli_flag table[] = {
        CONNECTION_FLAGS(flags.connection),
        {"json", CLI_SWITCH, &flags.json, NULL, "Print the server's answer as it is."},
        {"scopes", CLI_TEXT, &flags.scopes, "LIST", "create: what it may do, commas between."},
        {"project", CLI_TEXT, &flags.project, "NAME", "create: the only project it may use."},
        {"kind", CLI_TEXT, &flags.kind, "KIND", "create: api-key or tenant-token."},
        {"create-projects", CLI_SWITCH, &flags.create_projects, NULL, "create: projects are made on first use."},
        {"strict", CLI_SWITCH, &flags.strict, NULL, "create: findings are faults for this tenant."},
        {"items-per-request", CLI_TEXT, &flags.limits[0], "N", "create, limits: customers in one request, or none."},
        {"bytes-per-request", CLI_TEXT, &flags.limits[1], "N", "create, limits: bytes of one body, or none."},
        {"items-per-day", CLI_TEXT, &flags.limits[2], "N", "create, limits: customers in a day of UTC, or none."},
        {"bytes-per-day", CLI_TEXT, &flags.limits[3], "N", "create, limits: bytes in a day of UTC, or none."},
    };
    /* The first four are everybody's; the rest belong to the creates that have them. */
    static const struct {
        size_t from;
        size_t count;
    } OWN[] = {{7, 6}, {4, 0}, {4, 2}, {4, 3}};
    size_t row = noun == &TENANT ? 0 : noun == &PROJECT ? 1 : noun == &CLIENT ? 2 : 3;
    size_t count = 4 + OWN[row].count;
    struct cli_flag own[10];
    memcpy(own, table, 4 * sizeof table[0]);
    memcpy(own + 4, table + OWN[row].from, OWN[row].count * sizeof table[0]);
    struct connection connection;
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, own, count, &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    int verb = find_verb(noun, &words);
    if (verb < 0 || !check_limits(&flags) || connection_load(&flags.connection, &connection) != 0) {
        return CLI_USAGE;
    }
    if (connection.operator_key[0] == '\0') {
        cli_say("no operator key: set MUSTER_OPERATOR_KEY, or name the data folder with --data");
        return CLI_NOT_ALLOWED;
    }
    return perform(noun, (enum verb)verb, &flags, &connection, &words);
}

int cli_run_tenant(int argc, char **argv)
{
    return run(&TENANT, argc, argv);
}

int cli_run_project(int argc, char **argv)
{
    return run(&PROJECT, argc, argv);
}

int cli_run_client(int argc, char **argv)
{
    return run(&CLIENT, argc, argv);
}

int cli_run_key(int argc, char **argv)
{
    return run(&KEY, argc, argv);
}
