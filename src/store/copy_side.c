/*
 * Opening the two stores of a copy. The source is opened as a server opens it, which takes its lock and ends what a
 * crash left unfinished; the target is opened below that, because a copy that is not whole must not be opened as a
 * store. The difficulty is a name mistyped: RocksDB makes a store wherever it is told to, so the folder of the source
 * must hold one, and that of the target one or nothing.
 *
 * A database has no lock that a server holds. Its servers are known by name, and none may be alive; what one of them
 * left unfinished moves as it is, and is ended by the start of the target.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/copy_priv.h"
#include "store/local_priv.h"
#include "store/postgres_priv.h"

/* Every RocksDB folder has this file. */
bool store_copy_holds_store(const char *folder)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/CURRENT", folder);
    return size > 0 && (size_t)size < sizeof path && access(path, F_OK) == 0;
}

/* What RocksDB and the store beside it leave of a start that was killed before CURRENT was there. */
static bool is_leftover(const char *name)
{
    static const char *const begins[] = {".",        "LOCK",      "LOG",          "IDENTITY",
                                         "OPTIONS-", "MANIFEST-", "acknowledged", "direct-probe"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        if (strncmp(name, begins[i], strlen(begins[i])) == 0) {
            return true;
        }
    }
    return dot != NULL && strcmp(dot, ".dbtmp") == 0;
}

static bool is_empty(const char *folder)
{
    DIR *opened = opendir(folder);
    if (opened == NULL) {
        return errno == ENOENT;
    }
    const struct dirent *entry;
    bool empty = true;
    while (empty && (entry = readdir(opened)) != NULL) {
        empty = is_leftover(entry->d_name);
    }
    (void)closedir(opened);
    return empty;
}

int store_copy_refuse(const char *folder, const char *reason, struct buf *why)
{
    char inner[PATH_MAX];
    int size = snprintf(inner, sizeof inner, "%s/store", folder);
    buf_printf(why, "%s %s", folder, reason);
    if (size > 0 && (size_t)size < sizeof inner && store_copy_holds_store(inner)) {
        buf_printf(why, "; did you mean %s?", inner);
    }
    return ERR_NOT_FOUND;
}

static int open_database(const char *location, bool create, struct store_copy_side *side, struct buf *why)
{
    side->shared = true;
    int err = store_kv_postgres_alone(location, create, &side->kv, why);
    if (err != 0 || create) {
        return err;
    }
    err = store_format_check(side->kv, why);
    if (err == ERR_NOT_FOUND) {
        buf_append_text(why, "the database holds no store");
    }
    return err == 0 ? store_format_refuse_copy(side->kv, why) : err;
}

int store_copy_open_from(const char *location, struct store_copy_side *side, struct buf *why)
{
    if (store_is_shared(location)) {
        return open_database(location, false, side, why);
    }
    if (!store_copy_holds_store(location)) {
        return store_copy_refuse(location, "holds no store", why);
    }
    int err = store_open_rocks(location, NULL, &side->store, why);
    if (err == 0) {
        side->kv = store_local_of(side->store)->kv;
    }
    return err;
}

int store_copy_open_to(const char *location, struct store_copy_side *side, struct buf *why)
{
    if (store_is_shared(location)) {
        return open_database(location, true, side, why);
    }
    if (!store_copy_holds_store(location) && !is_empty(location)) {
        return store_copy_refuse(location, "is neither a store nor an empty folder", why);
    }
    return store_kv_rocks_open(location, NULL, &side->kv, why);
}

int store_copy_check(const struct store_copy_side *side, struct buf *why)
{
    return side->shared ? store_pg_check_alone(side->kv, why) : 0;
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
