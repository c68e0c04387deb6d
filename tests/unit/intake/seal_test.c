/* Seal: what a record holds and, above all, what it does not. */
#include "fixture.h"

#include "../test.h"
#include "record/record.h"

static const char BODY[] =
    "[{\"id\":\"registry-1\",\"customerName\":\"Adelaide\",\"customerStatus\":\"bankrupt\",\"extra\":1.50,"
    "\"person\":{\"email\":\"Adelaide@Example.com\",\"password\":\"pass-word\",\"pinCode\":\"47114711\","
    "\"telephoneNumbers\":[{\"number\":\"+14155552671\"},{\"number\":\"+1 415 555 2671\"}],"
    "\"SecretQuestion\":[{\"question\":\"q\",\"answer\":\"tyrannosaur\"}]},"
    "\"twofa\":{\"targetCode\":\"11122233\",\"inputCode\":\"11122233\"}}]";

struct seen {
    struct record_key keys[LIMIT_ITEM_KEYS];
    struct record_header header;
    struct buf plain;
    struct record_body body;
    struct buf secrets;
    const struct crypto_tenant *tenant_keys;
    size_t count;
};

static int see(void *context, const struct uuid *id, struct slice record)
{
    struct seen *seen = context;
    assert_int_equal(record_read_header(record, &seen->header, seen->keys), 0);
    assert_int_equal(record_open(record, seen->tenant_keys, &seen->plain, &seen->body), 0);
    assert_true(uuid_equal(id, &seen->header.id));
    /* Nothing of the customer stands in the clear. Words that are long enough not to come out of a cipher by chance. */
    static const char *const words[] = {"Adelaide",    "xample",   "pass-word", "47114711",
                                        "tyrannosaur", "11122233", "registry-1"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        assert_null(memmem(record.data, record.size, words[i], strlen(words[i])));
    }
    seen->count++;
    return 0;
}

static bool holds(struct slice text, const char *word)
{
    return memmem(text.data, text.size, word, strlen(word)) != NULL;
}

static void record_holds_what_it_must(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa"};
    struct uuid from = {{0}};
    static struct seen seen;
    fixture_init(&fixture, false);
    buf_init(&seen.plain, 0);
    seen.tenant_keys = fixture.tenant->keys;
    fixture_post(&fixture, &batch, &options, slice_from_text(BODY));
    assert_int_equal(batch.answer.error, 0);
    assert_int_equal(store_customer_list(fixture.store, &fixture.tenant->id, &from, 10, see, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_true(uuid_equal(&seen.header.import, intake_import_id(batch.import)));
    assert_true(uuid_equal(&seen.header.tenant, &fixture.tenant->id));
    /* external id, e-mail, and two spellings of one phone number */
    assert_int_equal(seen.header.key_count, 3);
    static const char *const out[] = {"pass-word", "47114711", "tyrannosaur", "11122233", "\"bankrupt\""};
    for (size_t i = 0; i < COUNT_OF(out); i++) {
        assert_false(holds(seen.body.document, out[i]));
    }
    assert_true(holds(seen.body.document, "\"customerStatus\":\"bancrupted\""));
    assert_true(holds(seen.body.document, "\"codematch\":true"));
    assert_true(holds(seen.body.document, "\"extra\":1.50"));
    assert_true(holds(seen.body.document, "\"question\":\"q\""));
    assert_true(holds(seen.body.card, "\"name\":\"Adelaide\""));
    assert_true(holds(seen.body.findings, "unnamed-member"));
    fixture_end(&batch);
    buf_fini(&seen.plain);
    fixture_fini(&fixture);
}

static void secrets_stand_in_their_own_row(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa"};
    struct record_secret secrets[RECORD_SECRETS_MAX];
    struct buf row, plain;
    struct uuid id;
    size_t count;
    fixture_init(&fixture, false);
    buf_init(&row, 0);
    buf_init(&plain, 0);
    fixture_post(&fixture, &batch, &options,
                 SLICE("[{\"person\":{\"pinCode\":\"\",\"password\":"
                       "\"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW\"}}]"));
    assert_int_equal(batch.answer.error, 0);
    buf_append_byte(&batch.reply, 0);
    const char *text = strstr(batch.reply.data, "\"customerId\":\"");
    assert_non_null(text);
    assert_true(uuid_from_text(slice_make(text + 14, UUID_TEXT_BYTES), &id));
    assert_int_equal(store_secrets_get(fixture.store, &fixture.tenant->id, &id, NULL, &row), 0);
    assert_int_equal(
        record_secrets_open(&fixture.tenant->id, &id, buf_view(&row), fixture.tenant->keys, &plain, secrets, &count),
        0);
    assert_int_equal(count, 1); /* the empty PIN is none */
    assert_int_equal(secrets[0].kind, SECRET_PASSWORD);
    assert_int_equal(secrets[0].state, SECRET_GIVEN);
    assert_true(slice_equal_text(secrets[0].pointer, "/person/password"));
    fixture_end(&batch);
    buf_fini(&row);
    buf_fini(&plain);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(record_holds_what_it_must),
                                       cmocka_unit_test(secrets_stand_in_their_own_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
