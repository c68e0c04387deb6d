/*
 * The hashing lane: how many plain passwords a second the server turns into Argon2id, alone and while a
 * bulk load runs. The lane works in the order of ids, so the number of hashed ones among a batch is found
 * by bisection over the states that the server shows.
 */
#include "cli/bench.h"

#include <time.h>

#include "base/clock.h"
#include "cli/client.h"

#define PENDING       3000u
#define ALONE_SECONDS 4

struct lane {
    struct bench_server *server;
    struct cli_json answer; /* to the batch: the ids in order */
    json_at ids;
    uint64_t count;
};

static int post_plain(const struct bench_run *run, struct lane *lane)
{
    struct bench_source source = {.seed = run->seed, .shape = BENCH_CYREXA, .plain_secrets = true};
    const struct connection *connection = &lane->server->connection;
    struct client_answer answer;
    struct buf body;
    buf_init(&body, 0);
    bench_body(&source, lane->server->next, PENDING, "", &body);
    lane->server->next += PENDING;
    struct client_request request = {.method = "POST",
                                     .path = "/customer/1.0.0/createBulk",
                                     .bearer = connection->token,
                                     .headers = {{"tenantId", connection->tenant}, {"token", connection->tenant_token}},
                                     .header_count = 2,
                                     .body = buf_view(&body)};
    int err = buf_error(&body);
    if (err == 0) {
        err = client_perform(connection, &request, &answer);
    }
    if (err == 0) {
        err = client_finish(err, &answer) == CLI_KEPT ? 0 : ERR_NETWORK;
        buf_append_slice(&lane->answer.text, buf_view(&answer.body));
        client_answer_fini(&answer);
    }
    buf_fini(&body);
    return err;
}

static struct slice id_at(const struct lane *lane, uint64_t index)
{
    json_at at = json_first(&lane->answer.doc, lane->ids);
    while (index-- > 0) {
        at = json_next(&lane->answer.doc, at);
    }
    return cli_json_text(&lane->answer.doc, at, "customerId");
}

/* Whether the customer's password still waits to be hashed. */
static int is_pending(const struct lane *lane, uint64_t index, bool *pending)
{
    static const char mark[] = "\"state\":\"pending\"";
    char path[128];
    struct client_answer answer;
    snprintf(path, sizeof path, "/v1/customers/%.*s", SLICE_ARG(id_at(lane, index)));
    struct client_request request = {.method = "GET", .path = path, .bearer = lane->server->connection.token};
    int err = client_perform(&lane->server->connection, &request, &answer);
    if (err != 0) {
        return err;
    }
    *pending = answer.body.size > 0 && memmem(answer.body.data, answer.body.size, mark, sizeof mark - 1) != NULL;
    err = client_finish(0, &answer) == CLI_KEPT ? 0 : ERR_NETWORK;
    client_answer_fini(&answer);
    return err;
}

/* How many are hashed: the index of the first that is not. */
static int count_hashed(const struct lane *lane, uint64_t *hashed)
{
    uint64_t low = 0;
    uint64_t high = lane->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        bool pending;
        int err = is_pending(lane, middle, &pending);
        if (err != 0) {
            return err;
        }
        if (pending) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *hashed = low;
    return 0;
}

static void report(const char *name, uint64_t hashes, int64_t ns)
{
    struct bench_line line = bench_line_make(name, BENCH_SHAPE_NAMES[BENCH_CYREXA], "hashes/s");
    line.value = (double)hashes * 1e9 / (double)ns;
    bench_report(&line);
}

static int measure(const struct bench_run *run, struct lane *lane)
{
    struct bench_source source = {.seed = run->seed, .shape = BENCH_CYREXA};
    uint64_t hashed[3] = {0};
    int64_t at[3];
    int err = count_hashed(lane, &hashed[0]);
    at[0] = clock_monotonic_ns();
    if (err == 0) {
        struct timespec pause = {.tv_sec = ALONE_SECONDS};
        nanosleep(&pause, NULL);
        err = count_hashed(lane, &hashed[1]);
    }
    at[1] = clock_monotonic_ns();
    if (err == 0) {
        err = bench_bulk(run, lane->server, &source, 1000, "bulk-hashing");
    }
    if (err == 0) {
        err = count_hashed(lane, &hashed[2]);
    }
    at[2] = clock_monotonic_ns();
    if (err == 0 && hashed[2] == lane->count) {
        bench_note("argon2id: all were hashed before the bulk load ended; no rate");
    } else if (err == 0) {
        report("argon2id-alone", hashed[1] - hashed[0], at[1] - at[0]);
        report("argon2id-bulk", hashed[2] - hashed[1], at[2] - at[1]);
    }
    return err;
}

int bench_hashing(const struct bench_run *run, struct bench_server *server)
{
    struct lane lane = {.server = server};
    int err = post_plain(run, &lane);
    if (err == 0) {
        err = cli_json_parse(&lane.answer);
    }
    if (err == 0) {
        lane.ids = json_member(&lane.answer.doc, json_root(&lane.answer.doc), SLICE("customerIds"));
        lane.count = lane.ids == 0 ? 0 : json_count(&lane.answer.doc, lane.ids);
        err = lane.count == PENDING ? measure(run, &lane) : ERR_NETWORK;
    }
    if (err != 0) {
        cli_say("bench: hashing: %s", err_text(err));
    }
    cli_json_free(&lane.answer);
    return err;
}
