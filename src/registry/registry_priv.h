/* What the files of the registry share. */
#ifndef REGISTRY_REGISTRY_PRIV_H
#define REGISTRY_REGISTRY_PRIV_H

#include "registry/registry.h"

/* Name of the contract with that number, or "unknown". */
struct slice registry_contract_name(const struct registry *registry, uint8_t number);
/* `name`: id or time as a JSON string. */
void registry_put_uuid(struct json_writer *writer, const char *name, const struct uuid *uuid);
void registry_put_time(struct json_writer *writer, const char *name, int64_t ms);

#endif
