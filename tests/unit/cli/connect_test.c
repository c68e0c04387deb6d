/* Where a connection comes from: flag over environment over file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "cli/connect.h"

static char folder[64];

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    static const char *const names[] = {"SERVER",  "TOKEN",        "TENANT",     "TENANT_TOKEN",
                                        "PROJECT", "OPERATOR_KEY", "CREDENTIALS"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "MUSTER_%s", names[i]);
        unsetenv(name);
    }
    snprintf(folder, sizeof folder, "/tmp/muster-connect-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"demo.json", "other.json", "operator.key"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void nothing_gives_the_defaults(void **state)
{
    (void)state;
    struct connection_flags flags = {.data = folder};
    struct connection connection;
    assert_int_equal(connection_load(&flags, &connection), 0);
    assert_string_equal(connection.server, "http://127.0.0.1:8484");
    assert_string_equal(connection.token, "");
    assert_string_equal(connection.operator_key, "");
}

static void the_stronger_source_wins(void **state)
{
    (void)state;
    struct connection_flags flags = {.data = folder};
    struct connection connection;
    write_file("demo.json", "{\"url\":\"http://a:1/\",\"apiKey\":\"mk_a\",\"accessToken\":\"jwt\",\"tenantId\":\"t\","
                            "\"tenantToken\":\"mt_a\",\"cmsProjectId\":\"p\",\"operatorKey\":\"mo_demo\"}");
    write_file("operator.key", "mo_file\n");
    assert_int_equal(connection_load(&flags, &connection), 0);
    assert_string_equal(connection.server, "http://a:1");
    assert_string_equal(connection.token, "mk_a");
    assert_string_equal(connection.tenant, "t");
    assert_string_equal(connection.tenant_token, "mt_a");
    assert_string_equal(connection.project, "p");
    assert_string_equal(connection.operator_key, "mo_file");
    setenv("MUSTER_TOKEN", "mk_environment", 1);
    setenv("MUSTER_SERVER", "https://b", 1);
    assert_int_equal(connection_load(&flags, &connection), 0);
    assert_string_equal(connection.token, "mk_environment");
    assert_string_equal(connection.server, "https://b");
    flags.server = "http://c:3//";
    assert_int_equal(connection_load(&flags, &connection), 0);
    assert_string_equal(connection.server, "http://c:3");
}

static void bad_sources_are_refused(void **state)
{
    (void)state;
    char path[128];
    struct connection connection;
    snprintf(path, sizeof path, "%s/other.json", folder);
    struct connection_flags flags = {.data = folder, .credentials = path};
    assert_int_equal(connection_load(&flags, &connection), ERR_NOT_FOUND);
    write_file("other.json", "{\"apiKey\":");
    assert_int_equal(connection_load(&flags, &connection), ERR_MALFORMED_JSON);
    write_file("other.json", "{\"tenantId\":\"ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt\"}");
    assert_int_equal(connection_load(&flags, &connection), ERR_CONFIG);
    write_file("other.json", "{\"url\":\"file:///etc\"}");
    assert_int_equal(connection_load(&flags, &connection), ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_gives_the_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_stronger_source_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_sources_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
