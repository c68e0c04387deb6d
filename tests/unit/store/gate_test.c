/* The gate: who shuts it is alone, and gives up when somebody stays inside. */
#include "store/gate_priv.h"

#include <unistd.h>

#include "../test.h"

#define THREADS 3
#define ROUNDS  2000

static struct store_gate gate;
static atomic_int inside;
static atomic_bool alone;
static atomic_bool broken;

static void *use(void *context)
{
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        store_gate_enter(&gate);
        atomic_fetch_add(&inside, 1);
        if (atomic_load(&alone)) {
            atomic_store(&broken, true);
        }
        atomic_fetch_sub(&inside, 1);
        store_gate_leave(&gate);
        if (i % 50 == 0) {
            usleep(100);
        }
    }
    return NULL;
}

static void who_shuts_is_alone(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    store_gate_init(&gate);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use, NULL), 0);
    }
    for (int i = 0; i < 200; i++) {
        assert_true(store_gate_shut(&gate, 10000));
        atomic_store(&alone, true);
        assert_int_equal(atomic_load(&inside), 0);
        atomic_store(&alone, false);
        store_gate_open(&gate);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_false(atomic_load(&broken));
    store_gate_fini(&gate);
}

static void gives_up_and_is_open(void **state)
{
    (void)state;
    store_gate_init(&gate);
    store_gate_enter(&gate);
    assert_false(store_gate_shut(&gate, 20));
    store_gate_enter(&gate); /* would wait for ever at a gate that is shut */
    store_gate_leave(&gate);
    store_gate_leave(&gate);
    assert_true(store_gate_shut(&gate, 0));
    store_gate_open(&gate);
    store_gate_fini(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(who_shuts_is_alone), cmocka_unit_test(gives_up_and_is_open)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
