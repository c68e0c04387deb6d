/* The arena: alignment, the sticky failure, the rewind. */
#include "base/arena.h"

#include "../test.h"
#include "base/err.h"

static void takes_are_aligned_and_apart(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256, 1 << 20);
    char *before = NULL;
    for (size_t size = 0; size < 600; size += 7) {
        char *taken = arena_take(arena, size);
        assert_non_null(taken);
        assert_int_equal((uintptr_t)taken % 16, 0);
        memset(taken, (int)size, size);
        if (before != NULL && size > 7) {
            assert_int_equal((unsigned char)before[0], (unsigned char)(size - 7));
        }
        before = taken;
    }
    arena_free(&arena);
    assert_null(arena);
}

static void running_out_is_sticky(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64, 1024);
    assert_null(arena_take(arena, 4096));
    assert_int_equal(arena_error(arena), ERR_NO_MEMORY);
    assert_null(arena_take(arena, 1));
    arena_rewind(arena);
    assert_int_equal(arena_error(arena), 0);
    assert_non_null(arena_take(arena, 1));
    assert_null(arena_take_zeroed(arena, SIZE_MAX / 2, 4));
    arena_free(&arena);
}

static void limit_counts_blocks_together(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64, 256);
    size_t taken = 0;
    while (arena_take(arena, 64) != NULL) {
        taken++;
    }
    assert_int_equal(taken, 4);
    assert_int_equal(arena_held_bytes(arena), 256);
    arena_rewind(arena);
    assert_int_equal(arena_held_bytes(arena), 64);
    arena_free(&arena);
}

static void copies_end_with_a_nul(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64, 4096);
    struct slice copy = arena_copy(arena, SLICE("a\0b"));
    assert_int_equal(copy.size, 3);
    assert_memory_equal(copy.data, "a\0b", 4);
    struct slice text = arena_printf(arena, "%d of %s", 3, "251");
    assert_string_equal(text.data, "3 of 251");
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_are_aligned_and_apart), cmocka_unit_test(running_out_is_sticky),
        cmocka_unit_test(limit_counts_blocks_together), cmocka_unit_test(copies_end_with_a_nul)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
