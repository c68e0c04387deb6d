/*
 * From the text of schemas to nodes: the driver. It finds the node of a place, walks a schema's
 * keywords and gives each to its function, and keeps the first error with its place.
 *
 * The difficulty is $ref: it may point forward, backward or around in a circle. A node therefore
 * exists as soon as somebody points at its place (one node a place on the tape); schemas that were
 * only pointed at wait in a list and are read at the end, so recursion here is bounded by the depth
 * of the file.
 */
#include "contract/compile_priv.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

#define KNOWN_MAX 64u

/* ---- errors ---- */

static void append_trail(struct buf *out, const struct trail *trail)
{
    if (trail->parent == NULL) {
        buf_append_slice(out, trail->name);
        return;
    }
    append_trail(out, trail->parent);
    if (trail->name.data == NULL) {
        json_pointer_append_index(out, trail->index);
    } else {
        json_pointer_append(out, trail->name);
    }
}

/* True for the first error, with its place written. */
static bool begin_error(struct compiler *compiler, const struct trail *trail)
{
    if (compiler->error != 0) {
        return false;
    }
    compiler->error = ERR_CONTRACT;
    size_t before = compiler->why->size;
    append_trail(compiler->why, trail);
    buf_append_text(compiler->why, compiler->why->size == before ? "the root: " : ": ");
    return true;
}

void contract_compile_fail(struct compiler *compiler, const struct trail *trail, const char *reason, ...)
{
    if (!begin_error(compiler, trail)) {
        return;
    }
    char text[256];
    va_list args;
    va_start(args, reason);
    int size = vsnprintf(text, sizeof text, reason, args);
    va_end(args);
    buf_append_text(compiler->why, size < 0 ? "not valid" : text);
}

void contract_compile_unknown(struct compiler *compiler, const struct trail *trail, const char *what, struct slice word,
                              const struct slice *known, size_t known_count)
{
    if (!begin_error(compiler, trail)) {
        return;
    }
    buf_append_text(compiler->why, "unknown ");
    buf_append_text(compiler->why, what);
    buf_append_byte(compiler->why, ' ');
    json_append_string(compiler->why, contract_value_cut(word, 64));
    int nearest = text_nearest(word, known, known_count);
    if (nearest >= 0) {
        buf_append_text(compiler->why, "; did you mean ");
        json_append_string(compiler->why, known[nearest]);
        buf_append_byte(compiler->why, '?');
    }
}

/* The steps from `from` down to the place `at`, outermost first. */
static void append_steps(struct buf *out, const struct json_doc *doc, json_at from, json_at at)
{
    while (from != at) {
        bool object = json_tag(doc, from) == '{';
        json_at step = json_first(doc, from);
        json_at value = object ? json_value_of(step) : step;
        uint64_t index = 0;
        for (; json_next(doc, value) <= at; index++) {
            step = json_next(doc, value);
            value = object ? json_value_of(step) : step;
        }
        if (object) {
            json_pointer_append(out, json_string(doc, step));
        } else {
            json_pointer_append_index(out, index);
        }
        from = value;
    }
}

void contract_compile_fail_at(struct compiler *compiler, json_at at, const char *reason)
{
    struct buf pointer;
    buf_init(&pointer, 0);
    append_steps(&pointer, compiler->doc, json_root(compiler->doc), at);
    contract_compile_fail(compiler, &(struct trail){.name = buf_view(&pointer)}, "%s", reason);
    buf_fini(&pointer);
}

void *contract_compile_take(struct compiler *compiler, size_t count, size_t size)
{
    void *taken = arena_take_zeroed(compiler->arena, count, size);
    if (taken == NULL && compiler->error == 0) {
        compiler->error = ERR_NO_MEMORY;
    }
    return taken;
}

/* ---- values of keywords ---- */

bool contract_compile_string(struct compiler *compiler, json_at at, const struct trail *trail, struct slice *text)
{
    if (json_tag(compiler->doc, at) != '"') {
        contract_compile_fail(compiler, trail, "must be a string");
        return false;
    }
    *text = json_string(compiler->doc, at);
    return true;
}

bool contract_compile_count(struct compiler *compiler, json_at at, const struct trail *trail, uint32_t *count)
{
    double value = -1;
    if (contract_value_type(compiler->doc, at) == TYPE_INTEGER) {
        value = json_number(compiler->doc, at);
    }
    if (value < 0) {
        contract_compile_fail(compiler, trail, "must be an integer from 0");
        return false;
    }
    *count = value >= UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    return true;
}

static bool has_duplicate(const struct slice *texts, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        if (slice_equal(texts[i], texts[count - 1])) {
            return true;
        }
    }
    return false;
}

bool contract_compile_strings(struct compiler *compiler, json_at at, const struct trail *trail, struct slice **texts,
                              size_t *count)
{
    const struct json_doc *doc = compiler->doc;
    if (json_tag(doc, at) != '[') {
        contract_compile_fail(compiler, trail, "must be an array of strings");
        return false;
    }
    *texts = contract_compile_take(compiler, json_count(doc, at), sizeof **texts);
    *count = 0;
    if (*texts == NULL) {
        return false;
    }
    for (json_at element = json_first(doc, at); !json_is_end(doc, element); element = json_next(doc, element)) {
        struct trail inner = {.parent = trail, .index = *count};
        if (!contract_compile_string(compiler, element, &inner, &(*texts)[*count])) {
            return false;
        }
        ++*count;
        if (has_duplicate(*texts, *count)) {
            contract_compile_fail(compiler, &inner, "stands there twice");
            return false;
        }
    }
    return true;
}

bool contract_compile_choice(struct compiler *compiler, json_at at, const struct trail *trail, struct choice *choice)
{
    const struct json_doc *doc = compiler->doc;
    size_t count = json_tag(doc, at) == '[' ? json_count(doc, at) : 0;
    if (count == 0) {
        contract_compile_fail(compiler, trail, "must be an array of at least one value");
        return false;
    }
    json_at *listed = contract_compile_take(compiler, count, sizeof *listed);
    json_at *values = contract_compile_take(compiler, count, sizeof *values);
    struct slice *texts = contract_compile_take(compiler, count, sizeof *texts);
    if (listed == NULL || values == NULL || texts == NULL) {
        return false;
    }
    size_t text_count = 0;
    *choice = (struct choice){.values = values, .listed = listed};
    for (json_at element = json_first(doc, at); !json_is_end(doc, element); element = json_next(doc, element)) {
        struct trail inner = {.parent = trail, .index = choice->listed_count};
        for (size_t i = 0; i < choice->listed_count; i++) {
            if (contract_value_equal(doc, listed[i], doc, element)) {
                contract_compile_fail(compiler, &inner, "stands there twice");
                return false;
            }
        }
        listed[choice->listed_count++] = element;
        if (json_tag(doc, element) == '"') {
            texts[text_count++] = json_string(doc, element);
        } else {
            values[choice->value_count++] = element;
        }
    }
    if (!contract_names_build(&choice->strings, texts, text_count, compiler->arena)) {
        compiler->error = ERR_NO_MEMORY;
        return false;
    }
    return true;
}

/* ---- schemas ---- */

static const struct keyword *keyword_find(struct slice name)
{
    for (size_t i = 0; i < CONTRACT_KEYWORD_COUNT; i++) {
        if (slice_equal_text(name, CONTRACT_KEYWORDS[i].name)) {
            return &CONTRACT_KEYWORDS[i];
        }
    }
    for (size_t i = 0; i < CONTRACT_NOTE_COUNT; i++) {
        if (slice_equal_text(name, CONTRACT_NOTES[i].name)) {
            return &CONTRACT_NOTES[i];
        }
    }
    return NULL;
}

static void fail_keyword(struct compiler *compiler, const struct trail *trail, struct slice name)
{
    struct slice known[KNOWN_MAX];
    size_t count = 0;
    for (size_t i = 0; i < CONTRACT_KEYWORD_COUNT && count < KNOWN_MAX; i++) {
        known[count++] = slice_from_text(CONTRACT_KEYWORDS[i].name);
    }
    for (size_t i = 0; i < CONTRACT_NOTE_COUNT && count < KNOWN_MAX; i++) {
        known[count++] = slice_from_text(CONTRACT_NOTES[i].name);
    }
    contract_compile_unknown(compiler, trail, "keyword", name, known, count);
}

static void read_keywords(struct compiler *compiler, struct schema *schema)
{
    const struct json_doc *doc = compiler->doc;
    json_at value;
    for (json_at at = json_first(doc, schema->at); !json_is_end(doc, at) && compiler->error == 0;
         at = json_next(doc, value)) {
        struct slice name = json_string(doc, at);
        struct trail trail = {.parent = schema->trail, .name = name};
        const struct keyword *keyword = keyword_find(name);
        value = json_value_of(at);
        if (keyword == NULL) {
            fail_keyword(compiler, &trail, name);
        } else if (keyword->read != NULL) {
            keyword->read(compiler, schema, value, &trail);
        }
    }
}

/* A $ref beside other keywords is one more opinion, like a schema in allOf. */
static void add_reference(struct compiler *compiler, struct schema *schema)
{
    if (schema->combination == NULL) {
        schema->combination = contract_compile_take(compiler, 1, sizeof *schema->combination);
    }
    struct combination *rules = schema->combination;
    size_t count = rules == NULL ? 0 : rules->all.count;
    const struct node **nodes = contract_compile_take(compiler, count + 1, sizeof *nodes);
    if (rules == NULL || nodes == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        nodes[i] = rules->all.nodes[i];
    }
    nodes[count] = schema->reference;
    rules->all = (struct node_list){nodes, count + 1};
}

static void publish(struct compiler *compiler, struct schema *schema)
{
    struct node *node = schema->node;
    if (schema->reference != NULL && schema->has_others) {
        add_reference(compiler, schema);
    } else {
        node->same_as = schema->reference;
    }
    node->object = schema->object;
    node->array = schema->array;
    node->number = schema->number;
    node->combination = schema->combination;
    node->notes = schema->notes;
}

static void fill(struct compiler *compiler, struct node *node, json_at at, const struct trail *trail)
{
    node->filled = true;
    switch (json_tag(compiler->doc, at)) {
    case 't':
        return;
    case 'f':
        node->never = true;
        return;
    case '{': {
        struct schema schema = {.node = node, .at = at, .trail = trail};
        read_keywords(compiler, &schema);
        if (compiler->error == 0) {
            contract_compile_members(compiler, &schema);
            contract_compile_notes(compiler, &schema);
            publish(compiler, &schema);
        }
        return;
    }
    default:
        contract_compile_fail(compiler, trail, "must be a schema: an object, true or false");
    }
}

static struct node *node_at(struct compiler *compiler, json_at at)
{
    struct node *node = compiler->nodes[at];
    if (node == NULL) {
        node = contract_compile_take(compiler, 1, sizeof *node);
        if (node == NULL) {
            return NULL;
        }
        node->types = TYPE_ANY;
        node->at = at;
        node->class = CLASS_PERSONAL;
        node->length_max = UINT32_MAX;
        node->next = compiler->contract->nodes;
        compiler->contract->nodes = node;
        compiler->nodes[at] = node;
    }
    return node;
}

void contract_compile_pending(struct compiler *compiler)
{
    while (compiler->pending != NULL && compiler->error == 0) {
        struct pending *pending = compiler->pending;
        struct trail trail = {.name = pending->pointer};
        compiler->pending = pending->next;
        if (!compiler->nodes[pending->at]->filled) {
            fill(compiler, compiler->nodes[pending->at], pending->at, &trail);
        }
    }
}

const struct node *contract_compile_node(struct compiler *compiler, json_at at, const struct trail *trail)
{
    struct node *node = node_at(compiler, at);
    if (node != NULL && !node->filled) {
        fill(compiler, node, at, trail);
    }
    return compiler->error == 0 ? node : NULL;
}

const struct node *contract_compile_later(struct compiler *compiler, json_at at, struct slice pointer)
{
    struct node *node = node_at(compiler, at);
    struct pending *pending = contract_compile_take(compiler, 1, sizeof *pending);
    if (node == NULL || pending == NULL) {
        return NULL;
    }
    *pending = (struct pending){.next = compiler->pending, .at = at, .pointer = pointer};
    compiler->pending = pending;
    return node;
}
