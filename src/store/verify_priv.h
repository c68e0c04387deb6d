/*
 * Inside store_verify. verify.c walks the records, verify_imports.c the imports, verify_rest.c what is
 * kept beside them, verify_lookup.c the index entries; the last also has the batched lookups that the others use.
 */
#ifndef STORE_VERIFY_PRIV_H
#define STORE_VERIFY_PRIV_H

#include "store/local_priv.h"

/* A row that must be there, and what it must say. */
struct store_expected {
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    size_t size; /* of the key in bytes[] */
    struct uuid tenant;
    struct uuid id;
    struct uuid import;
    uint8_t fingerprint[CRYPTO_MAC_BYTES];
    struct record_key index;
    bool optional; /* of a hidden record, whose unique keys another may have taken */
    bool found;
};

struct store_verifier;
/* Compares a row that was found with what was expected. */
typedef void store_compare_fn(struct store_verifier *verifier, const struct store_expected *expected,
                              struct slice value);

/* Sorted, so many at once touch each block of a file once. */
#define STORE_EXPECTED_MAX 8192

/* Lookups of one family that wait until there are enough to be sorted and made together. */
struct store_lookups {
    enum store_family family;
    store_compare_fn *compare;
    const char *missing; /* sentence with one %s, the customer */
    struct store_expected *expected;
    size_t count;
    struct slice *keys; /* each expected key once */
    size_t *first;      /* keys[i] is that of expected[first[i]] and those behind it */
};

struct store_verifier {
    struct store_local *local;
    struct store_view view;
    store_open_fn *open;
    store_problem_fn *problem;
    void *context;
    struct store_verify_counts *counts;
    int error;                     /* of a look-up on the side */
    uint64_t outcomes_created;     /* customers that the outcomes of committed imports name */
    uint64_t owned;                /* index entries that a record led to */
    struct store_lookups unique;   /* a record's unique entries */
    struct store_lookups plain;    /* a record's other entries */
    struct store_lookups indexed;  /* an index entry's record */
    struct store_lookups reported; /* an outcome's record */
};

/* Counts and tells a broken invariant; `id` is written where the sentence has its %s. */
void store_verify_problem(struct store_verifier *verifier, const char *sentence, const struct uuid *id);

int store_lookups_init(struct store_lookups *lookups, enum store_family family, store_compare_fn *compare,
                       const char *missing) MUST_CHECK;
void store_lookups_fini(struct store_lookups *lookups);
/* Room for the next; makes the waiting ones first when there is none. NULL and *err on failure. */
struct store_expected *store_lookups_next(struct store_verifier *verifier, struct store_lookups *lookups, int *err);
/* Makes all that wait. */
int store_lookups_run(struct store_verifier *verifier, struct store_lookups *lookups) MUST_CHECK;

/* Expects the entries of a record's keys; of a hidden record they may be missing. */
int store_verify_expect_keys(struct store_verifier *verifier, const struct record_header *header,
                             bool hidden) MUST_CHECK;
void store_verify_compare_holder(struct store_verifier *verifier, const struct store_expected *expected,
                                 struct slice value);
void store_verify_compare_plain(struct store_verifier *verifier, const struct store_expected *expected,
                                struct slice value);
void store_verify_compare_indexed(struct store_verifier *verifier, const struct store_expected *expected,
                                  struct slice value);
void store_verify_compare_reported(struct store_verifier *verifier, const struct store_expected *expected,
                                   struct slice value);

/* Each index entry leads to a record that has the key. Behind the records. */
int store_verify_index(struct store_verifier *verifier) MUST_CHECK;
/* Walks imports, outcomes and unfinished marks side by side. */
int store_verify_imports(struct store_verifier *verifier) MUST_CHECK;
/* Each revision, mark of a change, fault row and claim belongs to what it should. */
int store_verify_rest(struct store_verifier *verifier) MUST_CHECK;
/* Whether the customer has a revision: what its index entries say is then between two records. */
bool store_verify_revised(struct store_verifier *verifier, const struct uuid *tenant, const struct uuid *id);
/* Whether a row of the family stands under the key. A failure is kept for store_verify_rest. */
bool store_verify_has(struct store_verifier *verifier, enum store_family family, struct slice key);

#endif
