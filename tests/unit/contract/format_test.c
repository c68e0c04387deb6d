/* The table of formats: what is no name in it, and that no format is hurt by what is hostile. */
#include "contract/format_rows.h"

#include "contract/contract.h"

/* Each name is found, with a test and what it expects; and a contract file may name it. */
static void names(void **state)
{
    static const struct {
        const char *name, *fits;
    } rows[] = {
        {"email", "a@b.c"},
        {"phone", "+12"},
        {"date", "2000-02-29"},
        {"date-time", "2000-02-29T23:59:59Z"},
        {"uri", "a:"},
        {"uuid", "00000000-0000-0000-0000-000000000000"},
        {"iso-3166-1-alpha-2", "CH"},
        {"iso-3166-1-alpha-3", "CHE"},
        {"language", "de"},
        {"time-zone", "Europe/Zurich"},
        {"did", "did:a:b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct format_row row = {rows[i].fits, true, 0};
        struct contract *contract = NULL;
        struct buf schema, why;
        format_run_rows(rows[i].name, &row, 1);
        buf_init(&schema, 0);
        buf_init(&why, 0);
        buf_printf(&schema, "{\"format\":\"%s\"}", rows[i].name);
        assert_int_equal(contract_compile_schema(buf_view(&schema), &contract, &why), 0);
        contract_free(&contract);
        buf_fini(&schema);
        buf_fini(&why);
    }
}

static void find(void **state)
{
    (void)state;
    assert_null(format_find(SLICE("")));
    assert_null(format_find(SLICE("Email")));
    assert_null(format_find(SLICE("emai")));
    assert_null(format_find(SLICE("email\0")));
    assert_null(format_find(SLICE_NONE));
}

/* No format, no wallet, takes a megabyte of anything, or nothing at all, and none takes long over it. */
static void hostile(void **state)
{
    static const char *const names[] = {
        "email",    "phone",     "date", "date-time", "uuid", "iso-3166-1-alpha-2", "iso-3166-1-alpha-3",
        "language", "time-zone", "uri",  "did"};
    static const char *const wallets[] = {"tezos",   "eip155", "aptos", "polkadot", "starknet", "cosmos", "solana",
                                          "cardano", "bip122", "xrpl",  "dash",     "tron",     "avax"};
    static const char fill[] = {0, '1', 'a', 'r', 'q', '"', '-', ':', '%', '.', '[', '+', (char)0xff, (char)0xc3};
    const size_t size = 1 << 20;
    char *text = malloc(size);
    (void)state;
    assert_non_null(text);
    for (size_t f = 0; f < sizeof(fill); f++) {
        memset(text, fill[f], size);
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            assert_false(format_find(slice_from_text(names[i]))->test(slice_make(text, size)));
            assert_false(format_find(slice_from_text(names[i]))->test(SLICE_NONE));
        }
        for (size_t i = 0; i < sizeof(wallets) / sizeof(wallets[0]); i++) {
            assert_false(format_wallet(slice_from_text(wallets[i]), slice_make(text, size)));
            assert_false(format_wallet(slice_from_text(wallets[i]), SLICE_NONE));
        }
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(find),
        cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
