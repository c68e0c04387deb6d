/*
 * A contract file as a whole: the members around the schemas, and the life of a compiled contract.
 * The file's parsed text stays with the contract, because enums, bounds and names point into it.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "contract/compile_priv.h"
#include "contract/reply_priv.h"

#define CONTRACT_ARENA_BYTES (256u << 20)

typedef void (*member_read)(struct compiler *compiler, json_at value, const struct trail *trail);

static void read_number(struct compiler *compiler, json_at value, const struct trail *trail)
{
    uint32_t number = 0;
    if (contract_compile_count(compiler, value, trail, &number) && (number == 0 || number > UINT8_MAX)) {
        contract_compile_fail(compiler, trail, "must be from 1 to 255");
    }
    compiler->contract->info.number = (uint8_t)number;
}

static void read_name(struct compiler *compiler, json_at value, const struct trail *trail)
{
    struct slice name = SLICE_NONE;
    if (!contract_compile_string(compiler, value, trail, &name)) {
        return;
    }
    bool good = name.size > 0 && name.size <= LIMIT_NAME_BYTES;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
    }
    if (!good) {
        contract_compile_fail(compiler, trail, "must be 1 to %u of a-z, 0-9 and -", LIMIT_NAME_BYTES);
    }
    compiler->contract->info.name = name;
}

static void read_title(struct compiler *compiler, json_at value, const struct trail *trail)
{
    (void)contract_compile_string(compiler, value, trail, &compiler->contract->info.title);
}

static void read_path(struct compiler *compiler, json_at value, const struct trail *trail)
{
    struct slice *path = &compiler->contract->info.path;
    if (contract_compile_string(compiler, value, trail, path) && (path->size < 2 || path->data[0] != '/')) {
        contract_compile_fail(compiler, trail, "must begin with / and go on");
    }
}

/* A pointer into the envelope. `tokens_max` 0: any number of reference tokens. */
static void read_pointer(struct compiler *compiler, json_at value, const struct trail *trail, size_t tokens_max,
                         struct slice *pointer)
{
    if (!contract_compile_string(compiler, value, trail, pointer)) {
        return;
    }
    size_t tokens = 0;
    for (size_t i = 0; i < pointer->size; i++) {
        tokens += pointer->data[i] == '/';
    }
    if ((pointer->size > 0 && pointer->data[0] != '/') || (tokens_max > 0 && tokens > tokens_max)) {
        contract_compile_fail(compiler, trail,
                              tokens_max > 0 ? "must be empty or a JSON Pointer of one token"
                                             : "must be a JSON Pointer");
    }
}

static void read_items_pointer(struct compiler *compiler, json_at value, const struct trail *trail)
{
    struct contract_info *info = &compiler->contract->info;
    read_pointer(compiler, value, trail, 1, &info->items);
    info->has_envelope = info->items.size > 0;
}

static void read_project(struct compiler *compiler, json_at value, const struct trail *trail)
{
    read_pointer(compiler, value, trail, 0, &compiler->contract->info.project);
}

static void read_customer_type(struct compiler *compiler, json_at value, const struct trail *trail)
{
    read_pointer(compiler, value, trail, 0, &compiler->contract->info.type);
}

static void read_tenant_header(struct compiler *compiler, json_at value, const struct trail *trail)
{
    (void)contract_compile_string(compiler, value, trail, &compiler->contract->info.tenant_header);
}

static void read_token_header(struct compiler *compiler, json_at value, const struct trail *trail)
{
    (void)contract_compile_string(compiler, value, trail, &compiler->contract->info.token_header);
}

static void read_problem(struct compiler *compiler, json_at value, const struct trail *trail)
{
    (void)contract_compile_string(compiler, value, trail, &compiler->contract->info.problem_text);
}

static void read_item(struct compiler *compiler, json_at value, const struct trail *trail)
{
    compiler->contract->item = contract_compile_node(compiler, value, trail);
}

static void read_envelope(struct compiler *compiler, json_at value, const struct trail *trail)
{
    compiler->contract->envelope = contract_compile_node(compiler, value, trail);
}

static void read_definitions(struct compiler *compiler, json_at value, const struct trail *trail)
{
    const struct json_doc *doc = compiler->doc;
    if (json_tag(doc, value) != '{') {
        contract_compile_fail(compiler, trail, "must be an object of schemas");
        return;
    }
    json_at schema;
    for (json_at at = json_first(doc, value); !json_is_end(doc, at); at = json_next(doc, schema)) {
        struct trail inner = {.parent = trail, .name = json_string(doc, at)};
        schema = json_value_of(at);
        (void)contract_compile_node(compiler, schema, &inner);
    }
}

static const struct {
    struct slice name;
    member_read read; /* NULL: ignored */
    bool required;
} MEMBERS[] = {
    {TEXT("number"), read_number, true},
    {TEXT("name"), read_name, true},
    {TEXT("title"), read_title, true},
    {TEXT("path"), read_path, true},
    {TEXT("items"), read_items_pointer, true},
    {TEXT("tenantHeader"), read_tenant_header, false},
    {TEXT("tokenHeader"), read_token_header, false},
    {TEXT("project"), read_project, false},
    {TEXT("type"), read_customer_type, false},
    {TEXT("problem"), read_problem, false},
    {TEXT("reply"), contract_reply_compile, true},
    {TEXT("envelope"), read_envelope, false},
    {TEXT("item"), read_item, true},
    {TEXT("$defs"), read_definitions, false},
    {TEXT("$schema"), NULL, false},
    {TEXT("$comment"), NULL, false},
    {TEXT("description"), NULL, false},
};
#define MEMBER_COUNT (sizeof MEMBERS / sizeof MEMBERS[0])

static void read_member(struct compiler *compiler, const struct trail *root, struct slice name, json_at value)
{
    struct trail trail = {.parent = root, .name = name};
    struct slice known[MEMBER_COUNT];
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        known[i] = MEMBERS[i].name;
        if (slice_equal(name, MEMBERS[i].name)) {
            if (MEMBERS[i].read != NULL) {
                MEMBERS[i].read(compiler, value, &trail);
            }
            return;
        }
    }
    contract_compile_unknown(compiler, &trail, "member", name, known, MEMBER_COUNT);
}

/* What the envelope's members and the items' place say of each other. */
static void check_envelope_parts(struct compiler *compiler, const struct trail *root)
{
    const struct contract *contract = compiler->contract;
    const struct slice pointers[] = {contract->info.project, contract->info.type};
    const struct slice names[] = {SLICE("project"), SLICE("type")};
    if (contract->info.items.size == 0 && contract->envelope != NULL) {
        struct trail trail = {.parent = root, .name = SLICE("envelope")};
        contract_compile_fail(compiler, &trail, "the items are the root, so there is no envelope");
    }
    for (size_t i = 0; i < 2; i++) {
        struct trail trail = {.parent = root, .name = names[i]};
        if (pointers[i].size > 0 && contract->envelope == NULL) {
            contract_compile_fail(compiler, &trail, "points into an envelope, and there is none");
        }
    }
}

static void read_contract(struct compiler *compiler)
{
    const struct json_doc *doc = compiler->doc;
    struct trail root = {.name = SLICE("")};
    if (json_tag(doc, json_root(doc)) != '{') {
        contract_compile_fail(compiler, &root, "must be an object");
        return;
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (MEMBERS[i].required && json_member(doc, json_root(doc), MEMBERS[i].name) == 0) {
            contract_compile_fail(compiler, &root, "\"%.*s\" is missing", SLICE_ARG(MEMBERS[i].name));
        }
    }
    json_at value;
    for (json_at at = json_first(doc, json_root(doc)); !json_is_end(doc, at); at = json_next(doc, value)) {
        value = json_value_of(at);
        read_member(compiler, &root, json_string(doc, at), value);
    }
    check_envelope_parts(compiler, &root);
}

static void read_bare(struct compiler *compiler)
{
    struct trail root = {.name = SLICE("")};
    compiler->contract->item = contract_compile_node(compiler, json_root(compiler->doc), &root);
}

/* Parses a padded copy of the text that lives as long as the contract. */
static int parse(struct contract *contract, struct slice text, struct buf *why)
{
    char *copy = arena_take(contract->arena, text.size + JSON_PADDING);
    contract->parser = json_parser_new(text.size + 1);
    if (copy == NULL || contract->parser == NULL) {
        return ERR_NO_MEMORY;
    }
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    memset(copy + text.size, 0, JSON_PADDING);
    struct json_error error;
    int err = json_parse(contract->parser, slice_make(copy, text.size), &JSON_LIMITS_DEFAULT, &contract->doc, &error);
    if (err == ERR_MALFORMED_JSON) {
        buf_printf(why, "line %u, column %u: %s", error.line, error.column, error.reason);
        return ERR_CONTRACT;
    }
    return err;
}

static int compile_parsed(struct contract *contract, struct buf *why)
{
    const struct json_doc *doc = &contract->doc;
    size_t tape_size = (size_t)json_next(doc, json_root(doc)) + 1;
    struct compiler compiler = {.contract = contract, .doc = doc, .arena = contract->arena, .why = why};
    compiler.nodes = contract_compile_take(&compiler, tape_size, sizeof(struct node *));
    if (compiler.nodes == NULL) {
        return ERR_NO_MEMORY;
    }
    if (contract->bare) {
        read_bare(&compiler);
    } else {
        read_contract(&compiler);
    }
    contract_compile_pending(&compiler);
    if (compiler.error == 0) {
        contract_compile_finish(&compiler);
    }
    return compiler.error;
}

static int compile(struct slice text, bool bare, struct contract **contract, struct buf *why)
{
    *contract = NULL;
    struct contract *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->bare = bare;
    made->arena = arena_new(64u << 10, CONTRACT_ARENA_BYTES);
    int err = made->arena == NULL ? ERR_NO_MEMORY : parse(made, text, why);
    if (err == 0) {
        err = compile_parsed(made, why);
    }
    if (err == 0) {
        err = arena_error(made->arena);
    }
    if (err != 0) {
        contract_free(&made);
    }
    *contract = made;
    return err;
}

int contract_compile(struct slice text, struct contract **contract, struct buf *why)
{
    return compile(text, false, contract, why);
}

int contract_compile_schema(struct slice text, struct contract **contract, struct buf *why)
{
    return compile(text, true, contract, why);
}

void contract_free(struct contract **contract)
{
    if (*contract == NULL) {
        return;
    }
    json_parser_free(&(*contract)->parser);
    arena_free(&(*contract)->arena);
    free(*contract);
    *contract = NULL;
}

const struct contract_info *contract_info(const struct contract *contract)
{
    return &contract->info;
}
