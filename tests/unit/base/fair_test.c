/* The fair queue: who is served when, exactly, by scripts; bounds, closing, many flows, threads. */
#include "base/fair.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../test.h"

/*
 * A script: "a" pushes a small item of flow a (cost 1), "A" a large one (cost 4), digits before it repeat it, "."
 * pops one. What was popped is expected, flow by flow.
 */
struct script {
    const char *name;
    size_t quantum;
    const char *steps;
    const char *popped;
};

static const struct script SCRIPTS[] = {
    {"one flow is first in, first out", 4, "aaa...", "aaa"},
    {"flows of small items take turns by cost", 1, "3a3b......", "ababab"},
    {"a turn is a quantum", 2, "4a4b........", "aabbaabb"},
    {"large items cost more: four small ones for each", 4, "2A8b..........", "AbbbbAbbbb"},
    {"as large as a quantum: turn by turn", 4, "3A3B......", "ABABAB"},
    {"an item beyond the credit is a debt", 2, "3A6b.........", "AbbbbAbbA"},
    {"a flow that comes late goes first, once", 4, "9A..9b.......", "AAbbbbAbb"},
    {"within a flow small ones pass large ones", 4, "2Aa...", "aAA"},
    {"but not for ever: a large one for each quantum", 4, "3A9a............", "aaaaAaaaaAaA"},
    {"small ones while no large one waits are not counted", 4, "5a....A5a.......", "aaaaaaaaAaa"},
    {"one that empties and returns is not fresh again", 4, "4A4B..c.c..c..", "ABcABcc"},
    {"when all is gone all is forgotten", 1, "2a..2b2a....", "aababa"},
};

static void push(struct fair *fair, char name)
{
    static char items[128];
    uint8_t key[FAIR_KEY_BYTES] = {0};
    bool large = name >= 'A' && name <= 'Z';
    key[0] = (uint8_t)(large ? name - 'A' + 'a' : name);
    items[(unsigned char)name] = name;
    assert_true(fair_try_push(fair, key, large ? FAIR_LARGE : FAIR_SMALL, large ? 4 : 1, &items[(unsigned char)name]));
}

static void run(const struct script *script)
{
    char popped[64] = "";
    size_t count = 0;
    size_t times = 1;
    struct fair *fair = fair_new(32, script->quantum);
    for (const char *step = script->steps; *step != '\0'; step++) {
        if (*step >= '0' && *step <= '9') {
            times = (size_t)(*step - '0');
            continue;
        }
        for (size_t i = 0; i < times; i++) {
            if (*step == '.') {
                popped[count++] = *(char *)fair_pop(fair);
            } else {
                push(fair, *step);
            }
        }
        times = 1;
    }
    if (strcmp(popped, script->popped) != 0) {
        fail_msg("%s: %s, expected %s", script->name, popped, script->popped);
    }
    void *left;
    while (fair_pop_many(fair, &left, 1) > 0) {
    }
    fair_free(&fair);
}

static void serves_in_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SCRIPTS); i++) {
        run(&SCRIPTS[i]);
    }
}

static void bounds_and_lanes(void **state)
{
    (void)state;
    uint8_t key[FAIR_KEY_BYTES] = {1};
    int items[4];
    void *many[4];
    struct fair *fair = fair_new(3, 10);
    assert_true(fair_try_push(fair, key, FAIR_LARGE, 10, &items[0]));
    assert_true(fair_try_push(fair, key, FAIR_SMALL, 1, &items[1]));
    assert_true(fair_try_push(fair, key, FAIR_LARGE, 10, &items[2]));
    assert_false(fair_try_push(fair, key, FAIR_SMALL, 1, &items[3]));
    assert_int_equal(fair_waiting(fair, FAIR_SMALL), 1);
    assert_int_equal(fair_waiting(fair, FAIR_LARGE), 2);
    assert_int_equal(fair_pop_many(fair, many, 4), 3);
    assert_ptr_equal(many[0], &items[1]);
    assert_ptr_equal(many[1], &items[0]);
    assert_ptr_equal(many[2], &items[2]);
    assert_int_equal(fair_waiting(fair, FAIR_SMALL) + fair_waiting(fair, FAIR_LARGE), 0);
    assert_int_equal(fair_pop_many(fair, many, 4), 0);
    assert_null(fair_pop_timed(fair, 1));
    assert_true(fair_try_push(fair, key, FAIR_SMALL, 1, &items[3]));
    assert_ptr_equal(fair_pop_timed(fair, 60000), &items[3]);
    fair_free(&fair);
}

static void closing_drains(void **state)
{
    (void)state;
    uint8_t key[FAIR_KEY_BYTES] = {1};
    int item;
    struct fair *fair = fair_new(2, 1);
    assert_true(fair_try_push(fair, key, FAIR_SMALL, 1, &item));
    fair_close(fair);
    assert_false(fair_try_push(fair, key, FAIR_SMALL, 1, &item));
    assert_ptr_equal(fair_pop(fair), &item);
    assert_null(fair_pop(fair));
    fair_free(&fair);
}

/* More flows come and go than there is room for while one keeps the queue from becoming empty. */
static void flows_come_and_go(void **state)
{
    (void)state;
    uint8_t key[FAIR_KEY_BYTES] = {0};
    int kept, passing;
    struct fair *fair = fair_new(4, 1000);
    assert_true(fair_try_push(fair, key, FAIR_LARGE, 1, &kept));
    for (uint32_t i = 1; i <= 10000; i++) {
        memcpy(key + 4, &i, sizeof i);
        assert_true(fair_try_push(fair, key, FAIR_SMALL, 1, &passing));
        assert_true(fair_try_push(fair, key, FAIR_SMALL, 1, &passing));
        memset(key, 0, sizeof key);
        assert_true(fair_try_push(fair, key, FAIR_LARGE, 1, &kept));
        for (int pops = 0; pops < 3; pops++) {
            assert_non_null(fair_pop(fair));
        }
    }
    assert_non_null(fair_pop(fair));
    void *left;
    assert_int_equal(fair_pop_many(fair, &left, 1), 0);
    fair_free(&fair);
}

/* ---- threads ---- */

#define PER_THREAD 20000

struct side {
    struct fair *fair;
    uint8_t flow;
    size_t count;
    bool in_order;
};

static size_t numbers[2][PER_THREAD];

static void *produce(void *context)
{
    struct side *side = context;
    uint8_t key[FAIR_KEY_BYTES] = {side->flow};
    for (size_t i = 0; i < PER_THREAD; i++) {
        numbers[side->flow][i] = i;
        while (!fair_try_push(side->fair, key, FAIR_SMALL, 1, &numbers[side->flow][i])) {
            sched_yield();
        }
    }
    return NULL;
}

static void *consume(void *context)
{
    struct side *side = context;
    size_t next[2] = {0, 0};
    side->in_order = true;
    for (size_t *item = fair_pop(side->fair); item != NULL; item = fair_pop(side->fair)) {
        int flow = item >= numbers[1] ? 1 : 0;
        side->in_order &= *item >= next[flow];
        next[flow] = *item + 1;
        side->count++;
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    struct fair *fair = fair_new(50, 3);
    struct side sides[4] = {{fair, 0, 0, true}, {fair, 1, 0, true}, {fair, 0, 0, false}, {fair, 0, 0, false}};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? produce : consume, &sides[i]), 0);
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    fair_close(fair);
    pthread_join(threads[2], NULL);
    pthread_join(threads[3], NULL);
    assert_int_equal(sides[2].count + sides[3].count, 2 * PER_THREAD);
    assert_true(sides[2].in_order && sides[3].in_order);
    fair_free(&fair);
}

/* In the middle of a large item: only small ones come, from whoever has one, and they are paid for. */
static void small_ones_only(void **state)
{
    (void)state;
    static const uint8_t keys[2][FAIR_KEY_BYTES] = {{1}, {2}};
    static int items[5];
    struct fair *fair = fair_new(16, 100);
    assert_non_null(fair);
    assert_null(fair_pop_small(fair));
    assert_true(fair_try_push(fair, keys[0], FAIR_LARGE, 100, &items[0]));
    assert_null(fair_pop_small(fair));
    assert_true(fair_try_push(fair, keys[0], FAIR_SMALL, 1, &items[1]));
    assert_true(fair_try_push(fair, keys[1], FAIR_SMALL, 1, &items[2]));
    assert_true(fair_try_push(fair, keys[1], FAIR_SMALL, 1, &items[3]));
    assert_int_equal(fair_waiting(fair, FAIR_SMALL), 3);
    assert_ptr_equal(fair_pop_small(fair), &items[1]);
    assert_ptr_equal(fair_pop_small(fair), &items[2]);
    assert_ptr_equal(fair_pop_small(fair), &items[3]);
    assert_null(fair_pop_small(fair));
    assert_int_equal(fair_waiting(fair, FAIR_LARGE), 1);
    assert_ptr_equal(fair_pop(fair), &items[0]);
    fair_close(fair);
    assert_null(fair_pop(fair));
    fair_free(&fair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_ones_only),   cmocka_unit_test(serves_in_turn),
                                       cmocka_unit_test(bounds_and_lanes),  cmocka_unit_test(closing_drains),
                                       cmocka_unit_test(flows_come_and_go), cmocka_unit_test(threads_lose_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
