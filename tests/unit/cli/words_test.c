/* A name's place in a table. */
#include "cli/cli.h"

#include "../test.h"

static const struct {
    const char *name;
    int other;
} rows[] = {{"list", 1}, {"show", 2}, {"undo", 3}};

static int find(const char *word)
{
    return cli_find_name("verb", word, rows, sizeof rows[0], COUNT_OF(rows));
}

static void find_name(void **state)
{
    (void)state;
    static const char *const names[] = {"cyrexa", "nexera"};
    assert_int_equal(find("list"), 0);
    assert_int_equal(find("undo"), 2);
    assert_int_equal(find("sho"), -1);
    assert_int_equal(find("showy"), -1);
    assert_int_equal(find(""), -1);
    assert_int_equal(cli_find_name("shape", "nexera", names, sizeof names[0], COUNT_OF(names)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(find_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
