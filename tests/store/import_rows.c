/* Import rows, their outcomes, and which chunk may follow which state. */
#include "fixture.h"

#include <stdio.h>

static const struct person person = {.unique = 1, .content = 1};

static void fill(struct store_import *row, struct slice envelope)
{
    row->partial = true;
    row->contract = 2;
    row->received = 11;
    row->faults = 3;
    row->findings = 4;
    row->bytes = 5000000000u;
    row->started_ms = 1700000000123;
    row->ended_ms = 1700000000456;
    row->error = (int16_t)ERR_FAULTS;
    row->envelope = envelope;
    row->chunks = 1;
    memset(row->envelope_mac, 0xab, sizeof row->envelope_mac);
    memset(row->project, 'p', LIMIT_NAME_BYTES); /* the longest name there is */
    (void)snprintf(row->type, sizeof row->type, "Individual");
    for (size_t i = 0; i < STORE_FINDING_CODES; i++) {
        (void)snprintf(row->finding_counts[i].code, sizeof row->finding_counts[i].code, "finding-%zu", i);
        row->finding_counts[i].count = i + 1;
    }
}

static void expect_equal(const struct store_import *a, const struct store_import *b)
{
    struct store_import left = *a;
    struct store_import right = *b;
    assert_true(slice_equal(left.envelope, right.envelope));
    left.envelope = right.envelope = SLICE_NONE;
    assert_memory_equal(&left.tenant, &right.tenant, UUID_BYTES);
    assert_memory_equal(&left.id, &right.id, UUID_BYTES);
    assert_int_equal(left.state, right.state);
    assert_int_equal(left.contract, right.contract);
    assert_int_equal(left.partial, right.partial);
    assert_string_equal(left.project, right.project);
    assert_string_equal(left.type, right.type);
    assert_memory_equal(&left.received, &right.received, sizeof left.received);
    assert_int_equal(left.created, right.created);
    assert_int_equal(left.existing, right.existing);
    assert_int_equal(left.faults, right.faults);
    assert_int_equal(left.findings, right.findings);
    assert_int_equal(left.bytes, right.bytes);
    assert_int_equal(left.chunks, right.chunks);
    assert_int_equal(left.started_ms, right.started_ms);
    assert_int_equal(left.ended_ms, right.ended_ms);
    assert_int_equal(left.error, right.error);
    assert_memory_equal(left.envelope_mac, right.envelope_mac, sizeof left.envelope_mac);
    for (size_t i = 0; i < STORE_FINDING_CODES; i++) {
        assert_string_equal(left.finding_counts[i].code, right.finding_counts[i].code);
        assert_int_equal(left.finding_counts[i].count, right.finding_counts[i].count);
    }
}

static void row_comes_back(struct fixture *fixture)
{
    static const struct slice envelopes[] = {{"", 0}, {"sealed\0bytes", 12}};
    for (size_t i = 0; i < 2; i++) {
        struct store_import row = fixture_import(fixture, 0);
        struct store_import found;
        struct buf envelope;
        buf_init(&envelope, 0);
        fill(&row, envelopes[i]);
        fixture_end(fixture, &row, IMPORT_COMMITTED);
        assert_int_equal(store_import_get(fixture->store, &row.tenant, &row.id, &found, &envelope), 0);
        expect_equal(&row, &found);
        assert_int_equal(envelope.size, envelopes[i].size);
        assert_int_equal(store_import_get(fixture->store, &fixture->tenants[1], &row.id, &found, &envelope),
                         ERR_NOT_FOUND);
        buf_fini(&envelope);
    }
}

static void counts_are_added(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .content = 1}, {.unique = 2, .content = 2}};
    struct store_import row = fixture_import(fixture, 0);
    struct store_import found;
    struct buf envelope;
    buf_init(&envelope, 0);
    (void)fixture_keep(fixture, 0, &person, 1);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, people, 2), &row, IMPORT_OPEN);
    assert_int_equal(row.created, 1);
    assert_int_equal(row.existing, 1);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 1, people, 2), &row, IMPORT_COMMITTED);
    assert_int_equal(row.created, 1);
    assert_int_equal(row.existing, 3);
    assert_int_equal(store_import_get(fixture->store, &row.tenant, &row.id, &found, &envelope), 0);
    expect_equal(&row, &found);
    buf_fini(&envelope);
}

static void outcomes_come_back(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .content = 1}, {.unique = 1, .content = 2}, {.unique = 3}};
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *old = fixture_keep(fixture, 0, &person, 1);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, people, 3);
    struct store_outcome outcome;
    struct buf buf;
    chunk->atomic = false;
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    buf_init(&buf, 0);
    assert_int_equal(store_import_outcomes(fixture->store, &row.tenant, &row.id, 0, NULL, &buf), 0);
    struct slice left = buf_view(&buf);
    for (size_t i = 0; i < 3; i++) {
        assert_true(store_outcomes_read(&left, &outcome));
        assert_int_equal(outcome.kind, chunk->outcomes[i].kind);
        assert_int_equal(outcome.key_kind, chunk->outcomes[i].key_kind);
        assert_memory_equal(&outcome.id, &chunk->outcomes[i].id, UUID_BYTES);
        assert_memory_equal(&outcome.import, &chunk->outcomes[i].import, UUID_BYTES);
    }
    assert_false(store_outcomes_read(&left, &outcome));
    assert_memory_equal(&chunk->outcomes[0].id, &old->customers[0].id, UUID_BYTES);
    assert_int_equal(store_import_outcomes(fixture->store, &row.tenant, &row.id, 1, NULL, &buf), ERR_NOT_FOUND);
    assert_int_equal(store_import_outcomes(fixture->store, &fixture->tenants[1], &row.id, 0, NULL, &buf),
                     ERR_NOT_FOUND);
    buf_fini(&buf);
}

/* What may follow what: the import is brought to `state`, then one more chunk comes. */
struct follow {
    const char *what;
    uint8_t state; /* 0: unknown */
    size_t count;  /* customers of the chunk */
    uint8_t row;   /* its row's state; 0: no row */
    int error;
};

static const struct follow follows[] = {
    {"first chunk, open", 0, 1, IMPORT_OPEN, 0},
    {"only chunk", 0, 1, IMPORT_COMMITTED, 0},
    {"chunk of an import that was never opened", 0, 1, 0, ERR_IMPORT_ENDED},
    {"empty import", 0, 0, IMPORT_COMMITTED, 0},
    {"import that fails at once", 0, 0, IMPORT_ABORTED, 0},
    {"middle chunk", IMPORT_OPEN, 1, 0, 0},
    {"middle chunk with its row", IMPORT_OPEN, 1, IMPORT_OPEN, 0},
    {"last chunk", IMPORT_OPEN, 1, IMPORT_COMMITTED, 0},
    {"abort", IMPORT_OPEN, 0, IMPORT_ABORTED, 0},
    {"chunk behind the last", IMPORT_COMMITTED, 1, 0, ERR_IMPORT_ENDED},
    {"second commit", IMPORT_COMMITTED, 1, IMPORT_COMMITTED, ERR_IMPORT_ENDED},
    {"committed and opened again", IMPORT_COMMITTED, 0, IMPORT_OPEN, ERR_IMPORT_ENDED},
    {"report written again", IMPORT_COMMITTED, 0, IMPORT_COMMITTED, 0},
    {"aborted behind the commit", IMPORT_COMMITTED, 0, IMPORT_ABORTED, ERR_IMPORT_ENDED},
    {"chunk behind the abort", IMPORT_ABORTED, 1, 0, ERR_IMPORT_ENDED},
    {"last chunk behind the abort", IMPORT_ABORTED, 1, IMPORT_COMMITTED, ERR_IMPORT_ENDED},
    {"aborted and opened again", IMPORT_ABORTED, 0, IMPORT_OPEN, ERR_IMPORT_ENDED},
    {"aborted and committed", IMPORT_ABORTED, 0, IMPORT_COMMITTED, ERR_IMPORT_ENDED},
    {"abort written again", IMPORT_ABORTED, 0, IMPORT_ABORTED, 0},
    {"chunk behind the undo", IMPORT_UNDONE, 1, 0, ERR_IMPORT_ENDED},
    {"undone and committed", IMPORT_UNDONE, 0, IMPORT_COMMITTED, ERR_IMPORT_ENDED},
    {"undone and aborted", IMPORT_UNDONE, 0, IMPORT_ABORTED, ERR_IMPORT_ENDED},
};

static void follow(struct fixture *fixture, const struct follow *follow, bool sweep, unsigned number)
{
    struct person first = {.unique = 2 * number + 1};
    struct person next = {.unique = 2 * number + 2};
    struct store_import row = fixture_import(fixture, 0);
    if (follow->state != 0) {
        fixture_commit(fixture, fixture_chunk(fixture, &row, 0, &first, 1), &row, IMPORT_OPEN);
    }
    if (follow->state == IMPORT_UNDONE) {
        fixture_end(fixture, &row, IMPORT_COMMITTED);
        fixture_undo(fixture, &row);
    } else if (follow->state > IMPORT_OPEN) {
        fixture_end(fixture, &row, follow->state);
    }
    if (sweep) {
        fixture_sweep(fixture);
    }
    struct store_chunk *chunk = fixture_chunk(fixture, &row, follow->state == 0 ? 0 : 1, &next, follow->count);
    if (follow->row != 0) {
        row.state = follow->row;
        row.chunks = follow->state == 0 ? 1 : 2;
        chunk->row = &row;
    }
    assert_int_equal(store_commit(fixture->store, &chunk, 1), 0);
    if (chunk->error != follow->error || chunk->kept != (follow->error == 0)) {
        fail_msg("%s: error %s, kept %d", follow->what, err_code(chunk->error), chunk->kept);
    }
    /* Whatever came of it is ended, so that the verify behind finds no import half way. */
    if (follow->error == 0 && (follow->row == IMPORT_OPEN || follow->row == 0)) {
        fixture_end(fixture, &row, IMPORT_ABORTED);
    }
}

static void states_follow(struct fixture *fixture)
{
    for (unsigned i = 0; i < sizeof follows / sizeof follows[0]; i++) {
        follow(fixture, &follows[i], false, i);
    }
}

static void states_follow_a_sweep(struct fixture *fixture)
{
    for (unsigned i = 0; i < sizeof follows / sizeof follows[0]; i++) {
        follow(fixture, &follows[i], true, i);
    }
    fixture_sweep(fixture);
}

/* A chunk that had to be whole and was not kept: the import can't be committed without it. */
static void refused_is_not_committed(struct fixture *fixture)
{
    static const struct person taken = {.unique = 1, .content = 9};
    static const struct person other = {.unique = 7, .content = 7};
    struct store_import row = fixture_import(fixture, 0);
    (void)fixture_keep(fixture, 0, &person, 1);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, &other, 1), &row, IMPORT_OPEN);
    struct store_chunk *refused = fixture_chunk(fixture, &row, 1, &taken, 1);
    fixture_commit(fixture, refused, NULL, 0);
    assert_false(refused->kept);
    struct store_chunk end = {.tenant = row.tenant, .import = row.id, .row = &row};
    struct store_chunk *chunks[] = {&end};
    row.state = IMPORT_COMMITTED;
    assert_int_equal(store_commit(fixture->store, chunks, 1), 0);
    assert_int_equal(end.error, ERR_IMPORT_ENDED);
    assert_int_equal(fixture_count(fixture, 0), 1);
    fixture_end(fixture, &row, IMPORT_ABORTED);
    fixture_sweep(fixture);
    assert_int_equal(fixture_count(fixture, 0), 1);
}

static void refused_in_group_is_not_committed(struct fixture *fixture)
{
    static const struct person taken = {.unique = 1, .content = 9};
    static const struct person other = {.unique = 7, .content = 7};
    struct store_import row = fixture_import(fixture, 0);
    struct store_import ended = row;
    (void)fixture_keep(fixture, 0, &person, 1);
    struct store_chunk *chunks[] = {fixture_chunk(fixture, &row, 0, &taken, 1),
                                    fixture_chunk(fixture, &row, 1, &other, 1)};
    ended.state = IMPORT_COMMITTED;
    chunks[0]->row = &row;
    chunks[1]->row = &ended;
    assert_int_equal(store_commit(fixture->store, chunks, 2), 0);
    assert_false(chunks[0]->kept);
    assert_false(chunks[1]->kept);
    assert_int_equal(chunks[1]->outcomes[0].kind, STORE_CREATED);
    assert_int_equal(fixture_count(fixture, 0), 1);
}

struct listed {
    struct uuid ids[16];
    size_t count;
    int stop_at; /* the answer to the row of that place is 7 */
};

static int list_import(void *context, const struct store_import *import)
{
    struct listed *listed = context;
    listed->ids[listed->count++] = import->id;
    return (int)listed->count == listed->stop_at ? 7 : 0;
}

static void imports_list_newest_first(struct fixture *fixture)
{
    static const struct uuid newest;
    struct uuid ids[10];
    for (size_t i = 0; i < 10; i++) {
        struct store_import row = fixture_import(fixture, i == 4 ? 1 : 0);
        ids[i] = row.id;
        fixture_end(fixture, &row, IMPORT_COMMITTED);
    }
    struct listed listed = {0};
    assert_int_equal(store_import_list(fixture->store, &fixture->tenants[0], &newest, 100, list_import, &listed), 0);
    assert_int_equal(listed.count, 9);
    for (size_t i = 0; i < 9; i++) {
        assert_memory_equal(&listed.ids[i], &ids[i < 5 ? 9 - i : 8 - i], UUID_BYTES);
    }
    struct listed page = {0};
    assert_int_equal(store_import_list(fixture->store, &fixture->tenants[0], &ids[3], 2, list_import, &page), 0);
    assert_int_equal(page.count, 2);
    assert_memory_equal(&page.ids[0], &ids[2], UUID_BYTES);
    struct listed none = {0};
    assert_int_equal(store_import_list(fixture->store, &fixture->tenants[0], &ids[0], 9, list_import, &none), 0);
    assert_int_equal(none.count, 0);
    struct listed stopped = {.stop_at = 3};
    assert_int_equal(store_import_list(fixture->store, &fixture->tenants[0], &newest, 9, list_import, &stopped), 7);
    assert_int_equal(stopped.count, 3);
}

static void two_chunks_one_row(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1}, {.unique = 2}};
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunks[] = {fixture_chunk(fixture, &row, 0, &people[0], 1),
                                    fixture_chunk(fixture, &row, 1, &people[1], 1)};
    chunks[0]->row = &row;
    chunks[1]->row = &row;
    row.chunks = 2;
    assert_int_equal(store_commit(fixture->store, chunks, 2), 0);
    assert_int_equal(row.created, 2);
    fixture_end(fixture, &row, IMPORT_COMMITTED);
    assert_int_equal(fixture_count(fixture, 0), 2);
}

const struct row import_rows[] = {
    {"an import's row comes back as it was written", KIND_ALL, row_comes_back},
    {"a row counts its chunks' outcomes", KIND_ALL, counts_are_added},
    {"two chunks of a group may write the same row", KIND_ALL, two_chunks_one_row},
    {"outcomes come back in item order", KIND_ALL, outcomes_come_back},
    {"what may follow an import's state", KIND_ALL, states_follow},
    {"what may follow a swept import's state", KIND_ALL, states_follow_a_sweep},
    {"S2 an import with a refused chunk is not committed", KIND_ALL, refused_is_not_committed},
    {"S2 nor when it is refused in the same group", KIND_ALL, refused_in_group_is_not_committed},
    {"imports are listed newest first", KIND_ALL, imports_list_newest_first},
    {0},
};
