/*
 * Checks of credentials that came out well, remembered so that the next request with the same one
 * costs a hash and a look. The difficulty is that a revoke must count at once, also against a check
 * that is running: it may have read the row just before the revoke changed it.
 *
 * Every entry carries the generation that held before its rows were read; a revoke first writes its
 * row and then adds one to the generation. An entry counts only while the generation is its own, so
 * one that rests on a row read before the revoke's end never counts after it. Revokes are rare and
 * empty the whole cache; the price is a slow check for each credential in use.
 *
 * A table of fixed size: sets of a few entries, chosen by the keyed hash of the credential, which
 * nobody outside can steer. Failures are not remembered, so nobody can fill it with them.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "auth/auth_priv.h"

#define SETS  2048u
#define WAYS  4u
#define LOCKS 64u

/* Generation 0 is that of an empty entry. */
struct entry {
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES];
    uint64_t generation;
    int64_t expires_ms;
    enum auth_credential credential;
    struct auth_grant grant;
};

struct auth_cache {
    _Atomic uint64_t generation;
    pthread_mutex_t locks[LOCKS]; /* a set belongs to the lock of its number modulo LOCKS */
    struct entry entries[SETS][WAYS];
};

struct auth_cache *auth_cache_new(void)
{
    struct auth_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL) {
        return NULL;
    }
    atomic_init(&cache->generation, 1);
    for (size_t i = 0; i < LOCKS; i++) {
        pthread_mutex_init(&cache->locks[i], NULL);
    }
    return cache;
}

void auth_cache_free(struct auth_cache **cache)
{
    if (*cache == NULL) {
        return;
    }
    for (size_t i = 0; i < LOCKS; i++) {
        pthread_mutex_destroy(&(*cache)->locks[i]);
    }
    free(*cache);
    *cache = NULL;
}

uint64_t auth_cache_generation(struct auth_cache *cache)
{
    return atomic_load(&cache->generation);
}

void auth_cache_forget(struct auth_cache *cache)
{
    atomic_fetch_add(&cache->generation, 1);
}

static uint32_t set_of(const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES])
{
    uint32_t number;
    memcpy(&number, hash, sizeof number);
    return number % SETS;
}

static bool has_hash(const struct entry *entry, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES])
{
    return slice_equal_secret(slice_make(entry->hash, sizeof entry->hash), slice_make(hash, CRYPTO_TOKEN_HASH_BYTES));
}

/* The entry to overwrite: the same credential's, else a dead one, else any. */
static struct entry *victim(struct entry *set, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES], uint64_t generation)
{
    struct entry *dead = NULL;
    for (size_t i = 0; i < WAYS; i++) {
        if (has_hash(&set[i], hash)) {
            return &set[i];
        }
        if (set[i].generation != generation) {
            dead = &set[i];
        }
    }
    return dead != NULL ? dead : &set[hash[CRYPTO_TOKEN_HASH_BYTES - 1] % WAYS];
}

void auth_cache_put(struct auth_cache *cache, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES], uint64_t generation,
                    enum auth_credential credential, int64_t expires_ms, const struct auth_grant *grant)
{
    uint32_t set = set_of(hash);
    pthread_mutex_lock(&cache->locks[set % LOCKS]);
    struct entry *entry = victim(cache->entries[set], hash, generation);
    memcpy(entry->hash, hash, sizeof entry->hash);
    entry->generation = generation;
    entry->credential = credential;
    entry->expires_ms = expires_ms;
    entry->grant = *grant;
    pthread_mutex_unlock(&cache->locks[set % LOCKS]);
}

bool auth_cache_get(struct auth_cache *cache, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES],
                    enum auth_credential credential, int64_t *expires_ms, struct auth_grant *grant)
{
    uint32_t set = set_of(hash);
    uint64_t generation = auth_cache_generation(cache);
    bool found = false;
    pthread_mutex_lock(&cache->locks[set % LOCKS]);
    for (size_t i = 0; i < WAYS && !found; i++) {
        const struct entry *entry = &cache->entries[set][i];
        found = entry->generation == generation && entry->credential == credential && has_hash(entry, hash);
        if (found) {
            *expires_ms = entry->expires_ms;
            *grant = entry->grant;
        }
    }
    pthread_mutex_unlock(&cache->locks[set % LOCKS]);
    return found;
}
