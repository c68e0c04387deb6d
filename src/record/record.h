/*
 * The bytes that a customer becomes in a store: a clear header that the store and its checks may
 * read, and a sealed body that only a tenant's keys open. The layout is described byte by byte at
 * the top of record.c. Pure; thread-safe.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/uuid.h"
#include "crypto/crypto.h"

#define RECORD_VERSION 1

/* One index entry of a customer. */
struct record_key {
    uint8_t kind; /* identifier_kind */
    bool unique;  /* no other customer of the tenant may have it */
    uint8_t mac[CRYPTO_MAC_BYTES];
};

struct record_header {
    uint8_t contract; /* contract_info.number */
    uint8_t flags;    /* 0 for now */
    struct uuid tenant;
    struct uuid id;
    struct uuid import;
    int64_t created_ms;
    int64_t updated_ms;
    uint8_t fingerprint[CRYPTO_MAC_BYTES];
    const struct record_key *keys;
    size_t key_count; /* at most LIMIT_ITEM_KEYS */
};

/* What is sealed. Views. */
struct record_body {
    struct slice document; /* JSON, minified, without secrets */
    struct slice findings; /* JSON array of findings, or empty */
    struct slice card;     /* JSON object: name, type, status, category that are known */
};

/* Appends the whole record. `nonce` is 24 fresh random bytes. */
void record_write(const struct record_header *header, const struct record_body *body, const struct crypto_tenant *keys,
                  const uint8_t nonce[CRYPTO_NONCE_BYTES], struct buf *out);

/* Reads the clear header; keys are written to `keys` (room for LIMIT_ITEM_KEYS) and header->keys
 * points there. 0 or ERR_CORRUPT. */
int record_read_header(struct slice record, struct record_header *header, struct record_key *keys) MUST_CHECK;

/* Opens the body; its plain bytes are appended to `plain` and *body views them. 0, ERR_CORRUPT,
 * ERR_KEY or ERR_NO_MEMORY. */
int record_open(struct slice record, const struct crypto_tenant *keys, struct buf *plain,
                struct record_body *body) MUST_CHECK;

/* ---- a customer's secrets, kept in a row of their own ---- */

enum secret_state {
    SECRET_PENDING = 1, /* plain, sealed to the hashing lane */
    SECRET_READY = 2,   /* Argon2id made by Muster, peppered */
    SECRET_GIVEN = 3    /* a ready-made hash, as the client sent it */
};

struct record_secret {
    uint8_t kind;         /* secret_kind */
    uint8_t state;        /* secret_state */
    struct slice pointer; /* JSON Pointer it was cut from */
    struct slice value;   /* plain (pending) or the hash; sealed together when written */
};

#define RECORD_SECRETS_MAX 64

/* Appends a sealed row of secrets; the states stay readable in clear at its front. */
void record_secrets_write(const struct uuid *tenant, const struct uuid *customer, const struct record_secret *secrets,
                          size_t count, const struct crypto_tenant *keys, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                          struct buf *out);
/* Opens a row: up to RECORD_SECRETS_MAX secrets that view `plain`, which the caller wipes. */
int record_secrets_open(const struct uuid *tenant, const struct uuid *customer, struct slice row,
                        const struct crypto_tenant *keys, struct buf *plain, struct record_secret *secrets,
                        size_t *count) MUST_CHECK;
/* How many of a row's secrets are pending; needs no key. 0 or ERR_CORRUPT. */
int record_secrets_pending(struct slice row, size_t *pending) MUST_CHECK;

/* ---- the refused items of a chunk ---- */

/* What is wrong with one item. */
struct record_fault {
    struct slice code;
    struct slice pointer;
    struct slice detail;
    struct slice hint;
    struct uuid customer; /* the existing customer of a conflict, else zero */
};

/* Writes a sealed row of refused items, one after the other. Sticky like buf. */
struct record_refusals {
    struct buf plain; /* wiped by _seal and _drop */
};
/* `format` is the store's import_format; `header` the CSV header row as it came, else empty. */
void record_refusals_begin(struct record_refusals *refusals, uint8_t format, struct slice header);
/* `text` is the item as it came with its secrets blanked, empty when it can't be shown; `index` its place in the
 * body. Its faults follow, then the next item. */
void record_refusals_item(struct record_refusals *refusals, uint64_t index, struct slice text);
void record_refusals_fault(struct record_refusals *refusals, const struct record_fault *fault);
/* Appends the sealed row and empties it. 0 or ERR_NO_MEMORY. */
int record_refusals_seal(struct record_refusals *refusals, const struct uuid *tenant, const struct uuid *import,
                         uint32_t chunk, const struct crypto_tenant *keys, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                         struct buf *out) MUST_CHECK;
void record_refusals_drop(struct record_refusals *refusals);

/* Reads it back. Everything views `plain`, which the caller wipes. */
struct record_refused {
    uint8_t format;
    struct slice header;
    struct slice rest;
};
/* 0, ERR_KEY, ERR_CORRUPT or ERR_NO_MEMORY. */
int record_refused_open(const struct uuid *tenant, const struct uuid *import, uint32_t chunk, struct slice row,
                        const struct crypto_tenant *keys, struct buf *plain, struct record_refused *refused) MUST_CHECK;
/* The next item and its faults, for record_refused_fault; false at the end. */
bool record_refused_next(struct record_refused *refused, uint64_t *index, struct slice *text, struct slice *faults);
bool record_refused_fault(struct slice *faults, struct record_fault *fault);

#endif
