/*
 * The server from start to stop. Parts are made in the order in which they need each other and unmade in
 * the reverse; one struct holds them all, so that a start that breaks off halfway ends by the same
 * way out.
 */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/log.h"
#include "contract/builtin.h"
#include "daemon/daemon_priv.h"
#include "http/http.h"
#include "intake/intake.h"
#include "registry/registry.h"
#include "store/store.h"

#define CONTRACTS_MAX       64u
#define INTAKE_MEMORY_BYTES (16u << 20)
#define CONTRACT_FILE_BYTES (4u << 20)
#define HOUR_MS             3600000
#define SHARED_HTTP_THREADS 8u
#define MALLOC_ARENAS       4
#define MALLOC_MMAP_BYTES   (16 << 20)
#define MALLOC_TRIM_BYTES   (128 << 20)

struct parts {
    const struct daemon_config *config;
    struct buf why;
    struct crypto_ring *ring;
    struct store *store;
    int lock; /* of the data folder, where the store has none; -1: none */
    int listening;
    uint16_t port;
    int watched; /* socket for who asks how we are; -1: none */
    struct buf url;
    struct auth *auth;
    struct contract *contracts[CONTRACTS_MAX];
    size_t contract_count;
    char spool[600]; /* folder of bodies that are taken in later */
    struct intake *intake;
    struct registry registry;
    struct housekeeping *housekeeping;
    struct http_server *http;
};

static size_t cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (size_t)count;
}

static size_t or_standard(uint64_t configured, size_t standard)
{
    return configured == 0 ? standard : (size_t)configured;
}

/* Answers of a database are waited for, so there are some more. */
static size_t http_threads(const struct daemon_config *config)
{
    bool few = store_is_shared(config->store) && cores() < SHARED_HTTP_THREADS;
    return or_standard(config->http_threads, few ? SHARED_HTTP_THREADS : cores());
}

static size_t hash_threads(const struct daemon_config *config)
{
    return or_standard(config->hash_threads, cores() / 2 > 0 ? cores() / 2 : 1);
}

/* ---- contracts ---- */

static int add_contract(struct parts *parts, struct slice text, const char *name)
{
    struct buf reason;
    buf_init(&reason, 0);
    int err = parts->contract_count == CONTRACTS_MAX
                  ? ERR_CONTRACT
                  : contract_compile(text, &parts->contracts[parts->contract_count], &reason);
    if (err == 0) {
        parts->contract_count++;
    } else {
        buf_printf(&parts->why, "contract %s: %.*s", name, SLICE_ARG(buf_view(&reason)));
    }
    buf_fini(&reason);
    return err;
}

static int load_builtin(struct parts *parts)
{
    int err = 0;
    for (size_t i = 0; err == 0; i++) {
        struct slice text = contract_builtin(i);
        if (text.size == 0) {
            break;
        }
        err = add_contract(parts, text, "(built in)");
    }
    return err;
}

static int load_file(struct parts *parts, const char *folder, const char *name)
{
    struct buf text;
    buf_init(&text, CONTRACT_FILE_BYTES);
    int err = folder_read(folder, name, &text);
    if (err == 0) {
        err = add_contract(parts, buf_view(&text), name);
    } else {
        buf_printf(&parts->why, "contract %s/%s can't be read", folder, name);
    }
    buf_fini(&text);
    return err;
}

static int load_folder(struct parts *parts, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    int err = 0;
    if (count < 0) {
        buf_printf(&parts->why, "contracts: %s: %s", folder, strerror(errno));
        return ERR_CONFIG;
    }
    for (int i = 0; i < count; i++) {
        size_t size = strlen(entries[i]->d_name);
        if (err == 0 && size > 5 && strcmp(entries[i]->d_name + size - 5, ".json") == 0) {
            err = load_file(parts, folder, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    return err;
}

/* Two contracts can't share a number, which records hold, or a path. */
static int check_contracts(struct parts *parts)
{
    for (size_t i = 0; i < parts->contract_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct contract_info *a = contract_info(parts->contracts[i]);
            const struct contract_info *b = contract_info(parts->contracts[j]);
            if (a->number == b->number || slice_equal(a->path, b->path) || slice_equal(a->name, b->name)) {
                buf_printf(&parts->why, "contracts %.*s and %.*s have the same number, name or path",
                           SLICE_ARG(a->name), SLICE_ARG(b->name));
                return ERR_CONTRACT;
            }
        }
    }
    if (parts->contract_count == 0) {
        buf_append_text(&parts->why, "there is no contract file (*.json) in the contracts folder");
        return ERR_CONTRACT;
    }
    return 0;
}

static int load_contracts(struct parts *parts)
{
    const char *folder = parts->config->contracts;
    int err = folder[0] == '\0' ? load_builtin(parts) : load_folder(parts, folder);
    return err == 0 ? check_contracts(parts) : err;
}

/* ---- the steps of the start ---- */

static int open_ring(struct parts *parts, enum daemon_ring_new fresh)
{
    const struct daemon_config *config = parts->config;
    return daemon_ring_open(config->data, config->root_key, fresh, &parts->ring, &parts->why);
}

/* Whether there is a root key already is in the rows, so the store is opened first. Two servers under one id would take
 * each other's imports for their own, so a folder is one server's, and a copy of it another's. */
static int open_shared(struct parts *parts, const char *location, struct store_options *options)
{
    bool has_root = false;
    int err = folder_make(parts->config->data, &parts->why);
    err = err == 0 ? folder_lock(parts->config->data, &parts->lock, &parts->why) : err;
    err = err == 0 ? folder_node_here(parts->config->data, &options->node, &parts->why) : err;
    err = err == 0 ? store_open(location, options, &parts->store, &parts->why) : err;
    err = err == 0 ? auth_has_root(parts->store, &has_root) : err;
    return err == 0 ? open_ring(parts, has_root ? DAEMON_RING_ELSEWHERE : DAEMON_RING_NEW) : err;
}

/* Every store of the embedded kind has this file. */
static bool holds_store(const char *folder)
{
    char path[620];
    snprintf(path, sizeof path, "%s/CURRENT", folder);
    return access(path, F_OK) == 0;
}

static int open_store(struct parts *parts)
{
    const struct daemon_config *config = parts->config;
    char location[600];
    struct store_options options = {.unsafe_no_sync = config->unsafe_no_sync,
                                    .memory_bytes = (size_t)config->store_memory << 20,
                                    .connections = (unsigned)config->store_connections,
                                    .patience_ms = (unsigned)config->store_patience * 1000};
    daemon_store_location(config->data, config->store, location);
    if (store_is_shared(location)) {
        return open_shared(parts, location, &options);
    }
    bool elsewhere = config->store[0] != '\0' && holds_store(location);
    int err = open_ring(parts, elsewhere ? DAEMON_RING_ELSEWHERE : DAEMON_RING_NEW);
    return err == 0 ? store_open(location, &options, &parts->store, &parts->why) : err;
}

static void tell_store(struct parts *parts)
{
    struct store_facts facts;
    store_facts(parts->store, &facts);
    log_info(NULL, "store", "\"kind\":\"%s\",\"engine\":\"%s\",\"durability\":\"%s\",\"schema\":%u", facts.kind,
             facts.engine, facts.durability, facts.schema);
}

static int open_port(struct parts *parts)
{
    const struct daemon_config *config = parts->config;
    uint16_t watched = 0;
    int err = http_listen(config->listen, &parts->listening, &parts->port, &parts->why);
    if (err == 0 && config->health_listen[0] != '\0') {
        err = http_listen(config->health_listen, &parts->watched, &watched, &parts->why);
    }
    if (err != 0) {
        return err;
    }
    if (config->url[0] != '\0') {
        buf_append_text(&parts->url, config->url);
    } else {
        const char *colon = strrchr(config->listen, ':');
        buf_printf(&parts->url, "http://%.*s:%u", (int)(colon - config->listen), config->listen, parts->port);
    }
    return buf_error(&parts->url);
}

static int open_auth(struct parts *parts)
{
    int err = auth_new(parts->store, parts->ring, buf_view(&parts->url), &parts->auth);
    if (err == ERR_KEY) {
        const char *source = parts->config->root_key;
        buf_printf(&parts->why, "%s%s is not the key that this store was made with",
                   source[0] == '\0' ? parts->config->data : "what root_key names",
                   source[0] == '\0' ? "/keys/root.key" : "");
    } else if (err != 0) {
        buf_append_text(&parts->why, err_text(err));
    }
    return err;
}

/* The operator's key is made once and shown only in its file. */
static int make_operator(struct parts *parts)
{
    return folder_operator(parts->auth, parts->config->data, &parts->why);
}

static int make_demo(struct parts *parts)
{
    if (!parts->config->demo) {
        return 0;
    }
    struct buf key;
    buf_init(&key, 0);
    int err = folder_read(parts->config->data, "operator.key", &key);
    if (err == 0 || err == ERR_NOT_FOUND) {
        err = demo_prepare(parts->auth, parts->config->data, buf_view(&parts->url), buf_view(&key), &parts->why);
    }
    crypto_wipe(key.data, key.size);
    buf_fini(&key);
    return err;
}

static bool is_under_way(void *context, const struct uuid *tenant, const struct uuid *import)
{
    const struct parts *parts = context;
    return intake_is_under_way(parts->intake, tenant, import);
}

/* The main thread waits for it. */
static void ask_to_end(void *context)
{
    (void)context;
    (void)kill(getpid(), SIGTERM);
}

static int start_housekeeping(struct parts *parts)
{
    const struct daemon_config *config = parts->config;
    struct housekeeping_options options = {.store = parts->store,
                                           .failed_linger_s = (unsigned)config->failed_linger,
                                           .idempotency_window_h = (unsigned)config->idempotency_window,
                                           .resume_window_h = (unsigned)config->resume_window,
                                           .report_days = (unsigned)config->report_days,
                                           .under_way = is_under_way,
                                           .give_up = ask_to_end,
                                           .context = parts};
    return housekeeping_start(&options, &parts->housekeeping);
}

static int start_intake(struct parts *parts)
{
    const struct daemon_config *config = parts->config;
    struct intake_options options = {.store = parts->store,
                                     .ring = parts->ring,
                                     .auth = parts->auth,
                                     .worker_threads = or_standard(config->worker_threads, cores()),
                                     .hash_threads = hash_threads(config),
                                     .imports = (size_t)config->connections,
                                     .request_chunks = (size_t)config->request_chunks,
                                     .memory_bytes = INTAKE_MEMORY_BYTES,
                                     .key_window_ms = (int64_t)config->idempotency_window * HOUR_MS,
                                     .spool = parts->spool,
                                     .contracts = parts->contracts,
                                     .contract_count = parts->contract_count};
    int err = folder_spool(config->data, parts->spool, &parts->why);
    err = err == 0 ? intake_new(&options, &parts->intake) : err;
    parts->registry = (struct registry){.store = parts->store,
                                        .ring = parts->ring,
                                        .intake = parts->intake,
                                        .contracts = parts->contracts,
                                        .contract_count = parts->contract_count};
    return err == 0 ? start_housekeeping(parts) : err;
}

static int start_http(struct parts *parts)
{
    const struct daemon_config *config = parts->config;
    struct http_options options = {.listening = parts->listening,
                                   .threads = http_threads(config),
                                   .watched = parts->watched,
                                   .slow_threads = hash_threads(config),
                                   .connections = (size_t)config->connections,
                                   .address_connections = (size_t)config->address_connections,
                                   .requests = (size_t)config->requests,
                                   .tenant_requests = (size_t)config->tenant_requests,
                                   .idle_timeout_s = (unsigned)config->idle_timeout,
                                   .header_timeout_s = (unsigned)config->header_timeout,
                                   .body_window_s = (unsigned)config->body_window,
                                   .body_rate_min = (size_t)config->body_rate_min,
                                   .auth = parts->auth,
                                   .intake = parts->intake,
                                   .registry = &parts->registry};
    return http_start(&options, &parts->http);
}

static int start(struct parts *parts)
{
    int (*const steps[])(struct parts *) = {load_contracts, open_store, open_port,    open_auth,
                                            make_operator,  make_demo,  start_intake, start_http};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int err = steps[i](parts);
        if (err != 0) {
            if (parts->why.size == 0) {
                buf_append_text(&parts->why, err_text(err));
            }
            return err;
        }
    }
    return 0;
}

static void unmake(struct parts *parts)
{
    housekeeping_stop(&parts->housekeeping);
    intake_free(&parts->intake);
    auth_free(&parts->auth);
    store_close(&parts->store);
    if (parts->lock >= 0) {
        close(parts->lock);
    }
    crypto_ring_free(&parts->ring);
    for (size_t i = 0; i < parts->contract_count; i++) {
        contract_free(&parts->contracts[i]);
    }
    buf_fini(&parts->url);
    buf_fini(&parts->why);
}

/* ---- the process ---- */

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* a closed terminal is no reason to stop; there is nothing to read again */
}

/* Few arenas, and large blocks go back to the system: memory stays level under load. */
static void tune_memory(void)
{
    mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    mallopt(M_MMAP_THRESHOLD, MALLOC_MMAP_BYTES);
    mallopt(M_TRIM_THRESHOLD, MALLOC_TRIM_BYTES);
}

static int stop(struct parts *parts)
{
    log_info(NULL, "stopping", NULL);
    if (!http_drain(parts->http, (unsigned)parts->config->stop_timeout)) {
        /* Their customers were not acknowledged, so nothing is lost by ending here. */
        log_warning(NULL, "stopped with requests under way", NULL);
        _exit(1);
    }
    if (store_health(parts->store) == ERR_STORAGE_STOPPED) {
        /* Closing the store would write, and nothing more may be written there. */
        log_error(NULL, "stopped, storage failed", NULL);
        _exit(1);
    }
    http_stop(&parts->http);
    log_info(NULL, "stopped", NULL);
    return 0;
}

int daemon_serve(const struct daemon_config *config)
{
    struct parts parts = {.config = config, .listening = -1, .watched = -1, .lock = -1};
    sigset_t signals;
    int received = 0;
    buf_init(&parts.why, 0);
    buf_init(&parts.url, 0);
    tune_memory();
    block_signals(&signals);
    int err = crypto_init();
    if (err == 0) {
        err = start(&parts);
    }
    if (err != 0) {
        fprintf(stderr, "muster: %.*s\n", SLICE_ARG(buf_view(&parts.why)));
        unmake(&parts);
        return err;
    }
    tell_store(&parts);
    log_info(NULL, "listening", "\"port\":%u", parts.port);
    printf("muster is ready at %.*s\n", SLICE_ARG(buf_view(&parts.url)));
    fflush(stdout);
    sigwait(&signals, &received);
    err = stop(&parts);
    unmake(&parts);
    return err;
}
