/* S9: who has an idempotency key. S6: what a resumable import is after a restart. */
#include "fixture.h"

#include <pthread.h>

static const struct person one = {.unique = 1, .content = 1};
static const struct person two = {.unique = 2, .content = 2};

static struct store_request request_of(const struct store_import *import, uint8_t mac, int64_t created_ms)
{
    struct store_request request = {.mac = {mac}, .terms = {0x77, mac}, .import = import->id, .created_ms = created_ms};
    return request;
}

/* Commits a chunk of the import with its claim; expects this error. */
static void claim(struct fixture *fixture, struct store_import *row, uint8_t state, const struct store_request *request,
                  int64_t before_ms, int error)
{
    struct store_chunk *chunk = fixture_chunk(fixture, row, 0, NULL, 0);
    row->state = state;
    chunk->row = row;
    chunk->request = request;
    chunk->request_before_ms = before_ms;
    assert_int_equal(store_commit(fixture->store, &chunk, 1), 0);
    assert_int_equal(chunk->error, error);
    assert_int_equal(chunk->kept, error == 0);
}

/* Whose the key is; NULL: nobody's. */
static void expect_claim(struct fixture *fixture, const struct store_request *claimed, const struct store_import *whose)
{
    struct store_request found;
    int err = store_request_get(fixture->store, &fixture->tenants[0], claimed->mac, &found);
    assert_int_equal(err, whose == NULL ? ERR_NOT_FOUND : 0);
    if (whose != NULL) {
        assert_memory_equal(&found.import, &whose->id, UUID_BYTES);
        assert_memory_equal(found.mac, claimed->mac, CRYPTO_MAC_BYTES);
        assert_memory_equal(found.terms, claimed->terms, CRYPTO_MAC_BYTES);
        assert_int_equal(found.created_ms, claimed->created_ms);
    }
}

static bool has_row(struct fixture *fixture, const struct store_import *row)
{
    struct store_import found;
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_import_get(fixture->store, &row->tenant, &row->id, &found, &envelope);
    buf_fini(&envelope);
    return err == 0;
}

static void one_import_has_the_key(struct fixture *fixture)
{
    struct store_import first = fixture_import(fixture, 0);
    struct store_import second = fixture_import(fixture, 0);
    struct store_request mine = request_of(&first, 1, 100);
    struct store_request theirs = request_of(&second, 1, 200);
    struct store_request another = request_of(&second, 2, 200);
    expect_claim(fixture, &mine, NULL);
    claim(fixture, &first, IMPORT_OPEN, &mine, 0, 0);
    expect_claim(fixture, &mine, &first);
    claim(fixture, &second, IMPORT_OPEN, &theirs, 0, ERR_KEY_IN_FLIGHT);
    assert_false(has_row(fixture, &second));
    claim(fixture, &second, IMPORT_OPEN, &another, 0, 0);
    claim(fixture, &first, IMPORT_COMMITTED, &mine, 0, 0); /* again by its own import */
    claim(fixture, &second, IMPORT_ABORTED, &theirs, 0, ERR_KEY_IN_FLIGHT);
    expect_claim(fixture, &mine, &first);
    expect_claim(fixture, &another, &second);
    struct store_request found;
    assert_int_equal(store_request_get(fixture->store, &fixture->tenants[1], mine.mac, &found), ERR_NOT_FOUND);
    fixture_end(fixture, &second, IMPORT_ABORTED);
}

static void another_tenant_has_its_own(struct fixture *fixture)
{
    struct store_import first = fixture_import(fixture, 0);
    struct store_import second = fixture_import(fixture, 1);
    struct store_request mine = request_of(&first, 1, 100);
    struct store_request theirs = request_of(&second, 1, 200);
    struct store_chunk *chunks[] = {fixture_chunk(fixture, &first, 0, NULL, 0),
                                    fixture_chunk(fixture, &second, 0, NULL, 0)};
    first.state = second.state = IMPORT_COMMITTED;
    chunks[0]->row = &first;
    chunks[0]->request = &mine;
    chunks[1]->row = &second;
    chunks[1]->request = &theirs;
    assert_int_equal(store_commit(fixture->store, chunks, 2), 0);
    assert_true(chunks[0]->kept && chunks[1]->kept);
    expect_claim(fixture, &mine, &first);
}

/* One of a group has it: the first that is kept. What comes too late leaves nothing at all. */
static void one_of_a_group_has_the_key(struct fixture *fixture)
{
    static const struct person taken = {.unique = 1, .content = 9};
    struct store_import rows[3];
    struct store_request requests[3];
    struct store_chunk *chunks[3];
    (void)fixture_keep(fixture, 0, &one, 1);
    for (size_t i = 0; i < 3; i++) {
        struct person person = {.unique = 10 + (unsigned)i};
        rows[i] = fixture_import(fixture, 0);
        requests[i] = request_of(&rows[i], 1, 100 + (int64_t)i);
        chunks[i] = fixture_chunk(fixture, &rows[i], 0, i == 0 ? &taken : &person, 1);
        rows[i].state = IMPORT_COMMITTED;
        rows[i].chunks = 1;
        chunks[i]->row = &rows[i];
        chunks[i]->request = &requests[i];
        chunks[i]->faults = SLICE("x");
    }
    assert_int_equal(store_commit(fixture->store, chunks, 3), 0);
    assert_false(chunks[0]->kept); /* a conflict: it claims nothing */
    assert_int_equal(chunks[0]->error, 0);
    assert_true(chunks[1]->kept);
    assert_false(chunks[2]->kept);
    assert_int_equal(chunks[2]->error, ERR_KEY_IN_FLIGHT);
    assert_int_equal(rows[2].created, 0);
    expect_claim(fixture, &requests[1], &rows[1]);
    assert_false(has_row(fixture, &rows[2]));
    assert_int_equal(fixture_count(fixture, 0), 2);
    uint32_t from = 0;
    struct buf faults;
    buf_init(&faults, 0);
    assert_int_equal(store_import_faults(fixture->store, &rows[2].tenant, &rows[2].id, &from, &faults), ERR_NOT_FOUND);
    buf_fini(&faults);
    struct person again = {.unique = 12}; /* its customer's key is free */
    assert_int_equal(fixture_keep(fixture, 0, &again, 1)->outcomes[0].kind, STORE_CREATED);
}

static void old_claims_are_free(struct fixture *fixture)
{
    struct store_import first = fixture_import(fixture, 0);
    struct store_import second = fixture_import(fixture, 0);
    struct store_request mine = request_of(&first, 1, 100);
    struct store_request theirs = request_of(&second, 1, 200);
    claim(fixture, &first, IMPORT_COMMITTED, &mine, 0, 0);
    claim(fixture, &second, IMPORT_COMMITTED, &theirs, 100, ERR_KEY_IN_FLIGHT);
    claim(fixture, &second, IMPORT_COMMITTED, &theirs, 101, 0);
    expect_claim(fixture, &theirs, &second);
}

static void forget(struct fixture *fixture, struct store_import *row, uint8_t state,
                   const struct store_request *request)
{
    struct store_chunk *chunk = fixture_chunk(fixture, row, 0, NULL, 0);
    row->state = state;
    chunk->row = row;
    chunk->request = request;
    chunk->forget_request = true;
    assert_int_equal(store_commit(fixture->store, &chunk, 1), 0);
    assert_true(chunk->kept);
}

static void forgotten_claims_are_free(struct fixture *fixture)
{
    struct store_import first = fixture_import(fixture, 0);
    struct store_import second = fixture_import(fixture, 0);
    struct store_request mine = request_of(&first, 1, 100);
    struct store_request theirs = request_of(&second, 1, 200);
    claim(fixture, &first, IMPORT_OPEN, &mine, 0, 0);
    forget(fixture, &second, IMPORT_ABORTED, &theirs); /* not its own: nothing happens to it */
    expect_claim(fixture, &mine, &first);
    forget(fixture, &first, IMPORT_ABORTED, &mine);
    expect_claim(fixture, &mine, NULL);
    second = fixture_import(fixture, 0);
    theirs.import = second.id;
    claim(fixture, &second, IMPORT_COMMITTED, &theirs, 0, 0);
    expect_claim(fixture, &theirs, &second);
}

/* Freed and claimed again within one group. */
static void forgotten_in_a_group(struct fixture *fixture)
{
    struct store_import first = fixture_import(fixture, 0);
    struct store_import second = fixture_import(fixture, 0);
    struct store_request mine = request_of(&first, 1, 100);
    struct store_request theirs = request_of(&second, 1, 200);
    struct store_chunk *chunks[] = {fixture_chunk(fixture, &first, 0, NULL, 0),
                                    fixture_chunk(fixture, &second, 0, NULL, 0)};
    claim(fixture, &first, IMPORT_OPEN, &mine, 0, 0);
    first.state = IMPORT_ABORTED;
    chunks[0]->row = &first;
    chunks[0]->request = &mine;
    chunks[0]->forget_request = true;
    second.state = IMPORT_COMMITTED;
    chunks[1]->row = &second;
    chunks[1]->request = &theirs;
    assert_int_equal(store_commit(fixture->store, chunks, 2), 0);
    assert_true(chunks[0]->kept && chunks[1]->kept);
    expect_claim(fixture, &theirs, &second);
}

/* ---- many at once ---- */

#define RACERS 4
#define ROUNDS 40

struct racer {
    struct fixture *fixture;
    struct store_import rows[ROUNDS];
    pthread_t thread;
    size_t won;
};

static void *race(void *context)
{
    struct racer *racer = context;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct store_import *row = &racer->rows[i];
        struct store_request request = request_of(row, (uint8_t)(i + 1), 100);
        struct store_chunk chunk = {.tenant = row->tenant, .import = row->id, .row = row, .request = &request};
        struct store_chunk *chunks[] = {&chunk};
        if (store_commit(racer->fixture->store, chunks, 1) == 0 && chunk.kept) {
            racer->won++;
        }
    }
    return NULL;
}

static void one_of_many_has_the_key(struct fixture *fixture)
{
    struct racer racers[RACERS] = {{0}};
    size_t won = 0;
    for (size_t i = 0; i < RACERS; i++) {
        racers[i].fixture = fixture;
        for (size_t j = 0; j < ROUNDS; j++) {
            racers[i].rows[j] = fixture_import(fixture, 0);
            racers[i].rows[j].state = IMPORT_COMMITTED;
        }
    }
    for (size_t i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
        won += racers[i].won;
    }
    assert_int_equal(won, ROUNDS);
}

/* ---- S6 ---- */

static struct store_import begin(struct fixture *fixture, bool resumable, const struct person *person)
{
    struct store_import row = fixture_import(fixture, 0);
    row.resumable = resumable;
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, person, 1), &row, IMPORT_OPEN);
    return row;
}

static uint8_t state_of(struct fixture *fixture, const struct store_import *row)
{
    struct store_import found;
    struct buf envelope;
    buf_init(&envelope, 0);
    assert_int_equal(store_import_get(fixture->store, &row->tenant, &row->id, &found, &envelope), 0);
    buf_fini(&envelope);
    return found.state;
}

/* Gone on with or aborted behind a restart; the others are aborted by it, and their keys are free. */
static void resumable_stays_open(struct fixture *fixture)
{
    static const struct person three = {.unique = 3, .content = 3};
    static const struct person lost = {.unique = 4, .content = 4};
    struct store_import on = begin(fixture, true, &one);
    struct store_import off = begin(fixture, true, &two);
    struct store_import other = begin(fixture, false, &lost);
    struct store_import empty = fixture_import(fixture, 0);
    empty.resumable = true;
    fixture_end(fixture, &empty, IMPORT_OPEN);
    for (int i = 0; i < 2; i++) {
        fixture_reopen(fixture);
        assert_int_equal(state_of(fixture, &on), IMPORT_OPEN);
        assert_int_equal(state_of(fixture, &off), IMPORT_OPEN);
        assert_int_equal(state_of(fixture, &empty), IMPORT_OPEN);
        assert_int_equal(state_of(fixture, &other), IMPORT_ABORTED);
        assert_int_equal(fixture_count(fixture, 0), 0);
        (void)fixture_verify(fixture);
    }
    fixture_sweep(fixture);
    struct store_import busy = fixture_import(fixture, 0);
    struct store_chunk *held = fixture_chunk(fixture, &busy, 0, &one, 1);
    fixture_commit(fixture, held, &busy, IMPORT_COMMITTED);
    assert_int_equal(held->outcomes[0].kind, STORE_BUSY);
    assert_int_equal(fixture_keep(fixture, 0, &lost, 1)->outcomes[0].kind, STORE_CREATED);
    fixture_commit(fixture, fixture_chunk(fixture, &on, 1, &three, 1), &on, IMPORT_COMMITTED);
    assert_int_equal(fixture_count(fixture, 0), 3);
    fixture_end(fixture, &off, IMPORT_ABORTED);
    fixture_end(fixture, &empty, IMPORT_ABORTED);
    fixture_sweep(fixture); /* what was kept before the restart is swept */
    assert_int_equal(fixture_keep(fixture, 0, &two, 1)->outcomes[0].kind, STORE_CREATED);
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.customers, 4);
}

/* A number that was kept does not come twice, in one group, another, or behind a restart. */
static void numbers_come_once(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 11}, {.unique = 12}, {.unique = 13}, {.unique = 14}};
    struct store_import row = begin(fixture, true, &one);
    struct store_chunk *chunks[] = {
        fixture_chunk(fixture, &row, 2, &people[0], 1), fixture_chunk(fixture, &row, 1, &people[1], 1),
        fixture_chunk(fixture, &row, 2, &people[2], 1), fixture_chunk(fixture, &row, 0, &people[3], 1)};
    if (fixture->kind != KIND_MEMORY) {
        fixture_reopen(fixture);
    }
    assert_int_equal(store_commit(fixture->store, chunks, 4), 0);
    assert_true(chunks[0]->kept && chunks[1]->kept);
    assert_false(chunks[2]->kept || chunks[3]->kept);
    assert_int_equal(chunks[2]->error, ERR_IMPORT_ENDED);
    assert_int_equal(chunks[3]->error, ERR_IMPORT_ENDED);
    row.created = 3;
    row.chunks = 3;
    fixture_end(fixture, &row, IMPORT_COMMITTED);
    assert_int_equal(fixture_count(fixture, 0), 3);
}

const struct row request_rows[] = {
    {"S9 one import has the key", KIND_ALL, one_import_has_the_key},
    {"S9 S8 another tenant has its own", KIND_ALL, another_tenant_has_its_own},
    {"S9 one of a group has the key, the others leave nothing", KIND_ALL, one_of_a_group_has_the_key},
    {"S9 a claim that is too old is free", KIND_ALL, old_claims_are_free},
    {"S9 a claim may be forgotten by its own import", KIND_ALL, forgotten_claims_are_free},
    {"S9 forgotten and claimed in one group", KIND_ALL, forgotten_in_a_group},
    {"S9 one of many at once has the key", KIND_ALL, one_of_many_has_the_key},
    {"S6 a resumable import stays open, the others are aborted", KIND_KEPT, resumable_stays_open},
    {"S6 a chunk's number is kept once", KIND_ALL, numbers_come_once},
    {0},
};
