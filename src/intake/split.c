/*
 * Split: bytes of a body become chunks of items, in the HTTP thread. Where a chunk ends depends on the bytes of
 * the body alone, never on how they came: a body that is sent again makes the same chunks (follow.c).
 *
 * The one difficulty: a chunk is shipped when the next item starts, not when it is full, so that a
 * batch of exactly one chunk's size goes as one chunk that knows that it is the last: then its
 * customers and its import's row are one commit. Hence the spare: a full chunk needs its successor
 * in hand before the next byte is looked at.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "intake/spool_priv.h"

/* A chunk that is being filled is counted in pieces: a small body costs no lock, and an item none of its own. */
#define COUNT_BYTES (64u << 10)

static bool is_full(const struct intake_chunk *chunk)
{
    return chunk_count(chunk) >= LIMIT_CHUNK_ITEMS || chunk->text.size >= LIMIT_CHUNK_BYTES;
}

static void refuse_body(struct intake_import *import, int error, const struct json_error *place)
{
    import->split_error = error;
    import->split_place = *place;
}

/* Hands the chunk to the workers. From here on it is no longer ours. */
static void ship(struct intake_import *import, struct intake_chunk *chunk, bool last)
{
    struct intake *intake = import->intake;
    chunk->number = import->shipped++;
    chunk->first_index = import->items;
    import->items += chunk_count(chunk);
    chunk->shipped = true;
    chunk->last = last;
    chunk->followed = follow_skips(import, chunk->number);
    chunk->charged_bytes = chunk->text.size;
    uint64_t random;
    crypto_random(&random, sizeof random);
    pthread_mutex_lock(&intake->lock);
    intake->bytes += chunk->charged_bytes;
    intake->filled -= chunk->filled_bytes;
    chunk->id_maker = uuid_reserve(&intake->uuids, (uint64_t)import->started_ms, random, chunk_count(chunk));
    pthread_mutex_unlock(&intake->lock);
    chunk->filled_bytes = 0;
    chunk_push(intake->work, chunk);
}

/* Makes sure there is a chunk to append to and, when it is full, one behind it. */
static bool have_room(struct intake_import *import)
{
    if (import->filling == NULL) {
        import->filling = chunk_take(import, false);
        return import->filling != NULL;
    }
    if (import->spare == NULL && import->item_bytes == 0 && is_full(import->filling)) {
        import->spare = chunk_take(import, false);
        return import->spare != NULL;
    }
    return true;
}

static void refuse_large_item(struct intake_import *import)
{
    struct json_error place = frame_item(import);
    place.reason = "The item is larger than 1 MiB.";
    refuse_body(import, ERR_ITEM_TOO_LARGE, &place);
}

static void count_filled(struct intake_import *import)
{
    struct intake *intake = import->intake;
    size_t grown = import->filling->text.size - import->filling->filled_bytes;
    if (grown < COUNT_BYTES) {
        return;
    }
    pthread_mutex_lock(&intake->lock);
    intake->filled += grown;
    pthread_mutex_unlock(&intake->lock);
    import->filling->filled_bytes += grown;
}

/* Appends bytes of the current item, which may begin a new chunk. */
static void append_part(struct intake_import *import, struct slice bytes)
{
    if (import->item_bytes == 0 && is_full(import->filling)) {
        ship(import, import->filling, false);
        import->filling = import->spare;
        import->spare = NULL;
    }
    import->item_bytes += bytes.size;
    if (import->item_bytes > LIMIT_ITEM_BYTES) {
        refuse_large_item(import);
        return;
    }
    buf_append_slice(&import->filling->text, bytes);
    count_filled(import);
}

static void end_item(struct intake_import *import)
{
    struct intake_chunk *chunk = import->filling;
    struct chunk_item item = {
        .at = chunk->text.size - import->item_bytes, .size = import->item_bytes, .begin = frame_item(import)};
    buf_append(&chunk->items, &item, sizeof item);
    import->item_bytes = 0;
    if (buf_error(&chunk->text) != 0 || buf_error(&chunk->items) != 0) {
        refuse_body(import, ERR_NO_MEMORY, &(struct json_error){0});
    }
}

/* One step of the framer; false when the bytes are used up or the body refused. */
static bool step(struct intake_import *import, struct slice *plain)
{
    struct slice bytes;
    enum json_split_event event = frame_next(import, plain, &bytes);
    if (event == JSON_SPLIT_MORE) {
        return false;
    }
    if (event == JSON_SPLIT_ERROR) {
        struct json_error place = {0};
        int error = frame_error(import, &place);
        refuse_body(import, error, &place);
        return false;
    }
    append_part(import, bytes);
    if (event == JSON_SPLIT_ITEM_END && import->split_error == 0) {
        end_item(import);
    }
    return import->split_error == 0;
}

/* What has been taken so far counts against the tenant's quotas. */
static void note_quota(struct intake_import *import)
{
    uint64_t items = import->items + (import->filling != NULL ? chunk_count(import->filling) : 0);
    int err = 0;
    if (import->split_error == 0 && import->quota.tenant != NULL) {
        err = quota_reach(&import->quota, items, atomic_load(&import->bytes), clock_real_ms());
    }
    if (err != 0) {
        refuse_body(import, err, &(struct json_error){0});
    }
}

/* Takes bytes as they stand in the body; false when it has to rest before the rest of them. */
static bool take_plain(struct intake_import *import, struct slice *plain)
{
    size_t given = plain->size;
    bool room = true;
    while (import->split_error == 0 && plain->size > 0) {
        room = have_room(import);
        if (!room || !step(import, plain)) {
            break;
        }
    }
    atomic_fetch_add(&import->bytes, given - plain->size);
    note_quota(import);
    return room;
}

/* Undoes the encoding of a part of the body. */
static void unpack_some(struct intake_import *import, struct slice *piece)
{
    const char *why = NULL;
    int err = unpack_next(import->unpack, piece, &import->plain, &why);
    if (err != 0) {
        refuse_body(import, err, &(struct json_error){.reason = why, .offset = unpack_offset(import->unpack)});
    }
}

/* What was unpacked before, then the piece, until nothing comes out any more. False when it has to rest. */
static bool take_packed(struct intake_import *import, struct slice *piece)
{
    while (import->split_error == 0) {
        if (import->plain.size == 0) {
            unpack_some(import, piece);
        }
        if (import->plain.size == 0) {
            break;
        }
        if (!take_plain(import, &import->plain)) {
            return false;
        }
    }
    return true;
}

/* As it comes, to be taken in later. */
static bool take_spooled(struct intake_import *import, struct slice *piece)
{
    int err = spool_append(import->spool, *piece);
    atomic_fetch_add(&import->bytes, piece->size);
    *piece = slice_from(*piece, piece->size);
    if (err != 0) {
        refuse_body(import, err, &(struct json_error){0});
    }
    return true;
}

static bool take_any(struct intake_import *import, struct slice *piece)
{
    if (import->spool != NULL) {
        return take_spooled(import, piece);
    }
    return import->unpack != NULL ? take_packed(import, piece) : take_plain(import, piece);
}

bool intake_take(struct intake_import *import, struct slice *piece)
{
    if (atomic_load(&import->aborting) && import->split_error == 0) {
        refuse_body(import, ERR_ABORTED, &(struct json_error){0});
    }
    bool go_on = import->split_error != 0 || take_any(import, piece);
    if (import->split_error != 0) {
        *piece = SLICE_NONE; /* the rest is of no use any more */
        go_on = true;
    }
    return go_on;
}

/* The last chunk carries the refusal of the body, so that it is judged in the body's order. */
static void ship_last(struct intake_import *import)
{
    struct intake_chunk *chunk = import->filling;
    import->filling = NULL;
    if (chunk == NULL) {
        chunk = chunk_take(import, true);
    }
    if (import->spare != NULL) {
        chunk_release(import->spare);
        import->spare = NULL;
    }
    if (chunk == NULL) {
        import->split_error = ERR_NO_MEMORY;
        pthread_mutex_lock(&import->lock);
        import->failed = true;
        import->error = ERR_NO_MEMORY;
        pthread_mutex_unlock(&import->lock);
        import_done(import);
        return;
    }
    chunk->error = import->split_error;
    chunk->place = import->split_place;
    ship(import, chunk, true);
}

static void end_with(struct intake_import *import, int error)
{
    pthread_mutex_lock(&import->intake->lock);
    import->ended = true;
    pthread_mutex_unlock(&import->intake->lock);
    if (import->split_error == 0) {
        import->split_error = error;
    }
    ship_last(import);
}

/* What frame_end leaves: an item that the end of the body ends. */
static int end_frame(struct intake_import *import)
{
    bool open = false;
    int error = frame_end(import, &open);
    if (error != 0) {
        struct json_error place = {0};
        int told = frame_error(import, &place);
        error = told != 0 ? told : error;
        import->split_place = place;
    } else if (open) {
        end_item(import);
        note_quota(import);
        error = import->split_error;
    }
    return error;
}

/* A spooled body that broke off, or could not be kept, was never taken. */
static void end_spooled(struct intake_import *import, int error)
{
    if (error == 0) {
        feed_accept(import);
        return;
    }
    spool_drop(&import->spool);
    pthread_mutex_lock(&import->intake->lock);
    import->ended = true;
    pthread_mutex_unlock(&import->intake->lock);
    pthread_mutex_lock(&import->lock);
    import->failed = true;
    import->error = error;
    pthread_mutex_unlock(&import->lock);
    import_done(import);
}

bool intake_end(struct intake_import *import)
{
    if (import->spool != NULL) {
        end_spooled(import, import->split_error);
        return true;
    }
    struct slice nothing = SLICE_NONE;
    if (!intake_take(import, &nothing)) {
        return false;
    }
    end_with(import, import->split_error != 0 ? import->split_error : end_frame(import));
    return true;
}

void split_cut_off(struct intake_import *import)
{
    if (import->spool != NULL) {
        end_spooled(import, ERR_CUT_OFF);
        return;
    }
    end_with(import, ERR_CUT_OFF);
}
