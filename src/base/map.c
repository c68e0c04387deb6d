/*
 * Open addressing with linear probing over a power of two; a delete shifts the run back, so there
 * are no tombstones. The hash is wyhash-like multiply-and-fold over 8-byte words under a random seed
 * per map: quick, and a client can't know which keys collide.
 */
#include "base/map.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/err.h"

#define FIRST_SLOTS 64u

struct entry {
    uint64_t value;
    uint64_t hash;
    size_t size;
    char *key; /* NULL: the slot is free */
};

struct map {
    struct entry *entries;
    size_t slots;
    size_t count;
    uint64_t seed[2];
};

static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_key(const struct map *map, struct slice key)
{
    uint64_t state = map->seed[0] ^ key.size;
    size_t at = 0;
    for (; key.size - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, key.data + at, 8);
        state = fold(state ^ word, map->seed[1]);
    }
    uint64_t tail = 0;
    if (at < key.size) {
        memcpy(&tail, key.data + at, key.size - at);
    }
    return fold(fold(state ^ tail, map->seed[1]), map->seed[0] | 1);
}

struct map *map_new(void)
{
    struct map *map = calloc(1, sizeof *map);
    if (map == NULL) {
        return NULL;
    }
    map->entries = calloc(FIRST_SLOTS, sizeof *map->entries);
    if (map->entries == NULL) {
        free(map);
        return NULL;
    }
    map->slots = FIRST_SLOTS;
    if (getrandom(map->seed, sizeof map->seed, 0) != (ssize_t)sizeof map->seed) {
        map->seed[0] ^= (uint64_t)clock_monotonic_ns();
    }
    map->seed[1] |= 1;
    return map;
}

void map_clear(struct map *map)
{
    for (size_t i = 0; i < map->slots && map->count > 0; i++) {
        if (map->entries[i].key != NULL) {
            free(map->entries[i].key);
            map->entries[i].key = NULL;
            map->count--;
        }
    }
}

void map_free(struct map **map)
{
    if (*map == NULL) {
        return;
    }
    map_clear(*map);
    free((*map)->entries);
    free(*map);
    *map = NULL;
}

/* The slot that holds the key, or the free one where it would go. */
static struct entry *find(const struct map *map, struct slice key, uint64_t hash)
{
    size_t mask = map->slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct entry *entry = &map->entries[i];
        if (entry->key == NULL || (entry->hash == hash && slice_equal(slice_make(entry->key, entry->size), key))) {
            return entry;
        }
    }
}

static int grow(struct map *map)
{
    struct map larger = *map;
    larger.slots = map->slots * 2;
    larger.entries = calloc(larger.slots, sizeof *larger.entries);
    if (larger.entries == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < map->slots; i++) {
        const struct entry *old = &map->entries[i];
        if (old->key != NULL) {
            *find(&larger, slice_make(old->key, old->size), old->hash) = *old;
        }
    }
    free(map->entries);
    *map = larger;
    return 0;
}

int map_put(struct map *map, struct slice key, uint64_t value)
{
    uint64_t hash = hash_key(map, key);
    struct entry *entry = find(map, key, hash);
    if (entry->key != NULL) {
        entry->value = value;
        return 0;
    }
    if (map->count + 1 > map->slots / 2) {
        int err = grow(map);
        if (err != 0) {
            return err;
        }
        entry = find(map, key, hash);
    }
    char *copy = malloc(key.size == 0 ? 1 : key.size);
    if (copy == NULL) {
        return ERR_NO_MEMORY;
    }
    if (key.size > 0) {
        memcpy(copy, key.data, key.size);
    }
    *entry = (struct entry){.value = value, .hash = hash, .size = key.size, .key = copy};
    map->count++;
    return 0;
}

bool map_get(const struct map *map, struct slice key, uint64_t *value)
{
    const struct entry *entry = find(map, key, hash_key(map, key));
    if (entry->key == NULL) {
        return false;
    }
    if (value != NULL) {
        *value = entry->value;
    }
    return true;
}

/* Moves later entries of the run into the hole, so that every key stays reachable from its home. */
static void close_hole(struct map *map, size_t hole)
{
    size_t mask = map->slots - 1;
    for (size_t i = (hole + 1) & mask; map->entries[i].key != NULL; i = (i + 1) & mask) {
        size_t home = map->entries[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->entries[hole] = map->entries[i];
            map->entries[i].key = NULL;
            hole = i;
        }
    }
}

bool map_delete(struct map *map, struct slice key)
{
    struct entry *entry = find(map, key, hash_key(map, key));
    if (entry->key == NULL) {
        return false;
    }
    free(entry->key);
    entry->key = NULL;
    map->count--;
    close_hole(map, (size_t)(entry - map->entries));
    return true;
}

size_t map_count(const struct map *map)
{
    return map->count;
}

bool map_each(const struct map *map, size_t *at, struct slice *key, uint64_t *value)
{
    for (; *at < map->slots; (*at)++) {
        const struct entry *entry = &map->entries[*at];
        if (entry->key != NULL) {
            *key = slice_make(entry->key, entry->size);
            *value = entry->value;
            (*at)++;
            return true;
        }
    }
    return false;
}
