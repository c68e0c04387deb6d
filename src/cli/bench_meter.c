/*
 * CPU and memory of a process from /proc (proc(5)). The peak of memory is the kernel's VmHWM, set back
 * before each measurement, so that a line's peak is its own.
 */
#include "cli/bench.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

static bool read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t got = read(fd, text, size - 1);
    close(fd);
    text[got < 0 ? 0 : got] = '\0';
    return got > 0;
}

/* utime and stime are the fields 14 and 15; the second, the command in brackets, may hold anything. */
static double read_cpu(pid_t pid)
{
    char text[1024];
    if (!read_proc(pid, "stat", text, sizeof text)) {
        return -1;
    }
    char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 14; field++) {
        at = strchr(at + 1, ' ');
    }
    if (at == NULL) {
        return -1;
    }
    char *end;
    double user = strtod(at, &end);
    return (user + strtod(end, NULL)) / (double)sysconf(_SC_CLK_TCK);
}

static double read_peak_mib(pid_t pid)
{
    char text[4096];
    if (!read_proc(pid, "status", text, sizeof text)) {
        return -1;
    }
    const char *line = strstr(text, "VmHWM:");
    return line == NULL ? -1 : strtod(line + 6, NULL) / 1024;
}

static void reset_peak(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        /* Not permitted somewhere: the peak is then that since the process began. */
        ssize_t ignored = write(fd, "5", 1);
        (void)ignored;
        close(fd);
    }
}

void bench_meter_begin(struct bench_meter *meter, pid_t pid)
{
    meter->pid = pid;
    meter->cpu_begin = 0;
    if (pid != 0) {
        reset_peak(pid);
        meter->cpu_begin = read_cpu(pid);
    }
    meter->began_ns = clock_monotonic_ns();
}

void bench_meter_end(struct bench_meter *meter)
{
    meter->seconds = (double)(clock_monotonic_ns() - meter->began_ns) / 1e9;
    meter->cpu = -1;
    meter->rss_mib = -1;
    if (meter->pid != 0) {
        meter->cpu = read_cpu(meter->pid) - meter->cpu_begin;
        meter->rss_mib = read_peak_mib(meter->pid);
    }
}

void bench_meter_to_line(const struct bench_meter *meter, uint64_t count, struct bench_line *line)
{
    line->value = (double)count / meter->seconds;
    line->cpu_per_1000 = meter->cpu < 0 || count == 0 ? -1 : meter->cpu * 1000 / (double)count;
    line->rss_mib = meter->rss_mib;
}

void bench_one_core(bool one)
{
    static cpu_set_t all;
    static bool held;
    if (one && !held && sched_getaffinity(0, sizeof all, &all) == 0) {
        cpu_set_t first;
        CPU_ZERO(&first);
        for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&first) == 0; i++) {
            if (CPU_ISSET(i, &all)) {
                CPU_SET(i, &first);
            }
        }
        held = sched_setaffinity(0, sizeof first, &first) == 0;
    } else if (!one && held) {
        held = sched_setaffinity(0, sizeof all, &all) != 0;
    }
}
