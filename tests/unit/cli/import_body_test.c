/* The body of an import: looked into, sent, and sent again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/import_body.h"

#define LONG_BYTES (3u << 20)

static char path[64];

/* "[[]]" as `gzip -n` and `zstd` pack it. */
static const char GZIP[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x8b\x8e\x8e\x8d\x05\x00\xbe\x98\x6e\x47\x04\x00\x00\x00";
static const char ZSTD[] = "\x28\xb5\x2f\xfd\x04\x58\x21\x00\x00\x5b\x5b\x5d\x5d\x0c\xf0\x0c\xc8";

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/muster-body-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void read_whole(struct import_body *body, struct slice expected)
{
    char piece[70000];
    for (ssize_t got; (got = import_body_read(body, piece, sizeof piece)) != 0;) {
        assert_true(got > 0 && (size_t)got <= expected.size);
        assert_memory_equal(piece, expected.data, (size_t)got);
        expected = slice_from(expected, (size_t)got);
    }
    assert_int_equal(expected.size, 0);
}

static void a_file_is_sent_as_often_as_needed(void **state)
{
    (void)state;
    struct import_body body;
    char *bytes = malloc(LONG_BYTES);
    assert_non_null(bytes);
    for (size_t i = 0; i < LONG_BYTES; i++) {
        bytes[i] = (char)(i * 31 >> 3);
    }
    for (size_t size = 0; size <= LONG_BYTES; size += LONG_BYTES / 4) {
        write_file(bytes, size);
        assert_true(import_body_open(&body, path));
        assert_int_equal(body.size, size);
        for (int i = 0; i < 3; i++) {
            read_whole(&body, slice_make(bytes, size));
            assert_true(import_body_rewind(&body));
        }
        import_body_close(&body);
    }
    free(bytes);
}

/* Puts something at stdin's place; returns what was there. */
static int swap_stdin(int fd)
{
    int kept = dup(STDIN_FILENO);
    assert_true(kept >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    close(fd);
    return kept;
}

static void a_short_pipe_can_be_sent_again(void **state)
{
    (void)state;
    struct import_body body;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "[1]", 3), 3);
    close(ends[1]);
    int kept = swap_stdin(ends[0]);
    assert_true(import_body_open(&body, "-"));
    assert_int_equal(body.size, 3);
    for (int i = 0; i < 2; i++) {
        read_whole(&body, SLICE("[1]"));
        assert_true(import_body_can_rewind(&body) && import_body_rewind(&body));
    }
    import_body_close(&body);
    close(swap_stdin(kept));
}

static void what_a_pipe_lost_is_lost(void **state)
{
    (void)state;
    struct import_body body = {.fd = -1, .start = -1, .is_past = true};
    assert_false(import_body_can_rewind(&body));
    assert_false(import_body_rewind(&body));
}

static void stdin_that_is_a_file_begins_where_it_stands(void **state)
{
    (void)state;
    struct import_body body;
    write_file("head[1]", 7);
    int fd = open(path, O_RDONLY);
    assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
    int kept = swap_stdin(fd);
    assert_true(import_body_open(&body, "-"));
    assert_int_equal(body.size, 3);
    for (int i = 0; i < 2; i++) {
        read_whole(&body, SLICE("[1]"));
        assert_true(import_body_rewind(&body));
    }
    import_body_close(&body);
    close(swap_stdin(kept));
}

static void packed_ones_are_looked_into_and_sent_as_they_are(void **state)
{
    (void)state;
    static const struct {
        struct slice bytes;
        enum format_packing packing;
        const char *start;
    } rows[] = {
        {{GZIP, sizeof GZIP - 1}, FORMAT_GZIP, "[[]]"},
        {{ZSTD, sizeof ZSTD - 1}, FORMAT_ZSTD, "[[]]"},
        {{GZIP, 5}, FORMAT_GZIP, ""},
        {{"\x1f\x8b\x08garbage", 10}, FORMAT_GZIP, ""},
        {{"[[]]", 4}, FORMAT_PLAIN, "[[]]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct import_body body;
        write_file(rows[i].bytes.data, rows[i].bytes.size);
        assert_true(import_body_open(&body, path));
        assert_int_equal(body.packing, rows[i].packing);
        assert_true(slice_equal_text(import_body_start(&body), rows[i].start));
        read_whole(&body, rows[i].bytes);
        import_body_close(&body);
    }
}

static void what_is_not_there_is_told(void **state)
{
    (void)state;
    struct import_body body;
    assert_false(import_body_open(&body, "/nowhere/at/all"));
    import_body_close(&body);
    assert_false(import_body_open(&body, "/tmp"));
    import_body_close(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_sent_as_often_as_needed, set_up, tear_down),
        cmocka_unit_test(a_short_pipe_can_be_sent_again),
        cmocka_unit_test(what_a_pipe_lost_is_lost),
        cmocka_unit_test_setup_teardown(stdin_that_is_a_file_begins_where_it_stands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(packed_ones_are_looked_into_and_sent_as_they_are, set_up, tear_down),
        cmocka_unit_test(what_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
