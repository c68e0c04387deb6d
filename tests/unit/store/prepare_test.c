/*
 * Who has a key is looked up before the lock, and again under it where the key was written meanwhile: what is put
 * and taken over in between is seen.
 */
#include "store/group_priv.h"

#include "../test.h"

#define KEYS 3

static struct uuid uuid_of(char letter)
{
    struct uuid uuid = {{0}};
    uuid.bytes[UUID_BYTES - 1] = (uint8_t)letter;
    return uuid;
}

/* A chunk of customers k, l, m as far as `keys` names them, created as `id` and the letters behind it. */
struct made {
    struct store_customer customers[KEYS];
    struct record_key keys[KEYS];
    struct store_outcome outcomes[KEYS];
    struct store_import row;
    struct store_chunk chunk;
};

static void make(struct made *made, char import, uint8_t state, const char *keys, char id)
{
    static const uint8_t fingerprint[CRYPTO_MAC_BYTES];
    *made = (struct made){.row = {.tenant = uuid_of('t'), .id = uuid_of(import), .state = state}};
    made->chunk = (struct store_chunk){.tenant = made->row.tenant,
                                       .import = made->row.id,
                                       .customers = made->customers,
                                       .outcomes = made->outcomes,
                                       .row = state == 0 ? NULL : &made->row};
    for (; keys[made->chunk.count] != '\0'; made->chunk.count++) {
        size_t at = made->chunk.count;
        made->keys[at] = (struct record_key){.kind = IDENTIFIER_EXTERNAL_ID, .unique = true};
        memset(made->keys[at].mac, keys[at], sizeof made->keys[at].mac);
        made->customers[at] = (struct store_customer){.id = uuid_of((char)(id + (char)at)),
                                                      .record = SLICE("record"),
                                                      .fingerprint = fingerprint,
                                                      .keys = &made->keys[at],
                                                      .key_count = 1};
    }
}

static void commit(struct store *store, char import, uint8_t state, const char *keys, char id)
{
    struct made made;
    struct store_chunk *chunk = &made.chunk;
    make(&made, import, state, keys, id);
    assert_int_equal(store_commit(store, &chunk, 1), 0);
    assert_true(made.chunk.kept);
}

/* The slots as letters of their holders, '-' for none, in order of k, l, m. */
static void expect(const struct store_group *group, const char *holders)
{
    assert_int_equal(group->slot_count, KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        char holder = '-';
        if (group->slots[i].held) {
            holder = (char)group->slots[i].holder.id.bytes[UUID_BYTES - 1];
        }
        assert_int_equal(holder, holders[i]);
        assert_int_equal(group->slots[i].stored, holder != '-');
    }
}

static void written_meanwhile(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct made made;
    struct store_chunk *chunk = &made.chunk;
    assert_int_equal(store_open_memory(&store), 0);
    struct store_local *local = store_local_of(store);
    struct store_group group = {.local = local, .arena = arena_new(1 << 16, 1 << 20)};
    commit(store, 'A', IMPORT_OPEN, "k", '1');
    commit(store, 'A', IMPORT_ABORTED, "", '1');
    commit(store, 'B', IMPORT_COMMITTED, "l", '2');

    make(&made, 'D', IMPORT_OPEN, "klm", '7');
    uint64_t since = local->touches;
    assert_int_equal(store_group_prepare_early(&group, &chunk, 1), 0);
    expect(&group, "12-");
    commit(store, 'C', IMPORT_COMMITTED, "m", '3');
    commit(store, 'E', IMPORT_COMMITTED, "k", '4'); /* takes it over from A, which is aborted */
    expect(&group, "12-");
    assert_int_equal(store_group_prepare_late(&group, since), 0);
    expect(&group, "423");

    arena_free(&group.arena);
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(written_meanwhile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
