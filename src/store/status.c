/*
 * What a store is, told without taking part in it: beside running servers, and without changing anything. The
 * difficulty is not to mistake what can't be seen: rows of large families are estimated, and say so.
 */
#include <stdio.h>

#include "store/copy_priv.h"
#include "store/postgres_priv.h"
#include "store/rocks_priv.h"

#define COUNT_BOUND 100000u

/* RocksDB's own estimate is far off for small families, so these are counted. */
static int count_rocks(struct store_kv *kv, enum store_family family, struct store_status_family *row)
{
    struct store_copy_walk walk = {0};
    struct slice key, value;
    *row = (struct store_status_family){.name = store_family_names[family]};
    int err = store_copy_walk_open(&walk, kv, family);
    while (err == 0 && row->rows < COUNT_BOUND && store_kv_walk_at(kv, walk.walk, &key, &value)) {
        row->rows++;
        store_kv_walk_step(kv, walk.walk);
    }
    int broken = store_copy_walk_close(&walk);
    if (row->rows == COUNT_BOUND) {
        uint64_t about = store_rocks_estimate(kv, family);
        row->sure = about > row->rows ? STORE_ROWS_ABOUT : STORE_ROWS_AT_LEAST;
        row->rows = about > row->rows ? about : row->rows;
    }
    return err == 0 ? broken : err;
}

static int read_rocks(struct store_kv *kv, struct store_status *status, struct buf *why)
{
    store_kv_describe(kv, &status->facts);
    int err = store_format_check(kv, why);
    status->facts.schema = err == 0 ? STORE_FORMAT_VERSION : 0;
    err = err == 0 ? store_format_is_copy(kv, &status->half_copy) : err;
    for (enum store_family family = STORE_FAMILY_FORMAT + 1; family < STORE_FAMILY_COUNT && err == 0; family++) {
        err = count_rocks(kv, family, &status->families[status->family_count++]);
    }
    return err;
}

static int look_rocks(const char *path, struct store_status *status, struct buf *why)
{
    struct store_kv *kv = NULL;
    if (!store_copy_holds_store(path)) {
        return store_copy_refuse(path, "holds no store", why);
    }
    int err = store_kv_rocks_look(path, &kv, why);
    err = err == 0 ? read_rocks(kv, status, why) : err;
    store_kv_close(&kv);
    status->schema_wanted = STORE_FORMAT_VERSION;
    return err;
}

int store_status(const char *location, struct store_status *status, struct buf *why)
{
    *status = (struct store_status){0};
    int err = store_location_check(location, why);
    if (err != 0) {
        return err;
    }
    err = store_is_shared(location) ? store_pg_status(location, status, why) : look_rocks(location, status, why);
    if (err != 0 && why->size == 0) {
        buf_append_text(why, err_text(err));
    }
    return err;
}

/* RocksDB has one layout, which opening makes; there is nothing to bring up. */
int store_migrate(const char *location, unsigned *from, unsigned *to, struct buf *why)
{
    struct store_status status = {0};
    int err = store_location_check(location, why);
    if (err != 0) {
        return err;
    }
    err =
        store_is_shared(location) ? store_pg_migrate_at(location, from, to, why) : store_status(location, &status, why);
    if (err == 0 && !store_is_shared(location)) {
        *from = status.facts.schema;
        *to = status.facts.schema;
    }
    if (err != 0 && why->size == 0) {
        buf_append_text(why, err_text(err));
    }
    return err;
}
