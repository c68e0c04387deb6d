/*
 * One table over every kind of the key-value interface: the tests that kv_memory_test.c and
 * kv_rocks_test.c run. Each test opens a store of its own with the function that is its initial state.
 */
#ifndef TESTS_UNIT_STORE_KV_ROWS_H
#define TESTS_UNIT_STORE_KV_ROWS_H

#include "../test.h"
#include "store/kv_priv.h"

/* Opens an empty one, fails the test when that can't be done; and takes it away with all it has. */
struct kv_kind {
    struct store_kv *(*open)(void);
    void (*close)(struct store_kv *kv);
};

void kv_walks(void **state);
void kv_lookups(void **state);
void kv_batches(void **state);
void kv_families(void **state);
void kv_views(void **state);
void kv_values(void **state);
void kv_files(void **state);

#define KV_ROWS(kind)                                                                                                  \
    cmocka_unit_test_prestate(kv_walks, kind), cmocka_unit_test_prestate(kv_lookups, kind),                            \
        cmocka_unit_test_prestate(kv_batches, kind), cmocka_unit_test_prestate(kv_families, kind),                     \
        cmocka_unit_test_prestate(kv_views, kind), cmocka_unit_test_prestate(kv_values, kind),                         \
        cmocka_unit_test_prestate(kv_files, kind)

/* Writes changes: "k=v" puts, "k-" erases; a space between them. */
void kv_write(struct store_kv *kv, enum store_family family, const char *changes, bool sync);
/* A sealed file of "k=v" rows, in order. */
struct store_kv_file *kv_file(struct store_kv *kv, enum store_family family, const char *rows);
/* Appends the rows with the prefix, in order, as kv_write would put them. */
void kv_tell(struct store_kv *kv, struct store_kv_view *view, enum store_family family, const char *prefix,
             struct buf *out);
/* Fails unless the rows of the family are these now. */
void kv_expect(struct store_kv *kv, enum store_family family, const char *rows);

#endif
