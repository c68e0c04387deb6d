/*
 * A group of chunks on its way through store_commit: keep.c drives it, prepare.c gathers what it asks for, decide.c and
 * request.c decide it, compose.c makes rows of it. Everything lives in its arena until it is done: the local store's, a
 * run's, or, of keys that are looked up ahead, the caller's.
 */
#ifndef STORE_GROUP_PRIV_H
#define STORE_GROUP_PRIV_H

#include "store/local_priv.h"

/* An import that the group touches. */
struct store_member {
    struct uuid tenant;
    struct uuid import;
    uint8_t before; /* import_state when the group began; 0: it has no row */
    uint8_t now;    /* as the chunks decided so far leave it */
    bool wrote;     /* it has outcome rows */
    bool refused;   /* an atomic chunk of it was not kept: it can't be committed any more */
    bool revises;   /* it updates customers */
    bool claimed;   /* it has an idempotency key, of this mac */
    uint8_t mac[CRYPTO_MAC_BYTES];
    struct store_unfinished was; /* its entry in the set when the group began; state 0: none */
};

/* A unique key that the group asks for, and who has it as of the chunks decided so far. */
struct store_slot {
    uint8_t key[STORE_UNIQUE_BYTES];
    bool held;
    bool taken;  /* by a customer of the group: the entry has to be written */
    bool stored; /* the store had an entry for it, whoever has it now */
    struct store_holder holder;
};

/* One customer's request for a unique key; in order of chunk, customer and key. */
struct store_claim {
    uint8_t key[STORE_UNIQUE_BYTES];
    struct store_slot *slot;
};

/* An idempotency key that the group asks for, and who has it as of the chunks decided so far. */
struct store_request_slot {
    struct uuid tenant;
    struct store_request request; /* its mac is the key's; the rest counts while it is held */
    bool held;
    bool changed; /* its row has to be written, or erased when it is not held */
};

struct store_group_chunk;

/* An older customer that gets new content. */
struct store_update {
    const struct store_group_chunk *at;
    const struct store_customer *customer; /* the new content */
    struct uuid id;                        /* of the older customer */
    struct uuid import;                    /* that it is of so far */
    uint64_t number;                       /* of the revision */
    struct store_update *next;
};

/* A unique key that an update gives up and the group does not ask for otherwise: its entry as it has to be written. */
struct store_release {
    const struct store_group_chunk *at;
    uint8_t key[STORE_UNIQUE_BYTES];
    struct store_holder holder;
    struct store_release *next;
};

struct store_group_chunk {
    struct store_chunk *chunk;
    struct store_member *member;
    struct store_claim *claims;
    struct store_request_slot *request; /* NULL: the chunk has none */
    size_t plain_count;                 /* index entries that are not unique */
    uint64_t counts[STORE_SKIPPED + 1]; /* outcomes by kind */
    bool counted;                       /* they have been added to the caller's row */
};

/* The envelope of the import that was last compared with: repeats mostly come from one import. */
struct store_envelope {
    struct uuid tenant;
    struct uuid import;
    bool read;
    bool lost; /* its row is gone: nothing to compare with */
    uint8_t mac[CRYPTO_MAC_BYTES];
};

struct store_group {
    struct store_local *local;
    struct arena *arena;          /* what lasts as long as the group is taken from it */
    struct store_kv *out;         /* whose put takes the rows that are composed; NULL: the local store's */
    void (*pause)(void *context); /* called now and then while keys are looked up; NULL: not */
    void *pause_context;
    int64_t now_ms;
    struct store_group_chunk *chunks;
    size_t count;
    struct store_member *members;
    size_t member_count;
    struct store_claim *claims;
    size_t claim_count;
    struct store_slot *slots; /* in order of key */
    size_t slot_count;
    bool met; /* some of them had a holder when they were looked up */
    struct store_request_slot *requests;
    size_t request_count;
    struct store_update *updates; /* in order, also those of chunks that are not kept */
    struct store_update *last_update;
    uint64_t update_count;
    struct store_release *releases; /* newest first */
    struct store_kv_view *rows;     /* opened by the first update */
    struct store_envelope envelope;
    int error; /* of a read while deciding */
};

/* Finds the imports' states, the unique keys and who has them. 0 or why that can't be read. */
int store_group_prepare(struct store_group *group, struct store_chunk *const *chunks, size_t count) MUST_CHECK;
/* The same in two steps, of which the first needs no lock: the keys and who had them at some moment not before
 * store_local_seen said `since`; then what has changed since then, and the rest. */
int store_group_prepare_early(struct store_group *group, struct store_chunk *const *chunks, size_t count) MUST_CHECK;
int store_group_prepare_late(struct store_group *group, uint64_t since) MUST_CHECK;
/* Between the two, without the lock: looks again at what was touched meanwhile, when that may be much. */
int store_group_look_again(struct store_group *group, uint64_t *since) MUST_CHECK;
/* The import among the group's; NULL: the group does not touch it. */
struct store_member *store_member_find(const struct store_group *group, const struct uuid *tenant,
                                       const struct uuid *import);
/* Decides the chunks in order: outcomes, kept, error, and what members and slots become. */
int store_group_decide(struct store_group *group) MUST_CHECK;
/* Takes what keeping the chunks has added to the callers' rows off them again. */
void store_group_uncount(struct store_group *group);
/* Puts every row of the kept chunks into the batch, those of the index into `index`, which may be the same;
 * *kept: how many chunks that are. The imports' unfinished marks are the caller's. */
int store_group_compose(struct store_group *group, struct store_kv_batch *batch, struct store_kv_batch *index,
                        size_t *kept) MUST_CHECK;

/* Gives back what deciding has opened. */
void store_group_close(struct store_group *group);

/* ---- keys and their holders (decide.c) ---- */

/* The slots that a chunk has changed, as they were. */
struct store_slot_was {
    struct store_slot *slot;
    struct store_slot was;
};

struct store_slot_log {
    struct store_slot_was *entries;
    size_t count;
    size_t room;
};

/* What the chunk meets at a slot: CREATED: the key is free; BUSY; EXISTING: *holder has it, without a `next`. */
uint8_t store_slot_meet(const struct store_group *group, const struct store_group_chunk *at,
                        const struct store_slot *slot, struct store_holder *holder);
/* Notes the slot, which is going to be changed and taken. */
void store_slot_take(struct store_group *group, struct store_slot *slot, struct store_slot_log *log);

/* ---- updates (revise.c) ---- */

/* The customer `older` gets the content of `customer`: its keys, and the revision for compose.c. What goes wrong
 * is in group->error. */
void store_revise(struct store_group *group, const struct store_group_chunk *at, const struct store_customer *customer,
                  struct store_claim *claims, const struct store_holder *older, struct store_slot_log *log);

/* ---- idempotency keys (request.c) ---- */

/* Finds who has the keys that the chunks ask for. 0 or why that can't be read. */
int store_requests_prepare(struct store_group *group) MUST_CHECK;
/* Whether the chunk may have its key (S9). */
bool store_request_may_claim(const struct store_group_chunk *at);
/* The chunk is kept: the key is its import's, or free again when the chunk says so. */
void store_request_claim(struct store_group_chunk *at);

#endif
