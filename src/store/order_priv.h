/*
 * The order of index entries by their bytes: a kind (1) and a MAC (16), and whatever follows. MACs spread
 * evenly, so a radix pass over the first bytes does nearly all of it, at a tenth of a comparing sort.
 */
#ifndef STORE_ORDER_PRIV_H
#define STORE_ORDER_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct store_order_item {
    uint32_t head; /* the first four bytes */
    uint32_t at;
};

/* Numbers `count` entries of `size` bytes, `stride` apart, in order of their bytes; equal ones as they stood.
 * The caller frees the array. NULL: no memory. */
struct store_order_item *store_order_make(const uint8_t *entries, size_t stride, size_t size, size_t count);

#endif
