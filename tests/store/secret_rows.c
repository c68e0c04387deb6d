/* Secrets rows and the list of those that wait for the hashing lane. */
#include "fixture.h"

static struct slice row_of(struct fixture *fixture, const struct uuid *id)
{
    struct buf row;
    buf_init(&row, 0);
    assert_int_equal(store_secrets_get(fixture->store, &fixture->tenants[0], id, NULL, &row), 0);
    struct slice copy = arena_copy(fixture->arena, buf_view(&row));
    buf_fini(&row);
    return copy;
}

static int replace(struct fixture *fixture, const struct uuid *id, struct slice old, struct slice row, bool pending)
{
    return store_secrets_replace(fixture->store, &fixture->tenants[0], id, old, row, pending);
}

static void replaced(struct fixture *fixture)
{
    static const struct person people[] = {{.secrets = true, .pending = true}, {.secrets = true}, {.content = 1}};
    struct store_chunk *chunk = fixture_keep(fixture, 0, people, 3);
    const struct uuid *id = &chunk->customers[0].id;
    struct slice ready = chunk->customers[1].secrets;
    struct slice given = row_of(fixture, id);
    struct uuid tenant = {0};
    struct uuid next = {0};
    assert_true(slice_equal(given, chunk->customers[0].secrets));
    assert_int_equal(replace(fixture, id, SLICE("other"), ready, false), ERR_BUSY);
    assert_true(slice_equal(row_of(fixture, id), given));
    assert_int_equal(store_secrets_next_pending(fixture->store, &tenant, &next), 0);
    assert_int_equal(replace(fixture, id, given, ready, false), 0);
    assert_true(slice_equal(row_of(fixture, id), ready));
    assert_int_equal(replace(fixture, id, given, ready, false), ERR_BUSY);
    tenant = next = (struct uuid){0};
    assert_int_equal(store_secrets_next_pending(fixture->store, &tenant, &next), ERR_NOT_FOUND);
    assert_int_equal(replace(fixture, id, ready, given, true), 0);
    assert_int_equal(store_secrets_next_pending(fixture->store, &tenant, &next), 0);
    assert_memory_equal(&next, id, UUID_BYTES);
    assert_int_equal(replace(fixture, &chunk->customers[2].id, SLICE_NONE, ready, false), ERR_NOT_FOUND);
    assert_int_equal(store_secrets_replace(fixture->store, &fixture->tenants[1], id, given, ready, false),
                     ERR_NOT_FOUND);
}

static void pending_in_order(struct fixture *fixture)
{
    static const struct person people[] = {
        {.secrets = true, .pending = true}, {.secrets = true}, {.secrets = true, .pending = true}};
    struct store_chunk *chunks[] = {fixture_keep(fixture, 0, people, 3), fixture_keep(fixture, 1, people, 3)};
    struct uuid tenant = {0};
    struct uuid id = {0};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 3; j += 2) {
            assert_int_equal(store_secrets_next_pending(fixture->store, &tenant, &id), 0);
            assert_memory_equal(&tenant, &fixture->tenants[i], UUID_BYTES);
            assert_memory_equal(&id, &chunks[i]->customers[j].id, UUID_BYTES);
        }
    }
    assert_int_equal(store_secrets_next_pending(fixture->store, &tenant, &id), ERR_NOT_FOUND);
}

static void hidden(struct fixture *fixture)
{
    static const struct person person = {.secrets = true, .pending = true};
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, &person, 1);
    struct store_customer *customer = (struct store_customer *)(uintptr_t)&chunk->customers[0];
    struct uuid tenant = {0};
    struct uuid id = {0};
    fixture_commit(fixture, chunk, &row, IMPORT_OPEN);
    assert_int_equal(replace(fixture, &customer->id, customer->secrets, SLICE("x"), false), ERR_NOT_FOUND);
    assert_int_equal(store_secrets_next_pending(fixture->store, &tenant, &id), ERR_NOT_FOUND);
    struct store_chunk *seen = fixture_keep(fixture, 0, &person, 1);
    assert_int_equal(store_secrets_next_pending(fixture->store, &tenant, &id), 0);
    assert_memory_equal(&id, &seen->customers[0].id, UUID_BYTES);
    fixture_end(fixture, &row, IMPORT_ABORTED);
    fixture_sweep(fixture);
    assert_int_equal(replace(fixture, &customer->id, customer->secrets, SLICE("x"), false), ERR_NOT_FOUND);
    assert_int_equal(fixture_verify(fixture).pending, 1);
}

const struct row secret_rows[] = {
    {"a secrets row is replaced if it still is the old one", KIND_ALL, replaced},
    {"pending secrets come in order, over tenants", KIND_ALL, pending_in_order},
    {"S3 secrets of a hidden customer can't be had or replaced", KIND_ALL, hidden},
    {0},
};
