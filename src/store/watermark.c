/* One 64-bit number at the start of a mapped file; an aligned store of it is never seen half. */
#include "store/watermark_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES 4096u

struct store_watermark {
    void *page;
    _Atomic uint64_t *number; /* at its start */
};

static int failed(const char *path, int fd, struct buf *why)
{
    buf_printf(why, "%s: %s", path, strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return ERR_STORAGE_IO;
}

static int map_file(const char *path, void **page, struct buf *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, FILE_BYTES) != 0) {
        return failed(path, fd, why);
    }
    *page = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (*page == MAP_FAILED) {
        return failed(path, fd, why);
    }
    close(fd);
    return 0;
}

int store_watermark_open(const char *path, struct store_watermark **watermark, struct buf *why)
{
    void *page = NULL;
    int err = map_file(path, &page, why);
    if (err != 0) {
        return err;
    }
    struct store_watermark *made = malloc(sizeof *made);
    if (made == NULL) {
        munmap(page, FILE_BYTES);
        return ERR_NO_MEMORY;
    }
    made->page = page;
    made->number = page;
    *watermark = made;
    return 0;
}

uint64_t store_watermark_get(const struct store_watermark *watermark)
{
    return atomic_load(watermark->number);
}

void store_watermark_set(struct store_watermark *watermark, uint64_t sequence)
{
    uint64_t known = atomic_load(watermark->number);
    while (known < sequence && !atomic_compare_exchange_weak(watermark->number, &known, sequence)) {
    }
}

void store_watermark_close(struct store_watermark **watermark)
{
    struct store_watermark *closed = *watermark;
    *watermark = NULL;
    if (closed != NULL) {
        /* A page that does not reach the disk is an older one: see the header. */
        (void)msync(closed->page, FILE_BYTES, MS_SYNC);
        munmap(closed->page, FILE_BYTES);
        free(closed);
    }
}
