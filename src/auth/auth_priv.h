/*
 * What the files of auth share. The state of the room stands here once, with who guards what:
 *
 *   change    held by whoever changes rows, and while a tenant or project is loaded from its row, so
 *             that nothing is remembered from a row that is just being revoked
 *   lock      guards the maps, and `revoked`, `stale` and `limits` of the entries in them; held for moments,
 *             never during I/O
 *   cache     has its own locks; a revoke bumps its generation, see cache.c
 *
 * Taken in the order change, lock. Rows that are only read (clients, keys) need neither.
 */
#ifndef AUTH_AUTH_PRIV_H
#define AUTH_AUTH_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/auth.h"
#include "auth/jwt_priv.h"
#include "base/limits.h"
#include "base/map.h"
#include "json/json.h"

/* ---- names (name.c) ---- */

bool auth_name_is_tenant(struct slice name);
/* Projects, and the labels of clients and keys. */
bool auth_name_is_printable(struct slice name);
/* Ids of clients and keys: `prefix` and lower-case hex digits. */
bool auth_name_is_id(struct slice text, const char *prefix);

/* ---- rows (rows.c) ---- */

enum auth_row_kind { AUTH_ROW_TENANT, AUTH_ROW_PROJECT, AUTH_ROW_CLIENT, AUTH_ROW_KEY };

#define AUTH_ID_BYTES 48

/* Any row; which members count is in the table of rows.c. */
struct auth_row {
    char name[LIMIT_NAME_BYTES + 1];
    char tenant[LIMIT_NAME_BYTES + 1]; /* public name of the owner */
    char id[AUTH_ID_BYTES];
    char project[LIMIT_NAME_BYTES + 1]; /* the only one, or "" */
    uint32_t scopes;
    enum auth_key_kind key_kind;
    bool makes_projects;
    bool strict;
    bool revoked;
    struct auth_limits limits;
    int64_t created_ms;
    uint8_t hash[CRYPTO_TOKEN_HASH_BYTES]; /* of the key or client secret */
    uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES];
};

/* The key of a row in the store. */
struct auth_row_name {
    char text[256];
};

/* The parts must have passed name.c; asserted. */
struct auth_row_name auth_row_name_of_tenant(struct slice name);
struct auth_row_name auth_row_name_of_tenant_id(const struct uuid *id);
struct auth_row_name auth_row_name_of_project(struct slice tenant, struct slice project);
struct auth_row_name auth_row_name_of_client(struct slice id);
struct auth_row_name auth_row_name_of_key(struct slice id);

/* 0, ERR_NOT_FOUND, ERR_CORRUPT or a storage error. */
int auth_row_load(struct store *store, const struct auth_row_name *name, enum auth_row_kind kind,
                  struct auth_row *row) MUST_CHECK;
/* ERR_EXISTS when there is one. */
int auth_row_add(struct store *store, const struct auth_row_name *name, enum auth_row_kind kind,
                 const struct auth_row *row) MUST_CHECK;
/* Loads the row, has it changed and writes it, unless `change` returns not 0, which is returned then. When somebody
 * else has written the row meanwhile, all of it is done again. *row gets what it is then. */
typedef int auth_row_change_fn(void *context, struct auth_row *row);
int auth_row_change(struct store *store, const struct auth_row_name *name, enum auth_row_kind kind,
                    auth_row_change_fn *change, void *context, struct auth_row *row) MUST_CHECK;
/* Appends a JSON array of the rows whose key begins with prefix, without their secrets; only those of `tenant`
 * unless that is empty. */
int auth_row_list(struct store *store, struct slice prefix, enum auth_row_kind kind, struct slice tenant,
                  struct buf *json) MUST_CHECK;
/* Copies into a NUL-terminated member of `room` bytes; what does not fit is our mistake. */
void auth_text_copy(char *to, size_t room, struct slice text);

/* ---- remembered checks (cache.c) ---- */

struct auth_cache;

enum auth_credential { AUTH_BEARER = 1, AUTH_SECOND = 2 };

struct auth_cache *auth_cache_new(void);
void auth_cache_free(struct auth_cache **cache);
/* To be asked before the rows are read that a remembered check rests on. */
uint64_t auth_cache_generation(struct auth_cache *cache);
/* After a row was revoked: nothing that was remembered before counts any more. */
void auth_cache_forget(struct auth_cache *cache);
void auth_cache_put(struct auth_cache *cache, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES], uint64_t generation,
                    enum auth_credential credential, int64_t expires_ms, const struct auth_grant *grant);
/* True when it is remembered and still counts. */
bool auth_cache_get(struct auth_cache *cache, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES],
                    enum auth_credential credential, int64_t *expires_ms, struct auth_grant *grant);

/* ---- claims (claims.c) ---- */

struct auth_claims {
    char client[AUTH_ID_BYTES];
    char tenant[LIMIT_NAME_BYTES + 1];
    char project[LIMIT_NAME_BYTES + 1];
    uint32_t scopes;
    struct uuid token_id;
    int64_t issued_s;
    int64_t expires_s;
};

void auth_claims_write(const struct auth_claims *claims, struct slice issuer, struct buf *json);
/* Reads and judges the claims of a verified payload: 0, ERR_TOKEN_INVALID, ERR_TOKEN_EXPIRED. The payload may
 * be grown by padding. */
int auth_claims_read(struct buf *payload, struct slice issuer, int64_t now_ms, struct auth_claims *claims) MUST_CHECK;

/* ---- the room ---- */

struct auth_tenant_entry {
    struct auth_tenant tenant;
    struct crypto_tenant *keys;
    bool revoked;
    bool stale; /* to be read anew before it counts */
    struct auth_limits limits;
};

struct auth {
    struct store *store;
    const struct crypto_ring *ring;
    struct buf issuer;
    struct auth_signer *signer;
    struct auth_cache *cache;
    _Atomic uint64_t stamp; /* of the store, that what is remembered goes with */

    pthread_mutex_t change;
    pthread_rwlock_t lock;
    struct map *tenants_by_name; /* to auth_tenant_entry; owns them */
    struct map *tenants_by_id;
    struct map *projects; /* tenant id and name of those that may be used */
    bool has_operator;
    uint8_t operator_hash[CRYPTO_TOKEN_HASH_BYTES];

    pthread_mutex_t maker_lock;
    struct uuid_maker maker;
};

/* Before anything that is remembered is looked at: forgets it when another server has changed rows. 0, or the
 * storage error because of which nothing remembered counts. Not with `change` held. */
int auth_follow(struct auth *auth) MUST_CHECK;

struct uuid auth_uuid_make(struct auth *auth);
/* Frees the tenants that were loaded. */
void auth_tenants_free(struct auth *auth);
/* The bound project of new rights is one that the tenant has; names and bits are valid. */
int auth_rights_check(struct auth *auth, const struct auth_tenant *tenant, const struct auth_rights *rights) MUST_CHECK;
/* Row of a client that may be used: 0, ERR_NOT_FOUND (also when revoked) or a storage error. */
int auth_client_load(struct auth *auth, struct slice client_id, struct auth_row *row) MUST_CHECK;
/* Row of the key with that hash, of that kind: 0, ERR_NOT_FOUND (also when revoked) or a storage error. */
int auth_key_load(struct auth *auth, const uint8_t hash[CRYPTO_TOKEN_HASH_BYTES], enum auth_key_kind kind,
                  struct auth_row *row) MUST_CHECK;
/* The revoke that clients and keys share: `name` must be a row of the tenant. */
int auth_row_revoke(struct auth *auth, const struct auth_row_name *name, enum auth_row_kind kind,
                    const struct auth_tenant *tenant) MUST_CHECK;

#endif
