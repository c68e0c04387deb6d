/* Verifying: pending, ready and given secrets, several of a kind, and what must never match. */
#include "../intake/fixture.h"

#include <stdlib.h>
#include <time.h>

#include "../test.h"
#include "ids.h"

static struct uuid post(struct fixture *fixture, const char *body)
{
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa"};
    struct uuid id = {{0}};
    fixture_post(fixture, &batch, &options, slice_from_text(body));
    assert_int_equal(batch.answer.error, 0);
    assert_true(first_id(&batch.reply, &id));
    fixture_end(&batch);
    return id;
}

/* The test vector of OpenBSD's crypt_blowfish for "U*U" (cost 5). */
#define BCRYPT_HASH  "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
#define BCRYPT_PLAIN "U*U"

static void kinds(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum secret_kind kind;
        const char *value;
        bool match;
    } rows[] = {
        {"[{\"person\":{\"password\":\"right\"}}]", SECRET_PASSWORD, "right", true},
        {"[{\"person\":{\"password\":\"right\"}}]", SECRET_PASSWORD, "Right", false},
        {"[{\"person\":{\"password\":\"right\"}}]", SECRET_PASSWORD, "righ", false},
        {"[{\"person\":{\"password\":\"right\"}}]", SECRET_PASSWORD, "", false},
        {"[{\"person\":{\"password\":\"right\"}}]", SECRET_PIN, "right", false},
        {"[{\"person\":{\"pinCode\":\"0000\",\"password\":\"p\"}}]", SECRET_PIN, "0000", true},
        {"[{\"person\":{\"pinCode\":\"0000\",\"password\":\"p\"}}]", SECRET_PIN, "p", false},
        {"[{\"person\":{\"SecretQuestion\":[{\"answer\":\"one\"},{\"answer\":\"two\"}]}}]", SECRET_ANSWER, "two", true},
        {"[{\"person\":{\"SecretQuestion\":[{\"answer\":\"one\"},{\"answer\":\"two\"}]}}]", SECRET_ANSWER, "three",
         false},
        {"[{\"person\":{\"password\":\"" BCRYPT_HASH "\"}}]", SECRET_PASSWORD, BCRYPT_PLAIN, true},
        {"[{\"person\":{\"password\":\"" BCRYPT_HASH "\"}}]", SECRET_PASSWORD, BCRYPT_HASH, false},
        {"[{\"customerName\":\"none\"}]", SECRET_PASSWORD, "", false},
        {"[{\"twofa\":{\"targetCode\":\"1\",\"inputCode\":\"1\"}}]", SECRET_CODE, "1", false},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct uuid id = post(&fixture, rows[i].body);
        /* Perhaps pending the first time, ready the second: no difference to be seen. */
        for (int again = 0; again < 2; again++) {
            bool match = !rows[i].match;
            assert_int_equal(registry_secret_verify(&fixture.registry, fixture.tenant, &id, rows[i].kind,
                                                    slice_from_text(rows[i].value), &match),
                             0);
            if (match != rows[i].match) {
                fail_msg("%s against \"%s\", time %d", rows[i].body, rows[i].value, again);
            }
        }
    }
    fixture_fini(&fixture);
}

/* A verification leaves nothing pending behind, whatever it came to. */
static void hashed_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (int i = 0; i < 10; i++) {
        struct uuid id = post(&fixture, "[{\"person\":{\"password\":\"a\",\"pinCode\":\"1\"}}]");
        bool match;
        struct buf row;
        size_t pending = 9;
        buf_init(&row, 0);
        assert_int_equal(registry_secret_verify(&fixture.registry, fixture.tenant, &id, SECRET_PIN, SLICE("2"), &match),
                         0);
        assert_false(match);
        assert_int_equal(store_secrets_get(fixture.store, &fixture.tenant->id, &id, NULL, &row), 0);
        /* The hashing lane may be about to write; then it is the one that was quicker. */
        assert_int_equal(record_secrets_pending(buf_view(&row), &pending), 0);
        assert_int_equal(pending, 0);
        buf_fini(&row);
    }
    fixture_fini(&fixture);
}

static void unknown_customer(void **state)
{
    (void)state;
    struct fixture fixture;
    struct uuid id = {{1}};
    bool match = true;
    fixture_init(&fixture, false);
    assert_int_equal(registry_secret_verify(&fixture.registry, fixture.tenant, &id, SECRET_PIN, SLICE("1"), &match),
                     ERR_NOT_FOUND);
    assert_false(match);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kinds), cmocka_unit_test(hashed_at_once),
                                       cmocka_unit_test(unknown_customer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
