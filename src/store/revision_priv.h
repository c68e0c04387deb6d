/*
 * Revisions: new content of customers that an import has brought and that is not yet folded into their records.
 * revision.c reads them, settle.c folds them. Of several of one customer the last that is visible counts, in order
 * of their numbers: one import at a time updates a customer.
 */
#ifndef STORE_REVISION_PRIV_H
#define STORE_REVISION_PRIV_H

#include "store/local_priv.h"

/* Appends the value of the customer's last revision whose import `view` does not hide; *number is one more than that
 * of its last revision of all. 0, ERR_NOT_FOUND or why it can't be read. */
int store_revision_last(struct store_local *local, const struct store_view *view, const struct uuid *tenant,
                        const struct uuid *id, struct buf *row, uint64_t *number) MUST_CHECK;

/* What lies over the records of a tenant in one view; nothing, mostly. */
struct store_overlay {
    struct store_local *local;
    const struct store_view *view;
    const struct uuid *tenant;
    struct store_kv_walk *walk; /* NULL: the view has no revision that counts */
    struct buf row;
};

int store_overlay_open(struct store_local *local, const struct store_view *view, const struct uuid *tenant,
                       struct store_overlay *overlay) MUST_CHECK;
/* The customer's revision that counts, viewed until the next call. 0 or ERR_NOT_FOUND: its record does. */
int store_overlay_find(struct store_overlay *overlay, const struct uuid *id,
                       struct store_revision *revision) MUST_CHECK;
/* `err`, or else what broke a walk. */
int store_overlay_close(struct store_overlay *overlay, int err) MUST_CHECK;

/* ---- settle.c ---- */

/* Puts into the batch what brings the customer's rows up to date with the states of imports: the last visible
 * revision becomes its record, those before it and those of aborted imports go, and so do index entries that
 * nothing of it needs any more. commit_lock and secret_lock are held until it is written. *rows: how many that is. */
int store_settle_customer(struct store_local *local, struct store_kv_batch *batch, const struct uuid *tenant,
                          const struct uuid *id, size_t *rows) MUST_CHECK;

#endif
