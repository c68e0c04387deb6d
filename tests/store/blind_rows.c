/*
 * Chunks that a database's store decides without looking what is there, because it mostly is nothing: what is there all
 * the same is met, by what is written, and then the outcomes are those of a store that has looked. A store that has
 * just been opened goes blind; one that was wrong looks for a while.
 */
#include "fixture.h"

static const struct uuid second_node = {{2}};

#define BLIND_MANY 60 /* enough for COPY */
#define BLIND_FEW  5

/* A chunk of people from that number on. */
static struct store_chunk *meet_blind(struct fixture *fixture, struct store_import *row, unsigned from, size_t count,
                                      bool atomic)
{
    struct person people[BLIND_MANY];
    for (size_t i = 0; i < count; i++) {
        people[i] = (struct person){.unique = from + (unsigned)i, .content = 1, .email = 1};
    }
    *row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, row, 0, people, count);
    chunk->atomic = atomic;
    fixture_commit(fixture, chunk, row, IMPORT_COMMITTED);
    return chunk;
}

/* What the other node has put is met by a node that has not looked: each outcome is right, and nothing is twice. */
static void blind_meets_keys(struct fixture *fixture)
{
    static const size_t counts[] = {BLIND_MANY, BLIND_FEW};
    struct store *first_node = fixture->store;
    size_t all = 0;
    for (unsigned round = 0; round < 6; round++) {
        size_t count = counts[round % 2];
        bool atomic = round >= 4;
        unsigned from = round * 100 + 1;
        struct store_import row;
        struct person held = {.unique = from + 3, .content = round < 2 ? 1 : 2};
        struct store_chunk *first = fixture_keep(fixture, 0, &held, 1);
        assert_int_equal(fixture_open_node(fixture, &second_node, &fixture->store), 0); /* it has no doubts yet */
        struct store_chunk *chunk = meet_blind(fixture, &row, from, count, atomic);
        store_close(&fixture->store);
        fixture->store = first_node;
        assert_int_equal(chunk->outcomes[3].kind, round < 2 ? STORE_EXISTING : STORE_CONFLICT);
        assert_memory_equal(&chunk->outcomes[3].id, &first->customers[0].id, UUID_BYTES);
        assert_int_equal(chunk->kept, !atomic);
        all += atomic ? 1 : count;
        assert_int_equal(fixture_count(fixture, 0), all);
        for (size_t i = 0; i < count && chunk->kept; i++) {
            assert_int_equal(chunk->outcomes[i].kind, i == 3 ? chunk->outcomes[3].kind : STORE_CREATED);
        }
        assert_int_equal(row.created, atomic ? 0 : count - 1);
    }
    assert_int_equal(fixture_verify(fixture).customers, all);
}

/* A chunk and an import that are there already are not kept again by a node that has not looked. */
static void blind_meets_chunks(struct fixture *fixture)
{
    struct person people[BLIND_MANY];
    struct store_import row = fixture_import(fixture, 0);
    for (unsigned i = 0; i < BLIND_MANY; i++) {
        people[i] = (struct person){.unique = i + 1, .content = 1};
    }
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, people, 1), &row, IMPORT_OPEN);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 1, people + 1, BLIND_MANY - 2), NULL, 0);
    struct store_chunk *again = fixture_chunk(fixture, &row, 1, people + BLIND_MANY - 1, 1);
    assert_int_equal(store_commit(fixture->store, &again, 1), 0);
    assert_int_equal(again->error, ERR_IMPORT_ENDED);
    row.chunks = 2;
    row.created = BLIND_MANY - 1;
    fixture_end(fixture, &row, IMPORT_COMMITTED);
    struct store_chunk *behind = fixture_chunk(fixture, &row, 0, people + BLIND_MANY - 1, 1);
    behind->row = &row;
    fixture_reopen(fixture);
    assert_int_equal(store_commit(fixture->store, &behind, 1), 0);
    assert_int_equal(behind->error, ERR_IMPORT_ENDED);
    assert_int_equal(fixture_count(fixture, 0), BLIND_MANY - 1);
    assert_int_equal(fixture_verify(fixture).customers, BLIND_MANY - 1);
}

/* Keys of an aborted import are free, though their rows are there; after that, and after the sweep, all is new. */
static void blind_meets_aborted(struct fixture *fixture)
{
    struct person people[BLIND_MANY];
    struct store_import gone = fixture_import(fixture, 0);
    struct store_import row;
    for (unsigned i = 0; i < BLIND_MANY; i++) {
        people[i] = (struct person){.unique = i + 1, .content = 7};
    }
    fixture_commit(fixture, fixture_chunk(fixture, &gone, 0, people, BLIND_MANY), &gone, IMPORT_OPEN);
    fixture_end(fixture, &gone, IMPORT_ABORTED);
    struct store_chunk *chunk = meet_blind(fixture, &row, 1, BLIND_MANY, true);
    assert_true(chunk->kept);
    assert_int_equal(row.created, BLIND_MANY);
    fixture_sweep(fixture);
    assert_int_equal(fixture_verify(fixture).customers, BLIND_MANY);
    assert_int_equal(fixture_count(fixture, 0), BLIND_MANY);
}

/* What nothing is written of is not believed either: who holds a key that two of a chunk want, and a dry chunk. */
static void blind_writes_nothing(struct fixture *fixture)
{
    static const struct person held = {.unique = 1, .content = 2};
    static const struct person both[] = {{.unique = 1, .content = 1}, {.unique = 1, .content = 2}};
    struct store_chunk *first = fixture_keep(fixture, 0, &held, 1);
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, both, 2);
    fixture_reopen(fixture);
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    assert_false(chunk->kept);
    assert_int_equal(chunk->outcomes[0].kind, STORE_CONFLICT);
    assert_int_equal(chunk->outcomes[1].kind, STORE_EXISTING);
    for (size_t i = 0; i < 2; i++) {
        assert_memory_equal(&chunk->outcomes[i].id, &first->customers[0].id, UUID_BYTES);
    }
    struct store_import dry = fixture_import(fixture, 0);
    chunk = fixture_chunk(fixture, &dry, 0, &held, 1);
    chunk->dry = true;
    fixture_reopen(fixture);
    fixture_commit(fixture, chunk, &dry, IMPORT_ABORTED);
    assert_int_equal(chunk->outcomes[0].kind, STORE_EXISTING);
    assert_int_equal(fixture_count(fixture, 0), 1);
}

const struct row blind_rows[] = {
    {"S4 a chunk that did not look meets another node's keys", KIND_POSTGRES, blind_meets_keys},
    {"a chunk that did not look meets itself", KIND_POSTGRES, blind_meets_chunks},
    {"a chunk that did not look and writes nothing", KIND_POSTGRES, blind_writes_nothing},
    {"S4 a chunk that did not look meets an aborted import", KIND_POSTGRES, blind_meets_aborted},
    {0},
};
