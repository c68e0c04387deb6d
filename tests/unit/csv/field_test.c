/* A field that is appended must be read back as the same text. */
#include "../test.h"

#include <stdlib.h>

#include "csv/csv_priv.h"

static void test_appended(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field;
    } ROWS[] = {
        {"", ""},
        {"a", "a"},
        {" a b ", " a b "},
        {"a,b", "\"a,b\""},
        {"\"", "\"\"\"\""},
        {"a\"b\"\"c", "\"a\"\"b\"\"\"\"c\""},
        {"a\nb", "\"a\nb\""},
        {"a\rb", "\"a\rb\""},
        {"\xEF\xBB\xBF"
         "a",
         "\"\xEF\xBB\xBF"
         "a\""},
        {"/a/0", "/a/0"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct buf out = {0}, back = {0};
        struct csv_field field;
        csv_append_field(&out, slice_from_text(ROWS[i].text));
        assert_true(slice_equal_text(buf_view(&out), ROWS[i].field));
        buf_append_byte(&out, ',');
        const char *at = out.data;
        assert_null(csv_field_read(&at, out.data + out.size, &field));
        assert_ptr_equal(at, out.data + out.size - 1);
        for (struct slice rest = field.text; rest.size > 0;) {
            buf_append_slice(&back, csv_field_part(rest, &rest));
        }
        assert_true(slice_equal_text(buf_view(&back), ROWS[i].text));
        buf_fini(&out);
        buf_fini(&back);
    }
}

static void test_read(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        size_t end; /* where the field ends, or what is wrong */
        bool taken;
        enum csv_field_form form;
        bool verbatim;
        const char *text;
    } ROWS[] = {
        {"", 0, true, CSV_ABSENT, true, ""},
        {",a", 0, true, CSV_ABSENT, true, ""},
        {"ab,c", 2, true, CSV_PLAIN, true, "ab"},
        {"\xC3\xBC\x7F,\\", 3, true, CSV_PLAIN, true, "\xC3\xBC\x7F"},
        {"a\\,b", 2, true, CSV_PLAIN, false, "a\\"},
        {"\x1F"
         "ab",
         3, true, CSV_PLAIN, false,
         "\x1F"
         "ab"},
        {"\"\"", 2, true, CSV_QUOTED, false, ""},
        {"\"a,b\",c", 5, true, CSV_QUOTED, false, "a,b"},
        {"\"a\"\"\",c", 5, true, CSV_DOUBLED, false, "a\"\""},
        {"a\"", 1, false, CSV_PLAIN, false, ""},
        {"\"a\"b", 3, false, CSV_PLAIN, false, ""},
        {"\"a\"\"", 0, false, CSV_PLAIN, false, ""},
        {"\"", 0, false, CSV_PLAIN, false, ""},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct slice row = slice_from_text(ROWS[i].row);
        struct csv_field field = {.verbatim = true};
        const char *at = row.data;
        const char *reason = csv_field_read(&at, row.data + row.size, &field);
        assert_int_equal(reason == NULL, ROWS[i].taken);
        assert_int_equal(at - row.data, ROWS[i].end);
        if (reason == NULL) {
            assert_int_equal(field.form, ROWS[i].form);
            assert_int_equal(field.verbatim, ROWS[i].verbatim);
            assert_true(slice_equal_text(field.text, ROWS[i].text));
        }
    }
}

/* The field's first bytes, told the slow way. */
static void check_plain(struct slice row)
{
    size_t end = 0;
    bool verbatim = true;
    while (end < row.size && row.data[end] != ',' && row.data[end] != '"') {
        verbatim = verbatim && row.data[end] != '\\' && ((unsigned char)row.data[end] > 0x1F);
        end++;
    }
    struct csv_field field = {.verbatim = !verbatim};
    const char *at = row.data;
    const char *reason = csv_field_read(&at, row.data + row.size, &field);
    assert_int_equal(at - row.data, end);
    assert_int_equal(reason == NULL, end == row.size || row.data[end] == ',');
    if (reason == NULL) {
        assert_int_equal(field.verbatim, verbatim);
        assert_int_equal(field.form, end == 0 ? CSV_ABSENT : CSV_PLAIN);
        assert_int_equal(field.text.size, end);
    }
}

/* Two bytes that mean something, at every two places of rows of every length, whatever a lane's size. */
static void test_lanes(void **state)
{
    (void)state;
    static const char MARKS[] = {',', '"', '\\', 0x1F, 0x20, (char)0x80};
    for (size_t size = 1; size <= 40; size++) {
        char *row = malloc(size); /* for a sanitizer to see its end */
        assert_non_null(row);
        for (size_t pair = 0; pair < size * size * sizeof MARKS * sizeof MARKS; pair++) {
            size_t first = pair % size;
            size_t second = pair / size % size;
            size_t mark = pair / size / size;
            memset(row, 'a', size);
            row[second] = MARKS[mark / sizeof MARKS];
            row[first] = MARKS[mark % sizeof MARKS];
            if (row[0] != '"') { /* else it is a quoted field */
                check_plain(slice_make(row, size));
            }
        }
        free(row);
    }
}

static void test_places(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        size_t offset;
        uint32_t line, column;
    } ROWS[] = {
        {"abc", 0, 1, 1},     {"abc", 3, 1, 4},         {"a\nbc", 2, 2, 1},
        {"a\r\nbc", 4, 2, 2}, {"a\rb\r\r\nc", 6, 4, 1}, {"a\r", 2, 2, 1},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct json_error error;
        csv_row_error(slice_from_text(ROWS[i].row), ROWS[i].offset, "x", &error);
        assert_int_equal(error.offset, ROWS[i].offset);
        assert_int_equal(error.line, ROWS[i].line);
        assert_int_equal(error.column, ROWS[i].column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appended),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
