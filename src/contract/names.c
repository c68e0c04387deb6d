/*
 * A small hash table that is built once and only read: which of these texts is it? A text's key is
 * its first and last four bytes, so texts of up to eight bytes need no comparison of bytes at all.
 * At most half of the slots are used and the texts are ours, so a client can't make probes long: the
 * longest run of used slots is fixed when the table is built.
 */
#include <assert.h>

#include "contract/contract_priv.h"

#define MULTIPLIER 0x9E3779B97F4A7C15ull

static inline uint64_t key_of(struct slice text)
{
    const uint8_t *bytes = (const uint8_t *)text.data;
    if (text.size >= 4) {
        uint32_t first;
        uint32_t last;
        memcpy(&first, bytes, sizeof first);
        memcpy(&last, bytes + text.size - 4, sizeof last);
        return (uint64_t)last << 32 | first;
    }
    if (text.size == 0) {
        return 0;
    }
    return (uint64_t)bytes[0] | (uint64_t)bytes[text.size / 2] << 8 | (uint64_t)bytes[text.size - 1] << 16;
}

static inline uint32_t slot_of(const struct names *names, uint64_t key, size_t size)
{
    return (uint32_t)(((key ^ size) * MULTIPLIER) >> names->shift);
}

bool contract_names_build(struct names *names, const struct slice *texts, size_t count, struct arena *arena)
{
    assert(count < UINT32_MAX / 4);
    uint32_t bits = 1;
    while (((size_t)1 << bits) < count * 2) {
        bits++;
    }
    struct name_slot *slots = arena_take_zeroed(arena, (size_t)1 << bits, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    *names = (struct names){
        .texts = texts, .count = (uint32_t)count, .mask = (1u << bits) - 1, .shift = 64 - bits, .slots = slots};
    for (size_t i = 0; i < count; i++) {
        uint64_t key = key_of(texts[i]);
        uint32_t at = slot_of(names, key, texts[i].size);
        while (slots[at].ordinal != 0) {
            at = (at + 1) & names->mask;
        }
        slots[at] = (struct name_slot){key, (uint32_t)texts[i].size, (uint32_t)i + 1, texts[i].data};
    }
    return true;
}

int contract_names_find(const struct names *names, struct slice text)
{
    if (names->count == 0) {
        return -1;
    }
    uint64_t key = key_of(text);
    uint32_t at = slot_of(names, key, text.size);
    for (const struct name_slot *slot = &names->slots[at]; slot->ordinal != 0; slot = &names->slots[at]) {
        if (slot->key == key && slot->size == text.size &&
            (text.size <= 8 || memcmp(slot->text + 4, text.data + 4, text.size - 8) == 0)) {
            return (int)slot->ordinal - 1;
        }
        at = (at + 1) & names->mask;
    }
    return -1;
}
