/*
 * Spool: a body that is taken in later (Prefer: respond-async) lies sealed in a file until then, P6 holds for it as
 * for anything. A file is named after its import and holds, integers little-endian:
 *
 *   at  size
 *    0     8  "musterS1"
 *    8    16  tenant
 *   24    16  import
 *   40        blocks: length (4), then a sealed block: nonce (24), ciphertext, tag (16)
 *
 * The first block is the head (what was admitted), those that follow are the body as it came, up to 64 KiB each. A
 * block's associated data are tenant, import, its number (8) and 1 for the last: blocks can't be moved, left out or
 * cut off unseen. Only a file with its last block, synced and in a synced folder, has been answered with 202.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/reader.h"
#include "intake/spool_priv.h"

#define MAGIC            "musterS1"
#define MAGIC_BYTES      8u
#define FRONT_BYTES      (MAGIC_BYTES + 2 * UUID_BYTES)
#define BLOCK_BYTES      (64u << 10)
#define ASSOCIATED_BYTES (2 * UUID_BYTES + 9)

struct spool {
    int file;
    const struct crypto_tenant *keys;
    struct uuid tenant;
    struct uuid import;
    char path[PATH_MAX];
    char folder[PATH_MAX];
    uint64_t number; /* of the next block */
    bool last;       /* the last block has been read */
    struct buf plain;
    struct buf sealed;
    size_t given; /* of plain, to the reader */
};

static int code_of(int error)
{
    return error == ENOSPC || error == EDQUOT ? ERR_STORAGE_FULL : ERR_STORAGE_IO;
}

static struct slice associate(const struct spool *spool, bool last, uint8_t bytes[ASSOCIATED_BYTES])
{
    memcpy(bytes, spool->tenant.bytes, UUID_BYTES);
    memcpy(bytes + UUID_BYTES, spool->import.bytes, UUID_BYTES);
    for (size_t i = 0; i < 8; i++) {
        bytes[2 * UUID_BYTES + i] = (uint8_t)(spool->number >> (8 * i));
    }
    bytes[2 * UUID_BYTES + 8] = last;
    return slice_make(bytes, ASSOCIATED_BYTES);
}

static struct spool *spool_new(const char *folder, const struct uuid *import)
{
    struct spool *spool = calloc(1, sizeof *spool);
    char name[UUID_TEXT_BYTES + 1];
    if (spool == NULL) {
        return NULL;
    }
    spool->file = -1;
    spool->import = *import;
    uuid_to_text(import, name);
    int size = snprintf(spool->path, sizeof spool->path, "%s/%s", folder, name);
    int folder_size = snprintf(spool->folder, sizeof spool->folder, "%s", folder);
    if (size < 0 || (size_t)size >= sizeof spool->path || folder_size < 0) {
        free(spool);
        return NULL;
    }
    return spool;
}

void spool_close(struct spool **spool)
{
    struct spool *closed = *spool;
    *spool = NULL;
    if (closed == NULL) {
        return;
    }
    if (closed->file >= 0) {
        close(closed->file);
    }
    crypto_wipe(closed->plain.data, closed->plain.capacity);
    buf_fini(&closed->plain);
    buf_fini(&closed->sealed);
    free(closed);
}

void spool_drop(struct spool **spool)
{
    if (*spool != NULL) {
        unlink((*spool)->path);
        spool_close(spool);
    }
}

void spool_remove(const char *folder, const struct uuid *import)
{
    struct spool *spool = spool_new(folder, import);
    spool_drop(&spool);
}

/* ---- writing ---- */

static int write_all(struct spool *spool, struct slice bytes)
{
    while (bytes.size > 0) {
        ssize_t written = write(spool->file, bytes.data, bytes.size);
        if (written < 0 && errno != EINTR) {
            return code_of(errno);
        }
        bytes = slice_from(bytes, written > 0 ? (size_t)written : 0);
    }
    return 0;
}

/* Seals and writes what has gathered. */
static int write_block(struct spool *spool, bool last)
{
    uint8_t associated[ASSOCIATED_BYTES];
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    crypto_random(nonce, sizeof nonce);
    buf_clear(&spool->sealed);
    buf_append_u32(&spool->sealed, (uint32_t)(spool->plain.size + CRYPTO_SEAL_BYTES));
    crypto_seal(spool->keys, CRYPTO_SPOOL, nonce, associate(spool, last, associated), buf_view(&spool->plain),
                &spool->sealed);
    int err = buf_error(&spool->sealed);
    err = err == 0 ? write_all(spool, buf_view(&spool->sealed)) : err;
    crypto_wipe(spool->plain.data, spool->plain.size);
    buf_clear(&spool->plain);
    spool->number++;
    return err;
}

static int write_front(struct spool *spool, struct slice head)
{
    struct buf front;
    buf_init(&front, 0);
    buf_append(&front, MAGIC, MAGIC_BYTES);
    buf_append_slice(&front, uuid_view(&spool->tenant));
    buf_append_slice(&front, uuid_view(&spool->import));
    int err = buf_error(&front);
    err = err == 0 ? write_all(spool, buf_view(&front)) : err;
    buf_fini(&front);
    if (err != 0) {
        return err;
    }
    buf_append_slice(&spool->plain, head);
    err = buf_error(&spool->plain);
    return err == 0 ? write_block(spool, false) : err;
}

int spool_create(const char *folder, const struct uuid *tenant, const struct uuid *import,
                 const struct crypto_tenant *keys, struct slice head, struct spool **spool)
{
    struct spool *made = spool_new(folder, import);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->tenant = *tenant;
    made->keys = keys;
    made->file = open(made->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int err = made->file < 0 ? code_of(errno) : write_front(made, head);
    if (err != 0) {
        spool_drop(&made);
        return err;
    }
    *spool = made;
    return 0;
}

int spool_append(struct spool *spool, struct slice bytes)
{
    int err = 0;
    while (err == 0 && bytes.size > 0) {
        size_t room = BLOCK_BYTES - spool->plain.size;
        size_t part = bytes.size < room ? bytes.size : room;
        buf_append(&spool->plain, bytes.data, part);
        bytes = slice_from(bytes, part);
        err = buf_error(&spool->plain);
        if (err == 0 && spool->plain.size == BLOCK_BYTES) {
            err = write_block(spool, false);
        }
    }
    return err;
}

/* A sync that fails is not tried again: nobody knows what it left. */
int spool_finish(struct spool *spool)
{
    int err = write_block(spool, true);
    if (err == 0 && fsync(spool->file) != 0) {
        err = code_of(errno);
    }
    int folder = err == 0 ? open(spool->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (err == 0 && (folder < 0 || fsync(folder) != 0)) {
        err = code_of(errno);
    }
    if (folder >= 0) {
        close(folder);
    }
    return err;
}

/* ---- reading ---- */

/* 0 when all of it was there. */
static int read_all(struct spool *spool, void *to, size_t size)
{
    char *at = to;
    while (size > 0) {
        ssize_t got = read(spool->file, at, size);
        if (got < 0 && errno != EINTR) {
            return ERR_STORAGE_IO;
        }
        if (got == 0) {
            return ERR_CORRUPT;
        }
        at += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static int open_block(struct spool *spool, bool last)
{
    uint8_t associated[ASSOCIATED_BYTES];
    buf_clear(&spool->plain);
    spool->given = 0;
    return crypto_open(spool->keys, CRYPTO_SPOOL, associate(spool, last, associated), buf_view(&spool->sealed),
                       &spool->plain);
}

static int read_block(struct spool *spool)
{
    uint8_t front[4];
    int err = read_all(spool, front, sizeof front);
    uint32_t size = (uint32_t)front[0] | (uint32_t)front[1] << 8 | (uint32_t)front[2] << 16 | (uint32_t)front[3] << 24;
    if (err == 0 && (size < CRYPTO_SEAL_BYTES || size > SPOOL_HEAD_LIMIT_BYTES + CRYPTO_SEAL_BYTES)) {
        err = ERR_CORRUPT;
    }
    if (err != 0) {
        return err;
    }
    buf_clear(&spool->sealed);
    void *room = buf_extend(&spool->sealed, size);
    err = room == NULL ? ERR_NO_MEMORY : read_all(spool, room, size);
    err = err == 0 ? open_block(spool, false) : err;
    if (err == ERR_KEY) {
        err = open_block(spool, true);
        spool->last = err == 0;
    }
    spool->number++;
    return err;
}

int spool_open(const char *folder, const struct uuid *import, struct uuid *tenant, struct spool **spool)
{
    uint8_t front[FRONT_BYTES];
    struct spool *made = spool_new(folder, import);
    if (made == NULL) {
        return ERR_NO_MEMORY;
    }
    made->file = open(made->path, O_RDONLY | O_CLOEXEC);
    int err = made->file < 0 ? ERR_NOT_FOUND : read_all(made, front, sizeof front);
    if (err == 0 && (memcmp(front, MAGIC, MAGIC_BYTES) != 0 ||
                     memcmp(front + MAGIC_BYTES + UUID_BYTES, import->bytes, UUID_BYTES) != 0)) {
        err = ERR_CORRUPT;
    }
    if (err != 0) {
        spool_close(&made);
        return err;
    }
    memcpy(made->tenant.bytes, front + MAGIC_BYTES, UUID_BYTES);
    *tenant = made->tenant;
    *spool = made;
    return 0;
}

int spool_read_head(struct spool *spool, const struct crypto_tenant *keys, struct slice *head)
{
    spool->keys = keys;
    int err = read_block(spool);
    *head = buf_view(&spool->plain);
    spool->given = spool->plain.size;
    return err == 0 && spool->last ? ERR_CORRUPT : err;
}

int spool_read(struct spool *spool, struct slice *bytes)
{
    *bytes = SLICE_NONE;
    while (spool->given == spool->plain.size && !spool->last) {
        int err = read_block(spool);
        if (err != 0) {
            return err;
        }
    }
    *bytes = slice_from(buf_view(&spool->plain), spool->given);
    spool->given = spool->plain.size;
    return 0;
}
