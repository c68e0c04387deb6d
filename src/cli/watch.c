/*
 * The stream of events may break off at any time, and the import goes on without us: so it is opened again,
 * patiently, until the server says that the import has ended.
 */
#include "cli/watch.h"

#include "base/clock.h"
#include "cli/events.h"
#include "cli/interrupt.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/retry.h"

struct watch {
    struct events events;
    struct progress progress;
    bool as_json;
    bool has_news; /* since the stream was opened */
    bool has_ended;
};

static void on_event(void *context, struct slice name, struct slice data)
{
    struct watch *watch = context;
    struct counts counts;
    watch->has_news = true;
    watch->has_ended = watch->has_ended || slice_equal_text(name, "end");
    if (watch->as_json) {
        print_json(data);
        fflush(stdout);
    } else if (counts_parse(data, &counts)) {
        progress_counts(&watch->progress, &counts);
    }
}

static bool take(void *context, struct slice piece)
{
    struct watch *watch = context;
    return events_feed(&watch->events, piece) && !watch->has_ended && !ferror(stdout);
}

static bool on_progress(void *context, uint64_t sent)
{
    struct watch *watch = context;
    (void)sent;
    if (!watch->as_json && watch->progress.first_ns != 0) {
        progress_sent(&watch->progress, 0);
    }
    return !interrupt_seen();
}

/* One stream, to its end. A stream that ends without the import's end is a broken one. */
static int follow(struct watch *watch, const struct connection *connection, const char *path,
                  struct client_answer *answer)
{
    struct client_request request = {.method = "GET",
                                     .path = path,
                                     .bearer = connection->token,
                                     .headers = {{"Accept", "text/event-stream"}},
                                     .header_count = 1,
                                     .take = take,
                                     .progress = on_progress,
                                     .context = watch,
                                     .hush = true};
    events_init(&watch->events, on_event, watch);
    watch->has_news = false;
    int err = client_perform(connection, &request, answer);
    events_fini(&watch->events);
    if (watch->has_ended) {
        return 0;
    }
    return err == 0 && answer->status == 200 ? ERR_NETWORK : err;
}

static int follow_patiently(struct watch *watch, const struct connection *connection, const char *path)
{
    struct retry retry = {.limit = RETRY_DEFAULT};
    for (;;) {
        struct client_answer answer;
        int err = follow(watch, connection, path, &answer);
        struct retry_end end = {.err = err,
                                .status = answer.status,
                                .retry_after_s = answer.retry_after_s,
                                .progress = watch->has_news,
                                .again = true};
        struct retry_decision decision = retry_decide(&retry, &end, (uint32_t)clock_monotonic_ns());
        bool wait = !watch->has_ended && !interrupt_seen() && decision.kind == RETRY_NOW;
        int code = CLI_KEPT;
        if (!wait && !watch->has_ended && !interrupt_seen()) {
            progress_end(&watch->progress);
            cli_say("%s", err == 0 ? "the import can't be followed" : answer.why);
            code = client_finish(err, &answer);
        }
        client_answer_fini(&answer);
        if (!wait) {
            return code;
        }
        interrupt_sleep(decision.wait_ms);
    }
}

int watch_follow(const struct connection *connection, const char *import, bool as_json, struct counts *end)
{
    struct watch watch = {.as_json = as_json};
    struct buf path;
    buf_init(&path, 0);
    buf_append_text(&path, "/v1/imports/");
    client_append_escaped(&path, import);
    buf_append_text(&path, "/events");
    buf_append_byte(&path, '\0');
    memset(end, 0, sizeof *end);
    if (buf_error(&path) != 0) {
        return CLI_USAGE;
    }
    interrupt_catch();
    progress_start(&watch.progress, -1);
    int code = follow_patiently(&watch, connection, path.data);
    progress_end(&watch.progress);
    buf_fini(&path);
    if (code == CLI_KEPT && !watch.has_ended) {
        return CLI_UNKNOWN;
    }
    return code == CLI_KEPT ? counts_ask(connection, import, false, end) : code;
}
