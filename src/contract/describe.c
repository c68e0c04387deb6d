/* A compiled contract for people: one line a member, indented, with types and annotations. */
#include "contract/contract_priv.h"

static void append_types(struct buf *out, const struct node *node)
{
    static const struct {
        uint8_t bits;
        const char *text;
    } TYPES[] = {{TYPE_STRING, "string"}, {TYPE_NUMBER, "number"}, {TYPE_INTEGER, "integer"}, {TYPE_BOOLEAN, "boolean"},
                 {TYPE_OBJECT, "object"}, {TYPE_ARRAY, "array"},   {TYPE_NULL, "null"}};
    uint8_t types = node->types;
    const char *separator = "";
    if (node->never || types == TYPE_ANY) {
        buf_append_text(out, node->never ? "nothing" : "any");
        return;
    }
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if ((types & TYPES[i].bits) == TYPES[i].bits) {
            buf_printf(out, "%s%s", separator, TYPES[i].text);
            separator = "|";
            types = (uint8_t)(types & ~TYPES[i].bits);
        }
    }
}

static void append_notes(struct buf *out, const struct notes *notes)
{
    if (notes->identifier != IDENTIFIER_NONE) {
        buf_printf(out, ", identifier %s", identifier_kind_to_text((enum identifier_kind)notes->identifier));
    }
    if (notes->secret != SECRET_NONE) {
        buf_printf(out, ", secret %s", secret_kind_to_text((enum secret_kind)notes->secret));
    }
    if (notes->card != CARD_NONE) {
        buf_printf(out, ", card %s", card_role_to_text((enum card_role)notes->card));
    }
    if (notes->aliases.count > 0) {
        buf_printf(out, ", %u aliases", notes->aliases.count);
    }
    if (notes->privilege != NULL) {
        buf_printf(out, ", privileged %s", scope_to_text(notes->privilege->scope));
    }
    if (notes->compare != NULL) {
        buf_printf(out, ", compares %.*s and %.*s", SLICE_ARG(notes->compare->left), SLICE_ARG(notes->compare->right));
    }
}

static void append_rules(struct buf *out, const struct node *node, bool required)
{
    append_types(out, node);
    buf_append_text(out, required ? ", required" : "");
    if (node->choice != NULL) {
        buf_printf(out, ", one of %zu values", node->choice->listed_count);
    }
    if (node->format != NULL) {
        buf_printf(out, ", format %s", node->format->name);
    }
    if (node->length_max != UINT32_MAX) {
        buf_printf(out, ", at most %u characters", node->length_max);
    }
    if ((node->types & (TYPE_OBJECT | TYPE_ARRAY)) == 0) {
        buf_printf(out, ", class %s", CONTRACT_CLASS_TEXTS[node->class]);
    }
    if (node->notes != NULL) {
        append_notes(out, node->notes);
    }
    buf_append_byte(out, '\n');
}

/* The nodes around one, so that a schema that holds itself is described once. */
struct outer {
    const struct outer *outer;
    const struct node *node;
};

static bool is_inside(const struct outer *outer, const struct node *node)
{
    while (outer != NULL && outer->node != node) {
        outer = outer->outer;
    }
    return outer != NULL;
}

static void describe(struct buf *out, const struct node *node, struct slice name, bool required,
                     const struct outer *outer)
{
    struct outer here = {outer, node};
    for (const struct outer *at = outer; at != NULL; at = at->outer) {
        buf_append_text(out, "  ");
    }
    buf_append_slice(out, name);
    buf_append_text(out, ": ");
    append_rules(out, node, required);
    if (is_inside(outer, node)) {
        return;
    }
    for (uint32_t i = 0; node->object != NULL && i < node->object->named_count; i++) {
        const struct member *member = &node->object->members[i];
        describe(out, member->node, member->name, member->required, &here);
    }
    if (node->array != NULL && node->array->items != NULL) {
        describe(out, node->array->items, SLICE("[]"), false, &here);
    }
}

void contract_describe(const struct contract *contract, struct buf *out)
{
    const struct contract_info *info = &contract->info;
    if (!contract->bare) {
        buf_printf(out, "%.*s (%u): %.*s\nPOST %.*s, items at \"%.*s\"\n", SLICE_ARG(info->name), info->number,
                   SLICE_ARG(info->title), SLICE_ARG(info->path), SLICE_ARG(info->items));
    }
    if (contract->envelope != NULL) {
        describe(out, contract->envelope, SLICE("envelope"), false, NULL);
    }
    describe(out, contract->item, SLICE("item"), false, NULL);
}
