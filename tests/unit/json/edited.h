/* Edits as rows: a kind and a pointer, turned into edits of a parsed text in order of the tape. */
#ifndef TESTS_JSON_EDITED_H
#define TESTS_JSON_EDITED_H

#include "parsed.h"

#define EDITS_MAX 4

struct edit_row {
    enum json_edit_kind kind;
    const char *pointer; /* NULL: no more */
    const char *json;
    const char *name;
};

static inline size_t edits_of(const struct parsed *parsed, const struct edit_row rows[EDITS_MAX],
                              struct json_edit edits[EDITS_MAX])
{
    size_t count = 0;
    for (; count < EDITS_MAX && rows[count].pointer != NULL; count++) {
        json_at at = json_at_pointer(&parsed->doc, json_root(&parsed->doc), slice_from_text(rows[count].pointer));
        assert_int_not_equal(at, 0);
        edits[count] = (struct json_edit){rows[count].kind, at, slice_from_text(rows[count].name),
                                          slice_from_text(rows[count].json)};
    }
    return count;
}

#endif
