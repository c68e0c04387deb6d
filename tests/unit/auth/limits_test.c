/* What tenants may send: set at the start or later, seen at once, by those who hold the tenant too, and kept. */
#include "house.h"

static void expect(const struct house *house, const struct auth_tenant *tenant, const struct auth_limits *expected)
{
    struct auth_limits limits;
    auth_tenant_limits(house->auth, tenant, &limits);
    for (int i = 0; i < AUTH_LIMITS; i++) {
        assert_int_equal(limits.at[i], expected->at[i]);
    }
}

static void limits_are_set_and_kept(void **state)
{
    static const struct auth_limits none;
    static const struct auth_limits first = {{5, 0, 7, 0}};
    static const struct auth_limits second = {{5, 6, 0, 0}};
    static const bool set[AUTH_LIMITS] = {false, true, true, false};
    struct auth_limits limits = {{1, 6, 0, 9}};
    struct house house;
    const struct auth_tenant *tenant;
    const struct auth_tenant *free;
    (void)state;
    house_open(&house);
    assert_int_equal(auth_tenant_create_limited(house.auth, SLICE("demo"), false, false, &first), 0);
    assert_int_equal(auth_tenant_get(house.auth, SLICE("demo"), &tenant), 0);
    free = house_tenant(&house, "free");
    expect(&house, tenant, &first);
    expect(&house, free, &none);
    assert_int_equal(auth_tenant_limit(house.auth, SLICE("demo"), set, &limits), 0);
    assert_memory_equal(&limits, &second, sizeof limits);
    expect(&house, tenant, &second);
    expect(&house, free, &none);
    house_restart(&house);
    assert_int_equal(auth_tenant_get(house.auth, SLICE("demo"), &tenant), 0);
    expect(&house, tenant, &second);
    house_close(&house);
}

/* Also before anybody has loaded the tenant. */
static void limits_of_a_tenant_that_is_not_loaded(void **state)
{
    static const struct auth_limits expected = {{0, 0, 3, 0}};
    static const bool set[AUTH_LIMITS] = {false, false, true, false};
    struct auth_limits limits = expected;
    struct house house;
    const struct auth_tenant *tenant;
    (void)state;
    house_open(&house);
    (void)house_tenant(&house, "demo");
    house_restart(&house);
    assert_int_equal(auth_tenant_limit(house.auth, SLICE("demo"), set, &limits), 0);
    assert_int_equal(auth_tenant_get(house.auth, SLICE("demo"), &tenant), 0);
    expect(&house, tenant, &expected);
    house_close(&house);
}

static void nobody_has_none(void **state)
{
    static const bool set[AUTH_LIMITS] = {true, false, false, false};
    struct auth_limits limits = {{1, 0, 0, 0}};
    struct house house;
    (void)state;
    house_open(&house);
    (void)house_tenant(&house, "demo");
    assert_int_equal(auth_tenant_revoke(house.auth, SLICE("demo")), 0);
    assert_int_equal(auth_tenant_limit(house.auth, SLICE("demo"), set, &limits), ERR_NOT_FOUND);
    assert_int_equal(auth_tenant_limit(house.auth, SLICE("nobody"), set, &limits), ERR_NOT_FOUND);
    assert_int_equal(auth_tenant_limit(house.auth, SLICE("a/b"), set, &limits), ERR_NOT_FOUND);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(limits_are_set_and_kept),
                                       cmocka_unit_test(limits_of_a_tenant_that_is_not_loaded),
                                       cmocka_unit_test(nobody_has_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
