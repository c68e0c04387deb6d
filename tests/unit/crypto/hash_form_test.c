/*
 * Which texts are hashes, and what their parts are. The forms are those of the PHC string format,
 * crypt(5) and passlib.
 */
#include "crypto/hash_priv.h"

#include "../test.h"

#define SALT     "$c29tZXNhbHQ$"
#define DIGEST16 "AAAAAAAAAAAAAAAAAAAAAA"
#define BCRYPT53 "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

struct form_row {
    const char *text;
    enum crypto_hash_form form;
};

static void recognise(void **state)
{
    (void)state;
    static const struct form_row rows[] = {
        {"$argon2id$v=19$m=65536,t=3,p=4" SALT DIGEST16, CRYPTO_HASH_ARGON2},
        {"$argon2i$m=65536,t=3,p=4" SALT DIGEST16, CRYPTO_HASH_ARGON2},
        {"$argon2d$v=16$m=4294967295,t=1,p=1" SALT DIGEST16, CRYPTO_HASH_ARGON2},
        {"$2a$04$" BCRYPT53, CRYPTO_HASH_BCRYPT},
        {"$2b$31$" BCRYPT53, CRYPTO_HASH_BCRYPT},
        {"$2y$10$" BCRYPT53, CRYPTO_HASH_BCRYPT},
        {"$scrypt$ln=16,r=8,p=1" SALT DIGEST16, CRYPTO_HASH_SCRYPT},
        {"$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D", CRYPTO_HASH_SCRYPT},
        {"$pbkdf2-sha256$i=6400" SALT DIGEST16, CRYPTO_HASH_PBKDF2},
        {"$pbkdf2-sha512$i=6400,l=16" SALT DIGEST16, CRYPTO_HASH_PBKDF2},
        {"$pbkdf2$131000" SALT DIGEST16, CRYPTO_HASH_PBKDF2},
        {"$pbkdf2-sha256$29000$c29tZXNhb..$.AAAAAAAAAAAAAAAAAAAAA", CRYPTO_HASH_NONE}, /* bits left over */
        {"$pbkdf2-sha256$29000$c29tZX.hbHQ$..AAAAAAAAAAAAAAAAAAAA", CRYPTO_HASH_PBKDF2},
        {"$pbkdf2-sha256$i=29000$c29tZX.hbHQ$..AAAAAAAAAAAAAAAAAAAA", CRYPTO_HASH_NONE},
        {"$pbkdf2-sha256$29000$c29tZX+hbHQ$++AAAAAAAAAAAAAAAAAAAA", CRYPTO_HASH_NONE},

        {"", CRYPTO_HASH_NONE},
        {"$", CRYPTO_HASH_NONE},
        {"$ecret", CRYPTO_HASH_NONE},
        {"$2b$", CRYPTO_HASH_NONE},
        {"$2b$1", CRYPTO_HASH_NONE},
        {"$2x$10$" BCRYPT53, CRYPTO_HASH_NONE},
        {"$2b$03$" BCRYPT53, CRYPTO_HASH_NONE},
        {"$2b$32$" BCRYPT53, CRYPTO_HASH_NONE},
        {"$2b$1x$" BCRYPT53, CRYPTO_HASH_NONE},
        {"$2b$10$" BCRYPT53 "W", CRYPTO_HASH_NONE},
        {"$2b$10$-CCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", CRYPTO_HASH_NONE},
        {" $2b$10$" BCRYPT53, CRYPTO_HASH_NONE},
        {"$argon2id$", CRYPTO_HASH_NONE},
        {"$argon2$v=19$m=65536,t=3,p=4" SALT DIGEST16, CRYPTO_HASH_NONE},
        {"$argon2id$v=18$m=65536,t=3,p=4" SALT DIGEST16, CRYPTO_HASH_NONE},
        {"$argon2id$v=19$m=065536,t=3,p=4" SALT DIGEST16, CRYPTO_HASH_NONE},
        {"$argon2id$v=19$m=4294967296,t=3,p=4" SALT DIGEST16, CRYPTO_HASH_NONE},
        {"$argon2id$v=19$m=-1,t=3,p=4" SALT DIGEST16, CRYPTO_HASH_NONE},
        {"$argon2id$v=19$t=3,m=65536,p=4" SALT DIGEST16, CRYPTO_HASH_NONE},
        {"$argon2id$v=19$m=65536,t=3,p=4" SALT DIGEST16 "=", CRYPTO_HASH_NONE},
        {"$argon2id$v=19$m=65536,t=3,p=4" SALT DIGEST16 "$", CRYPTO_HASH_NONE},
        {"$argon2id$v=19$m=65536,t=3,p=4" SALT DIGEST16 "\n", CRYPTO_HASH_NONE},
        {"$argon2id$v=19$m=65536,t=3,p=4" SALT "AAAA", CRYPTO_HASH_NONE},
        {"$argon2id$v=19$m=65536,t=3,p=4$$" DIGEST16, CRYPTO_HASH_NONE},
        {"$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$" DIGEST16, CRYPTO_HASH_NONE},
        {"$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ", CRYPTO_HASH_NONE},
        {"$scrypt$ln=16,r=8" SALT DIGEST16, CRYPTO_HASH_NONE},
        {"$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8z", CRYPTO_HASH_NONE}, /* bits */
        {"$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8", CRYPTO_HASH_NONE},
        {"$7$C6..../....$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D", CRYPTO_HASH_NONE},
        {"$pbkdf2-sha512$i=6400,l=17" SALT DIGEST16, CRYPTO_HASH_NONE},
        {"$pbkdf2-sha512$6400,l=16" SALT DIGEST16, CRYPTO_HASH_NONE},
        {"$pbkdf2-md5$i=6400" SALT DIGEST16, CRYPTO_HASH_NONE},
        {"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1",
         CRYPTO_HASH_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum crypto_hash_form form = crypto_hash_recognise(slice_from_text(rows[i].text));
        if (form != rows[i].form) {
            fail_msg("%s: %d instead of %d", rows[i].text, (int)form, (int)rows[i].form);
        }
    }
}

/* Cut short anywhere, a hash of any form is a plain secret. */
static void recognise_whole(void **state)
{
    (void)state;
    static const struct form_row rows[] = {
        {"$argon2id$v=19$m=65536,t=3,p=4" SALT DIGEST16, CRYPTO_HASH_ARGON2},
        {"$2a$04$" BCRYPT53, CRYPTO_HASH_BCRYPT},
        {"$scrypt$ln=16,r=8,p=1" SALT DIGEST16, CRYPTO_HASH_SCRYPT},
        {"$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D", CRYPTO_HASH_SCRYPT},
        {"$pbkdf2-sha256$i=6400" SALT DIGEST16, CRYPTO_HASH_PBKDF2},
    };
    char long_salt[600];
    memset(long_salt, 'A', sizeof long_salt);
    memcpy(long_salt, "$pbkdf2$1$", 10);
    memcpy(long_salt + sizeof long_salt - 23, "$" DIGEST16, 23);
    assert_int_equal(crypto_hash_recognise(slice_make(long_salt, sizeof long_salt)), CRYPTO_HASH_NONE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice text = slice_from_text(rows[i].text);
        assert_int_equal(crypto_hash_recognise(text), rows[i].form);
        for (size_t size = 0; size < text.size; size++) {
            assert_int_equal(crypto_hash_recognise((struct slice){text.data, size}), CRYPTO_HASH_NONE);
        }
    }
}

/* Numbers, salt and digest of each form, as they go into the computation. */
static void parts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum hash_scheme scheme;
        uint32_t version;
        uint64_t cost, passes, lanes;
        size_t salt_size;
        uint8_t salt_first; /* 0 when there is none */
        size_t digest_size;
        uint8_t digest_last;
    } rows[] = {
        {"$argon2id$v=19$m=65536,t=3,p=4" SALT DIGEST16, HASH_ARGON2ID, 19, 65536, 3, 4, 8, 's', 16, 0},
        {"$argon2i$m=8,t=1,p=1" SALT "AAAAAAAAAAAAAAAAAAAAAQ", HASH_ARGON2I, 16, 8, 1, 1, 8, 's', 16, 1},
        {"$argon2d$v=16$m=8,t=4294967295,p=0" SALT DIGEST16, HASH_ARGON2D, 16, 8, 4294967295, 0, 8, 's', 16, 0},
        {"$2y$31$" BCRYPT53, HASH_BCRYPT, 0, 31, 0, 0, 0, 0, 0, 0},
        {"$scrypt$ln=16,r=8,p=1$/w$" DIGEST16, HASH_SCRYPT, 0, 16, 8, 1, 1, 0xff, 16, 0},
        /* crypt(5): N is 'C' = 14, r 6 and p 1 of five digits each, the salt is its text */
        {"$7$C4..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D", HASH_SCRYPT, 0, 14, 6, 1, 14, 'S',
         32, 0xf2},
        {"$7$/./......./Salt$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D", HASH_SCRYPT, 0, 1, 64, 16777216, 4, 'S', 32,
         0xf2},
        {"$pbkdf2$131000" SALT DIGEST16, HASH_PBKDF2_SHA1, 0, 131000, 0, 0, 8, 's', 16, 0},
        {"$pbkdf2-sha256$29000$.A$.....................w", HASH_PBKDF2_SHA256, 0, 29000, 0, 0, 1, 0xf8, 16, 0xfb},
        {"$pbkdf2-sha512$i=6400,l=16" SALT DIGEST16, HASH_PBKDF2_SHA512, 0, 6400, 0, 0, 8, 's', 16, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct hash_parts got;
        if (!hash_parse(slice_from_text(rows[i].text), &got)) {
            fail_msg("row %zu: %s is no hash", i, rows[i].text);
        }
        assert_int_equal(got.scheme, rows[i].scheme);
        assert_int_equal(got.version, rows[i].version);
        assert_int_equal(got.cost, rows[i].cost);
        assert_int_equal(got.passes, rows[i].passes);
        assert_int_equal(got.lanes, rows[i].lanes);
        assert_int_equal(got.salt_size, rows[i].salt_size);
        assert_int_equal(got.salt[0], rows[i].salt_first);
        assert_int_equal(got.digest_size, rows[i].digest_size);
        assert_int_equal(got.digest_size == 0 ? 0 : got.digest[got.digest_size - 1], rows[i].digest_last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recognise),
        cmocka_unit_test(recognise_whole),
        cmocka_unit_test(parts),
    };
    return crypto_init() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
