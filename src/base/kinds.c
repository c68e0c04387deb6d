/* Names of the kinds. */
#include "base/kinds.h"

#include <stddef.h>

static const char *const IDENTIFIERS[IDENTIFIER_KIND_COUNT] = {NULL, "external-id", "email", "phone", "wallet", "did"};
static const char *const SECRETS[SECRET_KIND_COUNT] = {NULL, "password", "pin", "answer", "code"};
static const char *const CARDS[CARD_ROLE_COUNT] = {NULL, "name", "type", "status", "category"};
static const char *const SCOPES[] = {"customers:create", "customers:read",  "customers:update",
                                     "customers:status", "customers:erase", "customers:export",
                                     "imports:read",     "imports:undo",    "admin"};
#define SCOPE_COUNT (sizeof SCOPES / sizeof SCOPES[0])

_Static_assert((1u << SCOPE_COUNT) - 1 == SCOPE_ALL, "a name for every scope");

static const char *name_at(const char *const *names, size_t count, size_t index)
{
    return index < count ? names[index] : NULL;
}

/* Index of the name, or 0, which names nothing. */
static size_t index_of(const char *const *names, size_t count, struct slice text)
{
    for (size_t i = 1; i < count; i++) {
        if (slice_equal_text(text, names[i])) {
            return i;
        }
    }
    return 0;
}

const char *identifier_kind_to_text(enum identifier_kind kind)
{
    return name_at(IDENTIFIERS, IDENTIFIER_KIND_COUNT, kind);
}

const char *secret_kind_to_text(enum secret_kind kind)
{
    return name_at(SECRETS, SECRET_KIND_COUNT, kind);
}

const char *card_role_to_text(enum card_role role)
{
    return name_at(CARDS, CARD_ROLE_COUNT, role);
}

enum identifier_kind identifier_kind_from_text(struct slice text)
{
    return (enum identifier_kind)index_of(IDENTIFIERS, IDENTIFIER_KIND_COUNT, text);
}

enum secret_kind secret_kind_from_text(struct slice text)
{
    return (enum secret_kind)index_of(SECRETS, SECRET_KIND_COUNT, text);
}

enum card_role card_role_from_text(struct slice text)
{
    return (enum card_role)index_of(CARDS, CARD_ROLE_COUNT, text);
}

uint32_t scope_from_text(struct slice text)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (slice_equal_text(text, SCOPES[i])) {
            return 1u << i;
        }
    }
    return 0;
}

const char *scope_to_text(uint32_t bit)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (bit == 1u << i) {
            return SCOPES[i];
        }
    }
    return NULL;
}
