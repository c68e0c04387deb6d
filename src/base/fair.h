/*
 * A bounded queue of pointers between threads that shares its poppers between flows: no flow waits behind
 * another's backlog. A flow is named by 16 bytes (a tenant) and served by cost, not by count. Each has two
 * lanes: what is small goes before what is large, until it has taken as much as a large one would.
 * Within a lane it is first in, first out. Pushing never waits and needs no memory.
 *
 * Not for priorities between flows. Every function may be called from any thread.
 */
#ifndef BASE_FAIR_H
#define BASE_FAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAIR_KEY_BYTES 16

struct fair;

enum fair_lane { FAIR_SMALL, FAIR_LARGE, FAIR_LANES };

/* Queue for up to `capacity` items. A flow's turn is worth `quantum` of cost: about what one large item
 * costs. NULL: no memory. */
struct fair *fair_new(size_t capacity, size_t quantum);
/* Nobody may be waiting on it any more; items left are the caller's to free before. */
void fair_free(struct fair **fair);

/* False at once when full or closed. */
bool fair_try_push(struct fair *fair, const uint8_t key[FAIR_KEY_BYTES], enum fair_lane lane, size_t cost, void *item);
/* Waits for an item; NULL when closed and empty. */
void *fair_pop(struct fair *fair);
/* Waits up to `timeout_ms`; NULL when nothing came or closed and empty. */
void *fair_pop_timed(struct fair *fair, int timeout_ms);
/* Takes what is there without waiting, up to `max` items; returns how many. */
size_t fair_pop_many(struct fair *fair, void **items, size_t max);
/* A small item, from whoever is next among those that have one; NULL at once when there is none. For a popper that
 * is in the middle of a large one. */
void *fair_pop_small(struct fair *fair);
/* No more pushes; waiting poppers drain what is left, then get NULL. */
void fair_close(struct fair *fair);
/* Items that wait in that lane of any flow; of this moment, without a lock. */
size_t fair_waiting(const struct fair *fair, enum fair_lane lane);

#endif
