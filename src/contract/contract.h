/*
 * A wire contract, compiled from its file: where a body's items stand, what an item must look like,
 * what Muster learns from it, and the shape of the answer. Compiled once at start to a flat program;
 * immutable and shared by all threads afterwards. docs/contracts.md describes the file.
 *
 * Two levels: a breach of the contract is a fault (the item is refused); a breach of quality
 * (format, unnamed member) is a finding (the item is kept), or a fault under strict validation.
 */
#ifndef CONTRACT_CONTRACT_H
#define CONTRACT_CONTRACT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/kinds.h"
#include "base/slice.h"
#include "json/json.h"

struct contract;

/* What the other rooms ask about a contract; views into it. */
struct contract_info {
    uint8_t number;             /* kept in records; never changes for a contract */
    struct slice name;          /* "cyrexa" */
    struct slice title;         /* "Cyrexa createBulk" */
    struct slice path;          /* "/customer/1.0.0/createBulk" */
    struct slice items;         /* JSON Pointer of the items' array in the body; empty: the root */
    struct slice tenant_header; /* header that must name the token's tenant; empty: none */
    struct slice token_header;  /* header with a tenant token; empty: none */
    struct slice project;       /* JSON Pointer of the project in the envelope; empty: none */
    struct slice type;          /* JSON Pointer of the customers' type in the envelope; empty: none */
    bool has_envelope;          /* the items stand in an object with other members */
    struct slice problem_text;  /* member of a problem document that repeats `detail` ("error", "message") */
};

/* Compiles a contract file. 0; ERR_CONTRACT with place and reason appended to *why; ERR_NO_MEMORY. */
int contract_compile(struct slice text, struct contract **contract, struct buf *why) MUST_CHECK;
/* Compiles a bare JSON Schema (2020-12 subset) as the contract of a single item. */
int contract_compile_schema(struct slice text, struct contract **contract, struct buf *why) MUST_CHECK;
void contract_free(struct contract **contract);
const struct contract_info *contract_info(const struct contract *contract);
/* Appends what the compiled contract holds, for people: members, types, annotations. */
void contract_describe(const struct contract *contract, struct buf *out);

/* ---- the answer's shape ---- */
void contract_reply_head(const struct contract *contract, struct slice tenant, struct buf *out);
void contract_reply_item(const struct contract *contract, bool first, struct slice customer_id, struct buf *out);
void contract_reply_tail(const struct contract *contract, struct slice tenant, struct buf *out);

/* ---- checking ---- */

/* One fault or finding. Texts name members and allowed values, never what the client sent in a
 * member of class personal or secret. */
struct contract_fault {
    const char *code;     /* stable, static: "type", "enum", "required", "format", "unnamed-member", … */
    struct slice pointer; /* JSON Pointer within the item (or the envelope) */
    struct slice detail;  /* a sentence that says what to do */
    struct slice hint;    /* the nearest allowed value or member name; may be empty */
};

/* Something Muster learns from an item. `at` is its place on the tape. */
struct contract_fact {
    enum contract_fact_role { FACT_IDENTIFIER, FACT_CARD, FACT_SECRET } role;
    uint8_t kind; /* identifier_kind, card_role or secret_kind */
    json_at at;
    struct slice value;   /* view of the parsed text */
    struct slice context; /* wallet: its namespace; secret answer: its question; else empty */
    struct slice pointer; /* JSON Pointer of a secret; else empty */
};

struct contract_result {
    struct contract_fault *faults;
    size_t fault_count; /* listed */
    size_t fault_total; /* found */
    struct contract_fault *findings;
    size_t finding_count;
    struct contract_fact *facts;
    size_t fact_count;
    /* Changes to make when the document is kept: secrets out, aliases in their documented spelling,
     * results of compared codes. In tape order, ready for json_append_minified. */
    struct json_edit *edits;
    size_t edit_count;
};

struct contract_options {
    uint32_t scopes;    /* of the token, for privileged members */
    bool strict;        /* findings are faults */
    size_t fault_limit; /* how many faults to list */
};

/* Runs the item's program over the parsed value. The result and its texts live in `arena`.
 * 0 or ERR_NO_MEMORY; faults are in the result. Thread-safe: all state is in the arguments. */
int contract_check_item(const struct contract *contract, const struct json_doc *doc,
                        const struct contract_options *options, struct arena *arena,
                        struct contract_result *result) MUST_CHECK;
/* The same for the envelope (its array replaced by []). */
int contract_check_envelope(const struct contract *contract, const struct json_doc *doc,
                            const struct contract_options *options, struct arena *arena,
                            struct contract_result *result) MUST_CHECK;

/* ---- the same item in other forms ---- */

/* What the item's schema lets stand at a JSON Pointer, as bits; 0 when it says nothing about that place. Array
 * indexes stand for any element. */
enum contract_type_bit {
    CONTRACT_TYPE_STRING = 1,
    CONTRACT_TYPE_NUMBER = 2,
    CONTRACT_TYPE_INTEGER = 4,
    CONTRACT_TYPE_BOOLEAN = 8,
    CONTRACT_TYPE_NULL = 16,
    CONTRACT_TYPE_OBJECT = 32,
    CONTRACT_TYPE_ARRAY = 64
};
unsigned contract_item_types(const struct contract *contract, struct slice pointer);
/* Whether that place of an item is of class secret, or below such a place. */
bool contract_item_is_secret(const struct contract *contract, struct slice pointer);
/* Whether the envelope's schema names this member (not the items' array). */
bool contract_envelope_names(const struct contract *contract, struct slice name);
/* Edits, for json_append_minified, that blank every value of class secret of an item, whatever its type, under
 * documented names and aliases: strings become "", others null. They live in the arena. 0 or ERR_NO_MEMORY. */
int contract_blank_secrets(const struct contract *contract, const struct json_doc *doc, struct arena *arena,
                           struct json_edit **edits, size_t *count) MUST_CHECK;

#endif
