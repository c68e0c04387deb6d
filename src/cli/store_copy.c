/*
 * `muster store copy`: a store moved to another place or engine. How far it is goes to stderr; what was compared in the
 * end goes to stdout, family by family. It may be broken off at any time, Ctrl-C included, and run again.
 */
#include "cli/store_priv.h"

#include "base/clock.h"
#include "cli/interrupt.h"
#include "store/store.h"

#define TERMINAL_NS 200000000
#define LINE_NS     10000000000

struct shown {
    bool is_terminal;
    bool quiet;
    int64_t last_ns;
};

static void show(struct shown *shown, const struct store_copy_progress *progress)
{
    int64_t now_ns = clock_monotonic_ns();
    if (shown->quiet || now_ns - shown->last_ns < (shown->is_terminal ? TERMINAL_NS : LINE_NS)) {
        return;
    }
    shown->last_ns = now_ns;
    fprintf(stderr, "%smuster: %s %s: %llu rows read, %llu written in all%s", shown->is_terminal ? "\r\033[K" : "",
            progress->comparing ? "comparing" : "copying", progress->family, (unsigned long long)progress->rows,
            (unsigned long long)progress->written, shown->is_terminal ? "" : "\n");
}

static int on_tell(void *context, const struct store_copy_progress *progress)
{
    show(context, progress);
    return interrupt_seen() ? ERR_STOPPING : 0;
}

/* ---- the outcome ---- */

static void print_digest(const struct store_copy_count *count)
{
    for (size_t i = 0; i < sizeof count->digest; i++) {
        printf("%02x", count->digest[i]);
    }
}

static bool is_same(const struct store_copy_family *family)
{
    return family->from.rows == family->to.rows && family->from.bytes == family->to.bytes &&
           memcmp(family->from.digest, family->to.digest, sizeof family->from.digest) == 0;
}

static void print_count(const char *name, const struct store_copy_count *count, const char *words)
{
    printf("%-12s %14llu %18llu  ", name, (unsigned long long)count->rows, (unsigned long long)count->bytes);
    print_digest(count);
    printf("  %s\n", words);
}

static void print_families(const struct store_copy_result *result)
{
    printf("%-12s %14s %18s  %-32s\n", "family", "rows", "bytes", "digest");
    for (size_t i = 0; i < result->count; i++) {
        const struct store_copy_family *family = &result->families[i];
        print_count(family->name, &family->from, is_same(family) ? "same" : "source");
        if (!is_same(family)) {
            print_count("", &family->to, "target differs");
        }
    }
}

static void print_count_json(const char *name, const struct store_copy_count *count)
{
    printf("\"%s\":{\"rows\":%llu,\"bytes\":%llu,\"digest\":\"", name, (unsigned long long)count->rows,
           (unsigned long long)count->bytes);
    print_digest(count);
    printf("\"}");
}

static void print_json(const struct store_copy_result *result)
{
    printf("{\"same\":%s,\"wentOn\":%s,\"written\":%llu,\"families\":[", result->same ? "true" : "false",
           result->again ? "true" : "false", (unsigned long long)result->written);
    for (size_t i = 0; i < result->count; i++) {
        printf("%s{\"family\":\"%s\",", i == 0 ? "" : ",", result->families[i].name);
        print_count_json("from", &result->families[i].from);
        putchar(',');
        print_count_json("to", &result->families[i].to);
        putchar('}');
    }
    printf("]}\n");
}

static int exit_of(int err)
{
    switch (err) {
    case 0:
        return CLI_KEPT;
    case ERR_EXISTS:
    case ERR_IMPORT_CHANGED:
        return CLI_REFUSED;
    case ERR_STOPPING:
        return CLI_UNKNOWN;
    default:
        return CLI_USAGE;
    }
}

int store_copy_command(const struct store_flags *flags)
{
    struct shown shown = {.is_terminal = cli_is_terminal(), .quiet = flags->quiet};
    struct store_copy_options options = {.tell = on_tell, .context = &shown};
    struct store_copy_result result;
    struct buf why;
    shown.last_ns = shown.is_terminal ? 0 : clock_monotonic_ns();
    interrupt_catch();
    buf_init(&why, 0);
    int err = store_copy(flags->from, flags->to, &options, &result, &why);
    if (shown.is_terminal && !shown.quiet && shown.last_ns != 0) {
        fputs("\r\033[K", stderr);
    }
    if (result.count > 0 && flags->json) {
        print_json(&result);
    } else if (result.count > 0) {
        print_families(&result);
    }
    if (err == 0) {
        cli_say("copied, %llu rows written, all of both stores compared", (unsigned long long)result.written);
    } else if (err == ERR_STOPPING) {
        cli_say("broken off after %llu rows; run the same command again to go on", (unsigned long long)result.written);
    } else {
        cli_say("%.*s", SLICE_ARG(buf_view(&why)));
    }
    buf_fini(&why);
    return exit_of(err);
}
