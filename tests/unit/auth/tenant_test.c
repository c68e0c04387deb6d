/* Tenants: made, found, revoked, seen again after a restart. */
#include "house.h"

static void names_are_checked(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    const struct auth_tenant *tenant;
    assert_int_equal(auth_tenant_create(house.auth, SLICE("a/b"), false, false), ERR_BAD_PARAMETER);
    assert_int_equal(auth_tenant_create(house.auth, SLICE_NONE, false, false), ERR_BAD_PARAMETER);
    assert_int_equal(auth_tenant_get(house.auth, SLICE("a/b"), &tenant), ERR_NOT_FOUND);
    assert_int_equal(auth_tenant_get(house.auth, SLICE("demo"), &tenant), ERR_NOT_FOUND);
    assert_int_equal(auth_tenant_revoke(house.auth, SLICE("demo")), ERR_NOT_FOUND);
    assert_int_equal(auth_tenant_revoke(house.auth, SLICE("../demo")), ERR_NOT_FOUND);
    house_close(&house);
}

static void tenant_is_one_object(void **state)
{
    struct house house;
    const struct auth_tenant *by_name;
    const struct auth_tenant *by_id;
    (void)state;
    house_open(&house);
    assert_int_equal(auth_tenant_create(house.auth, SLICE("demo"), true, true), 0);
    assert_int_equal(auth_tenant_create(house.auth, SLICE("demo"), false, false), ERR_EXISTS);
    assert_int_equal(auth_tenant_get(house.auth, SLICE("demo"), &by_name), 0);
    assert_string_equal(by_name->name, "demo");
    assert_true(by_name->makes_projects && by_name->strict && by_name->keys != NULL);
    assert_false(uuid_is_zero(&by_name->id));
    assert_int_equal(auth_tenant_by_id(house.auth, &by_name->id, &by_id), 0);
    assert_ptr_equal(by_id, by_name);
    struct uuid other = by_name->id;
    other.bytes[15] ^= 1;
    assert_int_equal(auth_tenant_by_id(house.auth, &other, &by_id), ERR_NOT_FOUND);
    house_close(&house);
}

static void restart_sees_the_same_tenant(void **state)
{
    struct house house;
    const struct auth_tenant *again;
    uint8_t before[CRYPTO_MAC_BYTES];
    uint8_t after[CRYPTO_MAC_BYTES];
    (void)state;
    house_open(&house);
    const struct auth_tenant *tenant = house_tenant(&house, "demo");
    struct uuid id = tenant->id;
    crypto_blind(tenant->keys, IDENTIFIER_EMAIL, SLICE("a@example.org"), before);
    house_restart(&house);
    assert_int_equal(auth_tenant_by_id(house.auth, &id, &again), 0);
    assert_string_equal(again->name, "demo");
    assert_false(again->makes_projects || again->strict);
    crypto_blind(again->keys, IDENTIFIER_EMAIL, SLICE("a@example.org"), after);
    assert_memory_equal(before, after, sizeof before);
    house_close(&house);
}

static void revoked_tenant_is_gone_and_its_name_taken(void **state)
{
    struct house house;
    const struct auth_tenant *found;
    (void)state;
    house_open(&house);
    struct uuid id = house_tenant(&house, "demo")->id;
    assert_int_equal(auth_tenant_revoke(house.auth, SLICE("demo")), 0);
    for (int restarts = 0; restarts < 2; restarts++) {
        assert_int_equal(auth_tenant_get(house.auth, SLICE("demo"), &found), ERR_NOT_FOUND);
        assert_int_equal(auth_tenant_by_id(house.auth, &id, &found), ERR_NOT_FOUND);
        assert_int_equal(auth_tenant_of_data(house.auth, &id, &found), 0);
        assert_true(uuid_equal(&found->id, &id));
        assert_int_equal(auth_tenant_create(house.auth, SLICE("demo"), false, false), ERR_EXISTS);
        house_restart(&house);
    }
    house_close(&house);
}

/* A create that was cut off between its two writes leaves an id that leads nowhere. */
static void id_without_its_tenant_leads_nowhere(void **state)
{
    struct house house;
    const struct auth_tenant *found;
    struct uuid id;
    (void)state;
    house_open(&house);
    assert_true(uuid_from_text(SLICE("01912345-6789-7abc-8def-0123456789ab"), &id));
    assert_int_equal(
        store_meta_put(house.store, SLICE("tenant-id/01912345-6789-7abc-8def-0123456789ab"), SLICE("demo")), 0);
    assert_int_equal(auth_tenant_by_id(house.auth, &id, &found), ERR_NOT_FOUND);
    assert_false(uuid_equal(&house_tenant(&house, "demo")->id, &id));
    assert_int_equal(auth_tenant_by_id(house.auth, &id, &found), ERR_NOT_FOUND);
    house_close(&house);
}

/* Every damaged row is told as such, none is taken for a tenant. */
static void damaged_rows_are_corrupt(void **state)
{
    static const char *const rows[] = {
        "",
        "{",
        "[]",
        "{}",
        "null",
        "{\"id\":7,\"name\":\"demo\",\"createProjects\":false,\"strict\":false,\"created\":1,\"revoked\":false}",
        ("{\"id\":\"x\",\"name\":\"demo\",\"createProjects\":false,\"strict\":false,\"created\":1,\"revoked\":false,"
         "\"key\":\"AAAA\"}"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        const struct auth_tenant *found;
        house_open(&house);
        assert_int_equal(store_meta_put(house.store, SLICE("tenant/demo"), slice_from_text(rows[i])), 0);
        assert_int_equal(auth_tenant_get(house.auth, SLICE("demo"), &found), ERR_CORRUPT);
        house_close(&house);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(tenant_is_one_object),
        cmocka_unit_test(restart_sees_the_same_tenant),
        cmocka_unit_test(revoked_tenant_is_gone_and_its_name_taken),
        cmocka_unit_test(id_without_its_tenant_leads_nowhere),
        cmocka_unit_test(damaged_rows_are_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
