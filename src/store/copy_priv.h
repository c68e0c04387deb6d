/* Copying a store, inside: copy.c (the steps), copy_merge.c (making the target the same), copy_count.c (counting and
 * digesting), copy_side.c (opening the two). */
#ifndef STORE_COPY_PRIV_H
#define STORE_COPY_PRIV_H

#include "store/format_priv.h"

/* One of the two stores. */
struct store_copy_side {
    struct store *store; /* whose key-value store it is; NULL: nobody's */
    struct store_kv *kv;
    bool shared; /* servers could open it meanwhile */
};

/* Whether the folder is one of RocksDB's. */
bool store_copy_holds_store(const char *folder);
/* ERR_NOT_FOUND, with the reason and where a store is that may have been meant. */
int store_copy_refuse(const char *folder, const char *reason, struct buf *why) MUST_CHECK;

/* The store to read from, brought in order as a start does. It must be there, whole, and in nobody's use. */
int store_copy_open_from(const char *location, struct store_copy_side *side, struct buf *why) MUST_CHECK;
/* The store to write to: there or new, whole or not. */
int store_copy_open_to(const char *location, struct store_copy_side *side, struct buf *why) MUST_CHECK;
/* Whether still nobody else has it open: 0 or ERR_BUSY. */
int store_copy_check(const struct store_copy_side *side, struct buf *why) MUST_CHECK;
void store_copy_close(struct store_copy_side *side);

struct store_copy {
    const struct store_copy_options *options;
    const struct store_copy_side *source;
    struct store_kv *from;
    struct store_kv *to;
    struct store_copy_progress progress;
    uint64_t written; /* rows put or erased */
};

/* store_copy between two stores that are open. */
int store_copy_run(struct store_copy *copy, struct store_copy_result *result, struct buf *why) MUST_CHECK;

/* Tells how far it is. Not 0: break off with it. */
int store_copy_tell(struct store_copy *copy) MUST_CHECK;

/* Makes the family of the target the same as the source's. Rows that are the same are not written. */
int store_copy_merge(struct store_copy *copy, enum store_family family) MUST_CHECK;

/* Reads a family whole: rows, bytes of keys and values, and a digest over all of them in order. */
int store_copy_count(struct store_copy *copy, struct store_kv *kv, enum store_family family,
                     struct store_copy_count *count) MUST_CHECK;

/* A walk over a family from its first row, in a view of its own. */
struct store_copy_walk {
    struct store_kv *kv;
    struct store_kv_view *view;
    struct store_kv_walk *walk;
};
int store_copy_walk_open(struct store_copy_walk *walk, struct store_kv *kv, enum store_family family) MUST_CHECK;
/* 0, or why it ended early. */
int store_copy_walk_close(struct store_copy_walk *walk) MUST_CHECK;

#endif
