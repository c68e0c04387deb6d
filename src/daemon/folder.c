/*
 * The data folder. A file is written beside its place, synced, and renamed, so that it is there whole or
 * not at all; a root key that was half written would lose every customer.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "daemon/daemon_priv.h"

#define PATH_BYTES 600

static int failed(struct buf *why, const char *what, const char *path)
{
    buf_printf(why, "%s %s: %s", what, path, strerror(errno));
    return ERR_STORAGE_IO;
}

int folder_sync(const char *path, struct buf *why)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return failed(why, "can't open", path);
    }
    int err = fsync(fd) == 0 ? 0 : failed(why, "can't sync", path);
    close(fd);
    return err;
}

/* A folder that is new is synced into the one that holds it: what is kept in it must not go with its name. */
int folder_make(const char *path, struct buf *why)
{
    if (mkdir(path, 0700) != 0) {
        return errno == EEXIST ? 0 : failed(why, "can't make the folder", path);
    }
    char parent[PATH_BYTES];
    snprintf(parent, sizeof parent, "%s", path);
    return folder_sync(dirname(parent), why);
}

static bool write_all(int fd, struct slice text)
{
    while (text.size > 0) {
        ssize_t written = write(fd, text.data, text.size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        text = slice_from(text, (size_t)written);
    }
    return true;
}

int folder_write(const char *data, const char *name, unsigned mode, struct slice text, struct buf *why)
{
    char path[PATH_BYTES], fresh[PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/%s", data, name);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0) {
        return failed(why, "can't write", fresh);
    }
    bool written = write_all(fd, text) && fsync(fd) == 0;
    int err = written ? 0 : failed(why, "can't write", fresh);
    close(fd);
    if (err == 0 && rename(fresh, path) != 0) {
        err = failed(why, "can't rename to", path);
    }
    if (err != 0) {
        unlink(fresh); /* it may hold part of a key */
        return err;
    }
    return folder_sync(data, why);
}

int folder_read(const char *data, const char *name, struct buf *text)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", data, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_STORAGE_IO;
    }
    char piece[4096];
    ssize_t got;
    while ((got = read(fd, piece, sizeof piece)) > 0) {
        buf_append(text, piece, (size_t)got);
    }
    crypto_wipe(piece, sizeof piece);
    close(fd);
    return got < 0 ? ERR_STORAGE_IO : buf_error(text);
}

void daemon_store_path(const char *data, char path[600])
{
    snprintf(path, PATH_BYTES, "%s/store", data);
}

void daemon_store_location(const char *data, const char *store, char location[600])
{
    if (store[0] == '\0') {
        daemon_store_path(data, location);
    } else {
        snprintf(location, PATH_BYTES, "%s", store);
    }
}

static int make_node(const char *data, struct uuid *node, struct buf *why)
{
    char text[UUID_TEXT_BYTES + 1];
    crypto_random(node->bytes, sizeof node->bytes);
    uuid_to_text(node, text);
    return folder_write(data, "node.id", 0600, slice_from_text(text), why);
}

int folder_node(const char *data, struct uuid *node, struct buf *why)
{
    struct buf text;
    buf_init(&text, 0);
    int err = folder_read(data, "node.id", &text);
    if (err == ERR_NOT_FOUND) {
        err = make_node(data, node, why);
    } else if (err == 0 && !uuid_from_text(slice_trim(buf_view(&text)), node)) {
        buf_printf(why, "%s/node.id is not an id: remove it, and a new one is made", data);
        err = ERR_CONFIG;
    }
    buf_fini(&text);
    return err;
}

/* A folder's device and number tell it from any other of the machine, and the kernel's boot the machine from any other.
 * They may be others after a restart of the machine or another mount, which costs the wait for the old lease. */
int folder_node_here(const char *data, struct uuid *node, struct buf *why)
{
    struct stat status;
    struct buf place;
    uint8_t digest[64];
    int err = folder_node(data, node, why);
    if (err == 0 && stat(data, &status) != 0) {
        err = failed(why, "can't look at", data);
    }
    if (err != 0) {
        return err;
    }
    buf_init(&place, 0);
    buf_append(&place, node->bytes, sizeof node->bytes);
    buf_printf(&place, "%llu %llu ", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
    err = folder_read("/proc/sys/kernel/random", "boot_id", &place);
    err = err == ERR_NO_MEMORY ? err : buf_error(&place); /* without one: another kind of system */
    if (err == 0) {
        crypto_digest_blake2b_512(buf_view(&place), digest);
        memcpy(node->bytes, digest, sizeof node->bytes);
    }
    buf_fini(&place);
    return err;
}

int folder_lock(const char *data, int *lock, struct buf *why)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/server.lock", data);
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock < 0) {
        return failed(why, "can't open", path);
    }
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0) {
        return 0;
    }
    int err = errno == EWOULDBLOCK ? ERR_CONFIG : ERR_STORAGE_IO;
    if (err == ERR_CONFIG) {
        buf_printf(why, "another server runs over the folder %s", data);
    } else {
        (void)failed(why, "can't lock", path);
    }
    close(*lock);
    *lock = -1;
    return err;
}

int folder_spool(const char *data, char path[600], struct buf *why)
{
    snprintf(path, PATH_BYTES, "%s/spool", data);
    return folder_make(path, why);
}

struct operator_file {
    const char *data;
    struct buf *why;
    bool written;
};

static int write_operator(void *context, struct slice key)
{
    struct operator_file *file = context;
    file->written = true;
    return folder_write(file->data, "operator.key", 0400, key, file->why);
}

int folder_operator(struct auth *auth, const char *data, struct buf *why)
{
    struct operator_file file = {.data = data, .why = why};
    int err = auth_operator_create_kept(auth, write_operator, &file);
    if (err == ERR_EXISTS && file.written) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/operator.key", data);
        unlink(path); /* another node was first, and this key is nobody's */
    }
    return err == ERR_EXISTS ? 0 : err;
}
