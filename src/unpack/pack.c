/*
 * The other way, for who sends bodies: one zstd frame of a text, which may stand behind other frames. Packs at the
 * library's fastest ordinary level, whose window is far below what a receiver must take (RFC 9659).
 */
#include "unpack/unpack.h"

#include <zstd.h>

#define LEVEL 1

int unpack_pack_zstd(struct slice plain, struct buf *packed)
{
    size_t bound = ZSTD_compressBound(plain.size);
    void *to = buf_extend(packed, bound);
    if (to == NULL) {
        return buf_error(packed);
    }
    size_t made = ZSTD_compress(to, bound, plain.data, plain.size, LEVEL);
    if (ZSTD_isError(made)) {
        packed->size -= bound;
        return ERR_NO_MEMORY; /* the room is enough: nothing else can fail */
    }
    packed->size -= bound - made;
    return 0;
}
