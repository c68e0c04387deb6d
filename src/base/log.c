/* A line is composed in one buffer and written by one call, so that lines of threads don't mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES 2048

static enum log_level lowest = LOG_INFO;

static const char *const LEVELS[] = {"debug", "info", "warning", "error"};

void log_set_level(enum log_level level)
{
    lowest = level;
}

struct line {
    char text[LINE_BYTES];
    size_t size;
};

/* Appends what fits, leaving room for the closing brace. */
__attribute__((format(printf, 2, 0))) static void add_args(struct line *line, const char *format, va_list args)
{
    size_t room = sizeof line->text - 3 - line->size;
    int size = vsnprintf(line->text + line->size, room, format, args);
    if (size > 0) {
        line->size += (size_t)size < room ? (size_t)size : room - 1;
    }
}

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_args(line, format, args);
    va_end(args);
}

static void add_member(struct line *line, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        add(line, ",\"%s\":\"%s\"", name, value);
    }
}

void log_line(enum log_level level, const struct log_subject *subject, const char *event, const char *pairs, ...)
{
    if (level < lowest) {
        return;
    }
    struct line line = {.size = 0};
    char time[CLOCK_TEXT_BYTES];
    clock_to_text(clock_real_ms(), time);
    add(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", time, LEVELS[level], event);
    if (subject != NULL) {
        add_member(&line, "request", subject->request);
        add_member(&line, "tenant", subject->tenant);
        add_member(&line, "import", subject->import);
    }
    if (pairs != NULL) {
        add(&line, ",");
        va_list args;
        va_start(args, pairs);
        add_args(&line, pairs, args);
        va_end(args);
    }
    line.text[line.size++] = '}';
    line.text[line.size++] = '\n';
    ssize_t written = write(STDERR_FILENO, line.text, line.size);
    (void)written; /* there is nowhere left to complain */
}
