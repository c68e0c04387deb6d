/*
 * A family of the target is made the same as the source's: both are walked in order of key, what the target lacks is
 * put, what differs is put over, what only the target has is erased. The difficulty of a copy is to go on after
 * breaking off; here there is nothing to remember. Whatever the target holds, the walk ends with the source's rows in
 * it, and over what was copied before it passes with reads alone.
 *
 * The target is walked in a view from before the first write, so that its own writes don't come its way.
 */
#include "store/copy_priv.h"

#define BATCH_ROWS  1000u
#define BATCH_BYTES (1u << 20)
#define TELL_ROWS   10000u /* passed over between two words of progress */

struct merge {
    struct store_copy *copy;
    enum store_family family;
    struct store_copy_walk from;
    struct store_copy_walk to;
    struct store_kv_batch *batch;
    size_t rows; /* in the batch */
    size_t bytes;
};

int store_copy_walk_open(struct store_copy_walk *walk, struct store_kv *kv, enum store_family family)
{
    walk->kv = kv;
    walk->view = store_kv_view_open(kv);
    walk->walk = walk->view == NULL ? NULL : store_kv_walk_open(kv, walk->view, family, SLICE(""));
    if (walk->walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(kv, walk->walk, SLICE(""), false);
    return 0;
}

int store_copy_walk_close(struct store_copy_walk *walk)
{
    int err = walk->walk == NULL ? 0 : store_kv_walk_close(walk->kv, &walk->walk);
    if (walk->view != NULL) {
        store_kv_view_close(walk->kv, &walk->view);
    }
    return err;
}

static int flush(struct merge *merge)
{
    struct store_copy *copy = merge->copy;
    if (merge->rows == 0) {
        return 0;
    }
    /* Not synced: of what a crash leaves, the next run sees what is missing. The end syncs all of it. */
    int err = store_kv_write(copy->to, merge->batch, false);
    store_kv_batch_clear(copy->to, merge->batch);
    copy->written += err == 0 ? merge->rows : 0;
    merge->rows = 0;
    merge->bytes = 0;
    return err == 0 ? store_copy_tell(copy) : err;
}

static int changed(struct merge *merge, size_t bytes)
{
    size_t rows = merge->copy->options->batch_rows > 0 ? merge->copy->options->batch_rows : BATCH_ROWS;
    merge->rows++;
    merge->bytes += bytes;
    return merge->rows >= rows || merge->bytes >= BATCH_BYTES ? flush(merge) : 0;
}

/* Behind the end of a side every key of the other comes first. */
static int compare(bool has_from, struct slice from, bool has_to, struct slice to)
{
    if (has_from && has_to) {
        return slice_compare(from, to);
    }
    return has_from ? -1 : 1;
}

/* One row of either side, or the same row of both. *end: there are none left. */
static int step(struct merge *merge, bool *end)
{
    struct store_copy *copy = merge->copy;
    struct slice from_key, from_value, to_key, to_value;
    bool has_from = store_kv_walk_at(copy->from, merge->from.walk, &from_key, &from_value);
    bool has_to = store_kv_walk_at(copy->to, merge->to.walk, &to_key, &to_value);
    *end = !has_from && !has_to;
    if (*end) {
        return 0;
    }
    int order = compare(has_from, from_key, has_to, to_key);
    int err = 0;
    if (order > 0) {
        store_kv_erase(copy->to, merge->batch, merge->family, to_key);
        err = changed(merge, to_key.size);
    } else if (order < 0 || !slice_equal(from_value, to_value)) {
        store_kv_put(copy->to, merge->batch, merge->family, from_key, from_value);
        err = changed(merge, from_key.size + from_value.size);
    }
    if (order <= 0) {
        store_kv_walk_step(copy->from, merge->from.walk);
        copy->progress.rows++;
    }
    if (order >= 0) {
        store_kv_walk_step(copy->to, merge->to.walk);
    }
    return err == 0 && order == 0 && copy->progress.rows % TELL_ROWS == 0 ? store_copy_tell(copy) : err;
}

/* A walk that broke off looks like one that is at its end. What is erased by that is copied again by the next run, for
 * closing the walk tells, and the copy is not whole then. */
static int merge_all(struct merge *merge)
{
    bool end = false;
    int err = 0;
    while (err == 0 && !end) {
        err = step(merge, &end);
    }
    return err;
}

int store_copy_merge(struct store_copy *copy, enum store_family family)
{
    struct merge merge = {.copy = copy, .family = family};
    copy->progress = (struct store_copy_progress){.family = store_family_names[family]};
    merge.batch = store_kv_batch_new(copy->to);
    int err = merge.batch == NULL ? ERR_NO_MEMORY : store_copy_walk_open(&merge.from, copy->from, family);
    err = err == 0 ? store_copy_walk_open(&merge.to, copy->to, family) : err;
    err = err == 0 ? merge_all(&merge) : err;
    int from_broken = store_copy_walk_close(&merge.from);
    int to_broken = store_copy_walk_close(&merge.to);
    err = err != 0 ? err : from_broken != 0 ? from_broken : to_broken;
    err = err == 0 ? flush(&merge) : err;
    store_kv_batch_free(copy->to, &merge.batch);
    return err;
}
