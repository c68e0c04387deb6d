/*
 * Where the root key comes from. Unless told otherwise it is a file of the data folder, made at the first start; or the
 * operator hands the same key to every node of a store: by a file, a systemd credential or a program that prints
 * it. The difficulty is to make one only when there can be no other: a new key over rows that an older one sealed
 * would be a registry that nobody can read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon_priv.h"

#define PATH_BYTES      600
#define COMMAND_SECONDS 30

struct root_key {
    const char *data;
    uint8_t bytes[CRYPTO_KEY_BYTES];
    struct buf *why;
};

/* ---- a file ---- */

/* Who reads the root key reads everything; a group that its owner chose may, everybody else must not. */
static int check_mode(struct root_key *key, const char *path, int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && (status.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
        buf_printf(key->why, "%s is open to others (mode %03o): make it 0400, and ask who may have read it", path,
                   (unsigned)status.st_mode & 0777u);
        return ERR_KEY;
    }
    return 0;
}

static int read_key(struct root_key *key, const char *path, int fd)
{
    char text[128];
    size_t size = 0;
    ssize_t got;
    do {
        got = read(fd, text + size, sizeof text - size);
        size += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && size < sizeof text) || (got < 0 && errno == EINTR));
    int err = 0;
    if (got < 0) {
        buf_printf(key->why, "%s can't be read: %s", path, strerror(errno));
        err = ERR_STORAGE_IO;
    } else if (crypto_key_from_text(slice_make(text, size), key->bytes) != 0) {
        buf_printf(key->why, "%s is not a key of %d bytes", path, CRYPTO_KEY_BYTES);
        err = ERR_KEY;
    }
    crypto_wipe(text, sizeof text);
    return err;
}

/* ERR_NOT_FOUND without words: there is no such file. */
static int from_file(struct root_key *key, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return ERR_NOT_FOUND;
    }
    if (fd < 0) {
        buf_printf(key->why, "%s can't be read: %s", path, strerror(errno));
        return ERR_STORAGE_IO;
    }
    int err = check_mode(key, path, fd);
    err = err == 0 ? read_key(key, path, fd) : err;
    close(fd);
    return err;
}

static int from_named_file(struct root_key *key, const char *path)
{
    int err = from_file(key, path);
    if (err == ERR_NOT_FOUND) {
        buf_printf(key->why, "root_key names %s, and there is no such file", path);
        err = ERR_KEY;
    }
    return err;
}

/* ---- what the operator hands over ---- */

/* systemd puts credentials into a folder that only the service can read, and names it in the environment. */
static int from_credential(struct root_key *key, const char *name)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char path[PATH_BYTES];
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL) {
        buf_append_text(key->why, "root_key: a credential has a name without /");
        return ERR_CONFIG;
    }
    if (folder == NULL || folder[0] == '\0') {
        buf_printf(key->why,
                   "root_key wants the credential %s, but CREDENTIALS_DIRECTORY is not set: run by systemd with "
                   "LoadCredential=%s:PATH",
                   name, name);
        return ERR_KEY;
    }
    int size = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (size < 0 || (size_t)size >= sizeof path) {
        buf_append_text(key->why, "root_key: the path of the credential is too long");
        return ERR_CONFIG;
    }
    return from_named_file(key, path);
}

static int from_command(struct root_key *key, const char *line)
{
    struct command_output output;
    int err = command_run(line, COMMAND_SECONDS, &output, key->why);
    if (err == 0 && crypto_key_from_text(slice_make(output.bytes, output.size), key->bytes) != 0) {
        buf_printf(key->why, "what the command of root_key printed is not a key of %d bytes", CRYPTO_KEY_BYTES);
        err = ERR_KEY;
    }
    crypto_wipe(&output, sizeof output);
    return err;
}

static const struct {
    const char *prefix;
    int (*from)(struct root_key *key, const char *rest);
} SOURCES[] = {{"file:", from_named_file}, {"credential:", from_credential}, {"command:", from_command}};

static int from_source(struct root_key *key, const char *source)
{
    for (size_t i = 0; i < sizeof SOURCES / sizeof SOURCES[0]; i++) {
        size_t size = strlen(SOURCES[i].prefix);
        if (strncmp(source, SOURCES[i].prefix, size) == 0) {
            return SOURCES[i].from(key, source + size);
        }
    }
    buf_append_text(key->why, "root_key is file:PATH, credential:NAME or command:PROGRAM WORDS");
    return ERR_CONFIG;
}

/* ---- the data folder's own ---- */

static int make_own(struct root_key *key)
{
    char store[PATH_BYTES], keys[PATH_BYTES];
    daemon_store_path(key->data, store);
    if (access(store, F_OK) == 0) {
        buf_printf(key->why, "%s/keys/root.key is missing, but there is a store: put the key back from its backup",
                   key->data);
        return ERR_KEY;
    }
    snprintf(keys, sizeof keys, "%s/keys", key->data);
    int err = folder_make(key->data, key->why);
    err = err == 0 ? folder_make(keys, key->why) : err;
    if (err != 0) {
        return err;
    }
    crypto_random(key->bytes, sizeof key->bytes);
    err = folder_write(keys, "root.key", 0400, slice_make(key->bytes, sizeof key->bytes), key->why);
    return err == 0 ? folder_sync(key->data, key->why) : err;
}

static int read_or_make_own(struct root_key *key, enum daemon_ring_new fresh)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/keys/root.key", key->data);
    int err = from_file(key, path);
    if (err != ERR_NOT_FOUND) {
        return err;
    }
    switch (fresh) {
    case DAEMON_RING_NEW:
        return make_own(key);
    case DAEMON_RING_ELSEWHERE:
        buf_printf(key->why,
                   "the store was made with a root key that is not here: put it into %s (mode 0400), or name it "
                   "with --root-key",
                   path);
        return ERR_KEY;
    case DAEMON_RING_OLD:
        buf_printf(key->why, "%s is not a data folder: it has no keys/root.key", key->data);
        return ERR_NOT_FOUND;
    }
    return ERR_NOT_FOUND;
}

int daemon_ring_open(const char *data, const char *source, enum daemon_ring_new fresh, struct crypto_ring **ring,
                     struct buf *why)
{
    struct root_key key = {.data = data, .why = why};
    /* From here on this process holds keys and customers: no core file, no debugger of the same user. */
    prctl(PR_SET_DUMPABLE, 0);
    int err = source[0] == '\0' ? read_or_make_own(&key, fresh) : from_source(&key, source);
    if (err == 0 && fresh != DAEMON_RING_OLD) {
        err = folder_make(data, why); /* a key from elsewhere has not made it */
    }
    if (err == 0) {
        *ring = crypto_ring_new(key.bytes);
        err = *ring == NULL ? ERR_NO_MEMORY : 0;
    }
    crypto_wipe(&key, sizeof key);
    return err;
}
