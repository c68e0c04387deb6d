/*
 * The table of texts: each is found under its index and nothing else is found, above all not what has
 * the same key: the same first and last four bytes and the same size.
 */
#include "contract/contract_priv.h"

#include <stdio.h>

#include "../test.h"

static const char *const TEXTS[] = {
    "",
    "a",
    "b",
    "ab",
    "ba",
    "aba",
    "abb",
    "abcd",
    "bcda",
    "abcde",
    "abcdefgh",
    "abcdefghi",
    "abcdXfghi",
    "abcdefghijklmnop",
    "abcdefghXjklmnop",
    "abcdefghijklmnopq",
    "abcdefghXjklmnopq",
    "customerStatus",
    "customerType",
    "\xc3\xa9",
    "with\tcontrol",
};

static void build(struct names *names, struct arena *arena, size_t count)
{
    struct slice *texts = arena_take_zeroed(arena, count + 1, sizeof *texts);
    assert_non_null(texts);
    for (size_t i = 0; i < count; i++) {
        texts[i] = slice_from_text(TEXTS[i]);
    }
    assert_true(contract_names_build(names, texts, count, arena));
    assert_int_equal(names->count, count);
}

static void every_text_has_its_index(void **state)
{
    (void)state;
    struct names names;
    struct arena *arena = arena_new(4096, 1u << 20);
    for (size_t count = 0; count <= COUNT_OF(TEXTS); count++) {
        arena_rewind(arena);
        build(&names, arena, count);
        for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
            assert_int_equal(contract_names_find(&names, slice_from_text(TEXTS[i])), i < count ? (int)i : -1);
        }
    }
    arena_free(&arena);
}

static void others_are_not_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } rows[] = {
        {"c", 1},
        {"\0", 1},
        {"a\0", 2},
        {"abc", 3},
        {"acb", 3},
        {"abcdYfghi", 9},         /* key of the two above */
        {"abcdefghYjklmnop", 16}, /* two loads of eight bytes */
        {"abcdefghYjklmnopq", 17},
        {"abcdefghijklmnopqr", 18},
        {"CustomerType", 12},
        {"customerType ", 13},
        {"\xc3", 1},
    };
    struct names names;
    struct arena *arena = arena_new(4096, 1u << 20);
    build(&names, arena, COUNT_OF(TEXTS));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (contract_names_find(&names, slice_make(rows[i].text, rows[i].size)) != -1) {
            fail_msg("row %zu: %s", i, rows[i].text);
        }
    }
    arena_free(&arena);
}

/* Ten thousand names, more than a contract has: all are found, and at most half of the slots are used. */
static void many(void **state)
{
    (void)state;
    enum { COUNT = 10000, SIZE = 16 };
    struct names names;
    struct arena *arena = arena_new(4096, 16u << 20);
    struct slice *texts = arena_take_zeroed(arena, COUNT, sizeof *texts);
    char *bytes = arena_take_zeroed(arena, COUNT, SIZE);
    assert_non_null(texts);
    assert_non_null(bytes);
    for (size_t i = 0; i < COUNT; i++) {
        int size = snprintf(bytes + SIZE * i, SIZE, "pre%05zumiddle", i);
        texts[i] = slice_make(bytes + SIZE * i, (size_t)size);
    }
    assert_true(contract_names_build(&names, texts, COUNT, arena));
    assert_true((size_t)names.mask + 1 >= 2 * (size_t)COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(contract_names_find(&names, texts[i]), (int)i);
    }
    arena_free(&arena);
}

static void no_memory(void **state)
{
    (void)state;
    struct names names;
    struct slice text = SLICE("a");
    struct arena *arena = arena_new(16, 16);
    assert_false(contract_names_build(&names, &text, 1, arena));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_has_its_index),
        cmocka_unit_test(others_are_not_found),
        cmocka_unit_test(many),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
