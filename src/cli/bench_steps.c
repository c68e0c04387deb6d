/*
 * The steps of a batch's way, each alone on one core over customers in memory; and the floor, the least
 * that any program must do with them: parse, encrypt, write, sync, one thread, no index, no network.
 */
#include "cli/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "contract/builtin.h"
#include "contract/contract.h"
#include "crypto/crypto.h"
#include "intake/intake.h"

#define BATCH       1000u
#define PIECE_BYTES (64u << 10)

/* ---- the data ---- */

/* Customers made before the clock starts: `count` items in one text, a comma between them. */
struct items {
    struct buf text;
    struct buf offsets; /* size_t, count + 1 of them; an item ends a byte before the next begins */
    uint64_t count;
};

static int items_make(const struct bench_run *run, enum bench_shape shape, struct items *items)
{
    struct bench_source source = {.seed = run->seed, .shape = shape};
    buf_init(&items->text, 0);
    buf_init(&items->offsets, 0);
    items->count = run->customers;
    for (uint64_t i = 0; i <= items->count; i++) {
        size_t at = items->text.size;
        buf_append(&items->offsets, &at, sizeof at);
        if (i < items->count) {
            bench_customer(&source, i, &items->text, NULL);
            buf_append_byte(&items->text, ',');
        }
    }
    (void)buf_reserve(&items->text, JSON_PADDING);
    return buf_error(&items->text) != 0 ? buf_error(&items->text) : buf_error(&items->offsets);
}

static void items_free(struct items *items)
{
    buf_fini(&items->text);
    buf_fini(&items->offsets);
}

static struct slice item_at(const struct items *items, uint64_t index)
{
    size_t range[2];
    memcpy(range, items->offsets.data + index * sizeof range[0], sizeof range);
    return slice_make(items->text.data + range[0], range[1] - range[0] - 1);
}

/* ---- floor ---- */

struct floor {
    const struct items *items;
    const struct crypto_tenant *keys;
    struct json_parser *parser;
    struct buf sealed;
    int fd;
};

static int floor_batch(struct floor *work, uint64_t first, uint64_t count)
{
    static uint8_t nonces[BATCH][CRYPTO_NONCE_BYTES];
    struct json_doc doc;
    struct json_error error;
    crypto_random(nonces, sizeof nonces);
    buf_clear(&work->sealed);
    for (uint64_t i = 0; i < count; i++) {
        struct slice item = item_at(work->items, first + i);
        int err = json_parse(work->parser, item, &JSON_LIMITS_DEFAULT, &doc, &error);
        if (err != 0) {
            return err;
        }
        crypto_seal(work->keys, CRYPTO_BODY, nonces[i], slice_make(&first, sizeof first), item, &work->sealed);
    }
    if (buf_error(&work->sealed) != 0) {
        return buf_error(&work->sealed);
    }
    ssize_t written = write(work->fd, work->sealed.data, work->sealed.size);
    return written != (ssize_t)work->sealed.size || fdatasync(work->fd) != 0 ? ERR_STORAGE_IO : 0;
}

static int floor_run(const struct bench_run *run, const struct items *items, const struct crypto_tenant *keys,
                     const char *shape)
{
    struct floor work = {.items = items, .keys = keys, .parser = json_parser_new(LIMIT_ITEM_BYTES)};
    struct bench_line line = bench_line_make("floor", shape, "customers/s");
    struct bench_meter meter;
    char path[600];
    snprintf(path, sizeof path, "%s/floor", run->folder);
    buf_init(&work.sealed, 0);
    work.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = work.fd < 0 || work.parser == NULL ? ERR_STORAGE_IO : 0;
    bench_meter_begin(&meter, getpid());
    for (uint64_t first = 0; err == 0 && first < items->count; first += BATCH) {
        err = floor_batch(&work, first, items->count - first < BATCH ? items->count - first : BATCH);
    }
    bench_meter_end(&meter);
    bench_meter_to_line(&meter, items->count, &line);
    if (err == 0) {
        bench_report(&line);
    }
    if (work.fd >= 0) {
        close(work.fd);
    }
    unlink(path);
    buf_fini(&work.sealed);
    json_parser_free(&work.parser);
    return err;
}

/* ---- split ---- */

/* The whole body once, in pieces as a socket gives them; the items found. */
static int split_once(struct slice items_array, struct slice body, uint64_t *found)
{
    struct json_splitter *splitter = json_splitter_new(items_array, LIMIT_ENVELOPE_BYTES);
    int err = splitter == NULL ? ERR_NO_MEMORY : 0;
    *found = 0;
    while (err == 0 && body.size > 0) {
        struct slice piece = slice_make(body.data, body.size < PIECE_BYTES ? body.size : PIECE_BYTES);
        struct slice bytes;
        enum json_split_event event;
        body = slice_from(body, piece.size);
        while ((event = json_splitter_next(splitter, &piece, &bytes)) != JSON_SPLIT_MORE && event != JSON_SPLIT_ERROR) {
            *found += event == JSON_SPLIT_ITEM_END ? 1 : 0;
        }
        err = event == JSON_SPLIT_ERROR ? ERR_MALFORMED_JSON : 0;
    }
    if (err == 0) {
        err = json_splitter_end(splitter);
    }
    json_splitter_free(&splitter);
    return err;
}

static int split_run(const struct bench_run *run, const struct contract *contract, struct slice body, uint64_t count,
                     const char *shape)
{
    struct bench_line line = bench_line_make("split", shape, "MB/s");
    struct bench_meter meter;
    uint64_t rounds = 0;
    uint64_t found = 0;
    int err = 0;
    bench_meter_begin(&meter, getpid());
    int64_t until = meter.began_ns + (int64_t)(run->step_seconds * 1e9);
    while (err == 0 && clock_monotonic_ns() < until) {
        err = split_once(contract_info(contract)->items, body, &found);
        if (err == 0 && found != count) {
            err = ERR_INTERNAL;
        }
        rounds++;
    }
    bench_meter_end(&meter);
    bench_meter_to_line(&meter, rounds * count, &line);
    line.value = (double)rounds * (double)body.size / 1e6 / meter.seconds;
    if (err == 0) {
        bench_report(&line);
    }
    return err;
}

/* ---- check and seal ---- */

static void report_step(const char *name, const char *shape, uint64_t items, int64_t ns, double rss_mib)
{
    struct bench_line line = bench_line_make(name, shape, "customers/s");
    line.value = (double)items * 1e9 / (double)ns;
    line.cpu_per_1000 = (double)ns / 1e6 / (double)items;
    line.rss_mib = rss_mib;
    bench_report(&line);
}

static int check_and_seal(const struct bench_run *run, const struct contract *contract,
                          const struct crypto_tenant *keys, struct slice body, const char *shape)
{
    struct auth_tenant tenant = {.name = "bench", .keys = keys, .id = {{1}}};
    struct bench_meter meter;
    uint64_t items;
    int64_t check_ns;
    int64_t seal_ns;
    bench_meter_begin(&meter, getpid());
    int err = intake_measure(contract, &tenant, body, 2 * run->step_seconds, &items, &check_ns, &seal_ns);
    bench_meter_end(&meter);
    if (err == 0) {
        report_step("check", shape, items, check_ns, meter.rss_mib);
        report_step("seal", shape, items, seal_ns, meter.rss_mib);
    }
    return err;
}

/* ---- all of them ---- */

static int run_steps(const struct bench_run *run, enum bench_shape shape, const struct contract *contract,
                     const struct crypto_tenant *keys)
{
    struct bench_source source = {.seed = run->seed, .shape = shape};
    struct items items;
    struct buf body;
    const char *name = BENCH_SHAPE_NAMES[shape];
    buf_init(&body, 0);
    int err = items_make(run, shape, &items);
    if (err == 0) {
        err = floor_run(run, &items, keys, name);
    }
    if (err == 0) {
        uint64_t count = items.count < 100000 ? items.count : 100000;
        bench_body(&source, 0, count, "bench", &body);
        err = buf_error(&body) != 0 ? buf_error(&body) : split_run(run, contract, buf_view(&body), count, name);
    }
    if (err == 0) {
        err = check_and_seal(run, contract, keys, buf_view(&body), name);
    }
    buf_fini(&body);
    items_free(&items);
    return err == 0 ? bench_store(run, shape) : err;
}

static int run_floor(const struct bench_run *run, enum bench_shape shape, const struct contract *contract,
                     const struct crypto_tenant *keys)
{
    struct items items;
    (void)contract;
    int err = items_make(run, shape, &items);
    if (err == 0) {
        err = floor_run(run, &items, keys, BENCH_SHAPE_NAMES[shape]);
    }
    items_free(&items);
    return err;
}

typedef int steps_fn(const struct bench_run *run, enum bench_shape shape, const struct contract *contract,
                     const struct crypto_tenant *keys);

static int with_keys(const struct bench_run *run, enum bench_shape shape, steps_fn *steps)
{
    uint8_t root[CRYPTO_KEY_BYTES];
    uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES];
    struct uuid tenant = {{1}};
    struct crypto_tenant *keys = NULL;
    struct contract *contract = NULL;
    struct buf why;
    buf_init(&why, 0);
    crypto_random(root, sizeof root);
    struct crypto_ring *ring = crypto_ring_new(root);
    int err = ring == NULL ? ERR_NO_MEMORY : 0;
    if (err == 0) {
        crypto_tenant_key_make(ring, &tenant, wrapped);
        err = crypto_tenant_open(ring, &tenant, wrapped, &keys);
    }
    if (err == 0) {
        err = contract_compile(contract_builtin((size_t)shape), &contract, &why);
    }
    if (err == 0) {
        bench_one_core(true);
        err = steps(run, shape, contract, keys);
        bench_one_core(false);
    }
    if (err != 0) {
        cli_say("bench: steps of %s: %s", BENCH_SHAPE_NAMES[shape], err_text(err));
    }
    contract_free(&contract);
    crypto_tenant_free(&keys);
    crypto_ring_free(&ring);
    buf_fini(&why);
    return err;
}

int bench_steps(const struct bench_run *run, enum bench_shape shape)
{
    return with_keys(run, shape, run_steps);
}

int bench_floor(const struct bench_run *run, enum bench_shape shape)
{
    return with_keys(run, shape, run_floor);
}
