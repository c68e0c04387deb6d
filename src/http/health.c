/*
 * How we are, for whoever watches the server: on the port of everything else, and, where that is asked for, on one of
 * its own. Threads that move bytes may come to wait for a database that says nothing; the one of that port never does.
 */
#include "http/http_priv.h"

/* Alive: this thread answers. */
int http_health(struct http_request *request)
{
    request->status = 200;
    buf_append_text(&request->answer, "{\"status\":\"alive\"}");
    return 0;
}

/* Ready: commits are taken. */
int http_ready(struct http_request *request)
{
    struct store *store = request->server->options.registry->store;
    struct store_facts facts;
    int err = store_health(store);
    if (err == 0) {
        store_facts(store, &facts);
        request->status = 200;
        buf_printf(&request->answer,
                   "{\"status\":\"ready\",\"storage\":\"writable\",\"store\":\"%s\",\"durability\":\"%s\"}", facts.kind,
                   facts.durability);
    }
    return err;
}

bool http_looks_after_us(const struct http_route *route)
{
    return route->handler == http_health || route->handler == http_ready;
}
