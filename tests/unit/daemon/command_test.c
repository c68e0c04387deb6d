/* Programs that print, fail, say why, hang, and leave children behind. */
#include "scratch.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/daemon_priv.h"

#define SECONDS 20

static const char program[] = "/tmp/muster-command-XXXXXX";

/* What the rows run: a shell script, so that they are readable; command_run itself has no shell. */
static const struct {
    const char *script;
    const char *words;
    const char *printed; /* NULL: fails */
    const char *why;
} rows[] = {
    {"printf 'a  b'", "", "a  b", NULL},
    {"printf '%s|' \"$@\"", " one  two\t'three four' $HOME", "one|two|'three|four'|$HOME|", NULL},
    {"cat", "", "", NULL}, /* no input */
    {"echo told >&2; printf out", "", "out", NULL},
    {"printf secret; echo why it failed >&2; exit 3", "", NULL, "ended with status 3: why it failed"},
    {"printf 'two\\nlines\\033[2J\\n' >&2; exit 1", "", NULL, "status 1: two lines [2J"},
    {"exit 1", "", NULL, "ended with status 1"},
    {"kill -9 $$", "", NULL, "ended by signal 9"},
    {"head -c 257 /dev/zero", "", NULL, "more than 256 bytes"},
    {"head -c 300000 /dev/zero >&2; printf fine", "", "fine", NULL},
    {"kill -s TERM $$; printf alive", "", NULL, "ended by signal 15"}, /* blocked here, not there */
    {"kill -s PIPE $$; printf alive", "", NULL, "ended by signal 13"}, /* ignored here */
};

static void write_script(char *path, const char *script)
{
    memcpy(path, program, sizeof program);
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    assert_int_equal(fchmod(fd, 0700), 0);
    assert_int_equal(fclose(file), 0);
}

static bool has(const struct buf *why, const char *text)
{
    return why->size > 0 && memmem(why->data, why->size, text, strlen(text)) != NULL;
}

static int run(const char *script, const char *words, unsigned seconds, struct command_output *output, struct buf *why)
{
    char path[sizeof program];
    char line[256];
    write_script(path, script);
    snprintf(line, sizeof line, "%s%s", path, words);
    int err = command_run(line, seconds, output, why);
    assert_int_equal(unlink(path), 0);
    return err;
}

static void outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct command_output output;
        struct buf why;
        buf_init(&why, 0);
        int err = run(rows[i].script, rows[i].words, SECONDS, &output, &why);
        if (rows[i].printed != NULL) {
            assert_int_equal(err, 0);
            assert_int_equal(output.size, strlen(rows[i].printed));
            assert_memory_equal(output.bytes, rows[i].printed, output.size);
            assert_int_equal(why.size, 0);
        } else {
            static const char nothing[sizeof output.bytes];
            assert_int_equal(err, ERR_KEY);
            assert_true(has(&why, rows[i].why));
            assert_false(has(&why, "secret"));
            assert_memory_equal(output.bytes, nothing, sizeof nothing);
        }
        buf_fini(&why);
    }
}

/* Nobody may be there to take it away, so a dead one counts as gone. */
static bool is_gone(int pid)
{
    char path[32];
    char state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
        fclose(file);
    }
    return state == 'Z' || state == 'X';
}

static void expect_gone(const char *pid_file)
{
    char text[16] = "";
    FILE *file = fopen(pid_file, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    int pid = (int)strtol(text, NULL, 10);
    assert_true(pid > 0);
    for (int wait = 0; wait < 1000 && !is_gone(pid); wait++) {
        usleep(10000);
    }
    assert_true(is_gone(pid));
}

/* It and what it started are gone when the time is over, also when it has closed its outputs. */
static void hangs(void **state)
{
    (void)state;
    static const char *const scripts[] = {"sleep 600 & echo $! >$1; wait", "sleep 600 & echo $! >$1; printf key",
                                          "sleep 600 >&- 2>&- & echo $! >$1; exec >&- 2>&-; wait"};
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        char words[sizeof program + 1], pid_file[sizeof program];
        struct command_output output;
        struct buf why;
        buf_init(&why, 0);
        memcpy(pid_file, program, sizeof program);
        close(mkstemp(pid_file));
        snprintf(words, sizeof words, " %s", pid_file);
        assert_int_equal(run(scripts[i], words, 1, &output, &why), ERR_KEY);
        assert_true(has(&why, "has not ended within 1 s"));
        expect_gone(pid_file);
        unlink(pid_file);
        buf_fini(&why);
    }
}

static void lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int error;
        const char *why;
    } bad[] = {
        {"", ERR_CONFIG, "path of a program"},
        {"  ", ERR_CONFIG, "path of a program"},
        {"true", ERR_CONFIG, "path of a program"},
        {"./true", ERR_CONFIG, "path of a program"},
        {"/bin/true 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2", ERR_CONFIG, "up to 31 words"},
        {"/nowhere/at/all", ERR_KEY, "/nowhere/at/all can't be run: No such file"},
        {"/tmp", ERR_KEY, "can't be run"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct command_output output;
        struct buf why;
        buf_init(&why, 0);
        assert_int_equal(command_run(bad[i].line, SECONDS, &output, &why), bad[i].error);
        assert_true(has(&why, bad[i].why));
        buf_fini(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(outcomes), cmocka_unit_test(hangs), cmocka_unit_test(lines)};
    /* As in the server. */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
