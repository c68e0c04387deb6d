/*
 * The key-value interface for whoever has a database to himself: a copy, with every server stopped. Each write is a
 * transaction of its own, and each view another, so there are two connections: what is walked does not see what is
 * written meanwhile, as a view promises.
 *
 * The difficulty is to have it to oneself: servers are known by their rows in muster_node, and one that is alive is a
 * reason to go no further. It is asked at the beginning, and again before a copy counts as whole.
 *
 * A connection that breaks is not made anew: a copy is run again, and goes on.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "store/copy_priv.h"
#include "store/postgres_priv.h"

#define CONNECT_NS 20000000000
#define IDLE_ALONE "1h"           /* the other side may take its time */
#define WRITE_NS   120000000000   /* a batch, however busy the server is */
#define VIEW_NS    86400000000000 /* a family is walked in one view */
#define TRIES      5

struct alone {
    struct store_kv kv;
    struct store_kv_ops ops;
    struct store_pg_kv *reader;
    struct store_pg_kv *writer;
    struct store_kv_batch *again; /* what is being written, for another try */
    bool viewed;
};

static struct alone *alone_of(struct store_kv *kv)
{
    return (struct alone *)(void *)kv;
}

static void begin(struct store_pg_kv *pg, enum store_pg_access access, int64_t patience_ns)
{
    static const struct uuid nobody;
    struct store_unfinished_set *set = NULL;
    struct store_pg_begin how = {.access = access, .node = &nobody};
    pg->link.deadline_ns = clock_monotonic_ns() + patience_ns;
    store_pg_begin(pg, &how, &set);
    if (set != NULL) {
        store_unfinished_release(&set);
    }
}

/* ---- reading ---- */

/* Never NULL: a connection that is broken shows in what is read. */
static struct store_kv_view *alone_view_open(struct store_kv *kv)
{
    struct alone *alone = alone_of(kv);
    begin(alone->reader, PG_READ, VIEW_NS);
    alone->viewed = true;
    return store_kv_view_open(&alone->reader->kv);
}

static void alone_view_close(struct store_kv *kv, struct store_kv_view *view)
{
    struct alone *alone = alone_of(kv);
    store_kv_view_close(&alone->reader->kv, &view);
    alone->viewed = false;
    store_pg_rollback(alone->reader);
}

static struct store_kv_walk *alone_walk_open(struct store_kv *kv, struct store_kv_view *view, enum store_family family,
                                             struct slice prefix)
{
    return store_kv_walk_open(&alone_of(kv)->reader->kv, view, family, prefix);
}

static int alone_get(struct store_kv *kv, struct store_kv_view *view, enum store_family family, struct slice key,
                     struct buf *value)
{
    struct alone *alone = alone_of(kv);
    if (!alone->viewed) {
        begin(alone->reader, PG_SINGLE, WRITE_NS);
    }
    return store_kv_get(&alone->reader->kv, view, family, key, value);
}

/* ---- writing ---- */

static int write_once(struct alone *alone, struct store_kv_batch *batch)
{
    struct store_pg_kv *pg = alone->writer;
    store_kv_batch_clear(&pg->kv, alone->again);
    for (size_t i = 0; i < batch->count; i++) {
        const struct store_pg_row *row = &batch->rows[i];
        struct slice key = slice_make(batch->bytes.data + row->at, row->key_size);
        if (row->erased) {
            store_kv_erase(&pg->kv, alone->again, row->family, key);
        } else {
            struct slice value = slice_make(key.data + key.size, row->value_size);
            store_kv_put(&pg->kv, alone->again, row->family, key, value);
        }
    }
    begin(pg, PG_WRITE, WRITE_NS);
    int err = store_kv_write(&pg->kv, alone->again, true);
    if (err == 0) {
        store_pg_commit(pg);
        err = pg->link.trouble == TROUBLE_NONE ? 0 : pg->link.error;
        err = err == 0 && pg->link.warned ? ERR_OUTCOME_UNKNOWN : err;
    }
    return err;
}

/* Rows are new nearly always, and come by COPY then; when one was there after all, they are put one by one. */
static int alone_write(struct store_kv *kv, struct store_kv_batch *batch, bool sync)
{
    struct alone *alone = alone_of(kv);
    (void)sync;
    alone->writer->fresh = ~0u;
    int err = batch->error;
    for (int i = 0; i < TRIES && batch->error == 0; i++) {
        err = write_once(alone, batch);
        if (alone->writer->link.trouble != TROUBLE_AGAIN) {
            break;
        }
        store_pg_rollback(alone->writer);
        alone->writer->fresh = 0;
    }
    return err;
}

/* ---- opening and closing ---- */

static void alone_close(struct store_kv *kv)
{
    struct alone *alone = alone_of(kv);
    struct store_pg_kv *both[] = {alone->reader, alone->writer};
    if (alone->again != NULL) {
        store_kv_batch_free(&alone->writer->kv, &alone->again);
    }
    for (size_t i = 0; i < 2; i++) {
        struct store_kv *one = both[i] == NULL ? NULL : &both[i]->kv;
        store_kv_close(&one);
    }
    free(alone);
}

static int connect_one(const char *conninfo, const struct store_pg_engine *engine, struct store_pg_kv **out,
                       struct buf *why)
{
    struct store_kv *kv = NULL;
    int err = store_kv_postgres_new(&kv);
    if (err != 0) {
        return err;
    }
    struct store_pg_kv *pg = store_pg_kv_of(kv);
    *out = pg;
    crypto_random(pg->lane, sizeof pg->lane);
    store_pg_settings(engine, false, IDLE_ALONE, pg);
    pg->link.deadline_ns = clock_monotonic_ns() + CONNECT_NS;
    return store_link_open(&pg->link, conninfo, why);
}

static int connect_both(struct alone *alone, const char *conninfo, const struct store_pg_engine *engine,
                        struct buf *why)
{
    int err = connect_one(conninfo, engine, &alone->reader, why);
    err = err == 0 ? connect_one(conninfo, engine, &alone->writer, why) : err;
    if (err == 0) {
        alone->again = store_kv_batch_new(&alone->writer->kv);
        err = alone->again == NULL ? ERR_NO_MEMORY : 0;
    }
    return err;
}

static struct alone *make(void)
{
    struct alone *alone = calloc(1, sizeof *alone);
    struct store_kv *model = NULL;
    if (alone == NULL || store_kv_postgres_new(&model) != 0) {
        free(alone);
        return NULL;
    }
    const struct store_kv_ops *own = model->ops;
    alone->ops = (struct store_kv_ops){
        .close = alone_close,
        .view_open = alone_view_open,
        .view_close = alone_view_close,
        .get = alone_get,
        .walk_open = alone_walk_open,
        .walk_seek = own->walk_seek,
        .walk_step = own->walk_step,
        .walk_at = own->walk_at,
        .walk_close = own->walk_close,
        .batch_new = own->batch_new,
        .batch_free = own->batch_free,
        .batch_clear = own->batch_clear,
        .put = own->put,
        .erase = own->erase,
        .write = alone_write,
    };
    alone->kv.ops = &alone->ops;
    store_kv_close(&model);
    return alone;
}

/* Servers that are alive by the database's clock. */
static int check_nodes(struct store_link *link, struct buf *why)
{
    unsigned alive = store_pg_nodes(link, NULL, 0);
    if (link->trouble != TROUBLE_NONE) {
        return link->error;
    }
    if (alive > 0) {
        buf_printf(why, "%u server%s this database open: stop %s first (one that was killed counts as gone after 15 s)",
                   alive, alive == 1 ? " has" : "s have", alive == 1 ? "it" : "them");
        return ERR_BUSY;
    }
    return 0;
}

int store_pg_check_alone(struct store_kv *kv, struct buf *why)
{
    struct alone *alone = alone_of(kv);
    alone->writer->link.deadline_ns = clock_monotonic_ns() + CONNECT_NS;
    return check_nodes(&alone->writer->link, why);
}

/* Looks, makes the tables of a target, and sees that nobody is there. */
static int prepare(struct store_link *link, bool create, struct store_pg_engine *engine, struct buf *why)
{
    store_pg_look(link, engine);
    int err = link->trouble == TROUBLE_NONE ? 0 : link->error;
    if (err == 0 && !create && engine->schema == 0) {
        buf_append_text(why, "the database holds no store");
        return ERR_NOT_FOUND;
    }
    err = err == 0 ? store_pg_migrate(link, engine, why) : err;
    return err == 0 ? check_nodes(link, why) : err;
}

int store_kv_postgres_alone(const char *conninfo, bool create, struct store_kv **kv, struct buf *why)
{
    struct store_pg_engine engine;
    struct store_link link = {.deadline_ns = clock_monotonic_ns() + CONNECT_NS};
    int err = store_link_open(&link, conninfo, why);
    err = err == 0 ? prepare(&link, create, &engine, why) : err;
    store_link_close(&link);
    struct alone *alone = err == 0 ? make() : NULL;
    err = err == 0 && alone == NULL ? ERR_NO_MEMORY : err;
    err = err == 0 ? connect_both(alone, conninfo, &engine, why) : err;
    if (err != 0 && alone != NULL) {
        alone_close(&alone->kv);
    }
    *kv = err == 0 ? &alone->kv : NULL;
    return err;
}
