/*
 * A preload library that remembers what a power cut would leave of a folder. `kill -9` loses nothing
 * that the kernel has, so it can't show a missing fsync. This library writes down every change below
 * POWER_CUT_ROOT that matters, in the order in which it happened; when the process has been killed,
 * power.py takes back what was never synced.
 *
 *   POWER_CUT_ROOT     absolute folder; paths outside, and relative ones, pass by unseen
 *   POWER_CUT_JOURNAL  file of zeros, mapped and shared: what is stored there survives the kill, and
 *                      power.py may say in it at which operation the process shall kill itself
 *   POWER_CUT_LIMBO    folder of the same file system; files that lose their name get a second one
 *                      there, the number of the operation, so that their removal can be undone
 *   POWER_CUT_DELAY_US optional: a sync takes up to so much longer, as on a slow disk
 *
 * The difficulty is to be exact about the moment. A sync covers what was there when it began, so its
 * size and position are taken before the call and written down behind it. An operation on a name is
 * written down before the call and marked done behind it, under one lock: the order of the journal is
 * the order of the names, and only the last one can be in doubt.
 * fallocate and sync_file_range pass by: neither makes anything durable.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* power.py has the same numbers and the same layout. */
enum op_kind {
    OP_CREATE = 1,      /* path: a new name of inode */
    OP_RENAME = 2,      /* path to other */
    OP_REMOVE = 3,      /* path */
    OP_OPEN = 4,        /* inode, which was there, is open for writing and has size bytes */
    OP_SYNC = 5,        /* the first size bytes of inode are durable */
    OP_SYNC_FOLDER = 6, /* operations below position on names in the folder path are durable */
    OP_TRUNCATE = 7,    /* inode to size bytes */
    OP_OVERWRITE = 8    /* inode at size, below its end, position bytes; other has what was there, if it has room */
};

#define PATH_BYTES 240
#define FD_MAX     65536

struct op {
    uint32_t kind;
    _Atomic uint32_t done;
    uint64_t inode;
    uint64_t size;
    uint64_t position;
    char path[PATH_BYTES];
    char other[PATH_BYTES];
};

struct journal {
    _Atomic uint64_t count;
    _Atomic uint64_t kill_at; /* number of the operation, counted from 1; 0: never */
    uint64_t capacity;
    char unused[sizeof(struct op) - 24];
    struct op ops[];
};

static struct journal *journal;
static const char *root;
static const char *limbo;
static unsigned delay_us;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool tracked[FD_MAX]; /* open for writing below the root */

/* The function that this library stands before. */
#define NEXT(name)                                                                                                     \
    static __typeof__(&(name)) next;                                                                                   \
    if (next == NULL) {                                                                                                \
        *(void **)(&next) = dlsym(RTLD_NEXT, #name);                                                                   \
    }

static void die(const char *why)
{
    static const char name[] = "power_cut: ";
    struct iovec parts[] = {{(void *)(uintptr_t)name, sizeof name - 1},
                            {(void *)(uintptr_t)why, strlen(why)},
                            {(void *)(uintptr_t) "\n", 1}};
    NEXT(writev)
    (void)!next(STDERR_FILENO, parts, 3);
    abort();
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("POWER_CUT_JOURNAL");
    root = getenv("POWER_CUT_ROOT");
    limbo = getenv("POWER_CUT_LIMBO");
    if (path == NULL || root == NULL || limbo == NULL) {
        return;
    }
    const char *delay = getenv("POWER_CUT_DELAY_US");
    delay_us = delay == NULL ? 0 : (unsigned)strtoul(delay, NULL, 10);
    NEXT(open)
    int fd = next(path, O_RDWR | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || (size_t)status.st_size < 2 * sizeof(struct op)) {
        die("no journal");
    }
    void *map = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        die("the journal can't be mapped");
    }
    struct journal *mapped = map;
    mapped->capacity = (size_t)status.st_size / sizeof(struct op) - 1;
    journal = mapped;
}

/* ---- the journal ---- */

/* The next operation, not done yet. */
static struct op *op_begin(enum op_kind kind, const char *path)
{
    uint64_t at = atomic_fetch_add(&journal->count, 1);
    if (at >= journal->capacity) {
        die("the journal is full");
    }
    if (at + 1 == atomic_load(&journal->kill_at)) {
        (void)kill(getpid(), SIGKILL);
    }
    struct op *op = &journal->ops[at];
    op->kind = kind;
    (void)snprintf(op->path, sizeof op->path, "%s", path);
    return op;
}

static void op_end(struct op *op)
{
    atomic_store(&op->done, 1);
}

static void note(enum op_kind kind, const char *path, uint64_t inode, uint64_t size, uint64_t position)
{
    struct op *op = op_begin(kind, path);
    op->inode = inode;
    op->size = size;
    op->position = position;
    op_end(op);
}

/* Whether the path lies below the root (or is it); `tidy` gets it without doubled slashes. */
static bool is_ours(const char *path, char tidy[PATH_BYTES])
{
    size_t size = 0;
    if (journal == NULL || path == NULL) {
        return false;
    }
    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '/' && size > 0 && tidy[size - 1] == '/') {
            continue;
        }
        if (size + 1 == PATH_BYTES) {
            return false;
        }
        tidy[size++] = *at;
    }
    while (size > 1 && tidy[size - 1] == '/') {
        size--;
    }
    tidy[size] = '\0';
    size_t root_size = strlen(root);
    return strncmp(tidy, root, root_size) == 0 && (tidy[root_size] == '/' || tidy[root_size] == '\0');
}

static bool look(const char *path, struct stat *status)
{
    return lstat(path, status) == 0;
}

/* Gives the file a second name, so that it outlives the operation. */
static void save(const char *path, const struct op *op)
{
    char name[PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/%zu", limbo, (size_t)(op - journal->ops));
    if (linkat(AT_FDCWD, path, AT_FDCWD, name, 0) != 0) {
        die("limbo takes no links");
    }
}

/* ---- opening ---- */

static void track(int fd, bool on)
{
    if (fd >= 0 && fd < FD_MAX) {
        atomic_store(&tracked[fd], on);
    }
}

static bool is_tracked(int fd)
{
    return journal != NULL && fd >= 0 && fd < FD_MAX && atomic_load(&tracked[fd]);
}

/* What an open of the path is about to do; NULL when it makes no name. Takes the lock. */
static struct op *open_begin(const char *tidy, bool creates, bool truncates)
{
    struct stat status;
    (void)pthread_mutex_lock(&lock);
    bool there = look(tidy, &status);
    if (there && truncates && S_ISREG(status.st_mode)) {
        note(OP_TRUNCATE, tidy, status.st_ino, 0, 0);
    }
    return creates && !there ? op_begin(OP_CREATE, tidy) : NULL;
}

static void open_end(struct op *op, const char *tidy, int fd, bool writes)
{
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0) {
        if (op != NULL) {
            op->inode = status.st_ino;
            op_end(op);
        } else if (writes) {
            note(OP_OPEN, tidy, status.st_ino, (uint64_t)status.st_size, 0);
        }
        track(fd, writes);
    }
    (void)pthread_mutex_unlock(&lock);
}

typedef int open_fn(const char *path, int flags, ...);

static int open_noted(open_fn *next, const char *path, int flags, mode_t mode)
{
    char tidy[PATH_BYTES];
    if (!is_ours(path, tidy)) {
        return next(path, flags, mode);
    }
    struct op *op = open_begin(tidy, (flags & O_CREAT) != 0, (flags & O_TRUNC) != 0);
    int fd = next(path, flags, mode);
    open_end(op, tidy, fd, (flags & O_ACCMODE) != O_RDONLY);
    return fd;
}

/* Whether open's third argument is there. */
static bool has_mode(int flags)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

#define OPEN_MODE(flags)                                                                                               \
    mode_t mode = 0;                                                                                                   \
    if (has_mode(flags)) {                                                                                             \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode = va_arg(list, mode_t);                                                                                   \
        va_end(list);                                                                                                  \
    }

int open(const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    NEXT(open)
    return open_noted(next, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    NEXT(open64)
    return open_noted(next, path, flags, mode);
}

/* Only absolute paths are seen, and those don't depend on the folder. */
int openat(int folder, const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    if (path[0] == '/') {
        return open(path, flags, mode);
    }
    NEXT(openat)
    return next(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    if (path[0] == '/') {
        return open(path, flags, mode);
    }
    NEXT(openat64)
    return next(folder, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

static FILE *fopen_noted(FILE *(*next)(const char *, const char *), const char *path, const char *mode)
{
    char tidy[PATH_BYTES];
    if (!is_ours(path, tidy)) {
        return next(path, mode);
    }
    struct op *op = open_begin(tidy, mode[0] != 'r', mode[0] == 'w');
    FILE *file = next(path, mode);
    open_end(op, tidy, file == NULL ? -1 : fileno(file), mode[0] != 'r');
    return file;
}

FILE *fopen(const char *path, const char *mode)
{
    NEXT(fopen)
    return fopen_noted(next, path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    NEXT(fopen64)
    return fopen_noted(next, path, mode);
}

int close(int fd)
{
    NEXT(close)
    track(fd, false);
    return next(fd);
}

/* ---- names ---- */

static void name_end(struct op *op, int result)
{
    if (result == 0) {
        op_end(op);
    } else {
        op->kind = 0;
    }
    (void)pthread_mutex_unlock(&lock);
}

int rename(const char *from, const char *to)
{
    char tidy[PATH_BYTES];
    char tidy_to[PATH_BYTES];
    struct stat status;
    struct stat victim;
    NEXT(rename)
    bool ours = is_ours(from, tidy);
    if (ours != is_ours(to, tidy_to)) {
        die("a file is moved over the root's border");
    }
    if (!ours || !look(tidy, &status)) {
        return next(from, to);
    }
    (void)pthread_mutex_lock(&lock);
    struct op *op = op_begin(OP_RENAME, tidy);
    (void)snprintf(op->other, sizeof op->other, "%s", tidy_to);
    op->inode = status.st_ino;
    if (look(tidy_to, &victim)) {
        save(tidy_to, op);
    }
    int result = next(from, to);
    name_end(op, result);
    return result;
}

static int remove_noted(int (*next)(const char *), const char *path)
{
    char tidy[PATH_BYTES];
    struct stat status;
    if (!is_ours(path, tidy) || !look(tidy, &status)) {
        return next(path);
    }
    if (!S_ISREG(status.st_mode)) {
        die("a folder is removed");
    }
    (void)pthread_mutex_lock(&lock);
    struct op *op = op_begin(OP_REMOVE, tidy);
    op->inode = status.st_ino;
    save(tidy, op);
    int result = next(path);
    name_end(op, result);
    return result;
}

int unlink(const char *path)
{
    NEXT(unlink)
    return remove_noted(next, path);
}

/* The path of a name in an open folder; false when it is too long or the folder is not to be found. */
static bool path_in(int folder, const char *name, char path[PATH_MAX])
{
    char link_path[64];
    if (name[0] == '/') {
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
    }
    (void)snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", folder);
    /* NOLINTNEXTLINE(readability-suspicious-call-argument): what is read goes to the caller's path */
    ssize_t size = readlink(link_path, path, PATH_MAX - 1);
    if (size < 0) {
        return false;
    }
    size_t room = PATH_MAX - (size_t)size;
    return (size_t)snprintf(path + size, room, "/%s", name) < room;
}

int unlinkat(int folder, const char *name, int flags)
{
    char path[PATH_MAX];
    char tidy[PATH_BYTES];
    NEXT(unlinkat)
    if (journal == NULL || flags != 0 || !path_in(folder, name, path) || !is_ours(path, tidy)) {
        return next(folder, name, flags);
    }
    return unlink(path);
}

/* Not simulated, so it must not happen unseen. */
int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    char path[PATH_MAX];
    char tidy[PATH_BYTES];
    NEXT(renameat)
    if (journal != NULL && path_in(to_folder, to, path) && is_ours(path, tidy)) {
        die("a file is moved by its folder");
    }
    return next(from_folder, from, to_folder, to);
}

int remove(const char *path)
{
    NEXT(remove)
    return remove_noted(next, path);
}

int rmdir(const char *path)
{
    NEXT(rmdir)
    return remove_noted(next, path);
}

static void create_end(struct op *op, const char *tidy, int result)
{
    struct stat status;
    if (result == 0 && look(tidy, &status)) {
        op->inode = status.st_ino;
    }
    name_end(op, result);
}

int mkdir(const char *path, mode_t mode)
{
    char tidy[PATH_BYTES];
    NEXT(mkdir)
    if (!is_ours(path, tidy)) {
        return next(path, mode);
    }
    (void)pthread_mutex_lock(&lock);
    struct op *op = op_begin(OP_CREATE, tidy);
    int result = next(path, mode);
    create_end(op, tidy, result);
    return result;
}

/* What a file has that gets a second name counts as durable, unless the journal knows it already. */
int link(const char *from, const char *to)
{
    char tidy[PATH_BYTES];
    struct stat status;
    NEXT(link)
    if (!is_ours(to, tidy) || !look(from, &status)) {
        return next(from, to);
    }
    (void)pthread_mutex_lock(&lock);
    note(OP_OPEN, tidy, status.st_ino, (uint64_t)status.st_size, 0);
    struct op *op = op_begin(OP_CREATE, tidy);
    int result = next(from, to);
    create_end(op, tidy, result);
    return result;
}

/* ---- bytes ---- */

/* What is about to be written over; the descriptor itself may be for writing only. */
static void save_bytes(int fd, struct op *op)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    NEXT(open)
    int copy = next(path, O_RDONLY | O_CLOEXEC);
    if (copy < 0 || pread(copy, op->other, (size_t)op->position, (off_t)op->size) < 0) {
        die("what is written over can't be read");
    }
    (void)close(copy);
}

/* Writing behind the end is what power.py takes back by cutting; anything else it must know of. */
static void note_write(int fd, off_t offset, size_t size)
{
    struct stat status;
    if (offset < 0 || fstat(fd, &status) != 0 || offset >= status.st_size) {
        return;
    }
    struct op *op = op_begin(OP_OVERWRITE, "");
    op->inode = status.st_ino;
    op->size = (uint64_t)offset;
    op->position = size;
    if (size <= sizeof op->other) {
        save_bytes(fd, op);
    }
    op_end(op);
}

static size_t size_of(const struct iovec *parts, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    return size;
}

static void note_write_here(int fd, size_t size)
{
    if (size > 0 && is_tracked(fd) && (fcntl(fd, F_GETFL) & O_APPEND) == 0) {
        note_write(fd, lseek(fd, 0, SEEK_CUR), size);
    }
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    NEXT(write)
    note_write_here(fd, size);
    return next(fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    NEXT(writev)
    note_write_here(fd, size_of(parts, count));
    return next(fd, parts, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    NEXT(pwrite)
    if (size > 0 && is_tracked(fd)) {
        note_write(fd, offset, size);
    }
    return next(fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return pwrite(fd, bytes, size, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    NEXT(pwritev)
    if (is_tracked(fd)) {
        note_write(fd, offset, size_of(parts, count));
    }
    return next(fd, parts, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return pwritev(fd, parts, count, offset);
}

int ftruncate(int fd, off_t size)
{
    struct stat status;
    NEXT(ftruncate)
    int result = next(fd, size);
    if (result == 0 && is_tracked(fd) && fstat(fd, &status) == 0) {
        note(OP_TRUNCATE, "", status.st_ino, (uint64_t)size, 0);
    }
    return result;
}

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

/* ---- syncs ---- */

static void note_sync(int fd, const struct stat *status, uint64_t position)
{
    char link_path[64];
    char folder[PATH_BYTES];
    if (S_ISREG(status->st_mode)) {
        note(OP_SYNC, "", status->st_ino, (uint64_t)status->st_size, position);
        return;
    }
    (void)snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link_path, folder, sizeof folder - 1);
    folder[size < 0 ? 0 : size] = '\0';
    char tidy[PATH_BYTES];
    if (is_ours(folder, tidy)) {
        note(OP_SYNC_FOLDER, tidy, status->st_ino, 0, position);
    }
}

static int sync_noted(int (*next)(int), int fd)
{
    struct stat status;
    bool matters = journal != NULL && fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
    if (!matters) {
        return next(fd);
    }
    /* Under the lock no operation is halfway: all below the position have happened. */
    (void)pthread_mutex_lock(&lock);
    uint64_t position = atomic_load(&journal->count);
    (void)pthread_mutex_unlock(&lock);
    if (delay_us > 0) {
        (void)usleep((unsigned)(position * 2654435761u % delay_us));
    }
    int result = next(fd);
    if (result == 0) {
        note_sync(fd, &status, position);
    }
    return result;
}

int fsync(int fd)
{
    NEXT(fsync)
    return sync_noted(next, fd);
}

int fdatasync(int fd)
{
    NEXT(fdatasync)
    return sync_noted(next, fd);
}
