/*
 * A gate in front of something that is used by many and once in a while has to be taken away and put
 * back: users enter and leave, which costs two atomic additions; who takes it away shuts the gate.
 * Any thread. A user may enter again while it is inside only if nobody is shutting the gate for long: it
 * then waits until the shutting gives up.
 */
#ifndef STORE_GATE_PRIV_H
#define STORE_GATE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct store_gate {
    atomic_size_t inside;
    atomic_bool shut;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

void store_gate_init(struct store_gate *gate);
void store_gate_fini(struct store_gate *gate);
/* Waits while it is shut. */
void store_gate_enter(struct store_gate *gate);
void store_gate_leave(struct store_gate *gate);
/* Lets nobody in and waits until nobody is inside: true. After `wait_ms` it is open again: false. One
 * thread at a time. */
bool store_gate_shut(struct store_gate *gate, int64_t wait_ms);
void store_gate_open(struct store_gate *gate);

#endif
