/*
 * Keep: one thread of a track commits groups of chunks of any number of imports, with one sync a group. While
 * it syncs, the next group gathers behind it in the queue: that is the group commit. Chunks of large
 * imports go through the bulk lane (lane.c) instead, and only their last comes here.
 *
 * An import's last chunk carries its row, `committed`; it must not share a group with an earlier chunk of
 * the same import, because an earlier chunk may be refused by the store in that very group. It is
 * carried over to the next group then. An import that fits one chunk never has its row `open`.
 */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "intake/intake_priv.h"

#define GROUP_CHUNKS 256u
#define GROUP_BYTES  (6u << 20)

struct group {
    struct intake *intake;
    struct intake_track *track;
    struct intake_chunk *chunks[GROUP_CHUNKS];
    size_t count;
    struct intake_chunk *carried; /* first of the next group */
};

static bool has_import(const struct group *group, const struct intake_import *import)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->chunks[i]->import == import) {
            return true;
        }
    }
    return false;
}

/* ---- gathering ---- */

/* An import that its client left keeps what it has: its last chunk ends the request, and nothing else. */
static bool ends_without_commit(struct intake_chunk *chunk)
{
    struct intake_import *import = chunk->import;
    pthread_mutex_lock(&import->lock);
    bool ends = import->left && (chunk->last || import->stuck);
    import->parted = import->parted || (ends && chunk->last);
    pthread_mutex_unlock(&import->lock);
    return ends;
}

static struct intake_chunk *first_chunk(struct group *group)
{
    struct intake_chunk *chunk = group->carried;
    group->carried = NULL;
    return chunk != NULL ? chunk : fair_pop(group->track->keep);
}

/* False when there is nothing left and never will be. */
static bool gather(struct group *group)
{
    group->count = 0;
    struct intake_chunk *chunk = first_chunk(group);
    if (chunk == NULL) {
        return false;
    }
    size_t bytes = 0;
    while (chunk != NULL) {
        if (chunk->last && chunk->number > 0 && has_import(group, chunk->import)) {
            group->carried = chunk;
            return true;
        }
        group->chunks[group->count++] = chunk;
        bytes += chunk->records.size;
        void *next = NULL;
        if (group->count < GROUP_CHUNKS && bytes < GROUP_BYTES) {
            fair_pop_many(group->track->keep, &next, 1);
        }
        chunk = next;
    }
    return true;
}

/* ---- an import's state ---- */

bool keep_has_failed(struct intake_import *import)
{
    pthread_mutex_lock(&import->lock);
    bool failed = import->failed;
    pthread_mutex_unlock(&import->lock);
    return failed;
}

bool keep_is_over(struct intake_import *import)
{
    pthread_mutex_lock(&import->lock);
    bool over = import->failed || import->stuck;
    pthread_mutex_unlock(&import->lock);
    return over;
}

/* A keyed import whose trouble may pass is left as it is: a retry goes on with it. One that has ended under its request
 * was aborted through another server: as if it had been here. But one that this request has only joined was most likely
 * ended by another server's request with the same key: a retry learns how. */
void keep_fail(struct intake_import *import, int error)
{
    bool joined = error == ERR_IMPORT_ENDED && import->follow == FOLLOW_KEPT;
    bool ended = error == ERR_IMPORT_ENDED && !joined;
    error = joined ? ERR_KEY_IN_FLIGHT : ended ? ERR_ABORTED : error;
    pthread_mutex_lock(&import->lock);
    if (ended) {
        atomic_store(&import->aborting, true);
    }
    if (import->admission.keyed && !import->failed && err_is_temporary(error)) {
        import->left = true;
        import->stuck = true;
    } else {
        import->failed = true;
    }
    if (import->error == 0) {
        import->error = error;
    }
    pthread_mutex_unlock(&import->lock);
}

/* What failed without a fault to tell must not read like a yes, and not be for good. It happens to a chunk that is
 * refused without a conflict of its own: an earlier request had one refused, and could not write down how it ended. Now
 * that is done, and a retry is the first again. Import lock held. */
static void note_unsaid(struct intake_import *import)
{
    if (import->failed && import->error == 0 && import->counts.faults == 0) {
        import->error = ERR_OUTCOME_UNKNOWN;
    }
}

/* How the import ended, into its row. */
static void end_row(struct intake_import *import, uint32_t chunks)
{
    struct store_import *row = &import->row;
    const struct intake_counts *counts = &import->counts;
    pthread_mutex_lock(&import->lock);
    import->closed = true;
    note_unsaid(import);
    bool kept = !import->failed && !import->admission.dry_run;
    row->state = kept ? IMPORT_COMMITTED : IMPORT_ABORTED;
    row->received = counts->progress.received;
    row->created = counts->progress.created;
    row->existing = counts->progress.existing;
    row->updated = counts->progress.updated;
    row->skipped = counts->progress.skipped;
    row->findings = counts->progress.findings;
    row->faults = counts->faults;
    memcpy(row->finding_counts, counts->finding_counts, sizeof row->finding_counts);
    memcpy(row->fault_counts, counts->fault_counts, sizeof row->fault_counts);
    row->bytes = atomic_load(&import->bytes);
    row->chunks = chunks;
    row->ended_ms = clock_real_ms();
    row->error = (int16_t)(import->error != 0 || !import->failed ? import->error : answer_error_of_faults(counts));
    memset(row->body_mac, 0, sizeof row->body_mac);
    if (follow_binds(import)) {
        memcpy(row->body_mac, import->chain, sizeof row->body_mac);
    }
    pthread_mutex_unlock(&import->lock);
}

/* ---- customers that existed ---- */

/* The first item that met a customer of another envelope. */
struct met {
    uint64_t index;
    struct uuid customer;
};

/* Digest of the envelope that an older import came in. */
static int envelope_of(struct intake_import *import, const struct uuid *older, uint8_t mac[CRYPTO_MAC_BYTES])
{
    struct store_import row;
    struct buf envelope;
    buf_init(&envelope, 0);
    int err = store_import_get(import->intake->options.store, &import->row.tenant, older, &row, &envelope);
    buf_fini(&envelope);
    if (err == 0) {
        memcpy(mac, row.envelope_mac, CRYPTO_MAC_BYTES);
    }
    return err;
}

/* Envelopes are few, however many imports there were: so this does not grow with the body. */
static int note_envelope(struct intake_import *import, const uint8_t mac[CRYPTO_MAC_BYTES], const struct met *met)
{
    struct slice key = slice_make(mac, CRYPTO_MAC_BYTES);
    if (import->older == NULL) {
        import->older = map_new();
    }
    if (import->older == NULL) {
        return ERR_NO_MEMORY;
    }
    if (map_get(import->older, key, NULL)) {
        return 0;
    }
    buf_append(&import->met, met, sizeof *met);
    int err = map_put(import->older, key, import->met.size / sizeof *met - 1);
    return err != 0 ? err : buf_error(&import->met);
}

int keep_note_older(struct intake_import *import, const struct store_outcome *outcome, uint64_t index)
{
    struct met met = {.index = index, .customer = outcome->id};
    uint8_t mac[CRYPTO_MAC_BYTES];
    if (!contract_info(import->admission.contract)->has_envelope || uuid_equal(&outcome->import, &import->last_older)) {
        return 0;
    }
    import->last_older = outcome->import;
    int err = envelope_of(import, &outcome->import, mac);
    if (err != 0) {
        return err == ERR_NOT_FOUND ? 0 : err;
    }
    return note_envelope(import, mac, &met);
}

static bool has_envelope(const struct intake_import *import)
{
    static const uint8_t none[CRYPTO_MAC_BYTES];
    return memcmp(import->row.envelope_mac, none, sizeof none) != 0;
}

static void refuse_envelope(struct intake_import *import, const struct met *met)
{
    const char *code = err_code(ERR_EXTERNAL_ID_CONFLICT);
    struct intake_fault fault = {
        .index = met->index, .code = code, .detail = REFUSE_OTHER_CONTENT, .customer = met->customer};
    pthread_mutex_lock(&import->lock);
    import->failed = true;
    import->counts.faults++;
    counts_add(import->counts.fault_counts, STORE_FAULT_CODES, code, 1);
    import_add_fault(import, &fault);
    pthread_mutex_unlock(&import->lock);
}

/*
 * Customers that existed already may have come in another envelope (another project, another type):
 * that is other content. The store sees to it where a chunk brings the row; for the chunks before it is
 * done here, when the envelope is known. It can't be taken back from single items then, so the import
 * fails, also a partial one.
 */
static void compare_envelopes(struct intake_import *import)
{
    size_t at = 0;
    struct slice mac;
    uint64_t place;
    while (import->older != NULL && has_envelope(import) && map_each(import->older, &at, &mac, &place)) {
        struct met met;
        memcpy(&met, import->met.data + place * sizeof met, sizeof met);
        if (memcmp(mac.data, import->row.envelope_mac, CRYPTO_MAC_BYTES) != 0) {
            refuse_envelope(import, &met);
        }
    }
}

/* ---- the chunk's commit ---- */

static bool is_taken(uint8_t kind)
{
    return kind == STORE_CREATED || kind == STORE_EXISTING || kind == STORE_UPDATED || kind == STORE_SKIPPED;
}

/*
 * A partial import's last chunk brings its row, which was written down before the chunk's conflicts were known: they
 * are added. When nothing was kept, and some of it may pass, the answer is not for good and the key stays free.
 */
static void tell_row(struct store_chunk *commit, struct store_import *row)
{
    uint64_t taken = row->created + row->existing + row->updated + row->skipped;
    for (size_t i = 0; i < commit->count; i++) {
        const struct store_outcome *outcome = &commit->outcomes[i];
        taken += is_taken(outcome->kind);
        if (outcome->kind == STORE_CONFLICT || outcome->kind == STORE_BUSY) {
            row->faults++;
            counts_add(row->fault_counts, STORE_FAULT_CODES, err_code(refuse_conflict_code(outcome)), 1);
        }
    }
    if (taken == 0 && counts_of(row->fault_counts, STORE_FAULT_CODES, err_code(ERR_BUSY)) > 0) {
        memset(row->body_mac, 0, sizeof row->body_mac);
        commit->forget_request = true;
    }
}

/* The store may decide again: then on the refusals as they were. */
static void begin_again(struct intake_chunk *chunk)
{
    size_t before = chunk->refusals_before.size;
    if (!chunk->decided) {
        buf_clear(&chunk->refusals_before);
        buf_append_slice(&chunk->refusals_before, buf_view(&chunk->refusals_row));
        buf_fail(&chunk->refusals_row, buf_error(&chunk->refusals_before));
    } else {
        buf_clear(&chunk->refusals_row);
        buf_append(&chunk->refusals_row, chunk->refusals_before.data, before);
    }
    chunk->decided = true;
}

static void on_decided(struct store_chunk *commit, void *context)
{
    struct intake_chunk *chunk = LIST_ENTRY(commit, struct intake_chunk, commit);
    begin_again(chunk);
    if (chunk->last) {
        tell_row(commit, commit->row);
    }
    int err = refuse_conflicts(context, chunk);
    if (err != 0) {
        keep_fail(chunk->import, err);
        buf_clear(&chunk->refusals_row);
    }
    commit->faults = buf_view(&chunk->refusals_row);
}

void keep_prepare(struct intake_chunk *chunk, struct intake_worker *tools)
{
    const struct intake_import *import = chunk->import;
    bool failed = keep_has_failed(chunk->import);
    struct store_outcome *outcomes = chunk->commit.outcomes;
    chunk->decided = false;
    chunk->commit = (struct store_chunk){.tenant = import->row.tenant,
                                         .import = import->id,
                                         .number = chunk->number,
                                         .customers = chunk->customers,
                                         .count = failed ? 0 : chunk_count(chunk),
                                         .atomic = !import->admission.partial,
                                         .on_existing = import->admission.on_existing,
                                         .dry = chunk->last && import->admission.dry_run,
                                         .chain = import->admission.keyed ? chunk->chain : NULL,
                                         .faults = buf_view(&chunk->refusals_row),
                                         .decided = on_decided,
                                         .context = tools,
                                         .outcomes = outcomes};
}

/* The key is claimed with the import's first row, and given back when its end is not for good. */
static void prepare_claim(struct intake_chunk *chunk)
{
    struct intake_import *import = chunk->import;
    struct store_chunk *commit = &chunk->commit;
    if (!import->admission.keyed || commit->row == NULL) {
        return;
    }
    pthread_mutex_lock(&import->lock);
    bool bound = !chunk->last || follow_binds(import);
    pthread_mutex_unlock(&import->lock);
    commit->request_before_ms = clock_real_ms() - import->intake->options.key_window_ms;
    commit->forget_request = import->opened && !bound;
    commit->request = (import->opened ? !bound : bound) ? &import->request : NULL;
}

static void prepare(struct intake_chunk *chunk, struct intake_worker *tools)
{
    struct intake_import *import = chunk->import;
    if (chunk->last && !keep_has_failed(import)) {
        compare_envelopes(import);
    }
    keep_prepare(chunk, tools);
    if (chunk->last) {
        end_row(import, chunk->number + 1);
        chunk->commit.row = &import->row;
        bool aborted = import->row.state == IMPORT_ABORTED && !chunk->commit.dry;
        chunk->commit.count = aborted ? 0 : chunk->commit.count; /* by request, since the chunk was prepared */
    } else if (!import->opened) {
        chunk->commit.row = &import->opening;
    }
    prepare_claim(chunk);
}

/* ---- its outcome ---- */

void keep_count(struct intake_counts *counts, const struct store_outcome *outcome)
{
    struct intake_progress *progress = &counts->progress;
    progress->decided++;
    progress->created += outcome->kind == STORE_CREATED;
    progress->existing += outcome->kind == STORE_EXISTING;
    progress->updated += outcome->kind == STORE_UPDATED;
    progress->skipped += outcome->kind == STORE_SKIPPED;
    if (outcome->kind == STORE_CONFLICT || outcome->kind == STORE_BUSY) {
        progress->refused++;
        counts->faults++;
        counts_add(counts->fault_counts, STORE_FAULT_CODES, err_code(refuse_conflict_code(outcome)), 1);
    }
}

void keep_note(struct intake_chunk *chunk)
{
    struct intake_import *import = chunk->import;
    int err = 0;
    pthread_mutex_lock(&import->lock);
    for (size_t i = 0; i < chunk->commit.count; i++) {
        const struct store_outcome *outcome = &chunk->commit.outcomes[i];
        keep_count(&import->counts, outcome);
        bool older = outcome->kind == STORE_EXISTING && !uuid_equal(&outcome->import, &import->id);
        if (older && !chunk->last && err == 0) {
            err = keep_note_older(import, outcome, chunk->first_index + i);
        }
    }
    pthread_mutex_unlock(&import->lock);
    if (err != 0) {
        keep_fail(import, err);
    }
}

/*
 * The store refused an atomic chunk for its conflicts: they are the import's faults. It takes nothing more of the
 * import from now on, also not from a retry: so the last chunk must end it, even when its client has left meanwhile.
 * (One that was left because its body is another's brings no chunk here.)
 */
void keep_note_conflicts(struct intake_chunk *chunk, struct intake_worker *tools)
{
    struct intake_import *import = chunk->import;
    pthread_mutex_lock(&import->lock);
    import->failed = true;
    import->left = false;
    for (size_t i = 0; i < chunk->commit.count; i++) {
        uint8_t kind = chunk->commit.outcomes[i].kind;
        if (kind == STORE_CONFLICT || kind == STORE_BUSY) {
            keep_count(&import->counts, &chunk->commit.outcomes[i]);
        }
    }
    pthread_mutex_unlock(&import->lock);
    int err = refuse_conflicts(tools, chunk);
    if (err != 0) {
        keep_fail(import, err);
    }
}

/* The ids of an import of one chunk are answered from memory; others are read back from the store. */
static void keep_outcomes(struct intake_chunk *chunk)
{
    if (chunk->last && chunk->number == 0) {
        buf_append(&chunk->import->outcomes, chunk->commit.outcomes,
                   chunk->commit.count * sizeof *chunk->commit.outcomes);
    }
}

bool keep_has_pending(const struct intake_chunk *chunk)
{
    for (size_t i = 0; i < chunk->commit.count; i++) {
        if (chunk->customers[i].secrets_pending) {
            return true;
        }
    }
    return false;
}

static void note_kept(struct group *group, struct intake_chunk *chunk)
{
    keep_note(chunk);
    keep_outcomes(chunk);
    chunk->import->opened = true;
    chunk->import->settled = chunk->import->settled || chunk->last;
    if (keep_has_pending(chunk) ||
        (chunk->last && chunk->number > 0)) { /* now those of the chunks before it are visible */
        hash_lane_wake(group->intake->hash_lane, &chunk->commit.tenant);
    }
}

/*
 * A last chunk that was refused, or whose commit failed, must still end its import: once more, without
 * customers; and what was refused is told. When that fails too, the store is in no state to take anything;
 * its next start aborts what is open, or leaves it to a retry with its key.
 */
static void finish(struct group *group, struct intake_chunk *chunk, bool *again)
{
    struct intake_import *import = chunk->import;
    *again = false;
    if (chunk->commit.error != 0) {
        keep_fail(import, chunk->commit.error);
        *again = chunk->last && import->opened && !import->ending && !ends_without_commit(chunk);
        import->ending = true;
    } else if (chunk->commit.kept) {
        note_kept(group, chunk);
    } else {
        keep_note_conflicts(chunk, &group->track->keeper_tools);
        *again = true;
    }
    if (chunk->last && !*again) {
        import_done(import);
    }
    if (!*again) {
        chunk_release(chunk);
    }
}

/* Prepares what there is to commit; what ends without a commit goes. */
static size_t prepare_group(struct group *group, struct store_chunk **commits)
{
    size_t count = 0;
    for (size_t i = 0; i < group->count; i++) {
        struct intake_chunk *chunk = group->chunks[i];
        if (ends_without_commit(chunk)) {
            if (chunk->last) {
                import_done(chunk->import);
            }
            chunk_release(chunk);
            continue;
        }
        prepare(chunk, &group->track->keeper_tools);
        commits[count] = &chunk->commit;
        group->chunks[count++] = chunk;
    }
    group->count = count;
    return count;
}

static void commit(struct group *group)
{
    struct store_chunk *commits[GROUP_CHUNKS];
    size_t count = prepare_group(group, commits);
    if (count == 0) {
        return;
    }
    int err = store_commit(group->intake->options.store, commits, count);
    if (err != 0) {
        log_error(NULL, "commit failed", "\"code\":\"%s\",\"chunks\":%zu", err_code(err), count);
    }
    struct intake_chunk *repeated[GROUP_CHUNKS];
    size_t repeated_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct intake_chunk *chunk = group->chunks[i];
        if (err != 0) {
            chunk->commit.error = err;
        }
        bool again;
        finish(group, chunk, &again);
        if (again) {
            repeated[repeated_count++] = chunk;
        }
    }
    if (repeated_count > 0) {
        /* Failed imports now: this commits their rows and refusals only, and can't be refused. */
        memcpy(group->chunks, repeated, repeated_count * sizeof repeated[0]);
        group->count = repeated_count;
        commit(group);
    }
}

void *keeper_run(void *context)
{
    struct intake_track *track = context;
    struct group group = {.intake = track->intake, .track = track};
    while (gather(&group)) {
        commit(&group);
    }
    return NULL;
}
