/*
 * Threads. Readers must see whole imports at every instant (S3), a key must never be freed under its
 * new owner by the sweep (S4), and of several that replace a secrets row one wins. Checks of other
 * threads are counted and asserted at the end: cmocka's asserts belong to the main thread.
 */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define CHUNKS      3
#define CHUNK_SIZE  5
#define IMPORT_SIZE (CHUNKS * CHUNK_SIZE)
#define IMPORTS     60

struct race {
    struct fixture *fixture;
    atomic_bool done;
    atomic_uint broken;
    atomic_uint looks;
};

/* One list and one find: whole imports, and never fewer than before. */
static void look(struct race *race, size_t *seen)
{
    static const struct uuid first;
    struct store *store = race->fixture->store;
    const struct uuid *tenant = &race->fixture->tenants[0];
    struct record_key email = fixture_key(IDENTIFIER_EMAIL, 5, false);
    size_t listed = 0;
    size_t found = 0;
    bool ok = store_customer_list(store, tenant, &first, SIZE_MAX, fixture_count_one, &listed) == 0;
    ok = store_customer_find(store, tenant, &email, &first, SIZE_MAX, fixture_count_one, &found) == 0 && ok;
    ok = ok && listed % IMPORT_SIZE == 0 && found % IMPORT_SIZE == 0 && listed >= *seen && found >= listed;
    *seen = found;
    race->broken += ok ? 0 : 1;
    race->looks++;
}

static void *read_on(void *context)
{
    struct race *race = context;
    size_t seen = 0;
    while (!race->done) {
        look(race, &seen);
    }
    look(race, &seen);
    return NULL;
}

static void *sweep_on(void *context)
{
    struct race *race = context;
    bool left = true;
    while (!race->done) {
        race->broken += store_sweep(race->fixture->store, 20, &left) == 0 ? 0 : 1;
        sched_yield();
    }
    return NULL;
}

static void commit_import(struct fixture *fixture, unsigned number)
{
    struct store_import row = fixture_import(fixture, 0);
    struct person people[CHUNK_SIZE];
    for (uint32_t chunk = 0; chunk < CHUNKS; chunk++) {
        bool last = chunk + 1 == CHUNKS;
        for (unsigned i = 0; i < CHUNK_SIZE; i++) {
            people[i] =
                (struct person){.unique = (number * CHUNKS + chunk) * CHUNK_SIZE + i + 1, .content = i, .email = 5};
        }
        if (last && number % 3 == 2) {
            fixture_end(fixture, &row, IMPORT_ABORTED);
        } else {
            fixture_commit(fixture, fixture_chunk(fixture, &row, chunk, people, CHUNK_SIZE), &row,
                           last ? IMPORT_COMMITTED : IMPORT_OPEN);
        }
    }
}

static void readers_see_whole_imports(struct fixture *fixture)
{
    struct race race = {.fixture = fixture};
    pthread_t readers[2];
    pthread_t sweeper;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &race), 0);
    }
    assert_int_equal(pthread_create(&sweeper, NULL, sweep_on, &race), 0);
    for (unsigned i = 0; i < IMPORTS; i++) {
        commit_import(fixture, i);
    }
    while (race.looks < 4) {
        sched_yield();
    }
    race.done = true;
    pthread_join(readers[0], NULL);
    pthread_join(readers[1], NULL);
    pthread_join(sweeper, NULL);
    assert_int_equal(race.broken, 0);
    assert_int_equal(fixture_count(fixture, 0), IMPORTS / 3 * 2 * IMPORT_SIZE);
}

/* Each round one import is aborted and the next takes its keys, while the sweep runs. */
static void sweep_frees_no_new_owner(struct fixture *fixture)
{
    struct race race = {.fixture = fixture};
    pthread_t sweeper;
    assert_int_equal(pthread_create(&sweeper, NULL, sweep_on, &race), 0);
    for (unsigned i = 0; i < IMPORTS; i++) {
        struct person people[CHUNK_SIZE];
        struct store_import row = fixture_import(fixture, 0);
        for (unsigned j = 0; j < CHUNK_SIZE; j++) {
            people[j] = (struct person){.unique = i * CHUNK_SIZE + j + 1, .content = j, .email = 5};
        }
        fixture_commit(fixture, fixture_chunk(fixture, &row, 0, people, CHUNK_SIZE), &row, IMPORT_OPEN);
        fixture_end(fixture, &row, IMPORT_ABORTED);
        assert_true(fixture_keep(fixture, 0, people, CHUNK_SIZE)->kept);
    }
    race.done = true;
    pthread_join(sweeper, NULL);
    assert_int_equal(race.broken, 0);
    fixture_sweep(fixture);
    for (unsigned i = 1; i <= IMPORTS * CHUNK_SIZE; i++) {
        assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EXTERNAL_ID, i, true)), 1);
    }
    assert_int_equal(fixture_verify(fixture).keys, 2 * IMPORTS * CHUNK_SIZE);
}

/* ---- secrets ---- */

#define REPLACERS 4
#define ROUNDS    50

struct replacer {
    struct race *race;
    struct uuid id;
    struct slice old;
    struct slice row;
    unsigned wins;
};

static void *replace_once(void *context)
{
    struct replacer *replacer = context;
    struct fixture *fixture = replacer->race->fixture;
    int err =
        store_secrets_replace(fixture->store, &fixture->tenants[0], &replacer->id, replacer->old, replacer->row, false);
    replacer->wins += err == 0 ? 1 : 0;
    replacer->race->broken += err != 0 && err != ERR_BUSY ? 1 : 0;
    return NULL;
}

static void one_replacer_wins(struct fixture *fixture)
{
    static const struct person person = {.secrets = true, .pending = true};
    static const struct person other = {.secrets = true};
    struct race race = {.fixture = fixture};
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_t threads[REPLACERS];
        struct replacer replacers[REPLACERS] = {0};
        struct store_chunk *chunk = fixture_keep(fixture, 0, &person, 1);
        unsigned wins = 0;
        for (size_t i = 0; i < REPLACERS; i++) {
            struct store_chunk *donor = fixture_keep(fixture, 1, &other, 1);
            replacers[i] = (struct replacer){.race = &race,
                                             .id = chunk->customers[0].id,
                                             .old = chunk->customers[0].secrets,
                                             .row = donor->customers[0].secrets};
        }
        for (size_t i = 0; i < REPLACERS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, replace_once, &replacers[i]), 0);
        }
        for (size_t i = 0; i < REPLACERS; i++) {
            pthread_join(threads[i], NULL);
            wins += replacers[i].wins;
        }
        assert_int_equal(wins, 1);
    }
    assert_int_equal(race.broken, 0);
    assert_int_equal(fixture_verify(fixture).pending, 0);
}

/* ---- adders of a row ---- */

struct adder {
    struct race *race;
    struct slice key;
    unsigned wins;
};

static void *add_once(void *context)
{
    struct adder *adder = context;
    int err = store_meta_add(adder->race->fixture->store, adder->key, slice_make(&adder, sizeof(void *)));
    adder->wins += err == 0;
    adder->race->broken += err != 0 && err != ERR_EXISTS;
    return NULL;
}

static void one_adder_wins(struct fixture *fixture)
{
    struct race race = {.fixture = fixture};
    for (unsigned round = 0; round < 50; round++) {
        pthread_t threads[REPLACERS];
        struct adder adders[REPLACERS] = {0};
        unsigned wins = 0;
        for (size_t i = 0; i < REPLACERS; i++) {
            adders[i] = (struct adder){.race = &race, .key = slice_make(&round, sizeof round)};
            assert_int_equal(pthread_create(&threads[i], NULL, add_once, &adders[i]), 0);
        }
        for (size_t i = 0; i < REPLACERS; i++) {
            pthread_join(threads[i], NULL);
            wins += adders[i].wins;
        }
        assert_int_equal(wins, 1);
    }
    assert_int_equal(race.broken, 0);
}

static void replaces_what_it_saw(struct fixture *fixture)
{
    struct store *store = fixture->store;
    struct buf value;
    uint64_t stamp = 1;
    buf_init(&value, 0);
    assert_int_equal(store_meta_replace(store, SLICE("k"), SLICE("a"), SLICE("b")), ERR_NOT_FOUND);
    assert_int_equal(store_meta_add(store, SLICE("k"), SLICE("a")), 0);
    assert_int_equal(store_meta_replace(store, SLICE("k"), SLICE("b"), SLICE("c")), ERR_BUSY);
    assert_int_equal(store_meta_replace(store, SLICE("k"), SLICE("a"), SLICE("b")), 0);
    assert_int_equal(store_meta_get(store, SLICE("k"), &value), 0);
    assert_true(slice_equal_text(buf_view(&value), "b"));
    assert_int_equal(store_meta_stamp(store, &stamp), 0);
    assert_true(stamp == 0 || fixture->kind == KIND_POSTGRES);
    buf_fini(&value);
}

const struct row race_rows[] = {
    {"a row of the house is replaced if it is what was seen", KIND_ALL, replaces_what_it_saw},
    {"S3 readers see whole imports while they are committed", KIND_ALL, readers_see_whole_imports},
    {"S4 the sweep frees no key of a new owner", KIND_ALL, sweep_frees_no_new_owner},
    {"one of several that replace a secrets row wins", KIND_ALL, one_replacer_wins},
    {"one of several that add a row of the house wins", KIND_ALL, one_adder_wins},
    {0},
};
