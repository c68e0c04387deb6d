/*
 * Newline-delimited JSON: every row is given whole, in pieces of every size, and cut in two at every byte; all of
 * them must tell the same items and places.
 */
#include "parsed.h"

#include <stdio.h>

#include "base/limits.h"

struct row {
    struct slice body;
    struct slice items; /* each with its offset, line and column behind it: "{}@0:1:1 " */
};

/* clang-format off */
#define LITERAL(text) {(text), sizeof(text) - 1}
#define ROW(body, items) {LITERAL(body), LITERAL(items)}
/* clang-format on */

static const struct row ROWS[] = {
    ROW("", ""),
    ROW("\n", ""),
    ROW("\r\n \t\n\n", ""),
    ROW("{}", "{}@0:1:1 "),
    ROW("{}\n", "{}@0:1:1 "),
    ROW("{}\r\n", "{}@0:1:1 "),
    ROW("{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}@0:1:1 {\"b\":2}@8:2:1 "),
    ROW("{\"a\":1}\r\n{\"b\":2}\r\n", "{\"a\":1}@0:1:1 {\"b\":2}@9:2:1 "),
    ROW("{\"a\":1}\n\n \r\n\t{\"b\":2}", "{\"a\":1}@0:1:1 {\"b\":2}@13:4:2 "),
    ROW("  {\"a\" : 1 , \"b\":\t2}  \t \n  3  ", "{\"a\" : 1 , \"b\":\t2}@2:1:3 3@27:2:3 "),
    ROW("{}  ", "{}@0:1:1 "),
    /* a carriage return that ends no line is the line's */
    ROW("1\r2\r\r\n3\r", "1\r2@0:1:1 3@6:2:1 "),
    /* a byte order mark counts in the offset and stands in no column */
    ROW("\xEF\xBB\xBF{}\n{}", "{}@3:1:1 {}@6:2:1 "),
    ROW("\xEF\xBB\xBF", ""),
    ROW("\xEF\xBB\xBF\n\xEF\xBB\xBF{}", "\xEF\xBB\xBF{}@4:2:1 "),
    /* what begins like one and is none is refused later, as JSON */
    ROW("\xEF\xBB{}\n{}", "\xEF\xBB{}@0:1:1 {}@5:2:1 "),
    ROW("\xEF \n{}", "\xEF@0:1:1 {}@3:2:1 "),
    ROW("\xEF\n", "\xEF@0:1:1 "),
    ROW("\xEF\xBB", "@0:1:1 "),
    ROW("\xC3\xBC\n\"\xC3\xBC\"\n", "\xC3\xBC@0:1:1 \"\xC3\xBC\"@3:2:1 "),
    ROW("a\0b\n\0\n", "a\0b@0:1:1 \0@4:2:1 "),
};

static void take_events(struct json_lines *lines, struct slice piece, struct buf *items)
{
    enum json_split_event event;
    struct slice bytes;
    while ((event = json_lines_next(lines, &piece, &bytes)) != JSON_SPLIT_MORE) {
        assert_int_not_equal(event, JSON_SPLIT_ERROR);
        assert_true(event == JSON_SPLIT_ITEM_END || bytes.size > 0);
        buf_append_slice(items, bytes);
        if (event == JSON_SPLIT_ITEM_END) {
            struct json_error at = json_lines_item(lines);
            buf_printf(items, "@%zu:%u:%u ", at.offset, at.line, at.column);
        }
    }
    assert_int_equal(piece.size, 0);
    assert_int_equal(bytes.size, 0);
}

/* Gives the first piece of `first` bytes, the others of `size`. */
static void split(struct slice body, size_t first, size_t size, struct buf *items)
{
    struct json_lines *lines = json_lines_new();
    assert_non_null(lines);
    for (size_t next = first; body.size > 0; next = size) {
        struct slice piece = slice_make(body.data, next < body.size ? next : body.size);
        take_events(lines, piece, items);
        body = slice_from(body, piece.size);
    }
    if (json_lines_end(lines)) {
        struct json_error at = json_lines_item(lines);
        buf_printf(items, "@%zu:%u:%u ", at.offset, at.line, at.column);
    }
    json_lines_free(&lines);
    assert_null(lines);
}

static void check(const struct row *row, size_t first, size_t size)
{
    struct buf items;
    buf_init(&items, 0);
    split(row->body, first, size, &items);
    if (!slice_equal(buf_view(&items), row->items)) {
        fail_msg("%.*s in %zu, %zu: %.*s", SLICE_ARG(row->body), first, size, SLICE_ARG(buf_view(&items)));
    }
    buf_fini(&items);
}

static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        for (size_t piece = 1; piece <= ROWS[i].body.size + 1; piece++) {
            check(&ROWS[i], piece, piece);
            check(&ROWS[i], piece, ROWS[i].body.size + 1);
        }
    }
}

/* A whole line in one piece is one event, and the event is a range of the piece. */
static void test_events(void **state)
{
    (void)state;
    static const char BODY[] = "{\"a\":1} \n\n22\n";
    struct json_lines *lines = json_lines_new();
    struct slice piece = SLICE(BODY), bytes;
    assert_int_equal(json_lines_next(lines, &piece, &bytes), JSON_SPLIT_ITEM_END);
    assert_true(bytes.data == BODY && bytes.size == 7);
    assert_int_equal(json_lines_next(lines, &piece, &bytes), JSON_SPLIT_ITEM_END);
    assert_true(bytes.data == BODY + 10 && bytes.size == 2);
    assert_int_equal(json_lines_next(lines, &piece, &bytes), JSON_SPLIT_MORE);
    assert_false(json_lines_end(lines));
    json_lines_free(&lines);
}

/* White space without end takes no memory without end, and an item around so much of it is still too large. */
static void test_held_is_bounded(void **state)
{
    (void)state;
    static char blanks[64 * 1024];
    memset(blanks, ' ', sizeof blanks);
    struct json_lines *lines = json_lines_new();
    size_t size = 0;
    struct slice piece = SLICE("["), bytes;
    assert_int_equal(json_lines_next(lines, &piece, &bytes), JSON_SPLIT_PART);
    size += bytes.size;
    for (size_t given = 0; given < 4 * LIMIT_ITEM_BYTES; given += sizeof blanks) {
        piece = slice_make(blanks, sizeof blanks);
        assert_int_equal(json_lines_next(lines, &piece, &bytes), JSON_SPLIT_MORE);
    }
    piece = SLICE("]\n");
    assert_int_equal(json_lines_next(lines, &piece, &bytes), JSON_SPLIT_PART);
    size += bytes.size;
    assert_true(size > LIMIT_ITEM_BYTES && size < LIMIT_ITEM_BYTES + 16);
    assert_int_equal(json_lines_next(lines, &piece, &bytes), JSON_SPLIT_ITEM_END);
    piece = SLICE("{}\n");
    assert_int_equal(json_lines_next(lines, &piece, &bytes), JSON_SPLIT_ITEM_END);
    assert_int_equal(json_lines_item(lines).offset, 4 * LIMIT_ITEM_BYTES + 3);
    json_lines_free(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_held_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
