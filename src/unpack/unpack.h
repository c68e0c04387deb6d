/*
 * Undoing a body's Content-Encoding while it arrives: gzip (RFC 1952, also several members in a row) and
 * zstd (RFC 8878, also several frames; windows up to 8 MiB as RFC 9659 wants). Memory is bounded whatever
 * arrives; a bomb is refused: once more than UNPACK_FREE_BYTES have come out, the output may be at most
 * UNPACK_RATIO_MAX times the input.
 *
 * Pure; one thread at a time.
 */
#ifndef UNPACK_UNPACK_H
#define UNPACK_UNPACK_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define UNPACK_FREE_BYTES (64u << 20)
#define UNPACK_RATIO_MAX  500u

struct unpack;

enum unpack_kind { UNPACK_GZIP, UNPACK_ZSTD };

/* NULL: no memory. */
struct unpack *unpack_new(enum unpack_kind kind);
void unpack_free(struct unpack **unpack);
/* Takes from *packed, which is advanced, and sets *plain to what came out: a view until the next call, empty when
 * all of *packed is used up and more is needed. 0; ERR_MALFORMED_ENCODING or ERR_TOO_LARGE (a bomb) with
 * *why a static sentence. */
int unpack_next(struct unpack *unpack, struct slice *packed, struct slice *plain, const char **why) MUST_CHECK;
/* The body has ended: 0, or ERR_CUT_OFF in the middle of a member or frame. */
int unpack_end(struct unpack *unpack, const char **why) MUST_CHECK;
/* Bytes of packed input used so far: where a refusal happened. */
uint64_t unpack_offset(const struct unpack *unpack);

/* Appends the text packed as one zstd frame, for who sends bodies. 0, ERR_NO_MEMORY or ERR_TOO_LARGE. */
int unpack_pack_zstd(struct slice plain, struct buf *packed) MUST_CHECK;

#endif
