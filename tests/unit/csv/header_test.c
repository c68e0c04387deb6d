/* Headers: what compiles and with which pointers, and what is refused where, without a word of the row in the reason.
 */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "types.h"

static int compile(struct slice row, struct slice map, struct csv_header **header, size_t *at, struct buf *why,
                   struct buf *pointers)
{
    return csv_header_compile(row, map, types_by_name, pointers, header, at, why);
}

static void test_taken(void **state)
{
    (void)state;
    static const struct {
        const char *row, *map, *pointers;
        size_t columns, known;
    } ROWS[] = {
        {"a", "", "/a ", 1, 1},
        {"a,b/c,b/d", "", "/a /b/c /b/d ", 3, 3},
        {"b/d,a,b/c", "", "/b/d /a /b/c ", 3, 3},
        {"\"a\",\"b,c\",\"d\"\"e\"", "", "/a /b,c /d\"e ", 3, 3},
        {"a/0/x,a/1/x,a/0/y", "", "/a/0/x /a/1/x /a/0/y ", 3, 3},
        {"a/1,a/0", "", "/a/1 /a/0 ", 2, 2},
        {"0,7,a", "", "/0 /7 /a ", 3, 3},
        {"a/00,a/b", "", "/a/00 /a/b ", 2, 2},
        {"a~1b~0", "", "/a~1b~0 ", 1, 1},
        {"aOdd,b", "", "/aOdd /b ", 2, 1},
        {" a ,b", "", "/ a  /b ", 2, 2},
        {"_row,a,_code,a/_x", "a/_x=c", "/a /c ", 4, 2},
        {"_row,_row,a", "", "/a ", 3, 1},
        {"Mail,Note,c", "Mail=person/email,Note=", "/person/email /c ", 3, 2},
        {"Note,Note,c", "Note=", "/c ", 3, 1},
        {"a,b", "a=b,b=a", "/b /a ", 2, 2},
        {"_x", "_x=x", "/x ", 1, 1},
        {"a", "a=b=c", "/b=c ", 1, 1},
        {"_only", "", "", 1, 0},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct csv_header *header;
        struct buf why = {0}, pointers = {0};
        size_t at;
        int err = compile(slice_from_text(ROWS[i].row), slice_from_text(ROWS[i].map), &header, &at, &why, &pointers);
        if (err != 0 || !slice_equal_text(buf_view(&pointers), ROWS[i].pointers)) {
            fail_msg("%s, %s: %d %.*s: %.*s", ROWS[i].row, ROWS[i].map, err, SLICE_ARG(buf_view(&why)),
                     SLICE_ARG(buf_view(&pointers)));
        }
        assert_int_equal(csv_header_columns(header), ROWS[i].columns);
        assert_int_equal(csv_header_known(header), ROWS[i].known);
        csv_header_free(&header);
        assert_null(header);
        buf_fini(&why);
        buf_fini(&pointers);
    }
}

static void expect_refusal(struct slice row, const char *map, size_t place, const char *word)
{
    struct csv_header *header;
    struct buf why = {0};
    size_t at = 99;
    int err = compile(row, slice_from_text(map), &header, &at, &why, NULL);
    buf_append_byte(&why, 0);
    if (err != ERR_MALFORMED_CSV || at != place || strstr(why.data, word) == NULL || strstr(why.data, "Zuse") != NULL) {
        fail_msg("%.*s, %s: %d at %zu: %s", SLICE_ARG(row), map, err, at, why.data);
    }
    assert_null(header);
    buf_fini(&why);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *row, *map;
        size_t at;
        const char *word;
    } ROWS[] = {
        {"", "", 0, "Column 1 of the header: it has no name"},
        {"a,,b", "", 2, "Column 2 of the header: it has no name"},
        {"a,\"\"", "", 2, "no name"},
        {"a,", "", 2, "no name"},
        {"Zuse,Zuse", "", 5, "same place"},
        {"a,\"a\"", "", 2, "same place"},
        {"a~0,b", "b=a~0", 4, "same place"},
        {"Zuse,Zuse/b", "", 5, "below the place"},
        {"a/b/c,a/b", "", 6, "other columns lead below"},
        {"/a", "", 0, "no JSON Pointer"},
        {"x,a//b", "", 2, "no JSON Pointer"},
        {"x,a/", "", 2, "no JSON Pointer"},
        {"x,a~", "", 2, "no JSON Pointer"},
        {"x,a~2b", "", 2, "no JSON Pointer"},
        {"x,b", "b=/c", 2, "no JSON Pointer"},
        {"a/1", "", 0, "smaller index"},
        {"a/0,a/2,b", "", 4, "smaller index"},
        {"a/0,b,a/0000000001", "", 0, "elements and members"},
        {"a/0,b,a/99999999999999999999", "", 6, "smaller index"},
        {"x,a/0/b,a/c", "", 2, "elements and members"},
        {"a,b\"c", "", 3, "quote"},
        {"a,\"b\"c", "", 5, "closing quote"},
        {"a,\"b", "", 2, "never closed"},
        {"a", "Zuse=b", 0, "does not have"},
        {"a", "a=b,", 0, "name=pointer"},
        {"a", "a", 0, "name=pointer"},
        {"a", "=a", 0, "name=pointer"},
        {"a", "a=b,a=c", 0, "twice"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        expect_refusal(slice_from_text(ROWS[i].row), ROWS[i].map, ROWS[i].at, ROWS[i].word);
    }
}

/* `count` columns "<before><number><after>". */
static void fill(struct buf *row, size_t count, const char *before, const char *after)
{
    for (size_t i = 0; i < count; i++) {
        buf_printf(row, "%s%s%zu%s", i > 0 ? "," : "", before, i, after);
    }
}

static void test_limits(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        const char *before, *after, *word; /* NULL: taken */
    } ROWS[] = {
        {1024, "m", "", NULL},
        {1025, "m", "", "1,024 members"},
        {4096, "a/", "", NULL},
        {4097, "a/", "", "4,096 columns"},
        {200000, "a/", "", "4,096 columns"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct buf row = {0}, why = {0};
        struct csv_header *header;
        size_t at;
        fill(&row, ROWS[i].count, ROWS[i].before, ROWS[i].after);
        int err = compile(buf_view(&row), SLICE_NONE, &header, &at, &why, NULL);
        buf_append_byte(&why, 0);
        const char *word = ROWS[i].word;
        assert_int_equal(err, word == NULL ? 0 : ERR_MALFORMED_CSV);
        assert_true(word == NULL || strstr(why.data, word) != NULL);
        csv_header_free(&header);
        buf_fini(&row);
        buf_fini(&why);
    }
    struct buf row = {0};
    for (size_t i = 0; i < LIMIT_DEPTH; i++) {
        buf_append_text(&row, i == 0 ? "a" : "/a");
    }
    struct csv_header *header;
    struct buf why = {0};
    size_t at;
    assert_int_equal(compile(buf_view(&row), SLICE_NONE, &header, &at, &why, NULL), 0);
    csv_header_free(&header);
    buf_append_text(&row, "/a");
    expect_refusal(buf_view(&row), "", 0, "64 levels");
    buf_clear(&row);
    buf_printf(&row, "%01023d", 0);
    assert_int_equal(compile(buf_view(&row), SLICE_NONE, &header, &at, &why, NULL), 0);
    csv_header_free(&header);
    buf_append_byte(&row, '0');
    expect_refusal(buf_view(&row), "", 0, "1,024 bytes");
    buf_clear(&row);
    for (size_t i = 0; i < 300; i++) {
        buf_printf(&row, "%s%0900zu", i > 0 ? "," : "", i);
    }
    expect_refusal(buf_view(&row), "", 290 * 901, "256 KiB");
    buf_fini(&row);
    buf_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
