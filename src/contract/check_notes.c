/*
 * What Muster learns from an item: identifiers, the card, secrets; and the annotations that judge:
 * privileged values and compared codes. Facts are views of the parsed item; nothing is copied unless
 * a name has to be joined.
 *
 * The difficulty is secrets: whatever else happens, a secret that is there leaves the document (an
 * edit), and one-time codes are compared in constant time and never become anything else.
 */
#include "contract/check_priv.h"

static void add_edit(struct checker *checker, enum json_edit_kind kind, json_at at, struct slice name,
                     struct slice json)
{
    struct json_edit *edit = contract_vector_add(checker, &checker->edits, sizeof *edit);
    if (edit != NULL) {
        *edit = (struct json_edit){kind, at, name, json};
    }
}

static struct contract_fact *add_fact(struct checker *checker, enum contract_fact_role role, uint8_t kind, json_at at,
                                      struct slice value)
{
    struct contract_fact *fact = contract_vector_add(checker, &checker->facts, sizeof *fact);
    if (fact != NULL) {
        fact->role = role;
        fact->kind = kind;
        fact->at = at;
        fact->value = value;
    }
    return fact;
}

/* The text of a member beside this one; empty when it is not there or no string. */
static struct slice sibling_text(const struct checker *checker, const struct place *place, struct slice name)
{
    json_at at = place->parent == NULL ? 0 : json_member(checker->doc, place->parent->at, name);
    return at != 0 && json_tag(checker->doc, at) == '"' ? json_string(checker->doc, at) : SLICE_NONE;
}

static void note_identifier(struct checker *checker, const struct notes *notes, const struct place *place,
                            struct slice text)
{
    struct slice context = notes->sibling.size > 0 ? sibling_text(checker, place, notes->sibling) : SLICE_NONE;
    struct contract_fact *fact = add_fact(checker, FACT_IDENTIFIER, notes->identifier, place->at, text);
    if (fact != NULL) {
        fact->context = context;
    }
    if (notes->identifier == IDENTIFIER_WALLET && context.size > 0 && !format_wallet(context, text)) {
        contract_report_format(checker, place, format_wallet_expected(context));
    }
}

static void note_secret(struct checker *checker, const struct notes *notes, const struct place *place,
                        struct slice text)
{
    add_edit(checker, JSON_EDIT_DROP, place->at, SLICE_NONE, SLICE_NONE);
    if (text.size == 0) {
        return;
    }
    struct contract_fact *fact = add_fact(checker, FACT_SECRET, notes->secret, place->at, text);
    if (fact != NULL) {
        fact->context = notes->sibling.size > 0 ? sibling_text(checker, place, notes->sibling) : SLICE_NONE;
        fact->pointer = contract_place_pointer(checker, place);
    }
}

void contract_check_text_notes(struct checker *checker, const struct node *node, const struct place *place,
                               struct slice text, int alias)
{
    const struct notes *notes = node->notes;
    if (alias >= 0) {
        add_edit(checker, JSON_EDIT_REPLACE, place->at, SLICE_NONE, notes->alias_json[alias]);
    }
    if (notes->privilege != NULL) {
        contract_check_privilege(checker, node, place, text);
    }
    if (notes->secret != SECRET_NONE) {
        note_secret(checker, notes, place, text);
    }
    if (text.size == 0) {
        return;
    }
    if (notes->identifier != IDENTIFIER_NONE) {
        note_identifier(checker, notes, place, text);
    }
    if (notes->card != CARD_NONE) {
        (void)add_fact(checker, FACT_CARD, notes->card, place->at, text);
    }
}

/* ---- privileged values ---- */

static void report_scope(struct checker *checker, const struct node *node, const struct place *place, uint32_t scope)
{
    if (!contract_report_begin(checker, place, LEVEL_CONTRACT)) {
        return;
    }
    struct buf *out = &checker->text;
    buf_append_text(out, "may have this value");
    if (node->class == CLASS_OPEN &&
        (contract_value_type(checker->doc, place->at) & (TYPE_STRING | TYPE_BOOLEAN)) != 0) {
        buf_clear(out);
        contract_report_subject(checker, place);
        buf_append_text(out, "may be ");
        if (json_tag(checker->doc, place->at) == '"') {
            json_append_string(out, contract_value_cut(json_string(checker->doc, place->at), 40));
        } else {
            buf_append_text(out, json_tag(checker->doc, place->at) == 't' ? "true" : "false");
        }
    }
    buf_printf(out, " only with a token that has the scope %s", scope_to_text(scope));
    contract_report_end(checker, place, LEVEL_CONTRACT, "scope-missing", slice_from_text(scope_to_text(scope)));
}

void contract_check_privilege(struct checker *checker, const struct node *node, const struct place *place,
                              struct slice text)
{
    const struct privilege *privilege = node->notes->privilege;
    if ((checker->options->scopes & privilege->scope) == privilege->scope) {
        return;
    }
    bool listed = false;
    if (privilege->mode != PRIVILEGE_ANY) {
        listed = json_tag(checker->doc, place->at) == '"'
                     ? contract_names_find(&privilege->values.strings, text) >= 0
                     : contract_choice_has(checker->contract, &privilege->values, checker->doc, place->at);
    }
    if (privilege->mode == PRIVILEGE_ANY || listed == (privilege->mode == PRIVILEGE_ONLY)) {
        report_scope(checker, node, place, privilege->scope);
    }
}

/* ---- compared codes ---- */

static struct slice text_member(const struct json_doc *doc, json_at object, struct slice name)
{
    json_at at = json_member(doc, object, name);
    return at != 0 && json_tag(doc, at) == '"' ? json_string(doc, at) : SLICE_NONE;
}

/* Both codes are there: their comparison is the result, whatever the client says. */
static void keep_outcome(struct checker *checker, const struct compare *compare, const struct place *object,
                         const struct place *result, bool same)
{
    struct slice json = same ? SLICE("true") : SLICE("false");
    if (result->at == 0) {
        add_edit(checker, JSON_EDIT_ADD, object->at, compare->result, json);
        return;
    }
    bool said = json_tag(checker->doc, result->at) == 't';
    if (said && !same) {
        contract_report(checker, result, LEVEL_CONTRACT, "code-mismatch",
                        "is true, but the two codes differ: send false or leave it out");
    }
    if (said != same) {
        add_edit(checker, JSON_EDIT_REPLACE, result->at, SLICE_NONE, json);
    }
}

static void check_compare(struct checker *checker, const struct compare *compare, const struct place *place)
{
    const struct json_doc *doc = checker->doc;
    struct slice left = text_member(doc, place->at, compare->left);
    struct slice right = text_member(doc, place->at, compare->right);
    struct place result = {place, json_member(doc, place->at, compare->result), compare->result, 0};
    if (left.size > 0 && right.size > 0) {
        keep_outcome(checker, compare, place, &result, slice_equal_secret(left, right));
        return;
    }
    bool said = result.at != 0 && json_tag(doc, result.at) == 't';
    if (said && (checker->options->scopes & compare->scope) != compare->scope &&
        contract_report_begin(checker, &result, LEVEL_CONTRACT)) {
        buf_printf(&checker->text, "may be true without both codes only with a token that has the scope %s",
                   scope_to_text(compare->scope));
        contract_report_end(checker, &result, LEVEL_CONTRACT, "scope-missing",
                            slice_from_text(scope_to_text(compare->scope)));
    }
}

/* ---- the card's name ---- */

static struct slice pointed_text(const struct json_doc *doc, json_at object, struct slice pointer, json_at *at)
{
    *at = json_at_pointer(doc, object, pointer);
    return *at != 0 && json_tag(doc, *at) == '"' ? json_string(doc, *at) : SLICE_NONE;
}

/* The texts of one way joined by spaces; empty ones are left out. */
static struct slice join_name(struct checker *checker, const struct card_name *way, const struct place *place,
                              json_at *at)
{
    struct slice joined = SLICE_NONE;
    for (size_t i = 0; i < way->count; i++) {
        json_at part_at;
        struct slice part = pointed_text(checker->doc, place->at, way->pointers[i], &part_at);
        if (part.size == 0) {
            continue;
        }
        if (joined.size == 0) {
            joined = part;
            *at = part_at;
            continue;
        }
        char *text = arena_take(checker->arena, joined.size + 1 + part.size);
        if (text == NULL) {
            return SLICE_NONE;
        }
        memcpy(text, joined.data, joined.size);
        text[joined.size] = ' ';
        memcpy(text + joined.size + 1, part.data, part.size);
        joined = slice_make(text, joined.size + 1 + part.size);
    }
    return joined;
}

static void note_card_name(struct checker *checker, const struct notes *notes, const struct place *place)
{
    for (size_t i = 0; i < notes->card_name_count; i++) {
        json_at at = 0;
        struct slice name = join_name(checker, &notes->card_names[i], place, &at);
        if (name.size > 0) {
            (void)add_fact(checker, FACT_CARD, CARD_NAME, at, name);
            return;
        }
    }
}

/* Cards that the item did not give. */
static void note_card_defaults(struct checker *checker, const struct notes *notes, const struct place *place)
{
    bool given[CARD_ROLE_COUNT] = {false};
    const struct contract_fact *facts = checker->facts.items;
    for (size_t i = 0; i < checker->facts.count; i++) {
        if (facts[i].role == FACT_CARD) {
            given[facts[i].kind] = true;
        }
    }
    for (int role = 1; role < CARD_ROLE_COUNT; role++) {
        if (!given[role] && notes->card_defaults[role].size > 0) {
            (void)add_fact(checker, FACT_CARD, (uint8_t)role, place->at, notes->card_defaults[role]);
        }
    }
}

void contract_check_object_notes(struct checker *checker, const struct node *node, const struct place *place)
{
    const struct notes *notes = node->notes;
    if (notes->compare != NULL) {
        check_compare(checker, notes->compare, place);
    }
    if (notes->card_name_count > 0) {
        note_card_name(checker, notes, place);
    }
    if (notes->has_card_defaults) {
        note_card_defaults(checker, notes, place);
    }
    if (notes->privilege != NULL) {
        contract_check_privilege(checker, node, place, SLICE_NONE);
    }
}
