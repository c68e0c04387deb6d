/*
 * Keys that were looked up ahead of their chunk (store_look_ahead): whatever happens to them before it is added is
 * seen, as if they had been looked up then (S4, S5).
 */
#include "fixture.h"

#include <pthread.h>
#include <unistd.h>

#define KEYS   200
#define CHUNKS 10
#define SIZE   (KEYS / CHUNKS)

static void count_pause(void *context)
{
    ++*(size_t *)context;
}

static struct store_run *begin(struct fixture *fixture, struct store_import *import)
{
    struct store_run *run = NULL;
    *import = fixture_import(fixture, 0);
    fixture_end(fixture, import, IMPORT_OPEN);
    assert_int_equal(store_run_open(fixture->store, &import->tenant, &import->id, &run), 0);
    return run;
}

static void add_one(struct fixture *fixture, struct store_run *run, const struct store_import *import,
                    const struct person *person)
{
    struct store_chunk *chunk = fixture_chunk(fixture, import, 0, person, 1);
    assert_int_equal(store_run_add(run, chunk), 0);
    assert_true(chunk->kept);
}

/* Every way in which a key comes to be another's, or nobody's, after it was looked up. */
static void changed_meanwhile(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .content = 1}, {.unique = 2, .content = 2},
                                           {.unique = 3, .content = 3}, {.unique = 4, .content = 4},
                                           {.unique = 5, .content = 5}, {.unique = 6, .content = 6},
                                           {.unique = 7, .content = 7}};
    static const struct person other = {.unique = 1, .content = 99};
    static const uint8_t expected[] = {STORE_CONFLICT, STORE_EXISTING, STORE_BUSY,   STORE_BUSY,
                                       STORE_CREATED,  STORE_CREATED,  STORE_CREATED};
    struct store_import import, finished, open, aborted, swept;
    size_t pauses = 0;
    struct store_run *run = begin(fixture, &import);
    struct store_run *finishing = begin(fixture, &finished);
    struct store_run *staying = begin(fixture, &open);
    aborted = fixture_import(fixture, 0);
    fixture_commit(fixture, fixture_chunk(fixture, &aborted, 0, &people[4], 1), &aborted, IMPORT_OPEN);
    swept = fixture_import(fixture, 0);
    fixture_commit(fixture, fixture_chunk(fixture, &swept, 0, &people[5], 1), &swept, IMPORT_OPEN);

    struct store_chunk *chunk = fixture_chunk(fixture, &import, 0, people, 7);
    chunk->atomic = false;
    chunk->ahead = store_look_ahead(fixture->store, chunk, fixture->arena, count_pause, &pauses);
    assert_true((chunk->ahead != NULL) == (fixture->kind != KIND_POSTGRES));
    assert_true(pauses > 0 || fixture->kind == KIND_POSTGRES);

    (void)fixture_keep(fixture, 0, &other, 1);
    add_one(fixture, finishing, &finished, &people[1]);
    assert_int_equal(store_run_finish(&finishing), 0);
    finished.created = 1;
    finished.chunks = 1;
    fixture_end(fixture, &finished, IMPORT_COMMITTED);
    add_one(fixture, staying, &open, &people[2]);
    struct store_import third = fixture_import(fixture, 0);
    fixture_commit(fixture, fixture_chunk(fixture, &third, 0, &people[3], 1), &third, IMPORT_OPEN);
    fixture_end(fixture, &swept, IMPORT_ABORTED);
    fixture_sweep(fixture);
    fixture_end(fixture, &aborted, IMPORT_ABORTED);

    assert_int_equal(store_run_add(run, chunk), 0);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(chunk->outcomes[i].kind, expected[i]);
    }
    assert_int_equal(store_run_finish(&staying), 0);
    assert_int_equal(store_run_finish(&run), 0);
    import.created = 3;
    import.existing = 1;
    import.chunks = 1;
    fixture_end(fixture, &import, IMPORT_COMMITTED);
    assert_int_equal(fixture_count(fixture, 0), 5);
    fixture_sweep(fixture);
    (void)fixture_verify(fixture);
}

/* Many keys: whoever looks is let do something else in between, and all are looked up. */
static void pauses_between(struct fixture *fixture)
{
    struct person people[KEYS];
    struct store_import import;
    size_t pauses = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        people[i] = (struct person){.unique = i + 1, .content = i};
    }
    (void)fixture_keep(fixture, 0, people, 1);
    (void)fixture_keep(fixture, 0, &people[KEYS - 1], 1);
    struct store_run *run = begin(fixture, &import);
    struct store_chunk *chunk = fixture_chunk(fixture, &import, 0, people, KEYS);
    chunk->ahead = store_look_ahead(fixture->store, chunk, fixture->arena, count_pause, &pauses);
    assert_true(pauses >= 2 || fixture->kind == KIND_POSTGRES);
    assert_int_equal(store_run_add(run, chunk), 0);
    for (size_t i = 0; i < KEYS; i++) {
        bool there = i == 0 || i == KEYS - 1;
        assert_int_equal(chunk->outcomes[i].kind, there ? STORE_EXISTING : STORE_CREATED);
    }
    assert_int_equal(store_run_finish(&run), 0);
}

/* ---- against commits of the same keys ---- */

struct rival {
    struct store *store;
    struct store_chunk *chunks[KEYS];
    struct store_import imports[KEYS];
    int failures;
};

static void *commit_each(void *context)
{
    struct rival *rival = context;
    for (size_t i = 0; i < KEYS; i++) {
        rival->failures += store_commit(rival->store, &rival->chunks[i], 1) == 0 ? 0 : 1;
    }
    return NULL;
}

static void make_rival(struct fixture *fixture, struct rival *rival, const struct person *people)
{
    rival->store = fixture->store;
    for (size_t i = 0; i < KEYS; i++) {
        struct person other = {.unique = people[i].unique, .content = 1000 + (unsigned)i};
        rival->imports[i] = fixture_import(fixture, 0);
        rival->imports[i].state = IMPORT_COMMITTED;
        rival->imports[i].chunks = 1;
        rival->chunks[i] = fixture_chunk(fixture, &rival->imports[i], 0, &other, 1);
        rival->chunks[i]->row = &rival->imports[i];
    }
}

static void one_winner_each(struct fixture *fixture)
{
    static struct rival rival;
    struct person people[KEYS];
    struct store_chunk *chunks[CHUNKS];
    struct store_import import;
    pthread_t thread;
    for (unsigned i = 0; i < KEYS; i++) {
        people[i] = (struct person){.unique = i + 1, .content = i};
    }
    rival = (struct rival){0};
    struct store_run *run = begin(fixture, &import);
    make_rival(fixture, &rival, people);
    assert_int_equal(pthread_create(&thread, NULL, commit_each, &rival), 0);
    for (uint32_t i = 0; i < CHUNKS; i++) {
        chunks[i] = fixture_chunk(fixture, &import, i, &people[i * SIZE], SIZE);
        chunks[i]->atomic = false;
        chunks[i]->ahead = store_look_ahead(fixture->store, chunks[i], fixture->arena, NULL, NULL);
        (void)usleep(2000); /* the rival goes on meanwhile */
        assert_int_equal(store_run_add(run, chunks[i]), 0);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(rival.failures, 0);
    for (size_t i = 0; i < KEYS; i++) {
        int winners = rival.chunks[i]->kept && rival.chunks[i]->outcomes[0].kind == STORE_CREATED;
        winners += chunks[i / SIZE]->outcomes[i % SIZE].kind == STORE_CREATED;
        assert_int_equal(winners, 1);
        import.created += chunks[i / SIZE]->outcomes[i % SIZE].kind == STORE_CREATED;
    }
    assert_int_equal(store_run_finish(&run), 0);
    import.chunks = CHUNKS;
    fixture_end(fixture, &import, IMPORT_COMMITTED);
    assert_int_equal(fixture_count(fixture, 0), KEYS);
    (void)fixture_verify(fixture);
}

const struct row ahead_rows[] = {
    {"S4 keys that change after they were looked up ahead", KIND_ALL, changed_meanwhile},
    {"looking ahead pauses between keys", KIND_ALL, pauses_between},
    {"S4 keys looked up ahead, against commits", KIND_ALL, one_winner_each},
    {0},
};
