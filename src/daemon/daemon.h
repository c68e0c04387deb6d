/*
 * The server as a process: its parameters, its data folder, its start and its end. Called by the
 * command line only.
 *
 * The data folder holds: keys/root.key (0400, made at first start unless root_key names another), store/ (the embedded
 * store), operator.key (0400, the operator's credential), demo.json (0600, with --demo).
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "crypto/crypto.h"

/* Every parameter of params.def as a member of its type. */
enum param_type { PARAM_TEXT, PARAM_NUMBER, PARAM_FLAG };

struct daemon_config {
#define PARAM_MEMBER_TEXT(name)                                       char name[512];
#define PARAM_MEMBER_NUMBER(name)                                     uint64_t name;
#define PARAM_MEMBER_FLAG(name)                                       bool name;
#define PARAM(name, type, standard, minimum, maximum, unit, sentence) PARAM_MEMBER_##type(name)
#include "daemon/params.def"
#undef PARAM
#undef PARAM_MEMBER_TEXT
#undef PARAM_MEMBER_NUMBER
#undef PARAM_MEMBER_FLAG
};

/* One row of params.def, for the help, the man page and messages. */
struct daemon_param {
    const char *name; /* "http_threads"; the flag is --http-threads, the environment MUSTER_HTTP_THREADS */
    enum param_type type;
    const char *standard; /* default as text */
    uint64_t minimum;
    uint64_t maximum;
    const char *unit;
    const char *sentence;
};

/* The row at index, NULL past the last. */
const struct daemon_param *daemon_param_at(size_t index);

/* All parameters at their defaults. */
void daemon_config_init(struct daemon_config *config);
/* Sets one parameter, dashes and underscores alike. ERR_CONFIG with what, where and the nearest name in *why. */
int daemon_config_set(struct daemon_config *config, struct slice name, struct slice value, const char *source,
                      struct buf *why) MUST_CHECK;
/* Reads `name = value` lines (INI without sections, # comments). ERR_CONFIG with file, line and reason. */
int daemon_config_file(struct daemon_config *config, const char *path, struct buf *why) MUST_CHECK;
/* Takes every MUSTER_… variable that names a parameter; an unknown one is an error. */
int daemon_config_environment(struct daemon_config *config, struct buf *why) MUST_CHECK;

/* What a data folder without a root key means. The folder itself is made unless DAEMON_RING_OLD. */
enum daemon_ring_new {
    DAEMON_RING_NEW,       /* this is the first start: make one, unless the folder has a store */
    DAEMON_RING_OLD,       /* it is no data folder */
    DAEMON_RING_ELSEWHERE, /* the store has a root key, so it is somewhere else */
};

/* The key ring of `source` (the parameter root_key), or of the data folder when that is empty. The reason of a failure
 * goes to *why: ERR_KEY, ERR_CONFIG, ERR_NOT_FOUND or ERR_STORAGE_IO. */
int daemon_ring_open(const char *data, const char *source, enum daemon_ring_new fresh, struct crypto_ring **ring,
                     struct buf *why) MUST_CHECK;
/* Path of the embedded store in a data folder. */
void daemon_store_path(const char *data, char path[600]);
/* Where the store of a server with this data folder is: `store`, or the folder's own when that is empty. */
void daemon_store_location(const char *data, const char *store, char location[600]);

/* Serves until SIGTERM or SIGINT: finishes what it took, then returns 0. Prints one line with the word
 * `ready` and the URL to stdout when it serves. A negative ERR_ when it could not start; the reason has been
 * printed to stderr. When storage has failed it ends the process with status 1, after `failed_linger`. */
int daemon_serve(const struct daemon_config *config) MUST_CHECK;

#endif
