/*
 * Annotations: what a schema tells Muster besides what is valid (docs/contracts.md). They are read
 * as strictly as the keywords. What one annotation demands of others (a secret is a string, an alias
 * leads to an allowed value) is looked at when the schema has been read whole.
 */
#include "contract/compile_priv.h"

#include "base/text.h"

const char *const CONTRACT_CLASS_TEXTS[3] = {"open", "personal", "secret"};

static struct notes *notes_of(struct compiler *compiler, struct schema *schema)
{
    schema->has_others = true;
    if (schema->notes == NULL) {
        schema->notes = contract_compile_take(compiler, 1, sizeof *schema->notes);
    }
    return schema->notes;
}

/* A member of an annotation that must be a string; 0-sized and false when it is not there. */
static bool text_member(struct compiler *compiler, json_at object, const struct trail *trail, const char *name,
                        struct slice *text)
{
    json_at at = json_member(compiler->doc, object, slice_from_text(name));
    struct trail inner = {.parent = trail, .name = slice_from_text(name)};
    if (at == 0) {
        contract_compile_fail(compiler, &inner, "is missing");
        return false;
    }
    return contract_compile_string(compiler, at, &inner, text);
}

/* An object annotation may only have these members. */
static bool only_members(struct compiler *compiler, json_at object, const struct trail *trail,
                         const struct slice *known, size_t count)
{
    const struct json_doc *doc = compiler->doc;
    json_at value;
    if (json_tag(doc, object) != '{') {
        contract_compile_fail(compiler, trail, "must be an object");
        return false;
    }
    for (json_at at = json_first(doc, object); !json_is_end(doc, at); at = json_next(doc, value)) {
        struct slice name = json_string(doc, at);
        bool found = false;
        value = json_value_of(at);
        for (size_t i = 0; i < count; i++) {
            found = found || slice_equal(name, known[i]);
        }
        if (!found) {
            struct trail inner = {.parent = trail, .name = name};
            contract_compile_unknown(compiler, &inner, "member", name, known, count);
            return false;
        }
    }
    return true;
}

/* "kind", or {"kind": …, <sibling>: …}: the kind's text, and where it stands. */
static bool read_kind(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail,
                      const char *sibling, struct slice *kind)
{
    if (json_tag(compiler->doc, value) == '"') {
        *kind = json_string(compiler->doc, value);
        return true;
    }
    const struct slice known[] = {SLICE("kind"), slice_from_text(sibling)};
    return only_members(compiler, value, trail, known, 2) && text_member(compiler, value, trail, "kind", kind) &&
           text_member(compiler, value, trail, sibling, &schema->notes->sibling);
}

/* Names of a kind from base/kinds.h, for the error that names the nearest. */
static void fail_kind(struct compiler *compiler, const struct trail *trail, struct slice word,
                      const char *(*to_text)(int kind), int count)
{
    struct slice known[16];
    size_t known_count = 0;
    for (int kind = 1; kind < count; kind++) {
        known[known_count++] = slice_from_text(to_text(kind));
    }
    contract_compile_unknown(compiler, trail, "kind", word, known, known_count);
}

static const char *identifier_text(int kind)
{
    return identifier_kind_to_text((enum identifier_kind)kind);
}

static const char *secret_text(int kind)
{
    return secret_kind_to_text((enum secret_kind)kind);
}

static const char *card_text(int kind)
{
    return card_role_to_text((enum card_role)kind);
}

static const char *class_text(int kind)
{
    return CONTRACT_CLASS_TEXTS[kind - 1];
}

static void read_class(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct slice text;
    schema->has_others = true;
    if (!contract_compile_string(compiler, value, trail, &text)) {
        return;
    }
    for (int kind = CLASS_OPEN; kind <= CLASS_SECRET; kind++) {
        if (slice_equal_text(text, CONTRACT_CLASS_TEXTS[kind])) {
            schema->node->class = (uint8_t)kind;
            return;
        }
    }
    fail_kind(compiler, trail, text, class_text, 4);
}

static void read_identifier(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct notes *notes = notes_of(compiler, schema);
    struct slice kind;
    if (notes == NULL || !read_kind(compiler, schema, value, trail, "namespace", &kind)) {
        return;
    }
    notes->identifier = (uint8_t)identifier_kind_from_text(kind);
    if (notes->identifier == IDENTIFIER_NONE) {
        fail_kind(compiler, trail, kind, identifier_text, IDENTIFIER_KIND_COUNT);
    } else if ((notes->identifier == IDENTIFIER_WALLET) != (notes->sibling.size > 0)) {
        contract_compile_fail(compiler, trail, "a wallet, and no other kind, names the member of its namespace");
    }
}

static void read_secret(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct notes *notes = notes_of(compiler, schema);
    struct slice kind;
    if (notes == NULL || !read_kind(compiler, schema, value, trail, "question", &kind)) {
        return;
    }
    notes->secret = (uint8_t)secret_kind_from_text(kind);
    if (notes->secret == SECRET_NONE) {
        fail_kind(compiler, trail, kind, secret_text, SECRET_KIND_COUNT);
    } else if ((notes->secret == SECRET_ANSWER) != (notes->sibling.size > 0)) {
        contract_compile_fail(compiler, trail, "an answer, and no other kind, names the member of its question");
    }
}

static void read_card(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct notes *notes = notes_of(compiler, schema);
    struct slice text;
    if (notes == NULL || !contract_compile_string(compiler, value, trail, &text)) {
        return;
    }
    notes->card = (uint8_t)card_role_from_text(text);
    if (notes->card == CARD_NONE) {
        fail_kind(compiler, trail, text, card_text, CARD_ROLE_COUNT);
    }
}

static struct slice quoted(struct compiler *compiler, struct slice text)
{
    struct buf json;
    buf_init(&json, 0);
    json_append_string(&json, text);
    struct slice kept = arena_copy(compiler->arena, buf_view(&json));
    buf_fini(&json);
    return kept;
}

static void read_alias(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    const struct json_doc *doc = compiler->doc;
    struct notes *notes = notes_of(compiler, schema);
    uint32_t count = json_tag(doc, value) == '{' ? json_count(doc, value) : 0;
    if (count == 0) {
        contract_compile_fail(compiler, trail, "must be an object: other spelling to documented one");
        return;
    }
    struct slice *names = contract_compile_take(compiler, count, sizeof *names);
    struct slice *texts = contract_compile_take(compiler, count, sizeof *texts);
    struct slice *json = contract_compile_take(compiler, count, sizeof *json);
    if (notes == NULL || names == NULL || texts == NULL || json == NULL) {
        return;
    }
    size_t i = 0;
    json_at inner;
    for (json_at at = json_first(doc, value); !json_is_end(doc, at); at = json_next(doc, inner), i++) {
        names[i] = json_string(doc, at);
        struct trail place = {.parent = trail, .name = names[i]};
        inner = json_value_of(at);
        if (contract_compile_string(compiler, inner, &place, &texts[i])) {
            json[i] = quoted(compiler, texts[i]);
        }
    }
    notes->alias_texts = texts;
    notes->alias_json = json;
    if (!contract_names_build(&notes->aliases, names, count, compiler->arena)) {
        compiler->error = ERR_NO_MEMORY;
    }
}

static uint32_t read_scope(struct compiler *compiler, json_at value, const struct trail *trail)
{
    struct slice text;
    if (!text_member(compiler, value, trail, "scope", &text)) {
        return 0;
    }
    uint32_t scope = scope_from_text(text);
    if (scope == 0) {
        struct trail inner = {.parent = trail, .name = SLICE("scope")};
        struct slice known[32];
        size_t count = 0;
        for (uint32_t bit = 1; (bit & SCOPE_ALL) != 0; bit <<= 1) {
            known[count++] = slice_from_text(scope_to_text(bit));
        }
        contract_compile_unknown(compiler, &inner, "scope", text, known, count);
    }
    return scope;
}

static void read_privileged(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    static const struct slice KNOWN[] = {TEXT("scope"), TEXT("only"), TEXT("except")};
    struct notes *notes = notes_of(compiler, schema);
    struct privilege *privilege = contract_compile_take(compiler, 1, sizeof *privilege);
    if (notes == NULL || privilege == NULL || !only_members(compiler, value, trail, KNOWN, 3)) {
        return;
    }
    json_at only = json_member(compiler->doc, value, KNOWN[1]);
    json_at except = json_member(compiler->doc, value, KNOWN[2]);
    privilege->scope = read_scope(compiler, value, trail);
    if (only != 0 && except != 0) {
        contract_compile_fail(compiler, trail, "may have \"only\" or \"except\", not both");
    } else if (only != 0 || except != 0) {
        struct trail inner = {.parent = trail, .name = KNOWN[only != 0 ? 1 : 2]};
        privilege->mode = only != 0 ? PRIVILEGE_ONLY : PRIVILEGE_EXCEPT;
        (void)contract_compile_choice(compiler, only != 0 ? only : except, &inner, &privilege->values);
    }
    notes->privilege = privilege;
}

static void read_compare(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    static const struct slice KNOWN[] = {TEXT("left"), TEXT("right"), TEXT("result"), TEXT("scope")};
    struct notes *notes = notes_of(compiler, schema);
    struct compare *compare = contract_compile_take(compiler, 1, sizeof *compare);
    if (notes == NULL || compare == NULL || !only_members(compiler, value, trail, KNOWN, 4)) {
        return;
    }
    (void)text_member(compiler, value, trail, "left", &compare->left);
    (void)text_member(compiler, value, trail, "right", &compare->right);
    (void)text_member(compiler, value, trail, "result", &compare->result);
    compare->scope = read_scope(compiler, value, trail);
    notes->compare = compare;
}

/* "/a/b", or ["/a/b", "/a/c"] whose texts are joined. */
static void read_card_name_way(struct compiler *compiler, json_at value, const struct trail *trail,
                               struct card_name *way)
{
    struct slice *pointers = NULL;
    if (json_tag(compiler->doc, value) == '"') {
        pointers = contract_compile_take(compiler, 1, sizeof *pointers);
        way->count = pointers == NULL ? 0 : 1;
        if (pointers != NULL) {
            *pointers = json_string(compiler->doc, value);
        }
    } else if (!contract_compile_strings(compiler, value, trail, &pointers, &way->count)) {
        return;
    }
    way->pointers = pointers;
    if (way->count == 0) {
        contract_compile_fail(compiler, trail, "must be a pointer or an array of pointers");
    }
}

static void read_card_name(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    const struct json_doc *doc = compiler->doc;
    struct notes *notes = notes_of(compiler, schema);
    uint32_t count = json_tag(doc, value) == '[' ? json_count(doc, value) : 0;
    struct card_name *ways = contract_compile_take(compiler, count, sizeof *ways);
    if (count == 0) {
        contract_compile_fail(compiler, trail, "must be an array: the ways to a name, the best first");
    }
    if (notes == NULL || ways == NULL || count == 0) {
        return;
    }
    notes->card_names = ways;
    for (json_at at = json_first(doc, value); !json_is_end(doc, at); at = json_next(doc, at)) {
        struct trail inner = {.parent = trail, .index = notes->card_name_count};
        read_card_name_way(compiler, at, &inner, &ways[notes->card_name_count++]);
    }
}

static void read_card_default(struct compiler *compiler, struct schema *schema, json_at value,
                              const struct trail *trail)
{
    const struct json_doc *doc = compiler->doc;
    struct notes *notes = notes_of(compiler, schema);
    if (notes == NULL || json_tag(doc, value) != '{') {
        contract_compile_fail(compiler, trail, "must be an object: card role to value");
        return;
    }
    notes->has_card_defaults = true;
    json_at text;
    for (json_at at = json_first(doc, value); !json_is_end(doc, at); at = json_next(doc, text)) {
        struct slice name = json_string(doc, at);
        struct trail inner = {.parent = trail, .name = name};
        enum card_role role = card_role_from_text(name);
        text = json_value_of(at);
        if (role == CARD_NONE) {
            fail_kind(compiler, &inner, name, card_text, CARD_ROLE_COUNT);
        }
        (void)contract_compile_string(compiler, text, &inner, &notes->card_defaults[role]);
    }
}

const struct keyword CONTRACT_NOTES[] = {
    {"x-class", read_class},     {"x-identifier", read_identifier}, {"x-secret", read_secret},
    {"x-card", read_card},       {"x-card-name", read_card_name},   {"x-alias", read_alias},
    {"x-compare", read_compare}, {"x-privileged", read_privileged}, {"x-card-default", read_card_default},
};
const size_t CONTRACT_NOTE_COUNT = sizeof CONTRACT_NOTES / sizeof CONTRACT_NOTES[0];

/* Every documented spelling that an alias leads to must be one that the enum allows. */
static void check_aliases(struct compiler *compiler, const struct schema *schema)
{
    const struct notes *notes = schema->notes;
    const struct choice *choice = schema->node->choice;
    struct trail trail = {.parent = schema->trail, .name = SLICE("x-alias")};
    for (size_t i = 0; i < notes->aliases.count; i++) {
        struct trail inner = {.parent = &trail, .name = notes->aliases.texts[i]};
        if (choice != NULL && contract_names_find(&choice->strings, notes->alias_texts[i]) < 0) {
            contract_compile_fail(compiler, &inner, "leads to a value that the enum does not allow");
        }
        if (choice != NULL && contract_names_find(&choice->strings, notes->aliases.texts[i]) >= 0) {
            contract_compile_fail(compiler, &inner, "is a documented value itself");
        }
    }
}

void contract_compile_notes(struct compiler *compiler, struct schema *schema)
{
    const struct notes *notes = schema->notes;
    if (schema->node->class == CLASS_SECRET && (notes == NULL || notes->secret == SECRET_NONE)) {
        contract_compile_fail(compiler, schema->trail, "class secret needs x-secret, or it would be kept");
    }
    if (notes == NULL) {
        return;
    }
    bool text = notes->identifier != 0 || notes->secret != 0 || notes->card != 0 || notes->aliases.count > 0;
    if (text && ((schema->node->types & TYPE_STRING) == 0 || (schema->node->types & ~(TYPE_STRING | TYPE_NULL)) != 0)) {
        contract_compile_fail(compiler, schema->trail, "what has this annotation must be of type string");
    }
    bool object = notes->compare != NULL || notes->card_names != NULL || notes->has_card_defaults;
    if (object && schema->node->types != TYPE_OBJECT) {
        contract_compile_fail(compiler, schema->trail, "what has this annotation must be of type object");
    }
    if (notes->secret != 0 && schema->node->class != CLASS_SECRET) {
        contract_compile_fail(compiler, schema->trail, "a secret must have \"x-class\": \"secret\"");
    }
    check_aliases(compiler, schema);
}
