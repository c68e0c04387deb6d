/* Sealing: the bytes by purpose, and everything that does not open. */
#include "keys.h"

static const char *const sealed_hex[CRYPTO_PURPOSE_COUNT] = {
    [CRYPTO_BODY] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                    "eb3e4cbaa5ac6e63de90980e8b6db3c724dc4dfc4bc092b1aa4505",
    [CRYPTO_SECRET] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                      "6ff9fdd60becfc1bb9354daff897da388a8a7a8646eeb20243c772",
    [CRYPTO_ENVELOPE] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                        "671bed03c5f375f79db6cdbfc54e501eca80c9fbf5b06a6f2979b5",
    [CRYPTO_REFUSED] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                       "910840cd165408b5941c8aafec38933f7ba14fa08fee2a31716834",
    [CRYPTO_SPOOL] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                     "832c131811ccba7dc0e6620629bf72c23a969efea760953d0f75e6",
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal_by_purpose),
        cmocka_unit_test(open_refuses),
        cmocka_unit_test(open_into_full_buffer),
        cmocka_unit_test(seal_nothing_and_in_place),
    };
    return crypto_init() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
