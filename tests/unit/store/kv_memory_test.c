/* The key-value interface in memory. */
#include "kv_rows.h"

static struct store_kv *open_kv(void)
{
    struct store_kv *kv = NULL;
    assert_int_equal(store_kv_memory_open(&kv), 0);
    return kv;
}

static void close_kv(struct store_kv *kv)
{
    store_kv_close(&kv);
    assert_null(kv);
}

/* Enough rows, in a disorder, that every height of the skip list is met. */
static void many_rows(void **state)
{
    (void)state;
    enum { COUNT = 4099 }; /* a prime: a step through it meets every number */
    struct store_kv *kv = open_kv();
    for (uint32_t i = 0, number = 0; i < COUNT; i++, number = (number + 1777) % COUNT) {
        uint8_t key[2] = {(uint8_t)(number >> 8), (uint8_t)number};
        struct store_kv_batch *batch = store_kv_batch_new(kv);
        store_kv_put(kv, batch, STORE_FAMILY_META, slice_make(key, 2), slice_make(&number, sizeof number));
        assert_int_equal(store_kv_write(kv, batch, true), 0);
        store_kv_batch_free(kv, &batch);
    }
    struct store_kv_view *view = store_kv_view_open(kv);
    struct store_kv_walk *walk = store_kv_walk_open(kv, view, STORE_FAMILY_META, SLICE(""));
    struct slice key, value;
    store_kv_walk_seek(kv, walk, SLICE(""), false);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(store_kv_walk_at(kv, walk, &key, &value));
        assert_true(slice_equal(value, slice_make(&i, sizeof i)));
        store_kv_walk_step(kv, walk);
    }
    assert_false(store_kv_walk_at(kv, walk, &key, &value));
    assert_int_equal(store_kv_walk_close(kv, &walk), 0);
    store_kv_view_close(kv, &view);
    close_kv(kv);
}

int main(void)
{
    struct kv_kind kind = {open_kv, close_kv};
    const struct CMUnitTest tests[] = {KV_ROWS(&kind), cmocka_unit_test(many_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
