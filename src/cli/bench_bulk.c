/*
 * Bulk: four connections, a thread each, that take the next prepared body and wait for its answer. Every
 * body is made before the clock starts. Ids in the answers are counted: a line is reported only when
 * every customer got one.
 */
#include "cli/bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/bench_http.h"

#define CONNECTIONS 4
#define HEAD_BYTES  8192

struct body {
    size_t at;
    size_t size;
    uint64_t count;
};

struct load {
    const struct bench_server *server;
    enum bench_shape shape;
    struct buf text;
    struct buf bodies; /* struct body */
    size_t body_count;
    uint64_t customers; /* of all bodies */
    atomic_size_t next;
    atomic_uint_fast64_t ids;
    atomic_bool failed;
    char words[BENCH_EXCERPT_BYTES + 100]; /* of the first failure */
};

static void fail(struct load *load, const struct bench_reply *reply)
{
    if (!atomic_exchange(&load->failed, true)) {
        snprintf(load->words, sizeof load->words, "status %d: %.*s", reply->status, (int)reply->excerpt_size,
                 reply->excerpt);
    }
}

static bool post(struct load *load, int *fd, size_t index)
{
    struct bench_reply reply;
    struct body body;
    char head[HEAD_BYTES];
    memcpy(&body, load->bodies.data + index * sizeof body, sizeof body);
    size_t head_size = bench_head(load->server, load->shape, body.size, head, sizeof head);
    bench_reply_begin(&reply);
    if (*fd < 0) {
        *fd = bench_connect(&load->server->address);
    }
    int err = *fd < 0 ? ERR_NETWORK
                      : bench_exchange(*fd, slice_make(head, head_size),
                                       slice_make(load->text.data + body.at, body.size), &reply);
    /* A tenant's name may have hyphens too; the answer names it once. */
    if (err != 0 || reply.status != 200 || reply.hyphens / 4 < body.count) {
        fail(load, &reply);
        return false;
    }
    atomic_fetch_add(&load->ids, body.count);
    if (reply.closes) {
        close(*fd);
        *fd = -1;
    }
    return true;
}

static void *run_connection(void *context)
{
    struct load *load = context;
    int fd = -1;
    bool going = true;
    while (going && !atomic_load(&load->failed)) {
        size_t index = atomic_fetch_add(&load->next, 1);
        going = index < load->body_count && post(load, &fd, index);
    }
    if (fd >= 0) {
        close(fd);
    }
    return NULL;
}

static int make_bodies(const struct bench_source *source, uint64_t batch, uint64_t first, struct load *load)
{
    for (uint64_t done = 0; done < load->customers; done += batch) {
        struct body body = {.at = load->text.size, .count = batch};
        bench_body(source, first + done, body.count, load->server->connection.project, &load->text);
        body.size = load->text.size - body.at;
        buf_append(&load->bodies, &body, sizeof body);
        load->body_count++;
    }
    return buf_error(&load->text) != 0 ? buf_error(&load->text) : buf_error(&load->bodies);
}

static void run_load(struct load *load)
{
    pthread_t threads[CONNECTIONS];
    size_t count = 0;
    while (count < CONNECTIONS && pthread_create(&threads[count], NULL, run_connection, load) == 0) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
}

int bench_bulk(const struct bench_run *run, struct bench_server *server, const struct bench_source *source,
               uint64_t batch, const char *name)
{
    struct load load = {.server = server, .shape = source->shape};
    struct bench_line line = bench_line_make(name, BENCH_SHAPE_NAMES[source->shape], "customers/s");
    struct bench_meter meter;
    buf_init(&load.text, 0);
    buf_init(&load.bodies, 0);
    /* Every connection gets equally many, or the line measures how the last ones are waited for. */
    uint64_t round = batch * CONNECTIONS;
    load.customers = (run->customers + round - 1) / round * round;
    int err = make_bodies(source, batch, server->next, &load);
    server->next += load.customers;
    if (err == 0) {
        bench_meter_begin(&meter, server->pid);
        run_load(&load);
        bench_meter_end(&meter);
        if (atomic_load(&load.failed) || atomic_load(&load.ids) != load.customers) {
            cli_say("bench: %s %s: %s", name, line.shape, load.words);
            err = ERR_NETWORK;
        } else {
            bench_meter_to_line(&meter, load.customers, &line);
            bench_report(&line);
        }
    }
    buf_fini(&load.text);
    buf_fini(&load.bodies);
    return err;
}
