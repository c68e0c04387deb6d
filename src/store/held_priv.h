/*
 * The unique keys of a run, found by key: kind and MAC of each, who has it, and whether it is written
 * late (see run.c). Grows only. One thread at a time.
 *
 * MACs are the hash: keyed per tenant, so nobody outside chooses where a key lands.
 */
#ifndef STORE_HELD_PRIV_H
#define STORE_HELD_PRIV_H

#include "store/rows_priv.h"

#define STORE_HELD_KEY_BYTES (STORE_UNIQUE_BYTES - STORE_TENANT_BYTES)

struct store_held_entry {
    uint8_t key[STORE_HELD_KEY_BYTES];
    bool late;
    struct uuid id;
    uint8_t fingerprint[CRYPTO_MAC_BYTES];
};

struct store_held {
    struct store_held_entry *entries; /* in the order in which they were added */
    size_t count;
    size_t room;
    uint32_t *places; /* entry + 1, or 0; a power of two of them, at most half in use */
    size_t place_count;
};

void store_held_fini(struct store_held *held);
/* Makes sure that `more` entries fit. 0 or ERR_NO_MEMORY. */
int store_held_reserve(struct store_held *held, size_t more) MUST_CHECK;
/* Adds a key that is not there yet; room was reserved. */
void store_held_add(struct store_held *held, const struct store_held_entry *entry);
/* The key's entry, or NULL. */
const struct store_held_entry *store_held_find(const struct store_held *held, const uint8_t key[STORE_HELD_KEY_BYTES]);
/* Bytes of memory. */
size_t store_held_bytes(const struct store_held *held);

#endif
