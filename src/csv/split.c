/*
 * Rows of a body in pieces, 64 bytes at a step: each block becomes masks with a bit a byte, the running exclusive-or
 * of the quotes tells what lies within quotes (a doubled quote closes and opens, which is the same), and the first
 * line break outside of them ends the row.
 *
 * The difficulty is a quote where none may stand. Taken as an opening one it would swallow rows up to the next quote,
 * perhaps the whole body; so every quote is held to its place: an opening one stands behind a comma, at the start of
 * the row, or right behind a closing one; behind a closing one stands a comma, a line break or a quote.
 *
 * C1. What is told depends on the bytes of the body only, never on where it was cut.
 * C2. A row's line break is in no event. LF behind CR is the same line break, whatever stands between pieces.
 */
#include <stdlib.h>

#include "csv/csv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK 64u

static const char MARK[] = "\xEF\xBB\xBF";
#define MARK_SIZE 3u

struct place {
    uint64_t offset;
    uint64_t line_start;
    uint32_t line;
};

struct csv_splitter {
    size_t mark_size; /* bytes of the byte order mark met so far; more than MARK_SIZE: it is behind us */
    bool in_row;
    bool failed;
    bool after_return;  /* the byte before is CR: LF now is the same line break */
    bool after_start;   /* a quote may open here */
    bool after_close;   /* the byte before is a closing quote */
    uint64_t in_quotes; /* all ones within quotes */
    struct place here;  /* of the next byte */
    struct place row;
    struct place quote; /* of the last quote that opened a field */
    struct json_error error;
};

struct masks {
    uint64_t quotes;
    uint64_t commas;
    uint64_t feeds;
    uint64_t returns;
};

#ifdef __SSE2__

#define LANE 16u

static inline uint64_t equal_mask(__m128i bytes, char byte, unsigned shift)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte))) << shift;
}

static inline struct masks masks_of(const char *block)
{
    struct masks masks = {0, 0, 0, 0};
    for (unsigned lane = 0; lane < BLOCK; lane += LANE) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + lane));
        masks.quotes |= equal_mask(bytes, '"', lane);
        masks.commas |= equal_mask(bytes, ',', lane);
        masks.feeds |= equal_mask(bytes, '\n', lane);
        masks.returns |= equal_mask(bytes, '\r', lane);
    }
    return masks;
}

#else

static struct masks masks_of(const char *block)
{
    struct masks masks = {0, 0, 0, 0};
    for (unsigned i = 0; i < BLOCK; i++) {
        masks.quotes |= (uint64_t)(block[i] == '"') << i;
        masks.commas |= (uint64_t)(block[i] == ',') << i;
        masks.feeds |= (uint64_t)(block[i] == '\n') << i;
        masks.returns |= (uint64_t)(block[i] == '\r') << i;
    }
    return masks;
}

#endif

/* Bit i is the exclusive-or of the bits 0 to i. */
static inline uint64_t running_xor(uint64_t bits)
{
    for (unsigned shift = 1; shift < 64; shift *= 2) {
        bits ^= bits << shift;
    }
    return bits;
}

static inline uint64_t below(unsigned at)
{
    return at < BLOCK ? (UINT64_C(1) << at) - 1 : ~UINT64_C(0);
}

/* ---- places ---- */

static struct json_error place_error(const struct place *place, const char *reason)
{
    return (struct json_error){.reason = reason,
                               .offset = (size_t)place->offset,
                               .line = place->line,
                               .column = (uint32_t)(place->offset - place->line_start) + 1};
}

/* The place `size` bytes further on in a block; a line break counts once, and a CR before the block with it. */
static struct place place_in_block(const struct csv_splitter *splitter, const struct masks *masks, unsigned size)
{
    struct place place = splitter->here;
    uint64_t feeds = masks->feeds & below(size);
    uint64_t returns = masks->returns & below(size);
    if ((feeds | returns) != 0) {
        uint64_t behind_return = returns << 1 | splitter->after_return;
        place.line += (uint32_t)__builtin_popcountll(returns | (feeds & ~behind_return));
        unsigned last = 63u - (unsigned)__builtin_clzll(feeds | returns);
        place.line_start = place.offset + last + 1;
    }
    place.offset += size;
    return place;
}

/* ---- the scan ---- */

enum result { ROW_OPEN, ROW_ENDED, ROW_WRONG };

static enum result refuse(struct csv_splitter *splitter, const struct masks *masks, unsigned at, bool behind_close)
{
    struct place place = place_in_block(splitter, masks, at);
    splitter->failed = true;
    splitter->error =
        place_error(&place, behind_close ? "Something stands behind the closing quote of a field. A quote within a "
                                           "quoted field is written twice."
                                         : "A quote stands in a field that does not begin with one. Put the whole "
                                           "field in quotes and write each quote in it twice.");
    return ROW_WRONG;
}

/* Where the last quote that opens a field stands: what the body's end names when it is never closed. */
static void note_quote(struct csv_splitter *splitter, const struct masks *masks, uint64_t fields)
{
    if (fields != 0) {
        splitter->quote = place_in_block(splitter, masks, 63u - (unsigned)__builtin_clzll(fields));
    }
}

/* Takes up to `size` bytes of a row from the block; *used tells how many, without the line break. */
static inline enum result run_block(struct csv_splitter *splitter, const char *block, unsigned size, unsigned *used)
{
    struct masks masks = masks_of(block);
    uint64_t breaks = masks.feeds | masks.returns;
    uint64_t within = running_xor(masks.quotes) ^ splitter->in_quotes;
    uint64_t ends = breaks & ~within & below(size);
    unsigned end = ends == 0 ? size : (unsigned)__builtin_ctzll(ends);
    if ((masks.quotes | splitter->in_quotes | splitter->after_close) != 0) {
        uint64_t opening = masks.quotes & within;
        uint64_t behind_close = (masks.quotes & ~within) << 1 | splitter->after_close;
        uint64_t behind_start = (masks.commas & ~within) << 1 | splitter->after_start;
        uint64_t wrong_opening = opening & ~(behind_start | behind_close);
        uint64_t wrong_behind = behind_close & ~(masks.commas | breaks | masks.quotes);
        uint64_t wrong = (wrong_opening | wrong_behind) & below(end);
        if (wrong != 0) {
            unsigned at = (unsigned)__builtin_ctzll(wrong);
            return refuse(splitter, &masks, at, (wrong_behind >> at & 1) != 0);
        }
        note_quote(splitter, &masks, opening & ~behind_close & below(end));
    }
    *used = end;
    if (end == 0) {
        return ends == 0 ? ROW_OPEN : ROW_ENDED;
    }
    uint64_t last = UINT64_C(1) << (end - 1);
    splitter->here = place_in_block(splitter, &masks, end);
    splitter->in_quotes = (within & last) != 0 ? ~UINT64_C(0) : 0;
    splitter->after_close = (masks.quotes & ~within & last) != 0;
    splitter->after_start = (masks.commas & ~within & last) != 0;
    splitter->after_return = (masks.returns & last) != 0;
    return ends == 0 ? ROW_OPEN : ROW_ENDED;
}

/* Goes on from *at within a row: to its line break (ended), to the end (open), or to what is wrong. */
static enum result run_row(struct csv_splitter *splitter, const char **at, const char *end)
{
    unsigned used = 0;
    while ((size_t)(end - *at) >= BLOCK) {
        enum result result = run_block(splitter, *at, BLOCK, &used);
        if (result != ROW_WRONG) {
            *at += used;
        }
        if (result != ROW_OPEN) {
            return result;
        }
    }
    if (*at == end) {
        return ROW_OPEN;
    }
    char last[BLOCK];
    unsigned size = (unsigned)(end - *at);
    memset(last, ' ', sizeof last);
    memcpy(last, *at, size);
    enum result result = run_block(splitter, last, size, &used);
    if (result != ROW_WRONG) {
        *at += used;
    }
    return result;
}

/* ---- the stream ---- */

static void begin_row(struct csv_splitter *splitter)
{
    splitter->row = splitter->here;
    splitter->in_row = true;
    splitter->in_quotes = 0;
    splitter->after_return = false;
    splitter->after_start = true;
    splitter->after_close = false;
}

static void pass(struct csv_splitter *splitter, struct slice *piece)
{
    *piece = slice_from(*piece, 1);
    splitter->here.offset++;
}

/* Passes line breaks; false at the piece's end. Lines are counted at LF, and at CR without LF behind it. */
static bool find_row(struct csv_splitter *splitter, struct slice *piece)
{
    for (; piece->size > 0; pass(splitter, piece)) {
        char byte = piece->data[0];
        if (byte != '\n' && byte != '\r') {
            begin_row(splitter);
            return true;
        }
        splitter->here.line += byte == '\r' || !splitter->after_return;
        splitter->here.line_start = splitter->here.offset + 1;
        splitter->after_return = byte == '\r';
    }
    return false;
}

/* Compares the body's first bytes. True when they are no mark: those taken are then the first row's. */
static bool differs_from_mark(struct csv_splitter *splitter, struct slice *piece)
{
    while (piece->size > 0 && splitter->mark_size < MARK_SIZE) {
        if (piece->data[0] != MARK[splitter->mark_size]) {
            return true;
        }
        pass(splitter, piece);
        splitter->mark_size++;
    }
    if (splitter->mark_size == MARK_SIZE) {
        splitter->mark_size++;
        splitter->here.line_start = MARK_SIZE;
    }
    return false;
}

/* The bytes of a mark that was none begin the first row. */
static void begin_with_mark(struct csv_splitter *splitter)
{
    struct place here = splitter->here;
    splitter->here = (struct place){.line = 1};
    begin_row(splitter);
    splitter->here = here;
    splitter->after_start = false;
    splitter->mark_size = MARK_SIZE + 1;
}

static enum json_split_event give_row(struct csv_splitter *splitter, struct slice *piece, struct slice *bytes)
{
    const char *at = piece->data;
    const char *end = piece->data + piece->size;
    enum result result = run_row(splitter, &at, end);
    if (result == ROW_WRONG) {
        return JSON_SPLIT_ERROR;
    }
    *bytes = slice_make(piece->data, (size_t)(at - piece->data));
    *piece = slice_make(at, (size_t)(end - at));
    if (result == ROW_OPEN) {
        return JSON_SPLIT_PART;
    }
    splitter->in_row = false;
    splitter->after_return = false;
    return JSON_SPLIT_ITEM_END;
}

enum json_split_event csv_splitter_next(struct csv_splitter *splitter, struct slice *piece, struct slice *bytes)
{
    *bytes = SLICE_NONE;
    if (splitter->failed) {
        return JSON_SPLIT_ERROR;
    }
    if (splitter->mark_size < MARK_SIZE && differs_from_mark(splitter, piece)) {
        *bytes = slice_make(MARK, splitter->mark_size);
        splitter->mark_size = MARK_SIZE + 1;
        if (bytes->size > 0) {
            begin_with_mark(splitter);
            return JSON_SPLIT_PART;
        }
    }
    if (piece->size == 0 || (!splitter->in_row && !find_row(splitter, piece))) {
        return JSON_SPLIT_MORE;
    }
    return give_row(splitter, piece, bytes);
}

int csv_splitter_end(struct csv_splitter *splitter, bool *open)
{
    if (splitter->mark_size > 0 && splitter->mark_size < MARK_SIZE) {
        begin_with_mark(splitter);
    }
    *open = splitter->in_row && !splitter->failed;
    if (*open && splitter->in_quotes != 0) {
        splitter->failed = true;
        splitter->error =
            place_error(&splitter->quote, "This quote is never closed. Close it, or send the whole body.");
        *open = false;
    }
    return splitter->failed ? ERR_MALFORMED_CSV : 0;
}

struct json_error csv_splitter_item(const struct csv_splitter *splitter)
{
    return place_error(&splitter->row, NULL);
}

int csv_splitter_error(const struct csv_splitter *splitter, struct json_error *error)
{
    *error = splitter->error;
    return splitter->failed ? ERR_MALFORMED_CSV : 0;
}

struct csv_splitter *csv_splitter_new(void)
{
    struct csv_splitter *splitter = calloc(1, sizeof *splitter);
    if (splitter != NULL) {
        splitter->here.line = 1;
    }
    return splitter;
}

void csv_splitter_free(struct csv_splitter **splitter)
{
    free(*splitter);
    *splitter = NULL;
}
