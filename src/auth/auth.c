/*
 * The life of the room, and the operator. The difficulty at the start is a store that was made under
 * another root key: nothing in it would open, and every hash made now would be lost later. So the
 * first start leaves a check value of its root key in the store, and every later one compares it.
 */
#include <stdlib.h>

#include "auth/auth_priv.h"
#include "base/clock.h"

#define CHECK_BYTES 16

static const struct slice CHECK_ROW = {"root-check", 10};
static const struct slice OPERATOR_ROW = {"operator", 8};

/* Reads a row of exactly `size` bytes: 0, ERR_NOT_FOUND, ERR_CORRUPT or a storage error. */
static int load_bytes(struct store *store, struct slice name, uint8_t *bytes, size_t size)
{
    struct buf value;
    buf_init(&value, 0);
    int err = store_meta_get(store, name, &value);
    if (err == 0) {
        err = buf_error(&value);
    }
    if (err == 0 && value.size != size) {
        err = ERR_CORRUPT;
    }
    if (err == 0) {
        memcpy(bytes, value.data, size);
    }
    buf_fini(&value);
    return err;
}

int auth_has_root(struct store *store, bool *has)
{
    uint8_t stored[CHECK_BYTES];
    int err = load_bytes(store, CHECK_ROW, stored, sizeof stored);
    *has = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int check_root(struct auth *auth)
{
    uint8_t ours[CHECK_BYTES];
    uint8_t stored[CHECK_BYTES];
    crypto_ring_check_value(auth->ring, ours);
    int err = store_meta_add(auth->store, CHECK_ROW, slice_make(ours, sizeof ours));
    if (err == ERR_EXISTS) {
        err = load_bytes(auth->store, CHECK_ROW, stored, sizeof stored);
    } else if (err == 0) {
        return 0;
    }
    if (err != 0) {
        return err;
    }
    return slice_equal_secret(slice_make(ours, sizeof ours), slice_make(stored, sizeof stored)) ? 0 : ERR_KEY;
}

static int load_operator(struct auth *auth)
{
    int err = load_bytes(auth->store, OPERATOR_ROW, auth->operator_hash, sizeof auth->operator_hash);
    auth->has_operator = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int auth_fill(struct auth *auth, struct slice issuer)
{
    buf_append_slice(&auth->issuer, issuer);
    auth->cache = auth_cache_new();
    auth->tenants_by_name = map_new();
    auth->tenants_by_id = map_new();
    auth->projects = map_new();
    if (auth->cache == NULL || auth->tenants_by_name == NULL || auth->tenants_by_id == NULL || auth->projects == NULL ||
        buf_error(&auth->issuer) != 0) {
        return ERR_NO_MEMORY;
    }
    int err = check_root(auth);
    if (err == 0) {
        err = load_operator(auth);
    }
    return err != 0 ? err : auth_signer_new(auth->ring, &auth->signer);
}

int auth_new(struct store *store, const struct crypto_ring *ring, struct slice issuer, struct auth **auth)
{
    *auth = calloc(1, sizeof **auth);
    if (*auth == NULL) {
        return ERR_NO_MEMORY;
    }
    (*auth)->store = store;
    (*auth)->ring = ring;
    buf_init(&(*auth)->issuer, 0);
    pthread_mutex_init(&(*auth)->change, NULL);
    pthread_mutex_init(&(*auth)->maker_lock, NULL);
    pthread_rwlock_init(&(*auth)->lock, NULL);
    int err = auth_fill(*auth, issuer);
    if (err != 0) {
        auth_free(auth);
    }
    return err;
}

void auth_free(struct auth **auth)
{
    if (*auth == NULL) {
        return;
    }
    auth_tenants_free(*auth);
    map_free(&(*auth)->projects);
    auth_cache_free(&(*auth)->cache);
    auth_signer_free(&(*auth)->signer);
    buf_fini(&(*auth)->issuer);
    pthread_rwlock_destroy(&(*auth)->lock);
    pthread_mutex_destroy(&(*auth)->maker_lock);
    pthread_mutex_destroy(&(*auth)->change);
    free(*auth);
    *auth = NULL;
}

struct uuid auth_uuid_make(struct auth *auth)
{
    uint64_t random;
    crypto_random(&random, sizeof random);
    pthread_mutex_lock(&auth->maker_lock);
    struct uuid id = uuid_make(&auth->maker, (uint64_t)clock_real_ms(), random);
    pthread_mutex_unlock(&auth->maker_lock);
    return id;
}

/* ---- the operator ---- */

static void set_operator(struct auth *auth, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES])
{
    pthread_rwlock_wrlock(&auth->lock);
    memcpy(auth->operator_hash, hash, sizeof auth->operator_hash);
    auth->has_operator = true;
    pthread_rwlock_unlock(&auth->lock);
}

/* Under `change`. The hash is stored last: a hash whose key nobody has would lock the operator out for good. */
static int make_operator(struct auth *auth, auth_keep_fn *keep, void *context, struct buf *key)
{
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    if (auth->has_operator) {
        return ERR_EXISTS;
    }
    crypto_token_make("mo_", key);
    int err = buf_error(key);
    if (err == 0) {
        err = keep(context, buf_view(key));
    }
    if (err != 0) {
        return err;
    }
    crypto_token_hash(auth->ring, buf_view(key), hash);
    err = store_meta_add(auth->store, OPERATOR_ROW, slice_make(hash, sizeof hash));
    if (err == ERR_EXISTS) {
        int there = load_bytes(auth->store, OPERATOR_ROW, hash, sizeof hash); /* made by another node meanwhile */
        err = there == 0 ? ERR_EXISTS : there;
    }
    if (err == 0 || err == ERR_EXISTS) {
        set_operator(auth, hash);
    }
    return err;
}

int auth_operator_create_kept(struct auth *auth, auth_keep_fn *keep, void *context)
{
    struct buf key;
    buf_init(&key, 0);
    pthread_mutex_lock(&auth->change);
    int err = make_operator(auth, keep, context, &key);
    pthread_mutex_unlock(&auth->change);
    crypto_wipe(key.data, key.size);
    buf_fini(&key);
    return err;
}

static int append_key(void *context, struct slice key)
{
    struct buf *to = context;
    buf_append_slice(to, key);
    return buf_error(to);
}

int auth_operator_create(struct auth *auth, struct buf *key)
{
    return auth_operator_create_kept(auth, append_key, key);
}

int auth_check_operator(struct auth *auth, struct slice key)
{
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    crypto_token_hash(auth->ring, key, hash);
    pthread_rwlock_rdlock(&auth->lock);
    bool same = auth->has_operator && slice_equal_secret(slice_make(hash, sizeof hash),
                                                         slice_make(auth->operator_hash, sizeof auth->operator_hash));
    pthread_rwlock_unlock(&auth->lock);
    return same ? 0 : ERR_TOKEN_INVALID;
}
