/*
 * The table of measurements, and the bars they are held against. Bars are rows: a line's value against a
 * number, or against a share of another line of the same shape. A bar whose lines were not measured is
 * not judged.
 */
#include "cli/bench.h"

#include <stdarg.h>

#define LINES_MAX 64

static struct bench_line lines[LINES_MAX];
static size_t line_count;

struct bench_line bench_line_make(const char *name, const char *shape, const char *unit)
{
    return (struct bench_line){.name = name,
                               .shape = shape,
                               .unit = unit,
                               .value = -1,
                               .p50_ms = -1,
                               .p99_ms = -1,
                               .cpu_per_1000 = -1,
                               .rss_mib = -1};
}

void bench_report_begin(void)
{
    puts("name\tshape\tunit\tvalue\tp50_ms\tp99_ms\tcpu_s_per_1000\tpeak_rss_mib");
    fflush(stdout);
}

static void print_cell(double value, int decimals)
{
    if (value < 0) {
        fputs("\t-", stdout);
    } else {
        printf("\t%.*f", decimals, value);
    }
}

void bench_report(const struct bench_line *line)
{
    printf("%s\t%s\t%s", line->name, line->shape, line->unit);
    print_cell(line->value, line->value < 1000 ? 1 : 0);
    print_cell(line->p50_ms, 2);
    print_cell(line->p99_ms, 2);
    print_cell(line->cpu_per_1000, 5);
    print_cell(line->rss_mib, 1);
    putchar('\n');
    fflush(stdout);
    if (line_count < LINES_MAX) {
        lines[line_count++] = *line;
    }
}

static const struct bench_line *find_line(const char *name, const char *shape)
{
    for (size_t i = 0; i < line_count; i++) {
        if (strcmp(lines[i].name, name) == 0 && strcmp(lines[i].shape, shape) == 0) {
            return &lines[i];
        }
    }
    return NULL;
}

bool bench_reported(const char *name, const char *shape)
{
    return find_line(name, shape) != NULL;
}

void bench_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("# ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    fflush(stdout);
    va_end(arguments);
}

/* ---- bars ---- */

enum column { VALUE, P99, RSS };

struct bar {
    const char *name; /* of the line */
    enum column column;
    bool at_most;        /* else at least */
    double number;       /* or the factor of: */
    const char *against; /* the line of the same shape; NULL: none */
};

static const struct bar BARS[] = {
    {"bulk-1000", VALUE, false, 0.50, "floor"},
    {"bulk-10000", VALUE, false, 0.50, "floor"},
    {"bulk-1000", VALUE, false, 1.2, "copy-4"},
    {"bulk-10000", VALUE, false, 1.2, "copy-4"},
    {"split", VALUE, false, 1000, NULL},
    {"check", VALUE, false, 250000, NULL},
    {"seal", VALUE, false, 250000, NULL},
    {"single", VALUE, false, 15000, NULL},
    {"single", P99, true, 15, NULL},
    {"overload", VALUE, false, 0.8, "single"},
    {"bulk-1000", RSS, true, 400, NULL},
    {"bulk-10000", RSS, true, 400, NULL},
    {"single", RSS, true, 400, NULL},
    {"stream-json", VALUE, false, 0.60, "floor"},
    {"stream-ndjson", VALUE, false, 0.60, "floor"},
    {"stream-csv", VALUE, false, 0.60, "floor"},
    {"stream-zstd", VALUE, false, 0.60, "floor"},
    {"stream-lenient", VALUE, false, 0.60, "floor"},
    {"growth-last", VALUE, false, 0.80, "growth-first"},
    {"beside-64", P99, true, 5, "quiet-64"},
    {"size-large", RSS, true, 256, NULL},
    {"size-small", RSS, true, 256, NULL},
    {"pg-bulk-1000", VALUE, false, 0.8, "pg-rows-1"},
    {"pg-bulk-10000", VALUE, false, 0.8, "pg-rows-1"},
    {"pg-bulk-1000", VALUE, false, 0.7, "pg-json-1"},
    {"pg-bulk-10000", VALUE, false, 0.7, "pg-json-1"},
};

static double cell(const struct bench_line *line, enum column column)
{
    return column == VALUE ? line->value : column == P99 ? line->p99_ms : line->rss_mib;
}

static void judge(const struct bar *bar, const struct bench_line *line)
{
    static const char *const names[] = {"", " p99 ms", " peak MiB"};
    const struct bench_line *other = bar->against == NULL ? NULL : find_line(bar->against, line->shape);
    double value = cell(line, bar->column);
    double limit = bar->number * (other == NULL ? 1 : cell(other, bar->column));
    if (value < 0 || (bar->against != NULL && (other == NULL || cell(other, bar->column) < 0))) {
        return;
    }
    bool kept = bar->at_most ? value <= limit : value >= limit;
    fprintf(stderr, "%s %-14s %s%s: %.*f %s %.*f", kept ? "ok  " : "MISS", line->name, line->shape, names[bar->column],
            value < 1000 ? 1 : 0, value, bar->at_most ? "<=" : ">=", limit < 1000 ? 1 : 0, limit);
    if (other != NULL) {
        fprintf(stderr, " (%.2f x %s; it is %.2f)", bar->number, other->name, value / cell(other, bar->column));
    }
    fputc('\n', stderr);
}

void bench_bars(void)
{
    for (size_t i = 0; i < sizeof BARS / sizeof BARS[0]; i++) {
        for (size_t j = 0; j < line_count; j++) {
            if (strcmp(lines[j].name, BARS[i].name) == 0) {
                judge(&BARS[i], &lines[j]);
            }
        }
    }
}
