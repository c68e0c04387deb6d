/*
 * Three stable passes order the entries by their first four bytes; what is equal there is then put in
 * order by comparing. The difficulty: few entries are equal by chance, but many may be by nature (one
 * city, one company). Those came in the order of their customers' ids and stay in it; only a mixture
 * of two such crowds would cost, so a crowd that is out of order is left to the C library.
 */
#include "store/order_priv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DIGIT_BITS 11
#define DIGITS     (1u << DIGIT_BITS)
#define CROWD      16

struct order {
    const uint8_t *entries;
    size_t stride;
    size_t size;
};

static uint32_t head_of(const uint8_t *entry)
{
    return (uint32_t)entry[0] << 24 | (uint32_t)entry[1] << 16 | (uint32_t)entry[2] << 8 | entry[3];
}

/* One stable pass over the digit at `shift`. */
static void pass(const struct store_order_item *from, struct store_order_item *to, size_t count, unsigned shift)
{
    static const uint32_t mask = DIGITS - 1;
    size_t places[DIGITS] = {0};
    for (size_t i = 0; i < count; i++) {
        places[from[i].head >> shift & mask]++;
    }
    size_t sum = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        size_t here = places[i];
        places[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[places[from[i].head >> shift & mask]++] = from[i];
    }
}

static int compare(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    const struct store_order_item *left = a;
    const struct store_order_item *right = b;
    int bytes =
        memcmp(order->entries + left->at * order->stride, order->entries + right->at * order->stride, order->size);
    return bytes != 0 ? bytes : left->at < right->at ? -1 : 1;
}

static bool in_order(struct store_order_item *items, size_t count, struct order *order)
{
    for (size_t i = 1; i < count; i++) {
        if (compare(&items[i - 1], &items[i], order) > 0) {
            return false;
        }
    }
    return true;
}

static void insert_each(struct store_order_item *items, size_t count, struct order *order)
{
    for (size_t i = 1; i < count; i++) {
        struct store_order_item item = items[i];
        size_t at = i;
        while (at > 0 && compare(&items[at - 1], &item, order) > 0) {
            items[at] = items[at - 1];
            at--;
        }
        items[at] = item;
    }
}

/* Those with one head. */
static void settle(struct store_order_item *items, size_t count, struct order *order)
{
    if (count <= CROWD) {
        insert_each(items, count, order);
    } else if (!in_order(items, count, order)) {
        qsort_r(items, count, sizeof *items, compare, order);
    }
}

struct store_order_item *store_order_make(const uint8_t *entries, size_t stride, size_t size, size_t count)
{
    struct order order = {.entries = entries, .stride = stride, .size = size};
    struct store_order_item *items = malloc(count * sizeof *items + 1);
    struct store_order_item *other = calloc(count + 1, sizeof *other);
    if (items == NULL || other == NULL) {
        free(items);
        free(other);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        other[i] = (struct store_order_item){.head = head_of(entries + i * stride), .at = (uint32_t)i};
    }
    pass(other, items, count, 0);
    pass(items, other, count, DIGIT_BITS);
    pass(other, items, count, 2 * DIGIT_BITS);
    free(other);
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && items[end].head == items[first].head) {
            end++;
        }
        settle(&items[first], end - first, &order);
        first = end;
    }
    return items;
}
