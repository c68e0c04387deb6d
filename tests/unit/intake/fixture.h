/*
 * A whole intake over a store in memory, with the built-in contracts and one tenant: what the tests
 * of the intake and the registry stand on. One thread feeds a body and waits for its answer.
 */
#ifndef TESTS_UNIT_INTAKE_FIXTURE_H
#define TESTS_UNIT_INTAKE_FIXTURE_H

#include <pthread.h>

#include "auth/auth.h"
#include "contract/contract.h"
#include "intake/intake.h"
#include "registry/registry.h"
#include "store/store.h"

#define FIXTURE_CONTRACTS 3

struct fixture {
    struct crypto_ring *ring;
    struct store *store;
    struct auth *auth;
    struct contract *contracts[FIXTURE_CONTRACTS];
    struct intake *intake;
    struct registry registry;
    const struct auth_tenant *tenant;
};

/* Fails the test when a part can't be made. Few chunks and little memory when `tight`. */
void fixture_init(struct fixture *fixture, bool tight);
void fixture_fini(struct fixture *fixture);
/* The intake ends, and another one begins over the same store: with a folder of bodies that are taken in later. */
void fixture_restart(struct fixture *fixture, const char *spool);
/* The same over a store that does this: its threads never see it change. */
struct store_ops;
void fixture_plant(struct fixture *fixture, const struct store_ops *ops);

const struct contract *fixture_contract(const struct fixture *fixture, const char *name);

/* One body on its way: the answer stays valid until fixture_end. */
struct fixture_batch {
    struct intake_import *import;
    struct intake_answer answer;
    struct buf reply;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool awake;
    size_t rests; /* how often it had to rest while its body was taken */
};

struct fixture_options {
    const char *contract;
    uint32_t scopes; /* 0: all */
    bool strict;
    bool partial;
    bool dry_run;
    bool async;
    uint8_t format;
    uint8_t encoding;
    uint8_t shape;
    uint8_t on_existing;
    const char *key;      /* idempotency key, or NULL */
    uint8_t terms;        /* stands for what a retry with the key must repeat */
    const char *envelope; /* of a body that is not JSON, or NULL */
    size_t piece_size;    /* 0: the whole body at once */
};

/* Feeds the body and waits for the answer; the reply is composed when it was kept. */
void fixture_post(struct fixture *fixture, struct fixture_batch *batch, const struct fixture_options *options,
                  struct slice body);
/* Begins a batch without feeding it. */
void fixture_begin(struct fixture *fixture, struct fixture_batch *batch, const struct fixture_options *options);
/* The same, which may be refused. */
int fixture_try(struct fixture *fixture, struct fixture_batch *batch, const struct fixture_options *options);
/* Feeds bytes, resting as often as needed. */
void fixture_take(struct fixture_batch *batch, struct slice bytes);
/* Ends the body and waits. */
void fixture_finish(struct fixture_batch *batch);
/* The same, but nothing of the reply is read. */
void fixture_close(struct fixture_batch *batch);
void fixture_end(struct fixture_batch *batch);
/* Begins a batch whose key is still in flight because its last request has just been left. */
void fixture_begin_again(struct fixture *fixture, struct fixture_batch *batch, const struct fixture_options *options);

/* An import's row. */
void fixture_row(struct fixture *fixture, const struct uuid *id, struct store_import *row);
/* Waits until the import has `chunks` kept. */
void fixture_wait_kept(struct fixture *fixture, const struct uuid *id, uint32_t chunks);
/* How many customers the tenant has. */
size_t fixture_customers(struct fixture *fixture);
/* Appends items of Cyrexa from `from` up to `to`, parted by commas, with external ids or without. */
void fixture_items(struct buf *body, size_t from, size_t to, bool with_ids);

#endif
