/*
 * store_commit: prepare, decide, compose, stage, write, publish. One batch and one sync a group; the
 * batch holds every row of every kept chunk (S2), and nothing is answered before it is synced (S1).
 *
 * The difficulty is the order of writing and publishing, see the rule at the top of local.c: imports
 * that are unfinished after the group enter the set before the write, those that are finished leave
 * it behind the write. Both sets are made before, so that nothing can fail once it is written.
 */
#include "base/clock.h"
#include "store/group_priv.h"

/* ---- the unfinished marks ---- */

/* When it was last gone on with: to a second, so that not every group makes a set of its own. */
static int64_t touched_ms(const struct store_group *group, const struct store_member *member)
{
    bool lately = member->was.state != 0 && group->now_ms - member->was.touched_ms < 1000;
    return lately ? member->was.touched_ms : group->now_ms;
}

/* The member's entry in the set as the group leaves it; state 0: none. */
static struct store_unfinished entry_after(const struct store_group *group, const struct store_member *member)
{
    struct store_unfinished entry = member->was;
    if (member->now == member->before && (member->now != IMPORT_OPEN || member->was.foreign)) {
        return entry; /* only its report is written again; or another node is at it, and nothing was let in */
    }
    entry = (struct store_unfinished){.tenant = member->tenant,
                                      .import = member->import,
                                      .wrote = member->wrote,
                                      .refused = member->refused,
                                      .revises = member->revises,
                                      .claimed = member->claimed && member->now == IMPORT_OPEN};
    if (member->now == IMPORT_OPEN) {
        entry.state = IMPORT_OPEN;
        entry.touched_ms = touched_ms(group, member);
        entry.owner = group->local->node;
    } else if ((member->now == IMPORT_ABORTED && member->wrote) ||
               (member->now == IMPORT_COMMITTED && member->revises)) {
        entry.state = member->now;
    }
    if (entry.claimed) {
        memcpy(entry.mac, member->mac, sizeof entry.mac);
    }
    return entry;
}

static bool mark_same(const struct store_unfinished *a, const struct store_unfinished *b)
{
    return a->state == b->state && (a->state == 0 || (a->revises == b->revises && a->claimed == b->claimed &&
                                                      memcmp(a->mac, b->mac, sizeof a->mac) == 0));
}

static bool entry_same(const struct store_unfinished *a, const struct store_unfinished *b)
{
    return mark_same(a, b) && (a->state == 0 || (a->wrote == b->wrote && a->refused == b->refused &&
                                                 a->touched_ms == b->touched_ms && uuid_equal(&a->owner, &b->owner)));
}

/* How many that are. Among many nodes the mark tells all that the set knows. */
static size_t put_marks(const struct store_group *group)
{
    size_t count = 0;
    for (size_t i = 0; i < group->member_count; i++) {
        const struct store_unfinished *was = &group->members[i].was;
        struct store_unfinished entry = entry_after(group, &group->members[i]);
        if (group->local->shared ? !entry_same(&entry, was) : !mark_same(&entry, was)) {
            store_local_put_mark(group->local, group->local->batch, &entry);
            count++;
        }
    }
    return count;
}

/* What the group relies on and does not write: that its imports are open still, and that those whose customers
 * it updates are not undone meanwhile. */
static void lock_rows(const struct store_group *group)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct store_kv *kv = group->local->kv;
    for (size_t i = 0; i < group->member_count; i++) {
        const struct store_member *member = &group->members[i];
        if (member->was.state == IMPORT_OPEN) {
            store_kv_lock(kv, STORE_FAMILY_UNFINISHED, store_rows_pair_key(key, &member->tenant, &member->import),
                          false);
        }
    }
    for (const struct store_update *update = group->updates; update != NULL; update = update->next) {
        const struct store_chunk *chunk = update->at->chunk;
        if (chunk->kept && !chunk->dry && !uuid_equal(&update->import, &chunk->import)) {
            store_kv_lock(kv, STORE_FAMILY_IMPORT, store_rows_pair_key(key, &chunk->tenant, &update->import), true);
        }
    }
}

/* ---- the set before and after the write ---- */

struct stages {
    struct store_unfinished_set *before; /* NULL: no change */
    struct store_unfinished_set *after;
};

/* Imports that begin in this group come first (U1), whatever state it leaves them in: one that it commits is in the
 * set because it updates, and its rows are there all at once. */
static int stage(struct store_group *group, struct stages *stages)
{
    struct store_local *local = group->local;
    struct store_unfinished *before = arena_take(local->arena, group->member_count * sizeof *before);
    struct store_unfinished *after = arena_take(local->arena, group->member_count * sizeof *after);
    size_t before_count = 0;
    size_t after_count = 0;
    if (before == NULL || after == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < group->member_count; i++) {
        const struct store_member *member = &group->members[i];
        struct store_unfinished entry = entry_after(group, member);
        if (entry_same(&entry, &member->was)) {
            continue;
        }
        if (member->before == 0) {
            before[before_count++] = entry;
        } else {
            after[after_count++] = entry;
        }
    }
    const struct store_unfinished_set *from = local->unfinished;
    if (before_count > 0) {
        stages->before = store_unfinished_change(from, before, before_count);
        from = stages->before;
    }
    if (from != NULL && after_count > 0) {
        stages->after = store_unfinished_change(from, after, after_count);
    }
    bool whole = (before_count == 0 || stages->before != NULL) && (after_count == 0 || stages->after != NULL);
    return whole ? 0 : ERR_NO_MEMORY;
}

static void publish(struct store_local *local, struct store_unfinished_set **set)
{
    if (*set != NULL) {
        store_local_publish(local, *set);
        *set = NULL;
    }
}

/* ---- the group ---- */

static int write_group(struct store_local *local, struct store_kv_batch *index, size_t kept)
{
    if (kept == 0) {
        return 0;
    }
    int err = store_local_write(local, local->batch, true);
    if (err == 0 && index != local->batch) {
        err = store_local_write(local, index, false);
    }
    return err;
}

static int compose_and_write(struct store_group *group, struct store_kv_batch *index)
{
    struct store_local *local = group->local;
    struct stages stages = {0};
    size_t kept = 0;
    int err = store_group_compose(group, local->batch, index, &kept);
    size_t marks = put_marks(group);
    kept += local->shared ? marks : 0; /* that an import was refused is told to all */
    lock_rows(group);
    err = err == 0 ? stage(group, &stages) : err;
    if (err == 0) {
        publish(local, &stages.before);
        err = write_group(local, index, kept);
    }
    if (err == 0) {
        publish(local, &stages.after);
    }
    store_unfinished_release(&stages.before);
    store_unfinished_release(&stages.after);
    return err;
}

/* What a commit that looked for nothing decided stands only if what it writes can be written. So whatever it would
 * not write, or would tell of a key's holder beside its own, is in doubt. */
static bool is_doubtful(struct store_chunk *const *chunks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!chunks[i]->kept) {
            return true;
        }
        for (size_t j = 0; j < chunks[i]->count; j++) {
            uint8_t kind = chunks[i]->outcomes[j].kind;
            if (kind == STORE_CONFLICT || kind == STORE_BUSY || kind == STORE_SKIPPED || kind == STORE_UPDATED) {
                return true;
            }
        }
    }
    return false;
}

static int run(struct store_group *group, struct store_chunk *const *chunks, size_t count)
{
    struct store_local *local = group->local;
    int err = store_group_prepare(group, chunks, count);
    err = err == 0 ? store_group_decide(group) : err;
    store_group_close(group);
    local->doubtful = err == 0 && local->blind && is_doubtful(chunks, count);
    err = local->doubtful ? ERR_OVERLOADED : err;
    if (err != 0) {
        return err;
    }
    struct store_kv_batch *index = local->batch;
#ifdef MUSTER_PLANT_INDEX_OUTSIDE
    /* A planted defect, for the crash tests to find: index entries in an unsynced batch of their own
     * break S2. Never defined in a program that is installed. */
    index = store_kv_batch_new(local->kv);
#endif
    err = compose_and_write(group, index);
#ifdef MUSTER_PLANT_INDEX_OUTSIDE
    store_kv_batch_free(local->kv, &index);
#endif
    store_kv_batch_clear(local->kv, local->batch);
    return err;
}

/* None of the group survived: what the callers were told so far is taken back. */
static void take_back(struct store_group *group, struct store_chunk *const *chunks, size_t count, int err)
{
    for (size_t i = 0; i < count; i++) {
        chunks[i]->kept = false;
        chunks[i]->error = err;
    }
    store_group_uncount(group);
}

int store_local_commit(struct store *store, struct store_chunk *const *chunks, size_t count)
{
    struct store_local *local = store_local_of(store);
    struct store_group group = {.local = local, .arena = local->arena, .now_ms = clock_real_ms()};
    for (size_t i = 0; i < count; i++) {
        chunks[i]->kept = false;
        chunks[i]->error = 0;
    }
    pthread_mutex_lock(&local->commit_lock);
    local->met = false;
    int err = store_local_health(local);
    if (err == 0) {
        err = run(&group, chunks, count);
    }
    if (err != 0) {
        take_back(&group, chunks, count, err);
    }
    arena_rewind(local->arena);
    store_local_unlock(local);
    return err;
}
