/*
 * A preload library that fails the n-th allocation; fail_control.h says how it is told. Two classes: calls of the
 * program itself, which must be answered or end it cleanly, and all calls, of which some end it: a C++ library
 * that can't go on throws.
 *
 * The difficulty is that nothing here may allocate: the C library's own names of its allocator are used, and
 * whose call it is is told by the address to which it returns.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail_control.h"

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static struct fail_control *control;
static uintptr_t program_first;
static uintptr_t program_last;

/* The first object is the program. */
static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size, (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            program_first = info->dlpi_addr + part->p_vaddr;
            program_last = program_first + part->p_memsz;
        }
    }
    return 1;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("FAIL_CONTROL");
    if (path == NULL) {
        return;
    }
    (void)dl_iterate_phdr(find_program, NULL);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        abort();
    }
    control = map;
}

/* For whoever looks into a finding: FAIL_TRACE=1 has the callers printed. */
static void trace(void)
{
    static _Thread_local bool within;
    void *callers[24];
    if (!within && getenv("FAIL_TRACE") != NULL) {
        within = true;
        backtrace_symbols_fd(callers, backtrace(callers, 24), STDERR_FILENO);
        within = false;
    }
}

static bool strikes_class(enum fail_class class)
{
    uint64_t number = atomic_fetch_add(&control->counts[class], 1) + 1;
    uint64_t at = atomic_load(&control->at);
    if (at == 0 || atomic_load(&control->class) != class || number < at ||
        (number > at && atomic_load(&control->for_good) == 0)) {
        return false;
    }
    atomic_fetch_add(&control->failed, 1);
    trace();
    errno = ENOMEM;
    return true;
}

static bool strikes(const void *caller)
{
    if (control == NULL) {
        return false;
    }
    bool own = (uintptr_t)caller >= program_first && (uintptr_t)caller < program_last;
    bool one = own && strikes_class(FAIL_MEMORY);
    return strikes_class(FAIL_MEMORY_ALL) || one;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    return strikes(CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return strikes(CALLER) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return strikes(CALLER) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return strikes(CALLER) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = strikes(CALLER) ? NULL : __libc_memalign(alignment, size);
    return *out == NULL ? ENOMEM : 0;
}
