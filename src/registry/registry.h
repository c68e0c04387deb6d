/*
 * The verbs on customers and imports besides taking them in: get, list, find, verify a secret. Composes
 * the JSON that the HTTP room sends. Any thread may call; verify takes the time of a password hash.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <sys/types.h>

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

/* ---- imports ---- */

/* Appends the import: terms, state, counts, times, links; of an open one how far it is. 0 or ERR_NOT_FOUND. */
int registry_import_get(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                        struct buf *json) MUST_CHECK;
/* Appends {"imports":[…],"next":"…"}, newest first; `before` is the cursor or zero. */
int registry_import_list(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *before,
                         size_t limit, struct buf *json) MUST_CHECK;
/* Appends {"imports":[…]}: the import that an idempotency key has brought at any of the contracts' addresses, the
 * newest when there are several; none when none has a row yet. 0, or ERR_BAD_PARAMETER when it is no key. */
int registry_import_find(const struct registry *registry, const struct auth_tenant *tenant, struct slice key,
                         struct buf *json) MUST_CHECK;
/* Appends how far an open import is, as an object of counts; of one that has ended (*ended) what
 * registry_import_get appends. 0 or ERR_NOT_FOUND. */
int registry_import_progress(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                             bool *ended, struct buf *json) MUST_CHECK;
/* The customers of a committed import are gone from now on; the import is appended. One that is undone already is
 * no error. ERR_NOT_FOUND; ERR_IMPORT_ENDED: there is nothing to undo, or its report is not kept any more;
 * ERR_IMPORT_CHANGED: a list of customers in the way is appended instead, as a JSON array. */
int registry_import_undo(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                         struct buf *json) MUST_CHECK;
/* Ends an open import as aborted; it is appended. *ended tells whether it is over or will be soon. One that is
 * aborted already is no error. ERR_NOT_FOUND; ERR_IMPORT_ENDED: it is kept. */
int registry_import_abort(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                          bool *ended, struct buf *json) MUST_CHECK;

/*
 * Reports of an import, to be read piece by piece as they are sent: a reader holds one chunk's rows. One thread at
 * a time each; the registry and the tenant must outlive it. Opening fails with ERR_NOT_FOUND (also when the report
 * is not kept any more) or ERR_BUSY (the import is open). Reading gives up to `room` bytes, 0 at the end, or a
 * negative ERR_, after which the reader can only be closed.
 */
struct registry_results;
struct registry_faults;

enum registry_form { REGISTRY_LINES, REGISTRY_CSV };

/* The outcome of every item in order: JSON objects a line, or CSV. */
int registry_results_open(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                          enum registry_form form, struct registry_results **results) MUST_CHECK;
ssize_t registry_results_read(struct registry_results *results, char *to, size_t room);
void registry_results_close(struct registry_results **results);

/* The refused items as they came, with what is wrong with each: in the form of the body, to be mended and sent
 * again. With `groups`: one JSON object of what is wrong, how often and where. */
int registry_faults_open(const struct registry *registry, const struct auth_tenant *tenant, const struct uuid *id,
                         bool groups, struct registry_faults **faults) MUST_CHECK;
/* Its media type. */
const char *registry_faults_type(const struct registry_faults *faults);
ssize_t registry_faults_read(struct registry_faults *faults, char *to, size_t room);
void registry_faults_close(struct registry_faults **faults);

#endif
