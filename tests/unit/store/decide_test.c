/*
 * Who gets a unique key. A case is a list of chunks, committed one after the other or as one group, on a
 * fresh store. Customers are written as their unique keys and the digit of their content, "kl1 m2", and
 * numbered through the case from 1. What they come to:
 *   C1  created, as customer 1              E1A  the same as customer 1 of import A
 *   X1A other content than customer 1's     BA   held by import A, which is open
 * and behind them: kept, dropped (atomic, and refused), or ended (the import takes no such chunk).
 * Imports are letters; their state is o (open), c (committed), a (aborted), u (undone) or none, then a digit when
 * their envelope matters. tests/store holds the same decisions against crashes and races.
 */
#include "store/store.h"

#include "../test.h"

#define CUSTOMERS_MAX 8
#define KEYS_MAX      4
#define GROUP_MAX     4

enum how { ALONE, ATOMIC, JOINED, ATOMIC_JOINED }; /* JOINED: of one group with the chunk before it */

struct step {
    char import;
    const char *state;
    enum how how;
    const char *customers;
    const char *told;
};

struct decision {
    const char *name;
    struct step steps[6];
};

static const struct decision DECISIONS[] = {
    {"same content is the same customer, other content is a conflict",
     {{'A', "c", ALONE, "k1", "C1 kept"},
      {'B', "c", ALONE, "k1", "E1A kept"},
      {'D', "c", ALONE, "k2", "X1A kept"},
      {'F', "c", ALONE, "l1", "C4 kept"}}},
    {"within a chunk", {{'A', "c", ALONE, "k1 k1 k2 l2", "C1 E1A X1A C4 kept"}}},
    {"within a group", {{'A', "c", ALONE, "k1", "C1 kept"}, {'B', "c", JOINED, "k1 k2", "E1A X1A kept"}}},
    {"held by an open import, until it is committed",
     {{'A', "o", ALONE, "k1", "C1 kept"},
      {'B', "c", ALONE, "k1 k2 m1", "BA BA C4 kept"},
      {'A', "c", ALONE, "", "kept"},
      {'D', "c", ALONE, "k1", "E1A kept"}}},
    {"free when its import is aborted",
     {{'A', "o", ALONE, "k1", "C1 kept"},
      {'A', "a", ALONE, "", "kept"},
      {'B', "c", ALONE, "k2", "C2 kept"},
      {'D', "c", ALONE, "k2", "E2B kept"}}},
    {"the same in one group",
     {{'A', "o", ALONE, "k1", "C1 kept"},
      {'B', "c", JOINED, "k1", "BA kept"},
      {'A', "a", JOINED, "", "kept"},
      {'D', "c", JOINED, "k2", "C3 kept"}}},
    {"committed in the same group",
     {{'A', "o", ALONE, "k1", "C1 kept"}, {'A', "c", ALONE, "", "kept"}, {'B', "c", JOINED, "k1", "E1A kept"}}},
    {"free when a committed import is undone",
     {{'A', "c", ALONE, "k1", "C1 kept"}, {'A', "u", ALONE, "", "kept"}, {'B', "c", ALONE, "k2", "C2 kept"}}},
    {"an import meets its own keys in any state",
     {{'A', "o", ALONE, "k1", "C1 kept"},
      {'A', "o", ALONE, "k1 k2", "E1A X1A kept"},
      {'A', "c", ALONE, "k1", "E1A kept"}}},
    {"an atomic chunk that is refused takes no key",
     {{'A', "c", ALONE, "k1", "C1 kept"},
      {'B', "c", ATOMIC, "m1 k2", "C2 X1A dropped"},
      {'D', "c", ALONE, "m2", "C4 kept"}}},
    {"the same in one group",
     {{'A', "c", ALONE, "k1", "C1 kept"},
      {'B', "c", ATOMIC, "m1 n1 k2", "C2 C3 X1A dropped"},
      {'D', "c", JOINED, "m2 n1", "C5 C6 kept"}}},
    {"a refused chunk gives back what an aborted import held",
     {{'A', "o", ALONE, "k1", "C1 kept"},
      {'A', "a", ALONE, "", "kept"},
      {'B', "o", ALONE, "l1", "C2 kept"},
      {'D', "c", ATOMIC, "k2 l1", "C3 BB dropped"},
      {'F', "c", JOINED, "k3", "C5 kept"}}},
    {"an atomic chunk is kept when nothing of it is refused",
     {{'A', "c", ALONE, "k1", "C1 kept"}, {'B', "c", ATOMIC, "k1 l1", "E1A C3 kept"}}},
    {"of two keys the graver speaks, and no key of the customer is taken",
     {{'A', "c", ALONE, "k1 n2", "C1 C2 kept"},
      {'B', "o", ALONE, "l1", "C3 kept"},
      {'D', "c", ALONE, "kl1", "BB kept"},
      {'D', "u", ALONE, "", "kept"},
      {'F', "c", ALONE, "ln1 nl1 km1", "X2A X2A E1A kept"},
      {'G', "c", ALONE, "m9", "C8 kept"}}},
    {"both keys of a created customer are taken",
     {{'A', "c", ALONE, "kl1", "C1 kept"}, {'B', "c", ALONE, "k1 l1 l2 lk1", "E1A E1A X1A E1A kept"}}},
    {"another envelope is other content, once the import is committed",
     {{'A', "c1", ALONE, "k1", "C1 kept"},
      {'B', "c2", ALONE, "k1", "X1A kept"},
      {'D', "c1", ALONE, "k1", "E1A kept"},
      {'F', "o2", ALONE, "k1", "E1A kept"}}},
    {"the same against an import of the group",
     {{'A', "c1", ALONE, "k1", "C1 kept"},
      {'B', "c2", JOINED, "k1", "X1A kept"},
      {'D', "c1", JOINED, "k1", "E1A kept"}}},
    {"an import begins with its row", {{'A', "", ALONE, "k1", "ended"}, {'B', "", ALONE, "", "ended"}}},
    {"without its row when it is open", {{'A', "o", ALONE, "k1", "C1 kept"}, {'A', "", ALONE, "l1", "C2 kept"}}},
    {"a committed import takes no customer",
     {{'A', "c", ALONE, "k1", "C1 kept"},
      {'A', "c", ALONE, "l1", "ended"},
      {'A', "", ALONE, "l1", "ended"},
      {'A', "o", ALONE, "", "ended"},
      {'A', "c", ALONE, "", "kept"},
      {'A', "a", ALONE, "", "ended"}}},
    {"an aborted import takes its abort again and nothing else",
     {{'A', "o", ALONE, "k1", "C1 kept"},
      {'A', "a", ALONE, "", "kept"},
      {'A', "c", ALONE, "", "ended"},
      {'A', "", ALONE, "l1", "ended"},
      {'A', "a", ALONE, "", "kept"}}},
    {"an import of which an atomic chunk was refused is never committed",
     {{'A', "c", ALONE, "k1", "C1 kept"},
      {'B', "o", ALONE, "l1", "C2 kept"},
      {'B', "", ATOMIC, "k2", "X1A dropped"},
      {'B', "c", ALONE, "", "ended"},
      {'B', "c", ATOMIC, "m1", "C4 dropped"},
      {'B', "a", ALONE, "", "kept"}}},
    {"the same in one group",
     {{'A', "c", ALONE, "k1", "C1 kept"},
      {'B', "o", ALONE, "l1", "C2 kept"},
      {'B', "", ATOMIC_JOINED, "k2", "X1A dropped"},
      {'B', "c", JOINED, "", "ended"},
      {'B', "a", JOINED, "", "kept"}}},
};

/* ---- making chunks ---- */

struct made {
    struct store_customer customers[CUSTOMERS_MAX];
    struct record_key keys[CUSTOMERS_MAX][KEYS_MAX];
    uint8_t fingerprints[CUSTOMERS_MAX][CRYPTO_MAC_BYTES];
    struct store_outcome outcomes[CUSTOMERS_MAX];
    struct store_import row;
    struct store_chunk chunk;
};

static struct uuid uuid_of(char letter)
{
    struct uuid uuid = {{0}};
    uuid.bytes[UUID_BYTES - 1] = (uint8_t)letter;
    return uuid;
}

/* Reads "kl1 m2"; `number` is that of the customer before. */
static void make_customers(struct made *made, const char *text, char *number)
{
    size_t count = 0;
    for (; *text != '\0'; count++) {
        struct store_customer *customer = &made->customers[count];
        *customer = (struct store_customer){.id = uuid_of(++*number), .record = SLICE("record")};
        for (; *text >= 'a'; text++) {
            struct record_key *key = &made->keys[count][customer->key_count++];
            *key = (struct record_key){.kind = IDENTIFIER_EXTERNAL_ID, .unique = true};
            key->mac[0] = (uint8_t)*text;
        }
        made->fingerprints[count][0] = (uint8_t)*text++;
        customer->keys = made->keys[count];
        customer->fingerprint = made->fingerprints[count];
        text += *text == ' ' ? 1 : 0;
    }
    made->chunk.customers = made->customers;
    made->chunk.count = count;
    made->chunk.outcomes = made->outcomes;
}

static void make(struct made *made, const struct step *step, uint32_t number, char *customer)
{
    *made = (struct made){.chunk = {.tenant = uuid_of('t'),
                                    .import = uuid_of(step->import),
                                    .number = number,
                                    .atomic = step->how == ATOMIC || step->how == ATOMIC_JOINED}};
    make_customers(made, step->customers, customer);
    if (step->state[0] != '\0') {
        char state = step->state[0];
        made->row = (struct store_import){.tenant = made->chunk.tenant, .id = made->chunk.import};
        made->row.state = state == 'o' ? IMPORT_OPEN : state == 'c' ? IMPORT_COMMITTED : IMPORT_ABORTED;
        made->row.envelope_mac[0] = (uint8_t)step->state[1];
        made->chunk.row = &made->row;
    }
}

/* ---- telling ---- */

static void tell(const struct made *made, struct buf *out)
{
    static const char LETTERS[] = " CEXB";
    const struct store_chunk *chunk = &made->chunk;
    buf_clear(out);
    if (chunk->error != 0) {
        assert_int_equal(chunk->error, ERR_IMPORT_ENDED);
        assert_false(chunk->kept);
        buf_append_text(out, "ended");
        return;
    }
    for (size_t i = 0; i < chunk->count; i++) {
        const struct store_outcome *outcome = &chunk->outcomes[i];
        buf_append_byte(out, (uint8_t)LETTERS[outcome->kind]);
        if (outcome->kind == STORE_BUSY) {
            assert_true(uuid_is_zero(&outcome->id));
        } else {
            buf_printf(out, "%d", outcome->id.bytes[UUID_BYTES - 1]);
        }
        if (outcome->kind != STORE_CREATED) {
            assert_int_equal(outcome->key_kind, IDENTIFIER_EXTERNAL_ID);
            buf_append_byte(out, outcome->import.bytes[UUID_BYTES - 1]);
        }
        buf_append_byte(out, ' ');
    }
    buf_append_text(out, chunk->kept ? "kept" : "dropped");
}

/* A row that is kept counts what was created and what was there. */
static void check_counts(const struct made *made)
{
    uint64_t created = 0;
    uint64_t existing = 0;
    for (size_t i = 0; made->chunk.kept && i < made->chunk.count; i++) {
        created += made->outcomes[i].kind == STORE_CREATED;
        existing += made->outcomes[i].kind == STORE_EXISTING;
    }
    if (made->chunk.row != NULL) {
        assert_int_equal(made->row.created, created);
        assert_int_equal(made->row.existing, existing);
    }
}

static void commit(struct store *store, const struct decision *decision, size_t from, size_t count, char *customer)
{
    struct made made[GROUP_MAX];
    struct store_chunk *chunks[GROUP_MAX];
    struct buf told;
    assert_true(count <= GROUP_MAX);
    if (decision->steps[from].state[0] == 'u') {
        const struct uuid tenant = uuid_of('t');
        const struct uuid import = uuid_of(decision->steps[from].import);
        size_t changed;
        assert_int_equal(store_import_undo(store, &tenant, &import, 1, NULL, 0, &changed), 0);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        make(&made[i], &decision->steps[from + i], (uint32_t)(from + i), customer);
        chunks[i] = &made[i].chunk;
    }
    assert_int_equal(store_commit(store, chunks, count), 0);
    buf_init(&told, 0);
    for (size_t i = 0; i < count; i++) {
        tell(&made[i], &told);
        if (!slice_equal_text(buf_view(&told), decision->steps[from + i].told)) {
            fail_msg("%s: step %zu: %.*s, not %s", decision->name, from + i, SLICE_ARG(buf_view(&told)),
                     decision->steps[from + i].told);
        }
        check_counts(&made[i]);
    }
    buf_fini(&told);
}

static bool is_joined(const struct step *step)
{
    return step->import != '\0' && (step->how == JOINED || step->how == ATOMIC_JOINED);
}

static void decisions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(DECISIONS); i++) {
        const struct decision *decision = &DECISIONS[i];
        struct store *store = NULL;
        char customer = 0;
        assert_int_equal(store_open_memory(&store), 0);
        for (size_t at = 0; at < COUNT_OF(decision->steps) && decision->steps[at].import != '\0';) {
            size_t count = 1;
            while (at + count < COUNT_OF(decision->steps) && is_joined(&decision->steps[at + count])) {
                count++;
            }
            commit(store, decision, at, count, &customer);
            at += count;
        }
        store_close(&store);
    }
}

/* The same key of another tenant, or of another kind, is another key; what is not unique decides nothing. */
static void keys_that_do_not_meet(void **state)
{
    (void)state;
    static const struct {
        char tenant;
        uint8_t kind;
        bool unique;
        uint8_t outcome;
    } rows[] = {
        {'t', IDENTIFIER_EXTERNAL_ID, true, STORE_CREATED},  {'u', IDENTIFIER_EXTERNAL_ID, true, STORE_CREATED},
        {'t', IDENTIFIER_WALLET, true, STORE_CREATED},       {'t', IDENTIFIER_EXTERNAL_ID, false, STORE_CREATED},
        {'t', IDENTIFIER_EMAIL, false, STORE_CREATED},       {'t', IDENTIFIER_EMAIL, false, STORE_CREATED},
        {'t', IDENTIFIER_EXTERNAL_ID, true, STORE_CONFLICT}, {'u', IDENTIFIER_EXTERNAL_ID, true, STORE_CONFLICT},
    };
    struct store *store = NULL;
    char customer = 0;
    assert_int_equal(store_open_memory(&store), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct step step = {(char)('A' + (char)i), "c", ALONE, "k1", ""};
        struct made made;
        struct store_chunk *chunk = &made.chunk;
        make(&made, &step, 0, &customer);
        made.fingerprints[0][1] = (uint8_t)i; /* all of other content */
        made.keys[0][0].kind = rows[i].kind;
        made.keys[0][0].unique = rows[i].unique;
        made.chunk.tenant = uuid_of(rows[i].tenant);
        made.row.tenant = made.chunk.tenant;
        assert_int_equal(store_commit(store, &chunk, 1), 0);
        assert_int_equal(made.outcomes[0].kind, rows[i].outcome);
    }
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(decisions), cmocka_unit_test(keys_that_do_not_meet)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
