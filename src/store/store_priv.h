/*
 * Inside the store room: the table of operations that every kind of store fills. A kind embeds
 * struct store first. The local kinds (RocksDB, memory) share one implementation over
 * kv_priv.h, see local_priv.h; a kind that decides uniqueness elsewhere fills the table itself.
 */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include "store/store.h"

/* Each member is the function of store.h with its name, arguments as there. */
struct store_ops {
    void (*close)(struct store *store);
    int (*commit)(struct store *store, struct store_chunk *const *chunks, size_t count);
    int (*customer_get)(struct store *store, const struct uuid *tenant, const struct uuid *id, struct buf *record);
    int (*customer_list)(struct store *store, const struct uuid *tenant, const struct uuid *after, size_t limit,
                         store_record_fn *each, void *context);
    int (*customer_find)(struct store *store, const struct uuid *tenant, const struct record_key *key,
                         const struct uuid *after, size_t limit, store_record_fn *each, void *context);
    int (*import_get)(struct store *store, const struct uuid *tenant, const struct uuid *id,
                      struct store_import *import, struct buf *envelope);
    int (*import_list)(struct store *store, const struct uuid *tenant, const struct uuid *before, size_t limit,
                       store_import_fn *each, void *context);
    int (*import_outcomes)(struct store *store, const struct uuid *tenant, const struct uuid *import, uint32_t chunk,
                           uint8_t chain[CRYPTO_MAC_BYTES], struct buf *outcomes);
    int (*import_faults)(struct store *store, const struct uuid *tenant, const struct uuid *import, uint32_t *chunk,
                         struct buf *faults);
    int (*import_undo)(struct store *store, const struct uuid *tenant, const struct uuid *import, int64_t now_ms,
                       struct uuid *changed, size_t room, size_t *count);
    int (*request_get)(struct store *store, const struct uuid *tenant, const uint8_t mac[CRYPTO_MAC_BYTES],
                       struct store_request *request);
    int (*secrets_get)(struct store *store, const struct uuid *tenant, const struct uuid *id, struct uuid *owner,
                       struct buf *row);
    int (*secrets_replace)(struct store *store, const struct uuid *tenant, const struct uuid *id, struct slice old,
                           struct slice row, bool pending);
    int (*secrets_next_pending)(struct store *store, struct uuid *tenant, struct uuid *id);
    int (*meta_get)(struct store *store, struct slice key, struct buf *value);
    int (*meta_put)(struct store *store, struct slice key, struct slice value);
    int (*meta_add)(struct store *store, struct slice key, struct slice value);
    int (*meta_replace)(struct store *store, struct slice key, struct slice old, struct slice value);
    int (*meta_stamp)(struct store *store, uint64_t *stamp); /* NULL: nobody shares it */
    int (*meta_delete)(struct store *store, struct slice key);
    int (*meta_list)(struct store *store, struct slice prefix, store_meta_fn *each, void *context);
    int (*sweep)(struct store *store, size_t limit, bool *left);
    int (*expire)(struct store *store, const struct store_expiry *expiry, bool *left);
    void (*import_release)(struct store *store, const struct uuid *tenant, const struct uuid *import); /* or NULL */
    void (*facts)(struct store *store, struct store_facts *facts);
    int (*health)(struct store *store);
    int (*resume)(struct store *store);
    int (*run_open)(struct store *store, const struct uuid *tenant, const struct uuid *import, struct store_run **run);
    int (*run_add)(struct store_run *run, struct store_chunk *chunk);
    struct store_ahead *(*look_ahead)(struct store *store, struct store_chunk *chunk, struct arena *arena,
                                      void (*pause)(void *context), void *context); /* NULL: gains nothing */
    size_t (*run_bytes)(const struct store_run *run);
    size_t (*run_count)(const struct store_run *run);
    int (*run_finish)(struct store_run **run);
    void (*run_cancel)(struct store_run **run);
    int (*verify)(struct store *store, store_open_fn *open, store_problem_fn *problem, void *context,
                  struct store_verify_counts *counts);
};

struct store {
    const struct store_ops *ops;
};

/* A kind's run embeds it first. */
struct store_run {
    struct store *store;
};

#endif
