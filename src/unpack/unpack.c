/*
 * Unpacking in a stream. Both libraries give out what they have into one buffer of fixed size, so memory is theirs
 * (32 KiB of window for gzip, up to 8 MiB for zstd) and that buffer, whatever arrives.
 *
 * The difficulty is the ends: a body may hold several members or frames in a row, may be cut between any two bytes,
 * and a library may hold output back when all input is used. So a call goes on until something came out or neither
 * side can move, and whether the body may end here is known at all times (at_boundary).
 *
 * U1. Every member begins with its magic number; anything else there is refused at its first wrong byte. So nothing
 *     reaches the older formats that a build of libzstd may also know, whose windows are not bounded.
 * U2. The bound on bombs is looked at after every buffer: a refusal comes at most one buffer too late.
 */
#include "unpack/unpack.h"

#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST /* input is only read */
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define PLAIN_BYTES       (128u << 10)
#define ZSTD_WINDOW_LOG   23 /* 8 MiB: RFC 9659 */
#define GZIP_ONLY         16 /* added to zlib's window bits: no zlib header, no raw deflate */
#define MAGIC_BYTES       4u
#define GZIP_MAGIC_BYTES  2u
#define SKIPPABLE_VARIANT 0x0F /* low bits of a skippable frame's first byte */

static const unsigned char GZIP_MAGIC[GZIP_MAGIC_BYTES] = {0x1F, 0x8B};
static const unsigned char ZSTD_MAGIC[MAGIC_BYTES] = {0x28, 0xB5, 0x2F, 0xFD};
static const unsigned char SKIPPABLE_MAGIC[MAGIC_BYTES] = {0x50, 0x2A, 0x4D, 0x18};

struct unpack {
    enum unpack_kind kind;
    z_stream gzip;
    ZSTD_DCtx *zstd;
    bool at_boundary;   /* between members: none has begun, or the last is complete */
    bool any;           /* a member has been completed */
    size_t magic_bytes; /* of the member at hand, compared so far */
    bool is_skippable;
    bool holds_output; /* the library filled the buffer, so it may have more without more input */
    uint64_t packed_bytes;
    uint64_t plain_bytes;
    int code; /* of the refusal, which stays */
    const char *why;
    char plain[PLAIN_BYTES];
};

static bool open_gzip(struct unpack *unpack)
{
    return inflateInit2(&unpack->gzip, MAX_WBITS + GZIP_ONLY) == Z_OK;
}

static bool open_zstd(struct unpack *unpack)
{
    unpack->zstd = ZSTD_createDCtx();
    return unpack->zstd != NULL &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(unpack->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
}

struct unpack *unpack_new(enum unpack_kind kind)
{
    struct unpack *unpack = calloc(1, sizeof *unpack);
    if (unpack == NULL) {
        return NULL;
    }
    unpack->kind = kind;
    unpack->at_boundary = true;
    if (!(kind == UNPACK_GZIP ? open_gzip(unpack) : open_zstd(unpack))) {
        unpack_free(&unpack);
    }
    return unpack;
}

void unpack_free(struct unpack **unpack)
{
    if (*unpack == NULL) {
        return;
    }
    if ((*unpack)->kind == UNPACK_GZIP) {
        (void)inflateEnd(&(*unpack)->gzip);
    }
    ZSTD_freeDCtx((*unpack)->zstd);
    free(*unpack);
    *unpack = NULL;
}

static int refuse(struct unpack *unpack, int code, const char *why)
{
    unpack->code = code;
    unpack->why = why;
    return code;
}

/* ---- the start of a member ---- */

static bool magic_fits(struct unpack *unpack, unsigned char byte)
{
    size_t at = unpack->magic_bytes;
    if (unpack->kind == UNPACK_GZIP) {
        return byte == GZIP_MAGIC[at];
    }
    if (at == 0) {
        unpack->is_skippable = (byte & ~SKIPPABLE_VARIANT) == SKIPPABLE_MAGIC[0];
        return unpack->is_skippable || byte == ZSTD_MAGIC[0];
    }
    return byte == (unpack->is_skippable ? SKIPPABLE_MAGIC : ZSTD_MAGIC)[at];
}

/* Looks at those bytes of the magic number that are there; the library gets them afterwards (U1). */
static int check_magic(struct unpack *unpack, struct slice packed)
{
    size_t size = unpack->kind == UNPACK_GZIP ? GZIP_MAGIC_BYTES : MAGIC_BYTES;
    for (size_t i = 0; i < packed.size && unpack->magic_bytes < size; i++) {
        if (!magic_fits(unpack, (unsigned char)packed.data[i])) {
            unpack->packed_bytes += i;
            return refuse(unpack, ERR_MALFORMED_ENCODING,
                          unpack->any ? "Something that is not packed stands behind the packed body. Remove it."
                          : unpack->kind == UNPACK_GZIP
                              ? "The body is not gzip. Pack it, or leave out Content-Encoding."
                              : "The body is not zstd. Pack it, or leave out Content-Encoding.");
        }
        unpack->magic_bytes++;
    }
    return 0;
}

static void end_member(struct unpack *unpack)
{
    unpack->any = true;
    unpack->at_boundary = true;
    unpack->magic_bytes = 0;
}

/* ---- one call of a library ----
 * Each takes from *packed and sets *made. */

static int step_gzip(struct unpack *unpack, struct slice *packed, size_t *made)
{
    z_stream *stream = &unpack->gzip;
    uInt given = packed->size > UINT_MAX ? UINT_MAX : (uInt)packed->size;
    stream->next_in = (const Bytef *)packed->data;
    stream->avail_in = given;
    stream->next_out = (Bytef *)unpack->plain;
    stream->avail_out = PLAIN_BYTES;
    int result = inflate(stream, Z_NO_FLUSH);
    *packed = slice_from(*packed, given - stream->avail_in);
    unpack->packed_bytes += given - stream->avail_in;
    *made = PLAIN_BYTES - stream->avail_out;
    switch (result) {
    case Z_OK:
    case Z_BUF_ERROR: /* neither side can move: no failure */
        return 0;
    case Z_STREAM_END:
        end_member(unpack);
        return inflateReset(stream) == Z_OK ? 0 : refuse(unpack, ERR_INTERNAL, err_text(ERR_INTERNAL));
    case Z_MEM_ERROR:
        return refuse(unpack, ERR_NO_MEMORY, err_text(ERR_NO_MEMORY));
    default:
        return refuse(unpack, ERR_MALFORMED_ENCODING, "The gzip data is damaged. Pack the body again.");
    }
}

static int refuse_zstd(struct unpack *unpack, ZSTD_ErrorCode code)
{
    switch (code) {
    case ZSTD_error_memory_allocation:
        return refuse(unpack, ERR_NO_MEMORY, err_text(ERR_NO_MEMORY));
    case ZSTD_error_frameParameter_windowTooLarge:
        return refuse(unpack, ERR_MALFORMED_ENCODING,
                      "The zstd data needs a window of more than 8 MiB. Pack the body with a smaller one (no --long).");
    case ZSTD_error_dictionary_wrong:
        return refuse(unpack, ERR_MALFORMED_ENCODING, "The zstd data needs a dictionary. Pack the body without one.");
    default:
        return refuse(unpack, ERR_MALFORMED_ENCODING, "The zstd data is damaged. Pack the body again.");
    }
}

static int step_zstd(struct unpack *unpack, struct slice *packed, size_t *made)
{
    ZSTD_inBuffer in = {packed->data, packed->size, 0};
    ZSTD_outBuffer out = {unpack->plain, PLAIN_BYTES, 0};
    size_t result = ZSTD_decompressStream(unpack->zstd, &out, &in);
    *packed = slice_from(*packed, in.pos);
    unpack->packed_bytes += in.pos;
    *made = out.pos;
    if (ZSTD_isError(result)) {
        return refuse_zstd(unpack, ZSTD_getErrorCode(result));
    }
    if (result == 0) {
        end_member(unpack);
    }
    return 0;
}

/* ---- the stream ---- */

static bool is_bomb(const struct unpack *unpack)
{
    return unpack->plain_bytes > UNPACK_FREE_BYTES &&
           unpack->plain_bytes > unpack->packed_bytes * UNPACK_RATIO_MAX; /* U2 */
}

static int step(struct unpack *unpack, struct slice *packed, size_t *made)
{
    int err = check_magic(unpack, *packed);
    if (err != 0) {
        return err;
    }
    unpack->at_boundary = unpack->at_boundary && packed->size == 0;
    err = unpack->kind == UNPACK_GZIP ? step_gzip(unpack, packed, made) : step_zstd(unpack, packed, made);
    unpack->plain_bytes += *made;
    unpack->holds_output = *made == PLAIN_BYTES;
    if (err == 0 && is_bomb(unpack)) {
        return refuse(unpack, ERR_TOO_LARGE,
                      "The body unpacks to more than 500 times its packed size. Send it unpacked or in parts.");
    }
    return err;
}

int unpack_next(struct unpack *unpack, struct slice *packed, struct slice *plain, const char **why)
{
    *plain = SLICE_NONE;
    while (unpack->code == 0 && (packed->size > 0 || unpack->holds_output)) {
        size_t before = packed->size;
        size_t made = 0;
        if (step(unpack, packed, &made) != 0) {
            break;
        }
        if (made > 0) {
            *plain = slice_make(unpack->plain, made);
            return 0;
        }
        if (before > 0 && packed->size == before && !unpack->at_boundary) {
            (void)refuse(unpack, ERR_INTERNAL, err_text(ERR_INTERNAL)); /* neither library does that */
        }
    }
    *why = unpack->why;
    return unpack->code;
}

int unpack_end(struct unpack *unpack, const char **why)
{
    if (unpack->code == 0 && !(unpack->at_boundary && unpack->any)) {
        (void)refuse(unpack, ERR_CUT_OFF,
                     unpack->packed_bytes == 0 ? "The body is empty. Send the packed items."
                                               : "The packed body ends before it is complete. Send the whole body.");
    }
    *why = unpack->why;
    return unpack->code;
}

uint64_t unpack_offset(const struct unpack *unpack)
{
    return unpack->packed_bytes;
}
