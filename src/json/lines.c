/*
 * Newline-delimited JSON: an item is what stands on a line. Whole lines within a piece are found by memchr and cost
 * nothing else.
 *
 * The difficulty is a piece that ends in white space: only what comes later tells whether that ends the line (then
 * it is in no event) or stands within it (then it is part of the item). It is held until then. So is the start of
 * a byte order mark: what turns out to be none is the first item's.
 *
 * L1. What is told depends on the bytes of the body only, never on where it was cut: chunks of a retry must come
 *     out the same.
 * L2. Held white space is bounded: beyond the size of the largest item the rest of it is forgotten, because an item
 *     with so much of it is refused whatever else it holds.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "json/json.h"

#define HELD_BYTES_MAX (LIMIT_ITEM_BYTES + 1u)

static const char MARK[] = "\xEF\xBB\xBF";
#define MARK_SIZE 3u

struct json_lines {
    size_t mark_size; /* bytes of the mark met so far; more than MARK_SIZE: it is behind us */
    bool in_line;
    bool held_is_given; /* by the last event */
    struct buf held;
    uint64_t offset; /* of the next byte */
    uint64_t line_start;
    uint32_t line;
    struct json_error item;
};

struct json_lines *json_lines_new(void)
{
    struct json_lines *lines = calloc(1, sizeof *lines);
    if (lines != NULL) {
        buf_init(&lines->held, 0);
        lines->line = 1;
    }
    return lines;
}

void json_lines_free(struct json_lines **lines)
{
    if (*lines == NULL) {
        return;
    }
    buf_fini(&(*lines)->held);
    free(*lines);
    *lines = NULL;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static void advance(struct json_lines *lines, struct slice *piece, size_t size)
{
    *piece = slice_from(*piece, size);
    lines->offset += size;
}

static void pass_line_feed(struct json_lines *lines, struct slice *piece)
{
    advance(lines, piece, 1);
    lines->in_line = false;
    lines->line++;
    lines->line_start = lines->offset;
}

static void begin_item(struct json_lines *lines, uint64_t offset)
{
    lines->in_line = true;
    lines->item = (struct json_error){
        .offset = offset, .line = lines->line, .column = (uint32_t)(offset - lines->line_start) + 1};
}

/* Compares the body's first bytes. True when they are no mark: those taken are then the first item's. */
static bool differs_from_mark(struct json_lines *lines, struct slice *piece)
{
    while (piece->size > 0 && lines->mark_size < MARK_SIZE) {
        if (piece->data[0] != MARK[lines->mark_size]) {
            return true;
        }
        advance(lines, piece, 1);
        lines->mark_size++;
    }
    if (lines->mark_size == MARK_SIZE) {
        lines->mark_size++;
        lines->line_start = MARK_SIZE;
    }
    return false;
}

/* To the first byte of an item; false at the piece's end. */
static bool find_item(struct json_lines *lines, struct slice *piece)
{
    while (piece->size > 0) {
        if (piece->data[0] == '\n') {
            pass_line_feed(lines, piece);
        } else if (is_blank(piece->data[0])) {
            advance(lines, piece, 1);
        } else {
            begin_item(lines, lines->offset);
            return true;
        }
    }
    return false;
}

static void hold(struct json_lines *lines, struct slice *piece, size_t size)
{
    size_t room = HELD_BYTES_MAX - lines->held.size;
    buf_append(&lines->held, piece->data, size < room ? size : room); /* L2 */
    advance(lines, piece, size);
}

/* White space is held and the piece goes on: it ends the line, or it is the item's. */
static enum json_split_event go_on_behind_held(struct json_lines *lines, struct slice *piece, struct slice *bytes)
{
    size_t size = 0;
    while (size < piece->size && is_blank(piece->data[size])) {
        size++;
    }
    hold(lines, piece, size);
    if (buf_error(&lines->held) != 0) {
        return JSON_SPLIT_ERROR;
    }
    if (piece->size == 0) {
        return JSON_SPLIT_MORE;
    }
    if (piece->data[0] == '\n') {
        buf_clear(&lines->held);
        pass_line_feed(lines, piece);
        return JSON_SPLIT_ITEM_END;
    }
    *bytes = buf_view(&lines->held);
    lines->held_is_given = true;
    return JSON_SPLIT_PART;
}

static enum json_split_event give_line(struct json_lines *lines, struct slice *piece, struct slice *bytes)
{
    const char *feed = memchr(piece->data, '\n', piece->size);
    size_t end = feed == NULL ? piece->size : (size_t)(feed - piece->data);
    size_t size = end;
    while (size > 0 && is_blank(piece->data[size - 1])) {
        size--;
    }
    *bytes = slice_make(piece->data, size);
    advance(lines, piece, size);
    if (feed != NULL) {
        advance(lines, piece, end - size);
        pass_line_feed(lines, piece);
        return JSON_SPLIT_ITEM_END;
    }
    hold(lines, piece, end - size);
    if (buf_error(&lines->held) != 0) {
        return JSON_SPLIT_ERROR;
    }
    return size > 0 ? JSON_SPLIT_PART : JSON_SPLIT_MORE;
}

enum json_split_event json_lines_next(struct json_lines *lines, struct slice *piece, struct slice *bytes)
{
    *bytes = SLICE_NONE;
    if (buf_error(&lines->held) != 0) {
        return JSON_SPLIT_ERROR;
    }
    if (lines->held_is_given) {
        buf_clear(&lines->held);
        lines->held_is_given = false;
    }
    if (lines->mark_size < MARK_SIZE && differs_from_mark(lines, piece)) {
        *bytes = slice_make(MARK, lines->mark_size);
        lines->mark_size = MARK_SIZE + 1;
        if (bytes->size > 0) {
            begin_item(lines, 0);
            return JSON_SPLIT_PART;
        }
    }
    if (piece->size == 0 || (!lines->in_line && !find_item(lines, piece))) {
        return JSON_SPLIT_MORE;
    }
    return lines->held.size > 0 ? go_on_behind_held(lines, piece, bytes) : give_line(lines, piece, bytes);
}

bool json_lines_end(struct json_lines *lines)
{
    if (lines->mark_size > 0 && lines->mark_size < MARK_SIZE) {
        lines->mark_size = MARK_SIZE + 1; /* a torn mark is no JSON: an item that is refused */
        begin_item(lines, 0);
    }
    return lines->in_line;
}

struct json_error json_lines_item(const struct json_lines *lines)
{
    return lines->item;
}
