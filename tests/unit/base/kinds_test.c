/* Names of kinds and scopes both ways. */
#include "base/kinds.h"

#include "../test.h"

static void names_both_ways(void **state)
{
    (void)state;
    for (int i = 1; i < IDENTIFIER_KIND_COUNT; i++) {
        assert_int_equal(identifier_kind_from_text(slice_from_text(identifier_kind_to_text((enum identifier_kind)i))),
                         i);
    }
    for (int i = 1; i < SECRET_KIND_COUNT; i++) {
        assert_int_equal(secret_kind_from_text(slice_from_text(secret_kind_to_text((enum secret_kind)i))), i);
    }
    for (int i = 1; i < CARD_ROLE_COUNT; i++) {
        assert_int_equal(card_role_from_text(slice_from_text(card_role_to_text((enum card_role)i))), i);
    }
    for (uint32_t bit = 1; bit < SCOPE_ALL; bit <<= 1) {
        assert_int_equal(scope_from_text(slice_from_text(scope_to_text(bit))), bit);
    }
}

static void unknown_is_none(void **state)
{
    (void)state;
    assert_int_equal(identifier_kind_from_text(SLICE("e-mail")), IDENTIFIER_NONE);
    assert_int_equal(secret_kind_from_text(SLICE_NONE), SECRET_NONE);
    assert_int_equal(card_role_from_text(SLICE("Name")), CARD_NONE);
    assert_int_equal(scope_from_text(SLICE("customers:")), 0);
    assert_null(scope_to_text(SCOPE_CUSTOMERS_CREATE | SCOPE_CUSTOMERS_READ));
    assert_null(identifier_kind_to_text(IDENTIFIER_KIND_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_both_ways), cmocka_unit_test(unknown_is_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
