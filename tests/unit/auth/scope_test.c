/* Scopes between bits and text: tables. */
#include "house.h"

static void text_is_read(void **state)
{
    static const struct {
        const char *text;
        int err;
        uint32_t scopes;
    } rows[] = {
        {"", 0, 0},
        {"   ", 0, 0},
        {"customers:create", 0, SCOPE_CUSTOMERS_CREATE},
        {"imports:read customers:create", 0, SCOPE_CUSTOMERS_CREATE | SCOPE_IMPORTS_READ},
        {" customers:read  customers:read ", 0, SCOPE_CUSTOMERS_READ},
        {"admin", 0, SCOPE_ADMIN},
        {"customers:create customers:creat", ERR_BAD_PARAMETER, 0},
        {"Customers:create", ERR_BAD_PARAMETER, 0},
        {"customers:create,customers:read", ERR_BAD_PARAMETER, 0},
        {"customers:create\tadmin", ERR_BAD_PARAMETER, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t scopes = 99;
        int err = auth_scopes_from_text(slice_from_text(rows[i].text), &scopes);
        if (err != rows[i].err || scopes != rows[i].scopes) {
            fail_msg("row %zu: %s gave %d, %u", i, rows[i].text, err, scopes);
        }
    }
}

static void bits_are_written(void **state)
{
    static const struct {
        uint32_t scopes;
        const char *text;
    } rows[] = {
        {0, ""},
        {SCOPE_CUSTOMERS_STATUS, "customers:status"},
        {SCOPE_ADMIN | SCOPE_CUSTOMERS_CREATE, "customers:create admin"},
        {SCOPE_ALL, "customers:create customers:read customers:update customers:status customers:erase "
                    "customers:export imports:read imports:undo admin"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text;
        buf_init(&text, 0);
        auth_scopes_to_text(rows[i].scopes, &text);
        assert_true(slice_equal_text(buf_view(&text), rows[i].text));
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read),
        cmocka_unit_test(bits_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
