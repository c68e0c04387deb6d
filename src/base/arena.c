/*
 * The arena is a chain of blocks; taking moves `used` in the newest. A take larger than a block
 * gets a block of its own size. The first block survives a rewind, so that a warm arena takes
 * nothing from the system.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

#define ALIGNMENT 16u

struct block {
    struct block *older;
    size_t size;
    size_t used;
    size_t padding; /* keeps the bytes behind the header aligned */
};

_Static_assert(sizeof(struct block) % ALIGNMENT == 0, "bytes behind a block header must be aligned");

struct arena {
    struct block *newest;
    size_t block_bytes;
    size_t limit_bytes;
    size_t held_bytes;
    int error;
};

static struct block *add_block(struct arena *arena, size_t size)
{
    if (size < arena->block_bytes) {
        size = arena->block_bytes;
    }
    if (size > arena->limit_bytes || arena->held_bytes > arena->limit_bytes - size) {
        return NULL;
    }
    struct block *block = malloc(sizeof *block + size);
    if (block == NULL) {
        return NULL;
    }
    *block = (struct block){.older = arena->newest, .size = size};
    arena->newest = block;
    arena->held_bytes += size;
    return block;
}

struct arena *arena_new(size_t block_bytes, size_t limit_bytes)
{
    struct arena *arena = malloc(sizeof *arena);
    if (arena == NULL) {
        return NULL;
    }
    *arena = (struct arena){.block_bytes = block_bytes, .limit_bytes = limit_bytes};
    return arena;
}

void arena_free(struct arena **arena)
{
    if (*arena == NULL) {
        return;
    }
    struct block *block = (*arena)->newest;
    while (block != NULL) {
        struct block *older = block->older;
        free(block);
        block = older;
    }
    free(*arena);
    *arena = NULL;
}

void *arena_take(struct arena *arena, size_t size)
{
    if (arena->error != 0 || size > SIZE_MAX - ALIGNMENT) {
        arena->error = ERR_NO_MEMORY;
        return NULL;
    }
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct block *block = arena->newest;
    if (block == NULL || block->size - block->used < size) {
        block = add_block(arena, size);
    }
    if (block == NULL) {
        arena->error = ERR_NO_MEMORY;
        return NULL;
    }
    char *taken = (char *)(block + 1) + block->used;
    block->used += size;
    return taken;
}

void *arena_take_zeroed(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        arena->error = ERR_NO_MEMORY;
        return NULL;
    }
    void *taken = arena_take(arena, bytes);
    if (taken != NULL) {
        memset(taken, 0, bytes);
    }
    return taken;
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    if (bytes.size == SIZE_MAX) {
        arena->error = ERR_NO_MEMORY;
        return SLICE_NONE;
    }
    char *copy = arena_take(arena, bytes.size + 1);
    if (copy == NULL) {
        return SLICE_NONE;
    }
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    copy[bytes.size] = '\0';
    return slice_make(copy, bytes.size);
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(size >= 0);
    char *text = arena_take(arena, (size_t)size + 1);
    if (text == NULL) {
        return SLICE_NONE;
    }
    va_start(args, format);
    vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    return slice_make(text, (size_t)size);
}

int arena_error(const struct arena *arena)
{
    return arena->error;
}

void arena_rewind(struct arena *arena)
{
    arena->error = 0;
    while (arena->newest != NULL && arena->newest->older != NULL) {
        struct block *block = arena->newest;
        arena->newest = block->older;
        arena->held_bytes -= block->size;
        free(block);
    }
    if (arena->newest != NULL) {
        arena->newest->used = 0;
    }
}

size_t arena_held_bytes(const struct arena *arena)
{
    return arena->held_bytes;
}
