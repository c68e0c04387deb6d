/* See held_priv.h. Open addressing, step one. */
#include "store/held_priv.h"

#include <assert.h>
#include <stdlib.h>

#define ENTRIES_FIRST 4096u

void store_held_fini(struct store_held *held)
{
    free(held->entries);
    free(held->places);
    *held = (struct store_held){0};
}

static size_t first_place(const struct store_held *held, const uint8_t *key)
{
    uint64_t bits = 0;
    memcpy(&bits, key + 1, sizeof bits);
    return (size_t)(bits ^ key[0]) & (held->place_count - 1);
}

static void put_place(struct store_held *held, size_t entry)
{
    size_t at = first_place(held, held->entries[entry].key);
    while (held->places[at] != 0) {
        at = (at + 1) & (held->place_count - 1);
    }
    held->places[at] = (uint32_t)(entry + 1);
}

static int grow(struct store_held *held, size_t room)
{
    struct store_held_entry *entries = realloc(held->entries, room * sizeof *entries);
    if (entries == NULL) {
        return ERR_NO_MEMORY;
    }
    held->entries = entries;
    uint32_t *places = calloc(2 * room, sizeof *places);
    if (places == NULL) {
        return ERR_NO_MEMORY;
    }
    free(held->places);
    held->places = places;
    held->place_count = 2 * room;
    held->room = room;
    for (size_t i = 0; i < held->count; i++) {
        put_place(held, i);
    }
    return 0;
}

int store_held_reserve(struct store_held *held, size_t more)
{
    size_t room = held->room == 0 ? ENTRIES_FIRST : held->room;
    while (room - held->count < more) {
        room *= 2;
    }
    assert(room < UINT32_MAX);
    return room == held->room ? 0 : grow(held, room);
}

void store_held_add(struct store_held *held, const struct store_held_entry *entry)
{
    assert(held->count < held->room);
    held->entries[held->count] = *entry;
    put_place(held, held->count++);
}

const struct store_held_entry *store_held_find(const struct store_held *held, const uint8_t key[STORE_HELD_KEY_BYTES])
{
    if (held->count == 0) {
        return NULL;
    }
    for (size_t at = first_place(held, key); held->places[at] != 0; at = (at + 1) & (held->place_count - 1)) {
        const struct store_held_entry *entry = &held->entries[held->places[at] - 1];
        if (memcmp(entry->key, key, STORE_HELD_KEY_BYTES) == 0) {
            return entry;
        }
    }
    return NULL;
}

size_t store_held_bytes(const struct store_held *held)
{
    return held->room * sizeof *held->entries + held->place_count * sizeof *held->places;
}
