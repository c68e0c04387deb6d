/*
 * Between check*.c and report.c: the state of one check. Everything lives on the caller's stack or in
 * the caller's arena; a clean item takes room for its facts and edits only.
 *
 * Quiet means: inside a branch of anyOf, oneOf, not or if, whose faults are nobody's business but
 * that keyword's. There faults are only counted, and facts, edits and findings of a branch that does
 * not hold are taken back.
 */
#ifndef CONTRACT_CHECK_PRIV_H
#define CONTRACT_CHECK_PRIV_H

#include "contract/contract_priv.h"

/* Secrets that one customer may have; a row of secrets holds no more. */
#define CHECK_SECRETS_MAX 64u

/* Where a value stands, from the inside out; on the stack of the walk. */
struct place {
    const struct place *parent; /* NULL: the item itself */
    json_at at;                 /* the value */
    struct slice name;          /* of a member; data NULL: an element */
    uint32_t index;             /* of an element */
};

/* A fault or finding with what orders it. */
struct noted {
    json_at at;
    uint32_t order;
    struct contract_fault fault;
};

/* A list in the arena that doubles when full. */
struct vector {
    void *items;
    size_t count;
    size_t capacity;
};

struct checker {
    const struct contract *contract;
    const struct json_doc *doc;
    const struct contract_options *options;
    struct arena *arena;
    struct vector faults;   /* struct noted, in order */
    struct vector findings; /* struct noted */
    struct vector facts;    /* struct contract_fact */
    struct vector edits;    /* struct json_edit */
    size_t fault_total;
    unsigned quiet;      /* branches around us */
    size_t quiet_faults; /* of the innermost branch */
    bool want_reason;    /* keep the first quiet fault's sentence */
    struct slice reason;
    struct buf text; /* scratch for sentences */
};

/* One more item at the end of a vector, zeroed; NULL when memory ran out (the arena remembers). */
void *contract_vector_add(struct checker *checker, struct vector *vector, size_t item_size);

/* ---- check.c ---- */

/* Runs a node over the value at `place`. `outermost`: not as one of several opinions. */
void contract_check_value(struct checker *checker, const struct node *node, const struct place *place, bool outermost);

/* ---- check_combine.c ---- */

void contract_check_combination(struct checker *checker, const struct node *node, const struct place *place);

/* ---- check_notes.c ---- */

/* A string's annotations; `text` is its documented spelling, `alias` that alias's index or -1. */
void contract_check_text_notes(struct checker *checker, const struct node *node, const struct place *place,
                               struct slice text, int alias);
/* Those of values of any type. */
void contract_check_privilege(struct checker *checker, const struct node *node, const struct place *place,
                              struct slice text);
/* Those of an object, when its members have been walked. */
void contract_check_object_notes(struct checker *checker, const struct node *node, const struct place *place);

/* ---- report.c ---- */

enum level { LEVEL_CONTRACT, LEVEL_QUALITY };

/*
 * Counts a fault or finding. True when its sentence is wanted: checker->text then begins with the
 * value's name, the caller appends the rest and calls contract_report_end.
 */
bool contract_report_begin(struct checker *checker, const struct place *place, enum level level);
void contract_report_end(struct checker *checker, const struct place *place, enum level level, const char *code,
                         struct slice hint);
/* Begins checker->text again with the value's name. */
void contract_report_subject(struct checker *checker, const struct place *place);
/* Both at once for a fixed sentence. */
void contract_report(struct checker *checker, const struct place *place, enum level level, const char *code,
                     const char *sentence);

void contract_report_type(struct checker *checker, const struct node *node, const struct place *place, uint8_t type);
void contract_report_choice(struct checker *checker, const struct node *node, const struct place *place,
                            const struct choice *choice, const char *code);
void contract_report_count(struct checker *checker, const struct place *place, const char *code, const char *what,
                           bool least, uint32_t limit);
void contract_report_bound(struct checker *checker, const struct place *place, enum bound_kind kind, json_at bound);
/* `expected` completes "must be …". */
void contract_report_format(struct checker *checker, const struct place *place, const char *expected);
void contract_report_missing(struct checker *checker, const struct place *place, struct slice name);
/* A member that no schema names; `node` is the object's. */
void contract_report_unnamed(struct checker *checker, const struct node *node, const struct place *member,
                             enum level level);

/* JSON Pointer of a place, in the arena. */
struct slice contract_place_pointer(struct checker *checker, const struct place *place);

#endif
