/*
 * The compiled form of a contract, and how the room's files share it. A schema becomes a graph of
 * nodes; a node holds what a value must satisfy, and pointers to the rules that only some schemas
 * have. Everything is made by compile*.c, lives in the contract's arena, and is only read afterwards.
 *
 *   names.c             texts to small numbers: member names, enums
 *   value.c             JSON values by their meaning: equality, order, length
 *   compile*.c          schema text to nodes; refuses what it doesn't know
 *   check*.c report.c   nodes over a parsed value; the only code on the batch's path
 *   places.c            what the nodes say of a place: types, secrets
 *   reply.c describe.c  the answer's shape; the contract for people
 *
 * The difficulty: a node may be reached "in place" ($ref, allOf, …), where it is one of several
 * opinions about the same value. Members are unnamed only when none of these opinions names them, so
 * the outermost node of a value decides that (enum unnamed_mode), and no other.
 */
#ifndef CONTRACT_CONTRACT_PRIV_H
#define CONTRACT_CONTRACT_PRIV_H

#include "contract/contract.h"
#include "contract/format.h"

/* A slice of a literal in a static table. */
#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    }

/* ---- names.c ---- */

struct name_slot {
    uint64_t key;     /* first and last bytes; the whole text up to 8 bytes */
    uint32_t size;    /* of the text */
    uint32_t ordinal; /* index + 1; 0: an empty slot */
    const char *text;
};

/* An immutable set of distinct texts, each with its index. */
struct names {
    const struct slice *texts;
    uint32_t count;
    uint32_t mask;
    uint32_t shift;
    const struct name_slot *slots;
};

/* First and last four bytes; all of a shorter text. */
static inline uint64_t contract_name_key(struct slice text)
{
    const uint8_t *bytes = (const uint8_t *)text.data;
    if (text.size >= 4) {
        uint32_t first;
        uint32_t last;
        memcpy(&first, bytes, sizeof first);
        memcpy(&last, bytes + text.size - 4, sizeof last);
        return (uint64_t)last << 32 | first;
    }
    if (text.size == 0) {
        return 0;
    }
    return (uint64_t)bytes[0] | (uint64_t)bytes[text.size / 2] << 8 | (uint64_t)bytes[text.size - 1] << 16;
}

static inline uint32_t contract_name_slot(const struct names *names, uint64_t key, size_t size)
{
    return (uint32_t)(((key ^ size) * 0x9E3779B97F4A7C15ull) >> names->shift);
}

/* Builds over `texts`, which must live as long. False: no memory. */
bool contract_names_build(struct names *names, const struct slice *texts, size_t count, struct arena *arena);
/* Whether texts of one size and key are the same; up to 16 bytes two loads tell. */
static inline bool contract_name_same(const char *a, const char *b, size_t size)
{
    uint64_t a_first, b_first, a_last, b_last;
    if (size <= 8) {
        return true;
    }
    if (size > 16) {
        return memcmp(a, b, size) == 0;
    }
    memcpy(&a_first, a, sizeof a_first);
    memcpy(&b_first, b, sizeof b_first);
    memcpy(&a_last, a + size - 8, sizeof a_last);
    memcpy(&b_last, b + size - 8, sizeof b_last);
    return ((a_first ^ b_first) | (a_last ^ b_last)) == 0;
}

/* Index of the text or -1. Here because every member of every customer goes through it. */
static inline int contract_names_find(const struct names *names, struct slice text)
{
    uint64_t key = contract_name_key(text);
    uint32_t at = contract_name_slot(names, key, text.size);
    for (const struct name_slot *slot = &names->slots[at]; slot->ordinal != 0; slot = &names->slots[at]) {
        if (slot->key == key && slot->size == text.size && contract_name_same(slot->text, text.data, text.size)) {
            return (int)slot->ordinal - 1;
        }
        at = (at + 1) & names->mask;
    }
    return -1;
}

/* ---- value.c ---- */

/* Types as bits; a value has exactly one. 1.0 is an integer (2020-12, section 4.2.3 of the core). */
enum {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_INTEGER = 4,
    TYPE_FRACTION = 8, /* a number that is no integer */
    TYPE_STRING = 16,
    TYPE_ARRAY = 32,
    TYPE_OBJECT = 64,
    TYPE_NUMBER = TYPE_INTEGER | TYPE_FRACTION,
    TYPE_ANY = 127
};

uint8_t contract_value_type(const struct json_doc *doc, json_at at);
/* Same JSON value (core section 4.2.2): numbers by value, members in any order. */
bool contract_value_equal(const struct json_doc *a, json_at at_a, const struct json_doc *b, json_at at_b);
/* Exact order of two numbers: negative, 0 or positive. */
int contract_value_compare_numbers(const struct json_doc *a, json_at at_a, const struct json_doc *b, json_at at_b);
/* Unicode code points of valid UTF-8. */
size_t contract_value_length(struct slice text);
/* The longest start of `text` of at most `size` bytes that cuts no code point. */
struct slice contract_value_cut(struct slice text, size_t size);

/* ---- the compiled form ---- */

enum value_class { CLASS_OPEN, CLASS_PERSONAL, CLASS_SECRET };

/* Who reports members that no schema names. */
enum unnamed_mode {
    UNNAMED_IGNORED, /* nobody: additionalProperties is stated, or there are no properties */
    UNNAMED_OWN,     /* this node's own properties are all there are */
    UNNAMED_TREE     /* this node and those in place of it together */
};

/* A list of allowed values: enum, const, the values of x-privileged. */
struct choice {
    struct names strings;
    const json_at *values; /* the others, in the contract's own text */
    size_t value_count;
    const json_at *listed; /* all, in the order of the file */
    size_t listed_count;
};

struct member {
    struct slice name;
    const struct node *node; /* NULL: only required, not in properties */
    bool required;
};

struct object_rules {
    struct names names;
    struct member *members;
    uint32_t required_count;
    uint32_t named_count;          /* members with a node stand first */
    uint32_t count_min, count_max; /* of members */
    bool has_properties;
    const struct node *additional; /* NULL: not stated */
};

struct array_rules {
    const struct node **prefix;
    size_t prefix_count;
    const struct node *items;      /* NULL: not stated */
    uint32_t count_min, count_max; /* of elements */
};

enum bound_kind { BOUND_MINIMUM, BOUND_MAXIMUM, BOUND_ABOVE, BOUND_BELOW, BOUND_KIND_COUNT };

struct number_rules {
    json_at bounds[BOUND_KIND_COUNT]; /* in the contract's own text; 0: none */
};

struct node_list {
    const struct node **nodes;
    size_t count;
};

/* Other opinions about the same value. */
struct combination {
    struct node_list all; /* allOf and $ref */
    struct node_list any;
    struct node_list one;
    const struct node *negated;
    const struct node *condition, *then, *otherwise;
};

enum privilege_mode { PRIVILEGE_ANY, PRIVILEGE_ONLY, PRIVILEGE_EXCEPT };

struct privilege {
    uint32_t scope;
    enum privilege_mode mode;
    struct choice values;
};

struct compare {
    struct slice left, right, result;
    uint32_t scope;
};

/* One way to a name: members whose texts are joined by spaces. */
struct card_name {
    const struct slice *pointers;
    size_t count;
};

/* Annotations: what Muster learns from a value. */
struct notes {
    uint8_t identifier;   /* identifier_kind */
    uint8_t secret;       /* secret_kind */
    uint8_t card;         /* card_role */
    struct slice sibling; /* member with the wallet's namespace or the answer's question */
    struct names aliases;
    const struct slice *alias_texts; /* documented spelling of alias i */
    const struct slice *alias_json;  /* the same as JSON */
    const struct privilege *privilege;
    const struct compare *compare;
    const struct card_name *card_names;
    size_t card_name_count;
    struct slice card_defaults[CARD_ROLE_COUNT]; /* of cards that no member gives; empty: none */
    bool has_card_defaults;
};

struct node {
    uint8_t types;          /* bits a value may have */
    uint8_t class;          /* enum value_class */
    uint8_t unnamed;        /* enum unnamed_mode */
    bool never;             /* the schema false */
    bool filled;            /* while compiling: its schema has been read */
    uint8_t in_place_depth; /* while compiling: see compile_finish.c */
    uint32_t in_place_weight;
    json_at at;                      /* of its schema, in the contract's own text */
    uint32_t length_min, length_max; /* code points */
    const struct node *same_as;      /* nothing but a $ref; no rule points at such a node any more */
    const struct choice *choice;     /* enum */
    const struct choice *constant;   /* const */
    const struct format *format;
    const struct notes *notes;
    struct object_rules *object;
    struct array_rules *array;
    const struct number_rules *number;
    struct combination *combination;
    struct node *next; /* all nodes of a contract */
};

/* Reply texts: parts of ready JSON with a place for an id or the tenant between them. */
struct reply_part {
    struct slice text;
    bool has_value; /* followed by the value of this text's placeholder */
};

struct reply_text {
    struct reply_part parts[4];
    size_t count;
};

struct contract {
    struct contract_info info;
    struct arena *arena;
    struct json_parser *parser; /* holds doc */
    struct json_doc doc;        /* the contract's own text: enums and bounds point into it */
    bool bare;                  /* a schema, no contract file */
    const struct node *item;
    const struct node *envelope; /* NULL: none */
    struct node *nodes;
    struct reply_text head, element, tail;
};

/* The name of a class as x-class spells it. */
extern const char *const CONTRACT_CLASS_TEXTS[3];

/* True when the value is one of the list's. */
bool contract_choice_has(const struct contract *contract, const struct choice *choice, const struct json_doc *doc,
                         json_at at);

/* The node of that member among all opinions about an object, or NULL (compile_finish.c). */
const struct node *contract_node_member(const struct node *node, struct slice name);

#endif
