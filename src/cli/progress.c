/* The difficulty is not to claim: the bar is full only when the answer is there, and an unknown is left out. */
#include "cli/progress.h"

#include "base/clock.h"

#define BAR_CELLS     24
#define TERMINAL_NS   200000000ll
#define LINE_NS       10000000000ll
#define QUESTION_MS   1000
#define RATE_AFTER_NS 500000000ll /* of a shorter time no rate is told */

void progress_start(struct progress *progress, int64_t size)
{
    *progress = (struct progress){.size = size, .counts = progress->counts, .is_terminal = cli_is_terminal()};
    progress->started_ns = clock_monotonic_ns();
    progress->shown_ns = progress->started_ns;
}

static uint64_t taken(const struct progress *progress)
{
    const struct counts *counts = &progress->counts;
    uint64_t known = counts->kept + counts->refused;
    return counts->decided > known ? counts->decided : known;
}

void progress_counts(struct progress *progress, const struct counts *counts)
{
    progress->counts = *counts;
    progress->counted_ns = clock_monotonic_ns();
    if (progress->first_ns == 0) {
        progress->first_ns = progress->counted_ns;
        progress->first_taken = taken(progress);
    }
}

int64_t progress_take(void *context, long status, struct slice body)
{
    struct progress *progress = context;
    struct cli_json json = {0};
    struct counts counts;
    if (status >= 400 && status < 500 && status != 429) {
        return -1; /* the server does not tell this, or not to us */
    }
    buf_append_slice(&json.text, body);
    if (status == 200 && cli_json_parse(&json) == 0) {
        json_at list = json_member(&json.doc, json_root(&json.doc), SLICE("imports"));
        if (list != 0 && json_type(&json.doc, list) == JSON_ARRAY && json_count(&json.doc, list) == 1 &&
            counts_read(&json.doc, json_first(&json.doc, list), &counts)) {
            progress_counts(progress, &counts);
        }
    }
    cli_json_free(&json);
    return QUESTION_MS;
}

static void print_bar(struct buf *line, double share)
{
    int full = (int)(share * BAR_CELLS);
    buf_append_byte(line, '[');
    for (int i = 0; i < BAR_CELLS; i++) {
        buf_append_byte(line, i < full ? '#' : '-');
    }
    buf_printf(line, "] %3d%%  ", (int)(share * 100));
}

static void print_time(struct buf *line, double seconds)
{
    long whole = (long)(seconds + 0.5);
    if (whole >= 3600) {
        buf_printf(line, "  %ld:%02ld h left", whole / 3600, whole / 60 % 60);
    } else if (whole >= 60) {
        buf_printf(line, "  %ld:%02ld min left", whole / 60, whole % 60);
    } else {
        buf_printf(line, "  %ld s left", whole);
    }
}

static void print_customers(struct buf *line, const struct progress *progress)
{
    int64_t since_ns = progress->counted_ns - progress->first_ns;
    if (progress->first_ns == 0) {
        return;
    }
    buf_printf(line, "%llu customers  ", (unsigned long long)taken(progress));
    if (progress->counts.refused > 0) {
        buf_printf(line, "(%llu refused)  ", (unsigned long long)progress->counts.refused);
    }
    if (since_ns >= RATE_AFTER_NS) {
        double more = (double)(taken(progress) - progress->first_taken);
        buf_printf(line, "%.0f/s  ", more / ((double)since_ns / 1e9));
    }
}

void progress_print(const struct progress *progress, int64_t now_ns, struct buf *line)
{
    double sent = (double)progress->sent;
    double seconds = (double)(now_ns - progress->started_ns) / 1e9;
    bool has_rate = now_ns - progress->started_ns >= RATE_AFTER_NS && progress->sent > 0;
    bool has_size = progress->size > 0;
    double share = has_size ? sent / (double)progress->size : 0;
    share = share > 0.99 ? 0.99 : share;
    if (has_size && progress->is_terminal) {
        print_bar(line, share);
    } else if (has_size) {
        buf_printf(line, "%d%%  ", (int)(share * 100));
    }
    print_customers(line, progress);
    if (progress->sent > 0) {
        buf_printf(line, "%.1f MB", sent / 1e6);
    }
    if (has_size && progress->sent >= (uint64_t)progress->size) {
        buf_append_text(line, " sent, waiting for the answer");
    } else if (has_rate) {
        buf_printf(line, "  %.1f MB/s", sent / 1e6 / seconds);
        if (has_size) {
            print_time(line, ((double)progress->size - sent) / (sent / seconds));
        }
    }
}

void progress_show(struct progress *progress, int64_t now_ns)
{
    struct buf line;
    buf_init(&line, 0);
    progress_print(progress, now_ns, &line);
    progress->shown_ns = now_ns;
    fprintf(stderr, progress->is_terminal ? "\r%.*s\033[K" : "muster: %.*s\n", SLICE_ARG(buf_view(&line)));
    buf_fini(&line);
}

void progress_sent(struct progress *progress, uint64_t sent)
{
    int64_t now = clock_monotonic_ns();
    progress->sent = sent;
    if (now - progress->shown_ns >= (progress->is_terminal ? TERMINAL_NS : LINE_NS)) {
        progress_show(progress, now);
    }
}

void progress_end(const struct progress *progress)
{
    if (progress->is_terminal) {
        fputs("\r\033[K", stderr);
    }
}
