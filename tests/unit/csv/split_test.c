/*
 * Rows of CSV: every row of the tables is given whole, in pieces of every size, and cut in two at every byte; all of
 * them must tell the same rows, places and refusal. Long rows put every byte on every side of a block's edge.
 */
#include "../test.h"

#include <stdlib.h>

#include "csv/csv.h"

struct row {
    struct slice body;
    struct slice rows;    /* each with its offset, line and column in front: "[0:1:1]a,b" */
    struct slice refused; /* "offset:line:column"; empty: taken */
};

/* clang-format off */
#define LITERAL(text) {(text), sizeof(text) - 1}
#define TAKEN(body, rows) {LITERAL(body), LITERAL(rows), LITERAL("")}
#define REFUSED(body, place) {LITERAL(body), LITERAL(""), LITERAL(place)}
/* clang-format on */

static const struct row ROWS[] = {
    TAKEN("", ""),
    TAKEN("\n", ""),
    TAKEN("\r\n\r\r\n\n", ""),
    TAKEN("a", "[0:1:1]a"),
    TAKEN("a,b\n", "[0:1:1]a,b"),
    TAKEN("a,b\n1,2\n3,4", "[0:1:1]a,b[4:2:1]1,2[8:3:1]3,4"),
    TAKEN("a,b\r\n1,2\r\n3,4\r\n", "[0:1:1]a,b[5:2:1]1,2[10:3:1]3,4"),
    TAKEN("a,b\r1,2\r3,4\r", "[0:1:1]a,b[4:2:1]1,2[8:3:1]3,4"),
    TAKEN("a\n\n\r\n\r\rb\n\rc", "[0:1:1]a[7:6:1]b[10:8:1]c"),
    TAKEN(" a , b \n", "[0:1:1] a , b "),
    TAKEN(",\n,,\n", "[0:1:1],[2:2:1],,"),
    TAKEN("\"a\"\n", "[0:1:1]\"a\""),
    TAKEN("\"\"\n\"\"\n", "[0:1:1]\"\"[3:2:1]\"\""),
    TAKEN("\"\"\"\"\n\"\"\"\"\"\"", "[0:1:1]\"\"\"\"[5:2:1]\"\"\"\"\"\""),
    TAKEN("\"a,b\",c\n", "[0:1:1]\"a,b\",c"),
    TAKEN("\"a\nb\",c\nd\n", "[0:1:1]\"a\nb\",c[8:3:1]d"),
    TAKEN("\"a\r\nb\rc\n\n\",d\r\ne\r\n", "[0:1:1]\"a\r\nb\rc\n\n\",d[14:6:1]e"),
    TAKEN("\"a\r\"\n\"\nb\"\n", "[0:1:1]\"a\r\"[5:3:1]\"\nb\""),
    TAKEN("\"a \"\"b\"\",\n\"\"\",c\nd", "[0:1:1]\"a \"\"b\"\",\n\"\"\",c[16:3:1]d"),
    TAKEN("x,\"\",\"y\"\r\n", "[0:1:1]x,\"\",\"y\""),
    /* a byte order mark counts in the offset and stands in no column */
    TAKEN("\xEF\xBB\xBF"
          "a\nb",
          "[3:1:1]a[5:2:1]b"),
    TAKEN("\xEF\xBB\xBF\"a\nb\"\nc", "[3:1:1]\"a\nb\"[9:3:1]c"),
    TAKEN("\xEF\xBB\xBF", ""),
    TAKEN("a\n\xEF\xBB\xBF"
          "b\n",
          "[0:1:1]a[2:2:1]\xEF\xBB\xBF"
          "b"),
    TAKEN("\xEF\xBB,b\nc", "[0:1:1]\xEF\xBB,b[5:2:1]c"),
    TAKEN("\xEF\nc", "[0:1:1]\xEF[2:2:1]c"),
    TAKEN("a\0b\n\0", "[0:1:1]a\0b[4:2:1]\0"),
    REFUSED("a\"b\n", "1:1:2"),
    REFUSED("a,b\nc,d \"e\"\n", "8:2:5"),
    REFUSED(" \"a\"\n", "1:1:2"),
    REFUSED("\"a\"b\n", "3:1:4"),
    REFUSED("\"a\" \n", "3:1:4"),
    REFUSED("\"a\" \"b\"\n", "3:1:4"),
    REFUSED("\"a\"\"\"b", "5:1:6"),
    REFUSED("\"a\nb\"c\n", "5:2:3"),
    REFUSED("x\n\"a\r\nb\r\",\"c\"d\n", "13:4:6"),
    REFUSED("\xEF\"\n", "1:1:2"),
    REFUSED("\"", "0:1:1"),
    REFUSED("a,\"b\nc,d\ne,f\n", "2:1:3"),
    REFUSED("a\n\"b\nc\",\"\"\"d\n", "8:3:4"),
    REFUSED("a\n\"b\"\"", "2:2:1"),
};

static void tell_place(struct csv_splitter *splitter, struct buf *rows, size_t *open_at)
{
    struct json_error at = csv_splitter_item(splitter);
    struct buf row = {0};
    buf_append(&row, rows->data + *open_at, rows->size - *open_at);
    rows->size = *open_at;
    buf_printf(rows, "[%zu:%u:%u]", at.offset, at.line, at.column);
    buf_append_slice(rows, buf_view(&row));
    *open_at = rows->size;
    buf_fini(&row);
}

/* Gives the first piece of `first` bytes, the others of `size`. */
static int split(struct slice body, size_t first, size_t size, struct buf *rows, struct json_error *error)
{
    struct csv_splitter *splitter = csv_splitter_new();
    enum json_split_event event = JSON_SPLIT_MORE;
    size_t open_at = 0;
    bool open;
    assert_non_null(splitter);
    buf_append_text(rows, "");
    for (size_t next = first; body.size > 0 && event != JSON_SPLIT_ERROR; next = size) {
        struct slice piece = slice_make(body.data, next < body.size ? next : body.size), bytes;
        body = slice_from(body, piece.size);
        while ((event = csv_splitter_next(splitter, &piece, &bytes)) != JSON_SPLIT_MORE && event != JSON_SPLIT_ERROR) {
            assert_true(event == JSON_SPLIT_ITEM_END || bytes.size > 0);
            buf_append_slice(rows, bytes);
            if (event == JSON_SPLIT_ITEM_END) {
                tell_place(splitter, rows, &open_at);
            }
        }
        assert_true(event == JSON_SPLIT_ERROR || piece.size == 0);
    }
    int err = csv_splitter_end(splitter, &open);
    assert_true(err == 0 || !open);
    if (open) {
        tell_place(splitter, rows, &open_at);
    }
    assert_int_equal(csv_splitter_error(splitter, error), err);
    csv_splitter_free(&splitter);
    assert_null(splitter);
    return err;
}

static void check(const struct row *row, size_t first, size_t size)
{
    struct buf rows = {0}, place = {0};
    struct json_error error;
    int err = split(row->body, first, size, &rows, &error);
    if (err != 0) {
        buf_printf(&place, "%zu:%u:%u", error.offset, error.line, error.column);
    }
    bool same = err != 0 ? error.reason != NULL : slice_equal(buf_view(&rows), row->rows);
    if (!same || !slice_equal(buf_view(&place), row->refused)) {
        fail_msg("%.*s in %zu, %zu: %.*s %.*s", SLICE_ARG(row->body), first, size, SLICE_ARG(buf_view(&rows)),
                 SLICE_ARG(buf_view(&place)));
    }
    assert_true(err == 0 || err == ERR_MALFORMED_CSV);
    buf_fini(&rows);
    buf_fini(&place);
}

static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        for (size_t piece = 1; piece <= ROWS[i].body.size + 1; piece++) {
            check(&ROWS[i], piece, piece);
            check(&ROWS[i], piece, ROWS[i].body.size + 1);
        }
    }
}

/* The tables again behind a first row that grows: every byte stands at every place of a block. */
static void test_every_alignment(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        if (ROWS[i].body.size > 0 && ROWS[i].body.data[0] == '\xEF') {
            continue;
        }
        for (size_t fill = 0; fill < 66; fill++) {
            /* within one quoted field, so that the table's bytes go on in the same row's blocks */
            struct buf body = {0}, whole = {0}, pieces = {0};
            struct json_error error[2];
            buf_append_byte(&body, '"');
            for (size_t j = 0; j < fill; j++) {
                buf_append_text(&body, j % 5 == 4 ? "\n" : "x");
            }
            buf_append_text(&body, "\",");
            buf_append_slice(&body, ROWS[i].body);
            int err = split(buf_view(&body), body.size, body.size, &whole, &error[0]);
            assert_int_equal(split(buf_view(&body), 1, 1, &pieces, &error[1]), err);
            assert_true(err != 0 || slice_equal(buf_view(&whole), buf_view(&pieces)));
            assert_int_equal(error[0].offset, error[1].offset);
            assert_int_equal(error[0].line, error[1].line);
            assert_int_equal(error[0].column, error[1].column);
            assert_int_equal(err != 0, ROWS[i].refused.size > 0);
            if (err != 0) {
                size_t offset = (size_t)strtoul(ROWS[i].refused.data, NULL, 10);
                assert_int_equal(error[0].offset, offset + fill + 3);
            }
            buf_fini(&body);
            buf_fini(&whole);
            buf_fini(&pieces);
        }
    }
}

/* A whole row in one piece is one event, and the event is a range of the piece. */
static void test_events(void **state)
{
    (void)state;
    static const char BODY[] = "a,b\r\n\r\n\"1\",2\nx";
    struct csv_splitter *splitter = csv_splitter_new();
    struct slice piece = SLICE(BODY), bytes;
    bool open;
    assert_int_equal(csv_splitter_next(splitter, &piece, &bytes), JSON_SPLIT_ITEM_END);
    assert_true(bytes.data == BODY && bytes.size == 3);
    assert_int_equal(csv_splitter_next(splitter, &piece, &bytes), JSON_SPLIT_ITEM_END);
    assert_true(bytes.data == BODY + 7 && bytes.size == 5);
    assert_int_equal(csv_splitter_next(splitter, &piece, &bytes), JSON_SPLIT_PART);
    assert_true(bytes.data == BODY + 13 && bytes.size == 1);
    assert_int_equal(csv_splitter_next(splitter, &piece, &bytes), JSON_SPLIT_MORE);
    assert_int_equal(csv_splitter_end(splitter, &open), 0);
    assert_true(open);
    csv_splitter_free(&splitter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_every_alignment),
        cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
