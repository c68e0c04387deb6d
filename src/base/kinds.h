/*
 * The kinds that the contract files name and that the records keep: identifiers, secrets, the
 * members of a customer's card, and the scopes of a token. Numbers are stored: never reuse one.
 */
#ifndef BASE_KINDS_H
#define BASE_KINDS_H

#include <stdint.h>

#include "base/slice.h"

/* What a customer can be found by. */
enum identifier_kind {
    IDENTIFIER_NONE = 0,
    IDENTIFIER_EXTERNAL_ID = 1, /* the client's own id; unique per tenant and contract */
    IDENTIFIER_EMAIL = 2,
    IDENTIFIER_PHONE = 3,
    IDENTIFIER_WALLET = 4,
    IDENTIFIER_DID = 5,
    IDENTIFIER_KIND_COUNT
};

enum secret_kind {
    SECRET_NONE = 0,
    SECRET_PASSWORD = 1,
    SECRET_PIN = 2,
    SECRET_ANSWER = 3, /* answer to a secret question */
    SECRET_CODE = 4,   /* one-time code: compared and forgotten, never kept */
    SECRET_KIND_COUNT
};

/* What a customer's short form shows. */
enum card_role { CARD_NONE = 0, CARD_NAME = 1, CARD_TYPE = 2, CARD_STATUS = 3, CARD_CATEGORY = 4, CARD_ROLE_COUNT };

/* Scopes of a token, one bit each (RFC 6749 section 3.3 gives the text form). */
enum scope {
    SCOPE_CUSTOMERS_CREATE = 1 << 0,
    SCOPE_CUSTOMERS_READ = 1 << 1,
    SCOPE_CUSTOMERS_UPDATE = 1 << 2,
    SCOPE_CUSTOMERS_STATUS = 1 << 3,
    SCOPE_CUSTOMERS_ERASE = 1 << 4,
    SCOPE_CUSTOMERS_EXPORT = 1 << 5,
    SCOPE_IMPORTS_READ = 1 << 6,
    SCOPE_IMPORTS_UNDO = 1 << 7,
    SCOPE_ADMIN = 1 << 8,
    SCOPE_ALL = (1 << 9) - 1
};

/* The name a contract file, a query or an answer uses ("external-id"); NULL when there is no such kind. */
const char *identifier_kind_to_text(enum identifier_kind kind);
const char *secret_kind_to_text(enum secret_kind kind);
const char *card_role_to_text(enum card_role role);
/* The kind of that name, or the NONE of its kind. */
enum identifier_kind identifier_kind_from_text(struct slice text);
enum secret_kind secret_kind_from_text(struct slice text);
enum card_role card_role_from_text(struct slice text);

/* One scope's bit by its name ("customers:create"), 0 when unknown. */
uint32_t scope_from_text(struct slice text);
/* The name of one bit; NULL when it is none. */
const char *scope_to_text(uint32_t bit);

#endif
