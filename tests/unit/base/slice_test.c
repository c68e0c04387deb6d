/* Comparisons of slices. */
#include "base/slice.h"

#include "../test.h"

static void equality(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same, same_nocase;
    } rows[] = {{"", "", true, true},      {"a", "a", true, true},
                {"a", "A", false, true},   {"tenantId", "TENANTID", false, true},
                {"a", "ab", false, false}, {"[", "{", false, false},
                {"@", "`", false, false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice a = slice_from_text(rows[i].a);
        struct slice b = slice_from_text(rows[i].b);
        assert_int_equal(slice_equal(a, b), rows[i].same);
        assert_int_equal(slice_equal_secret(a, b), rows[i].same);
        assert_int_equal(slice_equal_nocase(a, b), rows[i].same_nocase);
    }
}

static void order(void **state)
{
    (void)state;
    assert_true(slice_compare(SLICE("a"), SLICE("b")) < 0);
    assert_true(slice_compare(SLICE("ab"), SLICE("a")) > 0);
    assert_true(slice_compare(SLICE("a"), SLICE("ab")) < 0);
    assert_int_equal(slice_compare(SLICE("a\0b"), SLICE("a\0b")), 0);
    assert_true(slice_compare(SLICE_NONE, SLICE("a")) < 0);
    assert_true(slice_starts(SLICE("Bearer x"), SLICE("Bearer ")));
    assert_false(slice_starts(SLICE("Bear"), SLICE("Bearer ")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equality), cmocka_unit_test(order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
