/*
 * The PostgreSQL store: bulk through Muster into a cluster that bench/postgres.sh makes, then in the same cluster what
 * COPY reaches: of the very rows that Muster has put there, sealed, into tables with the same indexes, and of the
 * plain documents. The script is told line by line what to do next, and says what it took.
 */
#include "cli/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH   10000
#define SKIPPED 77 /* exit code of the script: no PostgreSQL here */

struct script {
    pid_t pid;
    FILE *to;
    FILE *from;
    char url[200];
};

/* False: nothing runs. */
static bool start(struct script *script, const char *path, const char *folder)
{
    int to[2];
    int from[2];
    if (pipe(to) != 0 || pipe(from) != 0) {
        return false;
    }
    script->pid = fork();
    if (script->pid == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        for (int i = 0; i < 2; i++) {
            close(to[i]);
            close(from[i]);
        }
        execl("/bin/sh", "sh", path, folder, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    script->to = fdopen(to[1], "w");
    script->from = fdopen(from[0], "r");
    return script->pid > 0 && script->to != NULL && script->from != NULL;
}

static bool read_url(struct script *script)
{
    char line[256];
    return fgets(line, sizeof line, script->from) != NULL && sscanf(line, "url %199s", script->url) == 1;
}

static const struct {
    const char *said;
    const char *name;
} LINES[] = {{"rows-1", "pg-rows-1"}, {"rows-all", "pg-rows-all"}, {"json-1", "pg-json-1"}};

/* "rows-1 cyrexa 3.21 5.40 100000": seconds of the clock and of CPU; without a count, of the line's customers. */
static void report(const struct bench_run *run, enum bench_shape shape, char *text)
{
    char *rest = NULL;
    const char *said = strtok_r(text, " \n", &rest);
    const char *shape_name = strtok_r(NULL, " \n", &rest);
    const char *seconds = strtok_r(NULL, " \n", &rest);
    const char *cpu = strtok_r(NULL, " \n", &rest);
    const char *count = strtok_r(NULL, " \n", &rest);
    for (size_t i = 0; cpu != NULL && shape_name != NULL && i < sizeof LINES / sizeof LINES[0]; i++) {
        if (strcmp(said, LINES[i].said) == 0) {
            double customers = count == NULL ? (double)run->customers : strtod(count, NULL);
            struct bench_line line = bench_line_make(LINES[i].name, BENCH_SHAPE_NAMES[shape], "customers/s");
            line.value = customers / strtod(seconds, NULL);
            line.cpu_per_1000 = strtod(cpu, NULL) * 1000 / customers;
            bench_report(&line);
        }
    }
}

/* Gives the order and takes the lines up to "done". False: the script has ended. */
static bool order(const struct bench_run *run, struct script *script, enum bench_shape shape, const char *verb)
{
    char line[256];
    fprintf(script->to, "%s %s\n", verb, BENCH_SHAPE_NAMES[shape]);
    fflush(script->to);
    while (fgets(line, sizeof line, script->from) != NULL) {
        if (strcmp(line, "done\n") == 0) {
            return true;
        }
        report(run, shape, line);
    }
    return false;
}

static int bulk(const struct bench_run *run, enum bench_shape shape, uint64_t batch, const char *name)
{
    struct bench_server server = {0};
    struct bench_source source = {.seed = run->seed, .shape = shape};
    int err = bench_server_start(run, &server);
    if (err == 0) {
        err = bench_bulk(run, &server, &source, batch, name);
    }
    bench_server_stop(&server);
    return err;
}

static int run_shape(struct bench_run *run, struct script *script, enum bench_shape shape)
{
    int err = order(run, script, shape, "empty") ? 0 : ERR_NETWORK;
    if (err == 0) {
        err = bulk(run, shape, BATCH / 10, "pg-bulk-1000");
    }
    if (err == 0) {
        err = order(run, script, shape, "empty") ? 0 : ERR_NETWORK;
    }
    if (err == 0) {
        err = bulk(run, shape, BATCH, "pg-bulk-10000");
    }
    if (err == 0) {
        err = order(run, script, shape, "rows") && order(run, script, shape, "json") ? 0 : ERR_NETWORK;
    }
    return err;
}

/* Ends it by the end of its orders; its exit code, or -1. */
static int end(struct script *script)
{
    int status = 0;
    if (script->to != NULL) {
        fclose(script->to);
    }
    if (script->from != NULL) {
        fclose(script->from);
    }
    while (script->pid > 0 && waitpid(script->pid, &status, 0) < 0 && errno == EINTR) {
    }
    return script->pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int bench_postgres(const struct bench_run *given)
{
    struct bench_run run = *given;
    struct script script = {0};
    char path[600];
    if (!bench_find_script("postgres.sh", path, sizeof path)) {
        bench_note("postgres: skipped, postgres.sh is not there");
        return 0;
    }
    int err = bench_emit_parts(&run);
    if (err == 0 && !start(&script, path, run.folder)) {
        err = ERR_NO_MEMORY;
    }
    bool ready = err == 0 && read_url(&script);
    run.store = script.url;
    for (int shape = run.shape_first; ready && err == 0 && shape < run.shape_end; shape++) {
        err = run_shape(&run, &script, (enum bench_shape)shape);
    }
    int status = end(&script);
    if (status == SKIPPED) {
        bench_note("postgres: skipped, PostgreSQL is not installed");
    } else if (status != 0) {
        bench_note("postgres: %s failed", path);
    }
    return err;
}
