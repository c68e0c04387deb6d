/*
 * What was peeked at is kept, so that a pipe can be looked into as well; as long as no more than that has
 * left, even a pipe can be sent again.
 */
#include "cli/import_body.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/interrupt.h"
#include "unpack/unpack.h"

#define PEEK_BYTES (1u << 20)

static ssize_t read_some(int fd, char *to, size_t size)
{
    ssize_t got;
    do {
        if (!interrupt_wait_readable(fd)) {
            errno = EINTR;
            return -1;
        }
        got = read(fd, to, size);
    } while (got < 0 && errno == EINTR);
    return got;
}

static bool peek(struct import_body *body)
{
    if (buf_reserve(&body->peeked, PEEK_BYTES) != 0) {
        errno = ENOMEM;
        return false;
    }
    while (body->peeked.size < PEEK_BYTES) {
        ssize_t got = read_some(body->fd, body->peeked.data + body->peeked.size, PEEK_BYTES - body->peeked.size);
        if (got < 0) {
            return false;
        }
        if (got == 0) {
            body->size = (int64_t)body->peeked.size;
            return true;
        }
        body->peeked.size += (size_t)got;
    }
    return true;
}

/* As much of the start as there is to be guessed from; a body that can't be unpacked is the server's to refuse. */
static void unpack_start(struct import_body *body)
{
    struct unpack *unpack = unpack_new(body->packing == FORMAT_GZIP ? UNPACK_GZIP : UNPACK_ZSTD);
    struct slice packed = buf_view(&body->peeked);
    const char *why = NULL;
    while (unpack != NULL && body->plain.size < PEEK_BYTES) {
        struct slice plain = SLICE_NONE;
        if (unpack_next(unpack, &packed, &plain, &why) != 0 || plain.size == 0) {
            break;
        }
        buf_append_slice(&body->plain, plain);
    }
    unpack_free(&unpack);
}

bool import_body_open(struct import_body *body, const char *path)
{
    struct stat info;
    *body = (struct import_body){.path = path, .start = -1, .size = -1};
    buf_init(&body->peeked, 0);
    buf_init(&body->plain, 0);
    body->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (body->fd < 0 || fstat(body->fd, &info) != 0) {
        cli_say("%s: %s", path, strerror(errno));
        return false;
    }
    /* Of stdin that is a file, a part may have been read before us: what is left of it is the body. */
    body->start = S_ISREG(info.st_mode) ? (int64_t)lseek(body->fd, 0, SEEK_CUR) : -1;
    body->size = body->start < 0 ? -1 : info.st_size > body->start ? (int64_t)info.st_size - body->start : 0;
    if (!peek(body)) {
        cli_say("%s: %s", path, strerror(errno));
        return false;
    }
    body->packing = format_packing(buf_view(&body->peeked));
    if (body->packing != FORMAT_PLAIN) {
        unpack_start(body);
    }
    return true;
}

void import_body_close(struct import_body *body)
{
    if (body->fd > STDIN_FILENO) {
        close(body->fd);
    }
    buf_fini(&body->peeked);
    buf_fini(&body->plain);
}

struct slice import_body_start(const struct import_body *body)
{
    return body->packing == FORMAT_PLAIN ? buf_view(&body->peeked) : buf_view(&body->plain);
}

ssize_t import_body_read(void *context, char *to, size_t size)
{
    struct import_body *body = context;
    size_t left = body->peeked.size - body->peeked_sent;
    if (left > 0) {
        size_t part = left < size ? left : size;
        memcpy(to, body->peeked.data + body->peeked_sent, part);
        body->peeked_sent += part;
        return (ssize_t)part;
    }
    ssize_t got = read_some(body->fd, to, size);
    body->is_past = body->is_past || got > 0;
    return got;
}

bool import_body_can_rewind(const struct import_body *body)
{
    return body->start >= 0 || !body->is_past;
}

bool import_body_rewind(struct import_body *body)
{
    if (body->is_past &&
        (body->start < 0 || lseek(body->fd, (off_t)(body->start + (int64_t)body->peeked.size), SEEK_SET) < 0)) {
        return false;
    }
    body->is_past = false;
    body->peeked_sent = 0;
    return true;
}
