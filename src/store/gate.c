/*
 * The difficulty is the instant between the two atomics: who enters counts itself first and looks
 * second, who shuts says so first and counts second. So one of them sees the other.
 */
#include "store/gate_priv.h"

#include <assert.h>
#include <time.h>

void store_gate_init(struct store_gate *gate)
{
    pthread_condattr_t attributes;
    atomic_init(&gate->inside, 0);
    atomic_init(&gate->shut, false);
    pthread_mutex_init(&gate->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&gate->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void store_gate_fini(struct store_gate *gate)
{
    assert(atomic_load(&gate->inside) == 0);
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->lock);
}

void store_gate_leave(struct store_gate *gate)
{
    size_t before = atomic_fetch_sub(&gate->inside, 1);
    assert(before > 0);
    if (before == 1 && atomic_load(&gate->shut)) {
        pthread_mutex_lock(&gate->lock);
        pthread_cond_broadcast(&gate->changed);
        pthread_mutex_unlock(&gate->lock);
    }
}

void store_gate_enter(struct store_gate *gate)
{
    atomic_fetch_add(&gate->inside, 1);
    while (atomic_load(&gate->shut)) {
        store_gate_leave(gate);
        pthread_mutex_lock(&gate->lock);
        while (atomic_load(&gate->shut)) {
            pthread_cond_wait(&gate->changed, &gate->lock);
        }
        pthread_mutex_unlock(&gate->lock);
        atomic_fetch_add(&gate->inside, 1);
    }
}

/* The lock is held. */
static void open_gate(struct store_gate *gate)
{
    atomic_store(&gate->shut, false);
    pthread_cond_broadcast(&gate->changed);
}

void store_gate_open(struct store_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    open_gate(gate);
    pthread_mutex_unlock(&gate->lock);
}

static struct timespec time_in(int64_t wait_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t ns = end.tv_nsec + wait_ms % 1000 * 1000000;
    end.tv_sec += wait_ms / 1000 + ns / 1000000000;
    end.tv_nsec = ns % 1000000000;
    return end;
}

bool store_gate_shut(struct store_gate *gate, int64_t wait_ms)
{
    struct timespec end = time_in(wait_ms);
    int waited = 0;
    pthread_mutex_lock(&gate->lock);
    atomic_store(&gate->shut, true);
    while (atomic_load(&gate->inside) > 0 && waited == 0) {
        waited = pthread_cond_timedwait(&gate->changed, &gate->lock, &end);
    }
    bool empty = atomic_load(&gate->inside) == 0;
    if (!empty) {
        open_gate(gate);
    }
    pthread_mutex_unlock(&gate->lock);
    return empty;
}
