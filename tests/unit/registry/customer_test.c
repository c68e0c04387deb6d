/* Showing a customer: what its record, its import and its secrets add, and nothing that was secret. */
#include "../intake/fixture.h"

#include <stdlib.h>

#include "../test.h"
#include "ids.h"

/* Posts one item and shows it. */
static void post_and_get(struct fixture *fixture, const char *contract, const char *body, struct buf *json)
{
    struct fixture_batch batch;
    struct fixture_options options = {.contract = contract};
    struct uuid id;
    fixture_post(fixture, &batch, &options, slice_from_text(body));
    if (batch.answer.error != 0) {
        fail_msg("%s: %s", body, err_code(batch.answer.error));
    }
    assert_true(first_id(&batch.reply, &id));
    buf_clear(json);
    assert_int_equal(registry_customer_get(&fixture->registry, fixture->tenant, &id, json), 0);
    buf_append_byte(json, 0);
    fixture_end(&batch);
}

static void shown(void **state)
{
    (void)state;
    static const struct {
        const char *contract, *body;
        const char *has[6];
        const char *lacks;
    } rows[] = {
        {"cyrexa",
         "[{\"id\":\"a\",\"customerName\":\"Ann\",\"customerType\":\"Person\",\"categorization\":\"category1\"}]",
         {"\"contract\":\"cyrexa\"", "\"name\":\"Ann\"", "\"type\":\"Person\"", "\"category\":\"category1\"",
          "\"secrets\":[],\"findings\":[]", "\"document\":{\"id\":\"a\",\"customerName\":\"Ann\""},
         "project"},
        {"cyrexa",
         "[{\"person\":{\"password\":\"hush1\",\"pinCode\":\"9876\",\"SecretQuestion\":[{\"question\":\"q\",\"answer\":"
         "\"hush2\"}]}}]",
         {"\"kind\":\"password\",\"pointer\":\"/person/password\"", "\"kind\":\"pin\",\"pointer\":\"/person/pinCode\"",
          "\"kind\":\"answer\",\"pointer\":\"/person/SecretQuestion/0/answer\"", "\"state\":\"", "\"question\":\"q\""},
         "hush"},
        {"cyrexa",
         "[{\"person\":{\"password\":\"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW\"}}]",
         {"\"kind\":\"password\",\"pointer\":\"/person/password\",\"state\":\"ready\""},
         "$2b$"},
        {"cyrexa",
         "[{\"twofa\":{\"targetCode\":\"424242\",\"inputCode\":\"424242\"}}]",
         {"\"codematch\":true", "\"secrets\":[]"},
         "424242"},
        {"cyrexa",
         "[{\"nickname\":\"Bo\",\"customerStatus\":\"under_verification\"}]",
         {"\"code\":\"unnamed-member\",\"pointer\":\"/nickname\"", "\"nickname\":\"Bo\"",
          "\"status\":\"under_verificaiton\"", "\"customerStatus\":\"under_verificaiton\""},
         "\"under_verification\""},
        {"cyrexa", "[{}]", {"\"contract\":\"cyrexa\"", "\"document\":{}"}, "\"name\""},
        {"nexera",
         "{\"customerData\":[{\"customerClaims\":{\"name\":\"Cy\",\"sub\":\"s\"}}],\"customerType\":\"Company\","
         "\"cmsProjectId\":\"p1\"}",
         {"\"contract\":\"nexera\"", "\"name\":\"Cy\"", "\"project\":\"p1\"", "\"type\":\"Company\"",
          "\"document\":{\"customerClaims\""},
         "cmsProjectId"},
    };
    struct fixture fixture;
    struct buf json;
    fixture_init(&fixture, false);
    buf_init(&json, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        post_and_get(&fixture, rows[i].contract, rows[i].body, &json);
        for (size_t j = 0; j < COUNT_OF(rows[i].has) && rows[i].has[j] != NULL; j++) {
            if (strstr(json.data, rows[i].has[j]) == NULL) {
                fail_msg("%s has no %s", json.data, rows[i].has[j]);
            }
        }
        if (strstr(json.data, rows[i].lacks) != NULL) {
            fail_msg("%s has %s", json.data, rows[i].lacks);
        }
    }
    buf_fini(&json);
    fixture_fini(&fixture);
}

/* Whatever was asked for, the whole answer is one JSON object. */
static void is_json(void **state)
{
    (void)state;
    static const char *const bodies[] = {"[{}]", "[{\"customerName\":\"\\u0000\\\"\\\\\"}]",
                                         "[{\"a\\\"b\":{\"c\":[1,2.50,-0,1e3,null,true]}}]"};
    struct fixture fixture;
    struct buf json;
    struct json_parser *parser = json_parser_new(1u << 20);
    fixture_init(&fixture, false);
    buf_init(&json, 0);
    assert_non_null(parser);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct json_doc doc;
        struct json_error error;
        post_and_get(&fixture, "cyrexa", bodies[i], &json);
        assert_int_equal(buf_reserve(&json, JSON_PADDING), 0);
        if (json_parse(parser, slice_make(json.data, json.size - 1), &JSON_LIMITS_DEFAULT, &doc, &error) != 0) {
            fail_msg("%s: %s", json.data, error.reason);
        }
    }
    json_parser_free(&parser);
    buf_fini(&json);
    fixture_fini(&fixture);
}

/* An id of another tenant names nothing (P7). */
static void other_tenant(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa"};
    const struct auth_tenant *other;
    struct uuid id;
    struct buf json;
    struct registry_query all = {.kind = IDENTIFIER_NONE, .limit = 10};
    struct registry_query one = {.kind = IDENTIFIER_EXTERNAL_ID, .value = SLICE("a"), .limit = 10};
    bool match = true;
    fixture_init(&fixture, false);
    buf_init(&json, 0);
    assert_int_equal(auth_tenant_create(fixture.auth, SLICE("other"), false, false), 0);
    assert_int_equal(auth_tenant_get(fixture.auth, SLICE("other"), &other), 0);
    fixture_post(&fixture, &batch, &options, SLICE("[{\"id\":\"a\",\"person\":{\"password\":\"p\"}}]"));
    assert_true(first_id(&batch.reply, &id));
    assert_int_equal(registry_customer_get(&fixture.registry, other, &id, &json), ERR_NOT_FOUND);
    assert_int_equal(registry_secret_verify(&fixture.registry, other, &id, SECRET_PASSWORD, SLICE("p"), &match),
                     ERR_NOT_FOUND);
    assert_false(match);
    assert_int_equal(registry_import_get(&fixture.registry, other, intake_import_id(batch.import), &json),
                     ERR_NOT_FOUND);
    assert_int_equal(json.size, 0);
    assert_int_equal(registry_customer_list(&fixture.registry, other, &all, &json), 0);
    assert_int_equal(registry_customer_list(&fixture.registry, other, &one, &json), 0);
    assert_int_equal(registry_import_list(&fixture.registry, other, &(struct uuid){{0}}, 10, &json), 0);
    assert_true(slice_equal_text(buf_view(&json), "{\"customers\":[]}{\"customers\":[]}{\"imports\":[]}"));
    fixture_end(&batch);
    buf_fini(&json);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shown), cmocka_unit_test(is_json),
                                       cmocka_unit_test(other_tenant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
