/*
 * The reader of answers is a small machine that is given whatever a read returned; the writer is one
 * writev loop. A server may answer before it has read the whole body (a refusal): a write that fails is
 * therefore no verdict, the answer is read all the same.
 *
 * A body that is made while it is sent goes out without blocking, so that an answer that comes early is seen; what
 * was made and does not fit into the socket waits, and nothing more is made meanwhile.
 */
#include "cli/bench_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/text.h"

void bench_reply_begin(struct bench_reply *reply)
{
    /* The arrays need no clearing: their sizes say what is there. */
    memset(reply, 0, offsetof(struct bench_reply, head));
}

/* ---- head ---- */

static void read_line(struct bench_reply *reply, struct slice line)
{
    const char *colon = memchr(line.data, ':', line.size);
    if (colon == NULL) {
        return;
    }
    struct slice name = slice_make(line.data, (size_t)(colon - line.data));
    struct slice value = slice_from(line, name.size + 1);
    while (value.size > 0 && value.data[0] == ' ') {
        value = slice_from(value, 1);
    }
    if (slice_equal_nocase(name, SLICE("content-length"))) {
        reply->state = text_to_u64(value, &reply->left) ? reply->state : REPLY_FAILED;
    } else if (slice_equal_nocase(name, SLICE("transfer-encoding"))) {
        reply->chunked = slice_equal_nocase(value, SLICE("chunked"));
    } else if (slice_equal_nocase(name, SLICE("connection"))) {
        reply->closes = slice_equal_nocase(value, SLICE("close"));
    }
}

/* The head is whole, its blank line included. */
static void read_head(struct bench_reply *reply)
{
    struct slice head = slice_make(reply->head, reply->head_size);
    uint64_t status = 0;
    if (!slice_starts(head, SLICE("HTTP/1.")) || head.size < 12 ||
        !text_to_u64(slice_make(head.data + 9, 3), &status)) {
        reply->state = REPLY_FAILED;
        return;
    }
    reply->status = (int)status;
    while (head.size > 0) {
        const char *end = memchr(head.data, '\n', head.size);
        size_t size = end == NULL ? head.size : (size_t)(end - head.data) + 1;
        read_line(reply, slice_make(head.data, size < 2 ? 0 : size - 2));
        head = slice_from(head, size);
    }
    if (reply->state != REPLY_FAILED) {
        reply->state = reply->chunked ? REPLY_CHUNK_SIZE : reply->left > 0 ? REPLY_BODY : REPLY_DONE;
    }
}

static size_t take_head(struct bench_reply *reply, struct slice bytes)
{
    size_t used = 0;
    while (used < bytes.size && reply->state == REPLY_HEAD) {
        if (reply->head_size == BENCH_HEAD_BYTES) {
            reply->state = REPLY_FAILED;
            return used;
        }
        reply->head[reply->head_size++] = bytes.data[used++];
        if (reply->head_size >= 4 && memcmp(reply->head + reply->head_size - 4, "\r\n\r\n", 4) == 0) {
            read_head(reply);
        }
    }
    return used;
}

/* ---- body ---- */

static void look_at(struct bench_reply *reply, struct slice body)
{
    size_t room = BENCH_EXCERPT_BYTES - reply->excerpt_size;
    size_t part = body.size < room ? body.size : room;
    memcpy(reply->excerpt + reply->excerpt_size, body.data, part);
    reply->excerpt_size += part;
    for (size_t i = 0; i < body.size; i++) {
        reply->hyphens += body.data[i] == '-' ? 1 : 0;
    }
}

static size_t take_body(struct bench_reply *reply, struct slice bytes)
{
    size_t part = bytes.size < reply->left ? bytes.size : (size_t)reply->left;
    look_at(reply, slice_make(bytes.data, part));
    reply->left -= part;
    if (reply->left == 0) {
        reply->state = reply->chunked ? REPLY_CHUNK_END : REPLY_DONE;
    }
    return part;
}

/* Lines between chunks: a size, the empty end of a chunk, trailers. One byte. */
static void take_line_byte(struct bench_reply *reply, char c)
{
    if (c != '\n') {
        char lower = (char)(c | 0x20);
        bool digit = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
        if (reply->state == REPLY_CHUNK_SIZE && digit) {
            reply->left = reply->left << 4 | (uint64_t)(c <= '9' ? c - '0' : lower - 'a' + 10);
        } else if (reply->state == REPLY_CHUNK_SIZE && c != '\r') {
            reply->state = REPLY_FAILED; /* extensions are for other clients */
        }
        reply->line_size += c != '\r' ? 1 : 0;
        return;
    }
    bool empty = reply->line_size == 0;
    reply->line_size = 0;
    if (reply->state == REPLY_CHUNK_SIZE) {
        reply->state = empty ? REPLY_FAILED : reply->left > 0 ? REPLY_BODY : REPLY_TRAILER;
    } else if (reply->state == REPLY_CHUNK_END) {
        reply->state = empty ? REPLY_CHUNK_SIZE : REPLY_FAILED;
    } else if (empty) {
        reply->state = REPLY_DONE;
    }
}

size_t bench_reply_take(struct bench_reply *reply, struct slice bytes)
{
    size_t used = 0;
    while (used < bytes.size && reply->state != REPLY_DONE && reply->state != REPLY_FAILED) {
        if (reply->state == REPLY_HEAD) {
            used += take_head(reply, slice_from(bytes, used));
        } else if (reply->state == REPLY_BODY) {
            used += take_body(reply, slice_from(bytes, used));
        } else {
            take_line_byte(reply, bytes.data[used++]);
        }
    }
    return used;
}

/* ---- sockets ---- */

bool bench_address(const char *url, struct sockaddr_in *address)
{
    static const char scheme[] = "http://";
    char host[64];
    uint64_t port = 80;
    if (strncmp(url, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    const char *at = url + sizeof scheme - 1;
    size_t size = strcspn(at, ":/");
    if (size >= sizeof host) {
        return false;
    }
    memcpy(host, at, size);
    host[size] = '\0';
    if (at[size] == ':' && !text_to_u64(slice_make(at + size + 1, strcspn(at + size + 1, "/")), &port)) {
        return false;
    }
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    return port <= UINT16_MAX &&
           inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &address->sin_addr) == 1;
}

int bench_connect(const struct sockaddr_in *address)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        close(fd);
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

#define PARTS_MAX 3

/* Fills the vector with what is left of the parts; writing only reads from them, but its type has no const. */
static size_t fill_vector(const struct slice *parts, size_t count, struct iovec *vector)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(&vector[i].iov_base, &parts[i].data, sizeof parts[i].data);
        vector[i].iov_len = parts[i].size;
        bytes += parts[i].size;
    }
    return bytes;
}

static void drop_sent(struct slice *parts, size_t count, size_t sent)
{
    for (size_t i = 0; i < count; i++) {
        size_t of_part = sent < parts[i].size ? sent : parts[i].size;
        parts[i] = slice_from(parts[i], of_part);
        sent -= of_part;
    }
}

static void write_all(int fd, struct slice head, struct slice body)
{
    struct slice left[2] = {head, body};
    struct iovec vector[2];
    while (fill_vector(left, 2, vector) > 0) {
        ssize_t sent = writev(fd, vector, 2);
        if (sent < 0 && errno != EINTR) {
            return;
        }
        drop_sent(left, 2, sent < 0 ? 0 : (size_t)sent);
    }
}

int bench_exchange(int fd, struct slice head, struct slice body, struct bench_reply *reply)
{
    char bytes[65536];
    bench_reply_begin(reply);
    write_all(fd, head, body);
    while (reply->state != REPLY_DONE) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return ERR_NETWORK;
        }
        (void)bench_reply_take(reply, slice_make(bytes, (size_t)got));
        if (reply->state == REPLY_FAILED) {
            return ERR_NETWORK;
        }
    }
    return 0;
}

/* ---- a body that is made while it is sent ---- */

#define STILL_MS 300000 /* an import of gigabytes may take its time to commit */

struct sending {
    int fd;
    bench_feed_fn *feed;
    void *context;
    struct slice parts[PARTS_MAX]; /* what is left of the chunk at hand */
    char size_line[24];
    bool last;  /* the chunk at hand ends the body */
    bool ended; /* all is sent, or the server takes no more */
};

static void next_chunk(struct sending *sending)
{
    struct slice piece = sending->feed(sending->context);
    int size = snprintf(sending->size_line, sizeof sending->size_line, "%zx\r\n", piece.size);
    sending->parts[0] = slice_make(sending->size_line, (size_t)size);
    sending->parts[1] = piece;
    sending->parts[2] = SLICE("\r\n");
    sending->last = piece.size == 0;
}

/* Sends until the socket is full or all is sent. */
static void push(struct sending *sending)
{
    struct iovec vector[PARTS_MAX];
    while (!sending->ended) {
        if (fill_vector(sending->parts, PARTS_MAX, vector) == 0) {
            sending->ended = sending->last;
            if (!sending->ended) {
                next_chunk(sending);
            }
            continue;
        }
        struct msghdr message = {.msg_iov = vector, .msg_iovlen = PARTS_MAX};
        ssize_t sent = sendmsg(sending->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            return;
        }
        if (sent < 0 && errno != EINTR) {
            sending->ended = true;
            return;
        }
        drop_sent(sending->parts, PARTS_MAX, sent < 0 ? 0 : (size_t)sent);
    }
}

/* Takes what has arrived. False: the answer is broken or cut off. */
static bool pull(int fd, struct bench_reply *reply)
{
    char bytes[65536];
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (got <= 0) {
        return false;
    }
    (void)bench_reply_take(reply, slice_make(bytes, (size_t)got));
    return reply->state != REPLY_FAILED;
}

int bench_exchange_chunked(int fd, struct slice head, bench_feed_fn *feed, void *context, struct bench_reply *reply)
{
    struct sending sending = {.fd = fd, .feed = feed, .context = context, .parts = {head}};
    bench_reply_begin(reply);
    while (reply->state != REPLY_DONE) {
        push(&sending);
        struct pollfd event = {.fd = fd, .events = (short)(sending.ended ? POLLIN : POLLIN | POLLOUT)};
        int ready = poll(&event, 1, STILL_MS);
        if (ready == 0 || (ready < 0 && errno != EINTR)) {
            return ERR_NETWORK;
        }
        if (ready > 0 && (event.revents & ~POLLOUT) != 0 && !pull(fd, reply)) {
            return ERR_NETWORK;
        }
    }
    return 0;
}
