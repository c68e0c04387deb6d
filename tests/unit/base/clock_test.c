/* The text of a time, and clocks that move forward. */
#include "base/clock.h"

#include "../test.h"

static void text(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{0, "1970-01-01T00:00:00.000Z"},
                {1723038340886, "2024-08-07T13:45:40.886Z"},
                {951782399999, "2000-02-28T23:59:59.999Z"},
                {4102444800000, "2100-01-01T00:00:00.000Z"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char out[CLOCK_TEXT_BYTES];
        clock_to_text(rows[i].ms, out);
        assert_string_equal(out, rows[i].text);
    }
}

static void forward(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_ns();
    int64_t cpu = clock_thread_cpu_ns();
    for (volatile int i = 0; i < 1000000; i++) {
    }
    assert_true(clock_monotonic_ns() > before);
    assert_true(clock_thread_cpu_ns() > cpu);
    assert_true(clock_real_ms() > 1700000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(text), cmocka_unit_test(forward)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
