/*
 * The imports that are not committed: open ones, and aborted ones that are not yet swept. What is
 * not in this set is committed. The set is small, immutable and counted by reference; a change
 * makes the next one. Any thread may hold and search a set; who changes the current one holds the
 * local store's commit lock.
 */
#ifndef STORE_UNFINISHED_PRIV_H
#define STORE_UNFINISHED_PRIV_H

#include <stdatomic.h>

#include "store/store.h"

struct store_unfinished {
    struct uuid tenant;
    struct uuid import;
    uint8_t state; /* import_state: OPEN or ABORTED; 0 in a change: take it out of the set */
    bool wrote;    /* it has outcome rows, so aborting it leaves something to sweep */
    bool refused;  /* a chunk of it that had to be whole was refused: it can't be committed */
};

struct store_unfinished_set {
    atomic_size_t holders;
    size_t count;
    struct store_unfinished entries[]; /* in order of tenant and import */
};

/* The set with no entry. NULL: no memory. */
struct store_unfinished_set *store_unfinished_new(void);
/* The next set: `old` with the changes made, one each import. NULL: no memory. */
struct store_unfinished_set *store_unfinished_change(const struct store_unfinished_set *old,
                                                     const struct store_unfinished *changes, size_t count);
struct store_unfinished_set *store_unfinished_hold(struct store_unfinished_set *set);
/* Frees it with the last holder; clears the pointer. */
void store_unfinished_release(struct store_unfinished_set **set);
/* The import's entry; NULL when it is committed or unknown. */
const struct store_unfinished *store_unfinished_find(const struct store_unfinished_set *set, const struct uuid *tenant,
                                                     const struct uuid *import);

#endif
