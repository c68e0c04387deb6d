/*
 * The bulk lane: S1 to S5 and S8 for chunks that come in runs, beside commits and other runs. What a run
 * calls of the key-value store is counted by a layer put over it, which fails one call, or ends the process there.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "store/local_priv.h"

#define PEOPLE 30
#define CHUNKS 3

static void make_people(struct person *people, unsigned first)
{
    for (unsigned i = 0; i < PEOPLE; i++) {
        people[i] = (struct person){.unique = first + i,
                                    .content = i,
                                    .email = 5 + i % 3,
                                    .phone = 900 - i,
                                    .wallet = i % 2 == 0 ? 5000 + first + i : 0,
                                    .secrets = i % 3 == 0,
                                    .pending = i % 6 == 0};
    }
}

static struct store_run *open_run(struct fixture *fixture, const struct store_import *import)
{
    struct store_run *run = NULL;
    assert_int_equal(store_run_open(fixture->store, &import->tenant, &import->id, &run), 0);
    return run;
}

/* An import with its open row, and a run of it. */
static struct store_run *begin(struct fixture *fixture, size_t tenant, struct store_import *import)
{
    *import = fixture_import(fixture, tenant);
    fixture_end(fixture, import, IMPORT_OPEN);
    return open_run(fixture, import);
}

static struct store_chunk *add(struct fixture *fixture, struct store_run *run, const struct store_import *import,
                               uint32_t number, const struct person *people, size_t count, bool atomic)
{
    struct store_chunk *chunk = fixture_chunk(fixture, import, number, people, count);
    chunk->atomic = atomic;
    assert_int_equal(store_run_add(run, chunk), 0);
    assert_int_equal(chunk->error, 0);
    return chunk;
}

static void commit_row(struct fixture *fixture, struct store_import *import, uint32_t chunks, uint64_t created)
{
    import->chunks = chunks;
    import->created = created;
    fixture_end(fixture, import, IMPORT_COMMITTED);
}

/* All chunks of a run of PEOPLE customers, numbered from `number`. */
static void add_all(struct fixture *fixture, struct store_run *run, const struct store_import *import,
                    const struct person *people, uint32_t number)
{
    for (uint32_t i = 0; i < CHUNKS; i++) {
        const struct store_chunk *chunk =
            add(fixture, run, import, number + i, people + i * PEOPLE / CHUNKS, PEOPLE / CHUNKS, true);
        assert_true(chunk->kept);
    }
}

/* What is committed at once is not held. */
static void expect_held(const struct fixture *fixture, const struct store_run *run, size_t count)
{
    assert_int_equal(store_run_count(run), fixture->kind == KIND_POSTGRES ? 0 : count);
}

static void shown_with_its_import(struct fixture *fixture)
{
    struct person people[PEOPLE];
    struct person more[PEOPLE];
    struct store_import import;
    struct store_run *run = begin(fixture, 0, &import);
    make_people(people, 100);
    make_people(more, 200);
    add_all(fixture, run, &import, people, 0);
    expect_held(fixture, run, PEOPLE);
    assert_true(store_run_bytes(run) > 0 || fixture->kind == KIND_POSTGRES);
    assert_int_equal(fixture_count(fixture, 0), 0);
    assert_int_equal(store_run_finish(&run), 0);
    assert_null(run);
    assert_int_equal(fixture_count(fixture, 0), 0);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 5, false)), 0);
    (void)fixture_verify(fixture);
    run = open_run(fixture, &import);
    add_all(fixture, run, &import, more, CHUNKS);
    assert_int_equal(store_run_finish(&run), 0);
    commit_row(fixture, &import, 2 * CHUNKS, 2 * (uint64_t)PEOPLE);
    for (int times = 0; times < 2; times++) {
        assert_int_equal(fixture_count(fixture, 0), 2 * PEOPLE);
        assert_int_equal(fixture_count(fixture, 1), 0);
        assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 5, false)), 2 * PEOPLE / 3);
        assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EXTERNAL_ID, 107, true)), 1);
        struct store_verify_counts counts = fixture_verify(fixture);
        assert_int_equal(counts.customers, 2 * PEOPLE);
        assert_int_equal(counts.secrets, 2 * PEOPLE / 3);
        assert_int_equal(counts.pending, 2 * PEOPLE / 6);
        if (fixture->kind != KIND_MEMORY) {
            fixture_reopen(fixture);
        }
    }
    assert_int_equal(fixture_keep(fixture, 0, people, 1)->outcomes[0].kind, STORE_EXISTING);
}

static void keys_within_runs(struct fixture *fixture)
{
    static const struct person first[] = {{.unique = 1, .content = 1}, {.unique = 2, .content = 2}, {.content = 9}};
    static const struct person again[] = {{.unique = 1, .content = 1}, {.unique = 2, .content = 7}, {.unique = 3}};
    struct store_import import;
    (void)fixture_keep(fixture, 0, &(struct person){.unique = 3, .content = 4}, 1);
    struct store_run *run = begin(fixture, 0, &import);
    const struct store_chunk *one = add(fixture, run, &import, 0, first, 3, false);
    const struct store_chunk *two = add(fixture, run, &import, 1, again, 3, false);
    assert_true(one->kept && two->kept);
    assert_int_equal(one->outcomes[0].kind, STORE_CREATED);
    assert_int_equal(two->outcomes[0].kind, STORE_EXISTING);
    assert_memory_equal(&two->outcomes[0].id, &one->outcomes[0].id, UUID_BYTES);
    assert_int_equal(two->outcomes[1].kind, STORE_CONFLICT);
    assert_int_equal(two->outcomes[2].kind, STORE_CONFLICT);
    assert_int_equal(store_run_finish(&run), 0);
    run = open_run(fixture, &import); /* the next run meets the one before as it meets the store */
    assert_int_equal(add(fixture, run, &import, 2, again, 1, false)->outcomes[0].kind, STORE_EXISTING);
    assert_int_equal(store_run_finish(&run), 0);
    import.existing = 2;
    commit_row(fixture, &import, 3, 3);
    assert_int_equal(fixture_count(fixture, 0), 4);
}

static void busy_while_open(struct fixture *fixture)
{
    static const struct person ada = {.unique = 1, .content = 1, .wallet = 2};
    static const struct person other = {.unique = 9, .content = 1, .wallet = 2};
    struct store_import import;
    struct store_import second;
    struct store_run *run = begin(fixture, 0, &import);
    (void)add(fixture, run, &import, 0, &ada, 1, true);
    assert_int_equal(fixture_keep(fixture, 0, &ada, 1)->outcomes[0].kind, STORE_BUSY);
    assert_int_equal(fixture_keep(fixture, 0, &other, 1)->outcomes[0].kind, STORE_BUSY);
    struct store_chunk *elsewhere = fixture_keep(fixture, 1, &ada, 1); /* S8: another tenant's keys are its own */
    assert_int_equal(elsewhere->outcomes[0].kind, STORE_CREATED);
    struct store_run *beside = begin(fixture, 0, &second);
    assert_int_equal(add(fixture, beside, &second, 0, &ada, 1, false)->outcomes[0].kind, STORE_BUSY);
    assert_int_equal(store_run_finish(&run), 0);
    assert_int_equal(add(fixture, beside, &second, 1, &ada, 1, false)->outcomes[0].kind, STORE_BUSY);
    commit_row(fixture, &import, 1, 1);
    assert_int_equal(add(fixture, beside, &second, 2, &ada, 1, false)->outcomes[0].kind, STORE_EXISTING);
    assert_int_equal(store_run_finish(&beside), 0);
    second.existing = 1;
    commit_row(fixture, &second, 3, 0);
}

static void cancel_frees(struct fixture *fixture)
{
    struct person people[PEOPLE];
    struct store_import import;
    make_people(people, 100);
    struct store_run *run = begin(fixture, 0, &import);
    add_all(fixture, run, &import, people, 0);
    store_run_cancel(&run);
    assert_null(run);
    struct store_chunk *kept = fixture_keep(fixture, 0, people, PEOPLE);
    assert_true(kept->kept);
    fixture_end(fixture, &import, IMPORT_ABORTED);
    assert_int_equal(fixture_count(fixture, 0), PEOPLE);
    assert_int_equal(fixture_verify(fixture).customers, PEOPLE);
}

static void refused_chunk_leaves_nothing(struct fixture *fixture)
{
    static const struct person before = {.unique = 1, .content = 1, .email = 5};
    static const struct person chunk[] = {{.unique = 2, .content = 2, .email = 5}, {.unique = 1, .content = 3}};
    struct store_import import;
    struct store_run *run = begin(fixture, 0, &import);
    assert_true(add(fixture, run, &import, 0, &before, 1, true)->kept);
    struct store_chunk *refused = add(fixture, run, &import, 1, chunk, 2, true);
    assert_false(refused->kept);
    assert_int_equal(refused->outcomes[1].kind, STORE_CONFLICT);
    expect_held(fixture, run, 1);
    assert_int_equal(fixture_keep(fixture, 0, chunk, 1)->outcomes[0].kind, STORE_CREATED);
    assert_int_equal(store_run_finish(&run), 0);
    /* An import with a refused chunk that had to be whole can't be committed. */
    struct store_chunk end = {.tenant = import.tenant, .import = import.id, .row = &import};
    struct store_chunk *chunks[] = {&end};
    import.state = IMPORT_COMMITTED;
    assert_int_equal(store_commit(fixture->store, chunks, 1), 0);
    assert_int_equal(end.error, ERR_IMPORT_ENDED);
    fixture_end(fixture, &import, IMPORT_ABORTED);
    fixture_sweep(fixture);
    assert_int_equal(fixture_count(fixture, 0), 1);
}

static void aborted_is_swept(struct fixture *fixture)
{
    struct person people[PEOPLE];
    struct store_import import;
    make_people(people, 100);
    struct store_run *run = begin(fixture, 0, &import);
    add_all(fixture, run, &import, people, 0);
    assert_int_equal(store_run_finish(&run), 0);
    fixture_end(fixture, &import, IMPORT_ABORTED);
    assert_int_equal(fixture_keep(fixture, 0, people, 2)->outcomes[1].kind, STORE_CREATED);
    fixture_sweep(fixture);
    assert_int_equal(fixture_count(fixture, 0), 2);
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.customers, 2);
    assert_int_equal(counts.secrets, 1);
}

/* The run takes keys that an aborted import's entries still have; the sweep comes at each point. */
static void late_entries(struct fixture *fixture)
{
    for (unsigned at = 0; at < 3; at++) {
        struct person people[PEOPLE];
        struct store_import aborted = fixture_import(fixture, 0);
        struct store_import import;
        make_people(people, 1000 * (at + 1));
        fixture_commit(fixture, fixture_chunk(fixture, &aborted, 0, people, 10), &aborted, IMPORT_OPEN);
        fixture_end(fixture, &aborted, IMPORT_ABORTED);
        struct store_run *run = begin(fixture, 0, &import);
        add_all(fixture, run, &import, people, 0);
        if (at == 0) {
            fixture_sweep(fixture);
        }
        assert_int_equal(store_run_finish(&run), 0);
        if (at == 1) {
            fixture_sweep(fixture);
        }
        commit_row(fixture, &import, CHUNKS, PEOPLE);
        fixture_sweep(fixture);
        assert_int_equal(fixture_count(fixture, 0), PEOPLE * (at + 1));
        assert_int_equal(fixture_keep(fixture, 0, people, 1)->outcomes[0].kind, STORE_EXISTING);
        (void)fixture_verify(fixture);
    }
}

static void rows_of_a_chunk(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .content = 1}, {.unique = 2, .content = 2}};
    static const uint8_t chain[CRYPTO_MAC_BYTES] = {1, 2, 3};
    struct store_import import;
    struct store_run *run = begin(fixture, 0, &import);
    struct store_chunk *chunk = fixture_chunk(fixture, &import, 0, people, 2);
    struct store_customer *customers = (struct store_customer *)(uintptr_t)chunk->customers;
    uint8_t found[CRYPTO_MAC_BYTES];
    uint32_t number = 0;
    struct buf out;
    customers[1].refused = true;
    chunk->chain = chain;
    chunk->faults = SLICE("sealed");
    chunk->atomic = false;
    assert_int_equal(store_run_add(run, chunk), 0);
    assert_int_equal(chunk->outcomes[1].kind, STORE_FAULT);
    assert_int_equal(store_run_finish(&run), 0);
    commit_row(fixture, &import, 1, 1);
    buf_init(&out, 0);
    assert_int_equal(store_import_outcomes(fixture->store, &import.tenant, &import.id, 0, found, &out), 0);
    assert_memory_equal(found, chain, sizeof chain);
    buf_clear(&out);
    assert_int_equal(store_import_faults(fixture->store, &import.tenant, &import.id, &number, &out), 0);
    assert_true(slice_equal_text(buf_view(&out), "sealed"));
    buf_fini(&out);
    assert_int_equal(fixture_count(fixture, 0), 1);
}

static void import_belongs_to_its_run(struct fixture *fixture)
{
    static const struct person ada = {.unique = 1, .content = 1};
    struct store_import import;
    struct store_run *none = NULL;
    struct store_run *run = begin(fixture, 0, &import);
    struct store_chunk *chunk = fixture_chunk(fixture, &import, 0, &ada, 1);
    assert_int_equal(store_commit(fixture->store, &chunk, 1), 0);
    assert_int_equal(chunk->error, ERR_BUSY);
    struct store_chunk end = {.tenant = import.tenant, .import = import.id, .row = &import};
    struct store_chunk *chunks[] = {&end};
    import.state = IMPORT_ABORTED;
    assert_int_equal(store_commit(fixture->store, chunks, 1), 0);
    assert_int_equal(end.error, ERR_BUSY);
    store_run_cancel(&run);
    fixture_end(fixture, &import, IMPORT_ABORTED);
    assert_int_equal(store_run_open(fixture->store, &import.tenant, &import.id, &none), ERR_IMPORT_ENDED);
    assert_null(none);
    struct uuid unknown = fixture_uuid(fixture);
    assert_int_equal(store_run_open(fixture->store, &import.tenant, &unknown, &none), ERR_IMPORT_ENDED);
}

static void updates_are_committed(struct fixture *fixture)
{
    static const struct person first = {.unique = 1, .content = 1};
    static const struct person second = {.unique = 2, .content = 2};
    struct store_import import;
    struct buf out;
    struct store_run *run = begin(fixture, 0, &import);
    for (uint32_t i = 0; i < 2; i++) {
        struct store_chunk *chunk = fixture_chunk(fixture, &import, i, i == 0 ? &first : &second, 1);
        chunk->on_existing = IMPORT_EXISTING_UPDATE;
        assert_int_equal(store_run_add(run, chunk), 0);
        assert_true(chunk->kept);
        assert_int_equal(chunk->outcomes[0].kind, STORE_CREATED);
        buf_init(&out, 0);
        assert_int_equal(store_import_outcomes(fixture->store, &import.tenant, &import.id, i, NULL, &out), 0);
        buf_fini(&out);
    }
    assert_int_equal(store_run_count(run), 0);
    assert_int_equal(store_run_finish(&run), 0);
    commit_row(fixture, &import, 2, 2);
    assert_int_equal(fixture_count(fixture, 0), 2);
}

/* ---- beside others ---- */

struct others {
    struct store *store;
    atomic_bool end;
    atomic_size_t problems;
    atomic_size_t rounds;
};

static void *verify_always(void *context)
{
    struct others *others = context;
    while (!atomic_load(&others->end)) {
        struct store_verify_counts counts;
        int err = store_verify(others->store, NULL, NULL, NULL, &counts);
        atomic_fetch_add(&others->problems, err == 0 ? counts.problems : 1);
        atomic_fetch_add(&others->rounds, 1);
    }
    return NULL;
}

static void *sweep_always(void *context)
{
    struct others *others = context;
    while (!atomic_load(&others->end)) {
        bool left = false;
        atomic_fetch_add(&others->problems, store_sweep(others->store, 7, &left) == 0 ? 0 : 1);
        (void)usleep(500);
    }
    return NULL;
}

/* Runs that end in each way, while everything is held against everything: at no instant does it not fit. */
static void runs_beside_others(struct fixture *fixture)
{
    struct others others = {.store = fixture->store};
    pthread_t threads[2];
    size_t kept = 0;
    assert_int_equal(pthread_create(&threads[0], NULL, verify_always, &others), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, sweep_always, &others), 0);
    for (unsigned i = 0; i < 12 || atomic_load(&others.rounds) < 3; i++) {
        struct person people[PEOPLE];
        struct store_import import;
        make_people(people, 100 + i / 3 * 1000);
        struct store_run *run = begin(fixture, 0, &import);
        add_all(fixture, run, &import, people, 0);
        if (i % 3 == 0) {
            store_run_cancel(&run);
        } else {
            assert_int_equal(store_run_finish(&run), 0);
        }
        kept += i % 3 == 2 ? PEOPLE : 0;
        if (i % 3 == 2) {
            commit_row(fixture, &import, CHUNKS, PEOPLE);
        } else {
            fixture_end(fixture, &import, IMPORT_ABORTED);
        }
        assert_int_equal(fixture_count(fixture, 0), kept);
    }
    atomic_store(&others.end, true);
    assert_int_equal(pthread_join(threads[0], NULL) + pthread_join(threads[1], NULL), 0);
    assert_int_equal(atomic_load(&others.problems), 0);
}

/* ---- one call of the key-value store fails, or is the last ---- */

static struct {
    const struct store_kv_ops *under;
    struct store_kv_ops over;
    int left; /* calls that go well; negative: all */
    int error;
    bool exits;
    bool happens;      /* the call that fails has done its work */
    bool meets;        /* the next write waits until files of five families are in */
    atomic_int ingest; /* how often files were taken in */
} layer;

static bool goes_well(void)
{
    if (layer.left < 0 || layer.left-- > 0) {
        return true;
    }
    if (layer.exits) {
        _exit(0);
    }
    layer.left = -1;
    return false;
}

static void *finish_run(void *context)
{
    struct store_run *run = context;
    return store_run_finish(&run) == 0 ? NULL : context;
}

static pthread_t finisher;
static struct store_run *finished;

static void wait_for_files(void)
{
    layer.meets = false;
    assert_int_equal(pthread_create(&finisher, NULL, finish_run, finished), 0);
    for (int i = 0; i < 10000 && atomic_load(&layer.ingest) < 5; i++) {
        (void)usleep(1000);
    }
    assert_int_equal(atomic_load(&layer.ingest), 5);
}

static int over_write(struct store_kv *kv, struct store_kv_batch *batch, bool sync)
{
    if (layer.meets) {
        wait_for_files();
    }
    if (goes_well()) {
        return layer.under->write(kv, batch, sync);
    }
    assert_true(!layer.happens || layer.under->write(kv, batch, sync) == 0);
    return layer.error;
}

static int over_seal(struct store_kv_file *file)
{
    return goes_well() ? layer.under->file_seal(file) : layer.error;
}

static int over_ingest(struct store_kv *kv, struct store_kv_file *const *files, size_t count)
{
    int err = goes_well() ? layer.under->ingest(kv, files, count) : layer.error;
    atomic_fetch_add(&layer.ingest, 1);
    return err;
}

static void put_layer(struct store *store, int left, int error, bool exits)
{
    struct store_kv *kv = store_local_of(store)->kv;
    layer.under = kv->ops;
    layer.over = *kv->ops;
    layer.over.write = over_write;
    layer.over.file_seal = over_seal;
    layer.over.ingest = over_ingest;
    layer.left = left;
    layer.error = error;
    layer.exits = exits;
    layer.happens = false;
    layer.meets = false;
    atomic_store(&layer.ingest, 0);
    kv->ops = &layer.over;
}

static bool take_layer(struct store *store)
{
    store_local_of(store)->kv->ops = layer.under;
    return layer.left < 0;
}

/* A resumable import with one chunk that is kept, in front of the run. */
static struct store_run *begin_behind(struct fixture *fixture, struct store_import *import, const struct person *people)
{
    static const struct person first = {.unique = 1, .content = 1, .email = 5};
    *import = fixture_import(fixture, 0);
    import->resumable = true;
    fixture_commit(fixture, fixture_chunk(fixture, import, 0, &first, 1), import, IMPORT_OPEN);
    struct store_run *run = open_run(fixture, import);
    add_all(fixture, run, import, people, 1);
    return run;
}

/* Whether the run counts: all of its chunks have outcomes, or none has. */
static bool run_counts(struct fixture *fixture, const struct store_import *import)
{
    size_t found = 0;
    struct buf out;
    buf_init(&out, 0);
    for (uint32_t i = 0; i < CHUNKS; i++) {
        int err = store_import_outcomes(fixture->store, &import->tenant, &import->id, 1 + i, NULL, &out);
        assert_true(err == 0 || err == ERR_NOT_FOUND);
        found += err == 0 ? 1 : 0;
    }
    buf_fini(&out);
    assert_true(found == 0 || found == CHUNKS);
    return found > 0;
}

/* The import goes on: the run's chunks are there, or come again. */
static void go_on(struct fixture *fixture, struct store_import *import, const struct person *people)
{
    if (!run_counts(fixture, import)) {
        struct store_run *run = open_run(fixture, import);
        add_all(fixture, run, import, people, 1);
        assert_int_equal(store_run_finish(&run), 0);
    }
    commit_row(fixture, import, 1 + CHUNKS, 1 + PEOPLE);
    assert_int_equal(fixture_verify(fixture).customers, 1 + PEOPLE);
    assert_int_equal(fixture_count(fixture, 0), 1 + PEOPLE);
}

static size_t fail_each(struct fixture *fixture, int error)
{
    bool reached = true;
    size_t steps = 0;
    for (int step = 0; reached; step++) {
        struct person people[PEOPLE];
        struct store_import import;
        make_people(people, 100);
        struct store_run *run = begin_behind(fixture, &import, people);
        put_layer(fixture->store, step, error, false);
        int err = store_run_finish(&run);
        reached = take_layer(fixture->store);
        assert_int_equal(err, reached ? error : 0);
        assert_int_equal(store_health(fixture->store), reached && error != ERR_NO_MEMORY ? error : 0);
        assert_int_equal(store_resume(fixture->store), 0);
        assert_int_equal(run_counts(fixture, &import), !reached);
        (void)fixture_verify(fixture);
        go_on(fixture, &import, people);
        fixture_close(fixture);
        fixture_open(fixture, fixture->kind);
        steps++;
    }
    return steps;
}

/* Sealing five files, the intent, taking five families in, the batch. */
#define STEPS 12

static void failing_leaves_nothing(struct fixture *fixture)
{
    assert_int_equal(fail_each(fixture, ERR_NO_MEMORY), STEPS + 1);
}

static void full_leaves_nothing(struct fixture *fixture)
{
    log_set_level(LOG_ERROR + 1);
    assert_int_equal(fail_each(fixture, ERR_STORAGE_FULL), STEPS + 1);
    log_set_level(LOG_ERROR);
}

/* Between the sweep's look at an entry and its removal a run puts its own in that place. */
static void sweep_meets_run(struct fixture *fixture)
{
    struct person people[PEOPLE];
    struct store_import aborted = fixture_import(fixture, 0);
    struct store_import import;
    void *failed = NULL;
    bool left = false;
    make_people(people, 100);
    fixture_commit(fixture, fixture_chunk(fixture, &aborted, 0, people, 10), &aborted, IMPORT_OPEN);
    fixture_end(fixture, &aborted, IMPORT_ABORTED);
    finished = begin(fixture, 0, &import);
    add_all(fixture, finished, &import, people, 0);
    put_layer(fixture->store, -1, 0, false);
    layer.meets = true;
    assert_int_equal(store_sweep(fixture->store, 10000, &left), 0);
    assert_int_equal(pthread_join(finisher, &failed), 0);
    assert_null(failed);
    (void)take_layer(fixture->store);
    commit_row(fixture, &import, CHUNKS, PEOPLE);
    assert_int_equal(fixture_count(fixture, 0), PEOPLE);
    assert_int_equal(fixture_keep(fixture, 0, people, 1)->outcomes[0].kind, STORE_EXISTING);
}

/* The write that failed has happened all the same: what is known in memory follows the rows. */
static void follows_what_happened(struct fixture *fixture)
{
    static const struct person ada = {.unique = 1, .content = 1};
    static const struct person bob = {.unique = 2, .content = 2};
    struct store_import import = fixture_import(fixture, 0);
    fixture_commit(fixture, fixture_chunk(fixture, &import, 0, &ada, 1), &import, IMPORT_OPEN);
    struct store_chunk *chunk = fixture_chunk(fixture, &import, 1, &bob, 1);
    import.state = IMPORT_COMMITTED;
    import.chunks = 2;
    chunk->row = &import;
    log_set_level(LOG_ERROR + 1);
    put_layer(fixture->store, 0, ERR_STORAGE_FULL, false);
    layer.happens = true;
    assert_int_equal(store_commit(fixture->store, &chunk, 1), ERR_STORAGE_FULL);
    (void)take_layer(fixture->store);
    log_set_level(LOG_ERROR);
    assert_false(chunk->kept);
    assert_int_equal(store_health(fixture->store), ERR_STORAGE_FULL);
    assert_int_equal(fixture_count(fixture, 0), 0);
    assert_int_equal(store_resume(fixture->store), 0);
    assert_int_equal(fixture_count(fixture, 0), 2);
    assert_int_equal(fixture_keep(fixture, 0, &bob, 1)->outcomes[0].kind, STORE_EXISTING);
}

/* In the child: ends at the step that the environment names. */
void child_run_crash(struct fixture *fixture)
{
    struct person people[PEOPLE];
    struct store_import import;
    make_people(people, 100);
    struct store_run *run = begin_behind(fixture, &import, people);
    const char *step = getenv("MUSTER_TEST_STEP");
    put_layer(fixture->store, step == NULL ? 0 : (int)strtol(step, NULL, 10), 0, true);
    _exit(store_run_finish(&run) == 0 ? 1 : 2);
}

static int find_import(void *context, const struct store_import *import)
{
    struct store_import *found = context;
    *found = *import;
    found->envelope = SLICE_NONE;
    return 0;
}

static void crash_leaves_all_or_nothing(struct fixture *fixture)
{
    static const struct uuid newest;
    size_t counted = 0;
    int status = 0;
    int step = 0;
    for (; status == 0; step++) {
        char text[16];
        struct person people[PEOPLE];
        struct store_import import;
        make_people(people, 100);
        (void)snprintf(text, sizeof text, "%d", step);
        assert_int_equal(setenv("MUSTER_TEST_STEP", text, 1), 0);
        status = fixture_child(fixture, "run");
        assert_in_range(status, 0, 1);
        fixture_reopen(fixture);
        assert_int_equal(store_import_list(fixture->store, &fixture->tenants[0], &newest, 1, find_import, &import), 0);
        assert_int_equal(import.state, IMPORT_OPEN);
        counted += run_counts(fixture, &import) ? 1 : 0;
        (void)fixture_verify(fixture);
        go_on(fixture, &import, people);
        fixture_close(fixture);
        fixture_open(fixture, fixture->kind);
    }
    assert_int_equal(step, STEPS + 1);
    assert_int_equal(counted, 1); /* when it was not ended before its last step was through */
}

const struct row run_rows[] = {
    {"S3 a run is shown with its import", KIND_ALL, shown_with_its_import},
    {"S4 keys within a run and between runs", KIND_ALL, keys_within_runs},
    {"S5 keys of an open run are busy", KIND_ALL, busy_while_open},
    {"S5 a cancelled run frees its keys", KIND_LOCAL, cancel_frees},
    {"a refused chunk leaves its run as it was", KIND_ALL, refused_chunk_leaves_nothing},
    {"a run of an aborted import is swept", KIND_ALL, aborted_is_swept},
    {"S4 a run takes over keys before they are swept", KIND_ALL, late_entries},
    {"outcomes, chain and faults of a run's chunk", KIND_ALL, rows_of_a_chunk},
    {"an import with an open run takes nothing else", KIND_LOCAL, import_belongs_to_its_run},
    {"chunks that may update are committed at once", KIND_ALL, updates_are_committed},
    {"S2 runs beside a verify and a sweep", KIND_ALL, runs_beside_others},
    {"S4 a run's key meets the sweep of an older one", KIND_LOCAL, sweep_meets_run},
    {"S7 a write that failed and happened", KIND_LOCAL, follows_what_happened},
    {"S2 a run that fails at any step leaves nothing", KIND_LOCAL, failing_leaves_nothing},
    {"S7 a run that fills the disk leaves nothing", KIND_LOCAL, full_leaves_nothing},
    {"S2 a crash at any step of a run", KIND_ROCKS, crash_leaves_all_or_nothing},
    {0},
};
