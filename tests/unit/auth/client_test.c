/* OAuth clients, and the rights and the revoke that they share with keys. */
#include "house.h"

#include "auth/auth_priv.h"

static void rights_are_checked(void **state)
{
    static const struct {
        const char *name;
        uint32_t scopes;
        const char *project;
        int err;
    } rows[] = {
        {"good", SCOPE_ALL, "p", 0},
        {"", SCOPE_ALL, "", ERR_BAD_PARAMETER},
        {"a\n", SCOPE_ALL, "", ERR_BAD_PARAMETER},
        {"x", SCOPE_ALL + 1, "", ERR_BAD_PARAMETER},
        {"x", SCOPE_ALL, "q", ERR_PROJECT_UNKNOWN},
        {"x", SCOPE_ALL, "p\n", ERR_PROJECT_UNKNOWN},
    };
    struct house house;
    struct buf id;
    struct buf secret;
    (void)state;
    house_open(&house);
    buf_init(&id, 0);
    buf_init(&secret, 0);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    assert_int_equal(auth_project_create(house.auth, demo, SLICE("p")), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice name = slice_from_text(rows[i].name);
        struct auth_rights rights = {rows[i].scopes, slice_from_text(rows[i].project)};
        assert_int_equal(auth_client_create(house.auth, demo, name, &rights, &id, &secret), rows[i].err);
        assert_int_equal(auth_key_create(house.auth, demo, AUTH_API_KEY, name, &rights, &id, &secret), rows[i].err);
    }
    buf_fini(&id);
    buf_fini(&secret);
    house_close(&house);
}

/* What is shown is what the row has; the secret is in it as a hash only. */
static void row_of_a_client(void **state)
{
    struct house house;
    struct auth_row row;
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    (void)state;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    assert_int_equal(auth_project_create(house.auth, demo, SLICE("p")), 0);
    struct house_pair client = house_client(&house, demo, SCOPE_CUSTOMERS_READ, "p");
    assert_true(slice_starts(buf_view(&client.secret), SLICE("ms_")));
    assert_int_equal(auth_client_load(house.auth, buf_view(&client.id), &row), 0);
    assert_true(slice_equal_text(buf_view(&client.id), row.id));
    assert_string_equal(row.name, "test");
    assert_string_equal(row.tenant, "demo");
    assert_string_equal(row.project, "p");
    assert_int_equal(row.scopes, SCOPE_CUSTOMERS_READ);
    assert_true(row.created_ms > HOUSE_NOW_MS);
    crypto_token_hash(house.ring, buf_view(&client.secret), hash);
    assert_memory_equal(row.hash, hash, sizeof hash);
    house_pair_fini(&client);
    house_close(&house);
}

/* Ids and secrets are appended, and never the same. */
static void every_client_is_another(void **state)
{
    struct house house;
    struct buf ids, secrets;
    struct auth_rights rights = {SCOPE_ALL, SLICE_NONE};
    (void)state;
    house_open(&house);
    buf_init(&ids, 0);
    buf_init(&secrets, 0);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(auth_client_create(house.auth, demo, SLICE("same"), &rights, &ids, &secrets), 0);
    }
    assert_int_equal(ids.size % 2, 0);
    assert_memory_not_equal(ids.data, ids.data + ids.size / 2, ids.size / 2);
    assert_int_equal(secrets.size % 2, 0);
    assert_memory_not_equal(secrets.data, secrets.data + secrets.size / 2, secrets.size / 2);
    buf_fini(&ids);
    buf_fini(&secrets);
    house_close(&house);
}

/* What is no id, another's id, or a key's, is not found; neither is what is revoked. */
static void ids_that_lead_nowhere(void **state)
{
    static const char *const rows[] = {"", "client-", "client-00", "../client-00", "key-00", "client-00FF"};
    struct house house;
    struct auth_row row;
    (void)state;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(auth_client_load(house.auth, slice_from_text(rows[i]), &row), ERR_NOT_FOUND);
        assert_int_equal(auth_client_revoke(house.auth, demo, slice_from_text(rows[i])), ERR_NOT_FOUND);
    }
    struct house_pair client = house_client(&house, demo, SCOPE_ALL, "");
    assert_int_equal(auth_client_revoke(house.auth, house_tenant(&house, "other"), buf_view(&client.id)),
                     ERR_NOT_FOUND);
    assert_int_equal(auth_client_load(house.auth, buf_view(&client.id), &row), 0);
    for (int times = 0; times < 2; times++) { /* revoking again changes nothing */
        assert_int_equal(auth_client_revoke(house.auth, demo, buf_view(&client.id)), 0);
        assert_int_equal(auth_client_load(house.auth, buf_view(&client.id), &row), ERR_NOT_FOUND);
    }
    house_pair_fini(&client);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_are_checked),
        cmocka_unit_test(row_of_a_client),
        cmocka_unit_test(every_client_is_another),
        cmocka_unit_test(ids_that_lead_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
