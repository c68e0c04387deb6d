/* Schemas that the tests of check*.c build theirs of. */
#ifndef TESTS_UNIT_CONTRACT_SCHEMAS_H
#define TESTS_UNIT_CONTRACT_SCHEMAS_H

#define NO_STATUS (SCOPE_ALL & ~SCOPE_CUSTOMERS_STATUS)

#define TEXT(annotations) "{\"type\":\"string\"" annotations "}"
#define OBJECT(members)   "{\"type\":\"object\",\"properties\":{" members "}}"
#define SECRET(kind)      TEXT(",\"x-class\":\"secret\",\"x-secret\":" kind)
#define CODE              SECRET("\"code\"")

#endif
