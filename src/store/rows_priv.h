/*
 * Keys and values of every row, as bytes. docs/store.md shows the same as tables. Integers in keys
 * are big-endian, so that order of bytes is order of numbers; in values little-endian.
 *
 *   family      key                                  value
 *   body        tenant 16, customer 16               record (record.h); updated: 2 (1), customer 16, record
 *   unique      tenant 16, kind 1, mac 16            customer 16, import 16, fingerprint 16, see store_holder
 *   plain       tenant 16, kind 1, mac 16, customer  -
 *   secret      tenant 16, customer 16               import 16, secrets row; updated: 2 (1), id 16 between them
 *   pending     tenant 16, customer 16               import 16
 *   import      tenant 16, import 16                 see store_rows_import_write
 *   outcome     tenant 16, import 16, chunk 4        chain 16, outcomes: see store_rows_outcome_write
 *   fault       tenant 16, import 16, chunk 4        the caller's: refused items, sealed
 *   request     tenant 16, mac 16                    import 16, terms 16, created 8
 *   unfinished  tenant 16, import 16                 state 1 (import_state; 128: it updates), mac 16 of its key if any;
 *                                                    of many nodes: 1 (1: wrote, 2: refused), owner 16, touched 8
 *   revision    tenant 16, customer 16, number 8     import 16, pending 1, secrets (length 4, row), record
 *   change      tenant 16, import 16, customer 16    import 16 that changed this customer of the first
 *   meta        text                                 the caller's
 *   format      "format"                             version 4
 */
#ifndef STORE_ROWS_PRIV_H
#define STORE_ROWS_PRIV_H

#include "store/store.h"
#include "store/unfinished_priv.h"

#define STORE_FORMAT_VERSION 2u

#define STORE_TENANT_BYTES   UUID_BYTES
#define STORE_PAIR_BYTES     (2 * UUID_BYTES)
#define STORE_UNIQUE_BYTES   (UUID_BYTES + 1 + CRYPTO_MAC_BYTES)
#define STORE_PLAIN_BYTES    (STORE_UNIQUE_BYTES + UUID_BYTES)
#define STORE_OUTCOME_BYTES  (STORE_PAIR_BYTES + 4)
#define STORE_CHANGE_BYTES   (STORE_PAIR_BYTES + UUID_BYTES)
#define STORE_ROW_KEY_BYTES  STORE_PLAIN_BYTES /* the longest of them */
#define STORE_REVISION_BYTES (STORE_PAIR_BYTES + 8)
#define STORE_HOLDER_BYTES   (3 * UUID_BYTES + 2 * CRYPTO_MAC_BYTES) /* at most */
#define STORE_MARK_BYTES     (1 + CRYPTO_MAC_BYTES)                  /* at most */
#define STORE_OWNED_BYTES    (1 + UUID_BYTES + 8)                    /* behind the mark, in a store of many nodes */
#define STORE_REQUEST_BYTES  (UUID_BYTES + CRYPTO_MAC_BYTES + 8)

/*
 * Who has a unique key. `next`, unless zero, is an import that updates the customer: once it is committed, the
 * customer has the key with that import and `next_fingerprint`, or (`released`) has it no more; until then, and
 * when it is aborted, the first three count. In the value next 16 and next_fingerprint 16 follow them, the last
 * not when it is released.
 */
struct store_holder {
    struct uuid id;
    struct uuid import;
    uint8_t fingerprint[CRYPTO_MAC_BYTES];
    struct uuid next;
    bool released;
    uint8_t next_fingerprint[CRYPTO_MAC_BYTES];
};

/* New content of a customer. Views. */
struct store_revision {
    struct uuid import;
    struct slice secrets; /* empty: it has none */
    bool pending;
    struct slice record; /* its header names another id than the customer's: what it was sealed as */
};

/* Each writes the key's bytes to `key` (room for STORE_ROW_KEY_BYTES) and returns a view of them. */
struct slice store_rows_pair_key(uint8_t *key, const struct uuid *tenant, const struct uuid *id);
struct slice store_rows_unique_key(uint8_t *key, const struct uuid *tenant, const struct record_key *index);
struct slice store_rows_plain_key(uint8_t *key, const struct uuid *tenant, const struct record_key *index,
                                  const struct uuid *id);
struct slice store_rows_request_key(uint8_t *key, const struct uuid *tenant, const uint8_t mac[CRYPTO_MAC_BYTES]);
/* Of an outcome row, and of a fault row. */
struct slice store_rows_outcome_key(uint8_t *key, const struct uuid *tenant, const struct uuid *import, uint32_t chunk);

struct slice store_rows_change_key(uint8_t *key, const struct uuid *tenant, const struct uuid *import,
                                   const struct uuid *customer);

struct slice store_rows_revision_key(uint8_t *key, const struct uuid *tenant, const struct uuid *customer,
                                     uint64_t number);
/* The number in a revision row's key. */
uint64_t store_rows_revision_number(struct slice key);

/* The 16 bytes at `at`. */
struct uuid store_rows_uuid_at(struct slice bytes, size_t at);
/* The chunk number of an outcome or fault row's key. */
uint32_t store_rows_outcome_chunk(struct slice key);

struct slice store_rows_holder_write(uint8_t value[STORE_HOLDER_BYTES], const struct store_holder *holder);
/* 0 or ERR_CORRUPT. */
int store_rows_holder_read(struct slice value, struct store_holder *holder) MUST_CHECK;

struct slice store_rows_request_write(uint8_t value[STORE_REQUEST_BYTES], const struct store_request *request);
/* Everything but the mac, which is in the key. 0 or ERR_CORRUPT. */
int store_rows_request_read(struct slice value, struct store_request *request) MUST_CHECK;

/* The entry's mark; its state is not 0. */
struct slice store_rows_mark_write(uint8_t value[STORE_MARK_BYTES], const struct store_unfinished *entry);
/* The same with what nodes tell each other: wrote and refused, owner, touched_ms. */
struct slice store_rows_mark_write_owned(uint8_t value[STORE_MARK_BYTES + STORE_OWNED_BYTES],
                                         const struct store_unfinished *entry);
/* What key and value say of the entry; a mark that is not owned says `wrote`, to be on the safe side, and touched
 * never. 0 or ERR_CORRUPT. */
int store_rows_mark_read(struct slice key, struct slice value, struct store_unfinished *entry) MUST_CHECK;

void store_rows_revision_write(struct buf *row, const struct store_revision *revision);
/* 0 or ERR_CORRUPT. */
int store_rows_revision_read(struct slice value, struct store_revision *revision) MUST_CHECK;

/* The value of the body row of an updated customer. */
void store_rows_body_write(struct buf *row, const struct uuid *customer, struct slice record);
/* The record of a body row's value, of this customer. 0 or ERR_CORRUPT. */
int store_rows_body_read(struct slice value, const struct uuid *customer, struct slice *record) MUST_CHECK;
/* The value of the secret row of an updated customer, whose secrets are sealed to `owner`. */
void store_rows_secret_write(struct buf *row, const struct uuid *import, const struct uuid *owner,
                             struct slice secrets);
/* The secrets in a secret row's value; `owner` is what they are sealed to. 0 or ERR_CORRUPT. */
int store_rows_secret_read(struct slice value, const struct uuid *customer, struct uuid *owner,
                           struct slice *secrets) MUST_CHECK;

/* Begins an outcome row; its outcomes follow. `chain` NULL: zeros. */
void store_rows_chain_write(struct buf *row, const uint8_t *chain);
/* Takes the chain off the row's front; `chain` may be NULL. 0 or ERR_CORRUPT. */
int store_rows_chain_read(struct slice *row, uint8_t *chain) MUST_CHECK;
void store_rows_outcome_write(struct buf *row, const struct store_outcome *outcome);
/* Next outcome; false at the end. ERR_CORRUPT in *err when the bytes are none. */
bool store_rows_outcome_read(struct slice *row, struct store_outcome *outcome, int *err);

void store_rows_import_write(struct buf *row, const struct store_import *import);
/* The members; tenant and id come from the key. The envelope views the row. 0 or ERR_CORRUPT. */
int store_rows_import_read(struct slice key, struct slice row, struct store_import *import) MUST_CHECK;
/* The state alone; 0 when the row is none. */
uint8_t store_rows_import_state(struct slice row);
/* Whether it is open and may be gone on with after a restart (S6). */
bool store_rows_import_resumes(struct slice row);

#endif
