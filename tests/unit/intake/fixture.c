/* See fixture.h. The waker only sets a flag: the feeding thread waits for it, as a connection would. */
#include "fixture.h"

#include <stdlib.h>
#include <time.h>

#include "../test.h"
#include "contract/builtin.h"
#include "store/store_priv.h"

#define MUST(call) assert_int_equal((call), 0)

static void begin_intake(struct fixture *fixture, bool tight, const char *spool)
{
    struct intake_options options = {.store = fixture->store,
                                     .ring = fixture->ring,
                                     .auth = fixture->auth,
                                     .worker_threads = 2,
                                     .hash_threads = 1,
                                     .imports = 64,
                                     .request_chunks = tight ? 2 : 8,
                                     .memory_bytes = tight ? 1 : 64u << 20,
                                     .key_window_ms = 24 * 3600 * 1000,
                                     .spool = spool,
                                     .contracts = fixture->contracts,
                                     .contract_count = FIXTURE_CONTRACTS};
    MUST(intake_new(&options, &fixture->intake));
    fixture->registry.intake = fixture->intake;
}

void fixture_restart(struct fixture *fixture, const char *spool)
{
    intake_free(&fixture->intake);
    begin_intake(fixture, false, spool);
}

void fixture_plant(struct fixture *fixture, const struct store_ops *ops)
{
    intake_free(&fixture->intake);
    fixture->store->ops = ops;
    begin_intake(fixture, false, NULL);
}

void fixture_init(struct fixture *fixture, bool tight)
{
    static const uint8_t root[CRYPTO_KEY_BYTES] = {1, 2, 3};
    *fixture = (struct fixture){0};
    struct buf why;
    buf_init(&why, 0);
    MUST(crypto_init());
    fixture->ring = crypto_ring_new(root);
    MUST(store_open_memory(&fixture->store));
    MUST(auth_new(fixture->store, fixture->ring, SLICE("http://127.0.0.1:1"), &fixture->auth));
    for (size_t i = 0; i < FIXTURE_CONTRACTS; i++) {
        MUST(contract_compile(contract_builtin(i), &fixture->contracts[i], &why));
    }
    MUST(auth_tenant_create(fixture->auth, SLICE("acme"), true, false));
    MUST(auth_tenant_get(fixture->auth, SLICE("acme"), &fixture->tenant));
    begin_intake(fixture, tight, NULL);
    fixture->registry = (struct registry){.store = fixture->store,
                                          .ring = fixture->ring,
                                          .intake = fixture->intake,
                                          .contracts = fixture->contracts,
                                          .contract_count = FIXTURE_CONTRACTS};
    buf_fini(&why);
}

void fixture_fini(struct fixture *fixture)
{
    intake_free(&fixture->intake);
    auth_free(&fixture->auth);
    store_close(&fixture->store);
    for (size_t i = 0; i < FIXTURE_CONTRACTS; i++) {
        contract_free(&fixture->contracts[i]);
    }
    crypto_ring_free(&fixture->ring);
}

const struct contract *fixture_contract(const struct fixture *fixture, const char *name)
{
    for (size_t i = 0; i < FIXTURE_CONTRACTS; i++) {
        if (slice_equal_text(contract_info(fixture->contracts[i])->name, name)) {
            return fixture->contracts[i];
        }
    }
    fail_msg("no contract %s", name);
    return NULL;
}

static void wake(void *context)
{
    struct fixture_batch *batch = context;
    pthread_mutex_lock(&batch->lock);
    batch->awake = true;
    pthread_cond_signal(&batch->woken);
    pthread_mutex_unlock(&batch->lock);
}

static void rest(struct fixture_batch *batch)
{
    intake_rest(batch->import);
    pthread_mutex_lock(&batch->lock);
    while (!batch->awake) {
        pthread_cond_wait(&batch->woken, &batch->lock);
    }
    batch->awake = false;
    pthread_mutex_unlock(&batch->lock);
}

void fixture_begin(struct fixture *fixture, struct fixture_batch *batch, const struct fixture_options *options)
{
    MUST(fixture_try(fixture, batch, options));
}

int fixture_try(struct fixture *fixture, struct fixture_batch *batch, const struct fixture_options *options)
{
    *batch = (struct fixture_batch){0};
    pthread_mutex_init(&batch->lock, NULL);
    pthread_cond_init(&batch->woken, NULL);
    buf_init(&batch->reply, 0);
    struct intake_admission admission = {
        .contract = fixture_contract(fixture, options->contract),
        .strict = options->strict,
        .partial = options->partial,
        .dry_run = options->dry_run,
        .async = options->async,
        .format = options->format,
        .encoding = options->encoding,
        .shape = options->shape,
        .on_existing = options->on_existing,
        .keyed = options->key != NULL,
        .grant = {.tenant = fixture->tenant, .scopes = options->scopes == 0 ? SCOPE_ALL : options->scopes}};
    if (options->key != NULL) {
        MUST(intake_key_mac(admission.contract, fixture->tenant, slice_from_text(options->key), admission.key_mac));
    }
    memset(admission.terms_mac, options->terms, sizeof admission.terms_mac);
    buf_append_text(&admission.envelope, options->envelope == NULL ? "" : options->envelope);
    struct intake_waker waker = {.wake = wake, .context = batch};
    int err = intake_begin(fixture->intake, &admission, &waker, &batch->import);
    intake_admission_fini(&admission);
    return err;
}

void fixture_take(struct fixture_batch *batch, struct slice bytes)
{
    while (!intake_take(batch->import, &bytes)) {
        batch->rests++;
        rest(batch);
    }
}

void fixture_close(struct fixture_batch *batch)
{
    while (!intake_end(batch->import)) {
        rest(batch);
    }
    while (!intake_is_done(batch->import)) {
        rest(batch);
    }
    intake_answer(batch->import, &batch->answer);
}

void fixture_finish(struct fixture_batch *batch)
{
    fixture_close(batch);
    if (batch->answer.error == 0) {
        char piece[4096];
        for (ssize_t size; (size = intake_reply_read(batch->import, piece, sizeof piece)) > 0;) {
            buf_append(&batch->reply, piece, (size_t)size);
        }
    }
}

void fixture_post(struct fixture *fixture, struct fixture_batch *batch, const struct fixture_options *options,
                  struct slice body)
{
    fixture_begin(fixture, batch, options);
    size_t piece = options->piece_size == 0 ? body.size : options->piece_size;
    while (body.size > 0) {
        size_t size = body.size < piece ? body.size : piece;
        /* A copy of its own size: reading past a piece is a fault that a sanitizer sees. */
        char *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, body.data, size);
        fixture_take(batch, slice_make(copy, size));
        free(copy);
        body = slice_from(body, size);
    }
    fixture_finish(batch);
}

void fixture_end(struct fixture_batch *batch)
{
    intake_release(&batch->import);
    buf_fini(&batch->reply);
    pthread_cond_destroy(&batch->woken);
    pthread_mutex_destroy(&batch->lock);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

void fixture_begin_again(struct fixture *fixture, struct fixture_batch *batch, const struct fixture_options *options)
{
    int err = fixture_try(fixture, batch, options);
    while (err == ERR_KEY_IN_FLIGHT) {
        fixture_end(batch);
        pause_ms(1);
        err = fixture_try(fixture, batch, options);
    }
    MUST(err);
}

void fixture_row(struct fixture *fixture, const struct uuid *id, struct store_import *row)
{
    struct buf envelope;
    buf_init(&envelope, 0);
    MUST(store_import_get(fixture->store, &fixture->tenant->id, id, row, &envelope));
    row->envelope = SLICE_NONE;
    buf_fini(&envelope);
}

void fixture_wait_kept(struct fixture *fixture, const struct uuid *id, uint32_t chunks)
{
    struct buf outcomes;
    buf_init(&outcomes, 0);
    while (chunks > 0 &&
           store_import_outcomes(fixture->store, &fixture->tenant->id, id, chunks - 1, NULL, &outcomes) != 0) {
        pause_ms(1);
    }
    buf_fini(&outcomes);
}

static int count_one(void *context, const struct uuid *id, struct slice record)
{
    (void)id;
    (void)record;
    ++*(size_t *)context;
    return 0;
}

size_t fixture_customers(struct fixture *fixture)
{
    size_t count = 0;
    MUST(store_customer_list(fixture->store, &fixture->tenant->id, &(struct uuid){{0}}, SIZE_MAX, count_one, &count));
    return count;
}

void fixture_items(struct buf *body, size_t from, size_t to, bool with_ids)
{
    for (size_t i = from; i < to; i++) {
        buf_printf(body, with_ids ? "%s{\"id\":\"i%zu\"}" : "%s{\"customerName\":\"n%zu\"}", i == 0 ? "" : ",", i);
    }
}
