/* Reading a contract's reply template; between contract.c and reply.c. */
#ifndef CONTRACT_REPLY_PRIV_H
#define CONTRACT_REPLY_PRIV_H

#include "contract/compile_priv.h"

/* Compiles the template into the contract's head, element and tail. */
void contract_reply_compile(struct compiler *compiler, json_at value, const struct trail *trail);

#endif
