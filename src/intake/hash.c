/*
 * The hashing lane: plain secrets that were kept sealed are turned into Argon2id here, behind the
 * batches' backs, by a few threads of low priority: their number is the CPU budget.
 *
 * What is pending stands in the store, so a restart forgets nothing. Threads share one round of the tenants
 * (turns.c); when it comes to the end they sleep until a commit wakes them. A row that
 * somebody else replaced meanwhile (a verification hashes at once) is simply passed over.
 *
 * The difficulty is that commits wake threads which hardly ever run: whoever commits must not wait while one of them
 * asks the store. So there are two locks, and who wakes takes only the one that nobody holds for longer than a copy.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "intake/intake_priv.h"

#define LOWEST_PRIORITY 19
#define RETRY_SECONDS   1
#define WOKEN_MAX       64u /* tenants; of more, the search in the store finds the rest */

struct intake_hash_lane {
    struct intake *intake;
    pthread_t *threads;
    size_t count;
    pthread_mutex_t turns_lock; /* of the turns; the store is asked under it. Taken before the other */
    struct hash_turns *turns;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work;
    struct uuid woken[WOKEN_MAX]; /* tenants that the turns have not been told of */
    size_t woken_count;
    uint64_t wakes; /* commits that may have brought work */
    uint64_t seen;  /* wakes at the time the last sleep ended */
    bool stopping;
};

/* Under turns_lock. */
static void tell_turns(struct intake_hash_lane *lane)
{
    struct uuid woken[WOKEN_MAX];
    pthread_mutex_lock(&lane->lock);
    size_t count = lane->woken_count;
    memcpy(woken, lane->woken, count * sizeof *woken);
    lane->woken_count = 0;
    pthread_mutex_unlock(&lane->lock);
    for (size_t i = 0; i < count; i++) {
        hash_turns_add(lane->turns, &woken[i]);
    }
}

/* The next pending customer; false when there is none. */
static bool next_pending(struct intake_hash_lane *lane, struct uuid *tenant, struct uuid *id)
{
    pthread_mutex_lock(&lane->turns_lock);
    tell_turns(lane);
    int err = hash_turns_next(lane->turns, lane->intake->options.store, clock_monotonic_ns() / 1000000, tenant, id);
    pthread_mutex_unlock(&lane->turns_lock);
    return err == 0;
}

/* Replaces every pending secret by its hash; the hashes live in `hashes`. */
static int hash_secrets(const struct crypto_ring *ring, struct record_secret *secrets, size_t count, struct buf *hashes,
                        size_t *offsets)
{
    for (size_t i = 0; i < count; i++) {
        offsets[i] = hashes->size;
        if (secrets[i].state == SECRET_PENDING) {
            int err = crypto_password_hash(ring, secrets[i].value, hashes);
            if (err != 0) {
                return err;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (secrets[i].state == SECRET_PENDING) {
            size_t end = i + 1 < count ? offsets[i + 1] : hashes->size;
            secrets[i].value = slice_make(hashes->data + offsets[i], end - offsets[i]);
            secrets[i].state = SECRET_READY;
        }
    }
    return 0;
}

/* `owner` is what the row is sealed to. */
static int rewrite_row(const struct intake_options *options, const struct auth_tenant *tenant, const struct uuid *id,
                       const struct uuid *owner, struct slice old, struct buf *plain, struct buf *hashes,
                       struct buf *row)
{
    struct record_secret secrets[RECORD_SECRETS_MAX];
    size_t offsets[RECORD_SECRETS_MAX];
    size_t count;
    int err = record_secrets_open(&tenant->id, owner, old, tenant->keys, plain, secrets, &count);
    if (err == 0) {
        err = hash_secrets(options->ring, secrets, count, hashes, offsets);
    }
    if (err != 0) {
        return err;
    }
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    crypto_random(nonce, sizeof nonce);
    record_secrets_write(&tenant->id, owner, secrets, count, tenant->keys, nonce, row);
    err = buf_error(row);
    return err == 0 ? store_secrets_replace(options->store, &tenant->id, id, old, buf_view(row), false) : err;
}

static int hash_customer(const struct intake_options *options, const struct uuid *tenant_id, const struct uuid *id)
{
    const struct auth_tenant *tenant;
    int err = auth_tenant_of_data(options->auth, tenant_id, &tenant);
    if (err != 0) {
        return err;
    }
    struct buf old, plain, hashes, row;
    buf_init(&old, 0);
    buf_init(&plain, 0);
    buf_init(&hashes, 0);
    buf_init(&row, 0);
    struct uuid owner;
    err = store_secrets_get(options->store, tenant_id, id, &owner, &old);
    if (err == 0) {
        err = rewrite_row(options, tenant, id, &owner, buf_view(&old), &plain, &hashes, &row);
    }
    crypto_wipe(plain.data, plain.size);
    buf_fini(&old);
    buf_fini(&plain);
    buf_fini(&hashes);
    buf_fini(&row);
    return err;
}

int intake_hash_now(struct intake *intake, const struct uuid *tenant, const struct uuid *id)
{
    return hash_customer(&intake->options, tenant, id);
}

/* Sleeps until there may be work again; false when the lane ends. */
static bool wait_for_work(struct intake_hash_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    if (!lane->stopping && lane->seen == lane->wakes) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += RETRY_SECONDS;
        pthread_cond_timedwait(&lane->work, &lane->lock, &until);
    }
    lane->seen = lane->wakes;
    bool go_on = !lane->stopping;
    pthread_mutex_unlock(&lane->lock);
    return go_on;
}

static bool is_stopping(struct intake_hash_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    bool stopping = lane->stopping;
    pthread_mutex_unlock(&lane->lock);
    return stopping;
}

static void *lane_run(void *context)
{
    struct intake_hash_lane *lane = context;
    /* On Linux the priority of the calling thread only (setpriority(2), NOTES). */
    setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY);
    while (wait_for_work(lane)) {
        struct uuid tenant, id;
        while (!is_stopping(lane) && next_pending(lane, &tenant, &id)) {
            int err = hash_customer(&lane->intake->options, &tenant, &id);
            if (err != 0 && err != ERR_BUSY && err != ERR_NOT_FOUND) {
                log_error(NULL, "hashing failed", "\"code\":\"%s\"", err_code(err));
            }
        }
    }
    return NULL;
}

struct intake_hash_lane *hash_lane_new(struct intake *intake)
{
    struct intake_hash_lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL) {
        return NULL;
    }
    lane->intake = intake;
    lane->wakes = 1;
    pthread_mutex_init(&lane->turns_lock, NULL);
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->work, NULL);
    lane->turns = hash_turns_new();
    lane->threads = calloc(intake->options.hash_threads + 1, sizeof *lane->threads);
    while (lane->turns != NULL && lane->threads != NULL && lane->count < intake->options.hash_threads &&
           thread_start(&lane->threads[lane->count], "hash", lane_run, lane) == 0) {
        lane->count++;
    }
    if (lane->turns == NULL || lane->count < intake->options.hash_threads) {
        hash_lane_free(&lane);
    }
    return lane;
}

/* Under the lock. */
static void note_woken(struct intake_hash_lane *lane, const struct uuid *tenant)
{
    for (size_t i = 0; i < lane->woken_count; i++) {
        if (uuid_equal(&lane->woken[i], tenant)) {
            return;
        }
    }
    if (lane->woken_count < WOKEN_MAX) {
        lane->woken[lane->woken_count++] = *tenant;
    }
}

void hash_lane_wake(struct intake_hash_lane *lane, const struct uuid *tenant)
{
    pthread_mutex_lock(&lane->lock);
    note_woken(lane, tenant);
    lane->wakes++;
    pthread_cond_broadcast(&lane->work);
    pthread_mutex_unlock(&lane->lock);
}

void hash_lane_free(struct intake_hash_lane **lane)
{
    struct intake_hash_lane *freed = *lane;
    *lane = NULL;
    if (freed == NULL) {
        return;
    }
    pthread_mutex_lock(&freed->lock);
    freed->stopping = true;
    pthread_cond_broadcast(&freed->work);
    pthread_mutex_unlock(&freed->lock);
    for (size_t i = 0; i < freed->count; i++) {
        pthread_join(freed->threads[i], NULL);
    }
    pthread_cond_destroy(&freed->work);
    pthread_mutex_destroy(&freed->lock);
    pthread_mutex_destroy(&freed->turns_lock);
    hash_turns_free(&freed->turns);
    free(freed->threads);
    free(freed);
}
