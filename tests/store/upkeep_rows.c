/* Sweep and verify. The rows that damage a store do it through the key-value interface under it. */
#include "fixture.h"

#include "store/kv_priv.h"
#include "store/rows_priv.h"

#define COUNT 40

static struct store_chunk *abort_many(struct fixture *fixture, struct store_import *row)
{
    struct person people[COUNT];
    struct store_chunk *chunk = NULL;
    for (unsigned i = 0; i < COUNT; i++) {
        people[i] =
            (struct person){.unique = i + 1, .content = i, .email = 5, .secrets = i % 2 == 0, .pending = i % 4 == 0};
    }
    *row = fixture_import(fixture, 0);
    for (uint32_t number = 0; number < 4; number++) {
        chunk = fixture_chunk(fixture, row, number, people + number * COUNT / 4, COUNT / 4);
        fixture_commit(fixture, chunk, row, IMPORT_OPEN);
    }
    fixture_end(fixture, row, IMPORT_ABORTED);
    return chunk;
}

static size_t ignore_problems(struct fixture *fixture)
{
    struct store_verify_counts counts;
    assert_int_equal(store_verify(fixture->store, NULL, NULL, NULL, &counts), 0);
    return counts.problems;
}

static void sweep_in_steps(struct fixture *fixture)
{
    struct store_import row;
    struct buf outcomes;
    bool left = true;
    size_t calls = 0;
    (void)abort_many(fixture, &row);
    static const struct person kept = {.unique = 3, .content = 77, .email = 5};
    (void)fixture_keep(fixture, 0, &kept, 1);
    buf_init(&outcomes, 0);
    while (left) {
        assert_int_equal(store_sweep(fixture->store, 7, &left), 0);
        (void)fixture_verify(fixture);
        calls++;
    }
    assert_true(calls > COUNT / 7);
    for (uint32_t number = 0; number < 4; number++) {
        assert_int_equal(store_import_outcomes(fixture->store, &row.tenant, &row.id, number, NULL, &outcomes),
                         ERR_NOT_FOUND);
    }
    struct store_import found;
    assert_int_equal(store_import_get(fixture->store, &row.tenant, &row.id, &found, &outcomes), 0);
    assert_int_equal(found.state, IMPORT_ABORTED);
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.customers, 1);
    assert_int_equal(counts.keys, 2);
    assert_int_equal(counts.secrets + counts.pending, 0);
    buf_fini(&outcomes);
}

static void sweep_goes_on_after_reopen(struct fixture *fixture)
{
    struct store_import row;
    bool left = true;
    (void)abort_many(fixture, &row);
    assert_int_equal(store_sweep(fixture->store, 50, &left), 0);
    assert_true(left);
    fixture_reopen(fixture);
    assert_int_equal(fixture_count(fixture, 0), 0);
    fixture_sweep(fixture);
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.customers + counts.keys + counts.secrets + counts.pending, 0);
}

static void nothing_to_sweep(struct fixture *fixture)
{
    static const struct person person = {.unique = 1};
    struct store_import open = fixture_import(fixture, 0);
    struct store_import row = fixture_import(fixture, 0);
    bool left = true;
    fixture_commit(fixture, fixture_chunk(fixture, &open, 0, &person, 1), &open, IMPORT_OPEN);
    fixture_end(fixture, &row, IMPORT_OPEN);
    fixture_end(fixture, &row, IMPORT_ABORTED);
    assert_int_equal(store_sweep(fixture->store, 10, &left), 0);
    assert_false(left);
    fixture_end(fixture, &open, IMPORT_COMMITTED);
    assert_int_equal(fixture_count(fixture, 0), 1);
    open.created = 1;
    open.chunks = 1;
    fixture_end(fixture, &open, IMPORT_COMMITTED);
}

static void verify_counts(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .email = 2, .phone = 3, .secrets = true, .pending = true},
                                           {.unique = 2, .wallet = 4, .secrets = true},
                                           {.email = 2}};
    (void)fixture_keep(fixture, 0, people, 3);
    (void)fixture_keep(fixture, 1, people, 2);
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.tenants, 2);
    assert_int_equal(counts.imports, 2);
    assert_int_equal(counts.customers, 5);
    assert_int_equal(counts.keys, 3 + 2 + 1 + 3 + 2);
    assert_int_equal(counts.secrets, 4);
    assert_int_equal(counts.pending, 2);
}

struct opened {
    size_t count;
    int answer;
};

static int open_record(void *context, const struct record_header *header, struct slice record)
{
    struct opened *opened = context;
    assert_int_equal(header->contract, 1);
    assert_true(record.size > 0);
    opened->count++;
    return opened->answer;
}

static void verify_opens(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1}, {.unique = 2}};
    struct opened opened = {0};
    struct store_verify_counts counts;
    (void)fixture_keep(fixture, 0, people, 2);
    assert_int_equal(store_verify(fixture->store, open_record, NULL, &opened, &counts), 0);
    assert_int_equal(opened.count, 2);
    assert_int_equal(counts.problems, 0);
    opened.answer = ERR_KEY;
    assert_int_equal(store_verify(fixture->store, open_record, NULL, &opened, &counts), 0);
    assert_int_equal(counts.problems, 2);
}

/* ---- damages ---- */

/* One row removed or written over; verify must find as many problems as are caused. */
struct damage {
    const char *what;
    enum store_family family;
    const char *value; /* NULL: remove the family's first row */
    size_t value_size;
    size_t problems;
};

/* The store holds one import of two customers, each with a unique and a plain key, a secrets row and
 * a pending mark. */
static const struct damage damages[] = {
    {"unique entry lost", STORE_FAMILY_UNIQUE, NULL, 0, 1},
    {"unique entry too short", STORE_FAMILY_UNIQUE, "x", 1, 2},
    {"plain entry lost", STORE_FAMILY_PLAIN, NULL, 0, 1},
    {"plain entry with a value", STORE_FAMILY_PLAIN, "x", 1, 1},
    /* its two entries, secrets row, mark and outcome lead nowhere, and one customer is missing */
    {"record lost", STORE_FAMILY_BODY, NULL, 0, 6},
    /* its secrets row, mark stand with no readable record; one customer is missing */
    {"record cut", STORE_FAMILY_BODY, "\1\1", 2, 2},
    {"secrets row lost", STORE_FAMILY_SECRET, NULL, 0, 1},
    {"secrets row of another import", STORE_FAMILY_SECRET, "0123456789abcdef0", 17, 2},
    {"pending mark lost", STORE_FAMILY_PENDING, NULL, 0, 1},
    {"pending mark of another import", STORE_FAMILY_PENDING, "0123456789abcdef", 16, 1},
    /* one customer is shown without an import at a time, the outcomes belong to none, none is counted */
    {"import lost", STORE_FAMILY_IMPORT, NULL, 0, 4},
    {"outcomes lost", STORE_FAMILY_OUTCOME, NULL, 0, 2},
    {"outcomes cut", STORE_FAMILY_OUTCOME, "\1\1", 2, 3},
};

static void damage_row(struct fixture *fixture, const struct damage *damage)
{
    struct store_kv *kv = NULL;
    struct buf why;
    struct slice key;
    struct slice value;
    buf_init(&why, 0);
    store_close(&fixture->store);
    assert_int_equal(store_kv_rocks_open(fixture->path, NULL, &kv, &why), 0);
    struct store_kv_view *view = store_kv_view_open(kv);
    struct store_kv_walk *walk = store_kv_walk_open(kv, view, damage->family, SLICE_NONE);
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    store_kv_walk_seek(kv, walk, SLICE(""), false);
    assert_true(store_kv_walk_at(kv, walk, &key, &value));
    if (damage->value == NULL) {
        store_kv_erase(kv, batch, damage->family, key);
    } else {
        store_kv_put(kv, batch, damage->family, key, slice_make(damage->value, damage->value_size));
    }
    assert_int_equal(store_kv_write(kv, batch, true), 0);
    assert_int_equal(store_kv_walk_close(kv, &walk), 0);
    store_kv_batch_free(kv, &batch);
    store_kv_view_close(kv, &view);
    store_kv_close(&kv);
    buf_fini(&why);
}

static void verify_finds_damage(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .email = 2, .secrets = true, .pending = true},
                                           {.unique = 2, .phone = 3, .secrets = true, .pending = true}};
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        fixture_close(fixture);
        fixture_open(fixture, KIND_ROCKS);
        (void)fixture_keep(fixture, 0, people, 2);
        (void)fixture_verify(fixture);
        damage_row(fixture, &damages[i]);
        fixture_reopen(fixture);
        size_t problems = ignore_problems(fixture);
        if (problems != damages[i].problems) {
            fail_msg("%s: %zu problems", damages[i].what, problems);
        }
    }
    store_close(&fixture->store);
}

/* A row put beside a sound store, under a tenant, import or customer that it has not. */
static const struct stray {
    const char *what;
    enum store_family family;
    size_t key_size;
    size_t value_size;
    size_t problems;
} strays[] = {
    {"revision of no customer that can't be read", STORE_FAMILY_REVISION, STORE_REVISION_BYTES, 3, 1},
    {"mark of a change between no imports", STORE_FAMILY_CHANGE, STORE_CHANGE_BYTES, UUID_BYTES, 1},
    {"mark of a change without its import", STORE_FAMILY_CHANGE, STORE_CHANGE_BYTES, 0, 1},
    {"faults of no import", STORE_FAMILY_FAULT, STORE_OUTCOME_BYTES, 1, 1},
    {"claim of no import", STORE_FAMILY_REQUEST, STORE_PAIR_BYTES, STORE_REQUEST_BYTES, 1},
    {"claim that can't be read", STORE_FAMILY_REQUEST, STORE_PAIR_BYTES, 5, 1},
    {"claim without a key", STORE_FAMILY_REQUEST, UUID_BYTES, STORE_REQUEST_BYTES, 1},
};

static void verify_finds_strays(struct fixture *fixture)
{
    static const struct person person = {.unique = 1, .email = 2};
    (void)fixture_keep(fixture, 0, &person, 1);
    for (size_t i = 0; i < sizeof strays / sizeof strays[0]; i++) {
        const char bytes[128] = {7, 7, 7};
        struct store_kv *kv = NULL;
        struct buf why;
        buf_init(&why, 0);
        store_close(&fixture->store);
        assert_int_equal(store_kv_rocks_open(fixture->path, NULL, &kv, &why), 0);
        for (int erase = 0; erase < 2; erase++) {
            struct store_kv_batch *batch = store_kv_batch_new(kv);
            struct slice key = slice_make(bytes, strays[i].key_size);
            store_kv_put(kv, batch, strays[i].family, key, slice_make(bytes, strays[i].value_size));
            if (erase == 1) {
                store_kv_erase(kv, batch, strays[i].family, key);
            }
            assert_int_equal(store_kv_write(kv, batch, true), 0);
            store_kv_batch_free(kv, &batch);
            store_kv_close(&kv);
            fixture_reopen(fixture);
            size_t problems = ignore_problems(fixture);
            if (problems != (erase == 1 ? 0 : strays[i].problems)) {
                fail_msg("%s: %zu problems", strays[i].what, problems);
            }
            if (erase == 0) {
                store_close(&fixture->store);
                assert_int_equal(store_kv_rocks_open(fixture->path, NULL, &kv, &why), 0);
            }
        }
        buf_fini(&why);
    }
}

const struct row upkeep_rows[] = {
    {"sweep goes step by step, and the store is sound after each", KIND_ALL, sweep_in_steps},
    {"sweep goes on after a reopen", KIND_KEPT, sweep_goes_on_after_reopen},
    {"sweep leaves open and empty imports alone", KIND_ALL, nothing_to_sweep},
    {"verify counts what there is", KIND_ALL, verify_counts},
    {"verify has every record opened", KIND_ALL, verify_opens},
    {"verify finds each kind of damage", KIND_ROCKS, verify_finds_damage},
    {"verify finds rows that belong to nothing", KIND_ROCKS, verify_finds_strays},
    {0},
};
