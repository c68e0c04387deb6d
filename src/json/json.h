/*
 * JSON as Muster needs it: strict RFC 8259 parsing of one item at a time onto a flat tape, a
 * splitter that finds the items of an endless body, a writer, and JSON Pointers (RFC 6901).
 * Parsing is simdjson's (the only C++ file of the house is simdjson.cc); the tape is the one that
 * simdjson documents in its doc/tape.md, so walking it is plain C and costs a load a step.
 *
 * Strict means refused with their place: duplicate members, invalid UTF-8, lone surrogates,
 * trailing data, and anything beyond the limits. Numbers that fit neither 64-bit integers nor a
 * finite double are refused too.
 *
 * Parsers, splitters and writers belong to one thread at a time. Nothing here locks or does I/O.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* Bytes that must be readable (any value) behind a text given to json_parse. */
#define JSON_PADDING 64

/* ---- parsing ---- */

struct json_limits {
    uint32_t depth;        /* nested arrays and objects */
    uint32_t members;      /* of one object */
    uint32_t string_bytes; /* decoded, values and names */
};

/* LIMIT_DEPTH, LIMIT_MEMBERS, LIMIT_STRING_BYTES of base/limits.h. */
extern const struct json_limits JSON_LIMITS_DEFAULT;

/* Where and why a text was refused. */
struct json_error {
    const char *reason; /* static sentence: what is wrong and what to do */
    size_t offset;      /* bytes from the start of the text */
    uint32_t line;      /* from 1 */
    uint32_t column;    /* from 1, in bytes */
};

/* A parsed text; valid until the parser's next json_parse. The text must live as long. */
struct json_doc {
    const uint64_t *tape;
    const uint8_t *strings;
    struct slice text;
    const uint32_t *structurals; /* offset in text of every token, in order, commas and colons too */
    uint32_t structural_count;
};

struct json_parser;

/* Parser for texts of up to `capacity_bytes`; keeps its memory between texts. NULL: no memory. */
struct json_parser *json_parser_new(size_t capacity_bytes);
void json_parser_free(struct json_parser **parser);

/* Parses one JSON value. 0, ERR_MALFORMED_JSON with *error set, or ERR_NO_MEMORY. JSON_PADDING bytes
 * behind text must be readable. */
int json_parse(struct json_parser *parser, struct slice text, const struct json_limits *limits, struct json_doc *doc,
               struct json_error *error) MUST_CHECK;

/* ---- walking the tape ----
 * A json_at is a position on the tape. json_root is the value. Containers are walked like this:
 *   for (json_at at = json_first(doc, object); !json_is_end(doc, at); at = json_next(doc, value)) {
 *       struct slice name = json_string(doc, at);
 *       json_at value = json_value_of(at);      // a name's value follows it
 *       ...
 *   }
 * and arrays the same without the names. */
typedef uint32_t json_at;

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INT,
    JSON_UINT,
    JSON_DOUBLE,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

#define JSON_TAPE_PAYLOAD 0x00FFFFFFFFFFFFFFull

static inline json_at json_root(const struct json_doc *doc)
{
    (void)doc;
    return 1;
}

static inline char json_tag(const struct json_doc *doc, json_at at)
{
    return (char)(doc->tape[at] >> 56);
}

enum json_type json_type_of_tag(char tag);

static inline enum json_type json_type(const struct json_doc *doc, json_at at)
{
    return json_type_of_tag(json_tag(doc, at));
}

/* First element or member name of a container; json_is_end when it is empty. */
static inline json_at json_first(const struct json_doc *doc, json_at container)
{
    (void)doc;
    return container + 1;
}

static inline bool json_is_end(const struct json_doc *doc, json_at at)
{
    char tag = json_tag(doc, at);
    return tag == '}' || tag == ']';
}

/* The value that follows a member's name. */
static inline json_at json_value_of(json_at name)
{
    return name + 1;
}

/* What follows this value: the next element, the next member's name, or the end. */
static inline json_at json_next(const struct json_doc *doc, json_at at)
{
    switch (json_tag(doc, at)) {
    case '{':
    case '[':
        return (json_at)(doc->tape[at] & 0xFFFFFFFFu);
    case 'l':
    case 'u':
    case 'd':
        return at + 2;
    default:
        return at + 1;
    }
}

/* Decoded bytes of a string or name; may contain NUL. */
static inline struct slice json_string(const struct json_doc *doc, json_at at)
{
    const uint8_t *entry = doc->strings + (doc->tape[at] & JSON_TAPE_PAYLOAD);
    uint32_t size;
    memcpy(&size, entry, sizeof size);
    return slice_make(entry + sizeof size, size);
}

static inline int64_t json_int(const struct json_doc *doc, json_at at)
{
    return (int64_t)doc->tape[at + 1];
}

static inline double json_double(const struct json_doc *doc, json_at at)
{
    double value;
    memcpy(&value, &doc->tape[at + 1], sizeof value);
    return value;
}

/* Any number as a double. */
double json_number(const struct json_doc *doc, json_at at);

/* Number of members or elements of a container. */
uint32_t json_count(const struct json_doc *doc, json_at container);

/* The value of that member of an object, or 0 when it is not there (or `object` is no object). */
json_at json_member(const struct json_doc *doc, json_at object, struct slice name);

/* The value a JSON Pointer names, starting at `from`, or 0. */
json_at json_at_pointer(const struct json_doc *doc, json_at from, struct slice pointer);

/* Appends one reference token of a pointer: '/' and the name with ~ and / escaped. */
void json_pointer_append(struct buf *pointer, struct slice name);
void json_pointer_append_index(struct buf *pointer, uint64_t index);

/* ---- writing ---- */

/* Composes JSON into a buffer; commas are its business. Sticky like buf. */
struct json_writer {
    struct buf *out;
    uint64_t has_element; /* bit per level: something was written there */
    uint32_t depth;
    bool after_name;
};

void json_writer_init(struct json_writer *writer, struct buf *out);
void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);
void json_name(struct json_writer *writer, const char *name);
void json_name_slice(struct json_writer *writer, struct slice name);
void json_put_string(struct json_writer *writer, struct slice text);
void json_put_text(struct json_writer *writer, const char *text);
void json_put_int(struct json_writer *writer, int64_t value);
void json_put_uint(struct json_writer *writer, uint64_t value);
void json_put_double(struct json_writer *writer, double value);
void json_put_bool(struct json_writer *writer, bool value);
void json_put_null(struct json_writer *writer);
/* A ready JSON value, put as it is. */
void json_put_raw(struct json_writer *writer, struct slice json);

/* Appends a JSON string with its quotes, escaped as RFC 8259 section 7 needs. */
void json_append_string(struct buf *out, struct slice text);
/* What stands between the quotes of such a string: several calls make one string. */
void json_append_escaped(struct buf *out, struct slice text);

/* ---- one parsed value, written again ---- */

/* A change to make while a parsed value is written. */
enum json_edit_kind {
    JSON_EDIT_DROP,    /* leave out the member whose value stands at `at` */
    JSON_EDIT_REPLACE, /* write `json` in place of the value at `at` */
    JSON_EDIT_ADD      /* write `name`: `json` as the last member of the object at `at` */
};

struct json_edit {
    enum json_edit_kind kind;
    json_at at;
    struct slice name;
    struct slice json;
};

/* Writes the value at `from` without white space, names, strings and numbers spelled as they were
 * sent, with the edits applied; edits are in order of `at`, one an `at`. */
void json_append_minified(struct buf *out, const struct json_doc *doc, json_at from, const struct json_edit *edits,
                          size_t edit_count);

/* Writes the value in a canonical form, for fingerprints only: members sorted by name, strings
 * decoded, numbers by value, so that texts that mean the same give the same bytes and others don't.
 * Not JSON. Edits as above. */
void json_append_canonical(struct buf *out, const struct json_doc *doc, json_at from, const struct json_edit *edits,
                           size_t edit_count);

/* ---- splitting ---- */

/*
 * Finds the items of one array in a body that arrives in pieces, in one pass, without ever holding
 * more than the piece at hand: the caller gets ranges of bytes. What stands around the array is
 * collected as the envelope, the array itself replaced by [], so that members before and after it
 * can be checked like any small object. The splitter knows only strings, brackets and commas;
 * whether an item is valid JSON is json_parse's to say.
 */
struct json_splitter;

enum json_split_event {
    JSON_SPLIT_MORE,     /* all given bytes are used; give the next piece */
    JSON_SPLIT_PART,     /* bytes of the current item: *bytes, more of it follow */
    JSON_SPLIT_ITEM_END, /* *bytes (perhaps empty) end the current item */
    JSON_SPLIT_ERROR     /* refused: json_splitter_error tells */
};

/* `array`: JSON Pointer to the items' array, empty for the root, at most one reference token.
 * `envelope_limit_bytes` bounds what is kept of the rest. NULL: no memory. */
struct json_splitter *json_splitter_new(struct slice array, size_t envelope_limit_bytes);
void json_splitter_free(struct json_splitter **splitter);

/* Next event in the piece; *piece is advanced past what was used. White space around items is in no
 * event. */
enum json_split_event json_splitter_next(struct json_splitter *splitter, struct slice *piece, struct slice *bytes);

/* The body has ended: 0, or ERR_MALFORMED_JSON / ERR_MALFORMED_ENVELOPE / ERR_CUT_OFF; see _error. */
int json_splitter_end(struct json_splitter *splitter) MUST_CHECK;

/* The place in the body at which the current (or last) item begins; no reason. */
struct json_error json_splitter_item(const struct json_splitter *splitter);

/* The place (of the whole body) and reason of the refusal; offset, line and column count from the
 * body's start. */
int json_splitter_error(const struct json_splitter *splitter, struct json_error *error);

/* The envelope's text, once the body has ended: an object with the array's value replaced by [];
 * empty when the array is the root. */
struct slice json_splitter_envelope(const struct json_splitter *splitter);
/* The same error with its place in the body instead of its place in the envelope's text. */
struct json_error json_splitter_envelope_place(const struct json_splitter *splitter, const struct json_error *error);
/* Whether the array was met (an envelope may lack it: the contract says whether that is a fault). */
bool json_splitter_found(const struct json_splitter *splitter);

/* ---- newline-delimited JSON: a value a line ---- */

/*
 * Finds the lines of a body that arrives in pieces; like the splitter above, but an item is a line. White space
 * around a line is in no event, empty lines are none; lines end with LF or CRLF; a byte order mark at the start
 * is passed over. A line's content is json_parse's to judge, so there is no error but too little memory.
 */
struct json_lines;
/* NULL: no memory. */
struct json_lines *json_lines_new(void);
void json_lines_free(struct json_lines **lines);
enum json_split_event json_lines_next(struct json_lines *lines, struct slice *piece, struct slice *bytes);
/* The body has ended; true when a line without a line break is still open: it is whole then. */
bool json_lines_end(struct json_lines *lines);
struct json_error json_lines_item(const struct json_lines *lines);

#endif
