/*
 * What a contract says of a place: which types may stand there, and whether it is secret. Other forms of an item
 * need it (a row of CSV has no types of its own), and so does whoever shows an item again that was refused.
 *
 * The difficulty is that several opinions may speak of one place ($ref, allOf, anyOf, …), each of its own member of
 * the same name. For types all of them count: what every one allows, or for branches what any does. For secrets one
 * is enough, in whatever branch: what may be secret is not shown.
 */
#include <stdlib.h>

#include "contract/check_priv.h"

/* A reference token of a pointer, and what follows it. */
struct step {
    struct slice name;
    struct slice rest;
    char decoded[256]; /* holds the name when it has escapes; a longer one names nothing that a contract has */
};

static bool decode(struct step *step, struct slice token)
{
    size_t size = 0;
    for (size_t i = 0; i < token.size; i++) {
        bool escape = token.data[i] == '~' && i + 1 < token.size;
        i += escape;
        char byte = token.data[i];
        if (size == sizeof step->decoded) {
            return false;
        }
        step->decoded[size++] = (char)(!escape ? byte : byte == '0' ? '~' : '/');
    }
    step->name = slice_make(step->decoded, size);
    return true;
}

/* False when the pointer is none, or leads nowhere for certain. */
static bool take_step(struct slice pointer, struct step *step)
{
    if (pointer.size == 0 || pointer.data[0] != '/') {
        return false;
    }
    pointer = slice_from(pointer, 1);
    const char *end = pointer.size == 0 ? NULL : memchr(pointer.data, '/', pointer.size);
    size_t size = end == NULL ? pointer.size : (size_t)(end - pointer.data);
    step->name = slice_make(pointer.data, size);
    step->rest = slice_from(pointer, size);
    return size == 0 || memchr(pointer.data, '~', size) == NULL || decode(step, step->name);
}

static bool is_index(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9') {
            return false;
        }
    }
    return name.size > 0;
}

/* What this node alone, not the opinions in place of it, says of a member; NULL: nothing. */
static const struct node *own_member(const struct node *node, struct slice name)
{
    const struct object_rules *object = node->object;
    if (object == NULL) {
        return NULL;
    }
    int index = contract_names_find(&object->names, name);
    return index >= 0 && object->members[index].node != NULL ? object->members[index].node : object->additional;
}

/* The other opinions about a node's value: those that hold together, and branches. */
#define OPINION_LISTS   3u
#define OPINION_SINGLES 3u

struct opinions {
    struct node_list lists[OPINION_LISTS];       /* all, any, one */
    const struct node *singles[OPINION_SINGLES]; /* condition, then, otherwise */
};

static struct opinions opinions_of(const struct node *node)
{
    const struct combination *rules = node->combination;
    if (rules == NULL) {
        return (struct opinions){.singles = {NULL}};
    }
    return (struct opinions){.lists = {rules->all, rules->any, rules->one},
                             .singles = {rules->condition, rules->then, rules->otherwise}};
}

/* ---- types ---- */

struct types {
    bool known;
    uint8_t bits; /* TYPE_… of value.c */
};

static struct types both(struct types a, struct types b)
{
    if (!a.known || !b.known) {
        return a.known ? a : b;
    }
    return (struct types){true, a.bits & b.bits};
}

static struct types either(struct types a, struct types b)
{
    return (struct types){a.known || b.known, (uint8_t)((a.known ? a.bits : 0) | (b.known ? b.bits : 0))};
}

static struct types types_at(const struct contract *contract, const struct node *node, struct slice pointer);

static struct types types_of_elements(const struct contract *contract, const struct array_rules *array,
                                      struct slice pointer)
{
    struct types types = {false, 0};
    for (size_t i = 0; i < array->prefix_count; i++) {
        types = either(types, types_at(contract, array->prefix[i], pointer));
    }
    return array->items == NULL ? types : either(types, types_at(contract, array->items, pointer));
}

static uint8_t listed_types(const struct contract *contract, const struct choice *choice)
{
    uint8_t bits = choice == NULL ? TYPE_ANY : 0;
    for (size_t i = 0; choice != NULL && i < choice->listed_count; i++) {
        bits |= contract_value_type(&contract->doc, choice->listed[i]);
    }
    return bits;
}

/* Without the opinions in place of the node. */
static struct types own_types(const struct contract *contract, const struct node *node, struct slice pointer)
{
    struct step step;
    if (pointer.size == 0) {
        uint8_t bits = node->types & listed_types(contract, node->choice) & listed_types(contract, node->constant);
        return (struct types){true, bits};
    }
    if (!take_step(pointer, &step)) {
        return (struct types){false, 0};
    }
    const struct node *member = own_member(node, step.name);
    struct types types = {false, 0};
    if (member != NULL) {
        types = types_at(contract, member, step.rest);
    }
    if (node->array != NULL && is_index(step.name)) {
        types = either(types, types_of_elements(contract, node->array, step.rest));
    }
    return types;
}

static struct types types_at(const struct contract *contract, const struct node *node, struct slice pointer)
{
    if (node->never) {
        return (struct types){false, 0};
    }
    struct types types = own_types(contract, node, pointer);
    struct opinions others = opinions_of(node);
    for (size_t i = 0; i < OPINION_LISTS; i++) {
        struct types list = {false, 0};
        for (size_t j = 0; j < others.lists[i].count; j++) {
            struct types one = types_at(contract, others.lists[i].nodes[j], pointer);
            list = i == 0 ? both(list, one) : either(list, one);
        }
        types = both(types, list);
    }
    struct types chosen = {false, 0}; /* then and else; the condition allows nothing by itself */
    for (size_t i = 1; i < OPINION_SINGLES; i++) {
        if (others.singles[i] != NULL) {
            chosen = either(chosen, types_at(contract, others.singles[i], pointer));
        }
    }
    bool stated = others.singles[1] != NULL && others.singles[2] != NULL;
    return stated || !types.known ? both(types, chosen) : types;
}

unsigned contract_item_types(const struct contract *contract, struct slice pointer)
{
    static const struct {
        uint8_t type;
        unsigned bits;
    } BITS[] = {
        {TYPE_STRING, CONTRACT_TYPE_STRING},   {TYPE_FRACTION, CONTRACT_TYPE_NUMBER},
        {TYPE_INTEGER, CONTRACT_TYPE_INTEGER}, {TYPE_BOOLEAN, CONTRACT_TYPE_BOOLEAN},
        {TYPE_NULL, CONTRACT_TYPE_NULL},       {TYPE_OBJECT, CONTRACT_TYPE_OBJECT},
        {TYPE_ARRAY, CONTRACT_TYPE_ARRAY},
    };
    struct types types = {false, 0};
    if (contract->item != NULL) {
        types = types_at(contract, contract->item, pointer);
    }
    unsigned bits = 0;
    for (size_t i = 0; types.known && i < sizeof BITS / sizeof BITS[0]; i++) {
        bits |= (types.bits & BITS[i].type) != 0 ? BITS[i].bits : 0;
    }
    return bits;
}

/* ---- secrets by their place ---- */

static bool secret_at(const struct node *node, struct slice pointer);

static bool member_is_secret(const struct node *node, struct slice pointer)
{
    struct step step;
    if (!take_step(pointer, &step)) {
        return false;
    }
    const struct node *member = own_member(node, step.name);
    if (member != NULL && secret_at(member, step.rest)) {
        return true;
    }
    const struct array_rules *array = is_index(step.name) ? node->array : NULL;
    for (size_t i = 0; array != NULL && i < array->prefix_count; i++) {
        if (secret_at(array->prefix[i], step.rest)) {
            return true;
        }
    }
    return array != NULL && array->items != NULL && secret_at(array->items, step.rest);
}

static bool secret_at(const struct node *node, struct slice pointer)
{
    if (node->class == CLASS_SECRET || member_is_secret(node, pointer)) {
        return true;
    }
    struct opinions others = opinions_of(node);
    for (size_t i = 0; i < OPINION_LISTS; i++) {
        for (size_t j = 0; j < others.lists[i].count; j++) {
            if (secret_at(others.lists[i].nodes[j], pointer)) {
                return true;
            }
        }
    }
    for (size_t i = 0; i < OPINION_SINGLES; i++) {
        if (others.singles[i] != NULL && secret_at(others.singles[i], pointer)) {
            return true;
        }
    }
    return false;
}

bool contract_item_is_secret(const struct contract *contract, struct slice pointer)
{
    return contract->item != NULL && secret_at(contract->item, pointer);
}

/* ---- secrets of one item ---- */

static void blank_value(struct checker *checker, const struct node *node, json_at at);

static void blank_members(struct checker *checker, const struct node *node, json_at object)
{
    const struct json_doc *doc = checker->doc;
    json_at value;
    for (json_at at = json_first(doc, object); !json_is_end(doc, at); at = json_next(doc, value)) {
        value = json_value_of(at);
        const struct node *member = own_member(node, json_string(doc, at));
        if (member != NULL) {
            blank_value(checker, member, value);
        }
    }
}

static void blank_elements(struct checker *checker, const struct array_rules *array, json_at list)
{
    const struct json_doc *doc = checker->doc;
    size_t index = 0;
    for (json_at at = json_first(doc, list); !json_is_end(doc, at); at = json_next(doc, at), index++) {
        const struct node *element = index < array->prefix_count ? array->prefix[index] : array->items;
        if (element != NULL) {
            blank_value(checker, element, at);
        }
    }
}

static void blank_opinions(struct checker *checker, const struct node *node, json_at at)
{
    struct opinions others = opinions_of(node);
    for (size_t i = 0; i < OPINION_LISTS; i++) {
        for (size_t j = 0; j < others.lists[i].count; j++) {
            blank_value(checker, others.lists[i].nodes[j], at);
        }
    }
    for (size_t i = 0; i < OPINION_SINGLES; i++) {
        if (others.singles[i] != NULL) {
            blank_value(checker, others.singles[i], at);
        }
    }
}

static void blank_value(struct checker *checker, const struct node *node, json_at at)
{
    char tag = json_tag(checker->doc, at);
    if (node->class == CLASS_SECRET) {
        struct json_edit *edit = contract_vector_add(checker, &checker->edits, sizeof *edit);
        if (edit != NULL) {
            *edit = (struct json_edit){JSON_EDIT_REPLACE, at, SLICE_NONE, tag == '"' ? SLICE("\"\"") : SLICE("null")};
        }
        return;
    }
    if (tag == '{' && node->object != NULL) {
        blank_members(checker, node, at);
    } else if (tag == '[' && node->array != NULL) {
        blank_elements(checker, node->array, at);
    }
    blank_opinions(checker, node, at);
}

static int compare_places(const void *a, const void *b)
{
    const struct json_edit *left = a;
    const struct json_edit *right = b;
    return (left->at > right->at) - (left->at < right->at);
}

/* In order of the tape, and none within what another one replaces: several opinions may have spoken. */
static size_t order(const struct json_doc *doc, struct json_edit *edits, size_t count)
{
    size_t kept = 0;
    if (count > 1) {
        qsort(edits, count, sizeof *edits, compare_places);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || edits[i].at >= json_next(doc, edits[kept - 1].at)) {
            edits[kept++] = edits[i];
        }
    }
    return kept;
}

int contract_blank_secrets(const struct contract *contract, const struct json_doc *doc, struct arena *arena,
                           struct json_edit **edits, size_t *count)
{
    struct checker checker = {.contract = contract, .doc = doc, .arena = arena};
    if (contract->item != NULL) {
        blank_value(&checker, contract->item, json_root(doc));
    }
    *edits = checker.edits.items;
    *count = arena_error(arena) != 0 ? 0 : order(doc, *edits, checker.edits.count);
    return arena_error(arena);
}

/* ---- the envelope ---- */

bool contract_envelope_names(const struct contract *contract, struct slice name)
{
    struct step items;
    bool is_items = take_step(contract->info.items, &items) && slice_equal(items.name, name);
    return !is_items && contract->envelope != NULL && contract_node_member(contract->envelope, name) != NULL;
}
