/* Bulk requests: what their header fields and query come to, and how items are answered. */
#include "wire.h"

#include <stdio.h>

#include "../test.h"

#define NEXERA "POST /customers/batch"
#define CYREXA "POST /customer/1.0.0/createBulk"
#define MUSTER "POST /v1/customers"
#define JSON   "Content-Type: application/json\r\n"
#define BATCH  "{\"customerType\":\"Individual\",\"customerData\":[{}],\"cmsProjectId\":\"p\"}"
#define FLAGGED                                                                                                        \
    "{\"customerType\":\"Individual\",\"customerData\":[{\"customerWallet\":{\"verified\":true}}],"                    \
    "\"cmsProjectId\":\"p\"}"

enum who { NOBODY, BEARER, READER };

static void fields(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum who who;
        bool token; /* with the tenant's */
        const char *fields, *body;
        int status;
        const char *text;
    } rows[] = {
        {NEXERA, BEARER, false, JSON, BATCH, 200, "[\""},
        {NEXERA, BEARER, false, JSON "tenantId: acme\r\n", BATCH, 200, "[\""},
        {NEXERA, BEARER, false, JSON "TENANTID: other\r\n", BATCH, 403, "\"tenant-mismatch\""},
        {NEXERA, BEARER, false, JSON "Prefer: validation=strict\r\n", BATCH, 200, "[\""},
        {NEXERA, NOBODY, false, JSON, BATCH, 401, "\"token-missing\""},
        {NEXERA, READER, false, JSON, BATCH, 403, "\"scope-missing\""},
        {NEXERA, BEARER, false, "", BATCH, 415, "\"media-type-unsupported\""},
        {NEXERA, BEARER, false, JSON "Content-Encoding: br\r\n", BATCH, 415, "\"media-type-unsupported\""},
        {NEXERA, BEARER, false, JSON "Accept: text/html\r\n", BATCH, 406, "\"not-acceptable\""},
        {NEXERA, BEARER, false, JSON "Idempotency-Key: \r\n", BATCH, 400, "Idempotency-Key must be"},
        {NEXERA, BEARER, false, JSON "Idempotency-Key: \"a\"\r\n", BATCH, 200, "[\""},
        {NEXERA, BEARER, false, JSON "Idempotency-Key: \"a\"\r\n", "{\"cmsProjectId\":\"p\"}", 422,
         "\"idempotency-key-reused\""},
        {NEXERA "?onExisting=none", BEARER, false, JSON, BATCH, 400, "onExisting must be"},
        {NEXERA "?dryRun=1", BEARER, false, JSON, BATCH, 400, "dryRun must be"},
        {NEXERA "?dryRun=true", BEARER, false, JSON, BATCH, 200, "\"dryRun\":true"},
        {NEXERA "?dryRun=true&dryRun=true", BEARER, false, JSON, BATCH, 400, "twice"},
        {NEXERA "?cmsProjectId=p", BEARER, false, JSON, BATCH, 400, "a parameter that this address does not know"},
        {NEXERA "?dry=1", BEARER, false, JSON, BATCH, 400, "a parameter that this address does not know"},
        {CYREXA, BEARER, true, JSON "tenantId: acme\r\n", "[{\"customerName\":\"A\"}]", 200, "\"tenantId\":\"acme\""},
        {CYREXA, BEARER, true, JSON, "[]", 400, "\"bad-parameter\""},
        {CYREXA, BEARER, false, JSON "tenantId: acme\r\n", "[]", 401, "\"token-missing\""},
        {MUSTER, BEARER, false, JSON, "{\"customers\":[{}]}", 200, "{\"customers\":[{\"id\":\""},
    };
    struct wire wire;
    wire_init(&wire, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_answer answer;
        char all[1024];
        int size = 0;
        if (rows[i].who != NOBODY) {
            size = snprintf(all, sizeof all, "Authorization: Bearer %s\r\n",
                            rows[i].who == READER ? wire.reader : wire.bearer);
        }
        snprintf(all + size, sizeof all - (size_t)size, "%s%s%s%s", rows[i].fields, rows[i].token ? "token: " : "",
                 rows[i].token ? wire.token : "", rows[i].token ? "\r\n" : "");
        wire_ask(&wire, rows[i].line, all, rows[i].body, &answer);
        wire_expect(&answer, rows[i].fields, rows[i].status, rows[i].text);
        wire_answer_fini(&answer);
    }
    wire_fini(&wire);
}

/* What only some may set names the scope that is missing. */
static void privileged_items(void **state)
{
    (void)state;
    struct wire wire;
    struct wire_answer answer;
    struct buf id, key;
    struct auth_rights rights = {.scopes = SCOPE_CUSTOMERS_CREATE};
    char all[256];
    wire_init(&wire, false);
    buf_init(&id, 0);
    buf_init(&key, 0);
    assert_int_equal(
        auth_key_create(wire.fixture.auth, wire.fixture.tenant, AUTH_API_KEY, SLICE("k"), &rights, &id, &key), 0);
    for (int row = 0; row < 2; row++) {
        struct slice bearer = row == 0 ? slice_from_text(wire.bearer) : buf_view(&key);
        snprintf(all, sizeof all, "Authorization: Bearer %.*s\r\n" JSON, SLICE_ARG(bearer));
        wire_ask(&wire, NEXERA, all, FLAGGED, &answer);
        wire_expect(&answer, "privileged", row == 0 ? 200 : 403, row == 0 ? "[\"" : "customers:status");
        wire_answer_fini(&answer);
    }
    buf_fini(&id);
    buf_fini(&key);
    wire_fini(&wire);
}

/* Faults and malformed bodies are told with their place; the connection lives on. */
static void refused_items(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int status;
        const char *text;
    } rows[] = {
        {"{\"customerType\":\"Robot\",\"customerData\":[],\"cmsProjectId\":\"p\"}", 422,
         "\"pointer\":\"/customerType\""},
        {"{\"customerType\":\"Company\",\"customerData\":[{},{\"customerDid\":1}],\"cmsProjectId\":\"p\"}", 422,
         "\"index\":1,\"pointer\":\"/customerDid\""},
        {"{\"customerData\":[\n{]}", 400, "\"line\":2,\"column\":2"},
        {"", 400, "\"malformed-json\""},
        {"{\"customerType\":\"Company\",\"customerData\":[],\"cmsProjectId\":\"\"}", 403, "\"project-unknown\""},
        {"{\"customerType\":\"Company\",\"customerData\":[],\"cmsProjectId\":\"p\"}", 200, "[]"},
    };
    struct wire wire;
    struct wire_client client;
    wire_init(&wire, false);
    wire_connect(&wire, &client);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_answer answer;
        wire_sendf(&client,
                   "POST /customers/batch HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n"
                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                   wire.bearer, strlen(rows[i].body), rows[i].body);
        wire_read(&client, false, &answer);
        wire_expect(&answer, rows[i].body, rows[i].status, rows[i].text);
        wire_answer_fini(&answer);
    }
    wire_close(&client);
    wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(privileged_items),
        cmocka_unit_test(refused_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
