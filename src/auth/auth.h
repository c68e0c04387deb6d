/*
 * Who may do what: tenants, their projects, clients, keys and tokens, and the check of a bearer
 * token. The tenant of a request comes from its verified token and from nowhere else (P7).
 * Secrets are shown once, when they are made; the store has keyed hashes of them.
 *
 * Any thread may call any function.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/kinds.h"
#include "base/uuid.h"
#include "crypto/crypto.h"
#include "store/store.h"

struct auth;

/* `issuer` is the URL that names this server in its tokens. The ring must outlive it. 0, ERR_KEY when
 * the store was made under another root key, or a storage error. */
int auth_new(struct store *store, const struct crypto_ring *ring, struct slice issuer, struct auth **auth) MUST_CHECK;
/* Whether some start has left its root key's check value in the store: another key than that one won't do. */
int auth_has_root(struct store *store, bool *has) MUST_CHECK;
void auth_free(struct auth **auth);

/* ---- tenants and what is theirs ---- */

/* A tenant while it is used: lives until the auth is freed. */
struct auth_tenant {
    struct uuid id;                  /* in every key of the store */
    char name[LIMIT_NAME_BYTES + 1]; /* public: what tenantId says */
    bool makes_projects;             /* projects are created on first use */
    bool strict;                     /* validation=strict without asking */
    const struct crypto_tenant *keys;
};

/* Names are 1 to 64 of a-z A-Z 0-9 . _ - and begin with a letter or digit; else ERR_BAD_PARAMETER. ERR_EXISTS. */
int auth_tenant_create(struct auth *auth, struct slice name, bool makes_projects, bool strict) MUST_CHECK;

/* What a tenant may send; a day is one of UTC, bytes are those of bodies unpacked. */
enum auth_limit { AUTH_REQUEST_ITEMS, AUTH_REQUEST_BYTES, AUTH_DAY_ITEMS, AUTH_DAY_BYTES, AUTH_LIMITS };
struct auth_limits {
    uint64_t at[AUTH_LIMITS]; /* 0: no limit */
};
#define AUTH_LIMIT_MAX (1ull << 53) /* what any JSON reader takes for a whole number */

/* Name of a limit as a member: "itemsPerDay". */
const char *auth_limit_name(enum auth_limit limit);
/* The same as auth_tenant_create, with limits from the start. */
int auth_tenant_create_limited(struct auth *auth, struct slice name, bool makes_projects, bool strict,
                               const struct auth_limits *limits) MUST_CHECK;
/* Sets those of the limits for which `set` is true, for requests that come from now on; *limits gets what all are
 * then. ERR_NOT_FOUND (also when revoked). */
int auth_tenant_limit(struct auth *auth, struct slice name, const bool set[AUTH_LIMITS],
                      struct auth_limits *limits) MUST_CHECK;
/* The limits of this moment. */
void auth_tenant_limits(struct auth *auth, const struct auth_tenant *tenant, struct auth_limits *limits);

/* The tenant of that name; 0 or ERR_NOT_FOUND (also when revoked). */
int auth_tenant_get(struct auth *auth, struct slice name, const struct auth_tenant **tenant) MUST_CHECK;
int auth_tenant_by_id(struct auth *auth, const struct uuid *id, const struct auth_tenant **tenant) MUST_CHECK;
/* The same, revoked or not: for those who look after stored data, never for a request. */
int auth_tenant_of_data(struct auth *auth, const struct uuid *id, const struct auth_tenant **tenant) MUST_CHECK;
/* From now on no token of it is valid. Its data stays. */
int auth_tenant_revoke(struct auth *auth, struct slice name) MUST_CHECK;

/* Project names: any 1 to 64 bytes of printable UTF-8. */
int auth_project_create(struct auth *auth, const struct auth_tenant *tenant, struct slice name) MUST_CHECK;
int auth_project_revoke(struct auth *auth, const struct auth_tenant *tenant, struct slice name) MUST_CHECK;
/* 0, or ERR_PROJECT_UNKNOWN. Creates it when the tenant makes projects on first use. */
int auth_project_use(struct auth *auth, const struct auth_tenant *tenant, struct slice name) MUST_CHECK;

/* What a client or key may do. */
struct auth_rights {
    uint32_t scopes;      /* bits of enum scope */
    struct slice project; /* the only project it may use, or empty: all of the tenant */
};

/* An OAuth client (RFC 6749 section 2.3.1): appends its id and its secret. */
int auth_client_create(struct auth *auth, const struct auth_tenant *tenant, struct slice name,
                       const struct auth_rights *rights, struct buf *client_id, struct buf *secret) MUST_CHECK;
int auth_client_revoke(struct auth *auth, const struct auth_tenant *tenant, struct slice client_id) MUST_CHECK;

/* An API key "mk_…" or a tenant token "mt_…" (no rights: it only proves the tenant). Appends an id that is safe
 * to show and the key itself. */
enum auth_key_kind { AUTH_API_KEY, AUTH_TENANT_TOKEN };
int auth_key_create(struct auth *auth, const struct auth_tenant *tenant, enum auth_key_kind kind, struct slice name,
                    const struct auth_rights *rights, struct buf *id, struct buf *key) MUST_CHECK;
int auth_key_revoke(struct auth *auth, const struct auth_tenant *tenant, struct slice id) MUST_CHECK;

/* Appends a JSON array of the tenants, or of a tenant's projects, clients or keys (no secrets). */
int auth_list_tenants(struct auth *auth, struct buf *json) MUST_CHECK;
int auth_list_projects(struct auth *auth, const struct auth_tenant *tenant, struct buf *json) MUST_CHECK;
int auth_list_clients(struct auth *auth, const struct auth_tenant *tenant, struct buf *json) MUST_CHECK;
int auth_list_keys(struct auth *auth, const struct auth_tenant *tenant, struct buf *json) MUST_CHECK;

/* ---- checking a request ---- */

struct auth_grant {
    const struct auth_tenant *tenant;
    uint32_t scopes;
    char project[LIMIT_NAME_BYTES + 1]; /* the only one, or "" */
    char subject[64];                   /* client or key id, for the log */
};

/* The bearer token of a request (an API key or an access token of ours), at `now_ms`.
 * 0, ERR_TOKEN_INVALID, ERR_TOKEN_EXPIRED, or a storage error. */
int auth_check_bearer(struct auth *auth, struct slice token, int64_t now_ms, struct auth_grant *grant) MUST_CHECK;
/* The second credential of the Cyrexa contract. 0, ERR_TOKEN_INVALID, or ERR_TENANT_MISMATCH. */
int auth_check_tenant_token(struct auth *auth, struct slice token, const struct auth_tenant *tenant) MUST_CHECK;

/* ---- the operator ---- */

/* Makes the operator key if none exists yet and appends it; ERR_EXISTS when there is one. */
int auth_operator_create(struct auth *auth, struct buf *key) MUST_CHECK;
/* The same for a key that must not be lost: `keep` puts it where it will be found, and only when that has
 * returned 0 does the key count. A start that breaks off in between makes another one. */
typedef int auth_keep_fn(void *context, struct slice key);
int auth_operator_create_kept(struct auth *auth, auth_keep_fn *keep, void *context) MUST_CHECK;
int auth_check_operator(struct auth *auth, struct slice key) MUST_CHECK;

/* ---- the authorization server ---- */

/* Client credentials grant (RFC 6749 section 4.4). Appends a JWT access token (RFC 9068, EdDSA), valid for
 * AUTH_TOKEN_SECONDS. `scope` is space separated, empty for all of the client's. *granted gets the bits.
 * 0, ERR_TOKEN_INVALID (client unknown or secret wrong), ERR_SCOPE_MISSING (asked for more than it has). */
#define AUTH_TOKEN_SECONDS 3600
int auth_issue(struct auth *auth, struct slice client_id, struct slice secret, struct slice scope, int64_t now_ms,
               struct buf *token, uint32_t *granted) MUST_CHECK;
/* Appends the JWK Set (RFC 7517) and the metadata (RFC 8414). */
int auth_jwks(struct auth *auth, struct buf *json) MUST_CHECK;
int auth_metadata(struct auth *auth, struct buf *json) MUST_CHECK;

/* Appends scopes as space separated names. */
void auth_scopes_to_text(uint32_t scopes, struct buf *text);
/* Bits of space separated names; 0 bits and ERR_BAD_PARAMETER when one is unknown. */
int auth_scopes_from_text(struct slice text, uint32_t *scopes) MUST_CHECK;

#endif
