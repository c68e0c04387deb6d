/*
 * ?onExisting=update: an older customer gets new content with the commit of the import that brings it (S3), by
 * every way of reading at once, and keeps what it had when that import is aborted.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include "store/kv_priv.h"
#include "store/local_priv.h"
#include "store/rows_priv.h"

static const struct person before[] = {
    {.unique = 1, .content = 1, .email = 5, .wallet = 101, .secrets = true, .pending = true},
    {.unique = 2, .content = 2, .email = 5, .wallet = 102},
};
static const struct person after[] = {
    {.unique = 1, .content = 11, .email = 6, .wallet = 111, .secrets = true},
    {.unique = 2, .content = 12, .phone = 7, .wallet = 102, .secrets = true, .pending = true},
};

static struct store_chunk *update_chunk(struct fixture *fixture, const struct store_import *row, uint32_t number,
                                        const struct person *people, size_t count)
{
    struct store_chunk *chunk = fixture_chunk(fixture, row, number, people, count);
    chunk->on_existing = IMPORT_EXISTING_UPDATE;
    return chunk;
}

static void expect_kinds(const struct store_chunk *chunk, const char *kinds)
{
    static const char letters[] = "?cexbfus";
    for (size_t i = 0; i < chunk->count; i++) {
        if (letters[chunk->outcomes[i].kind] != kinds[i]) {
            fail_msg("item %zu: %c, not %c", i, letters[chunk->outcomes[i].kind], kinds[i]);
        }
    }
}

/* ---- what a customer is, by every way of reading ---- */

struct listed {
    const struct uuid *id;
    struct slice expected;
    size_t count;
};

static int list_one(void *context, const struct uuid *id, struct slice record)
{
    struct listed *listed = context;
    if (uuid_equal(id, listed->id)) {
        assert_true(slice_equal(record, listed->expected));
        listed->count++;
    }
    return 0;
}

static size_t find(struct fixture *fixture, uint8_t kind, unsigned number, bool unique, struct listed *listed)
{
    static const struct uuid first;
    struct record_key key = fixture_key(kind, number, unique);
    listed->count = 0;
    assert_int_equal(store_customer_find(fixture->store, &fixture->tenants[0], &key, &first, 100, list_one, listed), 0);
    return listed->count;
}

/* Customer `id` has exactly what `content`, made of `person`, has. `other` is what it has had or will have. */
static void expect_content(struct fixture *fixture, const struct uuid *id, const struct store_customer *content,
                           const struct person *person, const struct person *other)
{
    static const struct uuid first;
    struct listed listed = {.id = id, .expected = content->record};
    struct buf buf;
    struct uuid owner;
    buf_init(&buf, 0);
    assert_int_equal(store_customer_get(fixture->store, &fixture->tenants[0], id, &buf), 0);
    assert_true(slice_equal(buf_view(&buf), content->record));
    assert_int_equal(store_customer_list(fixture->store, &fixture->tenants[0], &first, 100, list_one, &listed), 0);
    assert_int_equal(listed.count, 1);
    assert_int_equal(find(fixture, IDENTIFIER_EXTERNAL_ID, person->unique, true, &listed), 1);
    assert_int_equal(find(fixture, IDENTIFIER_WALLET, person->wallet, true, &listed), person->wallet != 0 ? 1 : 0);
    assert_int_equal(find(fixture, IDENTIFIER_EMAIL, person->email, false, &listed), person->email != 0 ? 1 : 0);
    assert_int_equal(find(fixture, IDENTIFIER_PHONE, person->phone, false, &listed), person->phone != 0 ? 1 : 0);
    if (other->wallet != person->wallet) {
        assert_int_equal(find(fixture, IDENTIFIER_WALLET, other->wallet, true, &listed), 0);
    }
    if (other->email != person->email) {
        assert_int_equal(find(fixture, IDENTIFIER_EMAIL, other->email, false, &listed), 0);
    }
    if (other->phone != person->phone) {
        assert_int_equal(find(fixture, IDENTIFIER_PHONE, other->phone, false, &listed), 0);
    }
    buf_clear(&buf);
    int err = store_secrets_get(fixture->store, &fixture->tenants[0], id, &owner, &buf);
    assert_int_equal(err, person->secrets ? 0 : ERR_NOT_FOUND);
    if (err == 0) {
        assert_true(slice_equal(buf_view(&buf), content->secrets));
        assert_memory_equal(&owner, &content->id, UUID_BYTES);
    }
    buf_fini(&buf);
}

static void expect_all(struct fixture *fixture, const struct store_chunk *old, const struct store_chunk *content,
                       bool updated)
{
    for (size_t i = 0; i < 2; i++) {
        const struct person *is = updated ? &after[i] : &before[i];
        expect_content(fixture, &old->customers[i].id, &content->customers[i], is, updated ? &before[i] : &after[i]);
    }
    assert_int_equal(fixture_count(fixture, 0), 2);
    (void)fixture_verify(fixture);
}

static void sweep_in_steps(struct fixture *fixture, const struct store_chunk *old, const struct store_chunk *content,
                           bool updated)
{
    bool left = true;
    for (size_t i = 0; left; i++) {
        assert_int_equal(store_sweep(fixture->store, 1, &left), 0);
        expect_all(fixture, old, content, updated);
        assert_true(i < 100);
    }
}

static size_t pending_count(struct fixture *fixture)
{
    struct uuid tenant = {{0}};
    struct uuid id = {{0}};
    size_t count = 0;
    while (store_secrets_next_pending(fixture->store, &tenant, &id) == 0) {
        count++;
    }
    return count;
}

/* ---- one chunk, many chunks, aborted, undone, reopened ---- */

static void one_chunk(struct fixture *fixture)
{
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *new = update_chunk(fixture, &row, 0, after, 2);
    fixture_commit(fixture, new, &row, IMPORT_COMMITTED);
    expect_kinds(new, "uu");
    assert_int_equal(row.updated, 2);
    assert_int_equal(row.created, 0);
    assert_memory_equal(&new->outcomes[0].id, &old->customers[0].id, UUID_BYTES);
    assert_memory_equal(&new->outcomes[0].import, &old->import, UUID_BYTES);
    expect_all(fixture, old, new, true);
    sweep_in_steps(fixture, old, new, true);
    assert_int_equal(pending_count(fixture), 1);
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.keys, 3 + 3); /* nothing of the older content is left */
    assert_int_equal(counts.secrets, 2);
    /* The same again is the same. */
    struct store_import again = fixture_import(fixture, 0);
    struct store_chunk *repeated = update_chunk(fixture, &again, 0, after, 2);
    fixture_commit(fixture, repeated, &again, IMPORT_COMMITTED);
    expect_kinds(repeated, "ee");
    assert_memory_equal(&repeated->outcomes[0].import, &row.id, UUID_BYTES);
}

static void many_chunks(struct fixture *fixture)
{
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *first = update_chunk(fixture, &row, 0, after, 2);
    fixture_commit(fixture, first, &row, IMPORT_OPEN);
    expect_kinds(first, "uu");
    expect_all(fixture, old, old, false);
    fixture_sweep(fixture);
    expect_all(fixture, old, old, false);
    fixture_end(fixture, &row, IMPORT_COMMITTED);
    expect_all(fixture, old, first, true);
    sweep_in_steps(fixture, old, first, true);
}

static void aborted(struct fixture *fixture)
{
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    struct store_import row = fixture_import(fixture, 0);
    fixture_commit(fixture, update_chunk(fixture, &row, 0, after, 2), &row, IMPORT_OPEN);
    fixture_end(fixture, &row, IMPORT_ABORTED);
    expect_all(fixture, old, old, false);
    sweep_in_steps(fixture, old, old, false);
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.keys, 3 + 3);
    assert_int_equal(counts.secrets, 1);
    struct uuid none;
    size_t count = 9;
    assert_int_equal(store_import_undo(fixture->store, &old->tenant, &old->import, 1, &none, 1, &count), 0);
    fixture_sweep(fixture);
    assert_int_equal(fixture_verify(fixture).keys, 0);
}

static void over_a_reopen(struct fixture *fixture)
{
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    struct store_import row = fixture_import(fixture, 0);
    struct store_import gone = fixture_import(fixture, 0);
    struct store_chunk *new = update_chunk(fixture, &row, 0, after, 2);
    bool left = true;
    fixture_commit(fixture, update_chunk(fixture, &gone, 0, after, 2), &gone, IMPORT_OPEN);
    fixture_reopen(fixture); /* aborted by it */
    expect_all(fixture, old, old, false);
    fixture_commit(fixture, new, &row, IMPORT_COMMITTED); /* though nothing is swept yet */
    expect_kinds(new, "uu");
    fixture_reopen(fixture);
    expect_all(fixture, old, new, true);
    assert_int_equal(store_sweep(fixture->store, 3, &left), 0);
    fixture_reopen(fixture);
    expect_all(fixture, old, new, true);
    sweep_in_steps(fixture, old, new, true);
    fixture_reopen(fixture);
    expect_all(fixture, old, new, true);
    assert_int_equal(fixture_verify(fixture).keys, 6);
}

/* An open import that updates is gone on with behind a restart. */
static void resumed(struct fixture *fixture)
{
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    struct store_import row = fixture_import(fixture, 0);
    row.resumable = true;
    struct store_chunk *new = update_chunk(fixture, &row, 0, after, 2);
    fixture_commit(fixture, new, &row, IMPORT_OPEN);
    fixture_reopen(fixture);
    expect_all(fixture, old, old, false);
    fixture_end(fixture, &row, IMPORT_COMMITTED);
    expect_all(fixture, old, new, true);
    fixture_reopen(fixture);
    sweep_in_steps(fixture, old, new, true);
}

/* A crash left a run's intent, and an updated customer's id lies between its ids: it is none of the run's. */
static void beside_an_unfinished_run(struct fixture *fixture)
{
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *new = update_chunk(fixture, &row, 0, after, 2);
    fixture_commit(fixture, new, &row, IMPORT_COMMITTED);
    fixture_sweep(fixture);
    struct store_import run = fixture_import(fixture, 0);
    fixture_end(fixture, &run, IMPORT_OPEN);
    struct store_kv *kv = NULL;
    struct buf why;
    uint8_t key[STORE_ROW_KEY_BYTES];
    uint8_t intent[2 * UUID_BYTES];
    buf_init(&why, 0);
    memset(intent, 0, UUID_BYTES);
    memset(intent + UUID_BYTES, 0xff, UUID_BYTES);
    store_close(&fixture->store);
    assert_int_equal(store_kv_rocks_open(fixture->path, NULL, &kv, &why), 0);
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    store_kv_put(kv, batch, STORE_FAMILY_RUN, store_rows_pair_key(key, &run.tenant, &run.id),
                 slice_make(intent, sizeof intent));
    assert_int_equal(store_kv_write(kv, batch, true), 0);
    store_kv_batch_free(kv, &batch);
    store_kv_close(&kv);
    buf_fini(&why);
    fixture_reopen(fixture);
    expect_all(fixture, old, new, true);
}

/* ---- keys ---- */

static struct store_chunk *try_one(struct fixture *fixture, const struct person *person)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, person, 1);
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    chunk->row = NULL;
    return chunk;
}

static void keys_change_hands(struct fixture *fixture)
{
    static const struct person old_wallet = {.unique = 21, .content = 61, .wallet = 101};
    static const struct person new_wallet = {.unique = 22, .content = 62, .wallet = 111};
    (void)fixture_keep(fixture, 0, before, 2);
    for (int end = 0; end < 2; end++) {
        struct store_import row = fixture_import(fixture, 0);
        fixture_commit(fixture, update_chunk(fixture, &row, 0, after, 1), &row, IMPORT_OPEN);
        expect_kinds(try_one(fixture, &old_wallet), "b"); /* given up, but not yet */
        expect_kinds(try_one(fixture, &new_wallet), "b");
        fixture_end(fixture, &row, end == 0 ? IMPORT_ABORTED : IMPORT_COMMITTED);
        if (end == 0) {
            expect_kinds(try_one(fixture, &old_wallet), "x");
            fixture_sweep(fixture);
            expect_kinds(try_one(fixture, &old_wallet), "x");
        }
    }
    expect_kinds(try_one(fixture, &new_wallet), "x");
    expect_kinds(try_one(fixture, &old_wallet), "c"); /* free before it is folded */
    fixture_sweep(fixture);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_WALLET, 101, true)), 1);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_WALLET, 111, true)), 1);
}

/* Until it is committed the customer may need its key back, so it is not free to its own import either. */
static void given_up_and_wanted_in_one_import(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .content = 11, .wallet = 111},
                                           {.unique = 23, .content = 63, .wallet = 101}};
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = update_chunk(fixture, &row, 0, people, 2);
    chunk->atomic = false;
    fixture_commit(fixture, chunk, &row, IMPORT_OPEN);
    expect_kinds(chunk, "ux");
    fixture_end(fixture, &row, IMPORT_ABORTED);
    expect_all(fixture, old, old, false);
    sweep_in_steps(fixture, old, old, false);
    expect_kinds(try_one(fixture, &people[1]), "x");
}

static void one_import_at_a_time(struct fixture *fixture)
{
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    struct store_import first = fixture_import(fixture, 0);
    struct store_import second = fixture_import(fixture, 0);
    struct store_chunk *early = update_chunk(fixture, &first, 0, after, 1);
    fixture_commit(fixture, early, &first, IMPORT_OPEN);
    struct store_chunk *late = update_chunk(fixture, &second, 0, after, 2);
    late->atomic = false;
    fixture_commit(fixture, late, &second, IMPORT_COMMITTED);
    expect_kinds(late, "bu");
    /* One is seen and not folded, the other is open. */
    expect_content(fixture, &old->customers[0].id, &old->customers[0], &before[0], &after[0]);
    expect_content(fixture, &old->customers[1].id, &late->customers[1], &after[1], &before[1]);
    fixture_end(fixture, &first, IMPORT_COMMITTED);
    /* The next one meets it committed and not yet folded. */
    static const struct person third = {.unique = 1, .content = 31, .email = 5};
    struct store_import next = fixture_import(fixture, 0);
    struct store_chunk *more = update_chunk(fixture, &next, 0, &third, 1);
    fixture_commit(fixture, more, &next, IMPORT_OPEN);
    expect_kinds(more, "u");
    assert_memory_equal(&more->outcomes[0].import, &first.id, UUID_BYTES);
    for (int i = 0; i < 2; i++) {
        expect_content(fixture, &old->customers[0].id, &early->customers[0], &after[0], &before[0]);
        (void)fixture_verify(fixture);
        fixture_sweep(fixture); /* folds the first below the open one */
    }
    fixture_end(fixture, &next, IMPORT_COMMITTED);
    expect_content(fixture, &old->customers[0].id, &more->customers[0], &third, &after[0]);
    fixture_sweep(fixture);
    expect_content(fixture, &old->customers[0].id, &more->customers[0], &third, &after[0]);
    assert_int_equal(fixture_verify(fixture).keys, 2 + 3);
}

/* Another customer's identifier, a customer without an external id, and items of one body that meet. */
static void what_is_not_updated(struct fixture *fixture)
{
    static const struct person people[] = {
        {.unique = 1, .content = 41, .wallet = 102}, /* the second's wallet */
        {.unique = 0, .content = 42, .wallet = 102}, /* no external id that exists */
        {.unique = 9, .content = 43, .wallet = 109},
        {.unique = 9, .content = 44, .wallet = 119}, /* of this very body */
        {.unique = 2, .content = 45, .wallet = 128, .phone = 9},
        {.unique = 2, .content = 46, .wallet = 129},
        {.unique = 2, .content = 46, .wallet = 129},
    };
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = update_chunk(fixture, &row, 0, people, 7);
    chunk->atomic = false;
    fixture_commit(fixture, chunk, &row, IMPORT_OPEN);
    expect_kinds(chunk, "xxcuuue");
    (void)fixture_verify(fixture);
    fixture_end(fixture, &row, IMPORT_COMMITTED);
    for (int i = 0; i < 2; i++) {
        expect_content(fixture, &old->customers[0].id, &old->customers[0], &before[0], &people[0]);
        expect_content(fixture, &chunk->customers[2].id, &chunk->customers[3], &people[3], &people[2]);
        expect_content(fixture, &old->customers[1].id, &chunk->customers[5], &people[5], &people[4]);
        fixture_sweep(fixture);
    }
    assert_int_equal(fixture_verify(fixture).keys, 3 + 2 + 2);
    static const struct person freed = {.unique = 51, .wallet = 109};
    expect_kinds(try_one(fixture, &freed), "c");
}

static void refused_chunk_leaves_nothing(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .content = 41, .wallet = 131},
                                           {.unique = 8, .content = 41, .wallet = 102}};
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    for (int dry = 0; dry < 2; dry++) {
        struct store_import row = fixture_import(fixture, 0);
        struct store_chunk *chunk = update_chunk(fixture, &row, 0, people, dry == 1 ? 1 : 2);
        chunk->dry = dry == 1;
        fixture_commit(fixture, chunk, &row, IMPORT_OPEN);
        expect_kinds(chunk, dry == 1 ? "u" : "ux");
        assert_int_equal(chunk->kept, dry == 1);
        if (dry == 1) {
            fixture_end(fixture, &row, IMPORT_ABORTED);
        }
        expect_all(fixture, old, old, false);
    }
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *new = update_chunk(fixture, &row, 0, after, 2);
    fixture_commit(fixture, new, &row, IMPORT_COMMITTED);
    expect_kinds(new, "uu");
    expect_all(fixture, old, new, true);
}

/* ---- undo ---- */

static void undo_names_the_changed(struct fixture *fixture)
{
    struct uuid changed[3];
    size_t count = 0;
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    struct store_import row = fixture_import(fixture, 0);
    fixture_commit(fixture, update_chunk(fixture, &row, 0, after, 2), &row, IMPORT_OPEN);
    assert_int_equal(store_import_undo(fixture->store, &old->tenant, &old->import, 1, changed, 1, &count),
                     ERR_IMPORT_CHANGED); /* somebody is about to */
    assert_int_equal(count, 1);
    fixture_end(fixture, &row, IMPORT_COMMITTED);
    for (int i = 0; i < 2; i++) {
        const struct uuid *imports[] = {&old->import, &row.id};
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(store_import_undo(fixture->store, &old->tenant, imports[j], 1, changed, 3, &count),
                             ERR_IMPORT_CHANGED);
            assert_int_equal(count, 2);
            assert_memory_equal(&changed[0], &old->customers[0].id, UUID_BYTES);
            assert_memory_equal(&changed[1], &old->customers[1].id, UUID_BYTES);
        }
        fixture_sweep(fixture);
    }
}

/* An update that was aborted has changed nothing, though its rows are still there. */
static void undo_under_an_aborted_update(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_import older = fixture_import(fixture, 0);
    fixture_commit(fixture, fixture_chunk(fixture, &older, 0, before, 2), &older, IMPORT_COMMITTED);
    fixture_commit(fixture, update_chunk(fixture, &row, 0, after, 2), &row, IMPORT_OPEN);
    fixture_end(fixture, &row, IMPORT_ABORTED);
    fixture_undo(fixture, &older);
    assert_int_equal(fixture_count(fixture, 0), 0);
    bool left = true;
    while (left) {
        assert_int_equal(store_sweep(fixture->store, 1, &left), 0);
        (void)fixture_verify(fixture);
    }
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.keys + counts.secrets + counts.pending, 0);
}

/* What one import created and updated is its own; undone before it is folded, and behind. */
static void undo_of_own_updates(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .content = 1, .wallet = 101, .email = 5},
                                           {.unique = 1, .content = 2, .wallet = 102, .secrets = true}};
    for (int folded = 0; folded < 2; folded++) {
        struct store_import row = fixture_import(fixture, 0);
        struct store_chunk *chunk = update_chunk(fixture, &row, 0, people, 2);
        fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
        expect_kinds(chunk, "cu");
        expect_content(fixture, &chunk->customers[0].id, &chunk->customers[1], &people[1], &people[0]);
        if (folded == 1) {
            fixture_sweep(fixture);
        }
        fixture_undo(fixture, &row);
        assert_int_equal(fixture_count(fixture, 0), 0);
        (void)fixture_verify(fixture);
        fixture_sweep(fixture);
        struct store_verify_counts counts = fixture_verify(fixture);
        assert_int_equal(counts.keys + counts.secrets + counts.pending, 0);
    }
}

/* ---- secrets ---- */

static void secrets_go_with_the_content(struct fixture *fixture)
{
    struct store_chunk *old = fixture_keep(fixture, 0, before, 2);
    const struct uuid *id = &old->customers[0].id;
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *new = update_chunk(fixture, &row, 0, after, 2);
    fixture_commit(fixture, new, &row, IMPORT_OPEN);
    /* The older row is hashed while the import is open. */
    struct slice hashed = old->customers[0].secrets;
    assert_int_equal(pending_count(fixture), 1);
    assert_int_equal(store_secrets_replace(fixture->store, &old->tenant, id, hashed, hashed, true), 0);
    fixture_end(fixture, &row, IMPORT_COMMITTED);
    /* From here on it is not the customer's any more. */
    assert_int_equal(store_secrets_replace(fixture->store, &old->tenant, id, hashed, SLICE("x"), false), ERR_BUSY);
    fixture_sweep(fixture);
    assert_int_equal(store_secrets_replace(fixture->store, &old->tenant, id, hashed, SLICE("x"), false), ERR_BUSY);
    expect_all(fixture, old, new, true);
    id = &old->customers[1].id;
    struct slice fresh = new->customers[1].secrets;
    struct slice ready = new->customers[0].secrets; /* a row of which nothing is pending */
    assert_int_equal(pending_count(fixture), 1);
    assert_int_equal(store_secrets_replace(fixture->store, &old->tenant, id, fresh, ready, false), 0);
    assert_int_equal(pending_count(fixture), 0);
    struct buf buf;
    struct uuid owner;
    buf_init(&buf, 0);
    assert_int_equal(store_secrets_get(fixture->store, &old->tenant, id, &owner, &buf), 0);
    assert_true(slice_equal(buf_view(&buf), ready));
    assert_memory_equal(&owner, &new->customers[1].id, UUID_BYTES); /* what it is sealed to stays */
    buf_fini(&buf);
}

/* ---- readers beside it ---- */

#define PAIRS 30

struct watcher {
    struct fixture *fixture;
    atomic_bool stop;
    size_t mixtures;
    size_t looks;
};

static int sum_content(void *context, const struct uuid *id, struct slice record)
{
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    uint64_t *seen = context;
    unsigned content = 0;
    (void)id;
    if (record_read_header(record, &header, keys) == 0) {
        memcpy(&content, header.fingerprint, sizeof content);
        *seen |= UINT64_C(1) << content % 64;
    }
    return 0;
}

/* Both customers are always of the same update. */
static void *watch(void *context)
{
    static const struct uuid first;
    struct watcher *watcher = context;
    struct fixture *fixture = watcher->fixture;
    struct record_key key = fixture_key(IDENTIFIER_EMAIL, 5, false);
    while (!atomic_load(&watcher->stop)) {
        uint64_t listed = 0;
        uint64_t found = 0;
        int err = store_customer_list(fixture->store, &fixture->tenants[0], &first, 10, sum_content, &listed);
        err = err == 0
                  ? store_customer_find(fixture->store, &fixture->tenants[0], &key, &first, 10, sum_content, &found)
                  : err;
        watcher->mixtures += err != 0 || (listed & (listed - 1)) != 0 || (found & (found - 1)) != 0 ? 1 : 0;
        watcher->looks++;
    }
    return NULL;
}

static void readers_see_no_mixture(struct fixture *fixture)
{
    struct person people[] = {{.unique = 1, .content = 1, .email = 5}, {.unique = 2, .content = 1, .email = 5}};
    struct watcher watchers[2] = {{.fixture = fixture}, {.fixture = fixture}};
    pthread_t threads[2];
    (void)fixture_keep(fixture, 0, people, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, watch, &watchers[i]), 0);
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        struct store_import row = fixture_import(fixture, 0);
        bool left;
        people[0].content = people[1].content = 2 + i;
        fixture_commit(fixture, update_chunk(fixture, &row, 0, &people[0], 1), &row, IMPORT_OPEN);
        fixture_commit(fixture, update_chunk(fixture, &row, 1, &people[1], 1), &row,
                       i % 3 == 2 ? IMPORT_OPEN : IMPORT_COMMITTED);
        if (i % 3 == 2) {
            fixture_end(fixture, &row, IMPORT_ABORTED);
        }
        if (i % 2 == 0) {
            assert_int_equal(store_sweep(fixture->store, 2 + i, &left), 0);
        }
    }
    fixture_sweep(fixture);
    for (size_t i = 0; i < 2; i++) {
        atomic_store(&watchers[i].stop, true);
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(watchers[i].mixtures, 0);
    }
    assert_int_equal(fixture_verify(fixture).keys, 4);
}

/* ---- a step of folding that is not written ---- */

/* An import of two chunks, committed and not yet folded, that updates the customers of `old`. */
static void update_both(struct fixture *fixture, struct store_chunk *updates[2], struct store_chunk **old)
{
    struct store_import first = fixture_import(fixture, 0);
    *old = fixture_chunk(fixture, &first, 0, before, 2);
    fixture_commit(fixture, *old, &first, IMPORT_COMMITTED);
    struct store_import row = fixture_import(fixture, 0);
    for (uint32_t i = 0; i < 2; i++) {
        updates[i] = update_chunk(fixture, &row, i, &after[i], 1);
        fixture_commit(fixture, updates[i], &row, i == 0 ? IMPORT_OPEN : IMPORT_COMMITTED);
    }
}

static void expect_both(struct fixture *fixture, struct store_chunk *const updates[2], const struct store_chunk *old)
{
    for (size_t i = 0; i < 2; i++) {
        expect_content(fixture, &old->customers[i].id, &updates[i]->customers[0], &after[i], &before[i]);
    }
    (void)fixture_verify(fixture);
}

static const struct store_kv_ops *under;
static struct store_kv_ops failing;

static int fail_once(struct store_kv *kv, struct store_kv_batch *batch, bool sync)
{
    (void)batch;
    (void)sync;
    kv->ops = under;
    return ERR_NO_MEMORY;
}

static void fold_fails(struct fixture *fixture)
{
    struct store_chunk *updates[2];
    struct store_chunk *old;
    bool left;
    update_both(fixture, updates, &old);
    struct store_kv *kv = store_local_of(fixture->store)->kv;
    under = kv->ops;
    failing = *under;
    failing.write = fail_once;
    kv->ops = &failing;
    assert_int_equal(store_sweep(fixture->store, 1000, &left), ERR_NO_MEMORY);
    assert_ptr_equal(kv->ops, under);
    fixture_sweep(fixture);
    expect_both(fixture, updates, old);
}

/* The database refuses the first try's last change, as it does when another was in the way: all of it is undone. */
static void fold_is_tried_again(struct fixture *fixture)
{
    struct store_chunk *updates[2];
    struct store_chunk *old;
    update_both(fixture, updates, &old);
    fixture_sql(fixture, "CREATE SEQUENCE tries");
    fixture_sql(fixture, "CREATE FUNCTION refuse_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                         "IF nextval('tries') = 1 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF; "
                         "RETURN OLD; END $$");
    fixture_sql(fixture, "CREATE TRIGGER once BEFORE DELETE ON muster_unfinished FOR EACH ROW "
                         "EXECUTE FUNCTION refuse_once()");
    fixture_sweep(fixture);
    fixture_sql(fixture, "DO $$ BEGIN ASSERT nextval('tries') > 2, 'nothing was refused'; END $$");
    expect_both(fixture, updates, old);
}

const struct row update_rows[] = {
    {"S3 an update of one chunk is seen when it is kept", KIND_ALL, one_chunk},
    {"S3 an update of many chunks is seen with its commit, whole", KIND_ALL, many_chunks},
    {"S3 S5 an aborted update leaves everything as it was", KIND_ALL, aborted},
    {"S3 S6 updates over a reopen, at every stage", KIND_KEPT, over_a_reopen},
    {"S6 an open update is gone on with behind a restart", KIND_KEPT, resumed},
    {"S6 an updated customer beside what is left of a run", KIND_ROCKS, beside_an_unfinished_run},
    {"S4 S5 keys change hands with an update's commit", KIND_ALL, keys_change_hands},
    {"S4 a key that is given up is not free to its own import", KIND_ALL, given_up_and_wanted_in_one_import},
    {"S5 one import at a time updates a customer", KIND_ALL, one_import_at_a_time},
    {"S4 what is not updated, and what is twice", KIND_ALL, what_is_not_updated},
    {"S2 a refused or dry update leaves nothing", KIND_ALL, refused_chunk_leaves_nothing},
    {"an undo is refused for what was changed since, by name", KIND_ALL, undo_names_the_changed},
    {"an undo goes past an update that was aborted", KIND_ALL, undo_under_an_aborted_update},
    {"an import that updates its own is undone whole", KIND_ALL, undo_of_own_updates},
    {"secrets and their marks go with the content", KIND_ALL, secrets_go_with_the_content},
    {"S3 readers beside updates see old or new", KIND_ALL, readers_see_no_mixture},
    {"S6 a fold whose write failed begins again", KIND_LOCAL, fold_fails},
    {"S6 a fold that is tried again folds all", KIND_POSTGRES, fold_is_tried_again},
    {0},
};
