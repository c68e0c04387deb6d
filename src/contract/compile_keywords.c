/*
 * The keywords of JSON Schema 2020-12 that Muster knows, one function each. A value that the
 * specification does not allow for a keyword is an error here, although a schema may well ignore it:
 * a contract that silently checks less than its author meant is worse than one that doesn't load.
 */
#include "contract/compile_priv.h"

#include "base/text.h"

/* The schema's rules of each kind, made when its first keyword is met. NULL: no memory. */

static struct object_rules *object_rules(struct compiler *compiler, struct schema *schema)
{
    schema->has_others = true;
    if (schema->object == NULL) {
        schema->object = contract_compile_take(compiler, 1, sizeof *schema->object);
        if (schema->object != NULL) {
            schema->object->count_max = UINT32_MAX;
        }
    }
    return schema->object;
}

static struct array_rules *array_rules(struct compiler *compiler, struct schema *schema)
{
    schema->has_others = true;
    if (schema->array == NULL) {
        schema->array = contract_compile_take(compiler, 1, sizeof *schema->array);
        if (schema->array != NULL) {
            schema->array->count_max = UINT32_MAX;
        }
    }
    return schema->array;
}

static struct number_rules *number_rules(struct compiler *compiler, struct schema *schema)
{
    schema->has_others = true;
    if (schema->number == NULL) {
        schema->number = contract_compile_take(compiler, 1, sizeof *schema->number);
    }
    return schema->number;
}

static struct combination *combination(struct compiler *compiler, struct schema *schema)
{
    schema->has_others = true;
    if (schema->combination == NULL) {
        schema->combination = contract_compile_take(compiler, 1, sizeof *schema->combination);
    }
    return schema->combination;
}

/* ---- any value ---- */

static const struct slice TYPE_NAMES[] = {TEXT("null"),   TEXT("boolean"), TEXT("integer"), TEXT("number"),
                                          TEXT("string"), TEXT("array"),   TEXT("object")};
static const uint8_t TYPE_BITS[] = {TYPE_NULL,   TYPE_BOOLEAN, TYPE_INTEGER, TYPE_NUMBER,
                                    TYPE_STRING, TYPE_ARRAY,   TYPE_OBJECT};
#define TYPE_COUNT (sizeof TYPE_BITS / sizeof TYPE_BITS[0])

static uint8_t type_bits(struct compiler *compiler, struct slice name, const struct trail *trail)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (slice_equal(name, TYPE_NAMES[i])) {
            return TYPE_BITS[i];
        }
    }
    contract_compile_unknown(compiler, trail, "type", name, TYPE_NAMES, TYPE_COUNT);
    return 0;
}

static void read_type(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    schema->has_others = true;
    if (json_tag(compiler->doc, value) == '"') {
        schema->node->types = type_bits(compiler, json_string(compiler->doc, value), trail);
        return;
    }
    struct slice *names;
    size_t count;
    if (!contract_compile_strings(compiler, value, trail, &names, &count)) {
        return;
    }
    if (count == 0) {
        contract_compile_fail(compiler, trail, "must name at least one type");
    }
    schema->node->types = 0;
    for (size_t i = 0; i < count; i++) {
        struct trail inner = {.parent = trail, .index = i};
        schema->node->types |= type_bits(compiler, names[i], &inner);
    }
}

static void read_enum(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct choice *choice = contract_compile_take(compiler, 1, sizeof *choice);
    schema->has_others = true;
    if (choice != NULL && contract_compile_choice(compiler, value, trail, choice)) {
        schema->node->choice = choice;
    }
}

static void read_const(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    (void)trail;
    struct choice *choice = contract_compile_take(compiler, 1, sizeof *choice);
    json_at *listed = contract_compile_take(compiler, 1, sizeof *listed);
    schema->has_others = true;
    if (choice == NULL || listed == NULL) {
        return;
    }
    *listed = value;
    *choice = (struct choice){.values = listed, .value_count = 1, .listed = listed, .listed_count = 1};
    schema->node->constant = choice;
}

static void read_ref(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct slice text;
    if (!contract_compile_string(compiler, value, trail, &text)) {
        return;
    }
    if (text.size == 0 || text.data[0] != '#' || (text.size > 1 && text.data[1] != '/')) {
        contract_compile_fail(compiler, trail, "must point into this file: # or #/ and a JSON Pointer");
        return;
    }
    struct buf pointer;
    buf_init(&pointer, 0);
    json_at target = 0;
    if (text_decode_percent(slice_from(text, 1), false, &pointer)) {
        target = json_at_pointer(compiler->doc, json_root(compiler->doc), buf_view(&pointer));
    }
    struct slice kept = arena_copy(compiler->arena, buf_view(&pointer));
    buf_fini(&pointer);
    if (target == 0) {
        contract_compile_fail(compiler, trail, "points at nothing");
        return;
    }
    schema->reference = contract_compile_later(compiler, target, kept);
}

static void read_defs(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    const struct json_doc *doc = compiler->doc;
    (void)schema;
    if (json_tag(doc, value) != '{') {
        contract_compile_fail(compiler, trail, "must be an object of schemas");
        return;
    }
    json_at inner;
    for (json_at at = json_first(doc, value); !json_is_end(doc, at); at = json_next(doc, inner)) {
        struct trail place = {.parent = trail, .name = json_string(doc, at)};
        inner = json_value_of(at);
        (void)contract_compile_node(compiler, inner, &place);
    }
}

/* ---- strings ---- */

static void read_min_length(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    schema->has_others = true;
    (void)contract_compile_count(compiler, value, trail, &schema->node->length_min);
}

static void read_max_length(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    schema->has_others = true;
    (void)contract_compile_count(compiler, value, trail, &schema->node->length_max);
}

static const struct slice FORMAT_NAMES[] = {TEXT("email"),
                                            TEXT("phone"),
                                            TEXT("date"),
                                            TEXT("date-time"),
                                            TEXT("uri"),
                                            TEXT("uuid"),
                                            TEXT("language"),
                                            TEXT("time-zone"),
                                            TEXT("did"),
                                            TEXT("iso-3166-1-alpha-2"),
                                            TEXT("iso-3166-1-alpha-3")};

static void read_format(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct slice name;
    schema->has_others = true;
    if (!contract_compile_string(compiler, value, trail, &name)) {
        return;
    }
    schema->node->format = format_find(name);
    if (schema->node->format == NULL) {
        contract_compile_unknown(compiler, trail, "format", name, FORMAT_NAMES,
                                 sizeof FORMAT_NAMES / sizeof FORMAT_NAMES[0]);
    }
}

/* ---- numbers ---- */

static void read_bound(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail,
                       enum bound_kind kind)
{
    struct number_rules *rules = number_rules(compiler, schema);
    if ((contract_value_type(compiler->doc, value) & TYPE_NUMBER) == 0) {
        contract_compile_fail(compiler, trail, "must be a number");
    } else if (rules != NULL) {
        rules->bounds[kind] = value;
    }
}

static void read_minimum(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    read_bound(compiler, schema, value, trail, BOUND_MINIMUM);
}

static void read_maximum(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    read_bound(compiler, schema, value, trail, BOUND_MAXIMUM);
}

static void read_above(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    read_bound(compiler, schema, value, trail, BOUND_ABOVE);
}

static void read_below(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    read_bound(compiler, schema, value, trail, BOUND_BELOW);
}

/* ---- objects ---- */

static void read_properties(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct object_rules *rules = object_rules(compiler, schema);
    if (json_tag(compiler->doc, value) != '{') {
        contract_compile_fail(compiler, trail, "must be an object of schemas");
    } else if (rules != NULL) {
        rules->has_properties = true;
        schema->properties = value;
    }
}

static void read_required(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    (void)trail;
    (void)object_rules(compiler, schema);
    schema->required = value;
}

static void read_additional(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct object_rules *rules = object_rules(compiler, schema);
    if (rules != NULL) {
        rules->additional = contract_compile_node(compiler, value, trail);
    }
}

static void read_min_properties(struct compiler *compiler, struct schema *schema, json_at value,
                                const struct trail *trail)
{
    struct object_rules *rules = object_rules(compiler, schema);
    if (rules != NULL) {
        (void)contract_compile_count(compiler, value, trail, &rules->count_min);
    }
}

static void read_max_properties(struct compiler *compiler, struct schema *schema, json_at value,
                                const struct trail *trail)
{
    struct object_rules *rules = object_rules(compiler, schema);
    if (rules != NULL) {
        (void)contract_compile_count(compiler, value, trail, &rules->count_max);
    }
}

/* ---- arrays ---- */

/* The nodes of a non-empty array of schemas. */
static struct node_list node_list(struct compiler *compiler, json_at value, const struct trail *trail)
{
    const struct json_doc *doc = compiler->doc;
    struct node_list list = {NULL, 0};
    size_t count = json_tag(doc, value) == '[' ? json_count(doc, value) : 0;
    if (count == 0) {
        contract_compile_fail(compiler, trail, "must be an array of at least one schema");
        return list;
    }
    const struct node **nodes = contract_compile_take(compiler, count, sizeof *nodes);
    if (nodes == NULL) {
        return list;
    }
    for (json_at at = json_first(doc, value); !json_is_end(doc, at); at = json_next(doc, at)) {
        struct trail inner = {.parent = trail, .index = list.count};
        nodes[list.count++] = contract_compile_node(compiler, at, &inner);
    }
    list.nodes = nodes;
    return list;
}

static void read_items(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct array_rules *rules = array_rules(compiler, schema);
    if (rules != NULL) {
        rules->items = contract_compile_node(compiler, value, trail);
    }
}

static void read_prefix(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct array_rules *rules = array_rules(compiler, schema);
    struct node_list list = node_list(compiler, value, trail);
    if (rules != NULL) {
        rules->prefix = list.nodes;
        rules->prefix_count = list.count;
    }
}

static void read_min_items(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct array_rules *rules = array_rules(compiler, schema);
    if (rules != NULL) {
        (void)contract_compile_count(compiler, value, trail, &rules->count_min);
    }
}

static void read_max_items(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct array_rules *rules = array_rules(compiler, schema);
    if (rules != NULL) {
        (void)contract_compile_count(compiler, value, trail, &rules->count_max);
    }
}

/* ---- several schemas for one value ---- */

static void read_all(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct combination *rules = combination(compiler, schema);
    if (rules != NULL) {
        rules->all = node_list(compiler, value, trail);
    }
}

static void read_any(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct combination *rules = combination(compiler, schema);
    if (rules != NULL) {
        rules->any = node_list(compiler, value, trail);
    }
}

static void read_one(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct combination *rules = combination(compiler, schema);
    if (rules != NULL) {
        rules->one = node_list(compiler, value, trail);
    }
}

static void read_not(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct combination *rules = combination(compiler, schema);
    if (rules != NULL) {
        rules->negated = contract_compile_node(compiler, value, trail);
    }
}

static void read_if(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct combination *rules = combination(compiler, schema);
    if (rules != NULL) {
        rules->condition = contract_compile_node(compiler, value, trail);
    }
}

static void read_then(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct combination *rules = combination(compiler, schema);
    if (rules != NULL) {
        rules->then = contract_compile_node(compiler, value, trail);
    }
}

static void read_else(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct combination *rules = combination(compiler, schema);
    if (rules != NULL) {
        rules->otherwise = contract_compile_node(compiler, value, trail);
    }
}

/* $id would change what a reference means anywhere but at the root. */
static void read_id(struct compiler *compiler, struct schema *schema, json_at value, const struct trail *trail)
{
    struct slice text;
    if (contract_compile_string(compiler, value, trail, &text) && schema->at != json_root(compiler->doc)) {
        contract_compile_fail(compiler, trail, "may stand at the root only");
    }
}

const struct keyword CONTRACT_KEYWORDS[] = {
    {"type", read_type},
    {"enum", read_enum},
    {"const", read_const},
    {"$ref", read_ref},
    {"$defs", read_defs},
    {"minLength", read_min_length},
    {"maxLength", read_max_length},
    {"format", read_format},
    {"minimum", read_minimum},
    {"maximum", read_maximum},
    {"exclusiveMinimum", read_above},
    {"exclusiveMaximum", read_below},
    {"properties", read_properties},
    {"required", read_required},
    {"additionalProperties", read_additional},
    {"minProperties", read_min_properties},
    {"maxProperties", read_max_properties},
    {"items", read_items},
    {"prefixItems", read_prefix},
    {"minItems", read_min_items},
    {"maxItems", read_max_items},
    {"allOf", read_all},
    {"anyOf", read_any},
    {"oneOf", read_one},
    {"not", read_not},
    {"if", read_if},
    {"then", read_then},
    {"else", read_else},
    {"$id", read_id},
    {"$schema", NULL},
    {"$comment", NULL},
    {"title", NULL},
    {"description", NULL},
    {"default", NULL},
    {"examples", NULL},
    {"deprecated", NULL},
    {"readOnly", NULL},
    {"writeOnly", NULL},
};
const size_t CONTRACT_KEYWORD_COUNT = sizeof CONTRACT_KEYWORDS / sizeof CONTRACT_KEYWORDS[0];
