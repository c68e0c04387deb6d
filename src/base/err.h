/*
 * Codes for the world's failures: a function returns 0 or a negative ERR_ from errors.def. What a
 * customer's data gets wrong is never one of these: it is a fault (contract/contract.h).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

enum {
    ERR_OK = 0,
#define ERROR(name, number, permanence, status, code, sentence) ERR_##name = -(number),
#include "base/errors.def"
#undef ERROR
};

/* For every function whose failure must not be overlooked. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* True when the same call may succeed later. */
bool err_is_temporary(int err);
/* HTTP status that an answer with this error has; 200 for ERR_OK. */
int err_http_status(int err);
/* Public code ("malformed-json") and sentence; static texts. */
const char *err_code(int err);
const char *err_text(int err);

#endif
