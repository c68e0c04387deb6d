/* A data folder of a test's own, and what the rooms say about it. */
#ifndef TESTS_UNIT_DAEMON_FOLDER_H
#define TESTS_UNIT_DAEMON_FOLDER_H

#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/daemon_priv.h"

struct folder {
    char root[64];
    char data[96];
    struct buf why;
};

static inline void folder_init(struct folder *folder)
{
    *folder = (struct folder){0};
    snprintf(folder->root, sizeof folder->root, "/tmp/muster-folder-XXXXXX");
    assert_non_null(mkdtemp(folder->root));
    snprintf(folder->data, sizeof folder->data, "%s/data", folder->root);
    buf_init(&folder->why, 0);
    assert_int_equal(crypto_init(), 0);
}

static inline void folder_fini(struct folder *folder)
{
    scratch_remove(folder->root);
    buf_fini(&folder->why);
}

static inline const char *in(const struct folder *folder, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder->data, name);
    return path;
}

static inline bool why_has(struct folder *folder, const char *text)
{
    return folder->why.size > 0 && memmem(folder->why.data, folder->why.size, text, strlen(text)) != NULL;
}

static inline mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

#endif
