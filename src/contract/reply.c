/*
 * The answer's shape. A template like {"tenantId": "$tenant", "ids": [{"id": "$id"}]} is cut at
 * compile time into ready texts: what stands before the elements, one element, what stands after; each
 * a few parts with a place for a value between them. Answering is then copying.
 *
 * The array of ids is the outermost one that holds "$id"; it must have that one element.
 */
#include "contract/reply_priv.h"

#define PARTS_MAX (sizeof((struct reply_text *)0)->parts / sizeof(struct reply_part))

struct template
{
    struct compiler *compiler;
    const struct trail *trail;
    struct reply_text *text; /* being written */
    struct buf part;         /* its part that has no value yet */
    bool found;              /* the array of ids has been met */
};

static void end_part(struct template *template, bool has_value)
{
    struct reply_text *text = template->text;
    if (text->count == PARTS_MAX) {
        contract_compile_fail(template->compiler, template->trail, "repeats a placeholder too often");
        return;
    }
    text->parts[text->count++] =
        (struct reply_part){arena_copy(template->compiler->arena, buf_view(&template->part)), has_value};
    buf_clear(&template->part);
}

static void go_to(struct template *template, struct reply_text *text)
{
    end_part(template, false);
    template->text = text;
}

static bool holds_id(const struct json_doc *doc, json_at at)
{
    if (json_tag(doc, at) == '"') {
        return slice_equal(json_string(doc, at), SLICE("$id"));
    }
    if (json_tag(doc, at) != '{' && json_tag(doc, at) != '[') {
        return false;
    }
    bool object = json_tag(doc, at) == '{';
    json_at value;
    for (json_at step = json_first(doc, at); !json_is_end(doc, step); step = json_next(doc, value)) {
        value = object ? json_value_of(step) : step;
        if (holds_id(doc, value)) {
            return true;
        }
    }
    return false;
}

static void write_value(struct template *template, json_at at);

static void write_object(struct template *template, json_at at)
{
    const struct json_doc *doc = template->compiler->doc;
    const char *separator = "{";
    json_at value;
    for (json_at name = json_first(doc, at); !json_is_end(doc, name); name = json_next(doc, value)) {
        buf_append_text(&template->part, separator);
        json_append_string(&template->part, json_string(doc, name));
        buf_append_byte(&template->part, ':');
        value = json_value_of(name);
        write_value(template, value);
        separator = ",";
    }
    buf_append_text(&template->part, *separator == '{' ? "{}" : "}");
}

static void write_array(struct template *template, json_at at)
{
    const struct json_doc *doc = template->compiler->doc;
    const char *separator = "[";
    for (json_at element = json_first(doc, at); !json_is_end(doc, element); element = json_next(doc, element)) {
        buf_append_text(&template->part, separator);
        write_value(template, element);
        separator = ",";
    }
    buf_append_text(&template->part, *separator == '[' ? "[]" : "]");
}

/* The array of ids: its brackets belong to head and tail, its element to itself. */
static void write_ids(struct template *template, json_at at)
{
    struct contract *contract = template->compiler->contract;
    const struct json_doc *doc = template->compiler->doc;
    if (template->found || json_count(doc, at) != 1) {
        contract_compile_fail(template->compiler, template->trail,
                              "must have one array with one element that holds \"$id\"");
        return;
    }
    template->found = true;
    buf_append_byte(&template->part, '[');
    go_to(template, &contract->element);
    write_value(template, json_first(doc, at));
    go_to(template, &contract->tail);
    buf_append_byte(&template->part, ']');
}

static void write_value(struct template *template, json_at at)
{
    const struct json_doc *doc = template->compiler->doc;
    bool in_element = template->text == &template->compiler->contract->element;
    struct slice placeholder = in_element ? SLICE("$id") : SLICE("$tenant");
    switch (json_tag(doc, at)) {
    case '{':
        write_object(template, at);
        return;
    case '[':
        if (!in_element && holds_id(doc, at)) {
            write_ids(template, at);
        } else {
            write_array(template, at);
        }
        return;
    case '"':
        if (slice_equal(json_string(doc, at), placeholder)) {
            end_part(template, true);
            return;
        }
        break;
    default:
        break;
    }
    json_append_minified(&template->part, doc, at, NULL, 0);
}

void contract_reply_compile(struct compiler *compiler, json_at value, const struct trail *trail)
{
    struct contract *contract = compiler->contract;
    struct template template = {.compiler = compiler, .trail = trail, .text = &contract->head};
    buf_init(&template.part, 0);
    write_value(&template, value);
    end_part(&template, false);
    if (!template.found) {
        contract_compile_fail(compiler, trail, "must have one array with one element that holds \"$id\"");
    }
    if (buf_error(&template.part) != 0) {
        compiler->error = ERR_NO_MEMORY;
    }
    buf_fini(&template.part);
}

static void append(const struct reply_text *text, struct slice value, struct buf *out)
{
    for (size_t i = 0; i < text->count; i++) {
        buf_append_slice(out, text->parts[i].text);
        if (text->parts[i].has_value) {
            json_append_string(out, value);
        }
    }
}

void contract_reply_head(const struct contract *contract, struct slice tenant, struct buf *out)
{
    append(&contract->head, tenant, out);
}

void contract_reply_item(const struct contract *contract, bool first, struct slice customer_id, struct buf *out)
{
    if (!first) {
        buf_append_byte(out, ',');
    }
    append(&contract->element, customer_id, out);
}

void contract_reply_tail(const struct contract *contract, struct slice tenant, struct buf *out)
{
    append(&contract->tail, tenant, out);
}
