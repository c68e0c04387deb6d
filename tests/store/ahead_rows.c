/*
 * Keys that were looked up ahead of their chunk (store_look_ahead): whatever happens to them before it is added is
 * seen, as if they had been looked up then (S4, S5).
 */
#include "fixture.h"

#include <pthread.h>
#include <unistd.h>

#include "store/local_priv.h"

#define KEYS   200
#define CHUNKS 10
#define SIZE   (KEYS / CHUNKS)

static void make_people(struct person *people, unsigned first)
{
    for (unsigned i = 0; i < KEYS; i++) {
        people[i] = (struct person){.unique = first + i, .content = i};
    }
}

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
    make_people(people, 1);
    for (size_t i = 0; i < KEYS; i += 3) {
        (void)fixture_keep(fixture, 0, &people[i], 1);
    }
    struct store_run *run = begin(fixture, &import);
    struct store_chunk *chunk = fixture_chunk(fixture, &import, 0, people, KEYS);
    chunk->ahead = store_look_ahead(fixture->store, chunk, fixture->arena, count_pause, &pauses);
    assert_true(pauses >= 2 || fixture->kind == KIND_POSTGRES);
    assert_int_equal(store_run_add(run, chunk), 0);
    for (size_t i = 0; i < KEYS; i++) {
        assert_int_equal(chunk->outcomes[i].kind, i % 3 == 0 ? STORE_EXISTING : STORE_CREATED);
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
        (void)usleep(100);
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

static void look(struct fixture *fixture, struct store_chunk *chunk)
{
    chunk->ahead = store_look_ahead(fixture->store, chunk, fixture->arena, NULL, NULL);
}

/* All chunks are looked up before the rival begins, or each while it commits. */
static void race(struct fixture *fixture, unsigned first, bool before)
{
    static struct rival rival;
    struct person people[KEYS];
    struct store_chunk *chunks[CHUNKS];
    struct store_import import;
    pthread_t thread;
    make_people(people, first);
    rival = (struct rival){0};
    struct store_run *run = begin(fixture, &import);
    make_rival(fixture, &rival, people);
    for (uint32_t i = 0; i < CHUNKS; i++) {
        chunks[i] = fixture_chunk(fixture, &import, i, &people[i * SIZE], SIZE);
        chunks[i]->atomic = false;
        if (before) {
            look(fixture, chunks[i]);
        }
    }
    assert_int_equal(pthread_create(&thread, NULL, commit_each, &rival), 0);
    for (uint32_t i = 0; i < CHUNKS; i++) {
        if (!before) {
            look(fixture, chunks[i]);
        }
        (void)usleep(3000); /* the rival goes on meanwhile */
        assert_int_equal(store_run_add(run, chunks[i]), 0);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(rival.failures, 0);
    for (size_t i = 0; i < KEYS; i++) {
        bool here = chunks[i / SIZE]->outcomes[i % SIZE].kind == STORE_CREATED;
        bool there = rival.chunks[i]->kept && rival.chunks[i]->outcomes[0].kind == STORE_CREATED;
        assert_true(here != there);
        import.created += here ? 1 : 0;
    }
    assert_int_equal(store_run_finish(&run), 0);
    import.chunks = CHUNKS;
    fixture_end(fixture, &import, IMPORT_COMMITTED);
}

static void one_winner_each(struct fixture *fixture)
{
    race(fixture, 1, true);
    race(fixture, 1001, false);
    assert_int_equal(fixture_count(fixture, 0), 2 * (size_t)KEYS);
    (void)fixture_verify(fixture);
}

/* ---- at certain moments ---- */

/* Over the key-value store. */
static struct {
    struct fixture *fixture;
    struct store_chunk *chunk; /* that is looked up ahead */
    const struct store_kv_ops *under;
    struct store_kv_ops over;
    struct store_kv_batch *batch;
} layer;

static int look_and_write(struct store_kv *kv, struct store_kv_batch *batch, bool sync)
{
    look(layer.fixture, layer.chunk);
    return layer.under->write(kv, batch, sync);
}

/* What is looked up while a commit has decided and not yet written is looked up again. */
static void written_at_that_moment(struct fixture *fixture)
{
    static const struct person ada = {.unique = 1, .content = 1};
    static const struct person other = {.unique = 1, .content = 2};
    struct store_local *local = store_local_of(fixture->store);
    struct store_import import;
    struct store_run *run = begin(fixture, &import);
    layer.fixture = fixture;
    layer.chunk = fixture_chunk(fixture, &import, 0, &ada, 1);
    layer.chunk->atomic = false;
    layer.under = local->kv->ops;
    layer.over = *layer.under;
    layer.over.write = look_and_write;
    local->kv->ops = &layer.over;
    (void)fixture_keep(fixture, 0, &other, 1);
    local->kv->ops = layer.under;
    assert_non_null(layer.chunk->ahead);
    assert_int_equal(store_run_add(run, layer.chunk), 0);
    assert_int_equal(layer.chunk->outcomes[0].kind, STORE_CONFLICT);
    store_run_cancel(&run);
}

static int resume_with_rows(struct store_kv *kv)
{
    int err = layer.under->resume(kv);
    return err == 0 ? layer.under->write(kv, layer.batch, true) : err;
}

/* What was looked up before the store goes on is not believed: a key's entry may have come with it. */
static void resumed_meanwhile(struct fixture *fixture)
{
    static const struct person ada = {.unique = 1, .content = 1};
    struct store_local *local = store_local_of(fixture->store);
    struct store_import import;
    uint8_t key[STORE_UNIQUE_BYTES];
    uint8_t value[STORE_HOLDER_BYTES];
    struct record_key index = fixture_key(IDENTIFIER_EXTERNAL_ID, 1, true);
    struct store_holder holder = {.id = fixture_uuid(fixture), .import = fixture_uuid(fixture)};
    struct store_run *run = begin(fixture, &import);
    struct store_chunk *chunk = fixture_chunk(fixture, &import, 0, &ada, 1);
    chunk->atomic = false;
    look(fixture, chunk);
    layer.under = local->kv->ops;
    layer.over = *layer.under;
    layer.over.resume = resume_with_rows;
    layer.batch = store_kv_batch_new(local->kv);
    store_kv_put(local->kv, layer.batch, STORE_FAMILY_UNIQUE, store_rows_unique_key(key, &fixture->tenants[0], &index),
                 store_rows_holder_write(value, &holder));
    local->kv->ops = &layer.over;
    atomic_store(&local->stopped, ERR_STORAGE_FULL);
    assert_int_equal(store_resume(fixture->store), 0);
    assert_int_equal(store_run_add(run, chunk), 0);
    assert_int_equal(chunk->outcomes[0].kind, STORE_CONFLICT);
    assert_memory_equal(&chunk->outcomes[0].id, &holder.id, UUID_BYTES);
    store_run_cancel(&run);
    local->kv->ops = layer.under;
    store_kv_batch_clear(local->kv, layer.batch); /* its customer was never there */
    store_kv_erase(local->kv, layer.batch, STORE_FAMILY_UNIQUE, slice_make(key, sizeof key));
    assert_int_equal(store_kv_write(local->kv, layer.batch, true), 0);
    store_kv_batch_free(local->kv, &layer.batch);
}

const struct row ahead_rows[] = {
    {"S4 keys that change after they were looked up ahead", KIND_ALL, changed_meanwhile},
    {"looking ahead pauses between keys", KIND_ALL, pauses_between},
    {"S4 keys looked up ahead, against commits", KIND_ALL, one_winner_each},
    {"S4 keys looked up ahead while they are written", KIND_LOCAL, written_at_that_moment},
    {"S4 keys looked up ahead of a store that goes on", KIND_LOCAL, resumed_meanwhile},
    {0},
};
