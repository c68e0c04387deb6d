/*
 * What a database holds, asked from outside: `muster store status` and `migrate`. Rows are counted up to a bound, so
 * that asking never takes longer for a large registry; beyond it the planner's estimate is told, where there is one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/format_priv.h"
#include "store/postgres_priv.h"

#define ASK_NS      60000000000
#define COUNT_BOUND "100000"

static uint64_t number_at(const PGresult *result, int row, int column)
{
    char text[24];
    struct slice value = store_result_slice(result, row, column);
    (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(value));
    return strtoull(text, NULL, 10);
}

static PGresult *ask(struct store_link *link, const char *sql)
{
    store_link_send(link, sql, NULL);
    store_link_sync(link);
    PGresult *result = store_link_take(link);
    store_link_drain(link);
    return result;
}

unsigned store_pg_nodes(struct store_link *link, struct store_status_node *nodes, size_t room)
{
    PGresult *result =
        ask(link, "SELECT id::text, ceil(extract(epoch FROM until - now()))::int8::text FROM muster_node "
                  "WHERE until > now() ORDER BY id");
    int count = result == NULL ? 0 : PQntuples(result);
    for (int i = 0; i < count && (size_t)i < room; i++) {
        struct slice id = store_result_slice(result, i, 0);
        (void)snprintf(nodes[i].id, sizeof nodes[i].id, "%.*s", SLICE_ARG(id));
        nodes[i].left_s = (unsigned)number_at(result, i, 1);
    }
    PQclear(result);
    return (unsigned)count;
}

/* Of PostgreSQL and what descends from it; 0: none. */
static uint64_t estimate(struct store_link *link, const char *table)
{
    char sql[192];
    (void)snprintf(sql, sizeof sql,
                   "SELECT greatest(reltuples, 0)::int8::text FROM pg_class WHERE relname = '%s' AND relkind IN "
                   "('r', 'p') ORDER BY reltuples DESC LIMIT 1",
                   table);
    PGresult *result = ask(link, sql);
    uint64_t rows = result == NULL || PQntuples(result) == 0 ? 0 : number_at(result, 0, 0);
    PQclear(result);
    return rows;
}

static void count_family(struct store_link *link, enum store_family family, struct store_status_family *row)
{
    char sql[160];
    *row = (struct store_status_family){.name = store_family_names[family]};
    (void)snprintf(sql, sizeof sql, "SELECT count(*)::text FROM (SELECT 1 FROM %s LIMIT " COUNT_BOUND ") AS part",
                   store_pg_tables[family]);
    PGresult *result = ask(link, sql);
    row->rows = result == NULL || PQntuples(result) == 0 ? 0 : number_at(result, 0, 0);
    PQclear(result);
    if (row->rows >= strtoull(COUNT_BOUND, NULL, 10)) {
        uint64_t about = estimate(link, store_pg_tables[family]);
        row->sure = about > row->rows ? STORE_ROWS_ABOUT : STORE_ROWS_AT_LEAST;
        row->rows = about > row->rows ? about : row->rows;
    }
}

static void read_store(struct store_link *link, struct store_status *status)
{
    PGresult *result = ask(link, "SELECT 1 FROM muster_format WHERE key = 'copy'::bytea");
    status->half_copy = result != NULL && PQntuples(result) > 0;
    PQclear(result);
    status->node_count = store_pg_nodes(link, status->nodes, STORE_STATUS_NODES);
    for (enum store_family family = STORE_FAMILY_FORMAT + 1; family < STORE_FAMILY_COUNT; family++) {
        count_family(link, family, &status->families[status->family_count++]);
    }
}

static void tell_engine(const struct store_pg_engine *engine, struct store_status *status)
{
    (void)snprintf(status->facts.kind, sizeof status->facts.kind, "postgresql");
    (void)snprintf(status->facts.engine, sizeof status->facts.engine, "%s %s", engine->name, engine->version);
    (void)snprintf(status->facts.durability, sizeof status->facts.durability, "%s", engine->durability);
    status->facts.schema = engine->schema;
    status->schema_wanted = STORE_PG_SCHEMA;
}

int store_pg_status(const char *conninfo, struct store_status *status, struct buf *why)
{
    struct store_pg_engine engine;
    struct store_link link = {.deadline_ns = clock_monotonic_ns() + ASK_NS};
    int err = store_link_open(&link, conninfo, why);
    if (err != 0) {
        return err;
    }
    store_pg_look(&link, &engine);
    tell_engine(&engine, status);
    if (engine.schema > 0 && engine.schema <= STORE_PG_SCHEMA) {
        read_store(&link, status);
    }
    err = link.trouble == TROUBLE_NONE ? 0 : link.error;
    store_link_close(&link);
    return err;
}

int store_pg_migrate_at(const char *conninfo, unsigned *from, unsigned *to, struct buf *why)
{
    struct store_pg_engine engine;
    struct store_link link = {.deadline_ns = clock_monotonic_ns() + ASK_NS};
    int err = store_link_open(&link, conninfo, why);
    if (err != 0) {
        return err;
    }
    store_pg_look(&link, &engine);
    *from = engine.schema;
    err = link.trouble == TROUBLE_NONE ? store_pg_migrate(&link, &engine, why) : link.error;
    *to = engine.schema;
    store_link_close(&link);
    return err;
}
