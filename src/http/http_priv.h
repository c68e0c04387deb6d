/*
 * What the files of the HTTP room share: a request, the table of routes, the composing of answers.
 * A request belongs to its HTTP thread, except between its handing over to a slow thread and the
 * resume of its connection.
 */
#ifndef HTTP_HTTP_PRIV_H
#define HTTP_HTTP_PRIV_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "base/queue.h"
#include "base/uuid.h"
#include "http/http.h"
#include "json/json.h"

/* Bodies of everything but bulk requests. A secret to verify may be as long as contracts let it be, escaped. */
#define HTTP_BODY_LIMIT_BYTES   (64u << 10)
#define HTTP_SECRET_LIMIT_BYTES (2u << 20)
#define HTTP_PARAMS             2
#define HTTP_QUERY_VALUES       8 /* names that one address knows, at most */
#define HTTP_OFFERS             4 /* media types that one address has, at most */

struct http_request;
struct http_route;
struct http_events;

/* Answers a request: 0 when status and body are set, else the ERR_ to answer with. */
typedef int http_handler(struct http_request *request);

enum http_access {
    HTTP_OPEN,     /* anybody */
    HTTP_TENANT,   /* bearer token with the route's scope */
    HTTP_OPERATOR, /* the operator's key */
    HTTP_BULK      /* the contract's own admission */
};

struct http_route {
    const char *method;
    const char *path; /* "{}" stands for one segment */
    enum http_access access;
    uint32_t scope; /* the token has one of these bits; the lowest is named when it has none */
    bool slow;      /* runs on a slow thread */
    http_handler *handler;
};

/* One parameter of the query; the name is the route's own text. */
struct http_query_value {
    const char *name;
    struct slice value; /* percent-decoded into query_text */
};

/*
 * A body that is made while it is sent, so that its size does not matter. A handler that sets the request's
 * stream (and status and content type) and returns 0 gives it away: it is read on the HTTP thread as fast as the
 * client takes it, and closed once, when it was sent or the client has gone. A request that is answered with a
 * problem after all, or to HEAD, closes it unread.
 */
struct http_stream {
    /* The next bytes, at least one and at most `room`; 0 at the end. A negative ERR_ breaks the answer off, so
     * that the client sees that it is not whole. HTTP_STREAM_RESTS: there is nothing yet and the connection was
     * suspended; http_wake makes it go on. */
    ssize_t (*read)(void *context, char *to, size_t room);
    void (*close)(void *context);
    void *context;
};

#define HTTP_STREAM_RESTS ((ssize_t)-1000000)

enum http_phase {
    HTTP_RECEIVING, /* the body arrives */
    HTTP_WORKING,   /* somebody else has it; the connection rests */
    HTTP_ANSWERED
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    char id[UUID_TEXT_BYTES + 1];
    const struct http_route *route;
    const struct contract *contract; /* of a bulk route */
    char method[8];
    struct slice params[HTTP_PARAMS]; /* segments of the path, percent-decoded into param_text */
    struct buf param_text;
    struct http_query_value query[HTTP_QUERY_VALUES];
    size_t query_count;
    struct buf query_text;
    enum http_phase phase;
    int refusal;      /* the error to answer with: decided before or while the body came, or by a handler */
    const char *what; /* static text on the refusal, or NULL */
    int64_t started_ns;

    struct auth_grant grant;
    struct buf body;
    struct intake_admission admission;
    struct intake_import *import;

    struct http_peer *peer; /* its connection; NULL: not watched */
    bool admitted;          /* counted among the requests under way */
    bool tenant_admitted;   /* and among its tenant's */

    unsigned status;
    struct buf answer;         /* the body, unless there is a stream */
    size_t answer_read;        /* of a stream that begins with it */
    struct http_stream stream; /* `read` NULL: none */
    const char *content_type;
    char allow[64];         /* Allow of a 405 */
    char link[96];          /* Link; empty: none */
    char location[64];      /* Location; empty: none */
    bool replayed;          /* Idempotency-Replayed */
    unsigned retry_after_s; /* Retry-After; 0: none */
    bool unframed;          /* where the request ends is not sure: answer at once and close */
    bool no_store;          /* Cache-Control of answers with credentials */
    const char *challenge;  /* WWW-Authenticate of a 401 that is not about a bearer token, or NULL */
};

struct http_server {
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct MHD_Daemon *watched; /* answers http_looks_after_us alone; NULL: none */
    atomic_size_t active;       /* requests between their headers and their end, and wakes that still run */
    atomic_bool draining;
    struct http_limits *limits;
    struct queue *slow;
    pthread_t *slow_threads;
    size_t slow_count;
    struct http_events *events;
};

/* ---- routes.c ---- */

/* The route of a path and method: 0, ERR_NOT_FOUND, or ERR_METHOD_NOT_ALLOWED with request->allow set. */
int http_route_find(struct http_request *request, const char *method, const char *path);
/* Bearer and scope, or the operator's key. */
int http_route_admit(struct http_request *request);

/* ---- fields.c ---- */

/* ERR_BAD_PARAMETER for header fields that two readers could read in two ways; after the route was looked for. */
int http_fields_check(struct http_request *request);

/* ---- request.c ---- */

/* Value of a header field without the white space around it; empty when it is not there. */
struct slice http_header(const struct http_request *request, const char *name);
/* Decodes the query. ERR_BAD_PARAMETER when it has a name that is not in the NULL-terminated list, has one
 * twice, or has a bad escape. Before the three that follow. */
int http_query_read(struct http_request *request, const char *const *names);
/* Value of a query parameter; false when it is not there. */
bool http_query(const struct http_request *request, const char *name, struct slice *value);
/* `limit` and its bounds; the default when absent. ERR_BAD_PARAMETER. */
int http_query_limit(struct http_request *request, size_t *limit);
/* A UUID in the query; zero when absent. ERR_BAD_PARAMETER. */
int http_query_uuid(struct http_request *request, const char *name, struct uuid *uuid);

/* ---- accept.c ---- */

/* Which of the media types, in order of preference, the client takes. 0 or ERR_NOT_ACCEPTABLE. */
int http_accept(const struct http_request *request, const char *const *types, size_t count, size_t *chosen);

/* ---- problem.c ---- */

/* Composes the problem document (RFC 9457) of an error into the answer and sets the status. */
void http_problem(struct http_request *request, int err, const char *what, const struct intake_answer *answer);

/* ---- server.c ---- */

/* Sends what was composed, with the headers every answer has. */
enum MHD_Result http_send(struct http_request *request);
/* The resting connection goes on; any thread. */
void http_wake(void *context);

/* ---- stream.c ---- */

/* A response that reads the request's stream. NULL: no memory. */
struct MHD_Response *http_stream_respond(struct http_request *request);
/* Closes the stream, if there is one. */
void http_stream_close(struct http_request *request);

/* ---- limits.c ---- */

/* Starts the watcher. On an error too, what was made is to be freed. */
int http_limits_new(const struct http_options *options, struct http_limits **limits) MUST_CHECK;
/* No connection is left. */
void http_limits_free(struct http_limits **limits);
/* The library's MHD_OPTION_NOTIFY_CONNECTION. */
void http_limits_notify(void *context, struct MHD_Connection *connection, void **held,
                        enum MHD_ConnectionNotificationCode what);
/* One more request under way: 0 or ERR_OVERLOADED. */
int http_limits_admit(struct http_request *request) MUST_CHECK;
/* One more of its grant's tenant: 0 or ERR_TENANT_BUSY. */
int http_limits_admit_tenant(struct http_request *request) MUST_CHECK;
/* It ends, admitted or not. */
void http_limits_leave(struct http_request *request);
/* The moments of a request, by its HTTP thread: its head is complete, bytes of its body are here, it begins or ends
 * to wait for us, its body is complete. False: the watcher has ended the connection. */
bool http_limits_head(struct http_request *request) MUST_CHECK;
void http_limits_body(struct http_request *request, size_t bytes);
void http_limits_rest(struct http_request *request, bool resting);
bool http_limits_whole(struct http_request *request) MUST_CHECK;
/* It is over; false: because the watcher ended it. */
bool http_limits_answered(struct http_request *request);

/* ---- health.c ---- */

http_handler http_health, http_ready;
#define HTTP_HEALTH_PATH "/healthz"
#define HTTP_READY_PATH  "/readyz"
/* Whether the route is one of these: answered however busy we are. */
bool http_looks_after_us(const struct http_route *route);

/* ---- slow.c ---- */
int http_slow_start(struct http_server *server);
void http_slow_stop(struct http_server *server);

/* ---- events.c ---- */
int http_events_start(struct http_server *server);
/* Ends all subscriptions, at once. */
void http_events_end(struct http_server *server);
/* After http_events_end, when no request is left. */
void http_events_stop(struct http_server *server);

/* ---- bulk.c ---- */
/* Headers have come: admits the import or sets the refusal. */
void http_bulk_begin(struct http_request *request);
/* Composes the answer of a decided import. */
void http_bulk_answer(struct http_request *request);

/* ---- the handlers ---- */
http_handler http_customer_get, http_customer_list, http_secret_verify;
http_handler http_import_get, http_import_list, http_import_results, http_import_faults, http_import_events;
http_handler http_import_undo, http_import_abort;
http_handler http_token, http_jwks, http_metadata;
http_handler http_tenant_create, http_tenant_list, http_tenant_limit, http_tenant_revoke;
http_handler http_project_create, http_project_list, http_project_revoke;
http_handler http_client_create, http_client_list, http_client_revoke;
http_handler http_key_create, http_key_list, http_key_revoke;

#endif
