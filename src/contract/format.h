/*
 * The formats of the quality level: pure predicates over bytes, each after its own specification,
 * named in the comment above its function in format_*.c. For insiders of the contract room and its
 * tests only. Thread-safe.
 */
#ifndef CONTRACT_FORMAT_H
#define CONTRACT_FORMAT_H

#include "base/slice.h"

/* One format a schema may name ("email"): its test, and a clause that completes "must be …". */
struct format {
    const char *name;
    bool (*test)(struct slice text);
    const char *expected;
};

/* The format of that name or NULL: email, phone, date, date-time, uri, uuid, iso-3166-1-alpha-2,
 * iso-3166-1-alpha-3, language (BCP 47), time-zone (IANA), did. */
const struct format *format_find(struct slice name);

/* Whether an address fits its blockchain namespace (tezos eip155 aptos polkadot starknet cosmos
 * solana cardano bip122 xrpl dash tron avax), checksum included. An unknown namespace fits. */
bool format_wallet(struct slice namespace_name, struct slice address);
/* A clause that completes "must be …" for that namespace. */
const char *format_wallet_expected(struct slice namespace_name);

#endif
