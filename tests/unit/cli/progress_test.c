/* The line of progress: what it says, and what it does not claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "cli/progress.h"

#define S 1000000000ll

static const struct {
    struct progress progress;
    int64_t now_ns;
    const char *line;
} ROWS[] = {
    {{.size = 10000000, .sent = 0}, 0, "0%  "},
    {{.size = 10000000, .sent = 2500000}, 5 * S, "25%  2.5 MB  0.5 MB/s  15 s left"},
    {{.size = 10000000, .sent = 2500000, .is_terminal = true},
     5 * S,
     "[######------------------]  25%  2.5 MB  0.5 MB/s  15 s left"},
    {{.size = 100000000, .sent = 1000000}, S, "1%  1.0 MB  1.0 MB/s  1:39 min left"},
    {{.size = 10000000000, .sent = 1000000}, S, "0%  1.0 MB  1.0 MB/s  2:46 h left"},
    {{.size = -1, .sent = 1000000}, S, "1.0 MB  1.0 MB/s"},
    {{.size = 1000000, .sent = 1000000}, S, "99%  1.0 MB sent, waiting for the answer"},
    {{.size = 10000000, .sent = 2500000, .counts = {.decided = 100, .refused = 2}, .first_ns = S, .counted_ns = S},
     5 * S,
     "25%  100 customers  (2 refused)  2.5 MB  0.5 MB/s  15 s left"},
    {{.size = -1, .counts = {.kept = 900, .refused = 100}, .first_ns = S, .first_taken = 500, .counted_ns = 3 * S},
     5 * S,
     "1000 customers  (100 refused)  250/s  "},
    {{.size = -1}, S, ""},
};

static void lines_say_what_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct buf line;
        buf_init(&line, 0);
        progress_print(&ROWS[i].progress, ROWS[i].now_ns, &line);
        buf_append_byte(&line, 0);
        assert_string_equal(line.data, ROWS[i].line);
        buf_fini(&line);
    }
}

static void the_server_s_answers_are_taken(void **state)
{
    (void)state;
    struct progress progress = {.size = -1};
    assert_int_equal(progress_take(&progress, 404, SLICE("{}")), -1);
    assert_int_equal(progress_take(&progress, 400, SLICE_NONE), -1);
    assert_true(progress_take(&progress, 0, SLICE_NONE) > 0);
    assert_true(progress_take(&progress, 503, SLICE_NONE) > 0);
    assert_true(progress_take(&progress, 200, SLICE("{\"imports\":[]}")) > 0);
    assert_int_equal(progress.first_ns, 0);
    struct slice two = SLICE("{\"imports\":[{\"counts\":{\"received\":1}},{\"counts\":{\"received\":2}}]}");
    assert_true(progress_take(&progress, 200, two) > 0);
    assert_int_equal(progress.first_ns, 0);
    assert_true(progress_take(&progress, 200, SLICE("{\"imports\":[{\"id\":\"i\",\"counts\":{\"received\":5}}]}")) > 0);
    assert_true(progress.first_ns != 0);
    assert_int_equal(progress.first_taken, 5);
    assert_string_equal(progress.counts.import, "i");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_say_what_is_known),
        cmocka_unit_test(the_server_s_answers_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
