/* Answers on their way to stdout, cut at every place, and answered once more after a break. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <stdlib.h>

#include "cli/ids.h"

static const struct {
    bool is_lines;
    const char *pointer;
    const char *answer;
    const char *printed;
    uint64_t kept, refused;
    const char *faults;
} ROWS[] = {
    {false, "", "[\"a\",null,\"c\"]", "a\n\nc\n", 2, 1, ""},
    {false, "/customerIds", "{\"tenantId\":\"t\",\"customerIds\":[{\"customerId\":\"a\"},{\"customerId\":\"b\"}]}",
     "a\nb\n", 2, 0, ""},
    {false, "/customers", "{\"customers\":[{\"id\":\"a\"},{\"idd\":\"b\"}]}", "a\n\n", 1, 1, ""},
    {true, "",
     "{\"index\":0,\"outcome\":\"created\",\"customerId\":\"a\"}\n\n{\"index\":1,\"outcome\":\"fault\","
     "\"errors\":[{\"pointer\":\"/x\",\"code\":\"type\",\"detail\":\"no\"}]}\r\n",
     "a\n\n", 1, 1, "  item 1 /x: type: no\n"},
    {true, "", "{\"index\":0,\"outcome\":\"conflict\",\"customerId\":\"other\"}\n{\"index\":1,\"outcome\":\"busy\"}\n",
     "\n\n", 0, 2, ""},
    {true, "", "{\"index\":0,\"outcome\":\"created\",\"customerId\":null}", "\n", 1, 0, ""},
    {true, "", "not JSON\n", "\n", 0, 1, ""},
};

static void check(size_t row, struct ids *ids)
{
    assert_int_equal(ids_counts(ids).kept, ROWS[row].kept);
    assert_int_equal(ids_counts(ids).refused, ROWS[row].refused);
    assert_true(slice_equal_text(ids_faults(ids), ROWS[row].faults));
    assert_true(slice_equal_text(ids_short_answer(ids), ROWS[row].answer));
}

/* The first answer breaks off at `cut`, the second one comes in two pieces. */
static void answer_twice(size_t row, size_t cut, enum ids_print print, const char *expected)
{
    struct slice answer = slice_from_text(ROWS[row].answer);
    struct slice pointer = slice_from_text(ROWS[row].pointer);
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    struct ids *ids = ids_new(print, out);
    assert_non_null(ids);
    assert_true(ids_begin(ids, ROWS[row].is_lines, pointer));
    assert_true(ids_take(ids, slice_make(answer.data, cut)));
    assert_true(ids_begin(ids, ROWS[row].is_lines, pointer));
    assert_true(ids_take(ids, slice_make(answer.data, answer.size - cut)));
    assert_true(ids_take(ids, slice_from(answer, answer.size - cut)));
    ids_end(ids);
    check(row, ids);
    ids_free(&ids);
    fclose(out);
    assert_true(slice_equal_text(slice_make(printed, strlen(expected)), expected));
    assert_in_range(size, strlen(expected), strlen(expected) + (print == IDS_RAW ? 1 : 0));
    free(printed);
}

static void every_id_is_printed_once(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof ROWS / sizeof ROWS[0]; row++) {
        for (size_t cut = 0; cut <= strlen(ROWS[row].answer); cut++) {
            answer_twice(row, cut, IDS_LINES, ROWS[row].printed);
            answer_twice(row, cut, IDS_RAW, ROWS[row].answer);
            answer_twice(row, cut, IDS_NONE, "");
        }
    }
}

static void what_is_not_announced_is_refused(void **state)
{
    (void)state;
    static const char answer[] = "[1}";
    struct ids *ids = ids_new(IDS_LINES, stdout);
    assert_true(ids_begin(ids, false, SLICE("/customerIds")));
    assert_false(ids_take(ids, slice_from_text(answer)));
    assert_false(ids_take(ids, slice_from_text(answer)));
    ids_free(&ids);
    ids = ids_new(IDS_NONE, stdout);
    assert_true(ids_begin(ids, false, SLICE("/customerIds")));
    assert_true(ids_take(ids, slice_from_text(answer)));
    assert_true(ids_take(ids, slice_from_text(answer)));
    ids_free(&ids);
    assert_null(ids);
}

static void a_long_answer_is_not_held(void **state)
{
    (void)state;
    struct ids *ids = ids_new(IDS_NONE, stdout);
    char piece[4096];
    memset(piece, ' ', sizeof piece);
    assert_true(ids_begin(ids, true, SLICE_NONE));
    for (int i = 0; i < 20; i++) {
        memcpy(piece + sizeof piece - 6, "\"abc\"\n", 6);
        piece[sizeof piece - 1] = '\n';
        assert_true(ids_take(ids, slice_make(piece, sizeof piece)));
    }
    assert_int_equal(ids_short_answer(ids).size, 0);
    assert_int_equal(ids_counts(ids).kept, 20);
    ids_free(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_id_is_printed_once),
        cmocka_unit_test(what_is_not_announced_is_refused),
        cmocka_unit_test(a_long_answer_is_not_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
