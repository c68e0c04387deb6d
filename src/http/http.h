/*
 * The HTTP room: moves bytes between clients and the rooms below, over libmicrohttpd. It sees
 * tokens, headers and bodies as they pass; it keeps none of them.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "auth/auth.h"
#include "intake/intake.h"
#include "registry/registry.h"

struct http_server;

struct http_options {
    int listening; /* socket of http_listen; the server's from now on */
    int watched;   /* another, which answers how we are and nothing else, whatever requests wait for; -1: none */
    size_t threads;
    size_t slow_threads; /* for requests that take a password hash */
    size_t connections;
    size_t address_connections; /* of one client address; 0: no limit */
    size_t requests;            /* under way at a time; 0: as many as connections */
    size_t tenant_requests;     /* of one tenant; 0: no limit */
    unsigned idle_timeout_s;
    unsigned header_timeout_s; /* for a request's head, from its first byte */
    unsigned body_window_s;    /* over which a body's rate is measured */
    size_t body_rate_min;      /* bytes a second; 0: no limit */
    struct auth *auth;
    struct intake *intake;
    const struct registry *registry;
};

/* Opens the socket of "127.0.0.1:8484" or "[::1]:8484"; port 0 takes a free one, *port tells which. Clients may
 * connect from now on; they are served when http_start has returned. 0, or ERR_CONFIG / ERR_NETWORK with the
 * reason in *why. */
int http_listen(const char *address, int *listening, uint16_t *port, struct buf *why) MUST_CHECK;
/* Starts to serve. 0 or ERR_NO_MEMORY. */
int http_start(const struct http_options *options, struct http_server **server) MUST_CHECK;
/* Takes no new connections and refuses new requests with 503; waits up to timeout_s for those that
 * are under way. True when none is left. */
bool http_drain(struct http_server *server, unsigned timeout_s);
/* After a drain that left none. Clears the pointer. */
void http_stop(struct http_server **server);

#endif
