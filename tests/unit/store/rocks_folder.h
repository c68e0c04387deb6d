/* A RocksDB store in a folder of its own. */
#ifndef TESTS_UNIT_STORE_ROCKS_FOLDER_H
#define TESTS_UNIT_STORE_ROCKS_FOLDER_H

#include "kv_rows.h"

#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char folder[64];

static inline int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

static inline int open_at(const char *path, struct store_kv **kv)
{
    const struct store_options options = {.memory_bytes = 16u << 20};
    struct buf why;
    buf_init(&why, 0);
    int err = store_kv_rocks_open(path, &options, kv, &why);
    assert_int_equal(err != 0, why.size > 0); /* a reason exactly when it fails */
    buf_fini(&why);
    return err;
}

static inline struct store_kv *open_kv(void)
{
    struct store_kv *kv = NULL;
    snprintf(folder, sizeof folder, "/tmp/muster-kv-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(open_at(folder, &kv), 0);
    return kv;
}

static inline void close_kv(struct store_kv *kv)
{
    store_kv_close(&kv);
    assert_null(kv);
    assert_int_equal(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Of those that the pattern names, how many have more than this many bytes. */
static inline size_t count_files_over(const char *pattern, off_t bytes)
{
    glob_t found;
    struct stat info;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, pattern);
    size_t count = 0;
    if (glob(path, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            count += bytes < 0 || (stat(found.gl_pathv[i], &info) == 0 && info.st_size > bytes);
        }
        globfree(&found);
    }
    return count;
}

static inline size_t count_files(const char *pattern)
{
    return count_files_over(pattern, -1);
}

#endif
