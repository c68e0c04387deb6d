/* Small JSON texts that a command holds whole: credentials, answers, problems. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"

static int read_all(int fd, size_t limit_bytes, struct buf *text)
{
    for (;;) {
        if (buf_reserve(text, 65536) != 0) {
            return ERR_NO_MEMORY;
        }
        ssize_t got = read(fd, text->data + text->size, 65536);
        if (got == 0) {
            return 0;
        }
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return ERR_STORAGE_IO;
        }
        text->size += (size_t)got;
        if (text->size > limit_bytes) {
            return ERR_TOO_LARGE;
        }
    }
}

int cli_read_file(const char *path, size_t limit_bytes, struct buf *text)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        cli_say("%s: %s", path, strerror(errno));
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_STORAGE_IO;
    }
    int err = read_all(fd, limit_bytes, text);
    if (err == ERR_TOO_LARGE) {
        cli_say("%s: larger than %zu bytes", path, limit_bytes);
    } else if (err != 0) {
        cli_say("%s: %s", path, err == ERR_NO_MEMORY ? "no memory" : strerror(errno));
    }
    if (!is_stdin) {
        close(fd);
    }
    return err;
}

int cli_json_parse(struct cli_json *json)
{
    static const struct json_limits wide = {LIMIT_DEPTH, UINT32_MAX, UINT32_MAX};
    if (buf_reserve(&json->text, JSON_PADDING) != 0) {
        return ERR_NO_MEMORY;
    }
    memset(json->text.data + json->text.size, 0, JSON_PADDING);
    json_parser_free(&json->parser);
    json->parser = json_parser_new(json->text.size);
    if (json->parser == NULL) {
        return ERR_NO_MEMORY;
    }
    return json_parse(json->parser, buf_view(&json->text), &wide, &json->doc, &json->error);
}

void cli_json_free(struct cli_json *json)
{
    json_parser_free(&json->parser);
    buf_fini(&json->text);
}

struct slice cli_json_text(const struct json_doc *doc, json_at object, const char *name)
{
    json_at at = json_member(doc, object, slice_from_text(name));
    return at != 0 && json_type(doc, at) == JSON_STRING ? json_string(doc, at) : SLICE_NONE;
}

bool cli_text_copy(struct slice from, char *to, size_t size)
{
    if (from.size >= size || (from.size > 0 && memchr(from.data, '\0', from.size) != NULL)) {
        return false;
    }
    if (from.size > 0) {
        memcpy(to, from.data, from.size);
    }
    to[from.size] = '\0';
    return true;
}
