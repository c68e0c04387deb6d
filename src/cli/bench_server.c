/*
 * A server of our own to measure: this binary again, with its data in the scratch folder, on a free port.
 * It says when it is ready on its stdout; its credentials are in demo.json.
 */
#include "cli/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench_http.h"

#define STOP_SECONDS 60

/* The server must see the defaults, not what MUSTER_… variables say to us. */
static void clear_environment(void)
{
    static char *kept[1024];
    size_t count = 0;
    for (size_t i = 0; environ[i] != NULL && count + 1 < sizeof kept / sizeof kept[0]; i++) {
        if (strncmp(environ[i], "MUSTER_", 7) != 0) {
            kept[count++] = environ[i];
        }
    }
    environ = kept;
}

static void run_server(const char *data, const char *log, const char *store, int to_parent)
{
    int to_log = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    static char words[][16] = {"muster", "serve", "--demo", "--listen", "127.0.0.1:0", "--data", "--store"};
    char folder[600];
    char url[300];
    snprintf(folder, sizeof folder, "%s", data);
    snprintf(url, sizeof url, "%s", store == NULL ? "" : store);
    char *arguments[] = {
        words[0], words[1], words[2], words[3], words[4], words[5], folder, store == NULL ? NULL : words[6], url, NULL};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_DFL);
    dup2(to_parent, STDOUT_FILENO);
    dup2(to_log, STDERR_FILENO);
    clear_environment();
    execv("/proc/self/exe", arguments);
    _exit(127);
}

/* The line with the word `ready`: its URL goes to the connection. False: the server ended instead. */
static bool read_ready(int from, struct connection *connection)
{
    char line[1024];
    size_t size = 0;
    ssize_t got;
    while (size + 1 < sizeof line && (got = read(from, line + size, 1)) != 0) {
        if (got < 0 && errno != EINTR) {
            return false;
        }
        if (got < 0) {
            continue;
        }
        if (line[size++] != '\n') {
            continue;
        }
        line[size - 1] = '\0';
        const char *url = strstr(line, "http://");
        if (strstr(line, "ready") != NULL && url != NULL) {
            return cli_text_copy(slice_make(url, strcspn(url, " \t\r\",")), connection->server,
                                 sizeof connection->server);
        }
        size = 0;
    }
    return false;
}

static int read_credentials(const char *data, struct bench_server *server)
{
    char path[700];
    char url[sizeof server->connection.server];
    memcpy(url, server->connection.server, sizeof url);
    snprintf(path, sizeof path, "%s/demo.json", data);
    int err = connection_load_file(path, &server->connection);
    memcpy(server->connection.server, url, sizeof url);
    return err;
}

/* What the server said before it ended. */
static void say_log(const char *path)
{
    struct buf text;
    buf_init(&text, 0);
    if (cli_read_file(path, 1u << 20, &text) == 0) {
        fwrite(text.data, 1, text.size, stderr);
    }
    buf_fini(&text);
}

int bench_server_start(const struct bench_run *run, struct bench_server *server)
{
    int ends[2];
    char data[600];
    char log[600];
    memset(server, 0, sizeof *server);
    snprintf(data, sizeof data, "%s/data", run->folder);
    snprintf(log, sizeof log, "%s/server.log", run->folder);
    /* Nobody's earlier writes shall be in the way of this server's syncs. */
    bench_remove(data);
    sync();
    if (pipe(ends) != 0) {
        return ERR_NO_MEMORY;
    }
    server->pid = fork();
    if (server->pid == 0) {
        close(ends[0]);
        run_server(data, log, run->store, ends[1]);
    }
    close(ends[1]);
    bool ready = server->pid > 0 && read_ready(ends[0], &server->connection);
    close(ends[0]);
    int err = ready ? read_credentials(data, server) : ERR_NETWORK;
    if (err == 0 && !bench_address(server->connection.server, &server->address)) {
        err = ERR_NETWORK;
    }
    if (err != 0) {
        cli_say("bench: the server did not start");
        say_log(log);
        bench_server_stop(server);
    }
    return err;
}

void bench_server_stop(struct bench_server *server)
{
    struct timespec pause = {.tv_nsec = 50000000};
    if (server->pid <= 0) {
        return;
    }
    kill(server->pid, SIGTERM);
    for (int i = 0; waitpid(server->pid, NULL, WNOHANG) == 0; i++) {
        if (i == STOP_SECONDS * 20) {
            cli_say("bench: the server did not stop in %d s; it is killed", STOP_SECONDS);
            kill(server->pid, SIGKILL);
        }
        nanosleep(&pause, NULL);
    }
    server->pid = 0;
}

static const char *path_of(enum bench_shape shape)
{
    return shape == BENCH_CYREXA ? "/customer/1.0.0/createBulk" : "/customers/batch";
}

/* What every bulk request says, up to the headers about its body. */
static size_t head_begin(const struct bench_server *server, enum bench_shape shape, const char *query, char *head,
                         size_t size)
{
    const struct connection *connection = &server->connection;
    bool cyrexa = shape == BENCH_CYREXA;
    int written =
        snprintf(head, size, "POST %s%s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n%s%s%s%s%s",
                 path_of(shape), query, connection->token, cyrexa ? "tenantId: " : "", cyrexa ? connection->tenant : "",
                 cyrexa ? "\r\ntoken: " : "", cyrexa ? connection->tenant_token : "", cyrexa ? "\r\n" : "");
    return written < 0 || (size_t)written >= size ? 0 : (size_t)written;
}

static size_t head_end(size_t size, size_t begun, int written)
{
    return begun == 0 || written < 0 || (size_t)written >= size - begun ? 0 : begun + (size_t)written;
}

size_t bench_head(const struct bench_server *server, enum bench_shape shape, size_t body_bytes, char *head, size_t size)
{
    size_t begun = head_begin(server, shape, "", head, size);
    int written = snprintf(head + begun, size - begun, "%sContent-Length: %zu\r\n\r\n", BENCH_FORM_HEADERS[BENCH_JSON],
                           body_bytes);
    return head_end(size, begun, written);
}

size_t bench_head_chunked(const struct bench_server *server, enum bench_shape shape, enum bench_form form, bool lenient,
                          char *head, size_t size)
{
    char query[sizeof server->connection.project + 64] = "";
    if (shape == BENCH_NEXERA && (form == BENCH_NDJSON || form == BENCH_CSV)) {
        /* What stands around the customers in JSON. */
        snprintf(query, sizeof query, "?customerType=Individual&cmsProjectId=%s", server->connection.project);
    }
    size_t begun = head_begin(server, shape, query, head, size);
    int written = snprintf(head + begun, size - begun, "%s%sTransfer-Encoding: chunked\r\n\r\n",
                           BENCH_FORM_HEADERS[form], lenient ? "Prefer: handling=lenient\r\n" : "");
    return head_end(size, begun, written);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

void bench_remove(const char *folder)
{
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
