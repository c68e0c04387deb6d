/*
 * The tables, how they come to be, and what the engine is that has them.
 *
 * Every family is a table (tenant, key, value) with the tenant first in its key, so that an engine which spreads
 * tenants over machines can do so. Only what PostgreSQL, Citus, YugabyteDB and CockroachDB share is used: no sequence,
 * no trigger, no other index; storage settings that only some have are asked of those.
 *
 * The difficulty: many nodes start at once. The one row of muster_schema is locked while migrations run, so one node
 * does them and the others find them done. Making that row is the only step without a lock, and is tried again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/postgres_priv.h"

#define FIRST_TRIES        8
#define MIGRATE_STATEMENTS 40

#define FAMILY_TABLE(name)                                                                                             \
    "CREATE TABLE " name " (tenant uuid NOT NULL, key bytea NOT NULL, value bytea NOT NULL, PRIMARY KEY (tenant, "     \
    "key))"

/* Migrations by number: what brings a database from version n to n + 1. */
static const char *const migrations[STORE_PG_SCHEMA][MIGRATE_STATEMENTS] = {
    {
        FAMILY_TABLE("muster_format"),
        FAMILY_TABLE("muster_body"),
        FAMILY_TABLE("muster_unique"),
        FAMILY_TABLE("muster_plain"),
        FAMILY_TABLE("muster_secret"),
        /* Whoever hashes a customer's secrets says so for a while. */
        "CREATE TABLE muster_pending (tenant uuid NOT NULL, key bytea NOT NULL, value bytea NOT NULL, "
        "claimed_by uuid, claimed_until timestamptz, PRIMARY KEY (tenant, key))",
        FAMILY_TABLE("muster_import"),
        FAMILY_TABLE("muster_outcome"),
        FAMILY_TABLE("muster_unfinished"),
        FAMILY_TABLE("muster_meta"),
        FAMILY_TABLE("muster_request"),
        FAMILY_TABLE("muster_fault"),
        FAMILY_TABLE("muster_revision"),
        FAMILY_TABLE("muster_change"),
        FAMILY_TABLE("muster_run"),
        /* Each connection's last transaction: tells whether it was committed (postgres_settle.c). */
        FAMILY_TABLE("muster_lane"),
        "CREATE TABLE muster_node (id uuid PRIMARY KEY, until timestamptz NOT NULL)",
        "CREATE TABLE muster_lease (name text PRIMARY KEY, owner uuid NOT NULL, until timestamptz NOT NULL)",
        NULL,
    },
};

/* Of PostgreSQL and Citus: sealed bytes can't be compressed, and a row that fits a page is cheapest in it. */
static const char *const tuning[STORE_PG_SCHEMA][MIGRATE_STATEMENTS] = {
    {
        "ALTER TABLE muster_body ALTER COLUMN value SET STORAGE EXTERNAL",
        "ALTER TABLE muster_body SET (toast_tuple_target = 8160)",
        "ALTER TABLE muster_revision ALTER COLUMN value SET STORAGE EXTERNAL",
        "ALTER TABLE muster_secret ALTER COLUMN value SET STORAGE EXTERNAL",
        "ALTER TABLE muster_fault ALTER COLUMN value SET STORAGE EXTERNAL",
        NULL,
    },
};

/* ---- what it is ---- */

/* Before it, Citus asks its workers for READ COMMITTED whatever was asked of it (its change 6483): two servers could
 * keep one external id twice. */
#define CITUS_LEAST "11.2"

/* One text of one row; empty when there is none. */
static void ask_text(struct store_link *link, const char *sql, char *text, size_t room)
{
    text[0] = '\0';
    store_link_send(link, sql, NULL);
    store_link_sync(link);
    PGresult *result = store_link_take(link);
    if (result != NULL && PQntuples(result) > 0) {
        struct slice value = store_result_slice(result, 0, 0);
        (void)snprintf(text, room, "%.*s", SLICE_ARG(value));
    }
    PQclear(result);
    store_link_drain(link);
}

/* Letters, digits and what stands between them: the text goes into logs and answers. */
static void make_plain(char *text)
{
    for (; *text != '\0'; text++) {
        bool odd = (unsigned char)*text < ' ' || *text == '"' || *text == '\\' || (unsigned char)*text > '~';
        *text = odd ? '_' : *text;
    }
}

static void name_engine(struct store_link *link, struct store_pg_engine *engine)
{
    char version[160];
    char citus[16] = "";
    ask_text(link, "SELECT version()", version, sizeof version);
    make_plain(version);
    bool cockroach = strstr(version, "CockroachDB") != NULL;
    bool yugabyte = strstr(version, "-YB-") != NULL;
    if (!cockroach && !yugabyte) {
        ask_text(link, "SELECT extversion FROM pg_extension WHERE extname = 'citus'", citus, sizeof citus);
    }
    const char *name = cockroach ? "CockroachDB" : yugabyte ? "YugabyteDB" : citus[0] != '\0' ? "Citus" : "PostgreSQL";
    (void)snprintf(engine->name, sizeof engine->name, "%s", name);
    const char *number = strchr(version, ' ');
    (void)snprintf(engine->version, sizeof engine->version, "%.*s", number == NULL ? 0 : (int)strcspn(number + 1, "("),
                   number == NULL ? "" : number + 1);
    for (size_t end = strlen(engine->version); end > 0 && engine->version[end - 1] == ' '; end--) {
        engine->version[end - 1] = '\0';
    }
    engine->serializable = cockroach || yugabyte;
    engine->too_old = citus[0] != '\0' && strverscmp(citus, CITUS_LEAST) < 0;
}

bool store_pg_is_postgres(const struct store_pg_engine *engine)
{
    return strcmp(engine->name, "PostgreSQL") == 0 || strcmp(engine->name, "Citus") == 0;
}

/* What an answered commit has survived. */
static void look_at_durability(struct store_link *link, struct store_pg_engine *engine)
{
    char commit[24];
    char sync[8];
    char names[8];
    char standbys[24];
    if (!store_pg_is_postgres(engine)) {
        (void)snprintf(engine->durability, sizeof engine->durability, "replicated by %s", engine->name);
        return;
    }
    ask_text(link, "SELECT current_setting('synchronous_commit')", commit, sizeof commit);
    ask_text(link, "SELECT current_setting('fsync')", sync, sizeof sync);
    ask_text(link, "SELECT CASE WHEN current_setting('synchronous_standby_names') = '' THEN 'none' ELSE 'some' END",
             names, sizeof names);
    ask_text(link, "SELECT count(*)::text FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')", standbys,
             sizeof standbys);
    bool weak = strcmp(commit, "off") == 0; /* each transaction asks for more */
    make_plain(commit);
    bool waits = strcmp(names, "some") == 0 && strcmp(commit, "local") != 0 && !weak;
    (void)snprintf(engine->durability, sizeof engine->durability,
                   "synchronous_commit=%s%s, standbys waited for: %s%s%s", weak ? "on" : commit,
                   weak ? " (off in the server)" : "", waits ? standbys : "none",
                   waits && strcmp(standbys, "0") == 0 ? " connected, so commits wait" : "",
                   strcmp(sync, "off") == 0 ? "; fsync=off: NOT DURABLE" : "");
}

static unsigned read_version(struct store_link *link, const char *sql)
{
    char text[16];
    ask_text(link, sql, text, sizeof text);
    return (unsigned)strtoul(text, NULL, 10);
}

/* to_regclass would do, but not everywhere. */
static unsigned schema_of(struct store_link *link)
{
    unsigned there = read_version(link, "SELECT count(*)::text FROM information_schema.tables WHERE table_name = "
                                        "'muster_schema' AND table_schema = current_schema()");
    return there == 0 ? 0 : read_version(link, "SELECT version::text FROM muster_schema WHERE one = 1");
}

void store_pg_look(struct store_link *link, struct store_pg_engine *engine)
{
    *engine = (struct store_pg_engine){0};
    name_engine(link, engine);
    look_at_durability(link, engine);
    engine->schema = schema_of(link);
}

/* ---- migrations ---- */

/* The row that is locked; others may be making it now, which shows as one of several failures. */
static int make_row(struct store_link *link)
{
    for (int i = 0; i < FIRST_TRIES; i++) {
        store_link_send(link, "CREATE TABLE IF NOT EXISTS muster_schema (one int PRIMARY KEY, version int NOT NULL)",
                        NULL);
        store_link_sync(link);
        store_link_drain(link);
        store_link_send(link, "INSERT INTO muster_schema (one, version) VALUES (1, 0) ON CONFLICT (one) DO NOTHING",
                        NULL);
        store_link_sync(link);
        store_link_drain(link);
        if (link->trouble == TROUBLE_NONE || link->trouble == TROUBLE_LOST) {
            break;
        }
        if (i + 1 < FIRST_TRIES) {
            struct timespec rest = {.tv_nsec = 50000000L * (i + 1)};
            link->trouble = TROUBLE_NONE;
            (void)nanosleep(&rest, NULL);
        }
    }
    return link->trouble == TROUBLE_NONE ? 0 : link->error;
}

static void send_all(struct store_link *link, const char *const *statements)
{
    for (; *statements != NULL && link->trouble == TROUBLE_NONE; statements++) {
        store_link_send(link, *statements, NULL);
        store_link_sync(link);
        store_link_drain(link);
    }
}

static void migrate_from(struct store_link *link, const struct store_pg_engine *engine, unsigned version)
{
    char sql[96];
    for (unsigned i = version; i < STORE_PG_SCHEMA; i++) {
        send_all(link, migrations[i]);
        if (store_pg_is_postgres(engine)) {
            send_all(link, tuning[i]);
        }
    }
    (void)snprintf(sql, sizeof sql, "UPDATE muster_schema SET version = %u WHERE one = 1", STORE_PG_SCHEMA);
    const char *const end[] = {sql, "COMMIT", NULL};
    send_all(link, end);
}

static int refuse_newer(unsigned version, struct buf *why)
{
    buf_printf(why, "the database has schema %u, and this program knows up to %u: use a newer program", version,
               STORE_PG_SCHEMA);
    return ERR_CORRUPT;
}

int store_pg_migrate(struct store_link *link, struct store_pg_engine *engine, struct buf *why)
{
    static const char *const begin[] = {"BEGIN ISOLATION LEVEL READ COMMITTED", NULL};
    static const char *const rollback[] = {"ROLLBACK", NULL};
    if (engine->too_old) {
        buf_append_text(why,
                        "this Citus does not keep transactions apart; Muster needs Citus " CITUS_LEAST " or later");
        return ERR_CONFIG;
    }
    if (engine->schema > STORE_PG_SCHEMA) {
        return refuse_newer(engine->schema, why);
    }
    if (engine->schema == STORE_PG_SCHEMA) {
        return 0;
    }
    int err = make_row(link);
    if (err == 0) {
        send_all(link, begin);
        unsigned version = read_version(link, "SELECT version::text FROM muster_schema WHERE one = 1 FOR UPDATE");
        engine->schema = version;
        if (link->trouble == TROUBLE_NONE && version < STORE_PG_SCHEMA) {
            migrate_from(link, engine, version);
            engine->schema = STORE_PG_SCHEMA;
        } else if (link->trouble == TROUBLE_NONE) {
            send_all(link, rollback);
        }
        err = link->trouble == TROUBLE_NONE ? 0 : link->error;
    }
    if (err == 0 && engine->schema > STORE_PG_SCHEMA) {
        return refuse_newer(engine->schema, why);
    }
    if (err != 0) {
        buf_printf(why, "the tables can't be made (SQLSTATE %s): %s", link->state[0] == '\0' ? "none" : link->state,
                   err_text(err));
    }
    return err;
}
