/*
 * The way of a batch: admit, split, check, seal, keep, answer; a file a step.
 *
 *   HTTP thread      worker threads        keeper (one thread)
 *   admit, split ──► check, seal ──► in order ──► keep ──► answer (HTTP thread)
 *
 * An import is one bulk request under way. Its body is cut into chunks; chunks of one import are
 * checked and sealed in parallel and kept in order. What an import may have under way is bounded;
 * when it is full, intake_take takes less than it is given and the connection must rest until it is
 * woken. That is the whole backpressure.
 *
 * Threads: an import's functions are called by its HTTP thread only; `wake` comes from any thread.
 */
#ifndef INTAKE_INTAKE_H
#define INTAKE_INTAKE_H

#include <sys/types.h>

#include "auth/auth.h"
#include "base/slice.h"
#include "contract/contract.h"
#include "store/store.h"

struct intake;
struct intake_import;

struct intake_options {
    struct store *store;
    const struct crypto_ring *ring;
    struct auth *auth;
    size_t worker_threads;
    size_t hash_threads;
    size_t imports;                    /* imports under way at a time, at most: connections */
    size_t request_chunks;             /* chunks of one import that may be under way */
    size_t memory_bytes;               /* of bodies under way in all; an import may always have one chunk */
    int64_t key_window_ms;             /* how long an idempotency key is kept */
    const char *spool;                 /* folder of bodies that are taken in later; NULL: none are */
    struct contract *const *contracts; /* that such bodies may be for */
    size_t contract_count;
};

/* Starts the workers, the keeper, the hashing lane and the sweeper. 0 or ERR_NO_MEMORY. */
int intake_new(const struct intake_options *options, struct intake **intake) MUST_CHECK;
/* Ends what was taken, then stops all threads. No import may be begun any more. Clears the pointer. */
void intake_free(struct intake **intake);

/* ---- admit ---- */

/* A query parameter, decoded. */
struct intake_param {
    struct slice name;
    struct slice value;
};

/* What the request's head says; what is absent is SLICE_NONE. */
struct intake_headers {
    struct slice authorization;
    struct slice tenant; /* value of the contract's tenant_header */
    struct slice token;  /* value of the contract's token_header */
    struct slice content_type;
    struct slice content_encoding;
    struct slice accept;
    struct slice prefer; /* all fields of that name, joined by commas */
    struct slice idempotency_key;
    const struct intake_param *params; /* of the query: dryRun, onExisting, map, or members of the envelope */
    size_t param_count;
    struct uuid request; /* the request's id */
};

enum intake_encoding { INTAKE_IDENTITY, INTAKE_GZIP, INTAKE_ZSTD };
enum intake_shape { INTAKE_DOCUMENTED, INTAKE_COUNTS, INTAKE_LINES }; /* of a 200: the contract's, or what was asked */

struct intake_admission {
    const struct contract *contract;
    struct auth_grant grant;
    uint8_t format;      /* import_format */
    uint8_t encoding;    /* intake_encoding */
    uint8_t shape;       /* intake_shape */
    uint8_t on_existing; /* import_existing */
    bool partial;        /* handling=lenient */
    bool strict;         /* findings are faults */
    bool dry_run;
    bool async;   /* respond-async */
    bool spooled; /* comes from the spool, as the import of that id */
    struct uuid spooled_id;
    bool keyed; /* an Idempotency-Key came */
    uint8_t key_mac[CRYPTO_MAC_BYTES];
    uint8_t terms_mac[CRYPTO_MAC_BYTES]; /* what besides the body a retry must repeat */
    char applied[128];                   /* Preference-Applied; empty: none */
    struct uuid request;
    uint64_t body_bytes;    /* of the whole body, unpacked, when the head says it; 0: not known */
    unsigned retry_after_s; /* out of intake_begin: when to come again, if it knows; else 0 */
    struct buf envelope;    /* JSON object that the query stands for; empty: none. Owned; intake_admission_fini */
    struct buf map;         /* the query's `map`, decoded; owned */
};

void intake_admission_fini(struct intake_admission *admission);

/* Decides from the headers alone whether the body is wanted. 0, or the ERR_ to refuse with; *what then
 * is a word or sentence on what was missing (static), or NULL. */
int intake_admit(struct auth *auth, const struct contract *contract, const struct intake_headers *headers,
                 int64_t now_ms, struct intake_admission *admission, const char **what) MUST_CHECK;

/* The token of an Authorization header: 0, ERR_TOKEN_MISSING, or ERR_TOKEN_INVALID for another scheme. */
int intake_bearer(struct slice authorization, struct slice *token) MUST_CHECK;

/* The keyed hash under which an idempotency key, spelled as in its header field, is claimed at the contract's
 * address. 0, ERR_BAD_PARAMETER when it is no key, or ERR_NO_MEMORY. */
int intake_key_mac(const struct contract *contract, const struct auth_tenant *tenant, struct slice text,
                   uint8_t mac[CRYPTO_MAC_BYTES]) MUST_CHECK;

/* ---- split: the body arrives ---- */

struct intake_waker {
    void (*wake)(void *context);
    void *context;
};

/* A new import, which takes what the admission owns; the waker is called when a resting import can go on or is done.
 * 0; ERR_NO_MEMORY, ERR_STOPPING, or ERR_OVERLOADED while too many or too much is under way; of an idempotency key
 * ERR_KEY_IN_FLIGHT, ERR_KEY_REUSED or ERR_IMPORT_ENDED; of the tenant's quotas ERR_TOO_LARGE or ERR_QUOTA; or why
 * the store can't be read. */
int intake_begin(struct intake *intake, struct intake_admission *admission, const struct intake_waker *waker,
                 struct intake_import **import) MUST_CHECK;
/* Takes bytes of the body and advances *piece. False: the connection must rest; then this is called again with what
 * is left of the piece, which may be nothing. */
bool intake_take(struct intake_import *import, struct slice *piece) MUST_CHECK;
/* The body is complete. False: the connection must rest, and then this is called again. */
bool intake_end(struct intake_import *import) MUST_CHECK;
/* The connection rests: exactly one wake follows, perhaps at once and from within. */
void intake_rest(struct intake_import *import);

/* ---- answer ---- */

/* True once everything is decided and the functions below may be used. */
bool intake_is_done(struct intake_import *import);

struct intake_fault {
    bool of_envelope; /* else of the item at `index` */
    uint64_t index;
    const char *code;
    struct slice pointer;
    struct slice detail;
    struct slice hint;
    struct uuid customer; /* the existing customer of a conflict, else zero */
};

/* Appends the fault as an object of a list of errors. */
void intake_fault_write(struct json_writer *writer, const struct intake_fault *fault);

struct intake_answer {
    int error;               /* 0: kept, and ids are there */
    unsigned retry_after_s;  /* when to come again, if that is known; else 0 */
    bool accepted;           /* respond-async: the body is safely taken, nothing is decided yet */
    bool replayed;           /* the first answer to this idempotency key, again */
    bool partial;            /* handling=lenient */
    struct uuid request;     /* the request that was first answered so */
    struct json_error place; /* of malformed bodies: reason, offset, line, column; reason NULL when none */
    const char *scope;       /* the missing scope of ERR_SCOPE_MISSING, or NULL */
    const struct intake_fault *faults;
    size_t fault_count;
    uint64_t fault_total;
    uint64_t item_count;
    uint64_t created;
    uint64_t existing;
    uint64_t updated;
    uint64_t skipped;
    uint64_t refused; /* items with faults */
    uint64_t findings;
    uint64_t bytes; /* of the body, unpacked */
};

const struct uuid *intake_import_id(const struct intake_import *import);
/* The outcome; views live until the import is released. */
void intake_answer(struct intake_import *import, struct intake_answer *answer);
/* The answer's body when error is 0: the next bytes of it, up to `room`; 0 at its end, negative ERR_. It is read
 * from the store as it is sent: ids don't gather in memory. */
ssize_t intake_reply_read(struct intake_import *import, char *to, size_t room);
/* Its media type. */
const char *intake_reply_type(const struct intake_import *import);

/* The HTTP side is done with it, or the client is gone: an import whose body was not complete is
 * aborted. Clears the pointer. */
void intake_release(struct intake_import **import);

/* ---- imports that are under way ---- */

struct intake_progress {
    uint64_t received; /* items taken from the body */
    uint64_t decided;  /* items of chunks that are kept or refused */
    uint64_t created;
    uint64_t existing;
    uint64_t updated;
    uint64_t skipped;
    uint64_t refused;
    uint64_t findings;
    uint64_t bytes;
    int64_t started_ms;
};
/* How far it is; false when no request or spooled body of it is under way here. Any thread. */
bool intake_progress(struct intake *intake, const struct uuid *tenant, const struct uuid *id,
                     struct intake_progress *progress);
/* Whether it will be gone on with here: the same, or its spooled body waits since an earlier run. Any thread. */
bool intake_is_under_way(struct intake *intake, const struct uuid *tenant, const struct uuid *id);
/* Ends an open import as aborted, under way or left by its client. 0 when it will be or is; ERR_NOT_FOUND;
 * ERR_IMPORT_ENDED. Any thread. */
int intake_abort(struct intake *intake, const struct uuid *tenant, const struct uuid *id) MUST_CHECK;

/* Hashes a customer's pending secrets at once, by the calling thread. 0, ERR_NOT_FOUND, or ERR_BUSY when the
 * hashing lane was quicker. */
int intake_hash_now(struct intake *intake, const struct uuid *tenant, const struct uuid *id) MUST_CHECK;

/* ---- for measurements: the steps of one chunk, by one thread ---- */

/* Runs check, and when `seal` seal, over the items of a body again and again until `seconds` have gone
 * by; returns items done and the nanoseconds of each step. */
int intake_measure(const struct contract *contract, const struct auth_tenant *tenant, struct slice body, double seconds,
                   uint64_t *items, int64_t *check_ns, int64_t *seal_ns) MUST_CHECK;

#endif
