/*
 * A preload library that fails the n-th call of a class on files below a folder; fail_control.h says how it is
 * told. Sockets, the log and files elsewhere are left alone, so that what fails is the world under the store.
 *
 * The difficulty is to know which descriptor is a file of the folder without asking the kernel at each call: opens
 * are seen here, so a table remembers them.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fail_control.h"

#define FD_MAX 65536

static struct fail_control *control;
static const char *root;
static _Atomic bool tracked[FD_MAX]; /* a file or folder below the root */

/* The function that this library stands before. */
#define NEXT(name)                                                                                                     \
    static __typeof__(&(name)) next;                                                                                   \
    if (next == NULL) {                                                                                                \
        *(void **)(&next) = dlsym(RTLD_NEXT, #name);                                                                   \
    }

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("FAIL_CONTROL");
    root = getenv("FAIL_ROOT");
    if (path == NULL || root == NULL) {
        return;
    }
    NEXT(open)
    int fd = next(path, O_RDWR | O_CLOEXEC);
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        abort();
    }
    control = map;
}

/* ---- whose turn it is ---- */

static bool is_ours(const char *path)
{
    size_t size = root == NULL ? 0 : strlen(root);
    return control != NULL && root != NULL && path != NULL && strncmp(path, root, size) == 0 &&
           (path[size] == '/' || path[size] == '\0');
}

static bool is_tracked(int fd)
{
    return control != NULL && fd >= 0 && fd < FD_MAX && atomic_load(&tracked[fd]);
}

static void track(int fd, bool on)
{
    if (fd >= 0 && fd < FD_MAX) {
        atomic_store(&tracked[fd], on);
    }
}

/* Counts a call; whether it is one that fails. errno is set then. */
static bool strikes(enum fail_class class)
{
    uint64_t number = atomic_fetch_add(&control->counts[class], 1) + 1;
    uint64_t at = atomic_load(&control->at);
    if (at == 0 || atomic_load(&control->class) != class || number < at ||
        (number > at && atomic_load(&control->for_good) == 0)) {
        return false;
    }
    atomic_fetch_add(&control->failed, 1);
    errno = (int)atomic_load(&control->error);
    return true;
}

/* ---- opening ---- */

typedef int open_fn(const char *path, int flags, ...);

static int open_counted(open_fn *next, const char *path, int flags, mode_t mode)
{
    if (!is_ours(path)) {
        return next(path, flags, mode);
    }
    if (strikes(FAIL_OPEN)) {
        return -1;
    }
    int fd = next(path, flags, mode);
    track(fd, true);
    return fd;
}

#define OPEN_MODE(flags)                                                                                               \
    mode_t mode = 0;                                                                                                   \
    if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) {                                                  \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode = va_arg(list, mode_t);                                                                                   \
        va_end(list);                                                                                                  \
    }

int open(const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    NEXT(open)
    return open_counted(next, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    NEXT(open64)
    return open_counted(next, path, flags, mode);
}

/* A relative path counts too when its folder is one of ours. */
int openat(int folder, const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    NEXT(openat)
    bool ours = path[0] == '/' ? is_ours(path) : is_tracked(folder);
    if (ours && strikes(FAIL_OPEN)) {
        return -1;
    }
    int fd = next(folder, path, flags, mode);
    if (ours) {
        track(fd, true);
    }
    return fd;
}

int openat64(int folder, const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    return openat(folder, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

static FILE *fopen_counted(FILE *(*next)(const char *, const char *), const char *path, const char *mode)
{
    if (!is_ours(path)) {
        return next(path, mode);
    }
    if (strikes(FAIL_OPEN)) {
        return NULL;
    }
    FILE *file = next(path, mode);
    track(file == NULL ? -1 : fileno(file), true);
    return file;
}

FILE *fopen(const char *path, const char *mode)
{
    NEXT(fopen)
    return fopen_counted(next, path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    NEXT(fopen64)
    return fopen_counted(next, path, mode);
}

int close(int fd)
{
    NEXT(close)
    track(fd, false);
    return next(fd);
}

/* ---- bytes ---- */

/* One write in any of its forms: the parts, and a place or -1. */
struct bytes {
    int fd;
    const struct iovec *parts;
    int count;
    off_t offset;
};

static ssize_t write_all(const struct bytes *bytes)
{
    if (bytes->offset < 0) {
        NEXT(writev)
        return next(bytes->fd, bytes->parts, bytes->count);
    }
    NEXT(pwritev)
    return next(bytes->fd, bytes->parts, bytes->count, bytes->offset);
}

/* Of several parts: the first only. */
static ssize_t write_half(const struct bytes *bytes)
{
    struct iovec part = bytes->parts[0];
    part.iov_len = part.iov_len > 1 && bytes->count == 1 ? part.iov_len / 2 : part.iov_len;
    struct bytes half = {bytes->fd, &part, 1, bytes->offset};
    return write_all(&half);
}

static ssize_t write_counted(const struct bytes *bytes)
{
    if (!is_tracked(bytes->fd) || bytes->count < 1) {
        return write_all(bytes);
    }
    bool nothing = strikes(FAIL_WRITE);
    bool shortened = strikes(FAIL_SHORT);
    bool torn = strikes(FAIL_TORN);
    if (nothing) {
        return -1;
    }
    if (!shortened && !torn) {
        return write_all(bytes);
    }
    int error = errno;
    ssize_t written = write_half(bytes);
    errno = error;
    return torn ? -1 : written;
}

ssize_t write(int fd, const void *data, size_t size)
{
    struct iovec part = {(void *)(uintptr_t)data, size};
    return write_counted(&(struct bytes){fd, &part, 1, -1});
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return write_counted(&(struct bytes){fd, parts, count, -1});
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    struct iovec part = {(void *)(uintptr_t)data, size};
    return write_counted(&(struct bytes){fd, &part, 1, offset});
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    return pwrite(fd, data, size, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    return write_counted(&(struct bytes){fd, parts, count, offset});
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return pwritev(fd, parts, count, offset);
}

ssize_t read(int fd, void *data, size_t size)
{
    NEXT(read)
    return is_tracked(fd) && strikes(FAIL_READ) ? -1 : next(fd, data, size);
}

ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
    NEXT(pread)
    return is_tracked(fd) && strikes(FAIL_READ) ? -1 : next(fd, data, size, offset);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset)
{
    return pread(fd, data, size, offset);
}

/* ---- syncs and space ---- */

/* sync_file_range is left alone: it makes nothing durable, and RocksDB's probe of it at open must not fail. */

int fsync(int fd)
{
    NEXT(fsync)
    return is_tracked(fd) && strikes(FAIL_SYNC) ? -1 : next(fd);
}

int fdatasync(int fd)
{
    NEXT(fdatasync)
    return is_tracked(fd) && strikes(FAIL_SYNC) ? -1 : next(fd);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    NEXT(fallocate)
    return is_tracked(fd) && strikes(FAIL_SPACE) ? -1 : next(fd, mode, offset, size);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size)
{
    return fallocate(fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    NEXT(posix_fallocate)
    return is_tracked(fd) && strikes(FAIL_SPACE) ? errno : next(fd, offset, size);
}

int posix_fallocate64(int fd, off64_t offset, off64_t size)
{
    return posix_fallocate(fd, offset, size);
}

int ftruncate(int fd, off_t size)
{
    NEXT(ftruncate)
    return is_tracked(fd) && strikes(FAIL_SPACE) ? -1 : next(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

/* ---- names ---- */

int rename(const char *from, const char *to)
{
    NEXT(rename)
    return is_ours(to) && strikes(FAIL_RENAME) ? -1 : next(from, to);
}

int link(const char *from, const char *to)
{
    NEXT(link)
    return is_ours(to) && strikes(FAIL_RENAME) ? -1 : next(from, to);
}

int unlink(const char *path)
{
    NEXT(unlink)
    return is_ours(path) && strikes(FAIL_RENAME) ? -1 : next(path);
}

int mkdir(const char *path, mode_t mode)
{
    NEXT(mkdir)
    return is_ours(path) && strikes(FAIL_RENAME) ? -1 : next(path, mode);
}
