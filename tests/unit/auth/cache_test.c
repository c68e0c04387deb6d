/* What the cache remembers and what it must not. */
#include "house.h"

#include "auth/auth_priv.h"

static void set_hash(uint8_t hash[CRYPTO_TOKEN_HASH_BYTES], uint32_t number)
{
    memset(hash, 0, CRYPTO_TOKEN_HASH_BYTES);
    memcpy(hash, &number, sizeof number);
    memcpy(hash + 28, &number, sizeof number);
}

static bool get(struct auth_cache *cache, uint32_t number, enum auth_credential credential, struct auth_grant *grant)
{
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    int64_t expires_ms;
    set_hash(hash, number);
    return auth_cache_get(cache, hash, credential, &expires_ms, grant);
}

static void put(struct auth_cache *cache, uint32_t number, uint64_t generation)
{
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    struct auth_grant grant = {.scopes = number};
    set_hash(hash, number);
    auth_cache_put(cache, hash, generation, AUTH_BEARER, 1000, &grant);
}

static void remembers_by_hash_and_credential(void **state)
{
    struct auth_cache *cache = auth_cache_new();
    struct auth_grant grant;
    (void)state;
    assert_false(get(cache, 0, AUTH_BEARER, &grant)); /* an empty entry has an all-zero hash too */
    put(cache, 5, auth_cache_generation(cache));
    assert_true(get(cache, 5, AUTH_BEARER, &grant));
    assert_int_equal(grant.scopes, 5);
    assert_false(get(cache, 5, AUTH_SECOND, &grant));
    assert_false(get(cache, 6, AUTH_BEARER, &grant));
    assert_false(get(cache, 5 + 2048, AUTH_BEARER, &grant)); /* same set */
    auth_cache_free(&cache);
    assert_null(cache);
}

static void forgets_at_a_revoke(void **state)
{
    struct auth_cache *cache = auth_cache_new();
    struct auth_grant grant;
    (void)state;
    uint64_t before = auth_cache_generation(cache);
    put(cache, 5, before);
    auth_cache_forget(cache);
    assert_false(get(cache, 5, AUTH_BEARER, &grant));
    put(cache, 5, before); /* a check that the revoke has overtaken */
    assert_false(get(cache, 5, AUTH_BEARER, &grant));
    put(cache, 5, auth_cache_generation(cache));
    assert_true(get(cache, 5, AUTH_BEARER, &grant));
    auth_cache_free(&cache);
}

static void stays_within_its_size(void **state)
{
    struct auth_cache *cache = auth_cache_new();
    struct auth_grant grant;
    uint32_t found = 0;
    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        put(cache, i, auth_cache_generation(cache));
        assert_true(get(cache, i, AUTH_BEARER, &grant)); /* the newest is always there */
    }
    for (uint32_t i = 0; i < 100000; i++) {
        if (get(cache, i, AUTH_BEARER, &grant)) {
            assert_int_equal(grant.scopes, i);
            found++;
        }
    }
    assert_true(found >= 2048 && found <= 8192);
    auth_cache_free(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_by_hash_and_credential),
        cmocka_unit_test(forgets_at_a_revoke),
        cmocka_unit_test(stays_within_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
