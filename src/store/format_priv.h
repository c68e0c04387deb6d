/* Which layout a store has, and whether it is whole; see format.c. */
#ifndef STORE_FORMAT_PRIV_H
#define STORE_FORMAT_PRIV_H

#include "store/kv_priv.h"
#include "store/rows_priv.h"

/* Of each family, as docs/store.md calls it. */
extern const char *const store_family_names[STORE_FAMILY_COUNT];

/* 0; ERR_NOT_FOUND: it has no version yet, so it is new; ERR_CORRUPT with the reason: another version than ours. */
int store_format_check(struct store_kv *kv, struct buf *why) MUST_CHECK;
/* Puts the version into the batch. */
void store_format_put(struct store_kv *kv, struct store_kv_batch *batch);

/* Whether somebody has begun to copy a store into this one, and not ended. */
int store_format_is_copy(struct store_kv *kv, bool *is) MUST_CHECK;
/* 0; ERR_CONFIG with the reason when it is. */
int store_format_refuse_copy(struct store_kv *kv, struct buf *why) MUST_CHECK;
void store_format_put_copy(struct store_kv *kv, struct store_kv_batch *batch);
void store_format_erase_copy(struct store_kv *kv, struct store_kv_batch *batch);

#endif
