/*
 * The imports that are not committed: open ones, and aborted or undone ones that are not yet swept; and those
 * that are committed and whose updates are not yet folded into the customers' records. What is not in this set
 * is committed. The set is small, immutable and counted by reference; a change
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
    uint8_t state; /* import_state: COMMITTED only with `revises`; 0 in a change: take it out of the set */
    bool wrote;    /* it has outcome rows, so aborting it leaves something to sweep */
    bool refused;  /* a chunk of it that had to be whole was refused: it can't be committed */
    bool revises;  /* it updates customers: committed it stays in the set until that is folded into their records */
    bool claimed;  /* it has an idempotency key, of this mac */
    uint8_t mac[CRYPTO_MAC_BYTES];
    int64_t touched_ms; /* when it was last gone on with, to a second; since the store was opened at the earliest */
    /* In a store of many nodes: */
    struct uuid owner; /* the node that goes on with it; zero: none does */
    bool foreign;      /* that is another node, and it lives. Not stored */
};

/* Whether what it brought is not to be seen. */
static inline bool store_unfinished_hidden(const struct store_unfinished *entry)
{
    return entry != NULL && entry->state != IMPORT_COMMITTED;
}

/* Whether what it brought is gone. */
static inline bool store_unfinished_ended(const struct store_unfinished *entry)
{
    return entry->state == IMPORT_ABORTED || entry->state == IMPORT_UNDONE;
}

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
/* The import's entry; NULL when it is committed and folded, or unknown. */
const struct store_unfinished *store_unfinished_find(const struct store_unfinished_set *set, const struct uuid *tenant,
                                                     const struct uuid *import);
/* Whether the set has committed imports of the tenant whose updates are not yet folded. */
bool store_unfinished_revises(const struct store_unfinished_set *set, const struct uuid *tenant);

#endif
