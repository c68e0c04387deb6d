/*
 * One number of eight bytes in a file, written in place. A file rather than a mapped page: a store to a page
 * that the file system can't give a block kills the process, a write only fails.
 */
#include "store/watermark_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct store_watermark {
    int file;
    pthread_mutex_t lock; /* keeps a lower number from being written behind a higher one */
    uint64_t number;
};

int store_watermark_open(const char *path, struct store_watermark **watermark, struct buf *why)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    uint64_t number = 0;
    ssize_t size = file < 0 ? -1 : pread(file, &number, sizeof number, 0);
    if (size < 0) {
        buf_printf(why, "%s: %s", path, strerror(errno));
        if (file >= 0) {
            close(file);
        }
        return ERR_STORAGE_IO;
    }
    struct store_watermark *made = calloc(1, sizeof *made);
    if (made == NULL) {
        close(file);
        return ERR_NO_MEMORY;
    }
    made->file = file;
    made->number = (size_t)size == sizeof number ? number : 0;
    pthread_mutex_init(&made->lock, NULL);
    *watermark = made;
    return 0;
}

uint64_t store_watermark_get(struct store_watermark *watermark)
{
    pthread_mutex_lock(&watermark->lock);
    uint64_t number = watermark->number;
    pthread_mutex_unlock(&watermark->lock);
    return number;
}

void store_watermark_set(struct store_watermark *watermark, uint64_t sequence)
{
    pthread_mutex_lock(&watermark->lock);
    if (sequence > watermark->number) {
        watermark->number = sequence;
        /* A number that could not be written leaves an older one: see the header. */
        ssize_t written = pwrite(watermark->file, &sequence, sizeof sequence, 0);
        (void)written;
    }
    pthread_mutex_unlock(&watermark->lock);
}

void store_watermark_close(struct store_watermark **watermark)
{
    struct store_watermark *closed = *watermark;
    *watermark = NULL;
    if (closed != NULL) {
        close(closed->file);
        pthread_mutex_destroy(&closed->lock);
        free(closed);
    }
}
