/*
 * The member table of an object's schema: members of `properties`, then those that are only
 * `required`. Because a parsed object has no member twice, counting the required ones that were met
 * is enough to know that none is missing; no bit per member is needed.
 */
#include "contract/compile_priv.h"

struct draft {
    struct slice *names;
    struct member *members;
    size_t count;
};

static void add_properties(struct compiler *compiler, const struct schema *schema, struct draft *draft)
{
    const struct json_doc *doc = compiler->doc;
    struct trail trail = {.parent = schema->trail, .name = SLICE("properties")};
    json_at value;
    for (json_at at = json_first(doc, schema->properties); !json_is_end(doc, at); at = json_next(doc, value)) {
        struct slice name = json_string(doc, at);
        struct trail inner = {.parent = &trail, .name = name};
        value = json_value_of(at);
        draft->names[draft->count] = name;
        draft->members[draft->count].name = name;
        draft->members[draft->count].node = contract_compile_node(compiler, value, &inner);
        draft->count++;
    }
}

static void add_required(struct draft *draft, struct slice name, size_t named_count)
{
    for (size_t i = 0; i < named_count; i++) {
        if (slice_equal(draft->names[i], name)) {
            draft->members[i].required = true;
            return;
        }
    }
    draft->names[draft->count] = name;
    draft->members[draft->count] = (struct member){.name = name, .required = true};
    draft->count++;
}

void contract_compile_members(struct compiler *compiler, struct schema *schema)
{
    struct object_rules *rules = schema->object;
    if (rules == NULL) {
        return;
    }
    struct slice *required = NULL;
    size_t required_count = 0;
    struct trail trail = {.parent = schema->trail, .name = SLICE("required")};
    if (schema->required != 0 &&
        !contract_compile_strings(compiler, schema->required, &trail, &required, &required_count)) {
        return;
    }
    size_t room = required_count + (schema->properties == 0 ? 0 : json_count(compiler->doc, schema->properties));
    struct draft draft = {contract_compile_take(compiler, room, sizeof *draft.names),
                          contract_compile_take(compiler, room, sizeof *draft.members), 0};
    if (draft.names == NULL || draft.members == NULL) {
        return;
    }
    if (schema->properties != 0) {
        add_properties(compiler, schema, &draft);
    }
    rules->named_count = (uint32_t)draft.count;
    for (size_t i = 0; i < required_count; i++) {
        add_required(&draft, required[i], rules->named_count);
    }
    rules->members = draft.members;
    rules->required_count = (uint32_t)required_count;
    if (!contract_names_build(&rules->names, draft.names, draft.count, compiler->arena)) {
        compiler->error = ERR_NO_MEMORY;
    }
}
