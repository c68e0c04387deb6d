/*
 * `muster import`: a file or stdin goes to the server as it is, and the ids in the answer come out one
 * a line as they arrive. Neither the body nor the answer is ever held whole.
 */
#include "cli/client.h"
#include "cli/guess.h"
#include "cli/print.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/uuid.h"

#define PEEK_BYTES  (1u << 20)
#define REPLY_BYTES (1u << 16) /* what stands around the ids, and one id's item */

struct import {
    const struct guess_contract *contract;
    int fd;
    struct buf peeked; /* the start of the body, looked at for the guess */
    size_t peeked_sent;
    int64_t size;
    bool as_json;
    /* the answer */
    struct json_splitter *splitter;
    struct buf item;
    uint64_t kept;
    uint64_t refused; /* null in place of an id */
    char last;        /* byte that was passed on */
    /* progress */
    int64_t started_ns;
    int64_t shown_ns;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- the body ---- */

static ssize_t read_retry(int fd, char *to, size_t size)
{
    ssize_t got;
    do {
        got = read(fd, to, size);
    } while (got < 0 && errno == EINTR && !interrupted);
    return got;
}

static ssize_t read_body(void *context, char *to, size_t size)
{
    struct import *import = context;
    size_t left = import->peeked.size - import->peeked_sent;
    if (left > 0) {
        size_t part = left < size ? left : size;
        memcpy(to, import->peeked.data + import->peeked_sent, part);
        import->peeked_sent += part;
        return (ssize_t)part;
    }
    return read_retry(import->fd, to, size);
}

static bool peek(struct import *import)
{
    if (buf_reserve(&import->peeked, PEEK_BYTES) != 0) {
        return false;
    }
    while (import->peeked.size < PEEK_BYTES) {
        ssize_t got =
            read_retry(import->fd, import->peeked.data + import->peeked.size, PEEK_BYTES - import->peeked.size);
        if (got <= 0) {
            return got == 0;
        }
        import->peeked.size += (size_t)got;
    }
    return true;
}

static bool open_body(const char *path, struct import *import)
{
    struct stat info;
    import->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (import->fd < 0 || fstat(import->fd, &info) != 0 || !peek(import)) {
        cli_say("%s: %s", path, strerror(errno));
        return false;
    }
    /* Of stdin that is a file, an unknown part may have been read before us. */
    bool whole = S_ISREG(info.st_mode) && import->fd != STDIN_FILENO;
    import->size = whole ? (int64_t)info.st_size : -1;
    return true;
}

/* ---- progress ---- */

static void show(const struct import *import, uint64_t sent, int64_t now_ns)
{
    double seconds = (double)(now_ns - import->started_ns) / 1e9;
    double rate = seconds > 0 ? (double)sent / seconds : 0;
    const char *begin = cli_is_terminal() ? "\r" : "muster: ";
    const char *end = cli_is_terminal() ? "\033[K" : "\n";
    if (import->size > 0 && sent > 0) {
        double left = ((double)import->size - (double)sent) / rate;
        fprintf(stderr, "%s%3.0f%%  %.1f MB of %.1f MB  %.1f MB/s  %.0f s left%s", begin,
                100 * (double)sent / (double)import->size, (double)sent / 1e6, (double)import->size / 1e6, rate / 1e6,
                left, end);
    } else {
        fprintf(stderr, "%s%.1f MB  %.1f MB/s%s", begin, (double)sent / 1e6, rate / 1e6, end);
    }
}

static bool on_progress(void *context, uint64_t sent)
{
    struct import *import = context;
    int64_t now = clock_monotonic_ns();
    int64_t pause = cli_is_terminal() ? 200000000 : 10000000000;
    if (now - import->shown_ns >= pause) {
        import->shown_ns = now;
        show(import, sent, now);
    }
    return !interrupted;
}

/* ---- the answer ---- */

/* One element of the array of ids: "…", {"customerId": "…"} or null. */
static void print_item(struct import *import)
{
    static const char *const members[] = {"customerId", "id"};
    struct cli_json json = {.text = import->item};
    struct slice id = SLICE_NONE;
    if (cli_json_parse(&json) == 0) {
        json_at root = json_root(&json.doc);
        id = json_type(&json.doc, root) == JSON_STRING ? json_string(&json.doc, root) : SLICE_NONE;
        for (size_t i = 0; i < 2 && id.size == 0; i++) {
            id = cli_json_text(&json.doc, root, members[i]);
        }
    }
    import->kept += id.size > 0 ? 1 : 0;
    import->refused += id.size > 0 ? 0 : 1;
    printf("%.*s\n", SLICE_ARG(id));
    import->item = json.text;
    json_parser_free(&json.parser);
    buf_clear(&import->item);
}

static bool take_answer(void *context, struct slice piece)
{
    struct import *import = context;
    if (import->as_json) {
        import->last = piece.size > 0 ? piece.data[piece.size - 1] : import->last;
        return fwrite(piece.data, 1, piece.size, stdout) == piece.size;
    }
    for (;;) {
        struct slice bytes;
        switch (json_splitter_next(import->splitter, &piece, &bytes)) {
        case JSON_SPLIT_MORE:
            return !ferror(stdout);
        case JSON_SPLIT_PART:
            buf_append_slice(&import->item, bytes);
            break;
        case JSON_SPLIT_ITEM_END:
            buf_append_slice(&import->item, bytes);
            print_item(import);
            break;
        case JSON_SPLIT_ERROR:
            return false;
        }
    }
}

/* ---- the whole ---- */

static int send_body(struct import *import, const struct connection *connection)
{
    struct client_request request = {.method = "POST",
                                     .path = import->contract->path,
                                     .bearer = connection->token,
                                     .read = read_body,
                                     .size = import->size,
                                     .take = take_answer,
                                     .progress = on_progress,
                                     .context = import};
    struct client_answer answer;
    if (import->contract->tenant_headers) {
        request.headers[request.header_count++] = (struct client_header){"tenantId", connection->tenant};
        request.headers[request.header_count++] = (struct client_header){"token", connection->tenant_token};
    }
    import->started_ns = clock_monotonic_ns();
    import->shown_ns = import->started_ns;
    int err = client_perform(connection, &request, &answer);
    if (cli_is_terminal()) {
        fputs("\r\033[K", stderr);
    }
    int code = client_finish(err, &answer);
    if (code == CLI_KEPT) {
        double seconds = (double)(clock_monotonic_ns() - import->started_ns) / 1e9;
        if (import->as_json) {
            fputs(import->last == '\n' ? "" : "\n", stdout);
            cli_say("import %s, %.1f s", answer.import, seconds);
        } else {
            cli_say("%llu kept, import %s, %.1f s, %.0f/s", (unsigned long long)import->kept, answer.import, seconds,
                    (double)import->kept / seconds);
        }
    }
    client_answer_fini(&answer);
    return code == CLI_KEPT && import->refused > 0 ? CLI_REFUSED : code;
}

static bool choose_contract(const char *name, struct import *import)
{
    struct slice names[GUESS_CONTRACTS];
    for (size_t i = 0; i < GUESS_CONTRACTS; i++) {
        names[i] = slice_from_text(GUESS_TABLE[i].name);
    }
    import->contract = name == NULL ? guess_by_body(buf_view(&import->peeked)) : guess_by_name(name);
    if (import->contract == NULL && name == NULL) {
        cli_say("can't tell from the body which contract it is for; say --contract cyrexa, nexera or muster");
    } else if (import->contract == NULL) {
        cli_say_unknown("contract", slice_from_text(name), names, GUESS_CONTRACTS);
    }
    return import->contract != NULL;
}

static int run(const char *path, const char *contract, const struct connection *connection, struct import *import)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    buf_init(&import->peeked, 0);
    buf_init(&import->item, REPLY_BYTES);
    int code = CLI_USAGE;
    if (open_body(path, import) && choose_contract(contract, import)) {
        import->splitter = json_splitter_new(slice_from_text(import->contract->ids), REPLY_BYTES);
        if (import->splitter != NULL) {
            sigaction(SIGINT, &action, NULL);
            code = send_body(import, connection);
        }
    }
    json_splitter_free(&import->splitter);
    buf_fini(&import->peeked);
    buf_fini(&import->item);
    if (import->fd > STDIN_FILENO) {
        close(import->fd);
    }
    return code;
}

int cli_run_import(int argc, char **argv)
{
    struct connection_flags where = {0};
    struct import import = {.fd = -1};
    const char *contract = NULL;
    const struct cli_flag flags[] = {
        CONNECTION_FLAGS(where),
        {"contract", CLI_TEXT, &contract, "NAME", "cyrexa, nexera or muster; guessed from the body when not given."},
        {"json", CLI_SWITCH, &import.as_json, NULL, "Print the server's answer as it is."},
    };
    struct connection connection;
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, flags, sizeof flags / sizeof flags[0], &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    if (!cli_words_check("import", &words, 1, 1) || connection_load(&where, &connection) != 0) {
        return CLI_USAGE;
    }
    return run(words.at[0], contract, &connection, &import);
}
