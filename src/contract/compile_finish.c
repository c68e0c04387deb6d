/*
 * What can be seen only when every schema of a contract has been read: that opinions about one value
 * don't run in a circle, who reports unnamed members, and that annotations name members that exist.
 *
 * The difficulty is recursion. Going into a member uses up a level of the item, which is bounded;
 * going in place ($ref, allOf, …) uses up nothing. So the depth of in-place steps, and how many
 * opinions they come to, are computed for every node; a circle or too many of them is an error, and
 * every other walk here goes only in place.
 */
#include "contract/compile_priv.h"

#include <assert.h>

#define DEPTH_BEING_COMPUTED 0xFFu

/* Calls `visit` with every opinion in place of the node until one answers true. */
static bool each_in_place(const struct node *node, bool (*visit)(const struct node *node, void *context), void *context)
{
    if (node->same_as != NULL) { /* before resolve_all */
        return visit(node->same_as, context);
    }
    const struct combination *rules = node->combination;
    if (rules == NULL) {
        return false;
    }
    const struct node_list *const lists[] = {&rules->all, &rules->any, &rules->one};
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < lists[i]->count; j++) {
            if (visit(lists[i]->nodes[j], context)) {
                return true;
            }
        }
    }
    const struct node *const singles[] = {rules->condition, rules->then, rules->otherwise};
    for (size_t i = 0; i < 3; i++) {
        if (singles[i] != NULL && visit(singles[i], context)) {
            return true;
        }
    }
    return false;
}

/* ---- depth ---- */

struct depth_walk {
    struct compiler *compiler;
    unsigned level;
    unsigned deepest;
    uint32_t weight;
};

/* Sets in_place_depth; true stops the walk: there is an error. */
static bool measure(const struct node *seen, void *context)
{
    struct depth_walk *walk = context;
    struct node *node = walk->compiler->nodes[seen->at];
    if (node->in_place_depth == DEPTH_BEING_COMPUTED) {
        contract_compile_fail_at(walk->compiler, node->at, "refers to itself without going into a member or element");
        return true;
    }
    if (node->in_place_depth == 0) {
        struct depth_walk inner = {.compiler = walk->compiler, .level = walk->level + 1};
        const struct node *negated = node->combination == NULL ? NULL : node->combination->negated;
        node->in_place_depth = DEPTH_BEING_COMPUTED;
        if (walk->level > IN_PLACE_DEPTH_MAX) {
            contract_compile_fail_at(walk->compiler, node->at, "too many references and combinations in one another");
            return true;
        }
        if (each_in_place(node, measure, &inner) || (negated != NULL && measure(negated, &inner))) {
            return true;
        }
        node->in_place_depth = (uint8_t)(inner.deepest + 1);
        node->in_place_weight = inner.weight + 1;
    }
    walk->weight += node->in_place_weight;
    if (node->in_place_depth > IN_PLACE_DEPTH_MAX || walk->weight > IN_PLACE_WEIGHT_MAX) {
        contract_compile_fail_at(walk->compiler, node->at, "too many references and combinations in one another");
        return true;
    }
    walk->deepest = node->in_place_depth > walk->deepest ? node->in_place_depth : walk->deepest;
    return false;
}

static void measure_all(struct compiler *compiler)
{
    for (struct node *node = compiler->contract->nodes; node != NULL && compiler->error == 0; node = node->next) {
        struct depth_walk walk = {.compiler = compiler};
        (void)measure(node, &walk);
    }
}

/* ---- plain references ---- */

static void resolve(const struct node **node)
{
    while (*node != NULL && (*node)->same_as != NULL) {
        *node = (*node)->same_as;
    }
}

static void resolve_list(const struct node **nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        resolve(&nodes[i]);
    }
}

static void resolve_combination(struct combination *rules)
{
    resolve_list(rules->all.nodes, rules->all.count);
    resolve_list(rules->any.nodes, rules->any.count);
    resolve_list(rules->one.nodes, rules->one.count);
    resolve(&rules->negated);
    resolve(&rules->condition);
    resolve(&rules->then);
    resolve(&rules->otherwise);
}

/* Lets every rule point past nodes that are nothing but a $ref, so that check never meets one. */
static void resolve_rules(struct node *node)
{
    if (node->object != NULL) {
        for (uint32_t i = 0; i < node->object->named_count; i++) {
            resolve(&node->object->members[i].node);
        }
        resolve(&node->object->additional);
    }
    if (node->array != NULL) {
        resolve_list(node->array->prefix, node->array->prefix_count);
        resolve(&node->array->items);
    }
    if (node->combination != NULL) {
        resolve_combination(node->combination);
    }
}

static void resolve_all(struct contract *contract)
{
    for (struct node *node = contract->nodes; node != NULL; node = node->next) {
        resolve_rules(node);
    }
    resolve(&contract->item);
    resolve(&contract->envelope);
}

/* ---- members among all opinions ---- */

struct member_search {
    struct slice name;
    const struct node *found;
};

static bool search_member(const struct node *node, void *context)
{
    struct member_search *search = context;
    const struct object_rules *object = node->object;
    int index = object == NULL ? -1 : contract_names_find(&object->names, search->name);
    if (index >= 0 && object->members[index].node != NULL) {
        search->found = object->members[index].node;
        return true;
    }
    return each_in_place(node, search_member, search);
}

const struct node *contract_node_member(const struct node *node, struct slice name)
{
    struct member_search search = {.name = name};
    (void)search_member(node, &search);
    return search.found;
}

static bool has_properties(const struct node *node, void *context)
{
    return (node->object != NULL && node->object->has_properties) || each_in_place(node, has_properties, context);
}

static bool states_additional(const struct node *node, void *context)
{
    return (node->object != NULL && node->object->additional != NULL) ||
           each_in_place(node, states_additional, context);
}

static void choose_unnamed(const struct compiler *compiler, struct node *node)
{
    if (compiler->contract->bare || !has_properties(node, NULL) || states_additional(node, NULL)) {
        node->unnamed = UNNAMED_IGNORED;
    } else {
        node->unnamed = node->combination == NULL ? UNNAMED_OWN : UNNAMED_TREE;
    }
}

/* ---- annotations that name members ---- */

static bool has_secret(const struct node *node, void *context)
{
    return (node->notes != NULL && node->notes->secret != 0) || each_in_place(node, has_secret, context);
}

/* A secret is cut out as a member; an element or the whole item can't be. */
static void check_secret_places(struct compiler *compiler, const struct node *node)
{
    const struct array_rules *array = node->array;
    if (array == NULL) {
        return;
    }
    bool wrong = array->items != NULL && has_secret(array->items, NULL);
    for (size_t i = 0; i < array->prefix_count; i++) {
        wrong = wrong || has_secret(array->prefix[i], NULL);
    }
    if (wrong) {
        contract_compile_fail_at(compiler, node->at, "an element can't be a secret: make it a member of an object");
    }
}

static void check_siblings(struct compiler *compiler, const struct node *node)
{
    const struct object_rules *object = node->object;
    for (uint32_t i = 0; object != NULL && i < object->named_count; i++) {
        const struct node *member = object->members[i].node;
        if (member->notes != NULL && member->notes->sibling.size > 0 &&
            contract_node_member(node, member->notes->sibling) == NULL) {
            contract_compile_fail_at(compiler, object->members[i].node->at,
                                     "names a namespace or question that is no member beside it");
        }
    }
}

static bool is_code(const struct node *object, struct slice name)
{
    const struct node *member = contract_node_member(object, name);
    return member != NULL && member->notes != NULL && member->notes->secret == SECRET_CODE;
}

static void check_compare(struct compiler *compiler, const struct node *node)
{
    const struct compare *compare = node->notes->compare;
    if (compare == NULL) {
        return;
    }
    const struct node *result = contract_node_member(node, compare->result);
    if (!is_code(node, compare->left) || !is_code(node, compare->right)) {
        contract_compile_fail_at(compiler, node->at, "x-compare: left and right must be secrets of kind code");
    } else if (result == NULL || result->types != TYPE_BOOLEAN) {
        contract_compile_fail_at(compiler, node->at, "x-compare: result must be a member of type boolean");
    }
}

/* Whether a pointer leads through named members of objects. */
static bool leads_somewhere(const struct node *node, struct slice pointer)
{
    while (node != NULL && pointer.size > 0) {
        if (pointer.data[0] != '/') {
            return false;
        }
        pointer = slice_from(pointer, 1);
        const char *end = pointer.size == 0 ? NULL : memchr(pointer.data, '/', pointer.size);
        size_t size = end == NULL ? pointer.size : (size_t)(end - pointer.data);
        node = contract_node_member(node, slice_make(pointer.data, size));
        pointer = slice_from(pointer, size);
    }
    return node != NULL;
}

static void check_card_names(struct compiler *compiler, const struct node *node)
{
    const struct notes *notes = node->notes;
    for (size_t i = 0; i < notes->card_name_count; i++) {
        for (size_t j = 0; j < notes->card_names[i].count; j++) {
            struct slice pointer = notes->card_names[i].pointers[j];
            if (pointer.size == 0 || !leads_somewhere(node, pointer)) {
                contract_compile_fail_at(compiler, node->at, "x-card-name: a pointer leads to no named member");
            }
        }
    }
}

void contract_compile_finish(struct compiler *compiler)
{
    struct contract *contract = compiler->contract;
    measure_all(compiler);
    if (compiler->error != 0) {
        return;
    }
    resolve_all(contract);
    for (struct node *node = contract->nodes; node != NULL && compiler->error == 0; node = node->next) {
        assert(node->filled);
        choose_unnamed(compiler, node);
        check_secret_places(compiler, node);
        check_siblings(compiler, node);
        if (node->notes != NULL) {
            check_compare(compiler, node);
            check_card_names(compiler, node);
        }
    }
    if (compiler->error == 0 && contract->item != NULL && has_secret(contract->item, NULL)) {
        contract_compile_fail_at(compiler, contract->item->at, "an item as a whole can't be a secret");
    }
}
