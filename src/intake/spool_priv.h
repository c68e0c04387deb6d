/*
 * Bodies that are taken in later: spool.c keeps one sealed in a file, feed.c answers 202 once it is safe there and
 * takes it in when its turn comes.
 */
#ifndef INTAKE_SPOOL_PRIV_H
#define INTAKE_SPOOL_PRIV_H

#include "intake/intake_priv.h"

/* What was admitted, at most. */
#define SPOOL_HEAD_LIMIT_BYTES (4u << 20)

struct spool;

/* A new file, with its head. 0, ERR_NO_MEMORY, or ERR_STORAGE_FULL / ERR_STORAGE_IO. The keys outlive it. */
int spool_create(const char *folder, const struct uuid *tenant, const struct uuid *import,
                 const struct crypto_tenant *keys, struct slice head, struct spool **spool) MUST_CHECK;
int spool_append(struct spool *spool, struct slice bytes) MUST_CHECK;
/* The body is complete: on stable storage when it returns 0. */
int spool_finish(struct spool *spool) MUST_CHECK;
/* Closes it and takes the file away. Clears the pointer. */
void spool_drop(struct spool **spool);
void spool_close(struct spool **spool);
void spool_remove(const char *folder, const struct uuid *import);

/* Opens a file to read; *tenant says whose keys open it. 0, ERR_NOT_FOUND, ERR_CORRUPT, ERR_STORAGE_IO. */
int spool_open(const char *folder, const struct uuid *import, struct uuid *tenant, struct spool **spool) MUST_CHECK;
/* The head, viewed until the next call. ERR_KEY or ERR_CORRUPT when it doesn't open. */
int spool_read_head(struct spool *spool, const struct crypto_tenant *keys, struct slice *head) MUST_CHECK;
/* The next bytes of the body, viewed until the next call; none at its end. ERR_CORRUPT when it has no end. */
int spool_read(struct spool *spool, struct slice *bytes) MUST_CHECK;

/* ---- feed.c ---- */

struct feed;
/* Starts its threads, and takes up what an earlier run left. 0 or ERR_NO_MEMORY. */
int feed_new(struct intake *intake, struct feed **feed) MUST_CHECK;
/* What is being taken in is left to the next start. Clears the pointer. */
void feed_free(struct feed **feed);
/* Makes the file of an import that is to be taken in later. */
int feed_begin(struct intake_import *import) MUST_CHECK;
/* Its body is complete: it is answered when that is safe, and then waits for its turn. */
void feed_accept(struct intake_import *import);
/* Whether the import's body waits for its turn, or has it. Any thread. */
bool feed_has(struct feed *feed, const struct uuid *import);

#endif
