/*
 * Saying what is wrong: places, sentences, hints. Runs only when a fault or finding is really listed.
 *
 * The difficulty is what must not be said. A sentence names members and allowed values, which come
 * from the contract; what the client sent is repeated only for members of class open, and then cut.
 * The names of a client's own members are repeated, cut: they say where the fault is.
 */
#include "contract/check_priv.h"

#include "base/limits.h"
#include "base/text.h"

#define REPEATED_BYTES 40u /* of what a client sent */
#define LISTED_VALUES  10u /* of an enum */
#define VECTOR_START   16u

void *contract_vector_add(struct checker *checker, struct vector *vector, size_t item_size)
{
    if (vector->count == vector->capacity) {
        size_t capacity = vector->capacity == 0 ? VECTOR_START : vector->capacity * 2;
        void *items = arena_take(checker->arena, capacity * item_size);
        if (items == NULL) {
            return NULL;
        }
        if (vector->count > 0) {
            memcpy(items, vector->items, vector->count * item_size);
        }
        vector->items = items;
        vector->capacity = capacity;
    }
    void *item = (char *)vector->items + vector->count++ * item_size;
    memset(item, 0, item_size);
    return item;
}

/* ---- places ---- */

static size_t token_size(const struct place *place)
{
    size_t size = 1;
    if (place->name.data == NULL) {
        uint32_t rest = place->index;
        do {
            size++;
            rest /= 10;
        } while (rest > 0);
        return size;
    }
    for (size_t i = 0; i < place->name.size; i++) {
        size += place->name.data[i] == '~' || place->name.data[i] == '/' ? 2 : 1;
    }
    return size;
}

/* Writes the token so that it ends before `end`; answers where it begins. */
static char *put_token(char *end, const struct place *place)
{
    if (place->name.data == NULL) {
        uint32_t rest = place->index;
        do {
            *--end = (char)('0' + rest % 10);
            rest /= 10;
        } while (rest > 0);
    } else {
        for (size_t i = place->name.size; i > 0; i--) {
            char c = place->name.data[i - 1];
            if (c == '~' || c == '/') {
                *--end = c == '~' ? '0' : '1';
                c = '~';
            }
            *--end = c;
        }
    }
    *--end = '/';
    return end;
}

struct slice contract_place_pointer(struct checker *checker, const struct place *place)
{
    size_t size = 0;
    for (const struct place *at = place; at->parent != NULL; at = at->parent) {
        size += token_size(at);
    }
    char *pointer = arena_take(checker->arena, size + 1);
    if (pointer == NULL) {
        return SLICE_NONE;
    }
    char *end = pointer + size;
    *end = '\0';
    for (const struct place *at = place; at->parent != NULL; at = at->parent) {
        end = put_token(end, at);
    }
    return slice_make(pointer, size);
}

/* ---- the lists ---- */

/* Puts a fault where it belongs; a full list loses its last. */
static void insert_fault(struct checker *checker, const struct noted *fault)
{
    struct vector *faults = &checker->faults;
    if (faults->count == checker->options->fault_limit) {
        faults->count--;
    }
    if (contract_vector_add(checker, faults, sizeof *fault) == NULL) {
        return;
    }
    struct noted *noted = faults->items;
    size_t i = faults->count - 1;
    while (i > 0 && noted[i - 1].at > fault->at) {
        noted[i] = noted[i - 1];
        i--;
    }
    noted[i] = *fault;
}

static bool is_fault(const struct checker *checker, enum level level)
{
    return level == LEVEL_CONTRACT || checker->options->strict;
}

static bool begin_fault(struct checker *checker, json_at at)
{
    const struct vector *faults = &checker->faults;
    const struct noted *noted = faults->items;
    if (checker->quiet > 0) {
        checker->quiet_faults++;
        return checker->want_reason && checker->quiet_faults == 1;
    }
    checker->fault_total++;
    if (faults->count < checker->options->fault_limit) {
        return true;
    }
    return faults->count > 0 && at < noted[faults->count - 1].at;
}

bool contract_report_begin(struct checker *checker, const struct place *place, enum level level)
{
    bool wanted = is_fault(checker, level) ? begin_fault(checker, place->at) : checker->findings.count < LIMIT_FAULTS;
    if (wanted) {
        contract_report_subject(checker, place);
    }
    return wanted;
}

void contract_report_end(struct checker *checker, const struct place *place, enum level level, const char *code,
                         struct slice hint)
{
    struct slice detail = arena_copy(checker->arena, buf_view(&checker->text));
    bool fault = is_fault(checker, level);
    if (fault && checker->quiet > 0) {
        checker->reason = detail;
        return;
    }
    struct noted noted = {
        .at = place->at,
        .order = (uint32_t)(fault ? checker->fault_total : checker->findings.count),
        .fault = {.code = code, .pointer = contract_place_pointer(checker, place), .detail = detail, .hint = hint}};
    if (fault) {
        insert_fault(checker, &noted);
        return;
    }
    struct noted *finding = contract_vector_add(checker, &checker->findings, sizeof *finding);
    if (finding != NULL) {
        *finding = noted;
    }
}

void contract_report(struct checker *checker, const struct place *place, enum level level, const char *code,
                     const char *sentence)
{
    if (contract_report_begin(checker, place, level)) {
        buf_append_text(&checker->text, sentence);
        contract_report_end(checker, place, level, code, SLICE_NONE);
    }
}

/* ---- sentences ---- */

/* A text in quotes, cut when it is long. */
static void append_quoted(struct buf *out, struct slice text, size_t limit)
{
    struct slice cut = contract_value_cut(text, limit);
    json_append_string(out, cut);
    if (cut.size < text.size) {
        buf_append_text(out, "…");
    }
}

void contract_report_subject(struct checker *checker, const struct place *place)
{
    struct buf *out = &checker->text;
    buf_clear(out);
    if (place->name.data != NULL) {
        append_quoted(out, place->name, REPEATED_BYTES);
    } else if (place->parent != NULL) {
        const struct place *array = place->parent;
        while (array->name.data == NULL && array->parent != NULL) {
            array = array->parent;
        }
        buf_printf(out, "element %u", place->index);
        if (array->name.data != NULL) {
            buf_append_text(out, " of ");
            append_quoted(out, array->name, REPEATED_BYTES);
        }
    } else {
        buf_append_text(out, "the value");
    }
    buf_append_byte(out, ' ');
}

static const struct {
    uint8_t bits;
    const char *text;
} TYPE_TEXTS[] = {
    {TYPE_STRING, "a string"},    {TYPE_NUMBER, "a number"},
    {TYPE_INTEGER, "an integer"}, {TYPE_BOOLEAN, "true or false"},
    {TYPE_OBJECT, "an object"},   {TYPE_ARRAY, "an array"},
    {TYPE_NULL, "null"},
};

static void append_types(struct buf *out, uint8_t types)
{
    const char *separator = "";
    for (size_t i = 0; i < sizeof TYPE_TEXTS / sizeof TYPE_TEXTS[0]; i++) {
        if ((types & TYPE_TEXTS[i].bits) == TYPE_TEXTS[i].bits) {
            buf_append_text(out, separator);
            buf_append_text(out, TYPE_TEXTS[i].text);
            separator = " or ";
            types = (uint8_t)(types & ~TYPE_TEXTS[i].bits);
        }
    }
}

void contract_report_type(struct checker *checker, const struct node *node, const struct place *place, uint8_t type)
{
    if (!contract_report_begin(checker, place, LEVEL_CONTRACT)) {
        return;
    }
    struct buf *out = &checker->text;
    buf_append_text(out, "must be ");
    append_types(out, node->types);
    buf_append_text(out, ", not ");
    buf_append_text(out, type == TYPE_FRACTION ? "a fraction" : "");
    append_types(out, (type & TYPE_NUMBER) != 0 && type != TYPE_FRACTION ? TYPE_NUMBER : type);
    if ((type & TYPE_NUMBER) != 0 && node->types == TYPE_STRING) {
        buf_append_text(out, ": put it in quotes");
    } else if (type == TYPE_NULL) {
        buf_append_text(out, ": leave it out when there is none");
    }
    contract_report_end(checker, place, LEVEL_CONTRACT, "type", SLICE_NONE);
}

static void append_allowed(struct checker *checker, const struct choice *choice)
{
    struct buf *out = &checker->text;
    buf_append_text(out, choice->listed_count == 1 ? "must be " : "must be one of ");
    for (size_t i = 0; i < choice->listed_count && i < LISTED_VALUES; i++) {
        buf_append_text(out, i == 0 ? "" : ", ");
        json_append_minified(out, &checker->contract->doc, choice->listed[i], NULL, 0);
    }
    if (choice->listed_count > LISTED_VALUES) {
        buf_printf(out, ", … (%zu in all)", choice->listed_count);
    }
}

void contract_report_choice(struct checker *checker, const struct node *node, const struct place *place,
                            const struct choice *choice, const char *code)
{
    const struct json_doc *doc = checker->doc;
    bool text = json_tag(doc, place->at) == '"';
    struct slice hint = SLICE_NONE;
    if (!contract_report_begin(checker, place, LEVEL_CONTRACT)) {
        return;
    }
    append_allowed(checker, choice);
    if (text && node->class == CLASS_OPEN) {
        buf_append_text(&checker->text, ", not ");
        append_quoted(&checker->text, json_string(doc, place->at), REPEATED_BYTES);
    }
    int nearest = text ? text_nearest(json_string(doc, place->at), choice->strings.texts, choice->strings.count) : -1;
    if (nearest >= 0) {
        hint = choice->strings.texts[nearest];
    }
    contract_report_end(checker, place, LEVEL_CONTRACT, code, hint);
}

void contract_report_count(struct checker *checker, const struct place *place, const char *code, const char *what,
                           bool least, uint32_t limit)
{
    if (contract_report_begin(checker, place, LEVEL_CONTRACT)) {
        buf_printf(&checker->text, "must have at %s %u %s", least ? "least" : "most", limit, what);
        contract_report_end(checker, place, LEVEL_CONTRACT, code, SLICE_NONE);
    }
}

void contract_report_bound(struct checker *checker, const struct place *place, enum bound_kind kind, json_at bound)
{
    static const char *const SENTENCES[BOUND_KIND_COUNT] = {"must be at least ", "must be at most ",
                                                            "must be more than ", "must be less than "};
    if (contract_report_begin(checker, place, LEVEL_CONTRACT)) {
        buf_append_text(&checker->text, SENTENCES[kind]);
        json_append_minified(&checker->text, &checker->contract->doc, bound, NULL, 0);
        contract_report_end(checker, place, LEVEL_CONTRACT, "range", SLICE_NONE);
    }
}

void contract_report_format(struct checker *checker, const struct place *place, const char *expected)
{
    if (contract_report_begin(checker, place, LEVEL_QUALITY)) {
        buf_append_text(&checker->text, is_fault(checker, LEVEL_QUALITY) ? "must be " : "should be ");
        buf_append_text(&checker->text, expected);
        contract_report_end(checker, place, LEVEL_QUALITY, "format", SLICE_NONE);
    }
}

void contract_report_missing(struct checker *checker, const struct place *place, struct slice name)
{
    if (contract_report_begin(checker, place, LEVEL_CONTRACT)) {
        buf_clear(&checker->text);
        append_quoted(&checker->text, name, REPEATED_BYTES);
        buf_append_text(&checker->text, " is missing: it is required");
        contract_report_end(checker, place, LEVEL_CONTRACT, "required", SLICE_NONE);
    }
}

void contract_report_unnamed(struct checker *checker, const struct node *node, const struct place *member,
                             enum level level)
{
    if (!contract_report_begin(checker, member, level)) {
        return;
    }
    const struct object_rules *rules = node->object;
    int nearest = -1;
    if (rules != NULL) {
        nearest = text_nearest(member->name, rules->names.texts, rules->named_count);
    }
    buf_append_text(&checker->text, is_fault(checker, level) ? "is no member that this contract names: leave it out"
                                                             : "is no member that this contract names; it is kept");
    contract_report_end(checker, member, level, "unnamed-member",
                        nearest < 0 ? SLICE_NONE : rules->names.texts[nearest]);
}
