/* The demo tenant's file: everything in it works, and what the file before it held no longer does. */
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/daemon_priv.h"

struct house {
    char data[64];
    struct crypto_ring *ring;
    struct store *store;
    struct auth *auth;
};

static void house_init(struct house *house)
{
    static const uint8_t root[CRYPTO_KEY_BYTES] = {7};
    snprintf(house->data, sizeof house->data, "/tmp/muster-demo-XXXXXX");
    assert_non_null(mkdtemp(house->data));
    assert_int_equal(crypto_init(), 0);
    house->ring = crypto_ring_new(root);
    assert_int_equal(store_open_memory(&house->store), 0);
    assert_int_equal(auth_new(house->store, house->ring, SLICE("http://x"), &house->auth), 0);
}

static void house_fini(struct house *house)
{
    auth_free(&house->auth);
    store_close(&house->store);
    crypto_ring_free(&house->ring);
    scratch_remove(house->data);
}

static void prepare(struct house *house)
{
    struct buf why;
    buf_init(&why, 0);
    if (demo_prepare(house->auth, house->data, SLICE("http://x"), SLICE("mo_key"), &why) != 0) {
        fail_msg("%.*s", SLICE_ARG(buf_view(&why)));
    }
    buf_fini(&why);
}

/* The file's text of that name. */
static void member(const struct house *house, const char *name, char *value, size_t size)
{
    struct buf text;
    char quoted[64];
    buf_init(&text, 0);
    assert_int_equal(folder_read(house->data, "demo.json", &text), 0);
    buf_append_byte(&text, 0);
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *at = strstr(text.data, quoted);
    assert_non_null(at);
    at += strlen(quoted);
    snprintf(value, size, "%.*s", (int)strcspn(at, "\""), at);
    buf_fini(&text);
}

struct credentials {
    char key[256], token[1024], tenant_token[256];
};

static void read_credentials(const struct house *house, struct credentials *credentials)
{
    member(house, "apiKey", credentials->key, sizeof credentials->key);
    member(house, "accessToken", credentials->token, sizeof credentials->token);
    member(house, "tenantToken", credentials->tenant_token, sizeof credentials->tenant_token);
}

static void expect(const struct house *house, const struct credentials *credentials, int error)
{
    const struct auth_tenant *tenant;
    struct auth_grant grant;
    assert_int_equal(auth_tenant_get(house->auth, SLICE("demo"), &tenant), 0);
    const char *const bearers[] = {credentials->key, credentials->token};
    for (size_t i = 0; i < COUNT_OF(bearers); i++) {
        assert_int_equal(auth_check_bearer(house->auth, slice_from_text(bearers[i]), clock_real_ms(), &grant), error);
        if (error == 0) {
            assert_ptr_equal(grant.tenant, tenant);
            assert_int_equal(grant.scopes, SCOPE_ALL & ~SCOPE_ADMIN);
        }
    }
    assert_int_equal(auth_check_tenant_token(house->auth, slice_from_text(credentials->tenant_token), tenant), error);
}

static void each_start_makes_its_own(void **state)
{
    (void)state;
    struct house house;
    struct credentials first, second;
    const struct auth_tenant *tenant;
    char text[64];
    house_init(&house);
    prepare(&house);
    read_credentials(&house, &first);
    expect(&house, &first, 0);
    prepare(&house);
    read_credentials(&house, &second);
    expect(&house, &second, 0);
    expect(&house, &first, ERR_TOKEN_INVALID);
    member(&house, "operatorKey", text, sizeof text);
    assert_string_equal(text, "mo_key");
    assert_int_equal(auth_tenant_get(house.auth, SLICE("demo"), &tenant), 0);
    assert_int_equal(auth_project_use(house.auth, tenant, SLICE("demo")), 0);
    house_fini(&house);
}

/* A file that somebody broke costs nothing but that its credentials live on. */
static void broken_files(void **state)
{
    (void)state;
    static const char *const files[] = {"",
                                        "{",
                                        "[]",
                                        "{\"apiKeyId\":\"key-nobody\",\"clientId\":\"\"}",
                                        "{\"apiKeyId\":5,\"tenantTokenId\":[\"x\"],\"clientId\":1e300}",
                                        "{\"apiKeyId\":null,\"clientId\":true}"};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct house house;
        struct buf why;
        buf_init(&why, 0);
        house_init(&house);
        assert_int_equal(folder_write(house.data, "demo.json", 0600, slice_from_text(files[i]), &why), 0);
        prepare(&house);
        buf_fini(&why);
        house_fini(&house);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_start_makes_its_own), cmocka_unit_test(broken_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
