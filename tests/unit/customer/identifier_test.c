/* Normal forms: spellings that must meet, things that must not, and what has nothing to index. */
#include "customer/customer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

struct row {
    enum identifier_kind kind;
    struct slice value;
    struct slice context;
    struct slice normal; /* no data: nothing to index */
};

#define S(literal)                                                                                                     \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    }
#define NOTHING                                                                                                        \
    {                                                                                                                  \
        NULL, 0                                                                                                        \
    }

static const struct row rows[] = {
    {IDENTIFIER_EXTERNAL_ID, S("A-1"), S("cyrexa"), S("cyrexa\0A-1")},
    {IDENTIFIER_EXTERNAL_ID, S(" A-1 "), S("cyrexa"), S("cyrexa\0 A-1 ")},
    {IDENTIFIER_EXTERNAL_ID, S("a-1"), S("nexera"), S("nexera\0a-1")},
    {IDENTIFIER_EXTERNAL_ID, S("a\0b\xff"), S("cyrexa"), S("cyrexa\0a\0b\xff")},
    {IDENTIFIER_EXTERNAL_ID, S(""), S("cyrexa"), NOTHING},
    {IDENTIFIER_EXTERNAL_ID, S(" \t"), S("cyrexa"), NOTHING},

    {IDENTIFIER_EMAIL, S("name@example.com"), S(""), S("name@example.com")},
    {IDENTIFIER_EMAIL, S(" Name@EXAMPLE.com\r\n"), S(""), S("name@example.com")},
    {IDENTIFIER_EMAIL, S("first.last+Tag@Example.com"), S(""), S("first.last+tag@example.com")},
    {IDENTIFIER_EMAIL, S("\xc3\x84@EXAMPLE.com"), S(""), S("\xc3\x84@example.com")},
    {IDENTIFIER_EMAIL, S("[@`{Z"), S(""), S("[@`{z")}, /* neighbours of the letters */
    {IDENTIFIER_EMAIL, S("<string>"), S(""), S("<string>")},
    {IDENTIFIER_EMAIL, S("\xff\xc0"), S(""), S("\xff\xc0")},
    {IDENTIFIER_EMAIL, S("a\0B"), S(""), S("a\0b")},
    {IDENTIFIER_EMAIL, S(""), S(""), NOTHING},
    {IDENTIFIER_EMAIL, S(" \t\n\v\f\r"), S(""), NOTHING},

    {IDENTIFIER_PHONE, S("+14155552671"), S(""), S("+14155552671")},
    {IDENTIFIER_PHONE, S(" +1 (415) 555-2671 "), S(""), S("+14155552671")},
    {IDENTIFIER_PHONE, S("+1.415.555/2671"), S(""), S("+14155552671")},
    {IDENTIFIER_PHONE, S("001 415 555 2671"), S(""), S("+14155552671")},
    {IDENTIFIER_PHONE, S("(00) 1 415 555 2671"), S(""), S("+14155552671")},
    {IDENTIFIER_PHONE, S("0-0-1"), S(""), S("+1")},
    {IDENTIFIER_PHONE, S("0415 555"), S(""), S("0415555")},
    {IDENTIFIER_PHONE, S("0"), S(""), S("0")},
    {IDENTIFIER_PHONE, S("00"), S(""), S("+")},
    {IDENTIFIER_PHONE, S("+0041"), S(""), S("+0041")},
    {IDENTIFIER_PHONE, S("+1 415 x12"), S(""), S("+1415x12")},
    {IDENTIFIER_PHONE, S("<string>"), S(""), S("<string>")},
    {IDENTIFIER_PHONE, S(" n/a "), S(""), S("n/a")},
    {IDENTIFIER_PHONE, S("---"), S(""), S("---")},
    {IDENTIFIER_PHONE, S("  "), S(""), NOTHING},

    {IDENTIFIER_WALLET, S("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), S("eip155"),
     S("eip155\0"
       "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")},
    {IDENTIFIER_WALLET, S("0X00AB"), S("eip155"),
     S("eip155\0"
       "0x00ab")},
    {IDENTIFIER_WALLET, S("0x000A"), S("aptos"),
     S("aptos\0"
       "0xa")},
    {IDENTIFIER_WALLET, S("0XA"), S("aptos"),
     S("aptos\0"
       "0xa")},
    {IDENTIFIER_WALLET, S("0x0"), S("starknet"),
     S("starknet\0"
       "0x0")},
    {IDENTIFIER_WALLET, S("0x0000"), S("starknet"),
     S("starknet\0"
       "0x0")},
    {IDENTIFIER_WALLET, S("0x"), S("starknet"),
     S("starknet\0"
       "0x")},
    {IDENTIFIER_WALLET, S("00A"), S("starknet"),
     S("starknet\0"
       "00a")},
    {IDENTIFIER_WALLET, S("COSMOS1T2U"), S("cosmos"), S("cosmos\0cosmos1t2u")},
    {IDENTIFIER_WALLET, S("Cosmos1T2U"), S("cosmos"), S("cosmos\0Cosmos1T2U")},
    {IDENTIFIER_WALLET, S("ADDR1VX2"), S("cardano"), S("cardano\0addr1vx2")},
    {IDENTIFIER_WALLET, S("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"), S("bip122"),
     S("bip122\0bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")},
    {IDENTIFIER_WALLET, S("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), S("bip122"),
     S("bip122\0"
       "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")},
    {IDENTIFIER_WALLET, S("X-AVAX1TZ"), S("avax"), S("avax\0X-avax1tz")},
    {IDENTIFIER_WALLET, S("P-avax1tz"), S("avax"), S("avax\0P-avax1tz")},
    {IDENTIFIER_WALLET, S("0xAB"), S("avax"),
     S("avax\0"
       "0xab")},
    {IDENTIFIER_WALLET, S("X"), S("avax"), S("avax\0X")},
    {IDENTIFIER_WALLET, S(" TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t "), S("tron"),
     S("tron\0TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")},
    {IDENTIFIER_WALLET, S("tz1VSU"), S("tezos"), S("tezos\0tz1VSU")},
    {IDENTIFIER_WALLET, S("0.0.1234"), S("hedera"),
     S("hedera\0"
       "0.0.1234")},
    {IDENTIFIER_WALLET, S("string"), S(""), S("\0string")},
    {IDENTIFIER_WALLET, S("a\0B\xff"), S("eip155"), S("eip155\0a\0b\xff")},
    {IDENTIFIER_WALLET, S(""), S("eip155"), NOTHING},

    {IDENTIFIER_DID, S(" did:web:Example.com:Alice\n"), S(""), S("did:web:Example.com:Alice")},
    {IDENTIFIER_DID, S("string"), S(""), S("string")},
    {IDENTIFIER_DID, S(" "), S(""), NOTHING},

    {IDENTIFIER_NONE, S("x"), S(""), NOTHING},
    {IDENTIFIER_KIND_COUNT, S("x"), S(""), NOTHING},
};

static void normalise(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out;
        buf_init(&out, 0);
        buf_append_text(&out, "front"); /* it appends */
        bool some = customer_identifier_normalise(rows[i].kind, rows[i].value, rows[i].context, &out);
        struct slice normal = slice_from(buf_view(&out), 5);
        if (some != (rows[i].normal.size > 0) || !slice_equal(normal, rows[i].normal))
            fail_msg("row %zu: \"%.*s\" became \"%.*s\"", i, SLICE_ARG(rows[i].value), SLICE_ARG(normal));
        buf_fini(&out);
    }
}

/* A normal form is its own normal form, or a lookup with it would miss. */
static void idempotent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out;
        size_t skip =
            rows[i].kind == IDENTIFIER_EXTERNAL_ID || rows[i].kind == IDENTIFIER_WALLET ? rows[i].context.size + 1 : 0;
        if (rows[i].normal.data == NULL)
            continue;
        buf_init(&out, 0);
        assert_true(
            customer_identifier_normalise(rows[i].kind, slice_from(rows[i].normal, skip), rows[i].context, &out));
        assert_true(slice_equal(buf_view(&out), rows[i].normal));
        buf_fini(&out);
    }
}

static void large(void **state)
{
    const size_t size = 1 << 20;
    char *text = malloc(size);
    (void)state;
    assert_non_null(text);
    memset(text, '0', size);
    for (int kind = IDENTIFIER_EXTERNAL_ID; kind < IDENTIFIER_KIND_COUNT; kind++) {
        struct buf out;
        buf_init(&out, 0);
        assert_true(
            customer_identifier_normalise((enum identifier_kind)kind, slice_make(text, size), SLICE("x"), &out));
        assert_int_equal(buf_error(&out), 0);
        assert_true(out.size >= size - 1);
        buf_fini(&out);
    }
    free(text);
}

/* A buffer that can't take it remembers that; the caller asks once, at the end. */
static void too_small(void **state)
{
    (void)state;
    for (int kind = IDENTIFIER_EXTERNAL_ID; kind < IDENTIFIER_KIND_COUNT; kind++) {
        struct buf out;
        buf_init(&out, 4);
        assert_true(customer_identifier_normalise((enum identifier_kind)kind, SLICE("0x12345"), SLICE("eip155"), &out));
        assert_int_equal(buf_error(&out), ERR_TOO_LARGE);
        buf_fini(&out);
    }
}

static void unique(void **state)
{
    (void)state;
    for (int kind = IDENTIFIER_NONE; kind <= IDENTIFIER_KIND_COUNT; kind++)
        assert_int_equal(customer_identifier_is_unique((enum identifier_kind)kind), kind == IDENTIFIER_EXTERNAL_ID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalise), cmocka_unit_test(idempotent), cmocka_unit_test(large),
        cmocka_unit_test(too_small), cmocka_unit_test(unique),
    };
    return cmocka_run_group_tests_name("customer/identifier", tests, NULL, NULL);
}
