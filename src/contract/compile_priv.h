/*
 * Between the compile*.c files: the state of one compilation, the schema being read, and the places
 * that error texts name. The first error is kept; after it every step does nothing that matters, and
 * contract_compile answers it at the end.
 */
#ifndef CONTRACT_COMPILE_PRIV_H
#define CONTRACT_COMPILE_PRIV_H

#include "contract/contract_priv.h"

/* In-place opinions about one value that may be nested; keeps check's recursion short. */
#define IN_PLACE_DEPTH_MAX 16u
/* In-place opinions about one value altogether; keeps check's time short. */
#define IN_PLACE_WEIGHT_MAX 4096u

/* A place in the file, from the innermost token outwards. */
struct trail {
    const struct trail *parent; /* NULL: the outermost */
    struct slice name;          /* a member; for the outermost a ready pointer */
    size_t index;               /* an element when name.data is NULL */
};

/* A schema that a $ref names and that is not read yet. */
struct pending {
    struct pending *next;
    json_at at;
    struct slice pointer;
};

struct compiler {
    struct contract *contract;
    const struct json_doc *doc;
    struct arena *arena;
    struct buf *why;
    int error;
    struct node **nodes; /* by place on the tape */
    struct pending *pending;
};

/* A schema being read, its rules still writable. */
struct schema {
    struct node *node;
    json_at at;
    const struct trail *trail;
    struct object_rules *object;
    struct array_rules *array;
    struct number_rules *number;
    struct combination *combination;
    struct notes *notes;
    json_at properties, required, privileged, secret; /* read last; 0: not there */
    const struct node *reference;
    bool has_others; /* keywords besides $ref that matter */
};

/* Records the first error: "<place>: <reason>". */
void contract_compile_fail(struct compiler *compiler, const struct trail *trail, const char *reason, ...)
    __attribute__((format(printf, 3, 4)));
/* Same, for a word that is not one of those known; names the nearest. */
void contract_compile_unknown(struct compiler *compiler, const struct trail *trail, const char *what, struct slice word,
                              const struct slice *known, size_t known_count);

/* Same, for a place on the tape; used when no trail leads there any more. */
void contract_compile_fail_at(struct compiler *compiler, json_at at, const char *reason);

/* Zeroed memory of the contract; NULL after a failure, which is recorded. */
void *contract_compile_take(struct compiler *compiler, size_t count, size_t size);

/* The node of the schema at this place; reads it unless that was done. NULL after an error. */
const struct node *contract_compile_node(struct compiler *compiler, json_at at, const struct trail *trail);
/* The node of a place that contract_compile_pending reads. */
const struct node *contract_compile_later(struct compiler *compiler, json_at at, struct slice pointer);
/* Reads what was only pointed at. */
void contract_compile_pending(struct compiler *compiler);

/* Values of keywords, checked: false (and an error) when they are something else. */
bool contract_compile_string(struct compiler *compiler, json_at at, const struct trail *trail, struct slice *text);
bool contract_compile_count(struct compiler *compiler, json_at at, const struct trail *trail, uint32_t *count);
bool contract_compile_choice(struct compiler *compiler, json_at at, const struct trail *trail, struct choice *choice);
/* An array of distinct strings. */
bool contract_compile_strings(struct compiler *compiler, json_at at, const struct trail *trail, struct slice **texts,
                              size_t *count);

typedef void (*keyword_read)(struct compiler *compiler, struct schema *schema, json_at value,
                             const struct trail *trail);

struct keyword {
    const char *name;
    keyword_read read; /* NULL: an annotation that changes nothing */
};

/* The keywords of compile_keywords.c and of compile_notes.c. */
extern const struct keyword CONTRACT_KEYWORDS[];
extern const size_t CONTRACT_KEYWORD_COUNT;
extern const struct keyword CONTRACT_NOTES[];
extern const size_t CONTRACT_NOTE_COUNT;

/* After all keywords of a schema have been read: what depends on several of them. */
void contract_compile_members(struct compiler *compiler, struct schema *schema);
void contract_compile_notes(struct compiler *compiler, struct schema *schema);

/* After all schemas: in-place depth, unnamed members, places of secrets and names. */
void contract_compile_finish(struct compiler *compiler);

#endif
