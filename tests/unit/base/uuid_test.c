/* UUIDs: text both ways, version and variant, and strict order whatever the clock does. */
#include "base/uuid.h"

#include "../test.h"

static void text(void **state)
{
    (void)state;
    /* The version 7 example of RFC 9562, appendix A.6. */
    struct uuid uuid;
    char out[UUID_TEXT_BYTES + 1];
    assert_true(uuid_from_text(SLICE("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), &uuid));
    assert_int_equal(uuid_time_ms(&uuid), 0x017F22E279B0);
    uuid_to_text(&uuid, out);
    assert_string_equal(out, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    static const char *const bad[] = {"",
                                      "017f22e2",
                                      "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
                                      "017f22e2x79b0-7cc3-98c4-dc0c0c07398f",
                                      "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
                                      "017f22e279b0-7cc3-98c4-dc0c-0c07398f0"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(uuid_from_text(slice_from_text(bad[i]), &uuid));
    }
}

static void order_whatever_the_clock_does(void **state)
{
    (void)state;
    static const uint64_t clock[] = {1000, 1000, 1001, 900, 900, 1001, 1002, 0, 5000};
    struct uuid_maker maker = {0};
    struct uuid last = {{0}};
    for (size_t i = 0; i < COUNT_OF(clock); i++) {
        for (unsigned repeat = 0; repeat < 1000; repeat++) {
            struct uuid next = uuid_make(&maker, clock[i], 0x123456789ABCDEFull * (repeat + 1));
            assert_true(uuid_compare(&last, &next) < 0);
            assert_int_equal(next.bytes[6] >> 4, 7);
            assert_int_equal(next.bytes[8] >> 6, 2);
            last = next;
        }
    }
    assert_int_equal(uuid_time_ms(&last), 5000);
}

static void counter_runs_over_into_the_next_millisecond(void **state)
{
    (void)state;
    struct uuid_maker maker = {.last_ms = 7, .counter = (1ull << 42) - 1};
    struct uuid next = uuid_make(&maker, 7, 1);
    assert_int_equal(uuid_time_ms(&next), 8);
}

static void reserved_ids_keep_their_place(void **state)
{
    (void)state;
    struct uuid_maker maker = {.last_ms = 7, .counter = (1ull << 42) - 50};
    struct uuid last = uuid_make(&maker, 5, 1);
    for (uint64_t count = 0; count < 60; count += 3) {
        struct uuid_maker reserved = uuid_reserve(&maker, count / 20 + 6, count << 40, count);
        struct uuid behind = uuid_make(&maker, 0, 1);
        for (uint64_t i = 0; i < count; i++) {
            struct uuid next = uuid_make(&reserved, 0, i);
            assert_true(uuid_compare(&last, &next) < 0);
            last = next;
        }
        assert_true(uuid_compare(&last, &behind) < 0);
        last = behind;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(text), cmocka_unit_test(order_whatever_the_clock_does),
                                       cmocka_unit_test(counter_runs_over_into_the_next_millisecond),
                                       cmocka_unit_test(reserved_ids_keep_their_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
