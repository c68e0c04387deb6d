/* Lists and cursors of customers, finds, and the small rows. */
#include "fixture.h"

#include <stdio.h>

#define COUNT 10

struct page {
    struct uuid ids[32];
    size_t count;
    size_t stop_at;
};

static int add_id(void *context, const struct uuid *id, struct slice record)
{
    struct page *page = context;
    assert_true(record.size > 0);
    page->ids[page->count++] = *id;
    return page->count == page->stop_at ? 7 : 0;
}

static struct page list(struct fixture *fixture, const struct uuid *after, size_t limit)
{
    struct page page = {0};
    assert_int_equal(store_customer_list(fixture->store, &fixture->tenants[0], after, limit, add_id, &page), 0);
    return page;
}

static struct page find(struct fixture *fixture, struct record_key key, const struct uuid *after, size_t limit)
{
    struct page page = {0};
    assert_int_equal(store_customer_find(fixture->store, &fixture->tenants[0], &key, after, limit, add_id, &page), 0);
    return page;
}

static struct store_chunk *ten(struct fixture *fixture, size_t tenant)
{
    struct person people[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        people[i] = (struct person){.unique = i + 1, .content = i, .email = 5};
    }
    return fixture_keep(fixture, tenant, people, COUNT);
}

static void list_pages(struct fixture *fixture)
{
    static const struct uuid first;
    struct store_chunk *before = ten(fixture, 1);
    struct store_chunk *chunk = ten(fixture, 0);
    struct page all = list(fixture, &first, 100);
    assert_int_equal(all.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_memory_equal(&all.ids[i], &chunk->customers[i].id, UUID_BYTES);
    }
    struct page page = list(fixture, &chunk->customers[3].id, 4);
    assert_int_equal(page.count, 4);
    assert_memory_equal(&page.ids[0], &chunk->customers[4].id, UUID_BYTES);
    assert_int_equal(list(fixture, &chunk->customers[COUNT - 1].id, 4).count, 0);
    assert_int_equal(list(fixture, &first, 0).count, 0);
    /* A cursor need not be a customer. */
    assert_int_equal(list(fixture, &before->customers[2].id, 100).count, COUNT);
    struct page stopped = {.stop_at = 3};
    assert_int_equal(store_customer_list(fixture->store, &fixture->tenants[0], &first, 9, add_id, &stopped), 7);
    assert_int_equal(stopped.count, 3);
}

static void list_passes_the_hidden(struct fixture *fixture)
{
    static const struct uuid first;
    static const struct person hidden[] = {{.unique = 50}, {.unique = 51}};
    struct store_chunk *old = ten(fixture, 0);
    struct store_import row = fixture_import(fixture, 0);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, hidden, 2), &row, IMPORT_OPEN);
    static const struct person last = {.unique = 60, .email = 5};
    struct store_chunk *newer = fixture_keep(fixture, 0, &last, 1);
    struct page page = list(fixture, &old->customers[COUNT - 2].id, 2);
    assert_int_equal(page.count, 2);
    assert_memory_equal(&page.ids[1], &newer->customers[0].id, UUID_BYTES);
    assert_int_equal(list(fixture, &first, 100).count, COUNT + 1);
    fixture_end(fixture, &row, IMPORT_ABORTED);
}

static void find_pages(struct fixture *fixture)
{
    static const struct uuid first;
    struct record_key email = fixture_key(IDENTIFIER_EMAIL, 5, false);
    struct store_chunk *chunk = ten(fixture, 0);
    struct page all = find(fixture, email, &first, 100);
    assert_int_equal(all.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_memory_equal(&all.ids[i], &chunk->customers[i].id, UUID_BYTES);
    }
    struct page page = find(fixture, email, &chunk->customers[3].id, 4);
    assert_int_equal(page.count, 4);
    assert_memory_equal(&page.ids[0], &chunk->customers[4].id, UUID_BYTES);
    assert_int_equal(find(fixture, email, &chunk->customers[COUNT - 1].id, 4).count, 0);
    struct record_key one = fixture_key(IDENTIFIER_EXTERNAL_ID, 4, true);
    assert_int_equal(find(fixture, one, &first, 9).count, 1);
    assert_int_equal(find(fixture, one, &chunk->customers[3].id, 9).count, 0);
    assert_int_equal(find(fixture, fixture_key(IDENTIFIER_EMAIL, 6, false), &first, 9).count, 0);
    assert_int_equal(find(fixture, fixture_key(IDENTIFIER_PHONE, 5, false), &first, 9).count, 0);
}

/* A tenant that turned a kind unique has entries of both sorts under one key: one list, in order. */
static void find_merges(struct fixture *fixture)
{
    static const struct uuid first;
    static const struct person plain = {.email = 5};
    struct store_chunk *chunks[3];
    struct store_customer customer;
    struct record_key unique = fixture_key(IDENTIFIER_EMAIL, 5, true);
    for (size_t i = 0; i < 3; i++) {
        struct store_import row = fixture_import(fixture, 0);
        chunks[i] = fixture_chunk(fixture, &row, 0, &plain, 1);
        if (i == 1) {
            customer = chunks[i]->customers[0];
            customer.keys = &unique;
            chunks[i]->customers = &customer;
        }
        fixture_commit(fixture, chunks[i], &row, IMPORT_COMMITTED);
    }
    for (size_t from = 0; from < 3; from++) {
        const struct uuid *after = from == 0 ? &first : &chunks[from - 1]->customers[0].id;
        struct page page = find(fixture, unique, after, 9);
        assert_int_equal(page.count, 3 - from);
        for (size_t i = from; i < 3; i++) {
            assert_memory_equal(&page.ids[i - from], &chunks[i]->customers[0].id, UUID_BYTES);
        }
    }
    /* The record of the second says plain and its entry unique: that is what verify is for. */
    struct store_verify_counts counts;
    assert_int_equal(store_verify(fixture->store, NULL, NULL, NULL, &counts), 0);
    assert_int_equal(counts.problems, 2);
    store_close(&fixture->store);
}

/* ---- small rows ---- */

struct names {
    char text[8][32];
    size_t count;
};

static int add_name(void *context, struct slice key, struct slice value)
{
    struct names *names = context;
    (void)snprintf(names->text[names->count++], sizeof names->text[0], "%.*s=%.*s", SLICE_ARG(key), SLICE_ARG(value));
    return 0;
}

static void expect_meta(struct fixture *fixture, const char *key, const char *value)
{
    struct buf found;
    buf_init(&found, 0);
    int err = store_meta_get(fixture->store, slice_from_text(key), &found);
    assert_int_equal(err, value == NULL ? ERR_NOT_FOUND : 0);
    assert_true(slice_equal_text(buf_view(&found), value == NULL ? "" : value));
    buf_fini(&found);
}

static void meta(struct fixture *fixture)
{
    static const char *const keys[] = {"tenant/b", "tenant/a", "project/a", "tenant/a/x", "tenants", "tenant"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_int_equal(store_meta_put(fixture->store, slice_from_text(keys[i]), SLICE("1")), 0);
    }
    assert_int_equal(store_meta_put(fixture->store, SLICE("tenant/b"), SLICE("2")), 0);
    assert_int_equal(store_meta_put(fixture->store, SLICE("empty"), SLICE_NONE), 0);
    expect_meta(fixture, "tenant/b", "2");
    expect_meta(fixture, "empty", "");
    expect_meta(fixture, "absent", NULL);
    assert_int_equal(store_meta_add(fixture->store, SLICE("tenant/b"), SLICE("3")), ERR_EXISTS);
    assert_int_equal(store_meta_add(fixture->store, SLICE("empty"), SLICE("3")), ERR_EXISTS);
    expect_meta(fixture, "tenant/b", "2");
    assert_int_equal(store_meta_add(fixture->store, SLICE("added"), SLICE("4")), 0);
    expect_meta(fixture, "added", "4");
    assert_int_equal(store_meta_delete(fixture->store, SLICE("added")), 0);
    struct names names = {0};
    assert_int_equal(store_meta_list(fixture->store, SLICE("tenant/"), add_name, &names), 0);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.text[0], "tenant/a=1");
    assert_string_equal(names.text[1], "tenant/a/x=1");
    assert_string_equal(names.text[2], "tenant/b=2");
    assert_int_equal(store_meta_delete(fixture->store, SLICE("tenant/a")), 0);
    assert_int_equal(store_meta_delete(fixture->store, SLICE("tenant/a")), 0);
    expect_meta(fixture, "tenant/a", NULL);
    struct names all = {0};
    assert_int_equal(store_meta_list(fixture->store, SLICE_NONE, add_name, &all), 0);
    assert_int_equal(all.count, 6);
}

const struct row reading_rows[] = {
    {"list goes on behind its cursor", KIND_ALL, list_pages},
    {"list passes what is hidden and fills its limit", KIND_ALL, list_passes_the_hidden},
    {"find goes on behind its cursor", KIND_ALL, find_pages},
    {"find merges unique and plain entries", KIND_ALL, find_merges},
    {"small rows", KIND_ALL, meta},
    {0},
};
