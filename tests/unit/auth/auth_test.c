/* The root key's check, the operator, and the lists. */
#include "house.h"

static void another_root_key_is_refused(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    struct crypto_ring *other = house_ring(8);
    auth_free(&house.auth);
    assert_int_equal(auth_new(house.store, other, HOUSE_ISSUER, &house.auth), ERR_KEY);
    assert_null(house.auth);
    assert_int_equal(auth_new(house.store, house.ring, HOUSE_ISSUER, &house.auth), 0);
    crypto_ring_free(&other);
    house_close(&house);
}

static void operator_is_made_once(void **state)
{
    struct house house;
    struct buf key;
    (void)state;
    house_open(&house);
    buf_init(&key, 0);
    buf_append_text(&key, "x");
    assert_int_equal(auth_check_operator(house.auth, SLICE_NONE), ERR_TOKEN_INVALID);
    assert_int_equal(auth_operator_create(house.auth, &key), 0);
    assert_true(slice_starts(buf_view(&key), SLICE("xmo_")));
    size_t size = key.size;
    assert_int_equal(auth_operator_create(house.auth, &key), ERR_EXISTS);
    assert_int_equal(key.size, size);
    for (int restarts = 0; restarts < 2; restarts++) {
        assert_int_equal(auth_check_operator(house.auth, slice_from(buf_view(&key), 1)), 0);
        assert_int_equal(auth_check_operator(house.auth, buf_view(&key)), ERR_TOKEN_INVALID);
        assert_int_equal(auth_check_operator(house.auth, SLICE_NONE), ERR_TOKEN_INVALID);
        house_restart(&house);
    }
    assert_int_equal(auth_operator_create(house.auth, &key), ERR_EXISTS);
    buf_fini(&key);
    house_close(&house);
}

/* Two nodes start at once over one store: neither knows of the other when it begins. */
static void two_nodes_make_one_operator(void **state)
{
    struct house house;
    struct auth *second;
    struct buf keys[2];
    (void)state;
    house_open(&house);
    assert_int_equal(auth_new(house.store, house.ring, HOUSE_ISSUER, &second), 0);
    buf_init(&keys[0], 0);
    buf_init(&keys[1], 0);
    assert_int_equal(auth_operator_create(house.auth, &keys[0]), 0);
    assert_int_equal(auth_operator_create(second, &keys[1]), ERR_EXISTS);
    assert_int_equal(auth_check_operator(second, buf_view(&keys[0])), 0);
    assert_int_equal(auth_check_operator(second, buf_view(&keys[1])), ERR_TOKEN_INVALID);
    assert_int_equal(auth_check_operator(house.auth, buf_view(&keys[0])), 0);
    buf_fini(&keys[0]);
    buf_fini(&keys[1]);
    auth_free(&second);
    house_close(&house);
}

static void has_root(void **state)
{
    struct house house;
    bool has = true;
    (void)state;
    assert_int_equal(crypto_init(), 0);
    assert_int_equal(store_open_memory(&house.store), 0);
    assert_int_equal(auth_has_root(house.store, &has), 0);
    assert_false(has);
    store_close(&house.store);
    house_open(&house);
    assert_int_equal(auth_has_root(house.store, &has), 0);
    assert_true(has);
    house_close(&house);
}

static bool contains(const struct buf *text, struct slice word)
{
    return memmem(text->data, text->size, word.data, word.size) != NULL;
}

/* Everything the store holds, and nothing of it is a secret in the clear. */
static int append_row(void *context, struct slice key, struct slice value)
{
    buf_append_slice(context, key);
    buf_append_slice(context, value);
    return 0;
}

static void store_has_no_secret(void **state)
{
    struct house house;
    struct buf all;
    (void)state;
    house_open(&house);
    buf_init(&all, 0);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    struct house_pair client = house_client(&house, demo, SCOPE_ALL, "");
    struct house_pair key = house_key(&house, demo, AUTH_API_KEY, SCOPE_ALL, "");
    assert_int_equal(store_meta_list(house.store, SLICE_NONE, append_row, &all), 0);
    assert_true(contains(&all, buf_view(&client.id)) && contains(&all, buf_view(&key.id)));
    assert_false(contains(&all, slice_from(buf_view(&client.secret), 3)));
    assert_false(contains(&all, slice_from(buf_view(&key.secret), 3)));
    house_pair_fini(&client);
    house_pair_fini(&key);
    buf_fini(&all);
    house_close(&house);
}

static void lists_show_a_tenants_own_and_no_secret(void **state)
{
    struct house house;
    struct buf list;
    (void)state;
    house_open(&house);
    buf_init(&list, 0);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    const struct auth_tenant *other = house_tenant(&house, "other");
    assert_int_equal(auth_list_clients(house.auth, demo, &list), 0);
    assert_true(slice_equal_text(buf_view(&list), "[]"));
    assert_int_equal(auth_project_create(house.auth, demo, SLICE("say \"p\"")), 0);
    struct house_pair mine = house_key(&house, demo, AUTH_TENANT_TOKEN, SCOPE_ALL, "");
    struct house_pair theirs = house_key(&house, other, AUTH_API_KEY, SCOPE_ADMIN, "");
    assert_int_equal(auth_key_revoke(house.auth, demo, buf_view(&mine.id)), 0);

    buf_clear(&list);
    assert_int_equal(auth_list_keys(house.auth, demo, &list), 0);
    assert_true(contains(&list, buf_view(&mine.id)));
    assert_false(contains(&list, buf_view(&theirs.id)));
    assert_true(
        contains(&list, SLICE("\"name\":\"test\",\"tenant\":\"demo\",\"kind\":\"tenant-token\",\"scopes\":[]")));
    assert_true(contains(&list, SLICE("\"revoked\":true}]")));
    assert_false(contains(&list, SLICE("hash")));

    buf_clear(&list);
    assert_int_equal(auth_list_tenants(house.auth, &list), 0);
    assert_true(contains(&list, SLICE("\"name\":\"demo\",\"createProjects\":false,\"strict\":false,\"created\":\"20")));
    assert_true(contains(&list, SLICE("\"name\":\"other\"")));
    assert_false(contains(&list, SLICE("\"key\"")));

    buf_clear(&list);
    assert_int_equal(auth_list_projects(house.auth, demo, &list), 0);
    assert_true(contains(&list, SLICE("[{\"name\":\"say \\\"p\\\"\",\"tenant\":\"demo\",\"created\":\"")));
    buf_clear(&list);
    assert_int_equal(auth_list_projects(house.auth, other, &list), 0);
    assert_true(slice_equal_text(buf_view(&list), "[]"));
    house_pair_fini(&mine);
    house_pair_fini(&theirs);
    buf_fini(&list);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_root_key_is_refused), cmocka_unit_test(operator_is_made_once),
        cmocka_unit_test(two_nodes_make_one_operator), cmocka_unit_test(has_root),
        cmocka_unit_test(store_has_no_secret),         cmocka_unit_test(lists_show_a_tenants_own_and_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
