/*
 * A bounded queue of pointers between threads, first in first out. Full means the producer
 * is told: that is how pressure travels back to the client's socket.
 * Every function may be called from any thread.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct queue;

/* Queue for up to `capacity` items; NULL: no memory. */
struct queue *queue_new(size_t capacity);
/* Nobody may be waiting on it any more; items left are the caller's to free before. */
void queue_free(struct queue **queue);

/* False at once when full or closed. */
bool queue_try_push(struct queue *queue, void *item);
/* Waits for an item; NULL when closed and empty. */
void *queue_pop(struct queue *queue);
/* No more pushes; waiting poppers drain what is left, then get NULL. */
void queue_close(struct queue *queue);

#endif
