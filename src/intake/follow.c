/*
 * Follow: a request with an idempotency key that came before follows the import that claimed it.
 *
 * Every chunk of a keyed body has a digest, and the digests are chained: the chain behind chunk n stands for the
 * body up to there. It is kept with the chunk's outcomes, and that of the whole body in the import's row when its
 * answer is final. Since chunks depend on the body's bytes alone, a retry makes the same chain or is another body.
 *
 *   the key's import   the retry
 *   is not there       is the first: it claims the key in the commit of its first row (S9)
 *   open               goes on: chunks that were kept are compared, checked again for the report, not sealed or kept
 *   ended and bound    is compared whole, and answered from the store
 *   ended otherwise    the claim is removed, and it is the first: nothing had been kept or told for good
 *   undone             is refused
 *
 * One request of a key is under way at a time.
 */
#include "base/clock.h"
#include "intake/intake_priv.h"

#define KEY_BYTES (UUID_BYTES + CRYPTO_MAC_BYTES)

/* ---- one request a key ---- */

static struct slice table_key(const struct intake_import *import, uint8_t bytes[KEY_BYTES])
{
    memcpy(bytes, import->admission.grant.tenant->id.bytes, UUID_BYTES);
    memcpy(bytes + UUID_BYTES, import->admission.key_mac, CRYPTO_MAC_BYTES);
    return slice_make(bytes, KEY_BYTES);
}

static int hold_key(struct intake_import *import)
{
    struct intake *intake = import->intake;
    uint8_t bytes[KEY_BYTES];
    struct slice key = table_key(import, bytes);
    pthread_mutex_lock(&intake->lock);
    int err = map_get(intake->keys, key, NULL) ? ERR_KEY_IN_FLIGHT : map_put(intake->keys, key, 1);
    import->holds_key = err == 0;
    pthread_mutex_unlock(&intake->lock);
    return err;
}

void follow_end(struct intake_import *import)
{
    struct intake *intake = import->intake;
    uint8_t bytes[KEY_BYTES];
    pthread_mutex_lock(&intake->lock);
    if (import->holds_key) {
        map_delete(intake->keys, table_key(import, bytes));
        import->holds_key = false;
    }
    pthread_mutex_unlock(&intake->lock);
}

/* ---- what the key's import is ---- */

static int has_outcomes(struct intake_import *import, uint32_t number, struct buf *outcomes, bool *has)
{
    buf_clear(outcomes);
    int err = store_import_outcomes(import->intake->options.store, &import->row.tenant, &import->row.id, number, NULL,
                                    outcomes);
    *has = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* Chunks that were kept have numbers from 0 without a gap: their number is found by doubling and halving. */
static int count_kept(struct intake_import *import)
{
    struct buf outcomes;
    uint32_t there = 0; /* chunks known to be kept */
    uint32_t step = 1;
    bool growing = true;
    int err = 0;
    buf_init(&outcomes, 0);
    while (err == 0 && step > 0) {
        bool has = false;
        err = has_outcomes(import, there + step - 1, &outcomes, &has);
        there += has ? step : 0;
        growing = growing && has;
        step = growing ? step * 2 : step / 2;
    }
    buf_fini(&outcomes);
    import->kept_chunks = there;
    return err;
}

static void take_counts(struct intake_import *import, const struct store_import *row)
{
    struct intake_counts *counts = &import->counts;
    counts->progress.received = row->received;
    counts->progress.created = row->created;
    counts->progress.existing = row->existing;
    counts->progress.updated = row->updated;
    counts->progress.skipped = row->skipped;
    counts->progress.refused = row->received - row->created - row->existing - row->updated - row->skipped;
    counts->progress.findings = row->findings;
    counts->faults = row->faults;
    memcpy(counts->finding_counts, row->finding_counts, sizeof counts->finding_counts);
    memcpy(counts->fault_counts, row->fault_counts, sizeof counts->fault_counts);
}

/* From here on the import is the key's. */
static int join(struct intake_import *import, const struct store_import *row, bool whole)
{
    import->follow = whole ? FOLLOW_ALL : FOLLOW_KEPT;
    import->id = row->id;
    import->request.import = row->id;
    import->started_ms = row->started_ms;
    import->row = *row;
    import->row.envelope = SLICE_NONE;
    import->opened = true;
    return whole ? 0 : count_kept(import);
}

static bool is_bound(const struct store_import *row)
{
    static const uint8_t none[CRYPTO_MAC_BYTES];
    return memcmp(row->body_mac, none, sizeof none) != 0;
}

/* An import that ended without an answer for good gives its key back. */
static int free_claim(struct intake_import *import, const struct store_request *claim, struct store_import *row)
{
    struct store_chunk chunk = {.tenant = row->tenant,
                                .import = row->id,
                                .number = row->chunks,
                                .row = row,
                                .request = claim,
                                .forget_request = true};
    struct store_chunk *chunks = &chunk;
    int err = store_commit(import->intake->options.store, &chunks, 1);
    return err != 0 ? err : chunk.error;
}

static int follow_claim(struct intake_import *import, const struct store_request *claim)
{
    struct store_import row;
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_import_get(import->intake->options.store, &import->row.tenant, &claim->import, &row, &envelope);
    if (err == 0 && row.state == IMPORT_OPEN) {
        err = join(import, &row, false);
    } else if (err == 0 && row.state == IMPORT_UNDONE) {
        err = ERR_IMPORT_ENDED;
    } else if (err == 0 && is_bound(&row)) {
        err = join(import, &row, true);
    } else if (err == 0) {
        err = free_claim(import, claim, &row);
    }
    buf_fini(&envelope);
    return err;
}

/* A body from the spool goes on with the row that was written when it was taken. Its key, if one came with it, is
 * held like any: a retry by its client would go on with the same row at the same time. */
static int follow_spooled(struct intake_import *import)
{
    static const uint8_t none[CRYPTO_MAC_BYTES];
    struct store_import row;
    struct buf envelope;
    int err = memcmp(import->admission.key_mac, none, sizeof none) == 0 ? 0 : hold_key(import);
    if (err != 0) {
        return err;
    }
    buf_init(&envelope, 0);
    err = store_import_get(import->intake->options.store, &import->row.tenant, &import->admission.spooled_id, &row,
                           &envelope);
    buf_fini(&envelope);
    if (err == 0) {
        err = row.state == IMPORT_OPEN ? join(import, &row, false) : ERR_IMPORT_ENDED;
    }
    return err;
}

int follow_begin(struct intake_import *import)
{
    struct store_request claim;
    import->request = (struct store_request){.import = import->id, .created_ms = import->started_ms};
    memcpy(import->request.mac, import->admission.key_mac, CRYPTO_MAC_BYTES);
    memcpy(import->request.terms, import->admission.terms_mac, CRYPTO_MAC_BYTES);
    if (import->admission.spooled) {
        return follow_spooled(import);
    }
    if (!import->admission.keyed) {
        return 0;
    }
    int err = hold_key(import);
    if (err != 0) {
        return err;
    }
    err = store_request_get(import->intake->options.store, &import->row.tenant, import->admission.key_mac, &claim);
    if (err != 0) {
        return err == ERR_NOT_FOUND ? 0 : err;
    }
    if (claim.created_ms < clock_real_ms() - import->intake->options.key_window_ms) {
        return 0; /* too old: free for anybody */
    }
    if (memcmp(claim.terms, import->admission.terms_mac, CRYPTO_MAC_BYTES) != 0) {
        return ERR_KEY_REUSED;
    }
    return follow_claim(import, &claim);
}

bool follow_skips(const struct intake_import *import, uint32_t number)
{
    return import->follow == FOLLOW_ALL || (import->follow == FOLLOW_KEPT && number < import->kept_chunks);
}

/* ---- digests ---- */

/* Items stand behind one another in the text; their sizes tell them apart. */
int follow_digest(struct intake_worker *worker, struct intake_chunk *chunk)
{
    const struct crypto_tenant *keys = chunk->import->admission.grant.tenant->keys;
    struct buf *parts = &worker->canonical;
    uint8_t mac[CRYPTO_MAC_BYTES];
    buf_clear(parts);
    crypto_fingerprint(keys, buf_view(&chunk->text), mac);
    buf_append_byte(parts, chunk->last);
    buf_append(parts, mac, sizeof mac);
    if (chunk->last) {
        crypto_fingerprint(keys, frame_envelope(chunk->import), mac);
        buf_append(parts, mac, sizeof mac);
    }
    if (chunk->number == 0) {
        buf_append_slice(parts, buf_view(&chunk->import->header_row));
    }
    for (size_t i = 0; i < chunk_count(chunk); i++) {
        buf_append_u32(parts, (uint32_t)chunk_item_at(chunk, i)->size);
    }
    crypto_fingerprint(keys, buf_view(parts), chunk->chain);
    return buf_error(parts);
}

static void extend_chain(struct intake_import *import, struct intake_chunk *chunk)
{
    uint8_t both[2 * CRYPTO_MAC_BYTES];
    memcpy(both, import->chain, CRYPTO_MAC_BYTES);
    memcpy(both + CRYPTO_MAC_BYTES, chunk->chain, CRYPTO_MAC_BYTES);
    crypto_fingerprint(import->admission.grant.tenant->keys, slice_make(both, sizeof both), import->chain);
    memcpy(chunk->chain, import->chain, CRYPTO_MAC_BYTES);
}

/* ---- a followed chunk's turn ---- */

static int count_outcomes(struct intake_import *import, struct slice outcomes, uint64_t index)
{
    struct store_outcome outcome;
    int err = 0;
    while (err == 0 && store_outcomes_read(&outcomes, &outcome)) {
        keep_count(&import->counts, &outcome);
        if (outcome.kind == STORE_EXISTING && !uuid_equal(&outcome.import, &import->id)) {
            err = keep_note_older(import, &outcome, index);
        }
        index++;
    }
    return err;
}

/* The chain of the last kept chunk vouches for those before it. */
static int compare_kept(struct intake_import *import, struct intake_chunk *chunk)
{
    uint8_t chain[CRYPTO_MAC_BYTES];
    struct buf outcomes;
    buf_init(&outcomes, 0);
    int err = store_import_outcomes(import->intake->options.store, &import->row.tenant, &import->id, chunk->number,
                                    chain, &outcomes);
    if (err == 0 && (chunk->last || memcmp(chain, chunk->chain, sizeof chain) != 0)) {
        err = ERR_KEY_REUSED;
    }
    err = err == 0 ? count_outcomes(import, buf_view(&outcomes), chunk->first_index) : err;
    buf_fini(&outcomes);
    return err;
}

int follow_turn(struct intake_import *import, struct intake_chunk *chunk)
{
    extend_chain(import, chunk);
    if (!chunk->followed) {
        return 0;
    }
    if (import->follow == FOLLOW_KEPT) {
        return compare_kept(import, chunk);
    }
    if (!chunk->last) {
        return 0;
    }
    if (memcmp(import->chain, import->row.body_mac, CRYPTO_MAC_BYTES) != 0) {
        return ERR_KEY_REUSED;
    }
    take_counts(import, &import->row);
    return 0;
}

/* What was kept without an external id would be kept again by a retry, so an answer that tells of anything kept is
 * for good. When nothing was, and something was held by another open import, a retry may fare better. */
bool follow_binds(const struct intake_import *import)
{
    const struct intake_counts *counts = &import->counts;
    bool of_envelope = import->fault_count > 0;
    bool busy = counts_of(counts->fault_counts, STORE_FAULT_CODES, err_code(ERR_BUSY)) > 0;
    bool nothing = import->failed || counts->progress.refused == counts->progress.received;
    return import->admission.keyed && import->error == 0 && !of_envelope && !(busy && nothing);
}
