/*
 * One arena per chunk or request: memory is taken by moving a pointer, and all of it goes back at
 * once. Nothing taken from an arena may outlive its rewind. Running out (of memory or of the
 * limit) is sticky: arena_take returns NULL from then on and arena_error says so.
 * Not thread-safe: one owner at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena;

/* New arena that holds up to `limit_bytes`; grows in blocks of at least `block_bytes`. NULL: no memory. */
struct arena *arena_new(size_t block_bytes, size_t limit_bytes);

/* Gives everything back and clears the pointer. NULL inside is fine. */
void arena_free(struct arena **arena);

/* Uninitialised memory aligned to 16 bytes, or NULL (sticky). Size 0 gives a valid pointer. */
void *arena_take(struct arena *arena, size_t size);

/* The same, zeroed; refuses count * size overflows. */
void *arena_take_zeroed(struct arena *arena, size_t count, size_t size);

/* A copy of the bytes, NUL-terminated past its size; SLICE_NONE when memory ran out. */
struct slice arena_copy(struct arena *arena, struct slice bytes);

/* printf into the arena. */
struct slice arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 0, or ERR_NO_MEMORY once a take failed. */
int arena_error(const struct arena *arena);

/* Forgets everything taken and the sticky error; keeps the first block for reuse. */
void arena_rewind(struct arena *arena);

/* Bytes held from the system now. */
size_t arena_held_bytes(const struct arena *arena);

#endif
