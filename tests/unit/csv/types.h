/* The types that the tests' headers take: what a column's name ends in. */
#ifndef TESTS_UNIT_CSV_TYPES_H
#define TESTS_UNIT_CSV_TYPES_H

#include "csv/csv.h"

static inline bool types_ends(struct slice text, const char *tail)
{
    size_t size = strlen(tail);
    return text.size >= size && memcmp(text.data + text.size - size, tail, size) == 0;
}

/* `context`: a struct buf that gathers the pointers asked for, or NULL. */
static inline unsigned types_by_name(void *context, struct slice pointer)
{
    if (context != NULL) {
        buf_append_slice(context, pointer);
        buf_append_byte(context, ' ');
    }
    return types_ends(pointer, "Number")   ? CSV_NUMBER
           : types_ends(pointer, "Truth")  ? CSV_BOOLEAN
           : types_ends(pointer, "Either") ? CSV_NUMBER | CSV_BOOLEAN
           : types_ends(pointer, "Mixed")  ? CSV_NUMBER | CSV_STRING
           : types_ends(pointer, "Odd")    ? 0
                                           : CSV_STRING;
}

#endif
