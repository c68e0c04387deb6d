/* Arguments taken apart: flags, words, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "cli/cli.h"

static const struct {
    const char *arguments[6];
    enum cli_parsed parsed;
    const char *text;
    uint64_t number;
    bool on;
    size_t words;
} ROWS[] = {
    {{"get"}, CLI_PARSED, NULL, 0, false, 0},
    {{"get", "a", "--text", "b", "c"}, CLI_PARSED, "b", 0, false, 2},
    {{"get", "--text=", "--on"}, CLI_PARSED, "", 0, true, 0},
    {{"get", "--text=--on", "-"}, CLI_PARSED, "--on", 0, false, 1},
    {{"get", "--number", "12", "--", "--on"}, CLI_PARSED, NULL, 12, false, 1},
    {{"get", "--number", "12a"}, CLI_WRONG, NULL, 0, false, 0},
    {{"get", "--number", "-1"}, CLI_WRONG, NULL, 0, false, 0},
    {{"get", "--text"}, CLI_WRONG, NULL, 0, false, 0},
    {{"get", "--on=yes"}, CLI_WRONG, NULL, 0, false, 0},
    {{"get", "--txet", "b"}, CLI_WRONG, NULL, 0, false, 0},
    {{"get", "-t"}, CLI_WRONG, NULL, 0, false, 0},
    {{"get", "-o", "f"}, CLI_WRONG, NULL, 0, false, 0},
    {{"get", "--on", "--help"}, CLI_HELPED, NULL, 0, true, 0},
};

static void arguments_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const char *text = NULL;
        uint64_t number = 0;
        bool on = false;
        const struct cli_flag flags[] = {
            {"text", CLI_TEXT, &text, "TEXT", "A text."},
            {"number", CLI_NUMBER, &number, "N", "A number."},
            {"on", CLI_SWITCH, &on, NULL, "A switch."},
        };
        char copies[6][16];
        char *argv[7];
        int argc = 0;
        for (; argc < 6 && ROWS[i].arguments[argc] != NULL; argc++) {
            snprintf(copies[argc], sizeof copies[argc], "%s", ROWS[i].arguments[argc]);
            argv[argc] = copies[argc];
        }
        argv[argc] = NULL;
        struct cli_words words;
        assert_int_equal(cli_parse(argc, argv, flags, 3, &words), ROWS[i].parsed);
        if (ROWS[i].parsed == CLI_PARSED) {
            assert_int_equal(words.count, ROWS[i].words);
            assert_int_equal(number, ROWS[i].number);
            assert_string_equal(text == NULL ? "none" : text, ROWS[i].text == NULL ? "none" : ROWS[i].text);
        }
        assert_int_equal(on, ROWS[i].on);
    }
}

static void too_many_words_are_refused(void **state)
{
    (void)state;
    char name[] = "get";
    char word[] = "w";
    char *argv[CLI_WORDS_MAX + 3] = {name};
    for (int i = 1; i <= CLI_WORDS_MAX + 1; i++) {
        argv[i] = word;
    }
    struct cli_words words;
    assert_int_equal(cli_parse(CLI_WORDS_MAX + 1, argv, NULL, 0, &words), CLI_PARSED);
    assert_int_equal(cli_parse(CLI_WORDS_MAX + 2, argv, NULL, 0, &words), CLI_WRONG);
}

static void a_list_gathers_its_values(void **state)
{
    (void)state;
    struct cli_list list = {.count = 0};
    const char *output = NULL;
    const struct cli_flag flags[] = {{"set", CLI_LIST, &list, "X", "Several."},
                                     {"output", CLI_TEXT, &output, "FILE", "A file."}};
    char name[] = "get";
    char set[] = "--set=a=b";
    char letter[] = "-o";
    char file[] = "-";
    char *argv[CLI_LIST_MAX + 5] = {name, set, letter, file, set};
    struct cli_words words;
    assert_int_equal(cli_parse(5, argv, flags, 2, &words), CLI_PARSED);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.at[1], "a=b");
    assert_string_equal(output, "-");
    for (int i = 1; i <= CLI_LIST_MAX + 1; i++) {
        argv[i] = set;
    }
    list.count = 0;
    assert_int_equal(cli_parse(CLI_LIST_MAX + 1, argv, flags, 2, &words), CLI_PARSED);
    list.count = 0;
    assert_int_equal(cli_parse(CLI_LIST_MAX + 2, argv, flags, 2, &words), CLI_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_taken_apart),
        cmocka_unit_test(too_many_words_are_refused),
        cmocka_unit_test(a_list_gathers_its_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
