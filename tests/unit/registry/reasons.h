/* What is wrong with an item, as record_refused_fault reads it: the entries of a row that was sealed and opened. */
#ifndef TESTS_UNIT_REGISTRY_REASONS_H
#define TESTS_UNIT_REGISTRY_REASONS_H

#include "../test.h"
#include "registry/registry_priv.h"

/* Their texts: "code pointer detail|code pointer detail"; the detail may have spaces. `keep` holds the bytes. */
static inline struct registry_reasons make_reasons(uint64_t index, const char *texts, struct buf *keep)
{
    struct record_refusals refusals;
    size_t start = 0;
    record_refusals_begin(&refusals, 0, SLICE_NONE);
    start = refusals.plain.size;
    while (*texts != '\0') {
        size_t size = strcspn(texts, "|");
        size_t code = strcspn(texts, " ");
        size_t pointer = strcspn(texts + code + 1, " ");
        struct record_fault fault = {.code = {texts, code},
                                     .pointer = {texts + code + 1, pointer},
                                     .detail = {texts + code + pointer + 2, size - code - pointer - 2}};
        record_refusals_fault(&refusals, &fault);
        texts += size + (texts[size] == '|' ? 1 : 0);
    }
    buf_init(keep, 0);
    buf_append_slice(keep, slice_from(buf_view(&refusals.plain), start));
    record_refusals_drop(&refusals);
    return (struct registry_reasons){.index = index, .faults = buf_view(keep)};
}

#endif
