/* The order of index entries against the C library's. A row is how entries are made. */
#include "store/order_priv.h"

#include <stdlib.h>
#include <string.h>

#include "../test.h"

#define SIZE 24u

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 17;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, SIZE);
}

static void same_as_sorted(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        uint32_t kinds, heads, tails; /* how many different ones */
        bool rising;                  /* tails come in order */
    } rows[] = {
        {0, 1, 1, 1, false},
        {1, 1, 1, 1, false},
        {2, 1, 1, 2, false},
        {1000, 3, 1u << 31, 9, true},
        {20000, 2, 5, 1000, false},
        {20000, 1, 1, 1u << 31, true},
        {20000, 1, 1, 1u << 31, false},
        {5000, 4, 40, 3, false},
        {70000, 3, 1u << 31, 1, true},
    };
    uint64_t random = 1;
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
        uint8_t(*entries)[SIZE + 8] = calloc(rows[r].count + 1, sizeof *entries);
        uint8_t(*sorted)[SIZE] = calloc(rows[r].count + 1, sizeof *sorted);
        if (entries == NULL || sorted == NULL) {
            abort();
        }
        for (size_t i = 0; i < rows[r].count; i++) {
            uint64_t head = next_random(&random) % rows[r].heads * 0x9e3779b97f4a7c15u;
            uint64_t tail = rows[r].rising ? i : next_random(&random) % rows[r].tails;
            entries[i][0] = (uint8_t)(next_random(&random) % rows[r].kinds);
            memcpy(entries[i] + 1, &head, sizeof head);
            for (size_t b = 0; b < sizeof tail; b++) {
                entries[i][SIZE - 1 - b] = (uint8_t)(tail >> 8 * b);
            }
            memset(entries[i] + SIZE, (int)(next_random(&random) & 0xff), 8); /* not compared */
            memcpy(sorted[i], entries[i], SIZE);
        }
        qsort(sorted, rows[r].count, SIZE, compare);
        struct store_order_item *order = store_order_make(entries[0], SIZE + 8, SIZE, rows[r].count);
        assert_non_null(order);
        for (size_t i = 0; i < rows[r].count; i++) {
            assert_memory_equal(entries[order[i].at], sorted[i], SIZE);
            bool equal = i > 0 && memcmp(sorted[i - 1], sorted[i], SIZE) == 0;
            assert_true(!equal || order[i - 1].at < order[i].at); /* equal ones as they stood */
        }
        free(order);
        free(entries);
        free(sorted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_as_sorted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
