/* The queue: bounds, order, closing, and several threads on both sides. */
#include "base/queue.h"

#include <pthread.h>
#include <sched.h>

#include "../test.h"

static void bounds_and_order(void **state)
{
    (void)state;
    int items[3];
    struct queue *queue = queue_new(2);
    assert_true(queue_try_push(queue, &items[0]));
    assert_true(queue_try_push(queue, &items[1]));
    assert_false(queue_try_push(queue, &items[2]));
    assert_ptr_equal(queue_pop(queue), &items[0]);
    assert_true(queue_try_push(queue, &items[2]));
    assert_ptr_equal(queue_pop(queue), &items[1]);
    assert_ptr_equal(queue_pop(queue), &items[2]);
    queue_free(&queue);
}

static void closing_drains(void **state)
{
    (void)state;
    int item;
    struct queue *queue = queue_new(2);
    assert_true(queue_try_push(queue, &item));
    queue_close(queue);
    assert_false(queue_try_push(queue, &item));
    assert_ptr_equal(queue_pop(queue), &item);
    assert_null(queue_pop(queue));
    queue_free(&queue);
}

#define PER_THREAD 20000

struct side {
    struct queue *queue;
    long sum;
};

static void *produce(void *context)
{
    struct side *side = context;
    static char bytes[PER_THREAD + 1];
    for (int i = 1; i <= PER_THREAD; i++) {
        while (!queue_try_push(side->queue, &bytes[i])) {
            sched_yield();
        }
        side->sum += i;
    }
    return bytes;
}

static void *consume(void *context)
{
    struct side *side = context;
    while (queue_pop(side->queue) != NULL) {
        side->sum++;
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    struct queue *queue = queue_new(7);
    struct side sides[4] = {{queue, 0}, {queue, 0}, {queue, 0}, {queue, 0}};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? produce : consume, &sides[i]), 0);
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    queue_close(queue);
    pthread_join(threads[2], NULL);
    pthread_join(threads[3], NULL);
    assert_int_equal(sides[2].sum + sides[3].sum, 2 * PER_THREAD);
    queue_free(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bounds_and_order), cmocka_unit_test(closing_drains),
                                       cmocka_unit_test(threads_lose_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
