/* Public keys of seeds: RFC 8032 section 7.1, whose first is also that of RFC 8037 appendix A. */
#include "crypto/sign.h"

#include "keys.h"

static void public_key_of_a_seed(void **state)
{
    (void)state;
    static const struct {
        const char *seed;
        const char *public_key;
    } rows[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t seed[32];
        uint8_t public_key[32];
        to_bytes(rows[i].seed, seed, sizeof seed);
        crypto_sign_public(seed, public_key);
        expect_hex(public_key, sizeof public_key, rows[i].public_key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_key_of_a_seed),
    };
    return crypto_init() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
