/* Randomness: short and stretched, never the same twice, and no byte left as it was. */
#include "../test.h"
#include "crypto/crypto.h"

#define LONGEST 8192u

static void fills_every_byte(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 16, 24, 1023, 1024, LONGEST};
    static uint8_t seen[LONGEST], bytes[LONGEST + 1];
    assert_int_equal(crypto_init(), 0);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        memset(seen, 0, sizeof seen);
        bytes[sizes[i]] = 0xA5;
        /* A byte that is never written stays 0 in every round: 2^-128 for one that is. */
        for (int round = 0; round < 16; round++) {
            memset(bytes, 0, sizes[i]);
            crypto_random(bytes, sizes[i]);
            for (size_t j = 0; j < sizes[i]; j++) {
                seen[j] |= bytes[j];
            }
        }
        for (size_t j = 0; j < sizes[i]; j++) {
            assert_int_not_equal(seen[j], 0);
        }
        assert_int_equal(bytes[sizes[i]], 0xA5);
    }
}

static void never_repeats(void **state)
{
    (void)state;
    static uint8_t first[LONGEST], second[LONGEST];
    crypto_random(first, sizeof first);
    crypto_random(second, sizeof second);
    for (size_t i = 0; i + 24 <= LONGEST; i += 24) {
        assert_memory_not_equal(first + i, second + i, 24);
        assert_true(i == 0 || memcmp(first, first + i, 24) != 0);
    }
}

static void wipe_wipes(void **state)
{
    (void)state;
    uint8_t bytes[33];
    memset(bytes, 7, sizeof bytes);
    crypto_wipe(bytes, 32);
    for (size_t i = 0; i < 32; i++) {
        assert_int_equal(bytes[i], 0);
    }
    assert_int_equal(bytes[32], 7);
    crypto_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fills_every_byte), cmocka_unit_test(never_repeats),
                                       cmocka_unit_test(wipe_wipes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
