/*
 * The key hierarchy and what is made with its keys, against values computed from the definitions
 * (BLAKE2b of RFC 7693, XChaCha20-Poly1305, SipHash-2-4-128) by an independent program. They are
 * stored in every installation: a change here makes stored data unreadable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "crypto/crypto.h"

/* 00 01 02 … */
static struct crypto_ring *make_ring(uint8_t first)
{
    uint8_t root[CRYPTO_KEY_BYTES];
    for (size_t i = 0; i < sizeof root; i++) {
        root[i] = (uint8_t)(first + i);
    }
    struct crypto_ring *ring = crypto_ring_new(root);
    assert_non_null(ring);
    return ring;
}

static const struct uuid tenant = {
    {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f}};

static void to_bytes(const char *hex, uint8_t *bytes, size_t size)
{
    assert_int_equal(strlen(hex), 2 * size);
    for (size_t i = 0; i < size; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

static void expect_hex(const uint8_t *bytes, size_t size, const char *hex)
{
    uint8_t expected[128];
    assert_true(size <= sizeof expected);
    to_bytes(hex, expected, size);
    assert_memory_equal(bytes, expected, size);
}

/* The tenant key 80 81 82 … 9f under the ring 00 01 … 1f, nonce 40 41 … 57. */
static const char wrapped_hex[] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                                  "7827e47ac5d42332fb645a3af867d68de8a17f49d91189cc7907cd8f6ab2b040"
                                  "09c1cb747b1821e99e533571f360f948";

static struct crypto_tenant *open_tenant(void)
{
    struct crypto_ring *ring = make_ring(0);
    uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES];
    struct crypto_tenant *keys;
    to_bytes(wrapped_hex, wrapped, sizeof wrapped);
    assert_int_equal(crypto_tenant_open(ring, &tenant, wrapped, &keys), 0);
    crypto_ring_free(&ring);
    assert_null(ring);
    return keys;
}

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

static const char *const sealed_hex[CRYPTO_PURPOSE_COUNT] = {
    [CRYPTO_BODY] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                    "eb3e4cbaa5ac6e63de90980e8b6db3c724dc4dfc4bc092b1aa4505",
    [CRYPTO_SECRET] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                      "6ff9fdd60becfc1bb9354daff897da388a8a7a8646eeb20243c772",
    [CRYPTO_ENVELOPE] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                        "671bed03c5f375f79db6cdbfc54e501eca80c9fbf5b06a6f2979b5",
};

#define PLAIN       SLICE("plain bytes")
#define SEALED_SIZE (CRYPTO_SEAL_BYTES + sizeof "plain bytes" - 1)

static void seal_by_purpose(void **state)
{
    (void)state;
    struct crypto_tenant *keys = open_tenant();
    struct buf out;
    buf_init(&out, 0);
    uint8_t sealed[SEALED_SIZE];
    for (size_t purpose = 0; purpose < CRYPTO_PURPOSE_COUNT; purpose++) {
        to_bytes(sealed_hex[purpose], sealed, sizeof sealed);
        buf_clear(&out);
        crypto_seal(keys, (enum crypto_purpose)purpose, sealed, SLICE("front"), PLAIN, &out);
        assert_int_equal(out.size, sizeof sealed);
        assert_memory_equal(out.data, sealed, sizeof sealed);
        for (size_t other = 0; other < CRYPTO_PURPOSE_COUNT; other++) {
            struct slice box = slice_make(sealed, sizeof sealed);
            int err = crypto_open(keys, (enum crypto_purpose)other, SLICE("front"), box, &out);
            assert_int_equal(err, other == purpose ? 0 : ERR_KEY);
        }
        assert_true(slice_equal(slice_from(buf_view(&out), sizeof sealed), PLAIN));
    }
    buf_fini(&out);
    crypto_tenant_free(&keys);
}

static void open_refuses(void **state)
{
    (void)state;
    struct crypto_tenant *keys = open_tenant();
    uint8_t sealed[SEALED_SIZE];
    struct buf out;
    to_bytes(sealed_hex[CRYPTO_BODY], sealed, sizeof sealed);
    buf_init(&out, 0);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct slice box = slice_make(sealed, sizeof sealed);
        assert_int_equal(crypto_open(keys, CRYPTO_BODY, SLICE("front"), box, &out), ERR_KEY);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < sizeof sealed; size++) {
        assert_int_equal(crypto_open(keys, CRYPTO_BODY, SLICE("front"), slice_make(sealed, size), &out), ERR_KEY);
    }
    assert_int_equal(crypto_open(keys, CRYPTO_BODY, SLICE("frond"), slice_make(sealed, sizeof sealed), &out), ERR_KEY);
    assert_int_equal(out.size, 0);
    buf_fini(&out);
    crypto_tenant_free(&keys);
}

static void open_into_full_buffer(void **state)
{
    (void)state;
    struct crypto_tenant *keys = open_tenant();
    uint8_t sealed[SEALED_SIZE];
    struct buf out;
    to_bytes(sealed_hex[CRYPTO_BODY], sealed, sizeof sealed);
    buf_init(&out, 4);
    int err = crypto_open(keys, CRYPTO_BODY, SLICE("front"), slice_make(sealed, sizeof sealed), &out);
    assert_int_equal(err, ERR_TOO_LARGE);
    crypto_seal(keys, CRYPTO_BODY, sealed, SLICE_NONE, SLICE_NONE, &out);
    assert_int_equal(out.size, 0);
    buf_fini(&out);
    crypto_tenant_free(&keys);
}

static void seal_nothing_and_in_place(void **state)
{
    (void)state;
    struct crypto_tenant *keys = open_tenant();
    uint8_t nonce[CRYPTO_NONCE_BYTES] = {0x40};
    struct buf out;
    struct buf plain;
    buf_init(&out, 0);
    buf_init(&plain, 0);
    crypto_seal(keys, CRYPTO_BODY, nonce, SLICE_NONE, SLICE_NONE, &out);
    assert_int_equal(crypto_open(keys, CRYPTO_BODY, SLICE_NONE, buf_view(&out), &plain), 0);
    assert_int_equal(plain.size, 0);

    buf_clear(&out);
    assert_int_equal(buf_reserve(&out, 1000), 0);
    memset(out.data + CRYPTO_NONCE_BYTES, 'x', 500);
    crypto_seal(keys, CRYPTO_BODY, nonce, SLICE_NONE, slice_make(out.data + CRYPTO_NONCE_BYTES, 500), &out);
    assert_int_equal(crypto_open(keys, CRYPTO_BODY, SLICE_NONE, buf_view(&out), &plain), 0);
    assert_int_equal(plain.size, 500);
    for (size_t i = 0; i < plain.size; i++) {
        assert_int_equal(plain.data[i], 'x');
    }
    buf_fini(&out);
    buf_fini(&plain);
    crypto_tenant_free(&keys);
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
        cmocka_unit_test(ring_subkeys),          cmocka_unit_test(blind_and_fingerprint),
        cmocka_unit_test(seal_by_purpose),       cmocka_unit_test(open_refuses),
        cmocka_unit_test(open_into_full_buffer), cmocka_unit_test(seal_nothing_and_in_place),
        cmocka_unit_test(tenant_key_binds),      cmocka_unit_test(token_text),
    };
    return crypto_init() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
