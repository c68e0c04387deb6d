/* The map against a plain array: many puts, deletes and look-ups in a fixed pseudo-random order. */
#include "base/map.h"

#include <stdio.h>

#include "../test.h"

#define KEYS 5000u

static struct slice key_text(unsigned number, char text[16])
{
    int size = snprintf(text, 16, "k%u", number);
    return slice_make(text, (size_t)size);
}

static void agrees_with_an_array(void **state)
{
    (void)state;
    static uint64_t values[KEYS]; /* 0: not there */
    struct map *map = map_new();
    uint64_t random = 88172645463325252ull;
    size_t count = 0;
    for (unsigned step = 0; step < 200000; step++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        char text[16];
        unsigned number = (unsigned)(random % KEYS);
        struct slice key = key_text(number, text);
        uint64_t found = 0;
        assert_int_equal(map_get(map, key, &found), values[number] != 0);
        assert_true(found == values[number]);
        if (random >> 60 < 7) {
            assert_int_equal(map_delete(map, key), values[number] != 0);
            count -= values[number] != 0;
            values[number] = 0;
        } else {
            assert_int_equal(map_put(map, key, step + 1), 0);
            count += values[number] == 0;
            values[number] = step + 1;
        }
        assert_int_equal(map_count(map), count);
    }
    map_free(&map);
}

static void walks_each_once(void **state)
{
    (void)state;
    struct map *map = map_new();
    char text[16];
    uint64_t sum = 0;
    for (unsigned i = 1; i <= 100; i++) {
        assert_int_equal(map_put(map, key_text(i, text), i), 0);
    }
    size_t at = 0;
    struct slice key;
    uint64_t value;
    while (map_each(map, &at, &key, &value)) {
        assert_true(slice_equal(key, key_text((unsigned)value, text)));
        sum += value;
    }
    assert_int_equal(sum, 5050);
    map_clear(map);
    assert_int_equal(map_count(map), 0);
    assert_false(map_get(map, SLICE("k1"), NULL));
    assert_int_equal(map_put(map, SLICE_NONE, 9), 0);
    assert_true(map_get(map, SLICE(""), &value));
    map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_an_array), cmocka_unit_test(walks_each_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
