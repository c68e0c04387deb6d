/*
 * Files whose taking in failed. RocksDB links a file into the database, says so in the manifest, and syncs that. When
 * the sync fails it takes the link away again, though the manifest, as the next process reads it, names the file; and a
 * database that lacks a file can't be opened. So a file has a second name before it is taken in and until that is done,
 * and an open that fails for want of a file puts such files back. What is then in and does not count is a run's that a
 * crash cut off.
 *
 * The difficulty is to know which number a file had. The files of one call were numbered in a row, in their order; the
 * one that is found missing first may be any of them. So each place in the row is tried, and RocksDB holds every file's
 * own id against the manifest's.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "store/rocks_priv.h"

#define DOUBT_PREFIX  "doubt-"
#define DOUBT_PATTERN DOUBT_PREFIX "%llu.sst"

struct doubts {
    int folder;
    size_t count;
    unsigned long long numbers[STORE_ROCKS_FILES_MAX]; /* of their names, rising */
};

static int order(const void *a, const void *b)
{
    unsigned long long left = *(const unsigned long long *)a;
    unsigned long long right = *(const unsigned long long *)b;
    return left < right ? -1 : left > right;
}

static void doubts_find(const struct rocks *rocks, struct doubts *doubts)
{
    DIR *folder = opendir(rocks->path);
    const struct dirent *entry;
    doubts->count = 0;
    doubts->folder = open(rocks->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (folder != NULL && (entry = readdir(folder)) != NULL && doubts->count < STORE_ROCKS_FILES_MAX) {
        bool doubt = strncmp(entry->d_name, DOUBT_PREFIX, strlen(DOUBT_PREFIX)) == 0;
        char *end = NULL;
        unsigned long long number = doubt ? strtoull(entry->d_name + strlen(DOUBT_PREFIX), &end, 10) : 0;
        if (doubt && strcmp(end, ".sst") == 0) {
            doubts->numbers[doubts->count++] = number;
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    qsort(doubts->numbers, doubts->count, sizeof doubts->numbers[0], order);
}

static void doubts_close(const struct doubts *doubts)
{
    if (doubts->folder >= 0) {
        (void)close(doubts->folder);
    }
}

/* The number of the table file that RocksDB misses; 0: its reason is another. */
static unsigned long long missing_number(const char *text)
{
    const char *at = strstr(text, "No such file");
    while (at != NULL && (at = strchr(at, '/')) != NULL) {
        char *end = NULL;
        unsigned long long number = strtoull(++at, &end, 10);
        if (end > at && (strncmp(end, ".sst", 4) == 0 || strncmp(end, ".ldb", 4) == 0)) {
            return number;
        }
    }
    return 0;
}

static void take_back(const struct doubts *doubts, unsigned long long first, size_t count)
{
    char name[32];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "%06llu.sst", first + i);
        (void)unlinkat(doubts->folder, name, 0);
    }
}

/* All of them, as the files from number `first` on. False: none. An open that comes through syncs the folder, for it
 * begins a new manifest. */
static bool put_back(const struct doubts *doubts, unsigned long long first)
{
    char from[48];
    char to[32];
    for (size_t i = 0; i < doubts->count; i++) {
        (void)snprintf(from, sizeof from, DOUBT_PATTERN, doubts->numbers[i]);
        (void)snprintf(to, sizeof to, "%06llu.sst", first + i);
        if (linkat(doubts->folder, from, doubts->folder, to, 0) != 0) {
            take_back(doubts, first, i);
            return false;
        }
    }
    return doubts->count > 0;
}

/* A file that is missing, or is not the one that the manifest means. Anything else is not about the files. */
static bool is_about_files(const char *text)
{
    return strstr(text, "/MANIFEST-") != NULL || strstr(text, "Can't access ") != NULL ||
           strstr(text, "file size mismatch") != NULL;
}

char *store_rocks_doubt_open(struct rocks *rocks, int recovery, char *text)
{
    struct doubts doubts;
    unsigned long long missing = missing_number(text);
    doubts_find(rocks, &doubts);
    for (size_t place = 0; missing > 0 && place < doubts.count && place < missing; place++) {
        unsigned long long first = missing - place;
        if (!put_back(&doubts, first)) {
            continue;
        }
        rocksdb_free(text);
        text = store_rocks_try_open(rocks, recovery, false);
        if (text == NULL || !is_about_files(text)) {
            log_info(NULL, "files put back", "\"count\":%zu", doubts.count);
            break;
        }
        take_back(&doubts, first, doubts.count);
    }
    doubts_close(&doubts);
    return text;
}

/* The second name of a file. */
static void doubt_name(const struct rocks *rocks, const char *path, char name[PATH_MAX + 48])
{
    const char *number = strrchr(path, '-');
    assert(number != NULL);
    (void)snprintf(name, PATH_MAX + 48, "%s/doubt%s", rocks->path, number);
}

int store_rocks_doubt(const struct rocks *rocks, const char *const *paths, size_t count)
{
    char name[PATH_MAX + 48];
    int folder = open(rocks->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = folder >= 0;
    for (size_t i = 0; i < count && ok; i++) {
        doubt_name(rocks, paths[i], name);
        /* Where there are no links RocksDB copies, and this can't be helped. */
        ok = link(paths[i], name) == 0 || errno == EPERM || errno == EOPNOTSUPP;
    }
    ok = ok && fsync(folder) == 0;
    int err = ok ? 0 : errno == ENOSPC || errno == EDQUOT ? ERR_STORAGE_FULL : ERR_STORAGE_IO;
    if (folder >= 0) {
        (void)close(folder);
    }
    if (err != 0) {
        log_error(NULL, "storage failed", "\"what\":\"name a sorted file\"");
    }
    return err;
}

void store_rocks_doubt_no_more(const struct rocks *rocks, const char *const *paths, size_t count)
{
    char name[PATH_MAX + 48];
    for (size_t i = 0; i < count; i++) {
        doubt_name(rocks, paths[i], name);
        (void)unlink(name);
    }
}

void store_rocks_doubts_clean(const struct rocks *rocks)
{
    struct doubts doubts;
    char name[48];
    doubts_find(rocks, &doubts);
    for (size_t i = 0; i < doubts.count; i++) {
        (void)snprintf(name, sizeof name, DOUBT_PATTERN, doubts.numbers[i]);
        (void)unlinkat(doubts.folder, name, 0);
    }
    doubts_close(&doubts);
}
