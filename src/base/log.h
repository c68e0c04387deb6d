/*
 * One JSON object a line on stderr. A line names its subject (request, tenant, import) and carries
 * keys of class open only: callers pass ids, counts, codes and names of steps, never a customer's
 * member. Any thread may call; a line is written whole.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Whom a line is about; members may be NULL. */
struct log_subject {
    const char *request; /* Request-Id */
    const char *tenant;  /* public name */
    const char *import;  /* import id as text */
};

/* Lines below this level are not written; default LOG_INFO. Set once at start. */
void log_set_level(enum log_level level);

/*
 * Writes {"time","level","event",subject…, key:value…}. `event` is a fixed word or two. `pairs` is
 * printf for the inside of a JSON object without braces, or NULL: "\"bytes\":%llu,\"code\":\"%s\"";
 * texts put in it must come from fixed tables or ids.
 */
void log_line(enum log_level level, const struct log_subject *subject, const char *event, const char *pairs, ...)
    __attribute__((format(printf, 4, 5)));

#define log_debug(subject, event, ...)   log_line(LOG_DEBUG, subject, event, __VA_ARGS__)
#define log_info(subject, event, ...)    log_line(LOG_INFO, subject, event, __VA_ARGS__)
#define log_warning(subject, event, ...) log_line(LOG_WARNING, subject, event, __VA_ARGS__)
#define log_error(subject, event, ...)   log_line(LOG_ERROR, subject, event, __VA_ARGS__)

#endif
