/*
 * Running a compiled contract over a parsed item: the path of every customer of every batch. A clean
 * customer costs one walk over its tape: a table lookup per member, a few compares per value, nothing
 * allocated but the lists of facts and edits.
 *
 * The difficulty is to stay on that path: whatever is only needed to say what is wrong (pointers,
 * sentences, missing names) is in report.c and is not prepared for here.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "contract/check_priv.h"

bool contract_choice_has(const struct contract *contract, const struct choice *choice, const struct json_doc *doc,
                         json_at at)
{
    if (choice->strings.count > 0 && json_tag(doc, at) == '"' &&
        contract_names_find(&choice->strings, json_string(doc, at)) >= 0) {
        return true;
    }
    for (size_t i = 0; i < choice->value_count; i++) {
        if (contract_value_equal(&contract->doc, choice->values[i], doc, at)) {
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

/* Counts code points only when the bytes leave it open. */
static void check_length(struct checker *checker, const struct node *node, const struct place *place, struct slice text)
{
    bool may_be_short = node->length_min > 0 && text.size / 4 < node->length_min;
    bool may_be_long = text.size > node->length_max;
    if (!may_be_short && !may_be_long) {
        return;
    }
    size_t length = contract_value_length(text);
    if (length < node->length_min) {
        contract_report_count(checker, place, "length", "characters", true, node->length_min);
    }
    if (length > node->length_max) {
        contract_report_count(checker, place, "length", "characters", false, node->length_max);
    }
}

static void check_string(struct checker *checker, const struct node *node, const struct place *place)
{
    const struct notes *notes = node->notes;
    struct slice text = json_string(checker->doc, place->at);
    int alias = -1;
    if (notes != NULL && notes->aliases.count > 0) {
        alias = contract_names_find(&notes->aliases, text);
        text = alias < 0 ? text : notes->alias_texts[alias];
    }
    check_length(checker, node, place, text);
    if (node->choice != NULL && contract_names_find(&node->choice->strings, text) < 0) {
        contract_report_choice(checker, node, place, node->choice, "enum");
    }
    if (node->format != NULL && !node->format->test(text)) {
        contract_report_format(checker, place, node->format->expected);
    }
    if (notes != NULL) {
        contract_check_text_notes(checker, node, place, text, alias);
    }
}

static void check_number(struct checker *checker, const struct number_rules *rules, const struct place *place)
{
    for (enum bound_kind kind = 0; kind < BOUND_KIND_COUNT; kind++) {
        json_at bound = rules->bounds[kind];
        if (bound == 0) {
            continue;
        }
        int order = contract_value_compare_numbers(checker->doc, place->at, &checker->contract->doc, bound);
        bool holds[BOUND_KIND_COUNT] = {order >= 0, order <= 0, order > 0, order < 0};
        if (!holds[kind]) {
            contract_report_bound(checker, place, kind, bound);
        }
    }
}

static void check_array(struct checker *checker, const struct array_rules *rules, const struct place *place)
{
    const struct json_doc *doc = checker->doc;
    struct place element = {.parent = place, .at = json_first(doc, place->at)};
    for (; !json_is_end(doc, element.at); element.at = json_next(doc, element.at), element.index++) {
        if (element.index < rules->prefix_count) {
            contract_check_value(checker, rules->prefix[element.index], &element, true);
        } else if (rules->items != NULL) {
            contract_check_value(checker, rules->items, &element, true);
        }
    }
    if (element.index < rules->count_min) {
        contract_report_count(checker, place, "item-count", "elements", true, rules->count_min);
    }
    if (element.index > rules->count_max) {
        contract_report_count(checker, place, "item-count", "elements", false, rules->count_max);
    }
}

/* ---- objects ---- */

static void check_additional(struct checker *checker, const struct node *node, const struct place *member,
                             bool outermost)
{
    const struct node *additional = node->object->additional;
    if (additional == NULL) {
        if (outermost && node->unnamed == UNNAMED_OWN) {
            contract_report_unnamed(checker, node, member, LEVEL_QUALITY);
        }
    } else if (additional->never) {
        contract_report_unnamed(checker, node, member, LEVEL_CONTRACT);
    } else {
        contract_check_value(checker, additional, member, true);
    }
}

static void report_missing(struct checker *checker, const struct object_rules *rules, const struct place *place)
{
    for (uint32_t i = 0; i < rules->names.count; i++) {
        if (rules->members[i].required && json_member(checker->doc, place->at, rules->members[i].name) == 0) {
            contract_report_missing(checker, place, rules->members[i].name);
        }
    }
}

static void check_object(struct checker *checker, const struct node *node, const struct place *place, bool outermost)
{
    const struct json_doc *doc = checker->doc;
    const struct object_rules *rules = node->object;
    struct place member = {.parent = place};
    uint32_t count = 0;
    uint32_t required = 0;
    for (json_at at = json_first(doc, place->at); !json_is_end(doc, at); at = json_next(doc, member.at)) {
        member.name = json_string(doc, at);
        member.at = json_value_of(at);
        int index = contract_names_find(&rules->names, member.name);
        const struct member *known = index < 0 ? NULL : &rules->members[index];
        count++;
        required += known != NULL && known->required;
        if (known != NULL && known->node != NULL) {
            contract_check_value(checker, known->node, &member, true);
        } else {
            check_additional(checker, node, &member, outermost);
        }
    }
    if (required != rules->required_count) {
        report_missing(checker, rules, place);
    }
    if (count < rules->count_min) {
        contract_report_count(checker, place, "member-count", "members", true, rules->count_min);
    }
    if (count > rules->count_max) {
        contract_report_count(checker, place, "member-count", "members", false, rules->count_max);
    }
}

/* Members that none of the opinions about this object names. */
static void check_unnamed(struct checker *checker, const struct node *node, const struct place *place)
{
    const struct json_doc *doc = checker->doc;
    struct place member = {.parent = place};
    for (json_at at = json_first(doc, place->at); !json_is_end(doc, at); at = json_next(doc, member.at)) {
        member.name = json_string(doc, at);
        member.at = json_value_of(at);
        if (contract_node_member(node, member.name) == NULL) {
            contract_report_unnamed(checker, node, &member, LEVEL_QUALITY);
        }
    }
}

/* ---- any value ---- */

/* Rules that most values don't have. */
static void check_rest(struct checker *checker, const struct node *node, const struct place *place, uint8_t type,
                       bool outermost)
{
    const struct json_doc *doc = checker->doc;
    if (node->choice != NULL && type != TYPE_STRING &&
        !contract_choice_has(checker->contract, node->choice, doc, place->at)) {
        contract_report_choice(checker, node, place, node->choice, "enum");
    }
    if (node->constant != NULL && !contract_choice_has(checker->contract, node->constant, doc, place->at)) {
        contract_report_choice(checker, node, place, node->constant, "const");
    }
    if (node->combination != NULL) {
        contract_check_combination(checker, node, place);
    }
    if (node->unnamed == UNNAMED_TREE && type == TYPE_OBJECT && outermost) {
        check_unnamed(checker, node, place);
    }
    if (node->notes == NULL) {
        return;
    }
    if (type == TYPE_OBJECT) {
        contract_check_object_notes(checker, node, place);
    } else if (type != TYPE_STRING && node->notes->privilege != NULL) {
        contract_check_privilege(checker, node, place, SLICE_NONE);
    }
}

void contract_check_value(struct checker *checker, const struct node *node, const struct place *place, bool outermost)
{
    uint8_t type =
        json_tag(checker->doc, place->at) == '"' ? TYPE_STRING : contract_value_type(checker->doc, place->at);
    if (node->never) {
        contract_report(checker, place, LEVEL_CONTRACT, "not-allowed", "is not allowed here: leave it out");
        return;
    }
    if ((node->types & type) == 0) {
        contract_report_type(checker, node, place, type);
        return;
    }
    if (type == TYPE_STRING) {
        check_string(checker, node, place);
        if (node->constant == NULL && node->combination == NULL) {
            return;
        }
    } else if (type == TYPE_OBJECT && node->object != NULL) {
        check_object(checker, node, place, outermost);
    } else if (type == TYPE_ARRAY && node->array != NULL) {
        check_array(checker, node->array, place);
    } else if ((type & TYPE_NUMBER) != 0 && node->number != NULL) {
        check_number(checker, node->number, place);
    }
    check_rest(checker, node, place, type, outermost);
}

/* ---- the result ---- */

static int compare_noted(const void *a, const void *b)
{
    const struct noted *left = a;
    const struct noted *right = b;
    if (left->at != right->at) {
        return left->at < right->at ? -1 : 1;
    }
    return (left->order > right->order) - (left->order < right->order);
}

static struct contract_fault *flatten(struct checker *checker, struct vector *vector)
{
    if (vector->count == 0) {
        return NULL;
    }
    struct noted *noted = vector->items;
    qsort(noted, vector->count, sizeof *noted, compare_noted);
    struct contract_fault *faults = arena_take(checker->arena, vector->count * sizeof *faults);
    for (size_t i = 0; faults != NULL && i < vector->count; i++) {
        faults[i] = noted[i].fault;
    }
    return faults;
}

static int compare_edits(const void *a, const void *b)
{
    const struct json_edit *left = a;
    const struct json_edit *right = b;
    if (left->at != right->at) {
        return left->at < right->at ? -1 : 1;
    }
    return (left->kind > right->kind) - (left->kind < right->kind);
}

/* In order of the tape, one an `at`; two opinions may have made the same edit. DROP goes first. */
static void order_edits(struct vector *vector)
{
    struct json_edit *edits = vector->items;
    bool ordered = true;
    for (size_t i = 1; i < vector->count; i++) {
        ordered = ordered && edits[i - 1].at < edits[i].at;
    }
    if (ordered) {
        return;
    }
    qsort(edits, vector->count, sizeof *edits, compare_edits);
    size_t kept = 1;
    for (size_t i = 1; i < vector->count; i++) {
        if (edits[i].at != edits[kept - 1].at) {
            edits[kept++] = edits[i];
        }
    }
    vector->count = kept;
}

/* What a record can hold. */
static void check_fact_counts(struct checker *checker, const struct place *root)
{
    const struct contract_fact *facts = checker->facts.items;
    uint32_t identifiers = 0;
    uint32_t secrets = 0;
    if (checker->facts.count <= LIMIT_ITEM_KEYS && checker->facts.count <= CHECK_SECRETS_MAX) {
        return;
    }
    for (size_t i = 0; i < checker->facts.count; i++) {
        identifiers += facts[i].role == FACT_IDENTIFIER;
        secrets += facts[i].role == FACT_SECRET && facts[i].kind != SECRET_CODE;
    }
    if (identifiers > LIMIT_ITEM_KEYS) {
        contract_report_count(checker, root, "item-count", "identifiers", false, LIMIT_ITEM_KEYS);
    }
    if (secrets > CHECK_SECRETS_MAX) {
        contract_report_count(checker, root, "item-count", "secrets", false, CHECK_SECRETS_MAX);
    }
}

static int check(const struct contract *contract, const struct node *node, const struct json_doc *doc,
                 const struct contract_options *options, struct arena *arena, struct contract_result *result)
{
    struct checker checker = {.contract = contract, .doc = doc, .options = options, .arena = arena};
    struct place root = {.at = json_root(doc)};
    buf_init(&checker.text, 0);
    if (node != NULL) {
        contract_check_value(&checker, node, &root, true);
        check_fact_counts(&checker, &root);
        order_edits(&checker.edits);
    }
    *result = (struct contract_result){
        .faults = flatten(&checker, &checker.faults),
        .fault_count = checker.faults.count,
        .fault_total = checker.fault_total,
        .findings = flatten(&checker, &checker.findings),
        .finding_count = checker.findings.count,
        .facts = checker.facts.items,
        .fact_count = checker.facts.count,
        .edits = checker.edits.items,
        .edit_count = checker.edits.count,
    };
    int err = buf_error(&checker.text) != 0 ? ERR_NO_MEMORY : arena_error(arena);
    buf_fini(&checker.text);
    return err;
}

int contract_check_item(const struct contract *contract, const struct json_doc *doc,
                        const struct contract_options *options, struct arena *arena, struct contract_result *result)
{
    return check(contract, contract->item, doc, options, arena, result);
}

int contract_check_envelope(const struct contract *contract, const struct json_doc *doc,
                            const struct contract_options *options, struct arena *arena, struct contract_result *result)
{
    return check(contract, contract->envelope, doc, options, arena, result);
}
