/* Keyed hashes: blind indexes, fingerprints, and the texts of tokens. */
#include "keys.h"

static void blind_and_fingerprint(void **state)
{
    (void)state;
    static const struct {
        enum identifier_kind kind;
        const char *mac;
    } rows[] = {
        {IDENTIFIER_EMAIL, "5a09419d9e0f559c608a4e52fefd47a9"},
        {IDENTIFIER_DID, "136ede88e39282a84f157178010bcf4a"},
    };
    struct crypto_tenant *keys = open_tenant();
    uint8_t mac[CRYPTO_MAC_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        crypto_blind(keys, rows[i].kind, SLICE("ada@example.org"), mac);
        expect_hex(mac, sizeof mac, rows[i].mac);
    }
    crypto_fingerprint(keys, SLICE("{\"id\":\"1\"}"), mac);
    expect_hex(mac, sizeof mac, "4d668dc91d3ce0a50be4a9153ef25d2c");
    crypto_fingerprint(keys, SLICE_NONE, mac);
    expect_hex(mac, sizeof mac, "6d7c6ba567ff2496e22e179655724940");
    crypto_tenant_free(&keys);
    assert_null(keys);
}

/* The same text under every kind, and under another tenant's keys, never comes to the same. */
static void kinds_and_tenants_do_not_meet(void **state)
{
    (void)state;
    uint8_t macs[2 * IDENTIFIER_KIND_COUNT][CRYPTO_MAC_BYTES];
    uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES];
    struct crypto_ring *ring = make_ring(0);
    struct crypto_tenant *keys[2] = {open_tenant(), NULL};
    size_t count = 0;
    crypto_tenant_key_make(ring, &tenant, wrapped);
    assert_int_equal(crypto_tenant_open(ring, &tenant, wrapped, &keys[1]), 0);
    for (size_t of = 0; of < 2; of++) {
        for (int kind = IDENTIFIER_NONE + 1; kind < IDENTIFIER_KIND_COUNT; kind++) {
            crypto_blind(keys[of], (enum identifier_kind)kind, SLICE("x"), macs[count++]);
        }
        crypto_fingerprint(keys[of], SLICE("x"), macs[count++]);
        crypto_tenant_free(&keys[of]);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(macs[i], macs[j], CRYPTO_MAC_BYTES);
        }
    }
    crypto_ring_free(&ring);
}

static void token_text(void **state)
{
    (void)state;
    struct buf token;
    buf_init(&token, 0);
    crypto_token_make("mk_", &token);
    crypto_token_make("mk_", &token);
    /* 32 bytes are 43 characters of base64url. */
    assert_int_equal(token.size, 2 * (3 + 43));
    assert_memory_equal(token.data, "mk_", 3);
    assert_memory_not_equal(token.data, token.data + 46, 46);
    buf_fini(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blind_and_fingerprint),
        cmocka_unit_test(kinds_and_tenants_do_not_meet),
        cmocka_unit_test(token_text),
    };
    return crypto_init() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
