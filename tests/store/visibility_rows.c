/* S3: when customers are seen. S8: by whom. */
#include "fixture.h"

static const struct person two[] = {{.unique = 1, .content = 1, .email = 5, .secrets = true, .pending = true},
                                    {.unique = 2, .content = 2, .email = 5, .secrets = true}};
static const struct person third = {.unique = 3, .content = 3, .email = 5};

static int secrets_err(struct fixture *fixture, const struct uuid *id)
{
    struct buf row;
    buf_init(&row, 0);
    int err = store_secrets_get(fixture->store, &fixture->tenants[0], id, NULL, &row);
    buf_fini(&row);
    return err;
}

static int next_pending_err(struct fixture *fixture)
{
    struct uuid tenant = {0};
    struct uuid id = {0};
    return store_secrets_next_pending(fixture->store, &tenant, &id);
}

/* Every way of reading agrees. */
static void expect_seen(struct fixture *fixture, const struct store_chunk *chunk, size_t list, bool seen)
{
    for (size_t i = 0; i < chunk->count; i++) {
        assert_int_equal(fixture_shows(fixture, 0, &chunk->customers[i]), seen);
        assert_int_equal(fixture_found(fixture, 0, chunk->customers[i].keys[0]), seen ? 1 : 0);
    }
    assert_int_equal(fixture_count(fixture, 0), list);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 5, false)), list);
}

static void one_chunk(struct fixture *fixture)
{
    struct store_chunk *chunk = fixture_keep(fixture, 0, two, 2);
    assert_true(chunk->kept);
    expect_seen(fixture, chunk, 2, true);
    assert_int_equal(secrets_err(fixture, &chunk->customers[0].id), 0);
    assert_int_equal(next_pending_err(fixture), 0);
}

static void many_chunks(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *first = fixture_chunk(fixture, &row, 0, two, 2);
    struct store_chunk *last = fixture_chunk(fixture, &row, 1, &third, 1);
    fixture_commit(fixture, first, &row, IMPORT_OPEN);
    expect_seen(fixture, first, 0, false);
    assert_int_equal(secrets_err(fixture, &first->customers[0].id), ERR_NOT_FOUND);
    assert_int_equal(next_pending_err(fixture), ERR_NOT_FOUND);
    fixture_commit(fixture, last, &row, IMPORT_COMMITTED);
    expect_seen(fixture, first, 3, true);
    expect_seen(fixture, last, 3, true);
    assert_int_equal(secrets_err(fixture, &first->customers[0].id), 0);
    assert_int_equal(next_pending_err(fixture), 0);
}

static void committed_by_row_alone(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    fixture_end(fixture, &row, IMPORT_OPEN);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, two, 2);
    fixture_commit(fixture, chunk, NULL, 0);
    expect_seen(fixture, chunk, 0, false);
    row.created = 2;
    row.chunks = 1;
    fixture_end(fixture, &row, IMPORT_COMMITTED);
    expect_seen(fixture, chunk, 2, true);
}

static void chunks_of_one_group(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_import ended = row;
    struct store_chunk *chunks[] = {fixture_chunk(fixture, &row, 0, two, 2),
                                    fixture_chunk(fixture, &row, 1, &third, 1)};
    ended.state = IMPORT_COMMITTED;
    ended.chunks = 2;
    ended.created = 2; /* of the first chunk, which has a row of its own */
    chunks[0]->row = &row;
    chunks[1]->row = &ended;
    assert_int_equal(store_commit(fixture->store, chunks, 2), 0);
    expect_seen(fixture, chunks[0], 3, true);
    expect_seen(fixture, chunks[1], 3, true);
}

static void aborted(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, two, 2);
    fixture_commit(fixture, chunk, &row, IMPORT_OPEN);
    fixture_end(fixture, &row, IMPORT_ABORTED);
    expect_seen(fixture, chunk, 0, false);
    fixture_sweep(fixture);
    expect_seen(fixture, chunk, 0, false);
    assert_int_equal(secrets_err(fixture, &chunk->customers[0].id), ERR_NOT_FOUND);
    assert_int_equal(next_pending_err(fixture), ERR_NOT_FOUND);
}

static void opened_and_aborted_in_one_group(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_import ended = row;
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, two, 2);
    struct store_chunk end = {.tenant = row.tenant, .import = row.id, .row = &ended};
    struct store_chunk *chunks[] = {chunk, &end};
    chunk->row = &row;
    ended.state = IMPORT_ABORTED;
    assert_int_equal(store_commit(fixture->store, chunks, 2), 0);
    expect_seen(fixture, chunk, 0, false);
    fixture_sweep(fixture);
    expect_seen(fixture, chunk, 0, false);
}

static void undone(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, two, 2);
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    expect_seen(fixture, chunk, 2, true);
    fixture_undo(fixture, &row);
    expect_seen(fixture, chunk, 0, false);
    assert_int_equal(secrets_err(fixture, &chunk->customers[0].id), ERR_NOT_FOUND);
    fixture_sweep(fixture);
    expect_seen(fixture, chunk, 0, false);
    assert_true(fixture_keep(fixture, 0, two, 2)->kept);
}

static void refused_leaves_nothing(struct fixture *fixture)
{
    static const struct person mixed[] = {{.unique = 9, .content = 9, .email = 5, .secrets = true},
                                          {.unique = 1, .content = 8}};
    struct store_import row = fixture_import(fixture, 0);
    struct store_import found;
    struct buf buf;
    (void)fixture_keep(fixture, 0, two, 2);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, mixed, 2);
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    assert_false(chunk->kept);
    assert_int_equal(chunk->outcomes[0].kind, STORE_CREATED);
    assert_int_equal(chunk->outcomes[1].kind, STORE_CONFLICT);
    assert_int_equal(row.created, 0);
    assert_int_equal(fixture_count(fixture, 0), 2);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EXTERNAL_ID, 9, true)), 0);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 5, false)), 2);
    buf_init(&buf, 0);
    assert_int_equal(store_import_get(fixture->store, &row.tenant, &row.id, &found, &buf), ERR_NOT_FOUND);
    assert_int_equal(store_import_outcomes(fixture->store, &row.tenant, &row.id, 0, NULL, &buf), ERR_NOT_FOUND);
    buf_fini(&buf);
    assert_true(fixture_keep(fixture, 0, &mixed[0], 1)->kept);
}

static void tenants_apart(struct fixture *fixture)
{
    struct store_chunk *mine = fixture_keep(fixture, 0, two, 2);
    struct store_chunk *theirs = fixture_keep(fixture, 1, &two[0], 1);
    assert_int_equal(theirs->outcomes[0].kind, STORE_CREATED);
    assert_true(fixture_shows(fixture, 0, &mine->customers[0]));
    assert_false(fixture_shows(fixture, 1, &mine->customers[0]));
    assert_false(fixture_shows(fixture, 0, &theirs->customers[0]));
    assert_int_equal(fixture_count(fixture, 0), 2);
    assert_int_equal(fixture_count(fixture, 1), 1);
    assert_int_equal(fixture_found(fixture, 1, fixture_key(IDENTIFIER_EMAIL, 5, false)), 1);
    assert_int_equal(fixture_found(fixture, 1, fixture_key(IDENTIFIER_EXTERNAL_ID, 2, true)), 0);
    assert_int_equal(fixture_verify(fixture).tenants, 2);
}

static void import_ids_of_two_tenants(struct fixture *fixture)
{
    struct store_import mine = fixture_import(fixture, 0);
    struct store_import theirs = fixture_import(fixture, 1);
    struct store_import found;
    struct buf buf;
    theirs.id = mine.id; /* open here, committed there */
    struct store_chunk *open = fixture_chunk(fixture, &mine, 0, two, 2);
    struct store_chunk *kept = fixture_chunk(fixture, &theirs, 0, two, 2);
    fixture_commit(fixture, open, &mine, IMPORT_OPEN);
    fixture_commit(fixture, kept, &theirs, IMPORT_COMMITTED);
    assert_int_equal(fixture_count(fixture, 0), 0);
    assert_int_equal(fixture_count(fixture, 1), 2);
    fixture_end(fixture, &mine, IMPORT_ABORTED);
    fixture_sweep(fixture);
    assert_int_equal(fixture_count(fixture, 1), 2);
    buf_init(&buf, 0);
    assert_int_equal(store_import_get(fixture->store, &theirs.tenant, &theirs.id, &found, &buf), 0);
    assert_int_equal(found.state, IMPORT_COMMITTED);
    buf_fini(&buf);
}

const struct row visibility_rows[] = {
    {"S3 an import of one chunk is seen when it is kept", KIND_ALL, one_chunk},
    {"S3 an import of many chunks is seen with its last", KIND_ALL, many_chunks},
    {"S3 an import is seen when its row alone commits it", KIND_ALL, committed_by_row_alone},
    {"S3 an import whose chunks share a group is seen", KIND_ALL, chunks_of_one_group},
    {"S3 an aborted import is never seen", KIND_ALL, aborted},
    {"S3 an import that begins and is aborted in one group is never seen", KIND_ALL, opened_and_aborted_in_one_group},
    {"S3 a committed import that is undone is gone", KIND_ALL, undone},
    {"S2 a refused atomic chunk leaves nothing", KIND_ALL, refused_leaves_nothing},
    {"S8 tenants see their own customers and keys only", KIND_ALL, tenants_apart},
    {"S8 the same import id of two tenants are two imports", KIND_ALL, import_ids_of_two_tenants},
    {0},
};
