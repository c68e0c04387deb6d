/*
 * Runs a program for what it prints. The difficulty is a program that does not end: it gets a process group of its own,
 * which is killed whole when the time is over, and what a child of it still holds open is not waited for longer.
 *
 * No shell: the line is cut at blanks, and the first word is a path. The program gets no input, no signal that is
 * blocked or ignored here, and no descriptor but its outputs. What it prints may be a key: it is never logged.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/daemon_priv.h"

#define WORDS_MAX  32
#define LINE_BYTES 600
#define SAID_BYTES 400 /* of what the program says on stderr */
#define POLL_MS    10

struct command {
    char line[LINE_BYTES];
    char *words[WORDS_MAX + 1];
    pid_t pid;
    int64_t deadline_ns;
    int out; /* reading ends; -1: closed */
    int err;
    struct command_output *output;
    bool too_much;
    char said[SAID_BYTES];
    size_t said_size;
    struct buf *why;
};

static int cut(struct command *command, const char *line)
{
    size_t count = 0;
    char *rest = NULL;
    int size = snprintf(command->line, sizeof command->line, "%s", line);
    char *word = strtok_r(command->line, " \t", &rest);
    while (word != NULL && count < WORDS_MAX) {
        command->words[count++] = word;
        word = strtok_r(NULL, " \t", &rest);
    }
    if (size < 0 || (size_t)size >= sizeof command->line || word != NULL || count == 0 || command->words[0][0] != '/') {
        buf_printf(command->why, "a command is the path of a program from /, and up to %d words for it", WORDS_MAX - 1);
        return ERR_CONFIG;
    }
    return 0;
}

/* ---- starting ---- */

static int spawn_with(struct command *command, int out, int err)
{
    sigset_t none, all;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawnattr_init(&attributes) != 0) {
        return ENOMEM;
    }
    if (posix_spawn_file_actions_init(&actions) != 0) {
        posix_spawnattr_destroy(&attributes);
        return ENOMEM;
    }
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    failed = failed == 0 ? posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) : failed;
    failed = failed == 0 ? posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO) : failed;
    failed = failed == 0 ? posix_spawn(&command->pid, command->words[0], &actions, &attributes, command->words, environ)
                         : failed;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

static void close_end(int *end)
{
    if (*end >= 0) {
        close(*end);
        *end = -1;
    }
}

static int start(struct command *command)
{
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    int failed = pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ? errno : 0;
    failed = failed == 0 ? spawn_with(command, out[1], err[1]) : failed;
    close_end(&out[1]);
    close_end(&err[1]);
    command->out = out[0];
    command->err = err[0];
    if (failed != 0) {
        buf_printf(command->why, "%s can't be run: %s", command->words[0], strerror(failed));
        return ERR_KEY;
    }
    return 0;
}

/* ---- listening ---- */

static int left_ms(const struct command *command)
{
    int64_t left = (command->deadline_ns - clock_monotonic_ns()) / 1000000;
    return left > 0 ? (int)left : 0;
}

/* What does not fit is read all the same, so that the program can end. */
static bool take(int end, char *to, size_t room, size_t *size, bool *too_much)
{
    char piece[512];
    ssize_t got = read(end, piece, sizeof piece);
    if (got > 0) {
        size_t fits = (size_t)got <= room - *size ? (size_t)got : room - *size;
        memcpy(to + *size, piece, fits);
        *size += fits;
        *too_much = *too_much || fits < (size_t)got;
    }
    crypto_wipe(piece, sizeof piece);
    return got > 0 || (got < 0 && errno == EINTR);
}

/* Until both outputs are closed. False: the time is over. */
static bool listen_to(struct command *command)
{
    bool unheard = false;
    while (command->out >= 0 || command->err >= 0) {
        struct pollfd ends[] = {{.fd = command->out, .events = POLLIN}, {.fd = command->err, .events = POLLIN}};
        int left = left_ms(command);
        if (left == 0) {
            return false;
        }
        if (poll(ends, 2, left) <= 0) {
            continue;
        }
        struct command_output *output = command->output;
        if (ends[0].revents != 0 &&
            !take(command->out, output->bytes, sizeof output->bytes, &output->size, &command->too_much)) {
            close_end(&command->out);
        }
        if (ends[1].revents != 0 &&
            !take(command->err, command->said, sizeof command->said, &command->said_size, &unheard)) {
            close_end(&command->err);
        }
    }
    return true;
}

/* ---- ending ---- */

/* False: the time is over. */
static bool wait_for(const struct command *command, int *status)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    for (;;) {
        pid_t ended = waitpid(command->pid, status, WNOHANG);
        if (ended == command->pid) {
            return true;
        }
        if (left_ms(command) == 0) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
}

static void say_said(struct command *command)
{
    for (size_t i = 0; i < command->said_size; i++) {
        unsigned char c = (unsigned char)command->said[i];
        command->said[i] = c < ' ' || c == 0x7f ? ' ' : (char)c;
    }
    while (command->said_size > 0 && command->said[command->said_size - 1] == ' ') {
        command->said_size--;
    }
    if (command->said_size > 0) {
        buf_printf(command->why, ": %.*s", (int)command->said_size, command->said);
    }
}

static int end(struct command *command, unsigned seconds)
{
    int status = 0;
    const char *path = command->words[0];
    if (!listen_to(command) || !wait_for(command, &status)) {
        kill(-command->pid, SIGKILL);
        (void)waitpid(command->pid, &status, 0);
        buf_printf(command->why, "%s has not ended within %u s", path, seconds);
    } else if (WIFSIGNALED(status)) {
        buf_printf(command->why, "%s was ended by signal %d", path, WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) {
        buf_printf(command->why, "%s ended with status %d", path, WEXITSTATUS(status));
    } else if (command->too_much) {
        buf_printf(command->why, "%s printed more than %zu bytes", path, sizeof command->output->bytes);
    } else {
        return 0;
    }
    say_said(command);
    return ERR_KEY;
}

int command_run(const char *line, unsigned seconds, struct command_output *output, struct buf *why)
{
    struct command command = {.out = -1, .err = -1, .output = output, .why = why};
    output->size = 0;
    command.deadline_ns = clock_monotonic_ns() + (int64_t)seconds * 1000000000;
    int err = cut(&command, line);
    if (err == 0) {
        err = start(&command);
        err = err == 0 ? end(&command, seconds) : err;
    }
    close_end(&command.out);
    close_end(&command.err);
    if (err != 0) {
        crypto_wipe(output, sizeof *output);
    }
    return err;
}
