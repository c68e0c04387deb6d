/* What becomes of items that are refused, exist already, or are only tried; and the faults kept beside them. */
#include "fixture.h"

static const struct person ada = {.unique = 1, .content = 1, .email = 5};
static const struct person other = {.unique = 1, .content = 2, .email = 5};

static void expect_kinds(const struct store_chunk *chunk, const char *kinds)
{
    static const char letters[] = "?cexbfus";
    for (size_t i = 0; i < chunk->count; i++) {
        if (letters[chunk->outcomes[i].kind] != kinds[i]) {
            fail_msg("item %zu: %c, not %c", i, letters[chunk->outcomes[i].kind], kinds[i]);
        }
    }
}

/* The outcomes as they are stored, in the same letters; the chain goes to `chain`. */
static void expect_stored(struct fixture *fixture, const struct store_import *row, uint32_t number, uint8_t *chain,
                          const char *kinds)
{
    static const char letters[] = "?cexbfus";
    struct store_outcome outcome;
    struct buf buf;
    size_t count = 0;
    buf_init(&buf, 0);
    assert_int_equal(store_import_outcomes(fixture->store, &row->tenant, &row->id, number, chain, &buf), 0);
    struct slice left = buf_view(&buf);
    for (; store_outcomes_read(&left, &outcome); count++) {
        assert_int_equal(letters[outcome.kind], kinds[count]);
    }
    assert_int_equal(left.size, 0);
    assert_int_equal(count, strlen(kinds));
    buf_fini(&buf);
}

/* ?onExisting=: what an external id that exists does to the same and to other content. */
static void existing_rules(struct fixture *fixture)
{
    static const struct {
        uint8_t rule;
        const char *kinds;
    } rows[] = {{IMPORT_EXISTING_SAME, "exc"}, {IMPORT_EXISTING_SKIP, "esc"}, {IMPORT_EXISTING_FAIL, "xxc"}};
    const struct store_chunk *older = fixture_keep(fixture, 0, &ada, 1);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct person people[] = {ada, other, {.unique = 10 + i}};
        struct store_import row = fixture_import(fixture, 0);
        struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, people, 3);
        chunk->atomic = false;
        chunk->on_existing = rows[i].rule;
        fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
        expect_kinds(chunk, rows[i].kinds);
        expect_stored(fixture, &row, 0, NULL, rows[i].kinds);
        assert_memory_equal(&chunk->outcomes[1].id, &older->customers[0].id, UUID_BYTES);
        assert_memory_equal(&chunk->outcomes[1].import, &older->import, UUID_BYTES);
        assert_int_equal(chunk->outcomes[1].key_kind, IDENTIFIER_EXTERNAL_ID);
        assert_int_equal(row.created, 1);
        assert_int_equal(row.skipped, rows[i].rule == IMPORT_EXISTING_SKIP ? 1 : 0);
        assert_int_equal(row.existing, rows[i].rule == IMPORT_EXISTING_FAIL ? 0 : 1);
        assert_true(fixture_shows(fixture, 0, &older->customers[0]));
    }
    assert_int_equal(fixture_count(fixture, 0), 4);
}

/* Skipping is about the external id: what it does to other unique keys, and to one that another import holds. */
static void skip_is_about_the_external_id(struct fixture *fixture)
{
    static const struct person first[] = {{.unique = 1, .content = 1, .wallet = 7}, {.unique = 2, .content = 2}};
    static const struct person held = {.unique = 3, .content = 3};
    static const struct person people[] = {
        {.unique = 1, .content = 9, .wallet = 8}, /* skipped: takes no wallet */
        {.unique = 4, .content = 4, .wallet = 7}, /* another customer's wallet */
        {.unique = 2, .content = 9, .wallet = 7}, /* skipped, whatever else it would meet */
        {.unique = 3, .content = 9},              /* held by an open import */
        {.unique = 5, .content = 5, .wallet = 8},
        {.unique = 5, .content = 6}, /* of the same body */
    };
    struct store_import open = fixture_import(fixture, 0);
    struct store_import row = fixture_import(fixture, 0);
    (void)fixture_keep(fixture, 0, first, 2);
    fixture_commit(fixture, fixture_chunk(fixture, &open, 0, &held, 1), &open, IMPORT_OPEN);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, people, 6);
    chunk->atomic = false;
    chunk->on_existing = IMPORT_EXISTING_SKIP;
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    expect_kinds(chunk, "sxsbcs");
    fixture_end(fixture, &open, IMPORT_ABORTED);
    fixture_sweep(fixture);
}

/* A refused item leaves nothing but its outcome, whatever else stands in it. */
static void refused_leaves_nothing(struct fixture *fixture)
{
    struct person people[] = {{.unique = 1, .content = 1}, {.unique = 2, .wallet = 3, .email = 5}, {.unique = 4}};
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, people, 3);
    struct store_customer *customers = (struct store_customer *)(uintptr_t)chunk->customers;
    static const struct uuid none;
    customers[1].refused = true;
    customers[1].key_count = SIZE_MAX;
    customers[1].fingerprint = NULL;
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    assert_true(chunk->kept); /* atomic is about conflicts */
    expect_kinds(chunk, "cfc");
    expect_stored(fixture, &row, 0, NULL, "cfc");
    assert_memory_equal(&chunk->outcomes[1].id, &none, UUID_BYTES);
    assert_int_equal(row.created, 2);
    assert_int_equal(fixture_count(fixture, 0), 2);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 5, false)), 0);
    const struct store_chunk *later = fixture_keep(fixture, 0, &people[1], 1);
    assert_int_equal(later->outcomes[0].kind, STORE_CREATED);
}

/* ---- faults ---- */

static void expect_faults(struct fixture *fixture, const struct store_import *row, uint32_t from, uint32_t at,
                          struct slice bytes)
{
    struct buf faults;
    buf_init(&faults, 0);
    int err = store_import_faults(fixture->store, &row->tenant, &row->id, &from, &faults);
    assert_int_equal(err, bytes.size == 0 ? ERR_NOT_FOUND : 0);
    assert_true(slice_equal(buf_view(&faults), bytes));
    assert_true(bytes.size == 0 || from == at);
    buf_fini(&faults);
}

static struct store_chunk *fault_chunk(struct fixture *fixture, const struct store_import *row, uint32_t number,
                                       struct slice faults)
{
    struct store_chunk *chunk = fixture_chunk(fixture, row, number, NULL, 0);
    chunk->faults = faults;
    return chunk;
}

static void faults_come_back(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_import next = fixture_import(fixture, 0);
    struct store_chunk *first = fixture_chunk(fixture, &row, 0, &ada, 1);
    const uint8_t chain[CRYPTO_MAC_BYTES] = {7, 8, 9};
    uint8_t found[CRYPTO_MAC_BYTES];
    first->chain = chain;
    fixture_commit(fixture, first, &row, IMPORT_OPEN);
    fixture_commit(fixture, fault_chunk(fixture, &row, 3, SLICE("three\0")), NULL, 0);
    fixture_commit(fixture, fault_chunk(fixture, &row, 256, SLICE("last")), &row, IMPORT_ABORTED);
    fixture_commit(fixture, fault_chunk(fixture, &next, 0, SLICE("other import")), &next, IMPORT_ABORTED);
    expect_stored(fixture, &row, 0, found, "c");
    assert_memory_equal(found, chain, sizeof chain);
    expect_faults(fixture, &row, 0, 3, SLICE("three\0"));
    expect_faults(fixture, &row, 3, 3, SLICE("three\0"));
    expect_faults(fixture, &row, 4, 256, SLICE("last"));
    expect_faults(fixture, &row, 257, 0, SLICE_NONE);
    fixture_sweep(fixture);
    expect_faults(fixture, &row, 0, 3, SLICE("three\0")); /* the report of an aborted import stays */
    row.tenant = fixture->tenants[1];
    expect_faults(fixture, &row, 0, 0, SLICE_NONE);
}

/* Faults alone go where an import is open, or where it begins or ends in the same group. */
static void faults_need_an_import(struct fixture *fixture)
{
    static const struct {
        const char *what;
        uint8_t before; /* the import's state, in a group of its own; 0: unknown */
        uint8_t first;  /* a row in front of the faults, in their group; 0: none */
        uint8_t behind; /* and behind */
        int error;
    } rows[] = {
        {"unknown", 0, 0, 0, ERR_IMPORT_ENDED},
        {"open", IMPORT_OPEN, 0, 0, 0},
        {"opened in front", 0, IMPORT_OPEN, 0, 0},
        {"opened behind", 0, 0, IMPORT_OPEN, 0},
        {"aborted in front", 0, IMPORT_ABORTED, 0, 0},
        {"ended in front", IMPORT_OPEN, IMPORT_COMMITTED, 0, 0},
        {"aborted behind", IMPORT_OPEN, 0, IMPORT_ABORTED, 0},
        {"committed before", IMPORT_COMMITTED, 0, 0, ERR_IMPORT_ENDED},
        {"aborted before", IMPORT_ABORTED, 0, 0, ERR_IMPORT_ENDED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct store_import row = fixture_import(fixture, 0);
        struct store_import states[2] = {row, row};
        struct store_chunk *faults = fault_chunk(fixture, &row, 0, SLICE("x"));
        struct store_chunk *chunks[3];
        size_t count = 0;
        if (rows[i].before != 0) {
            fixture_end(fixture, &row, rows[i].before);
        }
        for (size_t side = 0; side < 2; side++) {
            states[side].state = side == 0 ? rows[i].first : rows[i].behind;
            struct store_chunk *chunk = fixture_chunk(fixture, &row, 1, NULL, 0);
            chunk->row = &states[side];
            if (states[side].state != 0) {
                chunks[count++] = chunk;
            }
            if (side == 0) {
                chunks[count++] = faults;
            }
        }
        assert_int_equal(store_commit(fixture->store, chunks, count), 0);
        if (faults->error != rows[i].error || faults->kept != (rows[i].error == 0)) {
            fail_msg("%s: %s", rows[i].what, err_code(faults->error));
        }
        expect_faults(fixture, &row, 0, 0, rows[i].error == 0 ? SLICE("x") : SLICE_NONE);
    }
}

/* The row behind the faults was refused: then they are not kept either. */
static void faults_without_an_import(struct fixture *fixture)
{
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *faults = fault_chunk(fixture, &row, 1, SLICE("x"));
    struct store_chunk *refused = fixture_chunk(fixture, &row, 0, &other, 1);
    struct store_chunk *chunks[] = {faults, refused};
    (void)fixture_keep(fixture, 0, &ada, 1);
    refused->row = &row;
    assert_int_equal(store_commit(fixture->store, chunks, 2), 0);
    assert_false(refused->kept);
    assert_false(faults->kept);
    assert_int_equal(faults->error, ERR_IMPORT_ENDED);
    expect_faults(fixture, &row, 0, 0, SLICE_NONE);
}

/* ---- the caller's word when outcomes are known ---- */

struct told {
    size_t calls;
    char kinds[8];
};

static void decided(struct store_chunk *chunk, void *context)
{
    static const char letters[] = "?cexbfus";
    struct told *told = context;
    told->calls++;
    for (size_t i = 0; i < chunk->count; i++) {
        told->kinds[i] = letters[chunk->outcomes[i].kind];
    }
    chunk->faults = SLICE("as decided");
}

static void decided_may_tell_faults(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .content = 2}, {.unique = 3}};
    (void)fixture_keep(fixture, 0, &ada, 1);
    for (int atomic = 0; atomic < 2; atomic++) {
        struct told told = {0};
        struct store_import row = fixture_import(fixture, 0);
        struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, people, 2);
        chunk->atomic = atomic == 1;
        chunk->decided = decided;
        chunk->context = &told;
        fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
        assert_int_equal(chunk->kept, atomic == 0);
        assert_int_equal(told.calls, atomic == 0 ? 1 : 0);
        expect_faults(fixture, &row, 0, 0, atomic == 0 ? SLICE("as decided") : SLICE_NONE);
        assert_true(atomic == 1 || strcmp(told.kinds, "xc") == 0);
    }
    struct told told = {0};
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, &people[1], 1);
    chunk->atomic = false;
    chunk->decided = decided;
    chunk->context = &told;
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED); /* nothing is refused: not called */
    assert_int_equal(told.calls, 0);
}

/* ---- dry runs ---- */

static void dry_keeps_no_customer(struct fixture *fixture)
{
    static const struct person people[] = {
        {.unique = 2, .email = 5, .secrets = true, .pending = true}, {.unique = 2}, {.unique = 1, .content = 2}};
    struct store_import row = fixture_import(fixture, 0);
    struct store_import beside = fixture_import(fixture, 0);
    (void)fixture_keep(fixture, 0, &ada, 1);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, people, 3);
    struct store_chunk *next = fixture_chunk(fixture, &beside, 0, people, 1);
    struct store_chunk *chunks[] = {chunk, next};
    chunk->dry = true;
    chunk->atomic = false;
    chunk->faults = SLICE("x");
    chunk->row = &row;
    next->row = &beside;
    beside.state = IMPORT_COMMITTED;
    beside.chunks = 1;
    row.dry_run = true;
    assert_int_equal(store_commit(fixture->store, chunks, 2), 0);
    expect_kinds(chunk, "cex");
    assert_int_equal(row.created, 1);
    assert_int_equal(row.existing, 1);
    expect_kinds(next, "c"); /* what was only tried holds no key */
    fixture_end(fixture, &row, IMPORT_ABORTED);
    fixture_sweep(fixture);
    expect_stored(fixture, &row, 0, NULL, "cex"); /* its report stays */
    expect_faults(fixture, &row, 0, 0, SLICE("x"));
    assert_int_equal(fixture_count(fixture, 0), 2);
    struct store_verify_counts counts = fixture_verify(fixture);
    assert_int_equal(counts.customers, 2);
    assert_int_equal(counts.secrets, 1);
}

static void partial_keeps_the_rest(struct fixture *fixture)
{
    static const struct person held = {.unique = 2, .content = 2};
    static const struct person people[] = {
        {.unique = 1, .content = 9, .email = 6}, {.unique = 2, .content = 2}, {.unique = 3, .email = 6}, {.email = 6}};
    struct store_import open = fixture_import(fixture, 0);
    struct store_import row = fixture_import(fixture, 0);
    (void)fixture_keep(fixture, 0, &ada, 1);
    fixture_commit(fixture, fixture_chunk(fixture, &open, 0, &held, 1), &open, IMPORT_OPEN);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, people, 4);
    chunk->atomic = false;
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    expect_kinds(chunk, "xbcc");
    assert_true(chunk->kept);
    assert_int_equal(row.created, 2);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 6, false)), 2);
    fixture_end(fixture, &open, IMPORT_ABORTED);
    fixture_sweep(fixture);
    assert_int_equal(fixture_count(fixture, 0), 3);
}

const struct row outcome_rows[] = {
    {"what an external id that exists does", KIND_ALL, existing_rules},
    {"skipping is about the external id", KIND_ALL, skip_is_about_the_external_id},
    {"S4 a refused item leaves nothing but its outcome", KIND_ALL, refused_leaves_nothing},
    {"S2 a partial chunk keeps what is not refused", KIND_ALL, partial_keeps_the_rest},
    {"faults come back by chunk, and stay behind an abort", KIND_ALL, faults_come_back},
    {"faults go where an import is open, or where it begins or ends", KIND_ALL, faults_need_an_import},
    {"S2 faults go with the row that they need", KIND_ALL, faults_without_an_import},
    {"faults may be told when outcomes are decided", KIND_ALL, decided_may_tell_faults},
    {"S3 a dry chunk keeps no customer and holds no key", KIND_ALL, dry_keeps_no_customer},
    {0},
};
