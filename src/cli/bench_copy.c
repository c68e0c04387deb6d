/*
 * The reference: PostgreSQL's COPY of the same customers, with a primary key, a unique index and two
 * plain ones, as Muster has. The rows are written to files here; bench/copy.sh makes a cluster, copies
 * them with one and with four clients, and prints what it took.
 */
#include "cli/bench.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "crypto/crypto.h"

#define CLIENTS     4
#define FLUSH_BYTES (1u << 20)
#define SKIPPED     77 /* exit code of the script: no PostgreSQL here */

/* No character of a customer needs COPY's escapes: no backslash, tab or newline is in one. */
static void append_row(const struct bench_source *source, uint64_t n, struct uuid_maker *maker, struct buf *scratch,
                       struct buf *rows)
{
    struct bench_keys keys;
    char id[UUID_TEXT_BYTES + 1];
    uint64_t random;
    crypto_random(&random, sizeof random);
    struct uuid uuid = uuid_make(maker, (uint64_t)clock_real_ms(), random);
    uuid_to_text(&uuid, id);
    buf_clear(scratch);
    bench_customer(source, n, scratch, &keys);
    assert(memchr(scratch->data, '\\', scratch->size) == NULL);
    const struct slice cells[] = {{id, UUID_TEXT_BYTES}, keys.external_id, keys.first, keys.second, buf_view(scratch)};
    for (size_t i = 0; i < 5; i++) {
        buf_append_slice(rows, cells[i]);
        buf_append_byte(rows, i < 4 ? '\t' : '\n');
    }
}

static bool flush(int fd, struct buf *rows)
{
    struct slice left = buf_view(rows);
    while (left.size > 0) {
        ssize_t written = write(fd, left.data, left.size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        left = slice_from(left, written < 0 ? 0 : (size_t)written);
    }
    buf_clear(rows);
    return true;
}

int bench_emit_copy(const struct bench_run *run, enum bench_shape shape, uint64_t first, uint64_t count,
                    const char *path)
{
    struct bench_source source = {.seed = run->seed, .shape = shape};
    struct uuid_maker maker = {0};
    struct buf scratch;
    struct buf rows;
    bool is_stdout = strcmp(path, "-") == 0;
    int fd = is_stdout ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool whole = fd >= 0;
    buf_init(&scratch, 0);
    buf_init(&rows, 0);
    for (uint64_t i = 0; whole && i < count; i++) {
        append_row(&source, first + i, &maker, &scratch, &rows);
        if (rows.size >= FLUSH_BYTES || i + 1 == count) {
            whole = buf_error(&rows) == 0 && flush(fd, &rows);
        }
    }
    if (!whole) {
        cli_say("%s: %s", path, strerror(errno));
    }
    if (!is_stdout && fd >= 0) {
        close(fd);
    }
    buf_fini(&scratch);
    buf_fini(&rows);
    return whole ? 0 : ERR_STORAGE_IO;
}

int bench_emit_parts(const struct bench_run *run)
{
    int err = 0;
    for (int shape = 0; shape < BENCH_SHAPES; shape++) {
        for (uint64_t part = 0; err == 0 && part < CLIENTS; part++) {
            char path[600];
            uint64_t first = run->customers * part / CLIENTS;
            uint64_t end = run->customers * (part + 1) / CLIENTS;
            snprintf(path, sizeof path, "%s/%s.%d", run->folder, BENCH_SHAPE_NAMES[shape], (int)part);
            err = bench_emit_copy(run, (enum bench_shape)shape, first, end - first, path);
        }
    }
    return err;
}

bool bench_find_script(const char *name, char *path, size_t size)
{
    char self[512];
    ssize_t got = readlink("/proc/self/exe", self, sizeof self - 1);
    self[got < 0 ? 0 : got] = '\0';
    char *slash = strrchr(self, '/');
    self[slash == NULL ? 0 : slash - self] = '\0';
    const char *const places[][2] = {{"", CLI_SCRIPTS}, {"", "bench"}, {self, "/../bench"}};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, size, "%s%s/%s", places[i][0], places[i][1], name);
        if (access(path, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

/* "copy-4 cyrexa 3.21 5.40": seconds of the clock and of CPU. */
static void report(const struct bench_run *run, char *text)
{
    static const char *const names[] = {"copy-1", "copy-4"};
    char *rest = NULL;
    const char *name = strtok_r(text, " \n", &rest);
    const char *shape = strtok_r(NULL, " \n", &rest);
    const char *seconds = strtok_r(NULL, " \n", &rest);
    const char *cpu = strtok_r(NULL, " \n", &rest);
    for (size_t i = 0; cpu != NULL && i < 2; i++) {
        for (size_t j = 0; strcmp(name, names[i]) == 0 && j < BENCH_SHAPES; j++) {
            if (strcmp(shape, BENCH_SHAPE_NAMES[j]) == 0) {
                struct bench_line line = bench_line_make(names[i], BENCH_SHAPE_NAMES[j], "customers/s");
                line.value = (double)run->customers / strtod(seconds, NULL);
                line.cpu_per_1000 = strtod(cpu, NULL) * 1000 / (double)run->customers;
                bench_report(&line);
            }
        }
    }
}

/* Runs the script; its stdout comes from the returned stream. */
static FILE *start(const char *path, const char *folder, pid_t *pid)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return NULL;
    }
    *pid = fork();
    if (*pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execl("/bin/sh", "sh", path, folder, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    if (*pid < 0) {
        close(ends[0]);
        return NULL;
    }
    return fdopen(ends[0], "r");
}

int bench_copy(const struct bench_run *run)
{
    char path[600];
    char line[256];
    pid_t pid;
    int status = 0;
    if (!bench_find_script("copy.sh", path, sizeof path)) {
        bench_note("copy: skipped, %s/copy.sh is not there, nor bench/copy.sh", CLI_SCRIPTS);
        return 0;
    }
    int err = bench_emit_parts(run);
    FILE *out = err == 0 ? start(path, run->folder, &pid) : NULL;
    if (out == NULL) {
        return err == 0 ? ERR_NO_MEMORY : err;
    }
    while (fgets(line, sizeof line, out) != NULL) {
        report(run, line);
    }
    fclose(out);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
        bench_note("copy: skipped, PostgreSQL is not installed");
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        bench_note("copy: %s failed", path);
    }
    return 0;
}
