/* The key hierarchy: subkeys of a root key, and that a tenant's key opens for that tenant only. */
#include "keys.h"

static void ring_subkeys(void **state)
{
    (void)state;
    struct crypto_ring *ring = make_ring(0);
    uint8_t check[16];
    uint8_t seed[32];
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    crypto_ring_check_value(ring, check);
    expect_hex(check, sizeof check, "4ca76f1b8440cdb121828719fa6a4002");
    crypto_ring_signing_seed(ring, seed);
    expect_hex(seed, sizeof seed, "70d8529824781811ab3360bdc981cece0a1a27e4e643c32f644cc318d6bac6df");
    crypto_token_hash(ring, SLICE("mk_example"), hash);
    expect_hex(hash, sizeof hash, "4dc22b65f837601a347e29ae5a3588a388d7c3b048fe358f3d97cea689d3f80d");
    crypto_ring_free(&ring);
}

static void tenant_key_binds(void **state)
{
    (void)state;
    struct crypto_ring *ring = make_ring(0);
    struct crypto_ring *other_ring = make_ring(1);
    struct uuid other_tenant = tenant;
    other_tenant.bytes[15] ^= 1;
    uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES];
    uint8_t again[CRYPTO_WRAPPED_KEY_BYTES];
    struct crypto_tenant *keys;
    crypto_tenant_key_make(ring, &tenant, wrapped);
    crypto_tenant_key_make(ring, &tenant, again);
    assert_memory_not_equal(wrapped, again, sizeof wrapped);
    assert_int_equal(crypto_tenant_open(ring, &other_tenant, wrapped, &keys), ERR_KEY);
    assert_null(keys);
    assert_int_equal(crypto_tenant_open(other_ring, &tenant, wrapped, &keys), ERR_KEY);
    for (size_t i = 0; i < sizeof wrapped; i++) {
        wrapped[i] ^= 0x80;
        assert_int_equal(crypto_tenant_open(ring, &tenant, wrapped, &keys), ERR_KEY);
        wrapped[i] ^= 0x80;
    }
    assert_int_equal(crypto_tenant_open(ring, &tenant, wrapped, &keys), 0);
    crypto_tenant_free(&keys);
    crypto_ring_free(&ring);
    crypto_ring_free(&other_ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_subkeys),
        cmocka_unit_test(tenant_key_binds),
    };
    return crypto_init() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
