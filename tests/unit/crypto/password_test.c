/*
 * Whether a plain password is what a hash was made of. The vectors are those of the schemes' own
 * specifications: RFC 7914 (scrypt, PBKDF2 with SHA-256), RFC 6070 (PBKDF2 with SHA-1), the reference
 * tests of Argon2, crypt_blowfish and crypt(5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/limits.h"
#include "crypto/crypto.h"

#define SALT     "$c29tZXNhbHQ$"
#define DIGEST16 "AAAAAAAAAAAAAAAAAAAAAA"
#define BCRYPT53 "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

static struct crypto_ring *ring;

static void verify_given(void **state)
{
    (void)state;
    static const struct {
        const char *plain;
        const char *hash;
    } rows[] = {
        {"password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
        {"password", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"},
        {"password", "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ"},
        {"password", "$argon2d$v=19$m=256,t=2,p=4$c29tZXNhbHQ$PlUse1FQ+lgrnuMne1oTmXNf4r7rEHlXUcM+R1k9VSg"},
        {"password",
         "$argon2id$v=19$m=4096,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$UmxF4EOF4Ik7C8RwskVT44BxYzdJlrNcoS56mfG485g"},
        {"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
        {"U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
        {"U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
        /* The same with a bit in the salt that bcrypt does not read. */
        {"U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
        {"U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"},
        {"", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"},
        {"password", "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/"
                     "xCSedmDDaxyevuUqD7m2DYMvfoswGQA"},
        {"pleaseletmein", "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+"
                          "qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw"},
        {"pleaseletmein", "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D"},
        {"password", "$pbkdf2$i=4096$c2FsdA$SwB5AbdlSJq+rUnZJvch0GWkKcE"},
        {"passwd", "$pbkdf2-sha256$i=1,l=64$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM8Xm2RZkWZLOdd+"
                   "8xfHG4RbHjC9UJESBB06GXgw"},
        {"Password", "$pbkdf2-sha256$80000$TmFDbA$TdzY9guYviGDDO5e8icB.WQaRBjQTAQUrv8Ih2s0q1ah1CWhIlgzVJrbhBtRybMXaicr"
                     "3ruh0HhHj2Kzl/M8jQ"},
        {"password", "$pbkdf2-sha512$i=10000$c2FsdFNBTFRzYWx0U0FMVA$L1yc3aZeJcxIrgoJ8j+"
                     "w3UCzBCsDwGD27kvSDfzvvn4WKVXMiJnbZolcHwZ4xnoxezY/VPnZNzzYEhCD3AHeWw"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice hash = slice_from_text(rows[i].hash);
        bool match = false;
        int err = crypto_password_verify(ring, hash, false, slice_from_text(rows[i].plain), &match);
        if (err != 0 || !match) {
            fail_msg("%s: %d, match %d", rows[i].hash, err, match);
        }
        assert_int_equal(crypto_password_verify(ring, hash, false, SLICE("wrong"), &match), 0);
        assert_false(match);
        /* A NUL ends a C text, not a password. (HMAC fills its key with zeros, so PBKDF2 and scrypt can't tell.) */
        char longer[32] = {0};
        memcpy(longer, rows[i].plain, strlen(rows[i].plain));
        struct slice plain = {longer, strlen(rows[i].plain) + 1};
        enum crypto_hash_form form = crypto_hash_recognise(hash);
        assert_int_equal(crypto_password_verify(ring, hash, false, plain, &match), 0);
        assert_int_equal(match, form == CRYPTO_HASH_SCRYPT || form == CRYPTO_HASH_PBKDF2);
    }
}

/* Costs that would stop a server are refused before anything is computed. */
static void verify_bounds(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "not a hash",
        "$argon2id$v=19$m=262145,t=1,p=1" SALT DIGEST16,
        "$argon2id$v=19$m=262144,t=5,p=1" SALT DIGEST16,
        "$argon2id$v=19$m=4294967295,t=4294967295,p=4294967295" SALT DIGEST16,
        "$argon2id$v=19$m=8,t=1,p=2" SALT DIGEST16,
        "$argon2id$v=19$m=1024,t=1,p=65" SALT DIGEST16,
        "$argon2id$v=19$m=1024,t=0,p=1" SALT DIGEST16,
        "$argon2id$v=19$m=1024,t=1,p=0" SALT DIGEST16,
        "$2b$16$" BCRYPT53,
        "$scrypt$ln=0,r=8,p=1" SALT DIGEST16,
        "$scrypt$ln=19,r=8,p=1" SALT DIGEST16,
        "$scrypt$ln=64,r=8,p=1" SALT DIGEST16,
        "$scrypt$ln=14,r=0,p=1" SALT DIGEST16,
        "$scrypt$ln=14,r=8,p=0" SALT DIGEST16,
        "$scrypt$ln=14,r=8,p=65" SALT DIGEST16,
        "$scrypt$ln=28,r=4294967295,p=4294967295" SALT DIGEST16,
        "$7$z6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
        "$pbkdf2$i=0" SALT DIGEST16,
        "$pbkdf2$i=3000001" SALT DIGEST16,
        "$pbkdf2-sha512$i=4294967295" SALT DIGEST16,
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool match = true;
        int err = crypto_password_verify(ring, slice_from_text(rows[i]), false, SLICE("password"), &match);
        if (err != ERR_BAD_PARAMETER || match) {
            fail_msg("%s: %d, match %d", rows[i], err, match);
        }
    }
}

static void hash_and_verify(void **state)
{
    (void)state;
    uint8_t root[CRYPTO_KEY_BYTES] = {1};
    struct crypto_ring *other = crypto_ring_new(root);
    assert_non_null(other);
    struct buf first;
    struct buf second;
    buf_init(&first, 0);
    buf_init(&second, 0);
    bool match;
    assert_int_equal(crypto_password_hash(ring, SLICE("correct horse"), &first), 0);
    assert_int_equal(crypto_password_hash(ring, SLICE("correct horse"), &second), 0);
    assert_false(slice_equal(buf_view(&first), buf_view(&second)));
    assert_true(slice_starts(buf_view(&first), SLICE("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_int_equal(crypto_hash_recognise(buf_view(&first)), CRYPTO_HASH_ARGON2);

    const struct {
        const struct crypto_ring *ring;
        bool peppered;
        struct slice plain;
        bool match;
    } rows[] = {
        {ring, true, SLICE("correct horse"), true},
        {ring, true, SLICE("correct hors"), false},
        {ring, true, SLICE_NONE, false},
        {ring, false, SLICE("correct horse"), false},
        {other, true, SLICE("correct horse"), false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(
            crypto_password_verify(rows[i].ring, buf_view(&first), rows[i].peppered, rows[i].plain, &match), 0);
        assert_int_equal(match, rows[i].match);
    }
    buf_fini(&first);
    buf_fini(&second);
    crypto_ring_free(&other);
}

static void hash_nothing_and_much(void **state)
{
    (void)state;
    static char much[LIMIT_STRING_BYTES + 1];
    struct buf hash;
    bool match;
    buf_init(&hash, 0);
    assert_int_equal(crypto_password_hash(ring, SLICE_NONE, &hash), 0);
    assert_int_equal(crypto_password_verify(ring, buf_view(&hash), true, SLICE(""), &match), 0);
    assert_true(match);
    int err = crypto_password_verify(ring, buf_view(&hash), true, slice_make(much, sizeof much), &match);
    assert_int_equal(err, ERR_BAD_PARAMETER);
    buf_fini(&hash);
    buf_init(&hash, 10);
    assert_int_equal(crypto_password_hash(ring, SLICE("x"), &hash), ERR_TOO_LARGE);
    buf_fini(&hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_given),
        cmocka_unit_test(verify_bounds),
        cmocka_unit_test(hash_and_verify),
        cmocka_unit_test(hash_nothing_and_much),
    };
    uint8_t root[CRYPTO_KEY_BYTES] = {0};
    if (crypto_init() != 0 || (ring = crypto_ring_new(root)) == NULL) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    crypto_ring_free(&ring);
    return failed;
}
