/* The fixture. Records are real ones, sealed with a real tenant key: verify opens nothing, but reads headers. */
#include "fixture.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/clock.h"

#define ARENA_BYTES ((size_t)256 << 20)

static const uint8_t root_key[CRYPTO_KEY_BYTES] = {7};
static const uint8_t nonce[CRYPTO_NONCE_BYTES] = {1};

static uint64_t next_random(struct fixture *fixture)
{
    fixture->random = fixture->random * 6364136223846793005u + 1442695040888963407u;
    return fixture->random ^ (fixture->random >> 31);
}

struct uuid fixture_uuid(struct fixture *fixture)
{
    return uuid_make(&fixture->maker, (uint64_t)clock_real_ms(), next_random(fixture));
}

static void make_keys(struct fixture *fixture)
{
    uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES];
    struct crypto_ring *ring = crypto_ring_new(root_key);
    assert_non_null(ring);
    crypto_tenant_key_make(ring, &fixture->tenants[0], wrapped);
    assert_int_equal(crypto_tenant_open(ring, &fixture->tenants[0], wrapped, &fixture->keys), 0);
    crypto_ring_free(&ring);
}

void fixture_sql(const struct fixture *fixture, const char *format, ...)
{
    char sql[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    PGconn *connection = PQconnectdb(fixture->location[0] != '\0' ? fixture->location : getenv(FIXTURE_POSTGRES));
    PQclear(PQexec(connection, "SET client_min_messages = warning"));
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    }
    PQfinish(connection);
}

/* A schema of its own, which the server's options name. */
static void make_schema(struct fixture *fixture)
{
    static unsigned made;
    const char *url = getenv(FIXTURE_POSTGRES);
    assert(url != NULL); /* without it the kind is passed over */
    (void)snprintf(fixture->schema, sizeof fixture->schema, "row_%d_%u", (int)getpid(), ++made);
    fixture_sql(fixture, "CREATE SCHEMA %s", fixture->schema);
    (void)snprintf(fixture->location, sizeof fixture->location, "%s%coptions=-csearch_path%%3D%s", url,
                   strchr(url, '?') == NULL ? '?' : '&', fixture->schema);
}

int fixture_open_node(struct fixture *fixture, const struct uuid *node, struct store **store)
{
    struct store_options options = {.node = *node, .connections = 4};
    struct buf why;
    buf_init(&why, 0);
    int err = store_open(fixture->location, &options, store, &why);
    if (err != 0) {
        print_error("open: %s: %.*s\n", err_code(err), SLICE_ARG(buf_view(&why)));
    }
    buf_fini(&why);
    return err;
}

static void open_store(struct fixture *fixture)
{
    struct buf why;
    buf_init(&why, 0);
    int err = fixture->kind == KIND_MEMORY  ? store_open_memory(&fixture->store)
              : fixture->kind == KIND_ROCKS ? store_open_rocks(fixture->path, NULL, &fixture->store, &why)
                                            : fixture_open_node(fixture, &fixture->node, &fixture->store);
    if (err != 0) {
        fail_msg("open: %s: %.*s", err_code(err), SLICE_ARG(buf_view(&why)));
    }
    buf_fini(&why);
}

static void start(struct fixture *fixture, enum kind kind)
{
    *fixture = (struct fixture){.kind = kind, .random = (uint64_t)clock_monotonic_ns() ^ (uint64_t)getpid() << 40};
    fixture->arena = arena_new(1 << 16, ARENA_BYTES);
    assert_non_null(fixture->arena);
    for (size_t i = 0; i < TENANTS; i++) {
        /* Fixed, so that another process of the same row means the same tenants. */
        memset(fixture->tenants[i].bytes, (int)(0x10 * (i + 1)), UUID_BYTES);
    }
    make_keys(fixture);
    fixture->node = fixture_uuid(fixture);
}

void fixture_open(struct fixture *fixture, enum kind kind)
{
    start(fixture, kind);
    if (kind == KIND_ROCKS) {
        const char *base = getenv("TMPDIR");
        (void)snprintf(fixture->path, sizeof fixture->path, "%s/muster-store-XXXXXX", base == NULL ? "/tmp" : base);
        assert_non_null(mkdtemp(fixture->path));
    } else if (kind == KIND_POSTGRES) {
        make_schema(fixture);
    }
    open_store(fixture);
}

void fixture_open_at(struct fixture *fixture, const char *path)
{
    start(fixture, KIND_ROCKS);
    (void)snprintf(fixture->path, sizeof fixture->path, "%s", path);
    open_store(fixture);
}

static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char name[512];
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        (void)unlink(name);
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    (void)rmdir(path);
}

void fixture_close(struct fixture *fixture)
{
    store_close(&fixture->store);
    if (fixture->path[0] != '\0') {
        remove_folder(fixture->path);
    }
    if (fixture->schema[0] != '\0') {
        fixture_sql(fixture, "DROP SCHEMA %s CASCADE", fixture->schema);
    }
    crypto_tenant_free(&fixture->keys);
    arena_free(&fixture->arena);
}

void fixture_reopen(struct fixture *fixture)
{
    store_close(&fixture->store);
    assert_null(fixture->store);
    open_store(fixture);
}

/* ---- customers ---- */

struct record_key fixture_key(uint8_t kind, unsigned number, bool unique)
{
    struct record_key key = {.kind = kind, .unique = unique};
    /* Numbers next to each other lie far apart, as MACs do. */
    uint64_t spread = (number + 1) * 0x9e3779b97f4a7c15u;
    memcpy(key.mac, &spread, sizeof spread);
    memcpy(key.mac + sizeof spread, &number, sizeof number);
    return key;
}

static size_t make_index(const struct person *person, struct record_key *keys)
{
    size_t count = 0;
    if (person->unique != 0) {
        keys[count++] = fixture_key(IDENTIFIER_EXTERNAL_ID, person->unique, true);
    }
    if (person->email != 0) {
        keys[count++] = fixture_key(IDENTIFIER_EMAIL, person->email, false);
    }
    if (person->phone != 0) {
        keys[count++] = fixture_key(IDENTIFIER_PHONE, person->phone, false);
    }
    if (person->wallet != 0) {
        keys[count++] = fixture_key(IDENTIFIER_WALLET, person->wallet, true);
    }
    return count;
}

static struct slice make_secrets(struct fixture *fixture, const struct uuid *tenant, const struct uuid *id,
                                 bool pending)
{
    struct buf out;
    struct record_secret secret = {.kind = SECRET_PASSWORD,
                                   .state = pending ? SECRET_PENDING : SECRET_GIVEN,
                                   .pointer = SLICE("/person/password"),
                                   .value = SLICE("not a secret")};
    buf_init(&out, 0);
    record_secrets_write(tenant, id, &secret, 1, fixture->keys, nonce, &out);
    struct slice row = arena_copy(fixture->arena, buf_view(&out));
    buf_fini(&out);
    return row;
}

static void make_customer(struct fixture *fixture, const struct store_import *import, const struct person *person,
                          struct store_customer *customer)
{
    struct record_key *keys = arena_take_zeroed(fixture->arena, KINDS_MAX, sizeof *keys);
    uint8_t *fingerprint = arena_take_zeroed(fixture->arena, 1, CRYPTO_MAC_BYTES);
    struct record_header header = {.contract = 1, .tenant = import->tenant, .id = fixture_uuid(fixture)};
    struct record_body body = {.document = SLICE("{\"customerName\":\"Ada\"}"), .card = SLICE("{}")};
    struct buf out;
    memcpy(fingerprint, &person->content, sizeof person->content);
    memcpy(header.fingerprint, fingerprint, CRYPTO_MAC_BYTES);
    header.import = import->id;
    header.key_count = make_index(person, keys);
    header.keys = keys;
    buf_init(&out, 0);
    record_write(&header, &body, fixture->keys, nonce, &out);
    assert_int_equal(buf_error(&out), 0);
    *customer = (struct store_customer){.id = header.id,
                                        .record = arena_copy(fixture->arena, buf_view(&out)),
                                        .fingerprint = fingerprint,
                                        .keys = keys,
                                        .key_count = header.key_count};
    buf_fini(&out);
    if (person->secrets) {
        customer->secrets = make_secrets(fixture, &import->tenant, &header.id, person->pending);
        customer->secrets_pending = person->pending;
    }
}

/* ---- imports and chunks ---- */

struct store_import fixture_import(struct fixture *fixture, size_t tenant)
{
    return (struct store_import){.tenant = fixture->tenants[tenant],
                                 .id = fixture_uuid(fixture),
                                 .state = IMPORT_OPEN,
                                 .contract = 1,
                                 .project = "p1",
                                 .started_ms = 1};
}

struct store_chunk *fixture_chunk(struct fixture *fixture, const struct store_import *import, uint32_t number,
                                  const struct person *people, size_t count)
{
    struct store_chunk *chunk = arena_take_zeroed(fixture->arena, 1, sizeof *chunk);
    struct store_customer *customers = arena_take_zeroed(fixture->arena, count, sizeof *customers);
    struct store_outcome *outcomes = arena_take_zeroed(fixture->arena, count, sizeof *outcomes);
    assert_int_equal(arena_error(fixture->arena), 0);
    for (size_t i = 0; i < count; i++) {
        make_customer(fixture, import, &people[i], &customers[i]);
    }
    *chunk = (struct store_chunk){.tenant = import->tenant,
                                  .import = import->id,
                                  .number = number,
                                  .customers = customers,
                                  .count = count,
                                  .atomic = true,
                                  .outcomes = outcomes};
    return chunk;
}

void fixture_commit(struct fixture *fixture, struct store_chunk *chunk, struct store_import *row, uint8_t state)
{
    chunk->row = NULL;
    if (state != 0) {
        row->state = state;
        row->chunks = chunk->number + 1;
        chunk->row = row;
    }
    assert_int_equal(store_commit(fixture->store, &chunk, 1), 0);
    assert_int_equal(chunk->error, 0);
}

struct store_chunk *fixture_keep(struct fixture *fixture, size_t tenant, const struct person *people, size_t count)
{
    struct store_import import = fixture_import(fixture, tenant);
    struct store_chunk *chunk = fixture_chunk(fixture, &import, 0, people, count);
    fixture_commit(fixture, chunk, &import, IMPORT_COMMITTED);
    chunk->row = NULL;
    return chunk;
}

void fixture_end(struct fixture *fixture, struct store_import *row, uint8_t state)
{
    struct store_chunk chunk = {.tenant = row->tenant, .import = row->id, .row = row};
    struct store_chunk *chunks[] = {&chunk};
    row->state = state;
    assert_int_equal(store_commit(fixture->store, chunks, 1), 0);
    assert_int_equal(chunk.error, 0);
    assert_true(chunk.kept);
}

void fixture_undo(struct fixture *fixture, const struct store_import *row)
{
    struct uuid changed;
    size_t count = 9;
    assert_int_equal(store_import_undo(fixture->store, &row->tenant, &row->id, 2, &changed, 1, &count), 0);
    assert_int_equal(count, 0);
}

/* ---- looking ---- */

bool fixture_shows(struct fixture *fixture, size_t tenant, const struct store_customer *customer)
{
    struct buf record;
    buf_init(&record, 0);
    int err = store_customer_get(fixture->store, &fixture->tenants[tenant], &customer->id, &record);
    bool shown = err == 0;
    if (shown) {
        assert_true(slice_equal(buf_view(&record), customer->record));
    } else {
        assert_int_equal(err, ERR_NOT_FOUND);
        assert_int_equal(record.size, 0);
    }
    buf_fini(&record);
    return shown;
}

int fixture_count_one(void *context, const struct uuid *id, struct slice record)
{
    size_t *count = context;
    (void)id;
    (void)record;
    (*count)++;
    return 0;
}

size_t fixture_count(struct fixture *fixture, size_t tenant)
{
    static const struct uuid first;
    size_t count = 0;
    assert_int_equal(
        store_customer_list(fixture->store, &fixture->tenants[tenant], &first, SIZE_MAX, fixture_count_one, &count), 0);
    return count;
}

size_t fixture_found(struct fixture *fixture, size_t tenant, struct record_key key)
{
    static const struct uuid first;
    size_t count = 0;
    assert_int_equal(store_customer_find(fixture->store, &fixture->tenants[tenant], &key, &first, SIZE_MAX,
                                         fixture_count_one, &count),
                     0);
    return count;
}

void fixture_sweep(struct fixture *fixture)
{
    bool left = true;
    while (left) {
        assert_int_equal(store_sweep(fixture->store, 10000, &left), 0);
    }
}

static void print_problem(void *context, const char *sentence)
{
    (void)context;
    print_error("verify: %s\n", sentence);
}

struct store_verify_counts fixture_verify(struct fixture *fixture)
{
    struct store_verify_counts counts;
    assert_int_equal(store_verify(fixture->store, NULL, print_problem, NULL, &counts), 0);
    assert_int_equal(counts.problems, 0);
    return counts;
}
