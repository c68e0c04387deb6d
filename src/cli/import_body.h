/*
 * The file or stdin that an import sends: its first bytes, looked at before anything is sent, then all of it
 * as it is. It may be sent again from its start when that can still be read. One thread.
 */
#ifndef CLI_IMPORT_BODY_H
#define CLI_IMPORT_BODY_H

#include <sys/types.h>

#include "base/buf.h"
#include "cli/format.h"

struct import_body {
    const char *path; /* "-": stdin */
    int fd;
    int64_t start; /* place in the file at which the body begins; negative: it can't be gone back to */
    int64_t size;  /* bytes from there; negative: not known */
    enum format_packing packing;
    struct buf peeked; /* the start, as it is */
    struct buf plain;  /* the start, unpacked; empty when it is plain already */
    size_t peeked_sent;
    bool is_past; /* more was read than what was peeked at */
};

/* Opens and peeks; false, told on stderr, when it can't be read. Close it in any case. */
bool import_body_open(struct import_body *body, const char *path);
void import_body_close(struct import_body *body);
/* The start of what is in it, unpacked. */
struct slice import_body_start(const struct import_body *body);
/* For client_request: `context` is the body. Negative when it can't be read or Ctrl-C came. */
ssize_t import_body_read(void *context, char *to, size_t size);
/* Whether it could be read from its start again. */
bool import_body_can_rewind(const struct import_body *body);
/* Goes back to the start; false when it can't. */
bool import_body_rewind(struct import_body *body);

#endif
