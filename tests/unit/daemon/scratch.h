/* Takes away a test's folder with all that is in it. */
#ifndef TESTS_UNIT_DAEMON_SCRATCH_H
#define TESTS_UNIT_DAEMON_SCRATCH_H

#include "../test.h"

#include <ftw.h>
#include <stdio.h>

static inline int scratch_remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void scratch_remove(const char *folder)
{
    assert_int_equal(nftw(folder, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
