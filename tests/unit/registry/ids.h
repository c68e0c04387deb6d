/* The customers' ids in a reply, whatever its shape. */
#ifndef TESTS_UNIT_REGISTRY_IDS_H
#define TESTS_UNIT_REGISTRY_IDS_H

#include "base/buf.h"
#include "base/uuid.h"

/* The first UUID that stands in the text; false when there is none. */
static inline bool first_id(const struct buf *text, struct uuid *id)
{
    for (size_t at = 0; at + UUID_TEXT_BYTES <= text->size; at++) {
        if (uuid_from_text(slice_make(text->data + at, UUID_TEXT_BYTES), id)) {
            return true;
        }
    }
    return false;
}

#endif
