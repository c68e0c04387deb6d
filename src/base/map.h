/*
 * A hash map from byte keys to one 64-bit value (a number or a pointer). Keys are copied in.
 * Hashing is keyed per map, so a client can't choose keys that collide.
 * Not thread-safe.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdint.h>

#include "base/slice.h"

struct map;

/* NULL: no memory. */
struct map *map_new(void);
void map_free(struct map **map);

/* Sets key to value, replacing an older one. 0 or ERR_NO_MEMORY. */
int map_put(struct map *map, struct slice key, uint64_t value) __attribute__((warn_unused_result));
/* True and *value when the key is there; value may be NULL. */
bool map_get(const struct map *map, struct slice key, uint64_t *value);
/* True when it was there. */
bool map_delete(struct map *map, struct slice key);
size_t map_count(const struct map *map);
/* Empties it, keeps the table. */
void map_clear(struct map *map);
/* Walks in no order: start with *at = 0; false at the end. The map must not change meanwhile. */
bool map_each(const struct map *map, size_t *at, struct slice *key, uint64_t *value);

#endif
