/*
 * A store copied into another, of the same kind or another: its rows, sealed as they are, family by family.
 *
 * C1  The target is marked before its first row is written, and the mark goes, synced, only after every family of both
 *     was read whole and was the same. A marked store opens for nobody but the next copy.
 * C2  A copy may break off anywhere; the next one makes the target the same as the source is then, whatever it holds
 *     (copy_merge.c).
 * C3  A target that has rows and no mark is somebody's registry, and is left alone.
 * C4  The source is compared as it is after the last row was written. What changed meanwhile shows as a difference. A
 *     server that started on a database and has changed nothing yet shows by its name.
 */
#include "store/copy_priv.h"

int store_copy_tell(struct store_copy *copy)
{
    copy->progress.written = copy->written;
    return copy->options->tell == NULL ? 0 : copy->options->tell(copy->options->context, &copy->progress);
}

/* ---- the target ---- */

static int has_rows(struct store_kv *kv, enum store_family family, bool *has)
{
    struct store_copy_walk walk = {0};
    struct slice key, value;
    int err = store_copy_walk_open(&walk, kv, family);
    *has = err == 0 && store_kv_walk_at(kv, walk.walk, &key, &value);
    int broken = store_copy_walk_close(&walk);
    return err == 0 ? broken : err;
}

static int check_empty(struct store_kv *kv, struct buf *why)
{
    for (enum store_family family = STORE_FAMILY_FORMAT + 1; family < STORE_FAMILY_COUNT; family++) {
        bool has = false;
        int err = has_rows(kv, family, &has);
        if (err == 0 && has) {
            buf_printf(why,
                       "the target is a store in use, or a copy that was whole already: it has rows of the family %s; "
                       "copy into an empty one",
                       store_family_names[family]);
            err = ERR_EXISTS;
        }
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

/* Version and mark, together and synced; `whole`: the mark goes. */
static int write_mark(struct store_kv *kv, bool whole)
{
    struct store_kv_batch *batch = store_kv_batch_new(kv);
    if (batch == NULL) {
        return ERR_NO_MEMORY;
    }
    store_format_put(kv, batch);
    if (whole) {
        store_format_erase_copy(kv, batch);
    } else {
        store_format_put_copy(kv, batch);
    }
    int err = store_kv_write(kv, batch, true);
    store_kv_batch_free(kv, &batch);
    return err;
}

/* C1, C3 */
static int begin(struct store_kv *kv, bool *again, struct buf *why)
{
    int err = store_format_check(kv, why);
    if (err != 0 && err != ERR_NOT_FOUND) {
        return err;
    }
    err = store_format_is_copy(kv, again);
    if (err == 0 && !*again) {
        err = check_empty(kv, why);
        err = err == 0 ? write_mark(kv, false) : err;
    }
    return err;
}

/* ---- the steps ---- */

static int merge_all(struct store_copy *copy)
{
    int err = 0;
    for (enum store_family family = STORE_FAMILY_FORMAT + 1; family < STORE_FAMILY_COUNT && err == 0; family++) {
        err = store_copy_merge(copy, family);
    }
    return err;
}

static bool is_same(const struct store_copy_count *a, const struct store_copy_count *b)
{
    return a->rows == b->rows && a->bytes == b->bytes && memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

/* C4 */
static int compare_all(struct store_copy *copy, struct store_copy_result *result)
{
    result->same = true;
    for (enum store_family family = STORE_FAMILY_FORMAT + 1; family < STORE_FAMILY_COUNT; family++) {
        struct store_copy_family *row = &result->families[result->count];
        row->name = store_family_names[family];
        int err = store_copy_count(copy, copy->from, family, &row->from);
        err = err == 0 ? store_copy_count(copy, copy->to, family, &row->to) : err;
        if (err != 0) {
            return err;
        }
        result->same = result->same && is_same(&row->from, &row->to);
        result->count++;
    }
    return 0;
}

int store_copy_run(struct store_copy *copy, struct store_copy_result *result, struct buf *why)
{
    int err = begin(copy->to, &result->again, why);
    err = err == 0 ? merge_all(copy) : err;
    err = err == 0 ? compare_all(copy, result) : err;
    result->written = copy->written;
    if (err == 0 && !result->same) {
        buf_append_text(why, "the two stores differ: did something else write to one of them?");
        return ERR_IMPORT_CHANGED;
    }
    if (err == 0 && copy->source != NULL) {
        err = store_copy_check(copy->source, why);
    }
    return err == 0 ? write_mark(copy->to, true) : err;
}

int store_copy(const char *from, const char *to, const struct store_copy_options *options,
               struct store_copy_result *result, struct buf *why)
{
    struct store_copy_side source = {0};
    struct store_copy_side target = {0};
    *result = (struct store_copy_result){0};
    int err = store_location_check(from, why);
    err = err == 0 ? store_location_check(to, why) : err;
    err = err == 0 ? store_copy_open_from(from, &source, why) : err;
    err = err == 0 ? store_copy_open_to(to, &target, why) : err;
    if (err == 0) {
        struct store_copy copy = {.options = options, .source = &source, .from = source.kv, .to = target.kv};
        err = store_copy_run(&copy, result, why);
    }
    store_copy_close(&target);
    store_copy_close(&source);
    if (err != 0 && why->size == 0) {
        buf_append_text(why, err_text(err));
    }
    return err;
}
