/* The operator's requests: what is made, shown, refused and revoked; nothing half asked is half done. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "../test.h"

struct step {
    const char *line, *body;
    int status;
    const char *text;
};

static void run(const struct wire *wire, const struct step *steps, size_t count)
{
    char field[256];
    snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", wire->operator);
    for (size_t i = 0; i < count; i++) {
        struct wire_answer answer;
        wire_ask(wire, steps[i].line, field, steps[i].body, &answer);
        char row[256];
        snprintf(row, sizeof row, "%s %s", steps[i].line, steps[i].body);
        wire_expect(&answer, row, steps[i].status, steps[i].text);
        if (steps[i].status == 204) {
            assert_int_equal(wire_field(&answer, "Content-Type").size, 0);
        }
        wire_answer_fini(&answer);
    }
}

static void tenants(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {"POST /v1/admin/tenants", "{\"name\":\"shop\",\"strict\":true}", 201, "{\"name\":\"shop\"}"},
        {"POST /v1/admin/tenants", "{\"name\":\"shop\"}", 409, "\"exists\""},
        {"GET /v1/admin/tenants", "", 200, "\"name\":\"shop\",\"createProjects\":false,\"strict\":true"},
        {"PATCH /v1/admin/tenants/shop", "{\"itemsPerDay\":5,\"bytesPerRequest\":6}", 200,
         "{\"name\":\"shop\",\"itemsPerRequest\":null,\"bytesPerRequest\":6,\"itemsPerDay\":5,\"bytesPerDay\":null}"},
        {"PATCH /v1/admin/tenants/shop", "{\"bytesPerRequest\":null}", 200,
         "\"bytesPerRequest\":null,\"itemsPerDay\":5,"},
        {"GET /v1/admin/tenants", "", 200, "\"strict\":true,\"itemsPerDay\":5,\"created\""},
        {"PATCH /v1/admin/tenants/shop", "{\"itemsPerDay\":0}", 400, "A limit must be"},
        {"PATCH /v1/admin/tenants/shop", "{\"itemsPerDay\":9007199254740993}", 400, "A limit must be"},
        {"PATCH /v1/admin/tenants/shop", "{\"itemsPerDay\":\"5\"}", 400, "whole numbers"},
        {"PATCH /v1/admin/tenants/shop", "{\"strict\":false}", 400, "whole numbers"},
        {"PATCH /v1/admin/tenants/nobody", "{\"itemsPerDay\":5}", 404, "\"not-found\""},
        {"POST /v1/admin/tenants", "{\"name\":\"small\",\"itemsPerRequest\":7}", 201, "{\"name\":\"small\"}"},
        {"POST /v1/admin/tenants", "{\"name\":\"tiny\",\"itemsPerRequest\":-7}", 400, "A limit must be"},
        {"GET /v1/admin/tenants", "", 200, "\"strict\":false,\"itemsPerRequest\":7,\"created\""},
        {"DELETE /v1/admin/tenants/shop", "", 204, ""},
        {"DELETE /v1/admin/tenants/nobody", "", 404, "\"not-found\""},
        {"GET /v1/admin/tenants", "", 200, "\"revoked\":true"},
        {"GET /v1/admin/tenants/shop/keys", "", 404, "\"not-found\""},
        {"PUT /v1/admin/tenants", "{}", 405, "\"method-not-allowed\""},
    };
    struct wire wire;
    wire_init(&wire, false);
    run(&wire, steps, COUNT_OF(steps));
    wire_fini(&wire);
}

/* Names are told in the address as they are: escaped once. */
static void projects(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {"POST /v1/admin/tenants/acme/projects", "{\"name\":\"a b\"}", 201, "{\"name\":\"a b\"}"},
        {"POST /v1/admin/tenants/acme/projects", "{\"name\":\"a b\"}", 409, "\"exists\""},
        {"POST /v1/admin/tenants/acme/projects", "{\"name\":\"50%41\"}", 201, ""},
        {"POST /v1/admin/tenants/acme/projects", "{\"name\":\"50A\"}", 201, ""},
        {"POST /v1/admin/tenants/acme/projects", "{\"name\":\"x/y\"}", 201, ""},
        {"POST /v1/admin/tenants/acme/projects", "{\"name\":\"100%\"}", 201, ""},
        {"DELETE /v1/admin/tenants/acme/projects/a%20b", "", 204, ""},
        {"DELETE /v1/admin/tenants/acme/projects/50%2541", "", 204, ""},
        {"DELETE /v1/admin/tenants/acme/projects/x%2fy", "", 204, ""},
        {"DELETE /v1/admin/tenants/acme/projects/100%25", "", 204, ""},
        {"DELETE /v1/admin/tenants/acme/projects/100%", "", 404, "\"not-found\""},
        {"DELETE /v1/admin/tenants/acme/projects/x/y", "", 404, "\"not-found\""},
        {"GET /v1/admin/tenants/acme/projects", "", 200, "\"revoked\":false"}, /* 50A was not meant */
        {"DELETE /v1/admin/tenants/acme/projects/", "", 404, "\"not-found\""},
        {"GET /v1/admin/tenants/%61cme/projects", "", 200, "\"projects\""},
        {"GET /v1/admin/tenants/nobody/projects", "", 404, "\"not-found\""},
    };
    struct wire wire;
    wire_init(&wire, false);
    run(&wire, steps, COUNT_OF(steps));
    wire_fini(&wire);
}

/* A member that is misspelt or of another type must not be passed over: what it asks for would not be done. */
static void bodies(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {"POST /v1/admin/tenants", "", 400, "\"malformed-json\""},
        {"POST /v1/admin/tenants", "[]", 400, "JSON object"},
        {"POST /v1/admin/tenants", "{}", 400, "\"bad-parameter\""},
        {"POST /v1/admin/tenants", "{\"name\":5}", 400, "name"},
        {"POST /v1/admin/tenants", "{\"name\":\"-x\"}", 400, "a-z"},
        {"POST /v1/admin/tenants", "{\"name\":\"x\",\"strict\":\"yes\"}", 400, "strict"},
        {"POST /v1/admin/tenants", "{\"name\":\"x\",\"createProject\":true}", 400, "createProjects"},
        {"POST /v1/admin/tenants/acme/keys", "{\"name\":\"k\"}", 400, "scopes"},
        {"POST /v1/admin/tenants/acme/keys", "{\"name\":\"k\",\"scopes\":\"admin\"}", 400, "scopes"},
        {"POST /v1/admin/tenants/acme/keys", "{\"name\":\"k\",\"scopes\":[\"none\"]}", 400, "scopes"},
        {"POST /v1/admin/tenants/acme/keys", "{\"name\":\"k\",\"scopes\":[]}", 400, "scopes"},
        {"POST /v1/admin/tenants/acme/keys", "{\"name\":\"k\",\"kind\":\"x\",\"scopes\":[\"admin\"]}", 400, "kind"},
        {"POST /v1/admin/tenants/acme/keys", "{\"name\":\"k\",\"kind\":1,\"scopes\":[\"admin\"]}", 400, "kind"},
        {"POST /v1/admin/tenants/acme/keys", "{\"name\":\"k\",\"project\":7,\"scopes\":[\"admin\"]}", 400, "project"},
        {"POST /v1/admin/tenants/acme/keys", "{\"name\":\"k\",\"projects\":[\"a\"],\"scopes\":[\"admin\"]}", 400,
         "project"},
        {"POST /v1/admin/tenants/acme/clients", "{\"name\":\"\",\"scopes\":[\"admin\"]}", 400, "printable"},
        {"POST /v1/admin/tenants/acme/clients", "{\"name\":\"c\",\"scopes\":[\"admin\"],\"project\":null}", 400,
         "project"},
        {"POST /v1/admin/tenants/nobody/clients", "{\"name\":\"c\",\"scopes\":[\"admin\"]}", 404, "\"not-found\""},
        {"GET /v1/admin/tenants/acme/clients", "", 200, "{\"clients\":[]}"},
        {"POST /v1/admin/tenants/acme/keys", "{\"name\":\"t\",\"kind\":\"tenant-token\"}", 201, "\"key\":\"mt_"},
        {"POST /v1/admin/tenants/acme/keys", "{\"name\":\"k\",\"scopes\":[\"admin\"]}", 201, "\"key\":\"mk_"},
    };
    struct wire wire;
    wire_init(&wire, false);
    run(&wire, steps, COUNT_OF(steps));
    wire_fini(&wire);
}

/* A key works until it is revoked. */
static void key_lives_until_revoked(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_answer answer;
    char field[256], key[256], line[256];
    wire_init(&wire, false);
    snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", wire.operator);
    wire_ask(&wire, "POST /v1/admin/tenants/acme/keys", field, "{\"name\":\"k\",\"scopes\":[\"customers:read\"]}",
             &answer);
    assert_int_equal(answer.status, 201);
    assert_true(slice_equal_text(wire_field(&answer, "Cache-Control"), "no-store"));
    const char *text = strstr(answer.body.data, "\"key\":\"") + 7;
    snprintf(key, sizeof key, "Authorization: Bearer %.*s\r\n", (int)strcspn(text, "\""), text);
    text = strstr(answer.body.data, "\"id\":\"") + 6;
    snprintf(line, sizeof line, "DELETE /v1/admin/tenants/acme/keys/%.*s", (int)strcspn(text, "\""), text);
    wire_answer_fini(&answer);
    for (int revoked = 0; revoked < 2; revoked++) {
        wire_ask(&wire, "GET /v1/customers", key, "", &answer);
        wire_expect(&answer, "key", revoked == 1 ? 401 : 200, revoked == 1 ? "\"token-invalid\"" : "[]");
        wire_answer_fini(&answer);
        wire_ask(&wire, line, field, "", &answer);
        assert_int_equal(answer.status, 204);
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
}

/* Only the operator's key opens these addresses, and it opens no other. */
static void who_may(void **state)
{
    (void)state;
    struct wire wire;
    wire_init(&wire, false);
    const struct {
        const char *line, *key;
        int status;
        const char *challenge;
    } rows[] = {{"GET /v1/admin/tenants", NULL, 401, "Bearer"},
                {"GET /v1/admin/tenants", wire.bearer, 401, "Bearer error=\"invalid_token\""},
                {"GET /v1/customers", wire.operator, 401, "Bearer error=\"invalid_token\""},
                {"GET /v1/admin/tenants", wire.operator, 200, ""}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_answer answer;
        char field[256] = "";
        if (rows[i].key != NULL) {
            snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", rows[i].key);
        }
        wire_ask(&wire, rows[i].line, field, "", &answer);
        wire_expect(&answer, rows[i].line, rows[i].status, "");
        assert_true(slice_equal_text(wire_field(&answer, "WWW-Authenticate"), rows[i].challenge));
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tenants), cmocka_unit_test(projects), cmocka_unit_test(bodies),
                                       cmocka_unit_test(key_lives_until_revoked), cmocka_unit_test(who_may)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
