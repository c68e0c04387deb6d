/* What the tests of compile*.c share: a text that does not compile, and how the reason must begin. */
#ifndef TESTS_UNIT_CONTRACT_COMPILE_ROWS_H
#define TESTS_UNIT_CONTRACT_COMPILE_ROWS_H

#include "contract/check_run.h"

struct compile_row {
    const char *text;
    const char *why; /* how it begins */
};

static inline void compile_rows(const struct compile_row *rows, size_t count, bool bare)
{
    for (size_t i = 0; i < count; i++) {
        struct buf text, why;
        struct contract *contract = (void *)&text;
        buf_init(&text, 0);
        buf_init(&why, 0);
        buf_append_text(&text, rows[i].text);
        int err = bare ? contract_compile_schema(buf_view(&text), &contract, &why)
                       : contract_compile(buf_view(&text), &contract, &why);
        buf_append_byte(&why, 0);
        if (err != ERR_CONTRACT || strncmp(why.data, rows[i].why, strlen(rows[i].why)) != 0) {
            fail_msg("row %zu: %s gives %d \"%s\", not \"%s\"", i, rows[i].text, err, why.data, rows[i].why);
        }
        assert_null(contract);
        buf_fini(&text);
        buf_fini(&why);
    }
}

/* `bare`: the texts are schemas, not contract files. */
#define COMPILE_ROWS(rows, bare) compile_rows(rows, sizeof(rows) / sizeof((rows)[0]), bare)

#endif
