/* Finding: every kind of identifier in whatever spelling, and pages that show each customer once. */
#include "../intake/fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "../test.h"

static void post(struct fixture *fixture, const char *contract, const char *body)
{
    struct fixture_batch batch;
    struct fixture_options options = {.contract = contract};
    fixture_post(fixture, &batch, &options, slice_from_text(body));
    if (batch.answer.error != 0) {
        fail_msg("%s: %s", body, err_code(batch.answer.error));
    }
    fixture_end(&batch);
}

static size_t count_of(const struct buf *json, const char *text)
{
    size_t count = 0;
    for (struct slice left = buf_view(json); left.size > 0; count++) {
        const char *at = memmem(left.data, left.size, text, strlen(text));
        if (at == NULL) {
            break;
        }
        left = slice_from(left, (size_t)(at - left.data) + 1);
    }
    return count;
}

#define WALLET "0x52908400098527886E0F7030069857D2E4169EE7" /* EIP-55's own sample */

static void identifiers(void **state)
{
    (void)state;
    static const struct {
        enum identifier_kind kind;
        const char *value;
        size_t found;
        const char *text;
    } rows[] = {
        {IDENTIFIER_EXTERNAL_ID, "x", 2, "\"contract\":\"nexera\""}, /* one of each contract */
        {IDENTIFIER_EXTERNAL_ID, "X", 0, ""},
        {IDENTIFIER_EXTERNAL_ID, "", 0, ""},
        {IDENTIFIER_EMAIL, "ann@example.com", 1, "Ann"},
        {IDENTIFIER_EMAIL, "  Ann@EXAMPLE.com", 1, "Ann"},
        {IDENTIFIER_EMAIL, "bob@example.com", 0, ""},
        {IDENTIFIER_EMAIL, "ann", 0, ""},
        {IDENTIFIER_PHONE, "+37120000001", 1, "Ann"},
        {IDENTIFIER_PHONE, "+371 2000-0001", 1, "Ann"},
        {IDENTIFIER_WALLET, WALLET, 2, "\"contract\":\"nexera\""}, /* in either namespace */
        {IDENTIFIER_WALLET, "eip155:" WALLET, 1, "Wat"},
        {IDENTIFIER_WALLET, "avax:" WALLET, 1, "Wax"},
        {IDENTIFIER_WALLET, "solana:" WALLET, 0, ""},
        {IDENTIFIER_WALLET, "eip155:", 0, ""},
        {IDENTIFIER_DID, "did:web:x.example", 1, "Wat"},
        {IDENTIFIER_DID, "did:web:y.example", 0, ""},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    post(&fixture, "cyrexa",
         "[{\"id\":\"x\",\"customerName\":\"Ann\",\"person\":{\"email\":\"Ann@example.com\","
         "\"telephoneNumbers\":[{\"number\":\"+37120000001\"}]}}]");
    post(&fixture, "nexera",
         "{\"customerType\":\"Individual\",\"cmsProjectId\":\"p\",\"customerData\":[{\"customerClaims\":{\"sub\":\"x\","
         "\"name\":\"Wat\"},\"customerWallet\":{\"wallet\":\"" WALLET "\",\"blockchainNamespace\":\"eip155\"},"
         "\"customerDid\":{\"did\":\"did:web:x.example\"}},{\"customerClaims\":{\"name\":\"Wax\"},"
         "\"customerWallet\":{\"wallet\":\"" WALLET "\",\"blockchainNamespace\":\"avax\"}}]}");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct registry_query query = {.kind = rows[i].kind, .value = slice_from_text(rows[i].value), .limit = 10};
        struct buf json;
        buf_init(&json, 0);
        assert_int_equal(registry_customer_list(&fixture.registry, fixture.tenant, &query, &json), 0);
        buf_append_byte(&json, 0);
        if (count_of(&json, "\"id\":") != rows[i].found || strstr(json.data, rows[i].text) == NULL) {
            fail_msg("%s \"%s\": %s", identifier_kind_to_text(rows[i].kind), rows[i].value, json.data);
        }
        buf_fini(&json);
    }
    fixture_fini(&fixture);
}

/* Walks all pages; the ids must ascend. How many there were. */
static size_t walk(const struct fixture *fixture, struct registry_query query, size_t *pages)
{
    size_t count = 0;
    char last[UUID_TEXT_BYTES + 1] = "";
    for (*pages = 0;; (*pages)++) {
        struct buf json;
        buf_init(&json, 0);
        assert_int_equal(registry_customer_list(&fixture->registry, fixture->tenant, &query, &json), 0);
        buf_append_byte(&json, 0);
        size_t here = 0;
        for (const char *at = strstr(json.data, "{\"id\":\""); at != NULL; at = strstr(at + 1, "{\"id\":\"")) {
            char id[UUID_TEXT_BYTES + 1];
            memcpy(id, at + 7, UUID_TEXT_BYTES);
            id[UUID_TEXT_BYTES] = '\0';
            assert_true(strcmp(last, id) < 0);
            memcpy(last, id, sizeof last);
            here++;
        }
        assert_true(here <= query.limit);
        count += here;
        const char *next = strstr(json.data, "\"next\":\"");
        bool more = next != NULL;
        if (more) {
            assert_int_equal(here, query.limit);
            assert_true(uuid_from_text(slice_make(next + 8, UUID_TEXT_BYTES), &query.after));
        }
        buf_fini(&json);
        if (!more) {
            (*pages)++;
            return count;
        }
    }
}

/* Pages of every size show every customer once, also where several index entries are merged. */
static void pages_are_whole(void **state)
{
    (void)state;
    static const struct {
        size_t limit, pages, external_pages;
    } rows[] = {{1, 60, 20}, {7, 9, 3}, {20, 3, 1}, {59, 2, 1}, {60, 1, 1}, {1000, 1, 1}};
    struct fixture fixture;
    struct buf body;
    fixture_init(&fixture, false);
    buf_init(&body, 0);
    for (int i = 0; i < 20; i++) {
        char one[256];
        snprintf(one, sizeof one, "[{\"person\":{\"email\":\"all@example.com\"}},{\"customerName\":\"%d\"}]", i);
        post(&fixture, "cyrexa", one);
        snprintf(one, sizeof one,
                 "{\"customerType\":\"Individual\",\"cmsProjectId\":\"p\",\"customerData\":[{\"customerWallet\":"
                 "{\"wallet\":\"" WALLET "\",\"blockchainNamespace\":\"%s\"}}]}",
                 i % 2 == 0 ? "eip155" : "avax");
        post(&fixture, "nexera", one);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t pages;
        struct registry_query query = {.limit = rows[i].limit};
        assert_int_equal(walk(&fixture, query, &pages), 60);
        assert_int_equal(pages, rows[i].pages);
        query.kind = IDENTIFIER_EMAIL;
        query.value = SLICE("all@example.com");
        assert_int_equal(walk(&fixture, query, &pages), 20);
        query.kind = IDENTIFIER_WALLET;
        query.value = SLICE(WALLET);
        assert_int_equal(walk(&fixture, query, &pages), 20);
        assert_int_equal(pages, rows[i].external_pages);
    }
    buf_fini(&body);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(identifiers), cmocka_unit_test(pages_are_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
