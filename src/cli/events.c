/* A line at a time; an empty one ends an event. An event without data is none. */
#include "cli/events.h"

#include <stdio.h>

#define EVENT_BYTES (64u << 10)

void events_init(struct events *events, void (*take)(void *context, struct slice name, struct slice data),
                 void *context)
{
    *events = (struct events){.take = take, .context = context};
    buf_init(&events->line, EVENT_BYTES);
    buf_init(&events->data, EVENT_BYTES);
}

void events_fini(struct events *events)
{
    buf_fini(&events->line);
    buf_fini(&events->data);
}

static void end_event(struct events *events)
{
    if (events->data.size > 0) {
        events->data.size--; /* the last line break */
        events->take(events->context, slice_from_text(events->name), buf_view(&events->data));
    }
    events->name[0] = '\0';
    buf_clear(&events->data);
}

static void end_line(struct events *events)
{
    struct slice line = buf_view(&events->line);
    line.size -= line.size > 0 && line.data[line.size - 1] == '\r' ? 1 : 0;
    const char *colon = line.size == 0 ? NULL : memchr(line.data, ':', line.size);
    struct slice name = slice_make(line.data, colon == NULL ? line.size : (size_t)(colon - line.data));
    struct slice value = slice_from(line, name.size + (colon == NULL ? 0 : 1));
    value = slice_starts(value, SLICE(" ")) ? slice_from(value, 1) : value;
    if (line.size == 0) {
        end_event(events);
    } else if (slice_equal_text(name, "event")) {
        snprintf(events->name, sizeof events->name, "%.*s", SLICE_ARG(value));
    } else if (slice_equal_text(name, "data")) {
        buf_append_slice(&events->data, value);
        buf_append_byte(&events->data, '\n');
    }
}

bool events_feed(struct events *events, struct slice piece)
{
    while (piece.size > 0) {
        const char *end = memchr(piece.data, '\n', piece.size);
        size_t size = end == NULL ? piece.size : (size_t)(end - piece.data);
        buf_append(&events->line, piece.data, size);
        if (buf_error(&events->line) != 0 || buf_error(&events->data) != 0) {
            return false;
        }
        if (end != NULL) {
            end_line(events);
            buf_clear(&events->line);
        }
        piece = slice_from(piece, end == NULL ? size : size + 1);
    }
    return true;
}
