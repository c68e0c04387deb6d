/* Projects: made, used, revoked; those that a first use makes. */
#include "house.h"

static void projects_are_used_when_they_are_there(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    const struct auth_tenant *other = house_tenant(&house, "other");
    struct slice name = SLICE("Z\xC3\xBCrich/1");
    assert_int_equal(auth_project_use(house.auth, demo, name), ERR_PROJECT_UNKNOWN);
    assert_int_equal(auth_project_create(house.auth, demo, SLICE("a\n")), ERR_BAD_PARAMETER);
    assert_int_equal(auth_project_use(house.auth, demo, SLICE("a\n")), ERR_PROJECT_UNKNOWN);
    assert_int_equal(auth_project_use(house.auth, demo, SLICE_NONE), ERR_PROJECT_UNKNOWN);
    assert_int_equal(auth_project_create(house.auth, demo, name), 0);
    assert_int_equal(auth_project_create(house.auth, demo, name), ERR_EXISTS);
    assert_int_equal(auth_project_use(house.auth, demo, name), 0);
    assert_int_equal(auth_project_use(house.auth, demo, name), 0);
    assert_int_equal(auth_project_use(house.auth, other, name), ERR_PROJECT_UNKNOWN);
    assert_int_equal(auth_project_revoke(house.auth, other, name), ERR_NOT_FOUND);
    assert_int_equal(auth_project_revoke(house.auth, demo, name), 0);
    assert_int_equal(auth_project_use(house.auth, demo, name), ERR_PROJECT_UNKNOWN);
    assert_int_equal(auth_project_create(house.auth, demo, name), 0);
    assert_int_equal(auth_project_use(house.auth, demo, name), 0);
    house_close(&house);
}

static void first_use_makes_a_project_but_not_a_revoked_one(void **state)
{
    struct house house;
    const struct auth_tenant *demo;
    (void)state;
    house_open(&house);
    assert_int_equal(auth_tenant_create(house.auth, SLICE("demo"), true, false), 0);
    assert_int_equal(auth_tenant_get(house.auth, SLICE("demo"), &demo), 0);
    assert_int_equal(auth_project_use(house.auth, demo, SLICE("p")), 0);
    assert_int_equal(auth_project_create(house.auth, demo, SLICE("p")), ERR_EXISTS);
    assert_int_equal(auth_project_revoke(house.auth, demo, SLICE("p")), 0);
    assert_int_equal(auth_project_use(house.auth, demo, SLICE("p")), ERR_PROJECT_UNKNOWN);
    house_restart(&house);
    assert_int_equal(auth_tenant_get(house.auth, SLICE("demo"), &demo), 0);
    assert_int_equal(auth_project_use(house.auth, demo, SLICE("p")), ERR_PROJECT_UNKNOWN);
    assert_int_equal(auth_project_use(house.auth, demo, SLICE("q")), 0);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(projects_are_used_when_they_are_there),
        cmocka_unit_test(first_use_makes_a_project_but_not_a_revoked_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
