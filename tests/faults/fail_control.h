/*
 * What the preload libraries here are told, and what they tell: one page of a file, mapped by each process of
 * a test and by nth.py, so that counts outlive a process and a fault can be set or lifted while it runs.
 *
 *   FAIL_CONTROL  the file
 *   FAIL_ROOT     absolute folder: only calls on files below it count
 */
#ifndef TESTS_FAULTS_FAIL_CONTROL_H
#define TESTS_FAULTS_FAIL_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

/* nth.py has the same numbers and the same layout. */
enum fail_class {
    FAIL_WRITE = 0, /* write, pwrite, writev, pwritev: nothing is written, an error */
    FAIL_SHORT,     /* the same calls: half is written, and no more than that is told */
    FAIL_TORN,      /* the same calls: half is written, an error */
    FAIL_SYNC,      /* fsync, fdatasync */
    FAIL_RENAME,    /* rename, link, unlink, mkdir */
    FAIL_OPEN,      /* open, openat, creat, fopen */
    FAIL_SPACE,     /* fallocate, posix_fallocate, ftruncate */
    FAIL_READ,      /* read, pread */
    FAIL_MEMORY,    /* malloc, calloc, realloc and their like, called by the program itself, not by its libraries */
    FAIL_MEMORY_ALL,
    FAIL_CLASSES
};

struct fail_control {
    _Atomic uint64_t counts[FAIL_CLASSES]; /* calls so far; the first three count the same calls */
    _Atomic uint64_t at;                   /* fails this call of `class`, counted from 1; 0: none */
    _Atomic uint32_t class;
    _Atomic uint32_t error;    /* errno */
    _Atomic uint32_t for_good; /* and all behind it */
    _Atomic uint32_t failed;   /* how many calls failed */
};

#endif
