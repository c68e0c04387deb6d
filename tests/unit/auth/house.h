/* A store in memory, a ring and an auth over both, for the tests of this room. */
#ifndef TESTS_AUTH_HOUSE_H
#define TESTS_AUTH_HOUSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* Before cmocka.h, which needs the four above. */
#include <cmocka.h>

#include "auth/auth.h"

#define HOUSE_ISSUER SLICE("https://muster.example")
/* 2024-08-07T00:00:00Z */
#define HOUSE_NOW_MS 1722988800000

struct house {
    struct store *store;
    struct crypto_ring *ring;
    struct auth *auth;
};

static inline struct crypto_ring *house_ring(uint8_t fill)
{
    uint8_t root[CRYPTO_KEY_BYTES];
    memset(root, fill, sizeof root);
    struct crypto_ring *ring = crypto_ring_new(root);
    assert_non_null(ring);
    return ring;
}

static inline void house_open(struct house *house)
{
    assert_int_equal(crypto_init(), 0);
    assert_int_equal(store_open_memory(&house->store), 0);
    house->ring = house_ring(7);
    assert_int_equal(auth_new(house->store, house->ring, HOUSE_ISSUER, &house->auth), 0);
}

/* The auth is made anew over the same store, as at a restart. */
static inline void house_restart(struct house *house)
{
    auth_free(&house->auth);
    assert_null(house->auth);
    assert_int_equal(auth_new(house->store, house->ring, HOUSE_ISSUER, &house->auth), 0);
}

static inline void house_close(struct house *house)
{
    auth_free(&house->auth);
    store_close(&house->store);
    crypto_ring_free(&house->ring);
}

static inline const struct auth_tenant *house_tenant(struct house *house, const char *name)
{
    const struct auth_tenant *tenant = NULL;
    assert_int_equal(auth_tenant_create(house->auth, slice_from_text(name), false, false), 0);
    assert_int_equal(auth_tenant_get(house->auth, slice_from_text(name), &tenant), 0);
    return tenant;
}

/* An id and a secret, as the creates append them. */
struct house_pair {
    struct buf id;
    struct buf secret;
};

static inline void house_pair_fini(struct house_pair *pair)
{
    buf_fini(&pair->id);
    buf_fini(&pair->secret);
}

static inline struct house_pair house_client(struct house *house, const struct auth_tenant *tenant, uint32_t scopes,
                                             const char *project)
{
    struct house_pair pair;
    struct auth_rights rights = {scopes, slice_from_text(project)};
    buf_init(&pair.id, 0);
    buf_init(&pair.secret, 0);
    assert_int_equal(auth_client_create(house->auth, tenant, SLICE("test"), &rights, &pair.id, &pair.secret), 0);
    return pair;
}

static inline struct house_pair house_key(struct house *house, const struct auth_tenant *tenant,
                                          enum auth_key_kind kind, uint32_t scopes, const char *project)
{
    struct house_pair pair;
    struct auth_rights rights = {scopes, slice_from_text(project)};
    buf_init(&pair.id, 0);
    buf_init(&pair.secret, 0);
    assert_int_equal(auth_key_create(house->auth, tenant, kind, SLICE("test"), &rights, &pair.id, &pair.secret), 0);
    return pair;
}

/* A token for all of the client's scopes. */
static inline struct buf house_token(struct house *house, const struct house_pair *client)
{
    struct buf token;
    uint32_t granted;
    buf_init(&token, 0);
    assert_int_equal(auth_issue(house->auth, buf_view(&client->id), buf_view(&client->secret), SLICE_NONE, HOUSE_NOW_MS,
                                &token, &granted),
                     0);
    return token;
}

/* What auth_check_bearer says of a token at a time after HOUSE_NOW_MS. */
static inline int house_check(struct house *house, const struct buf *token, int64_t later_ms)
{
    struct auth_grant grant;
    return auth_check_bearer(house->auth, buf_view(token), HOUSE_NOW_MS + later_ms, &grant);
}

#endif
