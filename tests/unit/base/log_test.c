/* A log line is one JSON object with its subject, cut but still closed when it is too long. */
#include "base/log.h"

#include <stdio.h>
#include <unistd.h>

#include "../test.h"

static char captured[8192];

/* Runs `write_lines` with stderr in a pipe. */
static size_t capture(void (*write_lines)(void))
{
    int ends[2];
    int saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    write_lines();
    dup2(saved, STDERR_FILENO);
    close(ends[1]);
    ssize_t size = read(ends[0], captured, sizeof captured - 1);
    close(ends[0]);
    close(saved);
    captured[size < 0 ? 0 : size] = '\0';
    return size < 0 ? 0 : (size_t)size;
}

static void write_subject(void)
{
    struct log_subject subject = {.request = "r1", .tenant = "demo", .import = ""};
    log_info(&subject, "request", "\"status\":%d", 200);
    log_debug(&subject, "hidden", NULL);
}

static void write_long(void)
{
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    log_error(NULL, "long", "\"text\":\"%s\"", text);
}

static void line_has_its_subject(void **state)
{
    (void)state;
    capture(write_subject);
    assert_non_null(strstr(
        captured, "\"level\":\"info\",\"event\":\"request\",\"request\":\"r1\",\"tenant\":\"demo\",\"status\":200}\n"));
    assert_null(strstr(captured, "import"));
    assert_null(strstr(captured, "hidden"));
    assert_memory_equal(captured, "{\"time\":\"", 9);
}

static void long_line_is_cut_and_closed(void **state)
{
    (void)state;
    size_t size = capture(write_long);
    assert_true(size > 1000 && size <= 2048);
    assert_memory_equal(captured + size - 2, "}\n", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(line_has_its_subject),
                                       cmocka_unit_test(long_line_is_cut_and_closed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
