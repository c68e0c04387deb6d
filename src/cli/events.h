/*
 * Server-sent events (HTML Living Standard, section 9.2) out of an answer that arrives in pieces: names and
 * data; comments, ids and the rest are passed over. Pure; one thread.
 */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include "base/buf.h"

struct events {
    void (*take)(void *context, struct slice name, struct slice data);
    void *context;
    struct buf line;
    struct buf data;
    char name[32];
};

void events_init(struct events *events, void (*take)(void *context, struct slice name, struct slice data),
                 void *context);
void events_fini(struct events *events);
/* Takes a piece; whole events go to `take`. False: a line or event is longer than it may be. */
bool events_feed(struct events *events, struct slice piece);

#endif
