/*
 * Where customers are kept. A store sees sealed bytes, ids, tenants and blind indexes: it can't leak
 * what it can't read. One interface, several kinds (RocksDB, memory); tests/store holds every
 * kind to the guarantees below.
 *
 * S1  store_commit returned 0 for a chunk that was kept: its rows are on stable storage, all of
 *     them, and a crash at any later moment keeps them.
 * S2  A commit is all or nothing per chunk: record, index entries, secrets, outcomes and import row
 *     of a chunk appear together or not at all, also across a crash.
 * S3  Customers of an import are visible (get, list, find) from the instant when its row is
 *     committed, and only while it is: never before, never when it is aborted.
 * S4  Uniqueness is decided in store_commit and nowhere else: of any number of concurrent or
 *     repeated attempts on one unique key, exactly one customer has it.
 * S5  A unique key held by an open import answers BUSY to others; one held by an aborted import is
 *     free.
 * S6  An import that was open when the store was closed or crashed is aborted when it is opened,
 *     unless its row is `resumable`: then it stays open with the chunks that were kept, and may be
 *     gone on with or aborted.
 * S7  A failed write or sync stops the store: every later commit returns ERR_STORAGE_STOPPED until it
 *     is opened again. While the disk is full it is ERR_STORAGE_FULL, and store_resume ends that when
 *     there is room. Reads go on in both. A database answers for its own disks: while it is away every
 *     call returns ERR_STORAGE_AWAY, and goes on by itself when it is back.
 * S8  Every key begins with the tenant; no call returns a row of another tenant.
 * S9  Of any number of attempts to claim one idempotency key, one import has it. The claim is written
 *     in the commit that writes the import's first row.
 * S10 A call that returns ERR_OUTCOME_UNKNOWN has happened whole or not at all, and it could not be
 *     told which in time. Any other failure means that nothing of it has happened.
 *
 * Threads: any function by any thread at any time; commits take turns.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/uuid.h"
#include "record/record.h"

struct store;

struct store_options {
    bool unsafe_no_sync; /* benchmarks and planted defects only: answer before the sync */
    size_t memory_bytes; /* of RocksDB, for caches and unwritten rows together; 0: default (192 MiB) */
    /* Of PostgreSQL: */
    struct uuid node;     /* this server among those of one database, the same over its restarts; zero: a new one */
    unsigned connections; /* that work at a time; 0: default (8). One more keeps watch */
    unsigned patience_ms; /* how long a call waits for a database that is away; 0: default (20 s) */
};

/* Opens or creates the store at `location`: a URL (postgresql://…, postgres://…) or a folder of RocksDB's. 0, or
 * ERR_STORAGE_*, ERR_CORRUPT or ERR_CONFIG with the reason, free of passwords, in *why. */
int store_open(const char *location, const struct store_options *options, struct store **store,
               struct buf *why) MUST_CHECK;
/* Whether the location is one of a database, which several servers may share. */
bool store_is_shared(const char *location);
/* Appends the location without a password, in whatever form it is given: for whoever shows one. */
void store_location_show(const char *location, struct buf *text);
/* ERR_CONFIG with the reason in *why when it can't be meant: then a piece of a password would be taken for something
 * else. What takes a location looks at this first. */
int store_location_check(const char *location, struct buf *why) MUST_CHECK;

/* Opens or creates the store in folder `path`. 0, or ERR_STORAGE_* / ERR_CORRUPT with the reason in *why. */
int store_open_rocks(const char *path, const struct store_options *options, struct store **store,
                     struct buf *why) MUST_CHECK;
/* The store in a database of the PostgreSQL family; `conninfo` as libpq takes it. */
int store_open_postgres(const char *conninfo, const struct store_options *options, struct store **store,
                        struct buf *why) MUST_CHECK;
/* A store in memory, for tests. */
int store_open_memory(struct store **store) MUST_CHECK;
/* Waits for nothing: no other call may be running. Clears the pointer. */
void store_close(struct store **store);

/* ---- imports ---- */

/* UNDONE is ABORTED after it was COMMITTED. */
enum import_state { IMPORT_OPEN = 1, IMPORT_COMMITTED = 2, IMPORT_ABORTED = 3, IMPORT_UNDONE = 4 };

/* How an import's body came. Stored: never reuse a number. */
enum import_format { IMPORT_JSON = 0, IMPORT_NDJSON = 1, IMPORT_CSV = 2 };

/* What an external id that exists does to an item (?onExisting=). Stored. */
enum import_existing {
    IMPORT_EXISTING_SAME = 0,   /* same content: EXISTING; other content: CONFLICT */
    IMPORT_EXISTING_SKIP = 1,   /* same content: EXISTING; other content: SKIPPED */
    IMPORT_EXISTING_UPDATE = 2, /* same content: EXISTING; other content: UPDATED */
    IMPORT_EXISTING_FAIL = 3    /* CONFLICT, whatever the content */
};

/* Findings or faults of an import, counted by code. */
#define STORE_FINDING_CODES 16
#define STORE_FAULT_CODES   40
struct store_finding_count {
    char code[32];
    uint64_t count;
};

/* An import's row. Public members are in clear; `envelope` is sealed by the caller. */
struct store_import {
    struct uuid tenant;
    struct uuid id;
    uint8_t state;       /* import_state */
    uint8_t contract;    /* contract_info.number */
    uint8_t format;      /* import_format */
    uint8_t on_existing; /* import_existing */
    bool partial;        /* handling=lenient */
    bool strict;         /* validation=strict */
    bool dry_run;        /* ends aborted, whatever was found */
    bool resumable;      /* see S6 */
    bool expired;        /* its outcomes and faults are gone; it can't be undone any more */
    char project[LIMIT_NAME_BYTES + 1];
    char type[LIMIT_NAME_BYTES + 1]; /* of all its customers, when the envelope says it */
    uint64_t received;
    uint64_t created;
    uint64_t existing;
    uint64_t updated;
    uint64_t skipped;
    uint64_t faults;
    uint64_t findings;
    uint64_t bytes;  /* of the body, unpacked */
    uint32_t chunks; /* numbered from 0 */
    int64_t started_ms;
    int64_t ended_ms;
    int16_t error; /* ERR_ code why it was aborted, or 0 */
    struct store_finding_count finding_counts[STORE_FINDING_CODES];
    struct store_finding_count fault_counts[STORE_FAULT_CODES];
    uint8_t body_mac[CRYPTO_MAC_BYTES];     /* digest of the whole body, zeros unless an idempotency key came with it */
    struct uuid request;                    /* the request that brought it; repeated by replays */
    uint8_t envelope_mac[CRYPTO_MAC_BYTES]; /* fingerprint of the envelope, zeros without one */
    struct slice envelope;                  /* sealed; may be empty */
};

/* ---- committing ---- */

struct store_customer {
    struct uuid id;
    struct slice record; /* record.h bytes; fingerprint and keys below repeat its header */
    const uint8_t *fingerprint;
    const struct record_key *keys;
    size_t key_count;
    struct slice secrets; /* record_secrets_write bytes, or empty */
    bool secrets_pending; /* some wait for the hashing lane */
    bool refused;         /* has faults: nothing of it is kept, its outcome is FAULT; the rest is not looked at */
};

enum store_outcome_kind {
    STORE_CREATED = 1,
    STORE_EXISTING = 2, /* same unique key, fingerprint and, when the chunk commits its import, envelope: `id` is the
                         * older customer */
    STORE_CONFLICT = 3, /* unique key of another customer with other content */
    STORE_BUSY = 4,     /* unique key held by another open import */
    STORE_FAULT = 5,    /* refused before it came to the store */
    STORE_UPDATED = 6,  /* the older customer `id` has this content once the import is committed */
    STORE_SKIPPED = 7   /* the older customer `id` has other content and keeps it */
};

struct store_outcome {
    uint8_t kind;       /* store_outcome_kind */
    uint8_t key_kind;   /* identifier_kind that decided, for anything but CREATED */
    struct uuid id;     /* the created or the already existing customer */
    struct uuid import; /* of the already existing customer; zero when created */
};

/* An idempotency key as it is claimed by an import. */
struct store_request {
    uint8_t mac[CRYPTO_MAC_BYTES];   /* keyed hash of the key and the address it was sent to */
    uint8_t terms[CRYPTO_MAC_BYTES]; /* keyed hash of everything besides the body that a retry must repeat */
    struct uuid import;
    int64_t created_ms;
};

/* One unit of S2. With `count` 0 it only writes the import row, faults and request. */
struct store_chunk {
    /* in */
    struct uuid tenant;
    struct uuid import;
    uint32_t number; /* of the chunk within its import, from 0 */
    const struct store_customer *customers;
    size_t count;
    bool atomic;         /* keep nothing of the chunk when any outcome is CONFLICT or BUSY; else the others are kept */
    uint8_t on_existing; /* import_existing */
    bool by_request;     /* ends the import, also one that another server goes on with, which finds it ended then */
    bool dry;            /* decide only: outcomes are told, nothing is kept of customers (`row` is written) */
    const uint8_t
        *chain; /* CRYPTO_MAC_BYTES, kept with the outcomes: digest of the body up to this chunk; NULL: zeros */
    struct slice faults; /* the refused items, sealed, kept as they are under the chunk's number; empty: none */
    /* Called when the chunk's outcomes are decided and, not being atomic, some are CONFLICT or BUSY: may set
     * `faults` again. Must be quick; calls nothing of the store. A store that several servers share may decide
     * again, and calls it again then, with `row`, `faults` and forget_request as they came. NULL: none. */
    void (*decided)(struct store_chunk *chunk, void *context);
    void *context;
    /* Claim to write in the same commit, or (`forget`) to remove. A claim older than `request_before_ms` is
     * free for anybody. Held by another import: ERR_KEY_IN_FLIGHT in `error`, nothing of the chunk is kept. */
    const struct store_request *request;
    bool forget_request;
    int64_t request_before_ms;
    const struct store_ahead *ahead; /* for store_run_add, of this chunk: what store_look_ahead found; or NULL */
    /* The import's row to write in the same commit when the chunk is kept; NULL: leave it. Its
     * `created` and `existing` get this chunk's outcomes added before it is written. */
    struct store_import *row;
    /* out */
    struct store_outcome *outcomes; /* room for count */
    bool kept;
    int error; /* this chunk's own failure */
};

/*
 * Commits a group of chunks, in order, with one sync. Later chunks see earlier ones. Returns 0 when
 * every chunk has been decided (kept or not), else the failure that none of the group survived.
 * A unique key repeated within a chunk or group counts like one in the store.
 */
int store_commit(struct store *store, struct store_chunk *const *chunks, size_t count) MUST_CHECK;

/* ---- reading ---- */

/* Appends the customer's record. 0 or ERR_NOT_FOUND (also when its import is not committed). The header of a
 * customer that was updated names another id, which the new content was sealed as, and the import that updated it. */
int store_customer_get(struct store *store, const struct uuid *tenant, const struct uuid *id,
                       struct buf *record) MUST_CHECK;

/* Called for each row in order; a non-zero return stops the walk and is returned by it. */
typedef int store_record_fn(void *context, const struct uuid *id, struct slice record);

/* Visible customers with id greater than `after` (zero: from the first), at most `limit`. */
int store_customer_list(struct store *store, const struct uuid *tenant, const struct uuid *after, size_t limit,
                        store_record_fn *each, void *context) MUST_CHECK;
/* The same among those with this index entry. */
int store_customer_find(struct store *store, const struct uuid *tenant, const struct record_key *key,
                        const struct uuid *after, size_t limit, store_record_fn *each, void *context) MUST_CHECK;

/* Row of an import; its envelope is copied to `envelope` and viewed from there. 0 or ERR_NOT_FOUND. */
int store_import_get(struct store *store, const struct uuid *tenant, const struct uuid *id, struct store_import *import,
                     struct buf *envelope) MUST_CHECK;
typedef int store_import_fn(void *context, const struct store_import *import);
/* Newest first, those older than `before` (zero: from the newest), at most `limit`. */
int store_import_list(struct store *store, const struct uuid *tenant, const struct uuid *before, size_t limit,
                      store_import_fn *each, void *context) MUST_CHECK;
/* Appends the outcomes of one chunk of an import, in item order, for store_outcomes_read; `chain` gets what
 * the chunk was committed with, unless NULL. ERR_NOT_FOUND behind the last, and where a chunk has none. */
int store_import_outcomes(struct store *store, const struct uuid *tenant, const struct uuid *import, uint32_t chunk,
                          uint8_t chain[CRYPTO_MAC_BYTES], struct buf *outcomes) MUST_CHECK;
/* Appends the faults of the first chunk with a number of *chunk or more that has any, and sets *chunk to its
 * number. ERR_NOT_FOUND: there is none. */
int store_import_faults(struct store *store, const struct uuid *tenant, const struct uuid *import, uint32_t *chunk,
                        struct buf *faults) MUST_CHECK;
/*
 * The customers of a committed import are gone from now on (UNDONE). ERR_NOT_FOUND; ERR_IMPORT_ENDED: it is
 * not committed, or expired; ERR_IMPORT_CHANGED: some of its customers were changed by a later import, or it
 * changed customers of earlier ones; `changed` gets up to `room` of them, *count how many.
 */
int store_import_undo(struct store *store, const struct uuid *tenant, const struct uuid *import, int64_t now_ms,
                      struct uuid *changed, size_t room, size_t *count) MUST_CHECK;

/* ---- idempotency keys ---- */

/* The claim on a key. 0 or ERR_NOT_FOUND. Whether it is too old is the caller's to see. */
int store_request_get(struct store *store, const struct uuid *tenant, const uint8_t mac[CRYPTO_MAC_BYTES],
                      struct store_request *request) MUST_CHECK;
/* Next outcome from what store_import_outcomes appended; false at the end. */
bool store_outcomes_read(struct slice *outcomes, struct store_outcome *outcome);

/* ---- secrets ---- */

/* Appends the secrets row of a visible customer; *owner is the id that it is sealed to (record_secrets_open): the
 * customer's, or what an update of it was sealed as; `owner` may be NULL. 0 or ERR_NOT_FOUND. */
int store_secrets_get(struct store *store, const struct uuid *tenant, const struct uuid *id, struct uuid *owner,
                      struct buf *row) MUST_CHECK;
/* Replaces the row, if it still is `old` byte for byte (else ERR_BUSY); `pending` false takes the
 * customer off the hashing lane's list. On stable storage when it returns. */
int store_secrets_replace(struct store *store, const struct uuid *tenant, const struct uuid *id, struct slice old,
                          struct slice row, bool pending) MUST_CHECK;
/* Next customer, behind (*tenant, *id), whose secrets are pending and whose import is committed.
 * 0 with both set, or ERR_NOT_FOUND. Zeros start from the first. */
int store_secrets_next_pending(struct store *store, struct uuid *tenant, struct uuid *id) MUST_CHECK;

/* ---- small rows of the house: tenants, projects, clients, keys ---- */

/* Rows are named by text keys ("tenant/demo"); values are opaque. Writes are on stable storage when
 * they return. */
int store_meta_get(struct store *store, struct slice key, struct buf *value) MUST_CHECK;
int store_meta_put(struct store *store, struct slice key, struct slice value) MUST_CHECK;
/* Puts the row unless there is one: of any number of attempts one succeeds, the others are ERR_EXISTS. */
int store_meta_add(struct store *store, struct slice key, struct slice value) MUST_CHECK;
/* Puts the row if it still is `old` byte for byte, else ERR_BUSY; ERR_NOT_FOUND. Others hear of it by the stamp. */
int store_meta_replace(struct store *store, struct slice key, struct slice old, struct slice value) MUST_CHECK;
/*
 * A number that is another one after each store_meta_replace of another server that shares the store, at the latest
 * STORE_STAMP_MS after it returned: what is remembered of rows that may be replaced counts only while the stamp is the
 * one that was asked for before they were read. Cheap enough for each request. 0, or ERR_STORAGE_AWAY: it is not known
 * how the rows are now, so nothing that is remembered counts. Where nobody shares the store it never changes.
 */
#define STORE_STAMP_MS 1000
int store_meta_stamp(struct store *store, uint64_t *stamp) MUST_CHECK;
int store_meta_delete(struct store *store, struct slice key) MUST_CHECK;
typedef int store_meta_fn(void *context, struct slice key, struct slice value);
/* All rows whose key begins with prefix, in order of key. */
int store_meta_list(struct store *store, struct slice prefix, store_meta_fn *each, void *context) MUST_CHECK;

/* ---- upkeep ---- */

/* Removes up to `limit` rows of aborted imports; *left tells whether more remain. Keys they held are
 * freed. Restartable at any point. */
int store_sweep(struct store *store, size_t limit, bool *left) MUST_CHECK;

/*
 * Removes up to `limit` rows that are too old: claims on idempotency keys made before request_before_ms,
 * outcomes and faults of imports that ended before report_before_ms (their rows get `expired`), and ends open
 * imports that nobody went on with as aborted: resumable ones since resume_before_ms, others since lost_before_ms.
 * *left tells whether more remain; with a limit of 0 open imports alone are looked at. The caller keeps open imports
 * that are under way from it by `under_way`, which must know of an import before its first row is committed.
 */
struct store_expiry {
    int64_t request_before_ms;
    int64_t report_before_ms;
    int64_t resume_before_ms;
    int64_t lost_before_ms;
    bool (*under_way)(void *context, const struct uuid *tenant, const struct uuid *import);
    void *context;
    size_t limit;
};
int store_expire(struct store *store, const struct store_expiry *expiry, bool *left) MUST_CHECK;

/*
 * This server goes on no more with an import that it has left open: its request ended. Where several servers share a
 * store another one may now, if it is resumable; else it is aborted. Nothing otherwise. Never fails: what could not be
 * written is tried again behind the caller's back.
 */
void store_import_release(struct store *store, const struct uuid *tenant, const struct uuid *import);

/* What the store is, in words for an operator. */
struct store_facts {
    char kind[16];        /* rocksdb, postgresql, memory */
    char engine[80];      /* and its version */
    char durability[160]; /* what an answered commit has survived */
    unsigned schema;
    unsigned groups; /* of chunks that may usefully be committed at a time */
};
void store_facts(struct store *store, struct store_facts *facts);

/* 0, or why the store takes no commits (ERR_STORAGE_STOPPED, ERR_STORAGE_FULL; ERR_STORAGE_AWAY: the database is
 * away, and commits are taken again when it is back). */
int store_health(struct store *store);
/* Tries to take commits again after ERR_STORAGE_FULL. 0, or what store_health goes on to say. May take seconds. */
int store_resume(struct store *store) MUST_CHECK;

/* ---- the bulk lane ---- */

/*
 * A run of consecutive chunks of one open import, made durable together: for imports of many chunks it
 * costs a fraction of committing each. Nothing of a run is kept before store_run_finish returned 0; then
 * S1 to S5 hold for its chunks as for committed ones. Keys that a run holds answer BUSY to others meanwhile.
 * A run belongs to one thread at a time; several may be open, of one import at most one that chunks are added to
 * beside one that is being finished. The import must have its open row, and takes no other chunk or row while it has
 * a run (ERR_BUSY). Ids of the customers that are
 * created rise. Chunks with IMPORT_EXISTING_UPDATE gain nothing: they are committed when they are added, and kept
 * whatever becomes of the run. So are all chunks where a store has nothing cheaper than a commit (PostgreSQL).
 */
struct store_run;
int store_run_open(struct store *store, const struct uuid *tenant, const struct uuid *import,
                   struct store_run **run) MUST_CHECK;
/* Decides the chunk like store_commit (row and request NULL). What it needs of the chunk is copied. `kept` means:
 * if the run is finished. An atomic chunk that is refused leaves the run as it was before. Not 0: the run is lost
 * and can only be cancelled or finished, which says so too. */
int store_run_add(struct store_run *run, struct store_chunk *chunk) MUST_CHECK;
/*
 * Looks up who has the unique keys of a chunk that is going to be added to a run: most of the work of adding it, which
 * any thread may do before, of several chunks at a time. Reads tenant, customers and count; these, and the struct, stay
 * as and where they are until it is added, once. The result is in the arena. NULL: nothing was found out, store_run_add
 * looks itself.
 * `pause` is called now and then, at least every millisecond or so of work; NULL: never.
 */
struct store_ahead;
struct store_ahead *store_look_ahead(struct store *store, struct store_chunk *chunk, struct arena *arena,
                                     void (*pause)(void *context), void *context);
/* Bytes of memory and customers that the run holds now: the caller finishes it when they are many. */
size_t store_run_bytes(const struct store_run *run);
size_t store_run_count(const struct store_run *run);
/* Makes it durable. Not 0: nothing of it is kept. Clears the pointer either way. */
int store_run_finish(struct store_run **run) MUST_CHECK;
/* Drops it. Clears the pointer. */
void store_run_cancel(struct store_run **run);

/* What store_verify looks at and finds. */
struct store_verify_counts {
    uint64_t tenants;
    uint64_t imports;
    uint64_t customers;
    uint64_t keys;
    uint64_t secrets;
    uint64_t pending;
    uint64_t problems;
};
/* Told of each broken invariant: a sentence with ids, no content. */
typedef void store_problem_fn(void *context, const char *sentence);
/* Called for every record so that the caller can prove that it opens; non-zero counts as a problem. */
typedef int store_open_fn(void *context, const struct record_header *header, struct slice record);
/*
 * Walks everything and proves the invariants: every record has its index entries, every index entry
 * its record, every secrets row its customer, every pending mark its pending row, every committed
 * import's `created` the number of its records, its outcomes in order and complete. 0 when the walk
 * was whole (problems are in counts), else why it broke off.
 */
int store_verify(struct store *store, store_open_fn *open, store_problem_fn *problem, void *context,
                 struct store_verify_counts *counts) MUST_CHECK;

/* ---- moving ---- */

#define STORE_FAMILIES_MAX 16

struct store_copy_progress {
    const char *family; /* kind of rows, as docs/store.md calls it */
    uint64_t rows;      /* of it that were read */
    uint64_t written;   /* of all families */
    bool comparing;     /* everything is written; both sides are read and compared */
};

struct store_copy_options {
    size_t batch_rows; /* rows a write; 0: default */
    /* Told now and then; not 0: the copy breaks off with it. NULL: nobody. */
    int (*tell)(void *context, const struct store_copy_progress *progress);
    void *context;
};

struct store_copy_count {
    uint64_t rows;
    uint64_t bytes;     /* of keys and values */
    uint8_t digest[16]; /* over all of them in order */
};

struct store_copy_result {
    struct store_copy_family {
        const char *name;
        struct store_copy_count from;
        struct store_copy_count to;
    } families[STORE_FAMILIES_MAX];
    size_t count;     /* of them that were compared */
    uint64_t written; /* rows that the target lacked or had otherwise */
    bool again;       /* it went on with one that had broken off */
    bool same;
};

/*
 * Copies the store at location `from`, which nobody has open, into the one at `to`: an empty one, or one that a copy
 * broke off into. Rows go as the sealed bytes they are; then both are read whole and compared. 0: they are the same,
 * and the target is a store. Until then it opens for nobody but the next copy. ERR_EXISTS: the target is in use;
 * ERR_NOT_FOUND: there is no source; ERR_IMPORT_CHANGED: they differ in the end. Not thread-safe with anything on
 * either store.
 */
int store_copy(const char *from, const char *to, const struct store_copy_options *options,
               struct store_copy_result *result, struct buf *why) MUST_CHECK;

/* ---- looking at a store from outside ---- */

#define STORE_STATUS_NODES 64

struct store_status {
    struct store_facts facts; /* `schema` 0: there is no store yet */
    unsigned schema_wanted;   /* what this program needs */
    bool half_copy;           /* a copy that is not whole */
    size_t node_count;        /* servers that are alive, of a store that several share; the first of them: */
    struct store_status_node {
        char id[40];
        unsigned left_s; /* until it counts as gone, unless it says that it lives */
    } nodes[STORE_STATUS_NODES];
    struct store_status_family {
        const char *name;
        uint64_t rows;
        enum { STORE_ROWS_EXACT, STORE_ROWS_ABOUT, STORE_ROWS_AT_LEAST } sure;
    } families[STORE_FAMILIES_MAX];
    size_t family_count;
};
/* What the store at `location` is; nothing is changed, and servers may run. 0, ERR_NOT_FOUND, or why it can't be told.
 */
int store_status(const char *location, struct store_status *status, struct buf *why) MUST_CHECK;
/* Brings its schema up to what this program needs; servers of this version may run, and others may migrate at the same
 * time. *from is 0 when there was no store. A newer schema: ERR_CORRUPT. */
int store_migrate(const char *location, unsigned *from, unsigned *to, struct buf *why) MUST_CHECK;

#endif
