/*
 * What Muster knows of any customer, whatever contract brought it: how an identifier is normalised
 * so that two spellings of one thing meet in the index. Pure; thread-safe.
 */
#ifndef CUSTOMER_CUSTOMER_H
#define CUSTOMER_CUSTOMER_H

#include "base/buf.h"
#include "base/kinds.h"
#include "base/slice.h"

/*
 * Appends the normal form of an identifier; false when there is nothing to index (empty after
 * trimming). `context` is the wallet's blockchain namespace, or the contract's name for an external
 * id. The rules, per kind, stand above their functions in identifier.c. A lookup normalises the
 * same way. A value that breaks its format is still normalised and indexed.
 */
bool customer_identifier_normalise(enum identifier_kind kind, struct slice value, struct slice context,
                                   struct buf *out);

/* Whether two customers of one tenant may not share this kind by default. */
bool customer_identifier_is_unique(enum identifier_kind kind);

#endif
