/* Credentials of requests: who gets what, and that a revoke counts at once, also for what the cache remembers. */
#include "house.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static void key_grants_its_rights(void **state)
{
    struct house house;
    struct auth_grant grant;
    (void)state;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    assert_int_equal(auth_project_create(house.auth, demo, SLICE("p")), 0);
    struct house_pair key = house_key(&house, demo, AUTH_API_KEY, SCOPE_CUSTOMERS_CREATE | SCOPE_CUSTOMERS_READ, "p");
    assert_true(slice_starts(buf_view(&key.secret), SLICE("mk_")));
    for (int again = 0; again < 2; again++) { /* from the row, then from the cache */
        assert_int_equal(auth_check_bearer(house.auth, buf_view(&key.secret), HOUSE_NOW_MS, &grant), 0);
        assert_ptr_equal(grant.tenant, demo);
        assert_int_equal(grant.scopes, SCOPE_CUSTOMERS_CREATE | SCOPE_CUSTOMERS_READ);
        assert_string_equal(grant.project, "p");
        assert_true(slice_equal_text(buf_view(&key.id), grant.subject));
    }
    house_pair_fini(&key);
    house_close(&house);
}

static void token_grants_no_more_than_was_asked(void **state)
{
    struct house house;
    struct auth_grant grant;
    struct buf token;
    uint32_t granted;
    (void)state;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    assert_int_equal(auth_project_create(house.auth, demo, SLICE("p")), 0);
    struct house_pair client = house_client(&house, demo, SCOPE_CUSTOMERS_CREATE | SCOPE_CUSTOMERS_READ, "p");
    buf_init(&token, 0);
    assert_int_equal(auth_issue(house.auth, buf_view(&client.id), buf_view(&client.secret), SLICE("customers:read"),
                                HOUSE_NOW_MS, &token, &granted),
                     0);
    assert_int_equal(granted, SCOPE_CUSTOMERS_READ);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(auth_check_bearer(house.auth, buf_view(&token), HOUSE_NOW_MS, &grant), 0);
        assert_ptr_equal(grant.tenant, demo);
        assert_int_equal(grant.scopes, SCOPE_CUSTOMERS_READ);
        assert_string_equal(grant.project, "p");
        assert_true(slice_equal_text(buf_view(&client.id), grant.subject));
    }
    buf_fini(&token);
    house_pair_fini(&client);
    house_close(&house);
}

/* Expiry, from the claims and from the cache. */
static void token_expires(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    struct house_pair client = house_client(&house, house_tenant(&house, "demo"), SCOPE_ALL, "");
    struct buf token = house_token(&house, &client);
    assert_int_equal(house_check(&house, &token, 1000 * AUTH_TOKEN_SECONDS), ERR_TOKEN_EXPIRED);
    assert_int_equal(house_check(&house, &token, 1000 * AUTH_TOKEN_SECONDS - 1), 0);
    assert_int_equal(house_check(&house, &token, 1000 * AUTH_TOKEN_SECONDS), ERR_TOKEN_EXPIRED);
    assert_int_equal(house_check(&house, &token, 0), 0);
    buf_fini(&token);
    house_pair_fini(&client);
    house_close(&house);
}

enum revoke { REVOKE_KEY, REVOKE_CLIENT, REVOKE_TENANT, REVOKE_COUNT };

static int revoke(struct house *house, enum revoke what, const struct auth_tenant *tenant, const struct house_pair *key,
                  const struct house_pair *client)
{
    switch (what) {
    case REVOKE_KEY:
        return auth_key_revoke(house->auth, tenant, buf_view(&key->id));
    case REVOKE_CLIENT:
        return auth_client_revoke(house->auth, tenant, buf_view(&client->id));
    case REVOKE_TENANT:
    default:
        return auth_tenant_revoke(house->auth, slice_from_text(tenant->name));
    }
}

/* `warm`: everything was checked before, so the cache remembers it. */
static void revoke_case(enum revoke what, bool warm)
{
    struct house house;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    const struct auth_tenant *other = house_tenant(&house, "other");
    struct house_pair key = house_key(&house, demo, AUTH_API_KEY, SCOPE_ALL, "");
    struct house_pair client = house_client(&house, demo, SCOPE_ALL, "");
    struct house_pair spared = house_key(&house, other, AUTH_API_KEY, SCOPE_ALL, "");
    struct buf token = house_token(&house, &client);
    if (warm) {
        assert_int_equal(house_check(&house, &key.secret, 0), 0);
        assert_int_equal(house_check(&house, &token, 0), 0);
    }
    if (what != REVOKE_TENANT) { /* nobody revokes what is another tenant's */
        assert_int_equal(revoke(&house, what, other, &key, &client), ERR_NOT_FOUND);
        assert_int_equal(house_check(&house, &key.secret, 0), 0);
        assert_int_equal(house_check(&house, &token, 0), 0);
    }
    assert_int_equal(revoke(&house, what, demo, &key, &client), 0);
    for (int restarts = 0; restarts < 2; restarts++) {
        assert_int_equal(house_check(&house, &key.secret, 0), what == REVOKE_CLIENT ? 0 : ERR_TOKEN_INVALID);
        assert_int_equal(house_check(&house, &token, 0), what == REVOKE_KEY ? 0 : ERR_TOKEN_INVALID);
        assert_int_equal(house_check(&house, &spared.secret, 0), 0);
        house_restart(&house);
    }
    struct buf again;
    uint32_t granted;
    buf_init(&again, 0);
    assert_int_equal(auth_issue(house.auth, buf_view(&client.id), buf_view(&client.secret), SLICE_NONE, HOUSE_NOW_MS,
                                &again, &granted),
                     what == REVOKE_KEY ? 0 : ERR_TOKEN_INVALID);
    buf_fini(&again);
    buf_fini(&token);
    house_pair_fini(&key);
    house_pair_fini(&client);
    house_pair_fini(&spared);
    house_close(&house);
}

static void revokes_count_at_once(void **state)
{
    (void)state;
    for (int what = 0; what < REVOKE_COUNT; what++) {
        revoke_case((enum revoke)what, false);
        revoke_case((enum revoke)what, true);
    }
}

static void tenant_tokens_prove_only_their_tenant(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    const struct auth_tenant *other = house_tenant(&house, "other");
    struct house_pair second = house_key(&house, demo, AUTH_TENANT_TOKEN, SCOPE_ALL, "");
    struct house_pair key = house_key(&house, demo, AUTH_API_KEY, SCOPE_ALL, "");
    struct slice text = buf_view(&second.secret);
    assert_true(slice_starts(text, SLICE("mt_")));
    for (int again = 0; again < 2; again++) {
        assert_int_equal(auth_check_tenant_token(house.auth, text, demo), 0);
        assert_int_equal(auth_check_tenant_token(house.auth, text, other), ERR_TENANT_MISMATCH);
        assert_int_equal(house_check(&house, &second.secret, 0), ERR_TOKEN_INVALID);
        assert_int_equal(house_check(&house, &key.secret, 0), 0);
        assert_int_equal(auth_check_tenant_token(house.auth, buf_view(&key.secret), demo), ERR_TOKEN_INVALID);
    }
    assert_int_equal(auth_check_tenant_token(house.auth, SLICE_NONE, demo), ERR_TOKEN_INVALID);
    assert_int_equal(auth_check_tenant_token(house.auth, SLICE("mt_"), demo), ERR_TOKEN_INVALID);
    assert_int_equal(auth_key_revoke(house.auth, demo, buf_view(&second.id)), 0);
    assert_int_equal(auth_check_tenant_token(house.auth, text, demo), ERR_TOKEN_INVALID);
    house_pair_fini(&second);
    house_pair_fini(&key);
    house_close(&house);
}

/* ---- a revoke among running checks ---- */

#define CHECKERS 3

struct race {
    struct house *house;
    const struct buf *token;
    _Atomic bool revoked;
    _Atomic unsigned good;
    _Atomic unsigned late; /* checks that began after the revoke and went well */
};

static void *check_until_revoked(void *context)
{
    struct race *race = context;
    bool revoked;
    do {
        revoked = atomic_load(&race->revoked);
        int err = house_check(race->house, race->token, 0);
        atomic_fetch_add(&race->good, err == 0);
        atomic_fetch_add(&race->late, err == 0 && revoked);
    } while (!revoked);
    for (int i = 0; i < 100; i++) {
        atomic_fetch_add(&race->late, house_check(race->house, race->token, 0) == 0);
    }
    return NULL;
}

/* The revoke of another key first empties the cache, so that the checkers are reading rows when the real one comes. */
static void race_once(struct house *house, const struct auth_tenant *tenant, const struct house_pair *bystander)
{
    struct house_pair key = house_key(house, tenant, AUTH_API_KEY, SCOPE_ALL, "");
    struct race race = {.house = house, .token = &key.secret};
    pthread_t threads[CHECKERS];
    for (int i = 0; i < CHECKERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, check_until_revoked, &race), 0);
    }
    while (atomic_load(&race.good) < 10) {
        sched_yield();
    }
    assert_int_equal(auth_key_revoke(house->auth, tenant, buf_view(&bystander->id)), 0);
    assert_int_equal(auth_key_revoke(house->auth, tenant, buf_view(&key.id)), 0);
    atomic_store(&race.revoked, true);
    for (int i = 0; i < CHECKERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(race.late, 0);
    house_pair_fini(&key);
}

static void no_check_outlives_a_revoke(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    const struct auth_tenant *demo = house_tenant(&house, "demo");
    struct house_pair bystander = house_key(&house, demo, AUTH_API_KEY, SCOPE_ALL, "");
    for (int round = 0; round < 300; round++) {
        race_once(&house, demo, &bystander);
    }
    house_pair_fini(&bystander);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_grants_its_rights),
        cmocka_unit_test(token_grants_no_more_than_was_asked),
        cmocka_unit_test(token_expires),
        cmocka_unit_test(revokes_count_at_once),
        cmocka_unit_test(tenant_tokens_prove_only_their_tenant),
        cmocka_unit_test(no_check_outlives_a_revoke),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
