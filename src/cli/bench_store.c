/*
 * The embedded store by itself: commits of 1,000 customers with their index entries and a sync each.
 * Records are made by the same thread between the commits, with the clock stopped; the store's own
 * threads run on, on the same core.
 */
#include "cli/bench.h"

#include <unistd.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "record/record.h"
#include "store/store.h"

#define BATCH 1000u
#define KEYS  3u

struct filling {
    struct store *store;
    struct bench_source source;
    const struct crypto_tenant *keys;
    struct uuid tenant;
    struct uuid_maker uuids;
    struct buf records;
    struct buf scratch;
    size_t offsets[BATCH + 1];
    struct record_key index[BATCH][KEYS];
    uint8_t fingerprints[BATCH][CRYPTO_MAC_BYTES];
    struct store_customer customers[BATCH];
    struct store_outcome outcomes[BATCH];
    int64_t commit_ns;
    int64_t own_cpu_ns; /* of making records */
};

static struct uuid next_id(struct filling *filling)
{
    uint64_t random;
    crypto_random(&random, sizeof random);
    return uuid_make(&filling->uuids, (uint64_t)clock_real_ms(), random);
}

static void make_record(struct filling *filling, uint64_t n, size_t i, const struct uuid *import)
{
    static const enum identifier_kind kinds[BENCH_SHAPES][KEYS] = {
        {IDENTIFIER_EXTERNAL_ID, IDENTIFIER_EMAIL, IDENTIFIER_PHONE},
        {IDENTIFIER_EXTERNAL_ID, IDENTIFIER_WALLET, IDENTIFIER_DID},
    };
    struct bench_keys texts;
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    buf_clear(&filling->scratch);
    bench_customer(&filling->source, n, &filling->scratch, &texts);
    const struct slice values[KEYS] = {texts.external_id, texts.first, texts.second};
    for (size_t k = 0; k < KEYS; k++) {
        struct record_key *key = &filling->index[i][k];
        key->kind = (uint8_t)kinds[filling->source.shape][k];
        key->unique = k == 0;
        crypto_blind(filling->keys, kinds[filling->source.shape][k], values[k], key->mac);
    }
    crypto_fingerprint(filling->keys, buf_view(&filling->scratch), filling->fingerprints[i]);
    struct record_header header = {.contract = (uint8_t)(filling->source.shape + 1),
                                   .tenant = filling->tenant,
                                   .id = next_id(filling),
                                   .import = *import,
                                   .created_ms = clock_real_ms(),
                                   .updated_ms = clock_real_ms(),
                                   .keys = filling->index[i],
                                   .key_count = KEYS};
    memcpy(header.fingerprint, filling->fingerprints[i], sizeof header.fingerprint);
    struct record_body body = {.document = buf_view(&filling->scratch), .card = SLICE("{}")};
    crypto_random(nonce, sizeof nonce);
    record_write(&header, &body, filling->keys, nonce, &filling->records);
    filling->customers[i] = (struct store_customer){
        .id = header.id, .fingerprint = filling->fingerprints[i], .keys = filling->index[i], .key_count = KEYS};
    filling->offsets[i + 1] = filling->records.size;
}

static int make_batch(struct filling *filling, uint64_t first, size_t count, const struct uuid *import)
{
    int64_t began = clock_thread_cpu_ns();
    buf_clear(&filling->records);
    filling->offsets[0] = 0;
    for (size_t i = 0; i < count; i++) {
        make_record(filling, first + i, i, import);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = filling->offsets[i];
        filling->customers[i].record = slice_make(filling->records.data + at, filling->offsets[i + 1] - at);
    }
    filling->own_cpu_ns += clock_thread_cpu_ns() - began;
    return buf_error(&filling->records);
}

static int commit_batch(struct filling *filling, uint64_t first, size_t count)
{
    struct uuid import = next_id(filling);
    int err = make_batch(filling, first, count, &import);
    if (err != 0) {
        return err;
    }
    struct store_import row = {.tenant = filling->tenant,
                               .id = import,
                               .state = IMPORT_COMMITTED,
                               .contract = (uint8_t)(filling->source.shape + 1),
                               .received = count,
                               .chunks = 1,
                               .started_ms = clock_real_ms(),
                               .ended_ms = clock_real_ms()};
    struct store_chunk chunk = {.tenant = filling->tenant,
                                .import = import,
                                .customers = filling->customers,
                                .count = count,
                                .atomic = true,
                                .row = &row,
                                .outcomes = filling->outcomes};
    struct store_chunk *const chunks[] = {&chunk};
    int64_t began = clock_monotonic_ns();
    err = store_commit(filling->store, chunks, 1);
    filling->commit_ns += clock_monotonic_ns() - began;
    return err != 0 ? err : chunk.kept ? 0 : chunk.error != 0 ? chunk.error : ERR_INTERNAL;
}

static int fill(const struct bench_run *run, struct filling *filling)
{
    struct bench_line line = bench_line_make("store", BENCH_SHAPE_NAMES[filling->source.shape], "customers/s");
    struct bench_meter meter;
    int err = 0;
    buf_init(&filling->records, 0);
    buf_init(&filling->scratch, 0);
    bench_meter_begin(&meter, getpid());
    for (uint64_t first = 0; err == 0 && first < run->customers; first += BATCH) {
        uint64_t left = run->customers - first;
        err = commit_batch(filling, first, left < BATCH ? (size_t)left : BATCH);
    }
    bench_meter_end(&meter);
    if (err == 0) {
        meter.cpu -= (double)filling->own_cpu_ns / 1e9;
        meter.seconds = (double)filling->commit_ns / 1e9;
        bench_meter_to_line(&meter, run->customers, &line);
        bench_report(&line);
    }
    buf_fini(&filling->records);
    buf_fini(&filling->scratch);
    return err;
}

static int with_keys(const struct bench_run *run, enum bench_shape shape, struct store *store,
                     const struct crypto_ring *ring)
{
    static struct filling filling;
    struct crypto_tenant *keys = NULL;
    uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES];
    struct uuid tenant = {{1}};
    crypto_tenant_key_make(ring, &tenant, wrapped);
    int err = crypto_tenant_open(ring, &tenant, wrapped, &keys);
    if (err == 0) {
        filling = (struct filling){
            .store = store, .keys = keys, .tenant = tenant, .source = {.seed = run->seed, .shape = shape}};
        err = fill(run, &filling);
    }
    crypto_tenant_free(&keys);
    return err;
}

int bench_store(const struct bench_run *run, enum bench_shape shape)
{
    char path[600];
    uint8_t root[CRYPTO_KEY_BYTES];
    struct store_options options = {0};
    struct store *store = NULL;
    struct buf why;
    snprintf(path, sizeof path, "%s/store", run->folder);
    crypto_random(root, sizeof root);
    buf_init(&why, 0);
    struct crypto_ring *ring = crypto_ring_new(root);
    int err = ring == NULL ? ERR_NO_MEMORY : store_open_rocks(path, &options, &store, &why);
    if (err == 0) {
        err = with_keys(run, shape, store, ring);
        store_close(&store);
    } else {
        cli_say("bench: %s: %.*s", path, SLICE_ARG(buf_view(&why)));
    }
    crypto_ring_free(&ring);
    buf_fini(&why);
    bench_remove(path);
    return err;
}
