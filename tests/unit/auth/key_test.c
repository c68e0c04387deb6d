/* API keys and tenant tokens: the way from their text to their row. */
#include "house.h"

#include "auth/auth_priv.h"
#include "base/text.h"

static void hash_of(const struct house *house, const struct house_pair *key, uint8_t hash[CRYPTO_TOKEN_HASH_BYTES])
{
    crypto_token_hash(house->ring, buf_view(&key->secret), hash);
}

/* The prefix tells the kind; only API keys have rights; a hash leads to the row of its kind alone. */
static void kinds(void **state)
{
    static const struct {
        enum auth_key_kind kind, other;
        const char *prefix;
        uint32_t scopes;
        const char *project;
    } rows[] = {
        {AUTH_API_KEY, AUTH_TENANT_TOKEN, "mk_", SCOPE_CUSTOMERS_CREATE, "p"},
        {AUTH_TENANT_TOKEN, AUTH_API_KEY, "mt_", 0, ""},
    };
    struct house house;
    (void)state;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    assert_int_equal(auth_project_create(house.auth, demo, SLICE("p")), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house_pair key = house_key(&house, demo, rows[i].kind, SCOPE_CUSTOMERS_CREATE, "p");
        struct auth_row row;
        uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
        hash_of(&house, &key, hash);
        assert_true(slice_starts(buf_view(&key.secret), slice_from_text(rows[i].prefix)));
        assert_int_equal(auth_key_load(house.auth, hash, rows[i].kind, &row), 0);
        assert_true(slice_equal_text(buf_view(&key.id), row.id));
        assert_string_equal(row.tenant, "demo");
        assert_string_equal(row.project, rows[i].project);
        assert_int_equal(row.scopes, rows[i].scopes);
        assert_int_equal(row.key_kind, rows[i].kind);
        assert_int_equal(auth_key_load(house.auth, hash, rows[i].other, &row), ERR_NOT_FOUND);
        house_pair_fini(&key);
    }
    house_close(&house);
}

/* The id is made of the first 16 bytes of the hash, and the row is still compared whole. */
static void hash_is_compared_whole(void **state)
{
    struct house house;
    struct auth_row row;
    struct buf id;
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    (void)state;
    house_open(&house);
    buf_init(&id, 0);
    struct house_pair key = house_key(&house, house_tenant(&house, "demo"), AUTH_API_KEY, SCOPE_ALL, "");
    hash_of(&house, &key, hash);
    buf_append_text(&id, "key-");
    text_append_hex(&id, slice_make(hash, 16));
    assert_true(slice_equal(buf_view(&id), buf_view(&key.id)));
    for (size_t i = 0; i < sizeof hash; i++) {
        hash[i] ^= 1;
        assert_int_equal(auth_key_load(house.auth, hash, AUTH_API_KEY, &row), ERR_NOT_FOUND);
        hash[i] ^= 1;
    }
    assert_int_equal(auth_key_load(house.auth, hash, AUTH_API_KEY, &row), 0);
    buf_fini(&id);
    house_pair_fini(&key);
    house_close(&house);
}

static void revoked_keys_are_not_found(void **state)
{
    static const char *const nowhere[] = {"", "key-", "key-00", "client-00", "key-00FF", "key-/../key-00"};
    struct house house;
    struct auth_row row;
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    (void)state;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    struct house_pair key = house_key(&house, demo, AUTH_TENANT_TOKEN, 0, "");
    hash_of(&house, &key, hash);
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        assert_int_equal(auth_key_revoke(house.auth, demo, slice_from_text(nowhere[i])), ERR_NOT_FOUND);
    }
    assert_int_equal(auth_key_revoke(house.auth, house_tenant(&house, "other"), buf_view(&key.id)), ERR_NOT_FOUND);
    assert_int_equal(auth_key_load(house.auth, hash, AUTH_TENANT_TOKEN, &row), 0);
    assert_int_equal(auth_key_revoke(house.auth, demo, buf_view(&key.id)), 0);
    assert_int_equal(auth_key_load(house.auth, hash, AUTH_TENANT_TOKEN, &row), ERR_NOT_FOUND);
    house_restart(&house);
    assert_int_equal(auth_key_load(house.auth, hash, AUTH_TENANT_TOKEN, &row), ERR_NOT_FOUND);
    house_pair_fini(&key);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(hash_is_compared_whole),
        cmocka_unit_test(revoked_keys_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
