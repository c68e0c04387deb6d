/*
 * One contract for every store: each row of the tables runs over each kind that it names, on a fresh
 * store, and ends with a verify that must find no problem. A row's name says which guarantee of
 * store.h it is about.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct test {
    const struct row *row;
    enum kind kind;
    struct fixture fixture;
};

static const struct row *const tables[] = {
    visibility_rows, unique_rows, import_rows,  outcome_rows, request_rows, reading_rows, secret_rows, ended_rows,
    update_rows,     upkeep_rows, durable_rows, race_rows,    run_rows,     ahead_rows,   node_rows,   blind_rows};

static int set_up(void **state)
{
    struct test *test = *state;
    fixture_open(&test->fixture, test->kind);
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    fixture_close(&test->fixture);
    return 0;
}

static void run(void **state)
{
    struct test *test = *state;
    test->row->run(&test->fixture);
    if (test->fixture.store != NULL) {
        (void)fixture_verify(&test->fixture);
    }
}

static struct CMUnitTest make_test(const struct row *row, enum kind kind)
{
    char name[160];
    struct test *test = calloc(1, sizeof *test);
    if (test == NULL) {
        abort();
    }
    test->row = row;
    test->kind = kind;
    (void)snprintf(name, sizeof name, "%s: %s",
                   kind == KIND_MEMORY  ? "memory"
                   : kind == KIND_ROCKS ? "rocks"
                                        : "postgres",
                   row->name);
    return (struct CMUnitTest){.name = strdup(name),
                               .test_func = run,
                               .setup_func = set_up,
                               .teardown_func = tear_down,
                               .initial_state = test};
}

static size_t add_tests(struct CMUnitTest *tests, size_t count, const struct row *table)
{
    static const enum kind kinds[] = {KIND_MEMORY, KIND_ROCKS, KIND_POSTGRES};
    const char *postgres = getenv(FIXTURE_POSTGRES);
    for (const struct row *row = table; row->name != NULL; row++) {
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            if ((row->kinds & kinds[i]) != 0 && (kinds[i] != KIND_POSTGRES || postgres != NULL)) {
                tests[count++] = make_test(row, kinds[i]);
            }
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[512];
    size_t count = 0;
    if (crypto_init() != 0) {
        return 1;
    }
    if (argc == 4 && strcmp(argv[1], "--child") == 0) {
        return child_run(argv[2], argv[3]);
    }
    log_set_level(LOG_ERROR);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        count = add_tests(tests, count, tables[i]);
    }
    if (argc == 2) {
        cmocka_set_test_filter(argv[1]);
    }
    int failed = _cmocka_run_group_tests("store", tests, count, NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        free(tests[i].initial_state);
        free((void *)(uintptr_t)tests[i].name);
    }
    return failed;
}
