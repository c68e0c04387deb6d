/*
 * Deficit round robin (Shreedhar and Varghese, 1995) with the fresh flows of FQ-CoDel (RFC 8290).
 *
 * A flow stands in one of two lists. `fresh`: it had nothing here for a while, so it is served first,
 * once: that is what keeps a single request short beside others' imports. `old`: the flows take turns. A
 * flow's credit pays for what it takes; when it is used up the flow gets a quantum and goes to the end of
 * `old`. An item may cost more than the credit left, which is then a debt.
 *
 * The difficulty is the flow that becomes empty. Forgotten at once it would come back fresh with each item
 * and pass by all others; so it stays in `old` until its turn comes round and is forgotten only then.
 *
 *   F1  A flow with items is in fresh or old.
 *   F2  An empty flow is in old, or it is not in use.
 *   F3  When no item is left at all, no flow is in use: there is nobody to be fair to.
 *   F4  Flows in use with items are no more than items, so with `capacity` flows one that is empty can
 *       always be had.
 */
#include "base/fair.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/list.h"

struct node {
    struct node *next;
    void *item;
    size_t cost;
};

struct lane {
    struct node *first;
    struct node *last;
};

struct flow {
    struct list link;          /* in fresh or old */
    struct flow *next_in_slot; /* of the table; among the unused when not in use */
    uint8_t key[FAIR_KEY_BYTES];
    int64_t credit;
    size_t passed; /* cost of small items taken while a large one waited */
    struct lane lanes[FAIR_LANES];
};

struct fair {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    size_t capacity;
    size_t quantum;
    size_t count;
    bool closed;
    atomic_size_t waiting[FAIR_LANES];
    struct list fresh;
    struct list old;
    struct node *nodes; /* [capacity]; those from `nodes_used` on were never touched */
    size_t nodes_used;
    struct node *unused_nodes;
    struct flow *flows; /* [capacity], likewise */
    size_t flows_used;
    struct flow *unused_flows;
    struct flow **slots; /* the table of flows in use, by key */
    size_t slot_mask;
};

struct fair *fair_new(size_t capacity, size_t quantum)
{
    assert(capacity > 0 && quantum > 0);
    struct fair *fair = calloc(1, sizeof *fair);
    if (fair == NULL) {
        return NULL;
    }
    size_t slot_count = 16;
    while (slot_count < capacity) {
        slot_count *= 2;
    }
    pthread_mutex_init(&fair->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&fair->filled, &monotonic);
    pthread_condattr_destroy(&monotonic);
    list_init(&fair->fresh);
    list_init(&fair->old);
    fair->capacity = capacity;
    fair->quantum = quantum;
    fair->slot_mask = slot_count - 1;
    fair->nodes = calloc(capacity, sizeof *fair->nodes);
    fair->flows = calloc(capacity, sizeof *fair->flows);
    fair->slots = calloc(slot_count, sizeof(struct flow *));
    if (fair->nodes == NULL || fair->flows == NULL || fair->slots == NULL) {
        fair_free(&fair);
    }
    return fair;
}

void fair_free(struct fair **fair)
{
    struct fair *freed = *fair;
    *fair = NULL;
    if (freed == NULL) {
        return;
    }
    assert(freed->count == 0);
    free(freed->nodes);
    free(freed->flows);
    free(freed->slots);
    pthread_cond_destroy(&freed->filled);
    pthread_mutex_destroy(&freed->lock);
    free(freed);
}

/* ---- flows ---- */

static bool is_empty(const struct flow *flow)
{
    return flow->lanes[FAIR_SMALL].first == NULL && flow->lanes[FAIR_LARGE].first == NULL;
}

/* Keys are ids that the house has made, so nobody chooses them to collide. */
static struct flow **slot_of(struct fair *fair, const uint8_t key[FAIR_KEY_BYTES])
{
    uint64_t halves[2];
    memcpy(halves, key, sizeof halves);
    uint64_t mixed = (halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15u)) * 0xff51afd7ed558ccdu;
    return &fair->slots[(mixed >> 32) & fair->slot_mask];
}

static void flow_forget(struct fair *fair, struct flow *flow)
{
    struct flow **at = slot_of(fair, flow->key);
    while (*at != flow) {
        at = &(*at)->next_in_slot;
    }
    *at = flow->next_in_slot;
    list_remove(&flow->link);
    flow->next_in_slot = fair->unused_flows;
    fair->unused_flows = flow;
}

/* F4: too many flows that have just become empty stand between; that is rare. */
static void forget_an_empty_one(struct fair *fair)
{
    struct list *link = fair->old.next;
    while (link != &fair->old && !is_empty(LIST_ENTRY(link, struct flow, link))) {
        link = link->next;
    }
    assert(link != &fair->old);
    flow_forget(fair, LIST_ENTRY(link, struct flow, link));
}

static struct flow *flow_take(struct fair *fair)
{
    if (fair->unused_flows == NULL && fair->flows_used < fair->capacity) {
        return &fair->flows[fair->flows_used++];
    }
    if (fair->unused_flows == NULL) {
        forget_an_empty_one(fair);
    }
    struct flow *flow = fair->unused_flows;
    fair->unused_flows = flow->next_in_slot;
    return flow;
}

/* The flow of that key; a fresh one when it is not in use. */
static struct flow *flow_of(struct fair *fair, const uint8_t key[FAIR_KEY_BYTES])
{
    struct flow **slot = slot_of(fair, key);
    for (struct flow *flow = *slot; flow != NULL; flow = flow->next_in_slot) {
        if (memcmp(flow->key, key, FAIR_KEY_BYTES) == 0) {
            return flow;
        }
    }
    struct flow *flow = flow_take(fair);
    *flow = (struct flow){.credit = (int64_t)fair->quantum};
    memcpy(flow->key, key, FAIR_KEY_BYTES);
    flow->next_in_slot = *slot; /* after flow_take, which may have changed the slot */
    *slot = flow;
    list_append(&fair->fresh, &flow->link);
    return flow;
}

/* Its turn is over. */
static void flow_to_the_end(struct fair *fair, struct flow *flow)
{
    list_remove(&flow->link);
    list_append(&fair->old, &flow->link);
    if (flow->credit <= 0) {
        flow->credit += (int64_t)fair->quantum;
    }
}

/* ---- pushing ---- */

static void append(struct fair *fair, struct lane *lane, size_t cost, void *item)
{
    struct node *node = fair->unused_nodes;
    if (node != NULL) {
        fair->unused_nodes = node->next;
    } else {
        node = &fair->nodes[fair->nodes_used++];
    }
    *node = (struct node){.item = item, .cost = cost};
    if (lane->first == NULL) {
        lane->first = node;
    } else {
        lane->last->next = node;
    }
    lane->last = node;
}

bool fair_try_push(struct fair *fair, const uint8_t key[FAIR_KEY_BYTES], enum fair_lane lane, size_t cost, void *item)
{
    pthread_mutex_lock(&fair->lock);
    bool pushed = !fair->closed && fair->count < fair->capacity;
    if (pushed) {
        append(fair, &flow_of(fair, key)->lanes[lane], cost, item);
        fair->count++;
        atomic_fetch_add(&fair->waiting[lane], 1);
        pthread_cond_signal(&fair->filled);
    }
    pthread_mutex_unlock(&fair->lock);
    return pushed;
}

/* ---- popping ---- */

/* The flow whose turn it is. There is an item. */
static struct flow *next_flow(struct fair *fair)
{
    for (;;) {
        struct list *list = list_empty(&fair->fresh) ? &fair->old : &fair->fresh;
        assert(!list_empty(list)); /* F1 */
        struct flow *flow = LIST_ENTRY(list->next, struct flow, link);
        if (is_empty(flow)) {
            flow_forget(fair, flow);
        } else if (flow->credit <= 0) {
            flow_to_the_end(fair, flow); /* it pays off a debt */
        } else {
            return flow;
        }
    }
}

/* Small before large, but a large one is not passed by for more than a quantum. */
static enum fair_lane next_lane(const struct fair *fair, const struct flow *flow)
{
    bool small = flow->lanes[FAIR_SMALL].first != NULL;
    bool large = flow->lanes[FAIR_LARGE].first != NULL;
    return small && !(large && flow->passed >= fair->quantum) ? FAIR_SMALL : FAIR_LARGE;
}

static struct node *take_first(struct fair *fair, struct flow *flow, enum fair_lane which)
{
    struct lane *lane = &flow->lanes[which];
    struct node *node = lane->first;
    lane->first = node->next;
    bool passes = which == FAIR_SMALL && flow->lanes[FAIR_LARGE].first != NULL;
    flow->passed = passes ? flow->passed + node->cost : 0;
    atomic_fetch_sub(&fair->waiting[which], 1);
    return node;
}

static void forget_all(struct fair *fair)
{
    for (struct list *lists[] = {&fair->fresh, &fair->old}, **list = lists; list < lists + 2; list++) {
        while (!list_empty(*list)) {
            flow_forget(fair, LIST_ENTRY((*list)->next, struct flow, link));
        }
    }
}

static void *take_from(struct fair *fair, struct flow *flow, enum fair_lane which)
{
    struct node *node = take_first(fair, flow, which);
    void *item = node->item;
    flow->credit -= (int64_t)node->cost;
    node->next = fair->unused_nodes;
    fair->unused_nodes = node;
    if (--fair->count == 0) {
        forget_all(fair); /* F3 */
    } else if (flow->credit <= 0 || is_empty(flow)) {
        flow_to_the_end(fair, flow); /* F2 */
    }
    return item;
}

static void *take(struct fair *fair)
{
    struct flow *flow = next_flow(fair);
    return take_from(fair, flow, next_lane(fair, flow));
}

/* The first flow in the order of turns that has a small item; NULL: none has. */
static struct flow *small_flow(struct fair *fair)
{
    for (struct list *lists[] = {&fair->fresh, &fair->old}, **list = lists; list < lists + 2; list++) {
        for (struct list *link = (*list)->next; link != *list; link = link->next) {
            struct flow *flow = LIST_ENTRY(link, struct flow, link);
            if (flow->lanes[FAIR_SMALL].first != NULL) {
                return flow;
            }
        }
    }
    return NULL;
}

void *fair_pop_small(struct fair *fair)
{
    if (fair_waiting(fair, FAIR_SMALL) == 0) {
        return NULL;
    }
    pthread_mutex_lock(&fair->lock);
    struct flow *flow = small_flow(fair);
    void *item = flow == NULL ? NULL : take_from(fair, flow, FAIR_SMALL);
    pthread_mutex_unlock(&fair->lock);
    return item;
}

void *fair_pop(struct fair *fair)
{
    pthread_mutex_lock(&fair->lock);
    while (!fair->closed && fair->count == 0) {
        pthread_cond_wait(&fair->filled, &fair->lock);
    }
    void *item = fair->count > 0 ? take(fair) : NULL;
    pthread_mutex_unlock(&fair->lock);
    return item;
}

void *fair_pop_timed(struct fair *fair, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + (int64_t)timeout_ms * 1000000;
    until.tv_sec += nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    pthread_mutex_lock(&fair->lock);
    int waited = 0;
    while (!fair->closed && fair->count == 0 && waited == 0) {
        waited = pthread_cond_timedwait(&fair->filled, &fair->lock, &until);
    }
    void *item = fair->count > 0 ? take(fair) : NULL;
    pthread_mutex_unlock(&fair->lock);
    return item;
}

size_t fair_pop_many(struct fair *fair, void **items, size_t max)
{
    pthread_mutex_lock(&fair->lock);
    size_t count = 0;
    while (count < max && fair->count > 0) {
        items[count++] = take(fair);
    }
    pthread_mutex_unlock(&fair->lock);
    return count;
}

void fair_close(struct fair *fair)
{
    pthread_mutex_lock(&fair->lock);
    fair->closed = true;
    pthread_cond_broadcast(&fair->filled);
    pthread_mutex_unlock(&fair->lock);
}

size_t fair_waiting(const struct fair *fair, enum fair_lane lane)
{
    return atomic_load(&fair->waiting[lane]);
}
