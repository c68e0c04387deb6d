/*
 * A small hash table that is built once and only read: which of these texts is it? A text's key is
 * its first and last four bytes, so texts of up to eight bytes need no comparison of bytes at all.
 * At most half of the slots are used and the texts are ours, so a client can't make probes long: the
 * longest run of used slots is fixed when the table is built.
 */
#include <assert.h>

#include "contract/contract_priv.h"

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
        uint64_t key = contract_name_key(texts[i]);
        uint32_t at = contract_name_slot(names, key, texts[i].size);
        while (slots[at].ordinal != 0) {
            at = (at + 1) & names->mask;
        }
        slots[at] = (struct name_slot){key, (uint32_t)texts[i].size, (uint32_t)i + 1, texts[i].data};
    }
    return true;
}
