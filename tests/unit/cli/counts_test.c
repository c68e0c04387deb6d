/* An import as the server tells of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "cli/counts.h"

static const struct {
    const char *json;
    bool found;
    const char *import;
    const char *state;
    uint64_t decided, kept, refused;
} ROWS[] = {
    {"{\"id\":\"i\",\"state\":\"open\",\"counts\":{\"received\":9,\"created\":3,\"existing\":2,\"updated\":1,"
     "\"skipped\":1,\"refused\":2,\"faults\":5}}",
     true, "i", "open", 9, 7, 2},
    {"{\"created\":4,\"faults\":1}", true, "", "", 0, 4, 1},
    {"{\"counts\":{\"received\":1,\"created\":-4,\"faults\":{}}}", true, "", "", 1, 0, 0},
    {"{\"id\":\"i\"}", false, "i", "", 0, 0, 0},
    {"{\"counts\":7,\"received\":\"x\"}", true, "", "", 0, 0, 0},
    {"{\"state\":\"open\",\"counts\":{\"received\":1},\"progress\":{\"received\":9,\"decided\":7,\"created\":6}}", true,
     "", "open", 7, 6, 0},
    {"[1]", false, "", "", 0, 0, 0},
    {"", false, "", "", 0, 0, 0},
    {"{\"received\":1", false, "", "", 0, 0, 0},
    {"{\"received\":1,\"state\":\"a-state-that-is-too-long\"}", true, "", "", 1, 0, 0},
};

static void members_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct counts counts;
        assert_int_equal(counts_parse(slice_from_text(ROWS[i].json), &counts), ROWS[i].found);
        assert_string_equal(counts.import, ROWS[i].import);
        assert_string_equal(counts.state, ROWS[i].state);
        assert_int_equal(counts.decided, ROWS[i].decided);
        assert_int_equal(counts.kept, ROWS[i].kept);
        assert_int_equal(counts.refused, ROWS[i].refused);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(members_are_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
