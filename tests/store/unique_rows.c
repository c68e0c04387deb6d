/* S4 and S5: who gets a unique key. */
#include "fixture.h"

/* One chunk against another that was kept before it: people in, outcomes out. */
struct meeting {
    const char *what;
    struct person first;
    struct person second;
    uint8_t outcome;
    uint8_t key_kind;
};

static const struct meeting meetings[] = {
    {"other keys", {.unique = 1, .content = 1}, {.unique = 2, .content = 1}, STORE_CREATED, 0},
    {"no keys", {.content = 1}, {.content = 1}, STORE_CREATED, 0},
    {"same key, same content",
     {.unique = 1, .content = 1},
     {.unique = 1, .content = 1},
     STORE_EXISTING,
     IDENTIFIER_EXTERNAL_ID},
    {"same key, other content",
     {.unique = 1, .content = 1},
     {.unique = 1, .content = 2},
     STORE_CONFLICT,
     IDENTIFIER_EXTERNAL_ID},
    {"a key that need not be unique", {.email = 1, .content = 1}, {.email = 1, .content = 2}, STORE_CREATED, 0},
    {"the second unique key decides",
     {.unique = 1, .wallet = 3, .content = 1},
     {.unique = 2, .wallet = 3, .content = 2},
     STORE_CONFLICT,
     IDENTIFIER_WALLET},
    {"same number, other kind", {.unique = 3, .content = 1}, {.wallet = 3, .content = 2}, STORE_CREATED, 0},
};

static void check_outcome(const struct meeting *meeting, const struct store_chunk *first,
                          const struct store_chunk *second, const struct store_outcome *outcome)
{
    bool created = meeting->outcome == STORE_CREATED;
    if (outcome->kind != meeting->outcome) {
        fail_msg("%s: outcome %d", meeting->what, outcome->kind);
    }
    assert_int_equal(outcome->key_kind, meeting->key_kind);
    if (created) {
        assert_memory_equal(&outcome->id, &second->customers[0].id, UUID_BYTES);
        assert_true(uuid_is_zero(&outcome->import));
    } else {
        assert_memory_equal(&outcome->id, &first->customers[0].id, UUID_BYTES);
        assert_memory_equal(&outcome->import, &first->import, UUID_BYTES);
    }
}

static void meet_in_store(struct fixture *fixture)
{
    for (size_t i = 0; i < sizeof meetings / sizeof meetings[0]; i++) {
        size_t tenant = 0;
        fixture_close(fixture);
        fixture_open(fixture, fixture->kind);
        struct store_chunk *first = fixture_keep(fixture, tenant, &meetings[i].first, 1);
        struct store_chunk *second = fixture_keep(fixture, tenant, &meetings[i].second, 1);
        check_outcome(&meetings[i], first, second, &second->outcomes[0]);
        assert_int_equal(second->kept, meetings[i].outcome != STORE_CONFLICT);
        (void)fixture_verify(fixture);
    }
}

/* The same, both in one group: the later chunk sees the earlier one. */
static void meet_in_group(struct fixture *fixture)
{
    for (size_t i = 0; i < sizeof meetings / sizeof meetings[0]; i++) {
        fixture_close(fixture);
        fixture_open(fixture, fixture->kind);
        struct store_import rows[] = {fixture_import(fixture, 0), fixture_import(fixture, 0)};
        struct store_chunk *chunks[] = {fixture_chunk(fixture, &rows[0], 0, &meetings[i].first, 1),
                                        fixture_chunk(fixture, &rows[1], 0, &meetings[i].second, 1)};
        for (size_t j = 0; j < 2; j++) {
            rows[j].state = IMPORT_COMMITTED;
            rows[j].chunks = 1;
            chunks[j]->row = &rows[j];
        }
        assert_int_equal(store_commit(fixture->store, chunks, 2), 0);
        check_outcome(&meetings[i], chunks[0], chunks[1], &chunks[1]->outcomes[0]);
        assert_true(chunks[0]->kept);
        assert_int_equal(chunks[1]->kept, meetings[i].outcome != STORE_CONFLICT);
        (void)fixture_verify(fixture);
    }
}

/* The same, both in one chunk of one import. */
static void meet_in_chunk(struct fixture *fixture)
{
    for (size_t i = 0; i < sizeof meetings / sizeof meetings[0]; i++) {
        struct person people[] = {meetings[i].first, meetings[i].second};
        fixture_close(fixture);
        fixture_open(fixture, fixture->kind);
        struct store_chunk *chunk = fixture_keep(fixture, 0, people, 2);
        assert_int_equal(chunk->outcomes[0].kind, STORE_CREATED);
        assert_int_equal(chunk->outcomes[1].kind, meetings[i].outcome);
        assert_int_equal(chunk->kept, meetings[i].outcome != STORE_CONFLICT);
        if (meetings[i].outcome == STORE_EXISTING) {
            assert_memory_equal(&chunk->outcomes[1].id, &chunk->customers[0].id, UUID_BYTES);
        }
    }
}

static void own_import(struct fixture *fixture)
{
    static const struct person first[] = {{.unique = 1, .content = 1}, {.unique = 2, .content = 2}};
    static const struct person again[] = {{.unique = 1, .content = 1}, {.unique = 2, .content = 9}};
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, first, 2);
    struct store_chunk *repeated = fixture_chunk(fixture, &row, 1, again, 2);
    fixture_commit(fixture, chunk, &row, IMPORT_OPEN);
    repeated->atomic = false;
    fixture_commit(fixture, repeated, &row, IMPORT_COMMITTED);
    assert_true(repeated->kept);
    assert_int_equal(repeated->outcomes[0].kind, STORE_EXISTING);
    assert_memory_equal(&repeated->outcomes[0].id, &chunk->customers[0].id, UUID_BYTES);
    assert_int_equal(repeated->outcomes[1].kind, STORE_CONFLICT);
    assert_int_equal(row.created, 2);
    assert_int_equal(row.existing, 1);
    assert_int_equal(fixture_count(fixture, 0), 2);
}

/* The same item under another envelope is other content: told where a chunk commits its import. */
static void other_envelope(struct fixture *fixture)
{
    static const struct person person = {.unique = 1, .content = 1};
    static const struct {
        uint8_t envelope;
        uint8_t outcome;
    } tries[] = {{1, STORE_CREATED}, {1, STORE_EXISTING}, {2, STORE_CONFLICT}, {0, STORE_CONFLICT}};
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        struct store_import row = fixture_import(fixture, 0);
        struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, &person, 1);
        memset(row.envelope_mac, tries[i].envelope, sizeof row.envelope_mac);
        fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
        assert_int_equal(chunk->outcomes[0].kind, tries[i].outcome);
    }
}

/* The older customer's import is in the same group. */
static void other_envelope_in_group(struct fixture *fixture)
{
    static const struct person person = {.unique = 1, .content = 1};
    struct store_import rows[] = {fixture_import(fixture, 0), fixture_import(fixture, 0), fixture_import(fixture, 0)};
    struct store_chunk *chunks[3];
    for (size_t i = 0; i < 3; i++) {
        rows[i].state = IMPORT_COMMITTED;
        rows[i].chunks = 1;
        memset(rows[i].envelope_mac, i == 1 ? 2 : 1, sizeof rows[i].envelope_mac);
        chunks[i] = fixture_chunk(fixture, &rows[i], 0, &person, 1);
        chunks[i]->row = &rows[i];
    }
    assert_int_equal(store_commit(fixture->store, chunks, 3), 0);
    assert_int_equal(chunks[0]->outcomes[0].kind, STORE_CREATED);
    assert_int_equal(chunks[1]->outcomes[0].kind, STORE_CONFLICT);
    assert_int_equal(chunks[2]->outcomes[0].kind, STORE_EXISTING);
}

static void partial_keeps_the_good(struct fixture *fixture)
{
    static const struct person old = {.unique = 1, .content = 1};
    static const struct person people[] = {{.unique = 2, .content = 2}, {.unique = 1, .content = 7}, {.unique = 3}};
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, people, 3);
    (void)fixture_keep(fixture, 0, &old, 1);
    chunk->atomic = false;
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    assert_true(chunk->kept);
    assert_int_equal(chunk->outcomes[1].kind, STORE_CONFLICT);
    assert_true(fixture_shows(fixture, 0, &chunk->customers[0]));
    assert_false(fixture_shows(fixture, 0, &chunk->customers[1]));
    assert_true(fixture_shows(fixture, 0, &chunk->customers[2]));
    assert_int_equal(row.created, 2);
}

static void refused_chunk_frees_its_keys(struct fixture *fixture)
{
    static const struct person old = {.unique = 1, .content = 1};
    static const struct person mixed[] = {{.unique = 2, .content = 2}, {.unique = 1, .content = 7}};
    static const struct person other = {.unique = 2, .content = 3};
    struct store_import rows[] = {fixture_import(fixture, 0), fixture_import(fixture, 0)};
    struct store_chunk *chunks[] = {fixture_chunk(fixture, &rows[0], 0, mixed, 2),
                                    fixture_chunk(fixture, &rows[1], 0, &other, 1)};
    (void)fixture_keep(fixture, 0, &old, 1);
    for (size_t j = 0; j < 2; j++) {
        rows[j].state = IMPORT_COMMITTED;
        rows[j].chunks = 1;
        chunks[j]->row = &rows[j];
    }
    assert_int_equal(store_commit(fixture->store, chunks, 2), 0);
    assert_false(chunks[0]->kept);
    assert_true(chunks[1]->kept);
    assert_int_equal(chunks[1]->outcomes[0].kind, STORE_CREATED);
    assert_int_equal(fixture_count(fixture, 0), 2);
}

static void busy_while_open(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .content = 1}};
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *holder = fixture_chunk(fixture, &row, 0, people, 1);
    fixture_commit(fixture, holder, &row, IMPORT_OPEN);
    struct store_chunk *waiting = fixture_keep(fixture, 0, people, 1);
    assert_false(waiting->kept);
    assert_int_equal(waiting->outcomes[0].kind, STORE_BUSY);
    assert_int_equal(waiting->outcomes[0].key_kind, IDENTIFIER_EXTERNAL_ID);
    assert_true(uuid_is_zero(&waiting->outcomes[0].id));
    assert_memory_equal(&waiting->outcomes[0].import, &row.id, UUID_BYTES);
    fixture_end(fixture, &row, IMPORT_COMMITTED);
    struct store_chunk *later = fixture_keep(fixture, 0, people, 1);
    assert_int_equal(later->outcomes[0].kind, STORE_EXISTING);
    assert_memory_equal(&later->outcomes[0].id, &holder->customers[0].id, UUID_BYTES);
}

static void busy_in_group(struct fixture *fixture)
{
    static const struct person people[] = {{.unique = 1, .content = 1}};
    struct store_import rows[] = {fixture_import(fixture, 0), fixture_import(fixture, 0), fixture_import(fixture, 0)};
    struct store_import ended = rows[0];
    struct store_chunk *first = fixture_chunk(fixture, &rows[0], 0, people, 1);
    struct store_chunk *second = fixture_chunk(fixture, &rows[1], 0, people, 1);
    struct store_chunk end = {.tenant = ended.tenant, .import = ended.id, .row = &ended};
    struct store_chunk *third = fixture_chunk(fixture, &rows[2], 0, people, 1);
    struct store_chunk *chunks[] = {first, second, &end, third};
    first->row = &rows[0];
    rows[1].state = rows[2].state = IMPORT_COMMITTED;
    rows[1].chunks = rows[2].chunks = 1;
    second->row = &rows[1];
    third->row = &rows[2];
    ended.state = IMPORT_COMMITTED;
    ended.created = 1;
    ended.chunks = 1;
    assert_int_equal(store_commit(fixture->store, chunks, 4), 0);
    assert_int_equal(second->outcomes[0].kind, STORE_BUSY);
    assert_int_equal(third->outcomes[0].kind, STORE_EXISTING);
    assert_memory_equal(&third->outcomes[0].id, &first->customers[0].id, UUID_BYTES);
}

/* `sweep`: whether the aborted import is swept before its key is asked for. */
static void take_from_aborted(struct fixture *fixture, bool sweep)
{
    static const struct person before = {.unique = 1, .content = 1, .email = 4};
    static const struct person after = {.unique = 1, .content = 2, .email = 4};
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, &before, 1);
    fixture_commit(fixture, chunk, &row, IMPORT_OPEN);
    fixture_end(fixture, &row, IMPORT_ABORTED);
    if (sweep) {
        fixture_sweep(fixture);
    }
    struct store_chunk *owner = fixture_keep(fixture, 0, &after, 1);
    assert_int_equal(owner->outcomes[0].kind, STORE_CREATED);
    (void)fixture_verify(fixture);
    fixture_sweep(fixture);
    assert_true(fixture_shows(fixture, 0, &owner->customers[0]));
    assert_int_equal(fixture_found(fixture, 0, owner->customers[0].keys[0]), 1);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 4, false)), 1);
    struct store_chunk *again = fixture_keep(fixture, 0, &after, 1);
    assert_int_equal(again->outcomes[0].kind, STORE_EXISTING);
    assert_memory_equal(&again->outcomes[0].id, &owner->customers[0].id, UUID_BYTES);
}

static void free_when_aborted(struct fixture *fixture)
{
    take_from_aborted(fixture, false);
}

static void free_when_swept(struct fixture *fixture)
{
    take_from_aborted(fixture, true);
}

/* A chain: each import takes the key from an aborted one and is aborted itself. */
static void passed_on(struct fixture *fixture)
{
    static const struct person person = {.unique = 1, .content = 1};
    for (int i = 0; i < 4; i++) {
        struct store_import row = fixture_import(fixture, 0);
        struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, &person, 1);
        fixture_commit(fixture, chunk, &row, IMPORT_OPEN);
        assert_int_equal(chunk->outcomes[0].kind, STORE_CREATED);
        fixture_end(fixture, &row, IMPORT_ABORTED);
    }
    struct store_chunk *last = fixture_keep(fixture, 0, &person, 1);
    fixture_sweep(fixture);
    assert_int_equal(fixture_found(fixture, 0, last->customers[0].keys[0]), 1);
    assert_int_equal(fixture_verify(fixture).customers, 1);
}

static void conflict_before_busy(struct fixture *fixture)
{
    static const struct person old = {.unique = 1, .content = 1};
    static const struct person holder = {.wallet = 2, .content = 2};
    static const struct person both = {.unique = 1, .wallet = 2, .content = 3};
    struct store_import row = fixture_import(fixture, 0);
    (void)fixture_keep(fixture, 0, &old, 1);
    fixture_commit(fixture, fixture_chunk(fixture, &row, 0, &holder, 1), &row, IMPORT_OPEN);
    struct store_chunk *chunk = fixture_keep(fixture, 0, &both, 1);
    assert_int_equal(chunk->outcomes[0].kind, STORE_CONFLICT);
    assert_int_equal(chunk->outcomes[0].key_kind, IDENTIFIER_EXTERNAL_ID);
}

static void repeated_plain_key(struct fixture *fixture)
{
    static const struct person person = {.email = 1, .phone = 2, .content = 1};
    struct store_import row = fixture_import(fixture, 0);
    struct store_chunk *chunk = fixture_chunk(fixture, &row, 0, &person, 1);
    struct record_key doubled[3];
    struct store_customer customer = chunk->customers[0];
    doubled[0] = customer.keys[0];
    doubled[1] = customer.keys[1];
    doubled[2] = customer.keys[0];
    customer.keys = doubled;
    customer.key_count = 3;
    chunk->customers = &customer;
    fixture_commit(fixture, chunk, &row, IMPORT_COMMITTED);
    assert_int_equal(fixture_found(fixture, 0, doubled[0]), 1);
    assert_int_equal(fixture_verify(fixture).keys, 2);
}

/* Many keys at once: more than one batched lookup, and every one of them decides rightly. */
static void many_keys(struct fixture *fixture)
{
    enum { COUNT = 1500 };
    struct person *people = arena_take_zeroed(fixture->arena, COUNT, sizeof *people);
    for (unsigned i = 0; i < COUNT; i++) {
        people[i] = (struct person){.unique = i + 1, .content = i, .email = i % 7 + 1};
    }
    struct store_chunk *first = fixture_keep(fixture, 0, people, COUNT);
    struct store_chunk *again = fixture_keep(fixture, 0, people, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(first->outcomes[i].kind, STORE_CREATED);
        assert_int_equal(again->outcomes[i].kind, STORE_EXISTING);
        assert_memory_equal(&again->outcomes[i].id, &first->customers[i].id, UUID_BYTES);
    }
    assert_int_equal(fixture_count(fixture, 0), COUNT);
    assert_int_equal(fixture_found(fixture, 0, fixture_key(IDENTIFIER_EMAIL, 1, false)), (COUNT + 6) / 7);
}

const struct row unique_rows[] = {
    {"S4 a key meets one in the store", KIND_ALL, meet_in_store},
    {"S4 a key meets one of the same group", KIND_ALL, meet_in_group},
    {"S4 a key meets one of the same chunk", KIND_ALL, meet_in_chunk},
    {"S4 a key meets one of its own open import", KIND_ALL, own_import},
    {"S4 the same item in another envelope is other content", KIND_ALL, other_envelope},
    {"S4 the same within a group", KIND_ALL, other_envelope_in_group},
    {"S4 a partial chunk keeps its good items", KIND_ALL, partial_keeps_the_good},
    {"S4 a refused chunk holds no key against later ones", KIND_ALL, refused_chunk_frees_its_keys},
    {"S4 of several keys what is final speaks first", KIND_ALL, conflict_before_busy},
    {"S4 a repeated plain key is one entry", KIND_ALL, repeated_plain_key},
    {"S4 thousands of keys in one chunk", KIND_ALL, many_keys},
    {"S5 an open import's key is busy", KIND_ALL, busy_while_open},
    {"S5 an open import's key is busy within a group", KIND_ALL, busy_in_group},
    {"S5 an aborted import's key is free", KIND_ALL, free_when_aborted},
    {"S5 a swept import's key is free", KIND_ALL, free_when_swept},
    {"S5 a key passes from aborted to aborted", KIND_ALL, passed_on},
    {0},
};
