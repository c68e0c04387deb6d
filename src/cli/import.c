/*
 * `muster import`: a file or stdin goes to the server as it is, and the ids in the answer come out one
 * a line as they arrive. Neither the body nor the answer is ever held whole.
 *
 * The difficulty is an end that is none: a connection that breaks, a server that says "not now", Ctrl-C. Every
 * request has an Idempotency-Key, so the same may always be sent again, and goes on where the server left off.
 * That is done here as long as it has a chance; then the command line that does it is printed.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "cli/import_priv.h"
#include "cli/interrupt.h"

#define NEWS_BYTES (1u << 20) /* so many bytes more than ever before are progress */

/* ---- one attempt ---- */

static bool on_progress(void *context, uint64_t sent)
{
    struct import *import = context;
    progress_sent(&import->progress, sent);
    return !interrupt_seen();
}

static ssize_t read_body(void *context, char *to, size_t size)
{
    struct import *import = context;
    return import_body_read(&import->body, to, size);
}

static bool take_answer(void *context, struct slice piece)
{
    struct import *import = context;
    if (!import->answer_begun) {
        bool is_lines = strcmp(import->answer.media_type, "application/x-ndjson") == 0;
        import->answer_begun = true;
        progress_end(&import->progress);
        if (!ids_begin(import->ids, is_lines, slice_from_text(import->contract->ids))) {
            return false;
        }
    }
    import->answer_failed = !ids_take(import->ids, piece);
    return !import->answer_failed;
}

static int attempt(struct import *import)
{
    struct client_side side = {.path = import->side_path.data, .take = progress_take, .context = &import->progress};
    struct client_request request = {.read = read_body,
                                     .size = import->body.size,
                                     .take = take_answer,
                                     .progress = on_progress,
                                     .context = import,
                                     .side = &side,
                                     .hush = true};
    import_request_fill(import, &request);
    import->answer_begun = false;
    import->answer_failed = false;
    client_answer_fini(&import->answer);
    progress_start(&import->progress, import->body.size);
    int err = client_perform(&import->connection, &request, &import->answer);
    progress_end(&import->progress);
    import->is_unknown = import->is_unknown || err == ERR_OUTCOME_UNKNOWN;
    return err;
}

/* ---- attempts ---- */

static bool is_news(struct import *import)
{
    uint64_t sent = import->progress.sent;
    bool news = sent >= import->most_sent + NEWS_BYTES || import->answer_begun;
    import->most_sent = sent > import->most_sent ? sent : import->most_sent;
    return news;
}

static const char *what_happened(const struct import *import, int err, const char *code, char *text, size_t size)
{
    if (err != 0) {
        return import->answer.why;
    }
    snprintf(text, size, "the server answered %ld %s", import->answer.status, code);
    return text;
}

/* No further attempt: says why, and how to go on. */
static int give_up(const struct import *import, int err, const char *what, enum retry_kind kind)
{
    static const char *const reasons[] = {
        [RETRY_OVER] = "",
        [RETRY_NOW] = "",
        [RETRY_EXHAUSTED] = "no attempt is left",
        [RETRY_TOO_LONG] = "the server asks for a longer pause than is waited for here",
        [RETRY_NO_BODY] = "the input can't be read again",
    };
    int code = client_exit(err, import->answer.status);
    char problem[64];
    client_problem_code(&import->answer, problem, sizeof problem);
    if (interrupt_seen()) {
        cli_say("broken off");
    } else {
        cli_say("%s: %s; %s", import->connection.server, what, reasons[kind]);
    }
    if (kind == RETRY_TOO_LONG) {
        cli_say("it is to be sent again after %lld s", (long long)import->answer.retry_after_s);
    }
    import_request_say_repeat(import);
    bool in_flight = strcmp(problem, "idempotency-key-in-flight") == 0 || strcmp(problem, "outcome-unknown") == 0;
    return interrupt_seen() || import->is_unknown || in_flight ? CLI_UNKNOWN
           : code == CLI_REFUSED                               ? CLI_UNREACHABLE
                                                               : code;
}

static int send_until_answered(struct import *import)
{
    for (;;) {
        char problem[64];
        char text[128];
        int err = attempt(import);
        client_problem_code(&import->answer, problem, sizeof problem);
        struct retry_end end = {.err = err,
                                .status = import->answer.status,
                                .code = slice_from_text(problem),
                                .retry_after_s = import->answer.retry_after_s,
                                .progress = is_news(import),
                                .again = import_body_can_rewind(&import->body)};
        struct retry_decision next = retry_decide(&import->retry, &end, (uint32_t)clock_monotonic_ns());
        const char *what = what_happened(import, err, problem, text, sizeof text);
        if (err != 0 && import->answer_failed) {
            return import_end_unread(import);
        }
        if (interrupt_seen() && (err != 0 || next.kind != RETRY_OVER)) {
            return give_up(import, err, what, next.kind);
        }
        if (next.kind == RETRY_OVER) {
            return import_end(import, err);
        }
        if (next.kind != RETRY_NOW) {
            return give_up(import, err, what, next.kind);
        }
        cli_say("%s; sending it again in %.1f s", what, (double)next.wait_ms / 1000);
        if (!interrupt_sleep(next.wait_ms) || !import_body_rewind(&import->body)) {
            return give_up(import, err, what, RETRY_NO_BODY);
        }
    }
}

/* ---- the whole ---- */

static bool choose_format(struct import *import)
{
    const char *given = import->options.format;
    struct slice start = import_body_start(&import->body);
    import->format = given != NULL ? format_from_name(given) : format_of_body(start, import->body.path);
    if (import->format == FORMAT_UNKNOWN) {
        cli_say("can't tell from the body what it is; say --format json, ndjson or csv, and --contract");
    }
    return import->format != FORMAT_UNKNOWN;
}

static bool choose_contract(struct import *import)
{
    const char *name = import->options.contract;
    struct slice names[GUESS_CONTRACTS];
    for (size_t i = 0; i < GUESS_CONTRACTS; i++) {
        names[i] = slice_from_text(GUESS_TABLE[i].name);
    }
    import->contract = name != NULL ? guess_by_name(name)
                                    : guess_by_body(import->format, import_body_start(&import->body),
                                                    slice_from_text(import->options.map));
    if (import->contract == NULL && name == NULL) {
        cli_say("can't tell from the body which contract it is for; say --contract cyrexa, nexera or muster");
    } else if (import->contract == NULL) {
        cli_say_unknown("contract", slice_from_text(name), names, GUESS_CONTRACTS);
    }
    return import->contract != NULL;
}

static int run(struct import *import, const char *path)
{
    const struct import_options *options = &import->options;
    enum ids_print print = options->json ? IDS_RAW : options->quiet || options->dry_run ? IDS_NONE : IDS_LINES;
    int code = CLI_USAGE;
    import->retry.limit = options->retries;
    import->started_ns = clock_monotonic_ns();
    import->ids = ids_new(print, stdout);
    if (import->ids != NULL && import_body_open(&import->body, path) && choose_format(import) &&
        choose_contract(import) && import_request_make(import)) {
        interrupt_catch(); /* before anything is sent a signal just ends it: there is nothing to go on with */
        code = send_until_answered(import);
    }
    client_answer_fini(&import->answer);
    import_request_free(import);
    import_body_close(&import->body);
    ids_free(&import->ids);
    return code;
}

int cli_run_import(int argc, char **argv)
{
    struct connection_flags where = {0};
    struct import import = {.argc = argc, .argv = argv, .body = {.fd = -1}, .options = {.retries = RETRY_DEFAULT}};
    struct import_options *o = &import.options;
    const struct cli_flag flags[] = {
        CONNECTION_FLAGS(where),
        {"contract", CLI_TEXT, &o->contract, "NAME", "cyrexa, nexera or muster; guessed from the body when not given."},
        {"format", CLI_TEXT, &o->format, "NAME", "json, ndjson or csv; seen in the body when not given."},
        {"map", CLI_TEXT, &o->map, "FROM=TO,…", "What a CSV's columns mean: Mail=person/email; Note= leaves one out."},
        {"set", CLI_LIST, &o->set, "NAME=VALUE", "What the envelope would say, for NDJSON and CSV; may be repeated."},
        {"on-existing", CLI_TEXT, &o->on_existing, "WHAT", "An external id that exists: same, skip, update or fail."},
        {"lenient", CLI_SWITCH, &o->lenient, NULL, "Keep the good items although others are refused."},
        {"strict", CLI_SWITCH, &o->strict, NULL, "Findings about quality are faults."},
        {"dry-run", CLI_SWITCH, &o->dry_run, NULL, "Everything but keeping: the same faults and conflicts."},
        {"async", CLI_SWITCH, &o->is_async, NULL, "Let the server go on by itself, and follow it."},
        {"no-wait", CLI_SWITCH, &o->no_wait, NULL, "With --async: don't follow it; prints the import's id."},
        {"faults", CLI_TEXT, &o->faults, "FILE", "Put refused items there, to be mended and sent again."},
        {"key", CLI_TEXT, &o->key, "KEY", "Idempotency-Key: goes on with the import that was sent with it."},
        {"retries", CLI_NUMBER, &o->retries, "N", "Attempts in a row that bring nothing new [10]."},
        {"quiet", CLI_SWITCH, &o->quiet, NULL, "No ids, counts only."},
        {"json", CLI_SWITCH, &o->json, NULL, "Print the server's answer as it is."},
    };
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, flags, sizeof flags / sizeof flags[0], &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    if (!cli_words_check("import", &words, 1, 1) || !import_request_check(&import) ||
        connection_load(&where, &import.connection) != 0) {
        return CLI_USAGE;
    }
    return run(&import, words.at[0]);
}
