/*
 * Runs of the bulk lane: many chunks of one import that become durable together. A chunk is decided as in
 * store_commit, under the commit lock; its rows are composed by the same code, but into a batch of the run's
 * own kind that sorts them out: records and secrets go to sorted files, index entries are gathered, the few
 * others wait in a batch. Finishing takes the files in and then writes the batch: with the outcome rows in it
 * the run counts, whole or not at all.
 *
 * Who has a chunk's keys is looked up before the lock, for that is most of the work and commits wait for it; what
 * was written since is looked up again, the last of it under the lock. That look is best made ahead, by whoever has the
 * chunk before the run's thread: several chunks' at a time then wait for the disk. Its rows are composed behind the
 * lock.
 *
 * The difficulty is that rows are in before they count. Readers don't see them, for the import is open. Deciders
 * meet the run's keys as held by an open import from the moment they are decided, long before the entries are
 * in: the run is asked besides the store. What a crash leaves is found by the run's intent (run_priv.h). And
 * an entry that takes the place of an older one, of an aborted import that is not yet swept, must not get in
 * the way of the sweep's looking and erasing: such entries are written late, with the batch, under the lock.
 */
#include "store/run_priv.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"

#define ARENA_BLOCK_BYTES (256u << 10)
#define ARENA_LIMIT_BYTES (64u << 20)

static struct store_local_run *run_of(struct store_run *run)
{
    return (struct store_local_run *)(void *)run;
}

/* ---- the list of open runs; the commit lock is held ---- */

static bool import_open(const struct store_local_run *run)
{
    const struct store_unfinished *entry = store_unfinished_find(run->local->unfinished, &run->tenant, &run->import);
    return entry != NULL && entry->state == IMPORT_OPEN;
}

static void hold_slots(struct store_group *group, const struct store_local_run *run)
{
    for (size_t i = 0; i < group->slot_count; i++) {
        struct store_slot *slot = &group->slots[i];
        if (memcmp(slot->key, run->tenant.bytes, STORE_TENANT_BYTES) != 0) {
            continue;
        }
        const struct store_held_entry *entry = store_held_find(&run->held, slot->key + STORE_TENANT_BYTES);
        if (entry != NULL) {
            slot->held = true;
            slot->holder = (struct store_holder){.id = entry->id, .import = run->import};
            memcpy(slot->holder.fingerprint, entry->fingerprint, CRYPTO_MAC_BYTES);
        }
    }
}

void store_runs_look_up(struct store_group *group)
{
    for (const struct store_local_run *run = group->local->runs; run != NULL; run = run->next) {
        if (run->held.count > 0 && import_open(run)) {
            hold_slots(group, run);
        }
    }
}

bool store_runs_has(const struct store_local *local, const struct uuid *tenant, const struct uuid *import)
{
    const struct store_local_run *run = local->runs;
    while (run != NULL && !(uuid_equal(&run->import, import) && uuid_equal(&run->tenant, tenant))) {
        run = run->next;
    }
    return run != NULL;
}

static void unlink_run(struct store_local_run *run)
{
    struct store_local_run **at = &run->local->runs;
    while (*at != run) {
        at = &(*at)->next;
    }
    *at = run->next;
}

/* ---- the batch of the run's own kind ---- */

struct store_kv_batch {
    struct store_local_run *run;
};

static void lay_row(struct store_local_run *run, enum store_lane_place place, struct slice key, struct slice value)
{
    struct store_lane_row *row = &run->rows[run->row_count++];
    row->place = place;
    row->key = arena_copy(run->arena, key);
    /* Records stay where they are until the chunk is added; the rest is composed in passing. */
    row->value = place == STORE_LANE_BODY ? value : arena_copy(run->arena, value);
}

static void sort_out(struct store_kv_batch *batch, enum store_family family, struct slice key, struct slice value)
{
    struct store_local_run *run = batch->run;
    switch (family) {
    case STORE_FAMILY_BODY:
        lay_row(run, STORE_LANE_BODY, key, value);
        break;
    case STORE_FAMILY_SECRET:
        lay_row(run, STORE_LANE_SECRET, key, value);
        break;
    case STORE_FAMILY_PENDING:
        lay_row(run, STORE_LANE_PENDING, key, value);
        break;
    case STORE_FAMILY_UNIQUE: /* comes from the slots, which tell more */
        break;
    case STORE_FAMILY_PLAIN:
        buf_append_slice(&run->plain, slice_from(key, STORE_TENANT_BYTES));
        break;
    default:
        store_kv_put(run->local->kv, run->batch, family, key, value);
        run->batch_bytes += key.size + value.size;
    }
}

static void pass_erase(struct store_kv_batch *batch, enum store_family family, struct slice key)
{
    struct store_local_run *run = batch->run;
    store_kv_erase(run->local->kv, run->batch, family, key);
    run->batch_bytes += key.size;
}

static const struct store_kv_ops sorting = {.put = sort_out, .erase = pass_erase};

/* ---- adding a chunk ---- */

static int hold_taken(struct store_local_run *run, const struct store_group *group)
{
    int err = store_held_reserve(&run->held, group->slot_count);
    for (size_t i = 0; i < group->slot_count && err == 0; i++) {
        const struct store_slot *slot = &group->slots[i];
        if (slot->taken) {
            struct store_held_entry entry = {.late = slot->stored, .id = slot->holder.id};
            memcpy(entry.key, slot->key + STORE_TENANT_BYTES, sizeof entry.key);
            memcpy(entry.fingerprint, slot->holder.fingerprint, sizeof entry.fingerprint);
            store_held_add(&run->held, &entry);
        }
    }
    return err;
}

/* The chunk's rows, sorted out. */
static int take_rows(struct store_local_run *run, struct store_group *group)
{
    struct store_kv_batch batch = {.run = run};
    size_t kept = 0;
    run->row_count = 0;
    run->rows = arena_take(run->arena, STORE_LANE_COUNT * group->chunks[0].chunk->count * sizeof *run->rows);
    if (run->rows == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = store_group_compose(group, &batch, &batch, &kept);
    err = err == 0 ? buf_error(&run->plain) : err;
    return err == 0 ? arena_error(run->arena) : err;
}

/* A refused chunk that had to be whole: the import can't be committed any more. */
static int note_refused(struct store_local_run *run)
{
    struct store_local *local = run->local;
    const struct store_unfinished *was = store_unfinished_find(local->unfinished, &run->tenant, &run->import);
    assert(was != NULL);
    struct store_unfinished entry = *was;
    entry.refused = true;
    struct store_unfinished_set *next = store_unfinished_change(local->unfinished, &entry, 1);
    if (next == NULL) {
        return ERR_NO_MEMORY;
    }
    store_local_publish(local, next);
    return 0;
}

/* Keys that were looked up and not yet decided. */
struct store_ahead {
    struct store_group group;
    size_t count;   /* of the chunk's customers */
    uint64_t since; /* what is touched later is looked up again */
};

static int look_ahead(struct store_ahead *ahead, struct store_chunk *chunk)
{
    ahead->since = store_local_seen(ahead->group.local);
    ahead->count = chunk->count;
    return store_group_prepare_early(&ahead->group, &chunk, 1);
}

struct store_ahead *store_local_look_ahead(struct store *store, struct store_chunk *chunk, struct arena *arena,
                                           void (*pause)(void *context), void *context)
{
    struct store_ahead *ahead = arena_take(arena, sizeof *ahead);
    if (ahead == NULL) {
        return NULL;
    }
    ahead->group =
        (struct store_group){.local = store_local_of(store), .arena = arena, .pause = pause, .pause_context = context};
    return look_ahead(ahead, chunk) == 0 ? ahead : NULL;
}

/* Under the commit lock: decides, and holds the keys of what is created. */
static int decide(struct store_local_run *run, struct store_group *group, uint64_t since)
{
    struct store_chunk *chunk = group->chunks[0].chunk;
    int err = store_local_health(run->local);
    err = err == 0 ? store_group_prepare_late(group, since) : err;
    err = err == 0 ? store_group_decide(group) : err;
    if (err == 0 && chunk->kept) {
        err = hold_taken(run, group);
    } else if (err == 0 && chunk->error == 0) {
        err = note_refused(run);
    }
    return err;
}

static int add(struct store_local_run *run, struct store_chunk *chunk)
{
    struct store_kv kv = {.ops = &sorting};
    struct store_ahead ahead = {.group = {.local = run->local}};
    if (chunk->ahead != NULL) {
        ahead = *chunk->ahead;
        assert(ahead.group.chunks[0].chunk == chunk && ahead.count == chunk->count);
    }
    ahead.group.arena = run->arena;
    ahead.group.out = &kv;
    ahead.group.pause = NULL;
    int err = chunk->ahead == NULL ? look_ahead(&ahead, chunk) : store_group_look_again(&ahead.group, &ahead.since);
    if (err == 0) {
        pthread_mutex_lock(&run->local->commit_lock);
        err = decide(run, &ahead.group, ahead.since);
        store_local_unlock(run->local);
    }
    return err == 0 && chunk->kept ? take_rows(run, &ahead.group) : err;
}

static void note_customers(struct store_local_run *run, const struct store_chunk *chunk)
{
    for (size_t i = 0; i < chunk->count && !chunk->dry; i++) {
        if (chunk->outcomes[i].kind == STORE_CREATED) {
            assert(run->created == 0 || uuid_compare(&run->last, &chunk->outcomes[i].id) < 0);
            run->first = run->created == 0 ? chunk->outcomes[i].id : run->first;
            run->last = chunk->outcomes[i].id;
            run->created++;
        }
    }
    run->count += chunk->count;
}

/* A chunk that may change older customers is committed at once: what it writes is not new, so it can't come in
 * files. The rule is the import's, so the run has nothing else. */
static int commit_instead(struct store_local_run *run, struct store_chunk *chunk)
{
    struct store_local *local = run->local;
    assert(run->count == 0);
    pthread_mutex_lock(&local->commit_lock);
    unlink_run(run);
    store_local_unlock(local);
    int err = store_local_commit(&local->store, &chunk, 1);
    pthread_mutex_lock(&local->commit_lock);
    run->next = local->runs;
    local->runs = run;
    store_local_unlock(local);
    return err;
}

int store_local_run_add(struct store_run *of, struct store_chunk *chunk)
{
    struct store_local_run *run = run_of(of);
    chunk->kept = false;
    chunk->error = 0;
    int err = run->error;
    if (err == 0 && chunk->on_existing == IMPORT_EXISTING_UPDATE) {
        return commit_instead(run, chunk);
    }
    err = err == 0 ? add(run, chunk) : err;
    if (err == 0 && chunk->kept) {
        note_customers(run, chunk);
        err = store_run_write_rows(run);
    }
    if (err != 0) {
        run->error = err;
        chunk->kept = false;
        chunk->error = err;
    }
    arena_rewind(run->arena);
    return err;
}

size_t store_local_run_bytes(const struct store_run *of)
{
    const struct store_local_run *run = (const struct store_local_run *)(const void *)of;
    return store_held_bytes(&run->held) + run->plain.capacity + 2 * run->batch_bytes + arena_held_bytes(run->arena);
}

size_t store_local_run_count(const struct store_run *of)
{
    return ((const struct store_local_run *)(const void *)of)->count;
}

/* ---- the end of a run ---- */

static void free_run(struct store_local_run *run)
{
    store_run_drop_files(run);
    store_kv_batch_free(run->local->kv, &run->batch);
    store_held_fini(&run->held);
    buf_fini(&run->plain);
    arena_free(&run->arena);
    free(run);
}

/* Its keys are free from here on, or the store's. */
void store_local_run_cancel(struct store_run **of)
{
    struct store_local_run *run = run_of(*of);
    *of = NULL;
    pthread_mutex_lock(&run->local->commit_lock);
    unlink_run(run);
    store_local_unlock(run->local);
    free_run(run);
}

/* Its entries are there, and the run is not asked any more. */
static void touch_held(const struct store_local_run *run)
{
    uint8_t key[STORE_UNIQUE_BYTES];
    memcpy(key, run->tenant.bytes, STORE_TENANT_BYTES);
    for (size_t i = 0; i < run->held.count; i++) {
        memcpy(key + STORE_TENANT_BYTES, run->held.entries[i].key, STORE_HELD_KEY_BYTES);
        store_local_touch(run->local, key);
    }
}

static void put_late(struct store_local_run *run)
{
    for (size_t i = 0; i < run->held.count; i++) {
        const struct store_held_entry *entry = &run->held.entries[i];
        if (entry->late) {
            uint8_t key[STORE_UNIQUE_BYTES];
            uint8_t value[STORE_HOLDER_BYTES];
            struct store_holder holder = {.id = entry->id, .import = run->import};
            memcpy(key, run->tenant.bytes, STORE_TENANT_BYTES);
            memcpy(key + STORE_TENANT_BYTES, entry->key, sizeof entry->key);
            memcpy(holder.fingerprint, entry->fingerprint, sizeof holder.fingerprint);
            store_kv_put(run->local->kv, run->batch, STORE_FAMILY_UNIQUE, slice_make(key, sizeof key),
                         store_rows_holder_write(value, &holder));
        }
    }
}

/* Writes what makes the run count; the set then says that the import has outcomes. The commit lock is held. */
static int make_count(struct store_local_run *run)
{
    struct store_local *local = run->local;
    uint8_t key[STORE_ROW_KEY_BYTES];
    const struct store_unfinished *was = store_unfinished_find(local->unfinished, &run->tenant, &run->import);
    if (was == NULL || was->state != IMPORT_OPEN) {
        return ERR_IMPORT_ENDED;
    }
    struct store_unfinished entry = *was;
    entry.wrote = true;
    entry.touched_ms = clock_real_ms();
    struct store_unfinished_set *next = store_unfinished_change(local->unfinished, &entry, 1);
    if (next == NULL) {
        return ERR_NO_MEMORY;
    }
    put_late(run);
    if (run->created > 0) {
        store_kv_erase(local->kv, run->batch, STORE_FAMILY_RUN, store_run_intent_key(key, run));
    }
    int err = store_local_write(local, run->batch, true);
    if (err == 0) {
        store_local_publish(local, next);
        return 0;
    }
    store_unfinished_release(&next);
    return err;
}

/* run_lock is held shared: who looks at everything waits until rows that are in also count, or are gone. */
static int finish(struct store_local_run *run)
{
    struct store_local *local = run->local;
    bool began = false;
    int err = run->created > 0 ? store_run_take_in(run, &began) : 0;
    pthread_mutex_lock(&local->commit_lock);
    err = err == 0 ? make_count(run) : err;
    if (err != 0 && began) {
        pthread_mutex_lock(&local->secret_lock);
        int left = store_runs_recover_one(local, &run->tenant, &run->import);
        pthread_mutex_unlock(&local->secret_lock);
        if (left != 0) {
            /* The intent stays: it is done when the store is opened, or goes on; not before may it go on. */
            err = store_local_failed(local, left == ERR_NO_MEMORY ? ERR_STORAGE_IO : left);
        }
    }
    touch_held(run);
    unlink_run(run);
    store_local_unlock(local);
    return err;
}

int store_local_run_finish(struct store_run **of)
{
    struct store_local_run *run = run_of(*of);
    struct store_local *local = run->local;
    *of = NULL;
    int err = run->error;
    if (err == 0 && run->count > 0) {
        pthread_rwlock_rdlock(&local->run_lock);
        err = finish(run);
        pthread_rwlock_unlock(&local->run_lock);
    } else {
        pthread_mutex_lock(&local->commit_lock);
        unlink_run(run);
        store_local_unlock(local);
    }
    free_run(run);
    return err;
}

/* ---- its beginning ---- */

static const enum store_family lane_families[STORE_LANE_COUNT] = {
    [STORE_LANE_BODY] = STORE_FAMILY_BODY,
    [STORE_LANE_SECRET] = STORE_FAMILY_SECRET,
    [STORE_LANE_PENDING] = STORE_FAMILY_PENDING,
};

static int link_run(struct store_local_run *run)
{
    struct store_local *local = run->local;
    pthread_mutex_lock(&local->commit_lock);
    int err = store_local_health(local);
    if (err == 0 && !import_open(run)) {
        err = ERR_IMPORT_ENDED;
    }
    if (err == 0) {
        run->next = local->runs;
        local->runs = run;
    }
    store_local_unlock(local);
    return err;
}

int store_local_run_open(struct store *store, const struct uuid *tenant, const struct uuid *import,
                         struct store_run **out)
{
    struct store_local_run *run = calloc(1, sizeof *run);
    *out = NULL;
    if (run == NULL) {
        return ERR_NO_MEMORY;
    }
    run->run.store = store;
    run->local = store_local_of(store);
    run->tenant = *tenant;
    run->import = *import;
    for (size_t i = 0; i < STORE_LANE_COUNT; i++) {
        run->lanes[i].family = lane_families[i];
    }
    buf_init(&run->plain, 0);
    run->arena = arena_new(ARENA_BLOCK_BYTES, ARENA_LIMIT_BYTES);
    run->batch = store_kv_batch_new(run->local->kv);
    int err = run->arena != NULL && run->batch != NULL ? link_run(run) : ERR_NO_MEMORY;
    if (err != 0) {
        free_run(run);
        return err;
    }
    *out = &run->run;
    return 0;
}
