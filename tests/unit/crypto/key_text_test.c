/* Forms in which a key is handed over, and what is near to one. */
#include "crypto/crypto.h"

#include "keys.h"

#define HEX    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define BASE64 "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
#define RAW    "0123456789abcdef0123456789abcde\n"

static void forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *key; /* NULL: none */
    } rows[] = {
        {HEX, HEX},
        {HEX "\n", HEX},
        {HEX "\r\n", HEX},
        {"9D61B19DEFFD5A60BA844AF492EC2CC44449C5697B326919703BAC031CAE7F60", HEX},
        {BASE64, HEX},
        {BASE64 "\n", HEX},
        {BASE64 "\r\n", HEX},
        {RAW, "303132333435363738396162636465663031323334353637383961626364650a"},
        {"", NULL},
        {"\n", NULL},
        {RAW "\n", NULL},
        {"0123456789abcdef0123456789abcde", NULL},
        {HEX "\n\n", NULL},
        {HEX "0", NULL},
        {" " HEX, NULL},
        {"0x" HEX, NULL},
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f6", NULL},
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f6g", NULL},
        {"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", NULL},
        {"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", NULL},
        {"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2AA", NULL},
        {"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf===", NULL},
    };
    static const uint8_t nothing[CRYPTO_KEY_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t key[CRYPTO_KEY_BYTES];
        memset(key, 7, sizeof key);
        assert_int_equal(crypto_key_from_text(slice_from_text(rows[i].text), key), rows[i].key == NULL ? ERR_KEY : 0);
        if (rows[i].key != NULL) {
            expect_hex(key, sizeof key, rows[i].key);
        } else {
            assert_memory_equal(key, nothing, sizeof key);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms)};
    return crypto_init() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
