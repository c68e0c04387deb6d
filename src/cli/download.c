/* The file is written beside its place and renamed, so that a broken download leaves what was there before. */
#include "cli/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/interrupt.h"

struct target {
    FILE *out;
    bool failed; /* to write: errno was told */
    const char *name;
};

static bool take(void *context, struct slice piece)
{
    struct target *target = context;
    if (fwrite(piece.data, 1, piece.size, target->out) == piece.size) {
        return true;
    }
    cli_say("%s: %s", target->name, strerror(errno));
    target->failed = true;
    return false;
}

static bool on_progress(void *context, uint64_t sent)
{
    (void)context;
    (void)sent;
    return !interrupt_seen();
}

static int fetch(const struct connection *connection, const char *path, const char *accept, struct target *target)
{
    struct client_request request = {.method = "GET",
                                     .path = path,
                                     .bearer = connection->token,
                                     .take = take,
                                     .progress = on_progress,
                                     .context = target};
    struct client_answer answer;
    if (accept != NULL) {
        request.headers[request.header_count++] = (struct client_header){"Accept", accept};
    }
    int code = client_finish(client_perform(connection, &request, &answer), &answer);
    client_answer_fini(&answer);
    if (target->failed) {
        return CLI_USAGE;
    }
    if (fflush(target->out) != 0) {
        cli_say("%s: %s", target->name, strerror(errno));
        return CLI_USAGE;
    }
    return code;
}

static bool finish_file(struct target *target, const char *part)
{
    bool done = fsync(fileno(target->out)) == 0 && rename(part, target->name) == 0;
    if (!done) {
        cli_say("%s: %s", target->name, strerror(errno));
    }
    return done;
}

static int fetch_into(const struct connection *connection, const char *path, const char *accept, const char *file)
{
    struct target target = {.name = file};
    struct buf part;
    buf_init(&part, 0);
    buf_printf(&part, "%s.part-XXXXXX", file);
    buf_append_byte(&part, '\0');
    int fd = buf_error(&part) == 0 ? mkostemp(part.data, O_CLOEXEC) : -1; /* mode 0600 */
    target.out = fd < 0 ? NULL : fdopen(fd, "wb");
    int code = CLI_USAGE;
    if (target.out == NULL) {
        cli_say("%s: %s", file, strerror(errno));
    } else {
        code = fetch(connection, path, accept, &target);
        code = code == CLI_KEPT && !finish_file(&target, part.data) ? CLI_USAGE : code;
        fclose(target.out);
        if (code != CLI_KEPT) {
            unlink(part.data);
        }
    }
    buf_fini(&part);
    return code;
}

int download(const struct connection *connection, const char *path, const char *accept, const char *file)
{
    struct target target = {.out = stdout, .name = "stdout"};
    return file == NULL ? fetch(connection, path, accept, &target) : fetch_into(connection, path, accept, file);
}

int download_report(const struct connection *connection, const char *import, const char *what, const char *accept,
                    const char *file)
{
    struct buf path;
    buf_init(&path, 0);
    buf_append_text(&path, "/v1/imports/");
    client_append_escaped(&path, import);
    buf_printf(&path, "/%s", what);
    buf_append_byte(&path, '\0');
    int code = buf_error(&path) == 0 ? download(connection, path.data, accept, file) : CLI_USAGE;
    buf_fini(&path);
    return code;
}
