/* What the format tests share: rows of text and verdict, and a runner that names the row that fails. */
#ifndef TESTS_UNIT_CONTRACT_FORMAT_ROWS_H
#define TESTS_UNIT_CONTRACT_FORMAT_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "contract/format.h"

struct format_row {
    const char *text;
    bool fits;
    size_t size; /* 0: up to the text's NUL */
};

/* The text stands at the end of its own allocation, so that a read behind it is seen. */
static inline bool format_run_exact(bool (*test)(struct slice), const char *text, size_t size)
{
    char *copy = malloc(size == 0 ? 1 : size);
    assert_non_null(copy);
    memcpy(copy, text, size);
    bool fits = test(slice_make(copy, size));
    free(copy);
    return fits;
}

static inline void format_run_rows(const char *name, const struct format_row *rows, size_t count)
{
    const struct format *format = format_find(slice_from_text(name));
    assert_non_null(format);
    assert_string_equal(format->name, name);
    assert_true(strlen(format->expected) > 0);
    for (size_t i = 0; i < count; i++) {
        size_t size = rows[i].size != 0 ? rows[i].size : strlen(rows[i].text);
        if (format_run_exact(format->test, rows[i].text, size) != rows[i].fits)
            fail_msg("%s: row %zu: \"%s\" should %sfit", name, i, rows[i].text, rows[i].fits ? "" : "not ");
    }
}

#define FORMAT_RUN_ROWS(name, rows) format_run_rows(name, rows, sizeof(rows) / sizeof((rows)[0]))

#endif
