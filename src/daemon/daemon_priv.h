/* What the files of the daemon share. */
#ifndef DAEMON_DAEMON_PRIV_H
#define DAEMON_DAEMON_PRIV_H

#include "auth/auth.h"
#include "daemon/daemon.h"

/* ---- folder.c ---- */

/* Writes a file as a whole: a new one, synced, renamed into place; nothing is left of one that fails. ERR_STORAGE_IO
 * with the reason. */
int folder_write(const char *data, const char *name, unsigned mode, struct slice text, struct buf *why) MUST_CHECK;
/* Appends the file's bytes; ERR_NOT_FOUND when there is none. */
int folder_read(const char *data, const char *name, struct buf *text) MUST_CHECK;

/* Makes a folder (mode 0700), unless it is there. */
int folder_make(const char *path, struct buf *why) MUST_CHECK;
int folder_sync(const char *path, struct buf *why) MUST_CHECK;

/* Makes the operator's key, unless there is one, and writes it to operator.key. */
int folder_operator(struct auth *auth, const char *data, struct buf *why) MUST_CHECK;

/* The id of this server among those that share a store: made once, kept in node.id. */
int folder_node(const char *data, struct uuid *node, struct buf *why) MUST_CHECK;
/* The same, made one with the place: a copy of the folder, here or on another machine, is another server. */
int folder_node_here(const char *data, struct uuid *node, struct buf *why) MUST_CHECK;
/* The folder is this process's until it ends or closes *lock; ERR_CONFIG when it is another's. */
int folder_lock(const char *data, int *lock, struct buf *why) MUST_CHECK;

/* Makes the folder of bodies that are taken in later, unless it is there; its path. */
int folder_spool(const char *data, char path[600], struct buf *why) MUST_CHECK;

/* ---- command.c ---- */

/* What a program printed; the caller wipes it. */
struct command_output {
    char bytes[256];
    size_t size;
};

/* Runs a program, `line` being its path and words with blanks between, for at most `seconds`. 0: it ended with status
 * 0. ERR_CONFIG or ERR_KEY with the reason, what it said on stderr included; the output is wiped then. */
int command_run(const char *line, unsigned seconds, struct command_output *output, struct buf *why) MUST_CHECK;

/* ---- demo.c ---- */

/* Makes the tenant demo, or finds it, with fresh credentials in demo.json. */
int demo_prepare(struct auth *auth, const char *data, struct slice url, struct slice operator_key,
                 struct buf *why) MUST_CHECK;

/* ---- housekeeping.c ---- */

struct housekeeping_options {
    struct store *store;
    unsigned failed_linger_s; /* how long reads go on once storage has failed */
    unsigned idempotency_window_h;
    unsigned resume_window_h;
    unsigned report_days;
    bool (*under_way)(void *context, const struct uuid *tenant, const struct uuid *import);
    /* Storage has failed and reads had their time: ends the process. Called once, by the housekeeping's thread,
     * which housekeeping_stop waits for. */
    void (*give_up)(void *context);
    void *context;
};

struct housekeeping;
/* A thread that sweeps what aborted imports left, removes what is too old, and watches the store's health. */
int housekeeping_start(const struct housekeeping_options *options, struct housekeeping **housekeeping) MUST_CHECK;
void housekeeping_stop(struct housekeeping **housekeeping);

#endif
