/*
 * A body held against a contract without a server: the same splitter, parser and program as on a
 * batch's way. Prints {"items":n,"faults":[…],"findings":[…]} on stdout; an index of null means the
 * envelope. What only a store can know (conflicts) is not looked at.
 */
#ifndef CLI_VALIDATE_H
#define CLI_VALIDATE_H

#include "contract/contract.h"

/* CLI_KEPT without a fault, CLI_REFUSED with one, CLI_USAGE when the file can't be read. */
int validate_body(const struct contract *contract, const char *path, const struct contract_options *options);
/* The same for one value and the contract of a bare schema. */
int validate_value(const struct contract *contract, const char *path, const struct contract_options *options);

#endif
