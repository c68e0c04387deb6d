/* What happens to imports behind their end: undone (S3, S5), and removed when they are too old. */
#include "fixture.h"

#include "base/clock.h"

static const struct person two[] = {{.unique = 1, .content = 1, .email = 5, .secrets = true, .pending = true},
                                    {.unique = 2, .content = 2, .email = 5}};
static const struct person third = {.unique = 3, .content = 3, .email = 5};

static int undo(struct fixture *fixture, const struct store_import *row)
{
    struct uuid changed[4];
    size_t count = 9;
    int err = store_import_undo(fixture->store, &row->tenant, &row->id, 77, changed, 4, &count);
    assert_int_equal(count, 0);
    return err;
}

static struct store_import import_row(struct fixture *fixture, const struct store_import *row)
{
    struct store_import found;
    struct buf envelope;
    buf_init(&envelope, 0);
    assert_int_equal(store_import_get(fixture->store, &row->tenant, &row->id, &found, &envelope), 0);
    buf_fini(&envelope);
    return found;
}

/* ---- undo ---- */

static struct store_import keep_two_chunks(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *last = fixture_chunk(fixture, &row, 1, &third, 1);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, two, 2), &row, IMPORT_OPEN);
    last->faults = SLICE("x");
    fixture_commit(fixture, last, &row, IMPORT_COMMITTED);
    return row;
}

static size_t fault_count(struct fixture *fixture, const struct store_import *row)
{
    struct buf faults;
    size_t count = 0;
    buf_init(&faults, 0);
    for (uint32_t at = 0; store_import_faults(fixture->store, &row->tenant, &row->id, &at, &faults) == 0 && count < 100;
         at++) {
        count++;
    }
    buf_fini(&faults);
    return count;
}

static void undone_at_once(struct fixture *fixture)
{
    struct store_import row = keep_two_chunks(fixture);
    struct store_import other = row;
    assert_int_equal(fixture_count(fixture, 0), 3);
    other.tenant = fixture->tenants[1];
    assert_int_equal(undo(fixture, &other), ERR_NOT_FOUND);
    assert_int_equal(undo(fixture, &row), 0);
    assert_int_equal(fixture_count(fixture, 0), 0);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 5, false)), 0);
    struct store_import found = import_row(fixture, &row);
    assert_int_equal(found.state, IMPORT_UNDONE);
    assert_int_equal(found.ended_ms, 77);
    assert_int_equal(found.created, 3);
    assert_int_equal(undo(fixture, &row), ERR_IMPORT_ENDED);
    (void)fixture_verify(fixture);
    /* Its keys are free before anything is swept, and stay with who takes them. */
    struct store_chunk *again = fixture_keep(fixture, 0, &two[0], 1);
    assert_int_equal(again->outcomes[0].kind, STORE_CREATED);
    fixture_sweep(fixture);
    assert_true(fixture_shows(fixture, 0, &again->customers[0]));
    assert_int_equal(fault_count(fixture, &row), 1); /* its report stays until it is too old */
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.customers, 1);
    assert_int_equal(counts.keys, 2);
    assert_int_equal(counts.secrets, 1);
}

static void undone_stays_undone(struct fixture *fixture)
{
    struct store_import row = keep_two_chunks(fixture);
    bool left = true;
    assert_int_equal(undo(fixture, &row), 0);
    for (int i = 0; i < 2; i++) {
        fixture_reopen(fixture);
        assert_int_equal(import_row(fixture, &row).state, IMPORT_UNDONE);
        assert_int_equal(import_row(fixture, &row).ended_ms, 77);
        assert_int_equal(fixture_count(fixture, 0), 0);
        (void)fixture_verify(fixture);
        assert_int_equal(store_sweep(fixture->store, 5, &left), 0);
        assert_true(left);
    }
    fixture_sweep(fixture);
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.customers + counts.keys + counts.secrets + counts.pending, 0);
}

static void only_committed_is_undone(struct fixture *fixture)
{
    static const uint8_t states[] = {IMPORT_OPEN, IMPORT_ABORTED};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct store_import row = fixture_import(fixture, 0);
        fixture_end(fixture, &row, states[i]);
        assert_int_equal(undo(fixture, &row), ERR_IMPORT_ENDED);
        fixture_end(fixture, &row, IMPORT_ABORTED);
    }
}

/* ---- too old ---- */

static void expire(struct fixture *fixture, const struct store_expiry *expiry)
{
    struct store_expiry step = *expiry;
    bool left = true;
    step.limit = step.limit == 0 ? 100 : step.limit;
    for (size_t i = 0; left; i++) {
        assert_int_equal(store_expire(fixture->store, &step, &left), 0);
        (void)fixture_verify(fixture);
        assert_true(i < 1000);
    }
}

static void old_claims_go(struct fixture *fixture)
{
    for (uint8_t i = 0; i < 20; i++) {
        struct store_import row = fixture_import(fixture, i % 2);
        struct store_request request = {.mac = {i}, .import = row.id, .created_ms = i};
        struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, NULL, 0);
        chunk->request = &request;
        fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    }
    expire(fixture, &(struct store_expiry){.request_before_ms = 7, .limit = 3});
    for (uint8_t i = 0; i < 20; i++) {
        const uint8_t mac[CRYPTO_MAC_BYTES] = {i};
        struct store_request found;
        int err = store_request_get(fixture->store, &fixture->tenants[i % 2], mac, &found);
        assert_int_equal(err, i < 7 ? ERR_NOT_FOUND : 0);
    }
}

/* An ended import with two chunks of outcomes and one row of faults. */
static struct store_import ended(struct fixture *fixture, unsigned number, int64_t ended_ms, uint8_t state)
{
    struct person people[] = {{.unique = number, .content = 1}, {.unique = number + 1, .content = 2}};
    struct store_import row = fixture_import(fixture, 0);
    row.ended_ms = ended_ms;
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, &people[0], 1), &row, IMPORT_OPEN);
    struct store_chunk *last = fixture_chunk(fixture, &row, 1, &people[1], state == IMPORT_ABORTED ? 0 : 1);
    last->faults = SLICE("x");
    fixture_commit(fixture, last, &row, state);
    return row;
}

static bool has_outcomes(struct fixture *fixture, const struct store_import *row)
{
    struct buf outcomes;
    buf_init(&outcomes, 0);
    int err = store_import_outcomes(fixture->store, &row->tenant, &row->id, 1, NULL, &outcomes);
    buf_fini(&outcomes);
    return err == 0;
}

static void old_reports_go(struct fixture *fixture)
{
    for (size_t limit = 1; limit < 12; limit += 5) {
        unsigned number = 100 * (unsigned)limit;
        struct store_import old = ended(fixture, number + 1, 10, IMPORT_COMMITTED);
        struct store_import young = ended(fixture, number + 3, 50, IMPORT_COMMITTED);
        struct store_import aborted = ended(fixture, number + 5, 10, IMPORT_ABORTED);
        size_t customers = fixture_count(fixture, 0);
        expire(fixture, &(struct store_expiry){.report_before_ms = 50, .limit = limit});
        assert_true(import_row(fixture, &old).expired);
        assert_false(has_outcomes(fixture, &old));
        assert_int_equal(fault_count(fixture, &old), 0);
        assert_false(import_row(fixture, &young).expired);
        assert_true(has_outcomes(fixture, &young));
        assert_int_equal(fault_count(fixture, &young), 1);
        assert_int_equal(fault_count(fixture, &aborted), 1); /* not swept yet: that comes first */
        assert_int_equal(undo(fixture, &old), ERR_IMPORT_ENDED);
        fixture_sweep(fixture);
        expire(fixture, &(struct store_expiry){.report_before_ms = 50, .limit = limit});
        assert_int_equal(fault_count(fixture, &aborted), 0);
        assert_true(import_row(fixture, &aborted).expired);
        assert_int_equal(fixture_count(fixture, 0), customers); /* what is committed stays */
        assert_int_equal(undo(fixture, &young), 0);
        fixture_sweep(fixture);
        assert_int_equal(fixture_count(fixture, 0), customers - 2);
    }
}

static void expiry_goes_on_after_reopen(struct fixture *fixture)
{
    struct store_expiry expiry = {.report_before_ms = 50, .limit = 1};
    bool left = true;
    struct store_import row = ended(fixture, 1, 10, IMPORT_COMMITTED);
    for (int i = 0; i < 20 && has_outcomes(fixture, &row); i++) {
        assert_int_equal(store_expire(fixture->store, &expiry, &left), 0);
    }
    assert_false(has_outcomes(fixture, &row));
    assert_int_equal(fault_count(fixture, &row), 1);
    fixture_reopen(fixture);
    (void)fixture_verify(fixture);
    expire(fixture, &expiry);
    assert_int_equal(fault_count(fixture, &row), 0);
    assert_int_equal(fixture_count(fixture, 0), 2);
}

static bool is_under_way(void *context, const struct uuid *tenant, const struct uuid *import)
{
    const struct store_import *row = context;
    return uuid_equal(&row->tenant, tenant) && uuid_equal(&row->id, import);
}

/* Open imports that nobody goes on with. Their keys are free again, those of customers and their own. */
static void left_imports_end(struct fixture *fixture)
{
    struct store_import left = fixture_import(fixture, 0);
    struct store_import under_way = fixture_import(fixture, 0);
    struct store_import plain = fixture_import(fixture, 0);
    struct store_import empty = fixture_import(fixture, 0);
    struct store_request request = {.mac = {1}, .import = left.id, .created_ms = 1};
    struct store_request found;
    left.resumable = under_way.resumable = empty.resumable = true;
    struct store_chunk *first = fixture_chunk(fixture, &left, 0, two, 2);
    first->request = &request;
    fixture_commit(fixture, first, &left, IMPORT_OPEN);
    fixture_commit(fixture, fixture_chunk(fixture, &under_way, 0, &third, 1), &under_way, IMPORT_OPEN);
    fixture_end(fixture, &plain, IMPORT_OPEN);
    fixture_end(fixture, &empty, IMPORT_OPEN);
    if (fixture->kind != KIND_MEMORY) {
        fixture_reopen(fixture);
    }
    struct store_expiry expiry = {.under_way = is_under_way, .context = &under_way};
    expiry.resume_before_ms = clock_real_ms() - 60000; /* somebody may still come */
    expire(fixture, &expiry);
    assert_int_equal(import_row(fixture, &left).state, IMPORT_OPEN);
    expiry.resume_before_ms = clock_real_ms() + 60000;
    expire(fixture, &expiry);
    assert_int_equal(import_row(fixture, &left).state, IMPORT_ABORTED);
    assert_int_equal(import_row(fixture, &left).error, ERR_CUT_OFF);
    assert_int_equal(import_row(fixture, &empty).state, IMPORT_ABORTED);
    assert_int_equal(import_row(fixture, &under_way).state, IMPORT_OPEN);
    assert_int_equal(import_row(fixture, &plain).state, fixture->kind != KIND_MEMORY ? IMPORT_ABORTED : IMPORT_OPEN);
    assert_int_equal(store_request_get(fixture->store, &left.tenant, request.mac, &found), ERR_NOT_FOUND);
    assert_int_equal(fixture_keep(fixture, 0, two, 2)->outcomes[0].kind, STORE_CREATED);
    fixture_end(fixture, &under_way, IMPORT_COMMITTED);
    fixture_sweep(fixture);
    assert_int_equal(fixture_count(fixture, 0), 3);
    under_way.created = 1;
    fixture_end(fixture, &under_way, IMPORT_COMMITTED);
    if (fixture->kind == KIND_MEMORY) {
        fixture_end(fixture, &plain, IMPORT_ABORTED);
    }
}

/* Open imports that can't be resumed, and whose end was never written: who had them is gone. */
static void lost_imports_end(struct fixture *fixture)
{
    struct store_import lost = fixture_import(fixture, 0);
    struct store_import under_way = fixture_import(fixture, 0);
    struct store_import resumable = fixture_import(fixture, 0);
    struct store_expiry expiry = {.under_way = is_under_way, .context = &under_way};
    bool left = true;
    resumable.resumable = true;
    fixture_commit(fixture, fixture_chunk(fixture, &lost, 0, two, 2), &lost, IMPORT_OPEN);
    fixture_commit(fixture, fixture_chunk(fixture, &under_way, 0, &third, 1), &under_way, IMPORT_OPEN);
    fixture_end(fixture, &resumable, IMPORT_OPEN);
    assert_int_equal(fixture_keep(fixture, 0, two, 2)->outcomes[0].kind, STORE_BUSY);
    expiry.lost_before_ms = clock_real_ms() - 60000;
    assert_int_equal(store_expire(fixture->store, &expiry, &left), 0);
    assert_int_equal(import_row(fixture, &lost).state, IMPORT_OPEN); /* nobody knows yet that it is left alone */
    expiry.lost_before_ms = clock_real_ms() + 60000;
    assert_int_equal(store_expire(fixture->store, &expiry, &left), 0);
    assert_int_equal(import_row(fixture, &lost).state, IMPORT_ABORTED);
    assert_int_equal(import_row(fixture, &lost).error, ERR_STOPPING);
    assert_int_equal(import_row(fixture, &under_way).state, IMPORT_OPEN);
    assert_int_equal(import_row(fixture, &resumable).state, IMPORT_OPEN);
    assert_int_equal(fixture_keep(fixture, 0, two, 2)->outcomes[0].kind, STORE_CREATED);
    fixture_sweep(fixture);
    under_way.created = 1;
    under_way.chunks = 1;
    fixture_end(fixture, &under_way, IMPORT_COMMITTED);
    fixture_end(fixture, &resumable, IMPORT_ABORTED);
    assert_int_equal(fixture_count(fixture, 0), 3);
}

/* One that has a run is under way, whatever is said of it. */
static void an_import_with_a_run_is_not_lost(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_run *run = NULL;
    bool left = true;
    struct store_expiry expiry = {.lost_before_ms = clock_real_ms() + 60000};
    fixture_end(fixture, &row, IMPORT_OPEN);
    assert_int_equal(store_run_open(fixture->store, &row.tenant, &row.id, &run), 0);
    assert_int_equal(store_expire(fixture->store, &expiry, &left), 0);
    assert_int_equal(import_row(fixture, &row).state, IMPORT_OPEN);
    store_run_cancel(&run);
    assert_int_equal(store_expire(fixture->store, &expiry, &left), 0);
    assert_int_equal(import_row(fixture, &row).state, IMPORT_ABORTED);
}

/* A claim that is another import's meanwhile is not freed with the import that had it first. */
static void left_imports_free_their_own_claim(struct fixture *fixture)
{
    struct store_import left = fixture_import(fixture, 0);
    struct store_import later = fixture_import(fixture, 0);
    struct store_request first = {.mac = {1}, .import = left.id, .created_ms = 1};
    struct store_request second = {.mac = {1}, .import = later.id, .created_ms = 9};
    struct store_request found;
    left.resumable = true;
    struct store_chunk *chunk = fixture_chunk(fixture, &left, 0, NULL, 0);
    chunk->request = &first;
    fixture_commit(fixture, chunk, &left, IMPORT_OPEN);
    chunk = fixture_chunk(fixture, &later, 0, NULL, 0);
    chunk->request = &second;
    chunk->request_before_ms = 5;
    fixture_commit(fixture, chunk, &later, IMPORT_COMMITTED);
    expire(fixture, &(struct store_expiry){.resume_before_ms = clock_real_ms() + 60000});
    assert_int_equal(import_row(fixture, &left).state, IMPORT_ABORTED);
    assert_int_equal(store_request_get(fixture->store, &later.tenant, second.mac, &found), 0);
    assert_memory_equal(&found.import, &later.id, UUID_BYTES);
}

const struct row ended_rows[] = {
    {"S3 S5 an undone import is gone at once, its keys are free", KIND_ALL, undone_at_once},
    {"S3 what is undone stays undone over a reopen", KIND_KEPT, undone_stays_undone},
    {"only a committed import is undone", KIND_ALL, only_committed_is_undone},
    {"claims that are too old go", KIND_ALL, old_claims_go},
    {"reports that are too old go, customers stay", KIND_ALL, old_reports_go},
    {"expiry goes on after a reopen", KIND_KEPT, expiry_goes_on_after_reopen},
    {"S5 S9 an open import that nobody goes on with ends", KIND_ALL, left_imports_end},
    {"S5 one that can't be resumed ends when nobody has it", KIND_ALL, lost_imports_end},
    {"one that has a run does not", KIND_LOCAL, an_import_with_a_run_is_not_lost},
    {"S9 it frees its own claim only", KIND_ALL, left_imports_free_their_own_claim},
    {0},
};
