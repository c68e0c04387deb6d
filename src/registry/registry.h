/*
 * The verbs on customers and imports besides taking them in: get, list, find, verify a secret. Composes
 * the JSON that the HTTP room sends. Any thread may call; verify takes the time of a password hash.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "auth/auth.h"
#include "contract/contract.h"
#include "intake/intake.h"
#include "store/store.h"

/* What the verbs work with; plain data, borrowed. */
struct registry {
    struct store *store;
    const struct crypto_ring *ring;
    struct intake *intake;
    struct contract *const *contracts;
    size_t contract_count;
};

/* Most rows of one page. */
#define REGISTRY_PAGE_MAX 1000u

/* Which customers. With a kind of NONE: all. */
struct registry_query {
    enum identifier_kind kind;
    struct slice value; /* as a client writes it; a wallet may begin with its namespace and a colon */
    struct uuid after;  /* the cursor: the last id of the page before, or zero */
    size_t limit;       /* 1 to REGISTRY_PAGE_MAX */
};

/* Appends the customer: document without secrets, contract, status, import, times, findings.
 * 0, ERR_NOT_FOUND, or why it can't be read. */
int registry_customer_get(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                          struct buf *json) MUST_CHECK;
/* Appends {"customers":[…],"next":"…"}: the short form of each, in order of id. */
int registry_customer_list(const struct registry *registry, const struct auth_tenant *tenant,
                           const struct registry_query *query, struct buf *json) MUST_CHECK;
/* Whether a secret of that kind is `value`. One that waits for the hashing lane is hashed at once. 0, or
 * ERR_NOT_FOUND when there is no such customer. */
int registry_secret_verify(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                           enum secret_kind kind, struct slice value, bool *match) MUST_CHECK;

/* Appends the import: state, counts, times. 0 or ERR_NOT_FOUND. */
int registry_import_get(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                        struct buf *json) MUST_CHECK;
/* Appends {"imports":[…],"next":"…"}, newest first; `before` is the cursor or zero. */
int registry_import_list(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *before,
                         size_t limit, struct buf *json) MUST_CHECK;

#endif
