/* The error table, expanded to look-ups by code. */
#include "base/err.h"

#include <stddef.h>

#define TEMPORARY true
#define PERMANENT false

struct row {
    int status;
    bool temporary;
    const char *code;
    const char *text;
};

static const struct row ROWS[] = {
    [0] = {200, false, "ok", "No error."},
#define ERROR(name, number, permanence, status, code, sentence) [number] = {status, permanence, code, sentence},
#include "base/errors.def"
#undef ERROR
};

static const struct row *row_of(int err)
{
    size_t number = err > 0 ? 0 : (size_t)-err;
    if (err > 0 || number >= sizeof ROWS / sizeof ROWS[0] || ROWS[number].code == NULL) {
        return &ROWS[-ERR_INTERNAL];
    }
    return &ROWS[number];
}

bool err_is_temporary(int err)
{
    return row_of(err)->temporary;
}

int err_http_status(int err)
{
    return row_of(err)->status;
}

const char *err_code(int err)
{
    return row_of(err)->code;
}

const char *err_text(int err)
{
    return row_of(err)->text;
}
