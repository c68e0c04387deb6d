/*
 * `muster bench`: one run, one machine, one set of customers; a line of TSV for each measurement as it is
 * done, and at the end what was measured held against the bars. docs/bench.md says what each line means.
 */
#include "cli/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/bench_http.h"
#include "crypto/crypto.h"

struct bench_flags {
    struct connection_flags where;
    const char *folder;
    const char *shape;
    const char *emit;
    const char *only;
    uint64_t customers;
    uint64_t gigabytes;
    uint64_t seed;
    bool quick;
};

/* ---- the parts ---- */

static int run_steps(const struct bench_run *run)
{
    int err = 0;
    for (int shape = run->shape_first; err == 0 && shape < run->shape_end; shape++) {
        err = bench_steps(run, (enum bench_shape)shape);
    }
    return err;
}

/* The bulk lines: every shape by batches of both sizes. */
struct bulk {
    enum bench_shape shape;
    uint64_t batch;
    const char *name;
};

static const struct bulk BULKS[] = {{BENCH_CYREXA, 1000, "bulk-1000"},
                                    {BENCH_CYREXA, 10000, "bulk-10000"},
                                    {BENCH_NEXERA, 1000, "bulk-1000"},
                                    {BENCH_NEXERA, 10000, "bulk-10000"}};
#define BULK_COUNT (sizeof BULKS / sizeof BULKS[0])

static int run_bulk(const struct bench_run *run, struct bench_server *server, const struct bulk *bulk)
{
    struct bench_source source = {.seed = run->seed, .shape = bulk->shape};
    return bench_bulk(run, server, &source, bulk->batch, bulk->name);
}

/* Every bulk line begins with an empty store, as the reference begins with an empty table; the last one's
 * customers stay there for the single creates. */
static int run_server(const struct bench_run *run)
{
    struct bench_server server = {0};
    int err = 0;
    for (size_t i = 0; err == 0 && i < BULK_COUNT; i++) {
        if ((int)BULKS[i].shape < run->shape_first || (int)BULKS[i].shape >= run->shape_end) {
            continue;
        }
        bench_server_stop(&server);
        err = bench_server_start(run, &server);
        if (err == 0) {
            err = run_bulk(run, &server, &BULKS[i]);
        }
    }
    if (err == 0) {
        err = bench_single(run, &server, 64, "single");
    }
    if (err == 0 && server.single_rate > 0) {
        err = bench_overload(run, &server);
    }
    if (err == 0) {
        err = bench_hashing(run, &server);
    }
    bench_server_stop(&server);
    return err;
}

/* Somebody else's server: only what goes over the wire, and customers that it can't have yet. */
static int run_given_server(const struct bench_run *run, const struct bench_flags *flags)
{
    struct bench_server server = {.next = (uint64_t)(clock_real_ms() / 1000) % 1000000 * 1000000};
    int err = connection_load(&flags->where, &server.connection);
    if (err == 0 && !bench_address(server.connection.server, &server.address)) {
        cli_say("bench: --server takes http:// and a numeric address");
        err = ERR_CONFIG;
    }
    for (size_t i = 0; err == 0 && i < BULK_COUNT; i++) {
        err = run_bulk(run, &server, &BULKS[i]);
    }
    if (err == 0) {
        err = bench_streams_of(run, &server);
    }
    return err == 0 ? bench_single(run, &server, 64, "single") : err;
}

struct part {
    const char *name;
    int (*run)(const struct bench_run *run);
};

static const struct part PARTS[] = {{"steps", run_steps},     {"server", run_server},      {"stream", bench_streams},
                                    {"growth", bench_growth}, {"beside", bench_beside},    {"size", bench_size},
                                    {"copy", bench_copy},     {"postgres", bench_postgres}};
#define PART_COUNT (sizeof PARTS / sizeof PARTS[0])

static int run_parts(const struct bench_run *run, const char *only)
{
    int err = 0;
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (only == NULL || strcmp(only, PARTS[i].name) == 0) {
            int one = PARTS[i].run(run);
            err = one != 0 ? one : err;
        }
    }
    return err;
}

/* ---- the command ---- */

static bool make_folder(const char *parent, struct bench_run *run)
{
    snprintf(run->folder, sizeof run->folder, "%s/muster-bench-XXXXXX", parent);
    if (mkdtemp(run->folder) == NULL) {
        cli_say("bench: %s: %s", run->folder, strerror(errno));
        return false;
    }
    return true;
}

/* The one that is named, or all. */
static bool find_shapes(const char *name, struct bench_run *run)
{
    int found = 0;
    if (name != NULL) {
        found = cli_find_name("shape", name, BENCH_SHAPE_NAMES, sizeof BENCH_SHAPE_NAMES[0], BENCH_SHAPES);
    }
    run->shape_first = found;
    run->shape_end = name == NULL ? BENCH_SHAPES : found + 1;
    return found >= 0;
}

static bool known_part(const char *name)
{
    return name == NULL || cli_find_name("part", name, PARTS, sizeof PARTS[0], PART_COUNT) >= 0;
}

static int emit(const struct bench_run *run, const struct bench_flags *flags)
{
    enum bench_shape shape = (enum bench_shape)run->shape_first;
    return bench_emit_copy(run, shape, 0, run->customers, flags->emit) == 0 ? CLI_KEPT : CLI_USAGE;
}

static int run_all(struct bench_run *run, const struct bench_flags *flags)
{
    int err;
    bench_report_begin();
    bench_note("%llu customers a line, seed %llu, %ld cores", (unsigned long long)run->customers,
               (unsigned long long)run->seed, sysconf(_SC_NPROCESSORS_ONLN));
    if (flags->where.server != NULL) {
        err = run_given_server(run, flags);
    } else {
        if (!make_folder(flags->folder, run)) {
            return CLI_USAGE;
        }
        err = run_parts(run, flags->only);
        bench_remove(run->folder);
    }
    bench_bars();
    return err == 0 ? CLI_KEPT : CLI_USAGE;
}

static struct bench_run make_run(const struct bench_flags *flags)
{
    bool quick = flags->quick;
    uint64_t customers = quick ? 100000 : 1000000;
    uint64_t gigabytes = quick ? 1 : 10;
    return (struct bench_run){.customers = flags->customers != 0 ? flags->customers : customers,
                              .seed = flags->seed,
                              .step_seconds = quick ? 1 : 3,
                              .single_seconds = quick ? 4 : 10,
                              .large_bytes = (flags->gigabytes != 0 ? flags->gigabytes : gigabytes) * 1000000000};
}

int cli_run_bench(int argc, char **argv)
{
    struct bench_flags given = {.folder = ".", .seed = 1};
    const struct cli_flag flags[] = {
        CONNECTION_FLAGS(given.where),
        {"quick", CLI_SWITCH, &given.quick, NULL, "100,000 customers a line instead of 1,000,000."},
        {"customers", CLI_NUMBER, &given.customers, "N", "Customers a line."},
        {"gigabytes", CLI_NUMBER, &given.gigabytes, "N", "Size of the large body [10; 1 with --quick]."},
        {"seed", CLI_NUMBER, &given.seed, "N", "Another set of customers [1]."},
        {"only", CLI_TEXT, &given.only, "PART", "steps, server, stream, growth, beside, size, copy or postgres."},
        {"folder", CLI_TEXT, &given.folder, "DIR", "Where the scratch folder is made [.]; its disk is measured."},
        {"emit-copy", CLI_TEXT, &given.emit, "FILE|-", "Only write the customers as rows for COPY."},
        {"shape", CLI_TEXT, &given.shape, "SHAPE",
         "cyrexa or nexera [both, one after the other; for --emit-copy cyrexa]."},
    };
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, flags, sizeof flags / sizeof flags[0], &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    if (!cli_words_check("bench", &words, 0, 0) || !known_part(given.only)) {
        return CLI_USAGE;
    }
    if (crypto_init() != 0) {
        cli_say("bench: no cryptography");
        return CLI_USAGE;
    }
    struct bench_run run = make_run(&given);
    if (!find_shapes(given.shape, &run)) {
        return CLI_USAGE;
    }
    return given.emit != NULL ? emit(&run, &given) : run_all(&run, &given);
}
