/*
 * The answer of an import on its way to stdout: an id a line in the order of the items, an empty line for a
 * refused one. It passes through; neither it nor its ids are held. When an answer breaks off and the same
 * request is answered again, what was printed before is not printed twice. One thread.
 */
#ifndef CLI_IDS_H
#define CLI_IDS_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/slice.h"

struct ids;

enum ids_print {
    IDS_LINES, /* an id a line */
    IDS_RAW,   /* the answer as it is */
    IDS_NONE   /* only counted */
};

struct ids_counts {
    uint64_t kept;
    uint64_t refused;
};

/* NULL: no memory. */
struct ids *ids_new(enum ids_print print, FILE *out);
void ids_free(struct ids **ids);
/* An answer begins, the first or once more: lines of outcomes (NDJSON), or JSON with the array of ids at that
 * JSON Pointer. False: no memory. */
bool ids_begin(struct ids *ids, bool is_lines, struct slice pointer);
/* Takes a piece of it. False when it is not what was announced, or stdout takes no more. */
bool ids_take(struct ids *ids, struct slice piece);
/* The answer is whole: its last line may lack a line break. */
void ids_end(struct ids *ids);
/* Of the answer that was taken last. */
struct ids_counts ids_counts(const struct ids *ids);
/* The whole answer, when it was short; else empty. */
struct slice ids_short_answer(const struct ids *ids);
/* The first faults that lines told, ready to be shown. */
struct slice ids_faults(struct ids *ids);

#endif
