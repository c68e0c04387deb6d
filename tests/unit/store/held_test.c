/* The unique keys of a run. */
#include "store/held_priv.h"

#include "../test.h"

#define COUNT 20000u

/* Many share their first MAC bytes, or differ in kind alone. */
static struct store_held_entry entry_of(uint32_t number)
{
    struct store_held_entry entry = {.late = number % 3 == 0};
    uint64_t group = (number / 7 + 1) * 0x9e3779b97f4a7c15u;
    entry.key[0] = (uint8_t)(1 + number % 2);
    memcpy(entry.key + 1, &group, sizeof group);
    memcpy(entry.key + 9, &number, sizeof number);
    memcpy(entry.id.bytes, &number, sizeof number);
    entry.fingerprint[0] = (uint8_t)number;
    return entry;
}

static void finds_what_was_added(void **state)
{
    (void)state;
    struct store_held held = {0};
    assert_null(store_held_find(&held, entry_of(0).key));
    for (uint32_t i = 0; i < COUNT; i++) {
        struct store_held_entry entry = entry_of(i);
        assert_int_equal(store_held_reserve(&held, 1), 0);
        assert_null(store_held_find(&held, entry.key));
        store_held_add(&held, &entry);
    }
    assert_int_equal(held.count, COUNT);
    assert_true(store_held_bytes(&held) >= COUNT * sizeof(struct store_held_entry));
    for (uint32_t i = 0; i < COUNT; i++) {
        struct store_held_entry entry = entry_of(i);
        const struct store_held_entry *found = store_held_find(&held, entry.key);
        assert_non_null(found);
        assert_memory_equal(found, &entry, sizeof entry);
        assert_ptr_equal(found, &held.entries[i]);
    }
    assert_null(store_held_find(&held, entry_of(COUNT).key));
    store_held_fini(&held);
    assert_int_equal(store_held_bytes(&held), 0);
}

static void reserves_many_at_once(void **state)
{
    (void)state;
    struct store_held held = {0};
    assert_int_equal(store_held_reserve(&held, 100000), 0);
    assert_true(held.room >= 100000);
    size_t room = held.room;
    assert_int_equal(store_held_reserve(&held, 100000), 0);
    assert_int_equal(held.room, room);
    store_held_fini(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_was_added), cmocka_unit_test(reserves_many_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
