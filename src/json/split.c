/*
 * The splitter: a small state machine around the fast span (span.c). A body may be cut anywhere, in
 * the middle of an escape or a character, so every state can stop behind any byte and go on with the
 * next piece.
 *
 *   AT_START ─ [ ─► AT_FIRST_ITEM ─► IN_ITEM | IN_TEXT | IN_WORD ─► AT_ITEM_COMMA ─ , ─► AT_ITEM ─► IN_…
 *      │                 ▲                                              │ ]
 *      { ─► AT_FIRST_NAME ─► IN_NAME ─► AT_COLON ─► AT_VALUE ─► IN_VALUE ─► AT_MEMBER_COMMA ─ , ─► AT_NAME
 *                                       (the array's name and [ lead up)        │ }
 *                                                                              AT_END
 *
 * S1. Every byte of the body is in one event, or is in the envelope, or is white space or
 *     punctuation of the array, or has been refused.
 * S2. `here` is the place of the next byte; within a call it is brought up to date only at its end
 *     and where a place is kept (settle), so that lines are counted in bulk.
 * S3. The envelope keeps its white space: so a place in it maps back to a place in the body, by
 *     `root` before the array and by `behind` after it. It is checked as a whole at the body's end.
 */
#include <assert.h>
#include <stdlib.h>

#include "json/json_priv.h"

enum state {
    AT_START,
    AT_FIRST_NAME,
    AT_NAME,
    IN_NAME,
    AT_COLON,
    AT_VALUE,
    IN_VALUE,
    AT_MEMBER_COMMA,
    AT_FIRST_ITEM,
    AT_ITEM,
    IN_ITEM,
    IN_TEXT,
    IN_WORD,
    AT_ITEM_COMMA,
    AT_END,
    FAILED
};

struct place {
    uint64_t offset;
    uint64_t line_start;
    uint32_t line;
};

struct json_splitter {
    enum state state;
    bool found;
    bool in_root_array;   /* the pointer is empty: the array is the body */
    bool name_is_array;   /* the member at hand is the one with the items */
    bool name_seen;       /* and was met before */
    bool in_string;       /* of IN_NAME, IN_VALUE, IN_TEXT */
    bool escaped;         /* behind a backslash there */
    uint64_t value_depth; /* of IN_VALUE */
    struct json_span span;
    struct buf name; /* the array's, decoded */
    struct buf envelope;
    size_t name_start;   /* of the member at hand, in the envelope */
    size_t behind_start; /* of what stands behind the array, in the envelope */
    struct place here;
    struct place root;   /* of the root object */
    struct place behind; /* of the byte behind the array */
    struct place item;   /* where the current item begins */
    int code;
    struct json_error error;
};

/* What one call has of its piece; `from` is the byte whose place `here` is. */
struct cursor {
    const char *from;
    const char *at;
    const char *end;
    struct slice bytes;
};

typedef enum json_split_event step_fn(struct json_splitter *, struct cursor *);

/* ---- places and refusals ---- */

static void place_advance(struct place *place, const char *bytes, size_t size)
{
    size_t lines = size == 0 ? 0 : json_count_lines(bytes, bytes + size);
    if (lines > 0) {
        const char *last = memrchr(bytes, '\n', size);
        place->line += (uint32_t)lines;
        place->line_start = place->offset + (uint64_t)(last - bytes) + 1;
    }
    place->offset += size;
}

static void settle(struct json_splitter *splitter, struct cursor *cursor)
{
    place_advance(&splitter->here, cursor->from, (size_t)(cursor->at - cursor->from));
    cursor->from = cursor->at;
}

static struct json_error place_error(const struct place *place, const char *reason)
{
    return (struct json_error){.reason = reason,
                               .offset = (size_t)place->offset,
                               .line = place->line,
                               .column = (uint32_t)(place->offset - place->line_start) + 1};
}

static void refuse(struct json_splitter *splitter, const struct place *place, int code, const char *reason)
{
    splitter->state = FAILED;
    splitter->code = code;
    splitter->error = place_error(place, reason);
}

static enum json_split_event fail(struct json_splitter *splitter, struct cursor *cursor, int code, const char *reason)
{
    settle(splitter, cursor);
    refuse(splitter, &splitter->here, code, reason);
    return JSON_SPLIT_ERROR;
}

static enum json_split_event fail_json(struct json_splitter *splitter, struct cursor *cursor, const char *reason)
{
    return fail(splitter, cursor, ERR_MALFORMED_JSON, reason);
}

/* ---- bytes of the envelope ---- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* To the next byte that is no white space; false at the piece's end. */
static bool skip_space(struct cursor *cursor)
{
    while (cursor->at < cursor->end && is_space(*cursor->at)) {
        cursor->at++;
    }
    return cursor->at < cursor->end;
}

static void keep(struct json_splitter *splitter, const char *from, const char *end)
{
    buf_append(&splitter->envelope, from, (size_t)(end - from));
}

static bool keep_space(struct json_splitter *splitter, struct cursor *cursor)
{
    const char *from = cursor->at;
    bool more = skip_space(cursor);
    keep(splitter, from, cursor->at);
    return more;
}

static enum json_split_event keep_byte(struct json_splitter *splitter, struct cursor *cursor, enum state next)
{
    keep(splitter, cursor->at, cursor->at + 1);
    cursor->at++;
    splitter->state = next;
    return JSON_SPLIT_MORE;
}

/* Takes one byte of a string; true when it is the closing quote. */
static bool string_ends(struct json_splitter *splitter, char byte)
{
    if (splitter->escaped) {
        splitter->escaped = false;
        return false;
    }
    splitter->escaped = byte == '\\';
    return byte == '"';
}

/* ---- the envelope's states ---- */

static enum json_split_event start_root(struct json_splitter *splitter, struct cursor *cursor)
{
    if (!skip_space(cursor)) {
        return JSON_SPLIT_MORE;
    }
    char byte = *cursor->at;
    if (byte == (splitter->in_root_array ? '[' : '{')) {
        settle(splitter, cursor);
        splitter->root = splitter->here;
        splitter->found = splitter->in_root_array;
        if (!splitter->in_root_array) {
            return keep_byte(splitter, cursor, AT_FIRST_NAME);
        }
        cursor->at++;
        splitter->state = AT_FIRST_ITEM;
        return JSON_SPLIT_MORE;
    }
    if (byte == '\xEF') {
        return fail_json(splitter, cursor, "No byte order mark may stand in JSON. Send UTF-8 without one.");
    }
    if (byte == '\0' || strchr("{[\"-0123456789tfn", byte) == NULL) {
        return fail_json(splitter, cursor, "The body is not JSON. Send JSON, or name its type in Content-Type.");
    }
    return fail(splitter, cursor, ERR_MALFORMED_ENVELOPE,
                splitter->in_root_array ? "The body must be a JSON array of the items."
                                        : "The body must be a JSON object with the array of the items in it.");
}

static enum json_split_event start_name(struct json_splitter *splitter, struct cursor *cursor)
{
    if (!keep_space(splitter, cursor)) {
        return JSON_SPLIT_MORE;
    }
    if (*cursor->at == '"') {
        splitter->name_start = splitter->envelope.size + 1;
        splitter->escaped = false;
        return keep_byte(splitter, cursor, IN_NAME);
    }
    if (*cursor->at == '}' && splitter->state == AT_FIRST_NAME) {
        return keep_byte(splitter, cursor, AT_END);
    }
    return fail_json(splitter, cursor, "A member's name in double quotes must stand here.");
}

/* Where in the body a byte of the envelope stands: what is behind the array has moved. */
static struct place envelope_place(const struct json_splitter *splitter, size_t offset)
{
    bool behind = splitter->found && offset >= splitter->behind_start;
    struct place place = behind ? splitter->behind : splitter->root;
    size_t from = behind ? splitter->behind_start : 0;
    place_advance(&place, splitter->envelope.data + from, offset - from);
    return place;
}

/* The name has been kept up to its closing quote, which is not. */
static bool is_array_name(struct json_splitter *splitter)
{
    struct slice raw = slice_from(buf_view(&splitter->envelope), splitter->name_start);
    if (raw.size == 0 || memchr(raw.data, '\\', raw.size) == NULL) {
        return slice_equal(raw, buf_view(&splitter->name));
    }
    struct buf decoded;
    buf_init(&decoded, 0);
    json_decode_string(raw, &decoded);
    bool same = slice_equal(buf_view(&decoded), buf_view(&splitter->name));
    if (buf_error(&decoded) != 0) {
        splitter->envelope.error = buf_error(&decoded);
    }
    buf_fini(&decoded);
    return same;
}

static enum json_split_event run_name(struct json_splitter *splitter, struct cursor *cursor)
{
    const char *from = cursor->at;
    while (cursor->at < cursor->end && !string_ends(splitter, *cursor->at)) {
        cursor->at++;
    }
    keep(splitter, from, cursor->at);
    if (cursor->at == cursor->end || buf_error(&splitter->envelope) != 0) {
        return JSON_SPLIT_MORE;
    }
    splitter->name_is_array = is_array_name(splitter);
    if (splitter->name_is_array && splitter->name_seen) {
        struct place name = envelope_place(splitter, splitter->name_start - 1);
        refuse(splitter, &name, ERR_MALFORMED_ENVELOPE,
               "The member with the items stands twice. Send one array with all items.");
        return JSON_SPLIT_ERROR;
    }
    splitter->name_seen |= splitter->name_is_array;
    return keep_byte(splitter, cursor, AT_COLON);
}

static enum json_split_event take_colon(struct json_splitter *splitter, struct cursor *cursor)
{
    if (!keep_space(splitter, cursor)) {
        return JSON_SPLIT_MORE;
    }
    if (*cursor->at != ':') {
        return fail_json(splitter, cursor, "A colon must stand behind a member's name.");
    }
    return keep_byte(splitter, cursor, AT_VALUE);
}

static enum json_split_event start_value(struct json_splitter *splitter, struct cursor *cursor)
{
    if (!keep_space(splitter, cursor)) {
        return JSON_SPLIT_MORE;
    }
    char byte = *cursor->at;
    if (byte == '[' && splitter->name_is_array) {
        buf_append_text(&splitter->envelope, "[]");
        cursor->at++;
        splitter->found = true;
        splitter->state = AT_FIRST_ITEM;
        return JSON_SPLIT_MORE;
    }
    if (byte == ',' || byte == '}' || byte == ']' || byte == ':') {
        return fail_json(splitter, cursor, "A value must stand behind the colon.");
    }
    splitter->value_depth = 0;
    splitter->in_string = false;
    splitter->escaped = false;
    splitter->state = IN_VALUE;
    return JSON_SPLIT_MORE;
}

/* Takes one byte of a value; true when the byte stands behind the value. */
static bool value_ends(struct json_splitter *splitter, char byte)
{
    if (splitter->in_string) {
        splitter->in_string = !string_ends(splitter, byte);
        return false;
    }
    switch (byte) {
    case '"':
        splitter->in_string = true;
        return false;
    case '{':
    case '[':
        splitter->value_depth++;
        return false;
    case '}':
    case ']':
        return splitter->value_depth-- == 0;
    default:
        return byte == ',' && splitter->value_depth == 0;
    }
}

static enum json_split_event run_value(struct json_splitter *splitter, struct cursor *cursor)
{
    const char *from = cursor->at;
    while (cursor->at < cursor->end && !value_ends(splitter, *cursor->at)) {
        cursor->at++;
    }
    keep(splitter, from, cursor->at);
    if (cursor->at < cursor->end) {
        splitter->state = AT_MEMBER_COMMA;
    }
    return JSON_SPLIT_MORE;
}

static enum json_split_event take_member_comma(struct json_splitter *splitter, struct cursor *cursor)
{
    if (!keep_space(splitter, cursor)) {
        return JSON_SPLIT_MORE;
    }
    if (*cursor->at == ',' || *cursor->at == '}') {
        return keep_byte(splitter, cursor, *cursor->at == ',' ? AT_NAME : AT_END);
    }
    return fail_json(splitter, cursor, "A comma or } must stand behind a member.");
}

static enum json_split_event run_end(struct json_splitter *splitter, struct cursor *cursor)
{
    if (!skip_space(cursor)) {
        return JSON_SPLIT_MORE;
    }
    return fail_json(splitter, cursor, "Something stands behind the end of the JSON text. Remove it.");
}

/* ---- the array's states ---- */

static enum json_split_event close_array(struct json_splitter *splitter, struct cursor *cursor)
{
    cursor->at++;
    settle(splitter, cursor);
    splitter->behind = splitter->here;
    splitter->behind_start = splitter->envelope.size;
    splitter->state = splitter->in_root_array ? AT_END : AT_MEMBER_COMMA;
    return JSON_SPLIT_MORE;
}

static enum json_split_event start_item(struct json_splitter *splitter, struct cursor *cursor)
{
    if (!skip_space(cursor)) {
        return JSON_SPLIT_MORE;
    }
    char byte = *cursor->at;
    if (byte == ']' && splitter->state == AT_FIRST_ITEM) {
        return close_array(splitter, cursor);
    }
    settle(splitter, cursor);
    splitter->item = splitter->here;
    switch (byte) {
    case '{':
    case '[':
        splitter->span = (struct json_span){0};
        splitter->state = IN_ITEM;
        return JSON_SPLIT_MORE;
    case '"':
        splitter->in_string = false;
        splitter->escaped = false;
        splitter->state = IN_TEXT;
        return JSON_SPLIT_MORE;
    case ']':
        return fail_json(splitter, cursor, "An item must stand behind the comma. Remove the last comma.");
    case ',':
    case ':':
    case '}':
        return fail_json(splitter, cursor, "An item must stand here.");
    default:
        splitter->state = IN_WORD;
        return JSON_SPLIT_MORE;
    }
}

static enum json_split_event give(struct json_splitter *splitter, struct cursor *cursor, const char *from, bool ended)
{
    cursor->bytes = slice_make(from, (size_t)(cursor->at - from));
    splitter->state = ended ? AT_ITEM_COMMA : splitter->state;
    return ended ? JSON_SPLIT_ITEM_END : JSON_SPLIT_PART;
}

static enum json_split_event run_item(struct json_splitter *splitter, struct cursor *cursor)
{
    const char *from = cursor->at;
    switch (json_span_run(&splitter->span, &cursor->at, cursor->end)) {
    case JSON_SPAN_OPEN:
        return give(splitter, cursor, from, false);
    case JSON_SPAN_CLOSED:
        return give(splitter, cursor, from, true);
    case JSON_SPAN_TOO_DEEP:
        return fail_json(splitter, cursor, "Arrays and objects are nested deeper than the limit. Send a flatter item.");
    default:
        assert(*cursor->at == '\\' || *cursor->at == '}' || *cursor->at == ']');
        return fail_json(splitter, cursor,
                         *cursor->at == '\\' ? "A backslash may stand in strings only."
                                             : "This bracket does not close the one that was opened last.");
    }
}

static enum json_split_event run_text(struct json_splitter *splitter, struct cursor *cursor)
{
    const char *from = cursor->at;
    while (cursor->at < cursor->end) {
        char byte = *cursor->at++;
        if (!splitter->in_string) {
            splitter->in_string = true; /* the opening quote */
        } else if (string_ends(splitter, byte)) {
            return give(splitter, cursor, from, true);
        }
    }
    return give(splitter, cursor, from, false);
}

/* A number or a word; what stands in the way of its being one is json_parse's to say. */
static enum json_split_event run_word(struct json_splitter *splitter, struct cursor *cursor)
{
    const char *from = cursor->at;
    while (cursor->at < cursor->end) {
        char byte = *cursor->at;
        if (is_space(byte) || (byte != '\0' && strchr(",]}[{:\"", byte) != NULL)) {
            return give(splitter, cursor, from, true);
        }
        cursor->at++;
    }
    return give(splitter, cursor, from, false);
}

static enum json_split_event take_item_comma(struct json_splitter *splitter, struct cursor *cursor)
{
    if (!skip_space(cursor)) {
        return JSON_SPLIT_MORE;
    }
    if (*cursor->at == ',') {
        cursor->at++;
        splitter->state = AT_ITEM;
        return JSON_SPLIT_MORE;
    }
    if (*cursor->at == ']') {
        return close_array(splitter, cursor);
    }
    return fail_json(splitter, cursor, "A comma or ] must stand behind an item.");
}

/* ---- the driver ---- */

static step_fn *const STEPS[] = {
    [AT_START] = start_root,      [AT_FIRST_NAME] = start_name,
    [AT_NAME] = start_name,       [IN_NAME] = run_name,
    [AT_COLON] = take_colon,      [AT_VALUE] = start_value,
    [IN_VALUE] = run_value,       [AT_MEMBER_COMMA] = take_member_comma,
    [AT_FIRST_ITEM] = start_item, [AT_ITEM] = start_item,
    [IN_ITEM] = run_item,         [IN_TEXT] = run_text,
    [IN_WORD] = run_word,         [AT_ITEM_COMMA] = take_item_comma,
    [AT_END] = run_end,
};

static enum json_split_event envelope_failed(struct json_splitter *splitter, struct cursor *cursor)
{
    int code = buf_error(&splitter->envelope);
    return fail(splitter, cursor, code,
                code == ERR_TOO_LARGE
                    ? "What stands around the array of the items is larger than the limit. Send less there."
                    : err_text(code));
}

enum json_split_event json_splitter_next(struct json_splitter *splitter, struct slice *piece, struct slice *bytes)
{
    *bytes = SLICE_NONE;
    if (splitter->state == FAILED) {
        return JSON_SPLIT_ERROR;
    }
    if (piece->size == 0) {
        return JSON_SPLIT_MORE;
    }
    struct cursor cursor = {piece->data, piece->data, piece->data + piece->size, SLICE_NONE};
    enum json_split_event event = JSON_SPLIT_MORE;
    while (event == JSON_SPLIT_MORE && cursor.at < cursor.end) {
        event = STEPS[splitter->state](splitter, &cursor);
        if (event == JSON_SPLIT_MORE && buf_error(&splitter->envelope) != 0) {
            event = envelope_failed(splitter, &cursor);
        }
    }
    settle(splitter, &cursor);
    *piece = slice_make(cursor.at, (size_t)(cursor.end - cursor.at));
    *bytes = cursor.bytes;
    return event;
}

struct json_error json_splitter_envelope_place(const struct json_splitter *splitter, const struct json_error *error)
{
    struct place place = envelope_place(splitter, error->offset);
    return place_error(&place, error->reason);
}

/* The envelope as a whole: its own malformations, told by their place in the body (S3). */
static int check_envelope(struct json_splitter *splitter)
{
    struct json_error error;
    if (json_scan(buf_view(&splitter->envelope), &JSON_LIMITS_DEFAULT, &error) == 0) {
        return 0;
    }
    struct place place = envelope_place(splitter, error.offset);
    refuse(splitter, &place, ERR_MALFORMED_JSON, error.reason);
    return splitter->code;
}

int json_splitter_end(struct json_splitter *splitter)
{
    if (splitter->state == FAILED) {
        return splitter->code;
    }
    if (splitter->state == AT_END) {
        return splitter->in_root_array ? 0 : check_envelope(splitter);
    }
    bool empty = splitter->state == AT_START;
    refuse(splitter, &splitter->here, empty ? ERR_MALFORMED_JSON : ERR_CUT_OFF,
           empty ? "The body is empty. Send the items."
                 : "The body ends before its JSON is complete. Send the whole body.");
    return splitter->code;
}

/* ---- the rest ---- */

/* The name a pointer of one reference token means (RFC 6901 section 4). */
static void decode_token(struct buf *name, struct slice token)
{
    for (size_t i = 0; i < token.size; i++) {
        bool escape = token.data[i] == '~' && i + 1 < token.size;
        if (escape) {
            i++;
        }
        char byte = token.data[i];
        buf_append_byte(name, (uint8_t)(escape && byte == '0' ? '~' : escape && byte == '1' ? '/' : byte));
    }
}

struct json_splitter *json_splitter_new(struct slice array, size_t envelope_limit_bytes)
{
    assert(array.size == 0 || (array.data[0] == '/' && memchr(array.data + 1, '/', array.size - 1) == NULL));
    struct json_splitter *splitter = calloc(1, sizeof *splitter);
    if (splitter == NULL) {
        return NULL;
    }
    splitter->in_root_array = array.size == 0;
    splitter->here.line = 1;
    buf_init(&splitter->name, 0);
    buf_init(&splitter->envelope, envelope_limit_bytes);
    if (array.size > 0) {
        decode_token(&splitter->name, slice_from(array, 1));
    }
    if (buf_error(&splitter->name) != 0) {
        json_splitter_free(&splitter);
    }
    return splitter;
}

void json_splitter_free(struct json_splitter **splitter)
{
    if (*splitter == NULL) {
        return;
    }
    buf_fini(&(*splitter)->name);
    buf_fini(&(*splitter)->envelope);
    free(*splitter);
    *splitter = NULL;
}

struct json_error json_splitter_item(const struct json_splitter *splitter)
{
    return place_error(&splitter->item, NULL);
}

int json_splitter_error(const struct json_splitter *splitter, struct json_error *error)
{
    *error = splitter->error;
    return splitter->code;
}

struct slice json_splitter_envelope(const struct json_splitter *splitter)
{
    return buf_view(&splitter->envelope);
}

bool json_splitter_found(const struct json_splitter *splitter)
{
    return splitter->found;
}
