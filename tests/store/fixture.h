/*
 * What the rows of the store's contract test share: a fresh store of the kind under test, two
 * tenants, customers made from small numbers, and chunks in the order a keeper makes them. Failed
 * expectations end the row through cmocka.
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "store/store.h"

/* KEPT: over a reopen. LOCAL: where the row is about one process's files, or about runs that are not kept yet. */
enum kind {
    KIND_MEMORY = 1,
    KIND_ROCKS = 2,
    KIND_POSTGRES = 4,
    KIND_KEPT = KIND_ROCKS | KIND_POSTGRES,
    KIND_LOCAL = KIND_MEMORY | KIND_ROCKS,
    KIND_ALL = 7
};

#define TENANTS    2
#define KINDS_MAX  8 /* keys of one test customer */
#define CHUNK_MAX  64
#define NONE_GIVEN 0

struct fixture {
    enum kind kind;
    struct store *store;
    char path[128];  /* folder of the store; empty for one elsewhere */
    char schema[32]; /* of a store in a database: one of its own */
    char location[512];
    struct uuid node; /* the server that opens it */
    struct uuid_maker maker;
    uint64_t random;
    struct uuid tenants[TENANTS];
    struct crypto_tenant *keys;
    struct arena *arena;
};

/* A customer in numbers. Keys with the same number are the same identifier; 0 is no key. */
struct person {
    unsigned unique;  /* external id */
    unsigned content; /* same number: same fingerprint */
    unsigned email;   /* not unique */
    unsigned phone;   /* not unique */
    unsigned wallet;  /* unique too */
    bool secrets;     /* it has a secrets row */
    bool pending;     /* that waits for the hashing lane */
};

void fixture_open(struct fixture *fixture, enum kind kind);
void fixture_close(struct fixture *fixture);
/* The variable that has the address of a database whose user may make schemas: without it rows of KIND_POSTGRES are
 * left out. */
#define FIXTURE_POSTGRES "MUSTER_TEST_POSTGRES"
/* A statement of the test's own, in the fixture's schema. */
void fixture_sql(const struct fixture *fixture, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Opens the fixture's database as another server. */
int fixture_open_node(struct fixture *fixture, const struct uuid *node, struct store **store);
/* Closes and opens the store on disk. */
void fixture_reopen(struct fixture *fixture);
/* The same with the store of a path that another process wrote; the fixture's maker goes on. */
void fixture_open_at(struct fixture *fixture, const char *path);

struct uuid fixture_uuid(struct fixture *fixture);
/* The index entry of an identifier's number. */
struct record_key fixture_key(uint8_t kind, unsigned number, bool unique);

/* An import of a tenant, `open` at first. */
struct store_import fixture_import(struct fixture *fixture, size_t tenant);

/* A chunk with its customers and room for its outcomes; it lives until the fixture closes. */
struct store_chunk *fixture_chunk(struct fixture *fixture, const struct store_import *import, uint32_t number,
                                  const struct person *people, size_t count);

/* Commits one chunk: with the row in this state, or without a row when 0. Expects no failure. */
void fixture_commit(struct fixture *fixture, struct store_chunk *chunk, struct store_import *row, uint8_t state);
/* A whole import of one chunk. */
struct store_chunk *fixture_keep(struct fixture *fixture, size_t tenant, const struct person *people, size_t count);
/* Writes the import's row alone. */
void fixture_end(struct fixture *fixture, struct store_import *row, uint8_t state);
/* Undoes a committed import. Expects no failure. */
void fixture_undo(struct fixture *fixture, const struct store_import *row);

/* Whether get shows it; expects the bytes that were committed. */
bool fixture_shows(struct fixture *fixture, size_t tenant, const struct store_customer *customer);
/* For list and find: counts into the size_t that is the context. */
int fixture_count_one(void *context, const struct uuid *id, struct slice record);
/* How many list and find show. */
size_t fixture_count(struct fixture *fixture, size_t tenant);
size_t fixture_found(struct fixture *fixture, size_t tenant, struct record_key key);

/* Sweeps until nothing is left. */
void fixture_sweep(struct fixture *fixture);
/* Verifies and expects no problem; returns the counts. */
struct store_verify_counts fixture_verify(struct fixture *fixture);

/* ---- rows ---- */

struct row {
    const char *name;
    enum kind kinds;
    void (*run)(struct fixture *fixture);
};

extern const struct row visibility_rows[];
extern const struct row unique_rows[];
extern const struct row import_rows[];
extern const struct row outcome_rows[];
extern const struct row request_rows[];
extern const struct row reading_rows[];
extern const struct row secret_rows[];
extern const struct row ended_rows[];
extern const struct row update_rows[];
extern const struct row upkeep_rows[];
extern const struct row durable_rows[];
extern const struct row race_rows[];
extern const struct row run_rows[];
extern const struct row ahead_rows[];
extern const struct row node_rows[];
extern const struct row blind_rows[];

/* Runs the work of that name in a child on the fixture's folder, whose store is closed. Its exit status. */
int fixture_child(struct fixture *fixture, const char *work);
/* Work of run_rows.c. */
void child_run_crash(struct fixture *fixture);
/* What a child process of a durable row does; returns its exit status, -1 when the name is unknown. */
int child_run(const char *name, const char *path);

#endif
