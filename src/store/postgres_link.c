/*
 * A connection to the server, in a pipeline: statements are queued, sent together, and their results taken in order.
 * Whatever is waited for, for reading and for writing, ends at the link's deadline.
 *
 * The difficulty is to tell failures apart, since what follows differs: others were in the way (done again), the
 * connection or the server is gone (done again on another one; if COMMIT was sent, settled first), or the server
 * refuses (told). The first failure is the link's trouble, and after it nothing is sent. A server's texts can have
 * keys and values in them, so nothing but the SQLSTATE and texts of this file ever leave here.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "store/postgres_priv.h"

#define NANOSECONDS_A_MS 1000000
#define POLL_MAX_MS      60000 /* at a time */
#define HOST_MS          4000  /* for one host of several */
#define HOSTS_KNOWN      8
#define SILENT_MS        30000 /* a host that was silent is asked last for so long */
#define OPTIONS_MAX      96    /* libpq has half as many */

/* ---- troubles ---- */

void store_link_fail(struct store_link *link, enum store_trouble trouble, int error)
{
    if (link->trouble == TROUBLE_NONE) {
        link->trouble = trouble;
        link->error = error;
    }
}

static void lose(struct store_link *link)
{
    link->trouble = TROUBLE_LOST; /* the worst: it counts from now on, whatever came before */
    link->error = ERR_STORAGE_AWAY;
}

static bool is_one_of(const char *state, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strncmp(state, *list, strlen(*list)) == 0) {
            return true;
        }
    }
    return false;
}

/* Appendix A of PostgreSQL's documentation has the codes. */
static const char *const again_states[] = {"40001", "40P01", "23505", "55P03", "40002", NULL};
/* The server ends, starts, is a standby now, has no room for a connection, or an operator threw us out. */
static const char *const lost_states[] = {"08",    "57P01", "57P02", "57P03", "57P04", "57P05",
                                          "25006", "53300", "40003", "25P03", NULL};
static const char *const full_states[] = {"53100", NULL};

static void refuse(struct store_link *link, const char *state)
{
    int error = is_one_of(state, full_states) ? ERR_STORAGE_FULL : ERR_STORAGE_IO;
    store_link_fail(link, TROUBLE_REFUSED, error);
    log_error(NULL, "database refused", "\"sqlstate\":\"%.5s\"", state);
}

static void note_state(struct store_link *link, const char *state)
{
    if (link->state[0] == '\0') {
        memcpy(link->state, state, 5);
    }
    link->unknown = link->unknown || strncmp(state, "40003", 5) == 0;
    if (is_one_of(state, lost_states)) {
        lose(link);
    } else if (is_one_of(state, again_states)) {
        store_link_fail(link, TROUBLE_AGAIN, ERR_OVERLOADED);
    } else if (link->trouble == TROUBLE_NONE) {
        refuse(link, state);
    }
}

static void note_result(struct store_link *link, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == NULL || strlen(state) != 5 || PQstatus(link->conn) == CONNECTION_BAD) {
        lose(link); /* libpq's own words: the connection broke */
    } else {
        note_state(link, state);
    }
}

/* 01000 with a commit: somebody cancelled the wait for a standby. 57P01 as a warning: the same, and the server ends. */
static void note_warning(void *context, const PGresult *result)
{
    struct store_link *link = context;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    bool warning = severity == NULL || strcmp(severity, "WARNING") == 0;
    link->warned = link->warned || (warning && state != NULL && (strcmp(state, "01000") == 0 || state[0] == '5'));
}

/* ---- waiting ---- */

static int left_ms(const struct store_link *link)
{
    int64_t left = (link->deadline_ns - clock_monotonic_ns()) / NANOSECONDS_A_MS;
    return left <= 0 ? 0 : left > POLL_MAX_MS ? POLL_MAX_MS : (int)left;
}

/* Until the socket is ready for one of the events. False: lost. */
static bool wait_for(struct store_link *link, short events)
{
    struct pollfd poll_one = {.fd = PQsocket(link->conn), .events = events};
    int ready = 0;
    for (int left = left_ms(link); left > 0 && ready == 0 && poll_one.fd >= 0; left = left_ms(link)) {
        ready = poll(&poll_one, 1, left);
        ready = ready < 0 && errno == EINTR ? 0 : ready;
    }
    if (ready <= 0) {
        lose(link);
        return false;
    }
    return true;
}

/* Sends what is queued while taking in what comes: a server that can't write does not read. `all`: to the end. */
static void flush(struct store_link *link, bool all)
{
    int left = PQflush(link->conn);
    while (left == 1 && all && link->trouble != TROUBLE_LOST) {
        if (wait_for(link, POLLIN | POLLOUT) && PQconsumeInput(link->conn) == 1) {
            left = PQflush(link->conn);
        } else {
            lose(link);
        }
    }
    if (left < 0) {
        /* The reason may have come before the connection broke: it is read with the results. */
        (void)PQconsumeInput(link->conn);
    }
}

static PGresult *next_result(struct store_link *link)
{
    while (PQisBusy(link->conn)) {
        int unsent = PQflush(link->conn);
        if (!wait_for(link, unsent == 1 ? POLLIN | POLLOUT : POLLIN)) {
            return NULL;
        }
        if (PQconsumeInput(link->conn) == 0 && PQisBusy(link->conn)) {
            lose(link);
            return NULL;
        }
    }
    return PQgetResult(link->conn);
}

/* ---- opening ---- */

/* The connection's own words may name hosts and users; those of the server, what they please. Neither is told. True:
 * the server, or libpq, has said what is wrong. */
static bool explain(const struct store_link *link, struct buf *why)
{
    const char *host = link->conn == NULL ? NULL : PQhost(link->conn);
    const char *port = link->conn == NULL ? NULL : PQport(link->conn);
    bool asked = link->conn != NULL && PQconnectionNeedsPassword(link->conn) == 1;
    const char *message = link->conn == NULL ? "" : PQerrorMessage(link->conn);
    const char *reason = asked || strstr(message, "password") != NULL ? "it refuses the password"
                         : strstr(message, "does not exist") != NULL  ? "the database or the role is not there"
                         : strstr(message, "invalid") != NULL         ? "the address is not valid"
                                                                      : NULL;
    buf_printf(why, "the database at %s:%s can't be used: %s", host == NULL || *host == '\0' ? "?" : host,
               port == NULL || *port == '\0' ? "?" : port,
               reason == NULL ? "it does not answer, or takes nobody now" : reason);
    return reason != NULL;
}

static int connect_within(struct store_link *link)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED || !wait_for(link, status == PGRES_POLLING_READING ? POLLIN : POLLOUT)) {
            return ERR_STORAGE_AWAY;
        }
        status = PQconnectPoll(link->conn);
    }
    return PQsetnonblocking(link->conn, 1) == 0 && PQenterPipelineMode(link->conn) == 1 ? 0 : ERR_STORAGE_AWAY;
}

/* What libpq is told, as it takes it. */
struct target {
    const char *names[OPTIONS_MAX];
    const char *values[OPTIONS_MAX];
    size_t count;
};

static void target_add(struct target *target, const char *name, const char *value)
{
    if (value != NULL && target->count + 1 < OPTIONS_MAX) { /* a NULL ends the list */
        target->names[target->count] = name;
        target->values[target->count++] = value;
    }
}

/* `whole`: the database's name stands for all of the address. */
static int open_target(struct store_link *link, struct target *target, bool whole)
{
    target_add(target, "fallback_application_name", "muster");
    target_add(target, "client_encoding", "UTF8");
    link->conn = PQconnectStartParams(target->names, target->values, whole);
    if (link->conn == NULL || PQstatus(link->conn) == CONNECTION_BAD) {
        return ERR_STORAGE_AWAY;
    }
    (void)PQsetNoticeReceiver(link->conn, note_warning, link);
    return connect_within(link);
}

/* ---- several hosts: libpq tries the next one when one refuses, but of one that is silent it does not lose patience
 * unless it may block. So they are tried one by one here. ---- */

static const char *option_of(const PQconninfoOption *options, const char *name)
{
    while (options->keyword != NULL && strcmp(options->keyword, name) != 0) {
        options++;
    }
    return options->val;
}

/* Of parts that commas divide. */
static size_t parts_count(const char *text)
{
    size_t count = text == NULL ? 0 : 1;
    for (; count > 0 && *text != '\0'; text++) {
        count += *text == ',';
    }
    return count;
}

/* The part of that number; one alone is for all. NULL: an empty one, or it is too long. */
static const char *parts_take(const char *text, size_t number, char *part, size_t room)
{
    for (size_t i = 0; parts_count(text) > 1 && i < number; i++) {
        const char *comma = strchr(text, ',');
        text = comma == NULL ? "" : comma + 1;
    }
    size_t size = text == NULL ? 0 : strcspn(text, ",");
    if (size == 0 || size >= room) {
        return NULL;
    }
    memcpy(part, text, size);
    part[size] = '\0';
    return part;
}

static int open_host(struct store_link *link, const PQconninfoOption *options, size_t number)
{
    char parts[3][256];
    struct target target = {0};
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        size_t kind = strcmp(option->keyword, "host") == 0       ? 0
                      : strcmp(option->keyword, "hostaddr") == 0 ? 1
                      : strcmp(option->keyword, "port") == 0     ? 2
                                                                 : 3;
        target_add(&target, option->keyword,
                   kind == 3 ? option->val : parts_take(option->val, number, parts[kind], sizeof parts[kind]));
    }
    return open_target(link, &target, false);
}

/* Monotonic, by the number of the host: until when it is asked last. Of the process, which has one database; of two
 * the one would only have its hosts asked in another order. */
static _Atomic int64_t silent_until_ns[HOSTS_KNOWN];

/* A bit for each host. */
static unsigned silent_hosts(void)
{
    int64_t now = clock_monotonic_ns();
    unsigned silent = 0;
    for (unsigned i = 0; i < HOSTS_KNOWN; i++) {
        silent |= atomic_load(&silent_until_ns[i]) > now ? 1u << i : 0;
    }
    return silent;
}

static void note_silence(size_t host, int64_t deadline_ns)
{
    int64_t now = clock_monotonic_ns();
    if (host < HOSTS_KNOWN && now >= deadline_ns) {
        atomic_store(&silent_until_ns[host], now + (int64_t)SILENT_MS * NANOSECONDS_A_MS);
    }
}

/* One of the hosts that are left, in their share of the time. True: the reason is known. */
static bool try_host(struct store_link *link, const PQconninfoOption *options, size_t number, size_t left,
                     struct buf *why)
{
    int64_t now = clock_monotonic_ns();
    int64_t share = (link->deadline_ns - now) / (int64_t)left;
    int64_t most = (int64_t)HOST_MS * NANOSECONDS_A_MS;
    *link = (struct store_link){.deadline_ns = left > 1 && share > most ? now + most : now + share};
    if (open_host(link, options, number) == 0) {
        return true;
    }
    note_silence(number, link->deadline_ns);
    bool said = why != NULL && explain(link, why);
    store_link_close(link);
    return said;
}

/* The last one has all the time that is left. */
static int open_hosts(struct store_link *link, const PQconninfoOption *options, size_t count, struct buf *why)
{
    int64_t deadline_ns = link->deadline_ns;
    unsigned silent = silent_hosts();
    size_t before = why == NULL ? 0 : why->size;
    size_t left = count;
    bool said = false;
    link->conn = NULL;
    for (size_t i = 0; i < 2 * count && link->conn == NULL; i++) {
        bool last = i % count < HOSTS_KNOWN && (silent >> i % count & 1) != 0;
        if (last == (i >= count)) {
            link->deadline_ns = deadline_ns;
            if (why != NULL && !said) {
                why->size = before;
            }
            said = try_host(link, options, i % count, left--, said ? NULL : why) || said;
        }
    }
    link->deadline_ns = deadline_ns;
    if (link->conn != NULL && why != NULL) {
        why->size = before;
    }
    return link->conn == NULL ? ERR_STORAGE_AWAY : 0;
}

static int open_any(struct store_link *link, const char *conninfo, struct buf *why)
{
    struct target target = {0};
    *link = (struct store_link){.deadline_ns = link->deadline_ns};
    target_add(&target, "dbname", conninfo);
    int err = open_target(link, &target, true);
    if (err != 0 && why != NULL) {
        (void)explain(link, why);
    }
    return err;
}

static void options_free(PQconninfoOption *options)
{
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
        if (option->val != NULL && option->dispchar[0] == '*') {
            crypto_wipe(option->val, strlen(option->val));
        }
    }
    PQconninfoFree(options);
}

int store_link_open(struct store_link *link, const char *conninfo, struct buf *why)
{
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    size_t hosts = options == NULL ? 0 : parts_count(option_of(options, "host"));
    size_t addresses = options == NULL ? 0 : parts_count(option_of(options, "hostaddr"));
    hosts = hosts > addresses ? hosts : addresses;
    int err = hosts > 1 ? open_hosts(link, options, hosts, why) : open_any(link, conninfo, why);
    options_free(options);
    if (err != 0) {
        store_link_close(link);
        return ERR_STORAGE_AWAY;
    }
    link->trouble = TROUBLE_NONE;
    return 0;
}

void store_link_close(struct store_link *link)
{
    PQfinish(link->conn);
    link->conn = NULL;
    link->awaited = 0;
    lose(link);
}

/* ---- statements ---- */

void store_params_add(struct store_params *params, Oid type, struct slice value)
{
    params->types[params->count] = type;
    params->values[params->count] = value.data == NULL ? "" : value.data;
    params->sizes[params->count++] = (int)value.size;
}

void store_link_send(struct store_link *link, const char *sql, const struct store_params *params)
{
    static const int binary[STORE_LINK_PARAMS] = {1, 1, 1, 1, 1, 1};
    static const struct store_params none = {0};
    const struct store_params *sent = params == NULL ? &none : params;
    if (link->trouble != TROUBLE_NONE) {
        return;
    }
    if (PQsendQueryParams(link->conn, sql, sent->count, sent->types, sent->values, sent->sizes, binary, 1) != 1) {
        lose(link);
        return;
    }
    link->awaited++; /* libpq sends what has become much; the rest goes with the sync */
}

void store_link_sync(struct store_link *link)
{
    if (link->trouble != TROUBLE_NONE) {
        return;
    }
    if (PQpipelineSync(link->conn) != 1) {
        lose(link);
        return;
    }
    link->awaited++;
    flush(link, true);
}

/* The result is a statement's, not its end. */
static PGresult *take(struct store_link *link)
{
    PGresult *result = link->awaited == 0 || link->trouble == TROUBLE_LOST ? NULL : next_result(link);
    if (result == NULL) {
        lose(link);
        return NULL;
    }
    link->awaited--;
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) {
        return result;
    }
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
        note_result(link, result);
    } else if (status == PGRES_PIPELINE_ABORTED) {
        store_link_fail(link, TROUBLE_REFUSED, ERR_INTERNAL); /* something before it failed, and has said why */
    }
    if (link->trouble != TROUBLE_LOST) {
        PGresult *end = next_result(link);
        if (end != NULL) { /* a statement has one result */
            PQclear(end);
            lose(link);
        }
    }
    return result;
}

PGresult *store_link_take(struct store_link *link)
{
    if (link->trouble != TROUBLE_NONE) {
        return NULL;
    }
    PGresult *result = take(link);
    if (link->trouble != TROUBLE_NONE) {
        PQclear(result);
        return NULL;
    }
    return result;
}

void store_link_expect(struct store_link *link)
{
    PQclear(store_link_take(link));
}

void store_link_drain(struct store_link *link)
{
    while (link->awaited > 0 && link->trouble != TROUBLE_LOST) {
        PQclear(take(link));
    }
}

/* ---- COPY: not possible within a pipeline ---- */

void store_link_copy_begin(struct store_link *link, const char *sql)
{
    if (link->trouble != TROUBLE_NONE) {
        return;
    }
    if (link->awaited != 0 || PQexitPipelineMode(link->conn) != 1 || PQsendQuery(link->conn, sql) != 1) {
        lose(link);
        return;
    }
    flush(link, true);
    PGresult *result = link->trouble == TROUBLE_NONE ? next_result(link) : NULL;
    if (result == NULL) {
        lose(link);
        return;
    }
    if (PQresultStatus(result) != PGRES_COPY_IN) {
        note_result(link, result);
    }
    PQclear(result);
}

void store_link_copy_put(struct store_link *link, struct slice bytes)
{
    while (link->trouble == TROUBLE_NONE) {
        int put = PQputCopyData(link->conn, bytes.data, (int)bytes.size);
        if (put == 1) {
            flush(link, false);
            return;
        }
        if (put < 0) {
            lose(link);
            return;
        }
        flush(link, true);
    }
}

/* Back to the pipeline. A trouble of the server's is read to its end, so that the link stays of use. */
void store_link_copy_end(struct store_link *link)
{
    if (link->trouble == TROUBLE_LOST) {
        return;
    }
    int ended = 0;
    while (link->trouble == TROUBLE_NONE && (ended = PQputCopyEnd(link->conn, NULL)) == 0) {
        flush(link, true);
    }
    if (ended < 0) {
        lose(link);
    }
    flush(link, true);
    PGresult *result = NULL;
    while (link->trouble != TROUBLE_LOST && (result = next_result(link)) != NULL) {
        if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
            note_result(link, result);
        }
        PQclear(result);
    }
    if (link->trouble != TROUBLE_LOST && PQenterPipelineMode(link->conn) != 1) {
        lose(link);
    }
}

struct slice store_result_slice(const PGresult *result, int row, int column)
{
    return slice_make(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}
