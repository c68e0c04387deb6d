/*
 * What the files of this room share: one field of a row, and the compiled header.
 *
 * A header becomes a list of leaves, the columns in the order of the tree that their pointers make. Each has its
 * whole way from the root as ready text, and knows how many containers it shares with the leaf before it. So a row
 * is one pass over the leaves that are there: close what is not shared, write the rest of the way, the value; and
 * what is absent is never opened.
 */
#ifndef CSV_CSV_PRIV_H
#define CSV_CSV_PRIV_H

#include "base/arena.h"
#include "csv/csv.h"

/* ---- field.c ---- */

enum csv_field_form {
    CSV_ABSENT,
    CSV_PLAIN,
    CSV_QUOTED,
    CSV_DOUBLED /* quoted, with doubled quotes in it */
};

struct csv_field {
    enum csv_field_form form;
    bool verbatim;     /* nothing in it has to be escaped in JSON; false for all in quotes */
    struct slice text; /* between the quotes, doubled ones not undone */
};

/* Reads the field at *at, which then is at its comma or the end. NULL, or what is wrong at *at. */
const char *csv_field_read(const char **at, const char *end, struct csv_field *field);
/* The part of a field up to a doubled quote, that quote once included; *rest is what follows. */
struct slice csv_field_part(struct slice text, struct slice *rest);
/* Sets *error to a place within the row. */
void csv_row_error(struct slice row, size_t offset, const char *reason, struct json_error *error);

/* ---- header.c ---- */

/* Behind each leaf's way stand so many bytes of memory, and behind the JSON's end as well: most ways and fields are
 * shorter and copied in this size, with whatever stands behind them. */
#define CSV_PADDING 32u

struct csv_column {
    struct slice name;    /* as the row has it, decoded */
    struct slice pointer; /* with its first slash */
    size_t at;            /* in the row */
    bool passed_over;
    uint8_t literals; /* CSV_NUMBER, CSV_BOOLEAN: fields of this column that are no strings */
};

struct csv_leaf {
    uint32_t column;
    uint32_t shared;        /* containers shared with the leaf before */
    uint32_t depth;         /* containers around it, the root's object not counted */
    const uint32_t *starts; /* where in `way` the step below that many containers begins; depth + 1 of them */
    struct slice way;       /* names and opening brackets, all but the root's */
    struct slice closing;   /* brackets, the innermost first */
};

struct csv_header {
    struct arena *arena;
    struct csv_column *columns;
    uint32_t column_count;
    uint32_t known_count;
    struct csv_leaf *leaves;
    uint32_t leaf_count;
};

#endif
