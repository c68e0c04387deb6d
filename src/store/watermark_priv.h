/*
 * How far the log was acknowledged: the sequence number of the last synced write, beside the database. The
 * log itself can't tell an end that a power failure tore off before anybody was answered for it from an
 * end that was acknowledged and has rotted since. With this number the store can: it opens at the last good
 * record, and refuses when that lies before what was acknowledged.
 *
 * It is written without a sync, a microsecond a group: it survives the process at once and a power failure
 * as far as the kernel has written it. So it may be old, never too new; an old one only makes the check
 * weaker. Any thread may call get and set.
 */
#ifndef STORE_WATERMARK_PRIV_H
#define STORE_WATERMARK_PRIV_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct store_watermark;

/* Opens or makes the file `path`. 0, or ERR_STORAGE_IO with the reason, or ERR_NO_MEMORY. */
int store_watermark_open(const char *path, struct store_watermark **watermark, struct buf *why) MUST_CHECK;
/* The sequence number of the run before; 0 when none is known. */
uint64_t store_watermark_get(struct store_watermark *watermark);
/* Everything up to `sequence` is on stable storage. Never goes back. */
void store_watermark_set(struct store_watermark *watermark, uint64_t sequence);
/* Clears the pointer. */
void store_watermark_close(struct store_watermark **watermark);

#endif
