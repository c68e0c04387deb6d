/*
 * Two shapes of an answer: lines with an outcome each, and a JSON array somewhere in a small object. Both
 * are cut into texts of one item, and each is parsed alone by one parser that is used again.
 */
#include "cli/ids.h"

#include <stdlib.h>

#include "cli/client.h"

#define ITEM_BYTES  (2u << 20) /* a line with many faults */
#define SHORT_BYTES (64u << 10)
#define ENVELOPE    (1u << 16) /* what stands around the ids */

struct ids {
    enum ids_print print;
    FILE *out;
    bool is_lines;
    struct json_splitter *splitter;
    struct json_parser *parser;
    size_t parser_bytes;
    struct buf item;
    struct buf head; /* the answer, as long as it is short */
    bool is_long;
    bool is_broken; /* not what was announced; the rest is not looked at */
    struct ids_counts counts;
    uint64_t bytes;         /* of this answer */
    uint64_t printed_items; /* of all answers */
    uint64_t printed_bytes;
    char *faults;
    size_t faults_size;
    FILE *faults_out;
    uint32_t faults_shown;
    char last; /* byte that was passed on */
};

struct ids *ids_new(enum ids_print print, FILE *out)
{
    struct ids *ids = calloc(1, sizeof *ids);
    if (ids == NULL) {
        return NULL;
    }
    ids->print = print;
    ids->out = out;
    ids->last = '\n';
    buf_init(&ids->item, ITEM_BYTES);
    buf_init(&ids->head, SHORT_BYTES);
    ids->faults_out = open_memstream(&ids->faults, &ids->faults_size);
    if (ids->faults_out == NULL) {
        ids_free(&ids);
    }
    return ids;
}

void ids_free(struct ids **ids)
{
    struct ids *freeing = *ids;
    if (freeing == NULL) {
        return;
    }
    if (freeing->faults_out != NULL) {
        fclose(freeing->faults_out);
    }
    free(freeing->faults);
    json_splitter_free(&freeing->splitter);
    json_parser_free(&freeing->parser);
    buf_fini(&freeing->item);
    buf_fini(&freeing->head);
    free(freeing);
    *ids = NULL;
}

bool ids_begin(struct ids *ids, bool is_lines, struct slice pointer)
{
    json_splitter_free(&ids->splitter);
    ids->splitter = json_splitter_new(pointer, ENVELOPE);
    ids->is_lines = is_lines;
    ids->counts = (struct ids_counts){0, 0};
    ids->bytes = 0;
    ids->is_long = false;
    ids->is_broken = false;
    ids->faults_shown = 0;
    rewind(ids->faults_out);
    buf_clear(&ids->item);
    buf_clear(&ids->head);
    return ids->splitter != NULL;
}

/* ---- one item ---- */

static bool parse(struct ids *ids, struct json_doc *doc)
{
    static const struct json_limits wide = {LIMIT_DEPTH, UINT32_MAX, UINT32_MAX};
    struct json_error error;
    size_t size = ids->item.size;
    if (buf_reserve(&ids->item, JSON_PADDING) != 0) {
        return false;
    }
    memset(ids->item.data + size, 0, JSON_PADDING);
    if (ids->parser == NULL || size > ids->parser_bytes) {
        json_parser_free(&ids->parser);
        ids->parser_bytes = size < 4096 ? 4096 : 2 * size;
        ids->parser = json_parser_new(ids->parser_bytes);
    }
    return ids->parser != NULL && json_parse(ids->parser, buf_view(&ids->item), &wide, doc, &error) == 0;
}

/* "…", {"customerId": "…"} or {"id": "…"}; anything else is no id. */
static struct slice id_of(const struct json_doc *doc)
{
    static const char *const members[] = {"customerId", "id"};
    json_at root = json_root(doc);
    struct slice id = json_type(doc, root) == JSON_STRING ? json_string(doc, root) : SLICE_NONE;
    for (size_t i = 0; i < 2 && id.size == 0; i++) {
        id = cli_json_text(doc, root, members[i]);
    }
    return id;
}

/* A dry run keeps what has no id, so the outcome counts where there is one. */
static bool is_refused(const struct json_doc *doc, struct slice id)
{
    static const char *const outcomes[] = {"fault", "conflict", "busy", "aborted"};
    struct slice outcome = cli_json_text(doc, json_root(doc), "outcome");
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (slice_equal_text(outcome, outcomes[i])) {
            return true;
        }
    }
    return outcome.size == 0 && id.size == 0;
}

static void note_faults(struct ids *ids, const struct json_doc *doc)
{
    json_at root = json_root(doc);
    json_at index = json_member(doc, root, SLICE("index"));
    json_at errors = json_member(doc, root, SLICE("errors"));
    int64_t item = index != 0 && json_type(doc, index) == JSON_INT ? json_int(doc, index) : -1;
    if (errors == 0 || json_type(doc, errors) != JSON_ARRAY) {
        return;
    }
    for (json_at at = json_first(doc, errors); !json_is_end(doc, at) && ids->faults_shown < CLIENT_FAULTS_SHOWN;
         at = json_next(doc, at)) {
        client_print_fault(ids->faults_out, doc, at, item);
        ids->faults_shown++;
    }
}

static void take_item(struct ids *ids)
{
    struct json_doc doc;
    bool is_valid = parse(ids, &doc);
    struct slice id = is_valid ? id_of(&doc) : SLICE_NONE;
    bool refused = !is_valid || is_refused(&doc, id);
    if (is_valid && refused) {
        note_faults(ids, &doc);
    }
    ids->counts.kept += refused ? 0 : 1;
    ids->counts.refused += refused ? 1 : 0;
    if (ids->counts.kept + ids->counts.refused > ids->printed_items) {
        ids->printed_items++;
        if (ids->print == IDS_LINES) {
            id = refused ? SLICE_NONE : id; /* a conflict may name somebody else's */
            fprintf(ids->out, "%.*s\n", SLICE_ARG(id));
        }
    }
    buf_clear(&ids->item);
}

/* ---- the answer ---- */

static void end_line(struct ids *ids)
{
    while (ids->item.size > 0 && strchr(" \t\r", ids->item.data[ids->item.size - 1]) != NULL) {
        ids->item.size--;
    }
    if (ids->item.size > 0) {
        take_item(ids);
    }
}

static bool take_lines(struct ids *ids, struct slice piece)
{
    while (piece.size > 0) {
        const char *end = memchr(piece.data, '\n', piece.size);
        size_t size = end == NULL ? piece.size : (size_t)(end - piece.data);
        buf_append(&ids->item, piece.data, size);
        if (buf_error(&ids->item) != 0) {
            return false;
        }
        if (end != NULL) {
            end_line(ids);
        }
        piece = slice_from(piece, end == NULL ? size : size + 1);
    }
    return true;
}

static bool take_array(struct ids *ids, struct slice piece)
{
    for (;;) {
        struct slice bytes;
        enum json_split_event event = json_splitter_next(ids->splitter, &piece, &bytes);
        if (event == JSON_SPLIT_MORE || event == JSON_SPLIT_ERROR) {
            return event == JSON_SPLIT_MORE;
        }
        buf_append_slice(&ids->item, bytes);
        if (event == JSON_SPLIT_ITEM_END) {
            take_item(ids);
        }
        if (buf_error(&ids->item) != 0) {
            return false;
        }
    }
}

/* As it is, but not what an answer that broke off has printed already. */
static void pass_on(struct ids *ids, struct slice piece)
{
    uint64_t before = ids->bytes;
    uint64_t skip = ids->printed_bytes > before ? ids->printed_bytes - before : 0;
    if (skip < piece.size) {
        struct slice rest = slice_from(piece, (size_t)skip);
        fwrite(rest.data, 1, rest.size, ids->out);
        ids->last = rest.data[rest.size - 1];
        ids->printed_bytes = before + piece.size;
    }
}

bool ids_take(struct ids *ids, struct slice piece)
{
    if (piece.size == 0) {
        return true;
    }
    if (ids->print == IDS_RAW) {
        pass_on(ids, piece);
    }
    ids->bytes += piece.size;
    buf_append_slice(&ids->head, piece);
    ids->is_long = ids->is_long || buf_error(&ids->head) != 0;
    ids->is_broken = ids->is_broken || !(ids->is_lines ? take_lines(ids, piece) : take_array(ids, piece));
    /* What is only passed on, or only counted, need not be an array of ids. */
    return (!ids->is_broken || ids->print != IDS_LINES) && !ferror(ids->out);
}

void ids_end(struct ids *ids)
{
    if (ids->is_lines) {
        end_line(ids);
    }
    if (ids->print == IDS_RAW && ids->last != '\n') {
        fputc('\n', ids->out);
    }
}

struct ids_counts ids_counts(const struct ids *ids)
{
    return ids->counts;
}

struct slice ids_short_answer(const struct ids *ids)
{
    return ids->is_long ? SLICE_NONE : buf_view(&ids->head);
}

struct slice ids_faults(struct ids *ids)
{
    fflush(ids->faults_out);
    return slice_make(ids->faults, ids->faults_shown == 0 ? 0 : ids->faults_size);
}
