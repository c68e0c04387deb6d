/*
 * Opening the two stores of a copy. The source is opened as a server opens it, which takes its lock and ends what a
 * crash left unfinished; the target is opened below that, because a copy that is not whole must not be opened as a
 * store. The difficulty is a name mistyped: RocksDB makes a store wherever it is told to, so the folder of the source
 * must hold one, and that of the target one or nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "store/copy_priv.h"
#include "store/local_priv.h"

/* Every RocksDB folder has this file. */
static bool holds_store(const char *folder)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/CURRENT", folder);
    return size > 0 && (size_t)size < sizeof path && access(path, F_OK) == 0;
}

static bool is_empty(const char *folder)
{
    DIR *opened = opendir(folder);
    if (opened == NULL) {
        return errno == ENOENT;
    }
    size_t entries = 0;
    while (readdir(opened) != NULL) {
        entries++;
    }
    (void)closedir(opened);
    return entries <= 2; /* . and .. */
}

static int refuse(const char *folder, const char *reason, struct buf *why)
{
    char inner[PATH_MAX];
    int size = snprintf(inner, sizeof inner, "%s/store", folder);
    buf_printf(why, "%s %s", folder, reason);
    if (size > 0 && (size_t)size < sizeof inner && holds_store(inner)) {
        buf_printf(why, "; did you mean %s?", inner);
    }
    return ERR_NOT_FOUND;
}

int store_copy_open_from(const char *location, struct store_copy_side *side, struct buf *why)
{
    if (!holds_store(location)) {
        return refuse(location, "holds no store", why);
    }
    int err = store_open_rocks(location, NULL, &side->store, why);
    if (err == 0) {
        side->kv = store_local_of(side->store)->kv;
    }
    return err;
}

int store_copy_open_to(const char *location, struct store_copy_side *side, struct buf *why)
{
    if (!holds_store(location) && !is_empty(location)) {
        return refuse(location, "is neither a store nor an empty folder", why);
    }
    return store_kv_rocks_open(location, NULL, &side->kv, why);
}

void store_copy_close(struct store_copy_side *side)
{
    if (side->store != NULL) {
        store_close(&side->store);
        side->kv = NULL;
    } else {
        store_kv_close(&side->kv);
    }
}
