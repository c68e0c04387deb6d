/* Parameters: each type and its bounds, names and the nearest one, and where in a file an error is. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/daemon.h"

/* The value of the parameter that a row has set, as text. */
static void value_of(const struct daemon_config *config, const char *name, char *text, size_t size)
{
    if (strcmp(name, "listen") == 0) {
        snprintf(text, size, "%s", config->listen);
    } else if (strcmp(name, "demo") == 0) {
        snprintf(text, size, "%s", config->demo ? "true" : "false");
    } else {
        snprintf(text, size, "%llu", (unsigned long long)config->connections);
    }
}

static void values(void **state)
{
    (void)state;
    static char longest[512], too_long[513];
    memset(longest, 'a', sizeof longest - 1);
    memset(too_long, 'a', sizeof too_long - 1);
    const struct {
        const char *name, *value;
        int error;
        const char *text; /* what the member holds then, or what the reason names */
    } rows[] = {
        {"listen", "[::1]:80", 0, "[::1]:80"},
        {"LISTEN", "", 0, ""},
        {"listen", longest, 0, longest},
        {"listen", too_long, ERR_CONFIG, "512"},
        {"connections", "1", 0, "1"},
        {"Connections", "65536", 0, "65536"},
        {"connections", "0", ERR_CONFIG, "from 1 to 65536"},
        {"connections", "65537", ERR_CONFIG, "from 1 to 65536"},
        {"connections", "18446744073709551617", ERR_CONFIG, "whole number"},
        {"connections", "-1", ERR_CONFIG, "whole number"},
        {"connections", "1 ", ERR_CONFIG, "whole number"},
        {"connections", "", ERR_CONFIG, "whole number"},
        {"demo", "true", 0, "true"},
        {"demo", "on", 0, "true"},
        {"demo", "", 0, "true"},
        {"demo", "0", 0, "false"},
        {"demo", "no", 0, "false"},
        {"demo", "maybe", ERR_CONFIG, "true or false"},
        {"conections", "5", ERR_CONFIG, "did you mean \"connections\"?"},
        {"http-thread", "5", ERR_CONFIG, "did you mean \"http_threads\"?"},
        {"quite_another_thing", "5", ERR_CONFIG, "there is no parameter \"quite_another_thing\""},
        {"", "5", ERR_CONFIG, "there is no parameter"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct daemon_config config;
        struct buf why;
        char text[600];
        buf_init(&why, 0);
        daemon_config_init(&config);
        int err =
            daemon_config_set(&config, slice_from_text(rows[i].name), slice_from_text(rows[i].value), "flag", &why);
        buf_append_byte(&why, 0);
        if (err != rows[i].error) {
            fail_msg("%s = %s: %s %s", rows[i].name, rows[i].value, err_code(err), why.data);
        }
        if (err == 0) {
            char lower[16] = "";
            for (size_t j = 0; rows[i].name[j] != '\0'; j++) {
                lower[j] = (char)(rows[i].name[j] | 0x20);
            }
            value_of(&config, lower, text, sizeof text);
            assert_string_equal(text, rows[i].text);
        } else if (strstr(why.data, rows[i].text) == NULL || strncmp(why.data, "flag: ", 6) != 0) {
            fail_msg("%s = %s: %s", rows[i].name, rows[i].value, why.data);
        }
        buf_fini(&why);
    }
}

/* Dashes and underscores alike; a text with a NUL is none. */
static void names(void **state)
{
    (void)state;
    struct daemon_config config;
    struct buf why;
    buf_init(&why, 0);
    daemon_config_init(&config);
    assert_int_equal(config.connections, 1000);
    assert_string_equal(config.data, "./muster-data");
    assert_false(config.unsafe_no_sync);
    assert_int_equal(daemon_config_set(&config, SLICE("idle-timeout"), SLICE("7"), "flag", &why), 0);
    assert_int_equal(config.idle_timeout, 7);
    assert_int_equal(daemon_config_set(&config, SLICE("idle_timeout"), SLICE("8"), "flag", &why), 0);
    assert_int_equal(config.idle_timeout, 8);
    assert_int_equal(daemon_config_set(&config, SLICE("data"), SLICE("a\0b"), "flag", &why), ERR_CONFIG);
    buf_fini(&why);
}

/* Every row of the table has a default that its own rules take. */
static void table(void **state)
{
    (void)state;
    size_t count = 0;
    for (const struct daemon_param *param = daemon_param_at(0); param != NULL; param = daemon_param_at(++count)) {
        struct daemon_config config;
        struct buf why;
        buf_init(&why, 0);
        daemon_config_init(&config);
        assert_int_equal(
            daemon_config_set(&config, slice_from_text(param->name), slice_from_text(param->standard), "x", &why), 0);
        assert_true(param->sentence[strlen(param->sentence) - 1] == '.');
        buf_fini(&why);
    }
    assert_true(count > 10);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void files(void **state)
{
    (void)state;
    static char long_line[400];
    snprintf(long_line, sizeof long_line, "connections = 1\nlisten = %0300d\n", 1);
    const struct {
        const char *text;
        int error;
        uint64_t connections;
        const char *reason;
    } rows[] = {
        {"", 0, 1000, ""},
        {"# a comment\n\n; another\nconnections = 5\ndemo = yes", 0, 5, ""},
        {"connections: 6\r\n", 0, 6, ""},
        {"connections = 7 ; of them", 0, 7, ""},
        {"\xEF\xBB\xBF"
         "connections = 8\n",
         0, 8, ""},
        {"connections = 9\ncolour = red\nlisten = x\n", ERR_CONFIG, 0, "there is no parameter \"colour\" (line 2)"},
        {"\n\nconnections = many\nidle_timeout = 1\n", ERR_CONFIG, 0, "65536  (line 3)"},
        {"connections = many\ncolour = red\n", ERR_CONFIG, 0, "65536  (line 1)"},
        {"nonsense\nconnections = 1\n", ERR_CONFIG, 0, "not a name = value line (line 1)"},
        {"connections = 1\nnonsense\ncolour = red\n", ERR_CONFIG, 0, "not a name = value line (line 2)"},
        {"[server]\nconnections = 1\n", ERR_CONFIG, 0, "no sections; write name = value lines (line 2)"},
        {"connections = 1\nConnections = 2\n", ERR_CONFIG, 0, "connections is set twice"},
        {"listen = 127.0.0.1:1\n  connections = 2\n", ERR_CONFIG, 0, "begins with a space (line 2)"},
        {long_line, ERR_CONFIG, 0, "bytes (line 2)"},
    };
    char path[] = "/tmp/muster-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct daemon_config config;
        struct buf why;
        buf_init(&why, 0);
        write_file(path, rows[i].text);
        daemon_config_init(&config);
        int err = daemon_config_file(&config, path, &why);
        buf_append_byte(&why, 0);
        if (err != rows[i].error || strstr(why.data, rows[i].reason) == NULL) {
            fail_msg("row %zu: %s: %s", i, err_code(err), why.data);
        }
        if (err == 0) {
            assert_int_equal(config.connections, rows[i].connections);
        } else {
            assert_non_null(strstr(why.data, path));
            assert_null(strstr(why.data + 1, path)); /* one reason, not two */
        }
        buf_fini(&why);
    }
    unlink(path);
}

static void no_file(void **state)
{
    (void)state;
    static const char *const paths[] = {"/nonexistent/muster.conf", "/tmp"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct daemon_config config;
        struct buf why;
        buf_init(&why, 0);
        daemon_config_init(&config);
        assert_int_equal(daemon_config_file(&config, paths[i], &why), ERR_CONFIG);
        buf_append_byte(&why, 0);
        assert_non_null(strstr(why.data, "can't be read"));
        buf_fini(&why);
    }
}

static void environment(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        int error;
        const char *reason;
    } rows[] = {{"MUSTER_CONNECTIONS", "44", 0, ""},
                {"MUSTER_SERVER", "http://x", 0, ""}, /* the client commands' */
                {"MUSTER_CONNECTIONS", "0", ERR_CONFIG, "environment: connections"},
                {"MUSTER_CONECTIONS", "1", ERR_CONFIG, "did you mean \"connections\"?"},
                {"OTHER_CONNECTIONS", "0", 0, ""}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct daemon_config config;
        struct buf why;
        buf_init(&why, 0);
        daemon_config_init(&config);
        setenv(rows[i].name, rows[i].value, 1);
        int err = daemon_config_environment(&config, &why);
        unsetenv(rows[i].name);
        buf_append_byte(&why, 0);
        if (err != rows[i].error || strstr(why.data, rows[i].reason) == NULL) {
            fail_msg("%s: %s: %s", rows[i].name, err_code(err), why.data);
        }
        assert_int_equal(config.connections, i == 0 ? 44 : 1000);
        buf_fini(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values),  cmocka_unit_test(names),
                                       cmocka_unit_test(table),   cmocka_unit_test(files),
                                       cmocka_unit_test(no_file), cmocka_unit_test(environment)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
