/* A ring under one mutex with a condition for each side. */
#include "base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_cond_t drained;
    size_t capacity;
    size_t first;
    size_t count;
    bool closed;
    void *items[];
};

struct queue *queue_new(size_t capacity)
{
    struct queue *queue = calloc(1, sizeof *queue + capacity * sizeof(void *));
    if (queue == NULL) {
        return NULL;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, &monotonic);
    pthread_cond_init(&queue->drained, &monotonic);
    pthread_condattr_destroy(&monotonic);
    queue->capacity = capacity;
    return queue;
}

void queue_free(struct queue **queue)
{
    if (*queue == NULL) {
        return;
    }
    assert((*queue)->count == 0);
    pthread_cond_destroy(&(*queue)->drained);
    pthread_cond_destroy(&(*queue)->filled);
    pthread_mutex_destroy(&(*queue)->lock);
    free(*queue);
    *queue = NULL;
}

static void put(struct queue *queue, void *item)
{
    queue->items[(queue->first + queue->count) % queue->capacity] = item;
    queue->count++;
    pthread_cond_signal(&queue->filled);
}

static void *take(struct queue *queue)
{
    void *item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    pthread_cond_signal(&queue->drained);
    return item;
}

bool queue_try_push(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    bool pushed = !queue->closed && queue->count < queue->capacity;
    if (pushed) {
        put(queue, item);
    }
    pthread_mutex_unlock(&queue->lock);
    return pushed;
}

bool queue_push(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->count == queue->capacity) {
        pthread_cond_wait(&queue->drained, &queue->lock);
    }
    bool pushed = !queue->closed;
    if (pushed) {
        put(queue, item);
    }
    pthread_mutex_unlock(&queue->lock);
    return pushed;
}

void *queue_pop(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->count == 0) {
        pthread_cond_wait(&queue->filled, &queue->lock);
    }
    void *item = queue->count > 0 ? take(queue) : NULL;
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void *queue_pop_timed(struct queue *queue, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&queue->lock);
    int waited = 0;
    while (!queue->closed && queue->count == 0 && waited == 0) {
        waited = pthread_cond_timedwait(&queue->filled, &queue->lock, &until);
    }
    void *item = queue->count > 0 ? take(queue) : NULL;
    pthread_mutex_unlock(&queue->lock);
    return item;
}

size_t queue_pop_many(struct queue *queue, void **items, size_t max)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = 0;
    while (count < max && queue->count > 0) {
        items[count++] = take(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    return count;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->drained);
    pthread_mutex_unlock(&queue->lock);
}
