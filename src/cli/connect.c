/*
 * Fills a connection. The difficulty is the order: a flag is stronger than the environment, which is
 * stronger than a file; a file that was named must be there, the default one need not.
 */
#include "cli/connect.h"

#include <stdlib.h>
#include <unistd.h>

struct setting {
    const char *environment;
    const char *members[2]; /* names in a credentials file */
    size_t offset;
    size_t size;
};

#define SETTING(environment, first, second, member)                                                                    \
    {                                                                                                                  \
        environment, {first, second}, offsetof(struct connection, member), sizeof((struct connection *)NULL)->member   \
    }

static const struct setting SETTINGS[] = {
    SETTING("MUSTER_SERVER", "url", "server", server),
    SETTING("MUSTER_TOKEN", "apiKey", "accessToken", token),
    SETTING("MUSTER_TENANT", "tenantId", "tenant", tenant),
    SETTING("MUSTER_TENANT_TOKEN", "tenantToken", "token", tenant_token),
    SETTING("MUSTER_PROJECT", "project", "cmsProjectId", project),
    SETTING("MUSTER_OPERATOR_KEY", "operatorKey", NULL, operator_key),
};

#define SETTING_COUNT (sizeof SETTINGS / sizeof SETTINGS[0])

static bool set(struct connection *connection, const struct setting *setting, struct slice value, const char *source)
{
    if (cli_text_copy(value, (char *)connection + setting->offset, setting->size)) {
        return true;
    }
    cli_say("%s: %s is too long or no text", source, setting->environment);
    return false;
}

static bool take_members(const struct json_doc *doc, const char *path, struct connection *connection)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        for (size_t j = 0; j < 2 && SETTINGS[i].members[j] != NULL; j++) {
            struct slice value = cli_json_text(doc, json_root(doc), SETTINGS[i].members[j]);
            if (value.size > 0) {
                if (!set(connection, &SETTINGS[i], value, path)) {
                    return false;
                }
                break;
            }
        }
    }
    return true;
}

int connection_load_file(const char *path, struct connection *connection)
{
    struct cli_json json = {0};
    int err = cli_read_file(path, 1u << 20, &json.text);
    if (err == 0) {
        err = cli_json_parse(&json);
        if (err != 0) {
            cli_say("%s: not valid JSON", path);
        } else if (!take_members(&json.doc, path, connection)) {
            err = ERR_CONFIG;
        }
    }
    cli_json_free(&json);
    return err;
}

static int take_default_file(const char *folder, struct connection *connection)
{
    char path[600];
    snprintf(path, sizeof path, "%s/demo.json", folder);
    return access(path, R_OK) == 0 ? connection_load_file(path, connection) : 0;
}

/* The operator's key in the data folder: one line. Not there or not readable: no key. */
static int take_operator_key(const char *folder, struct connection *connection)
{
    char path[600];
    struct buf text;
    snprintf(path, sizeof path, "%s/operator.key", folder);
    if (access(path, R_OK) != 0) {
        return 0;
    }
    buf_init(&text, 0);
    int err = cli_read_file(path, 4096, &text);
    while (text.size > 0 && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == ' ')) {
        text.size--;
    }
    if (err == 0 && !cli_text_copy(buf_view(&text), connection->operator_key, sizeof connection->operator_key)) {
        cli_say("%s: not an operator key", path);
        err = ERR_CONFIG;
    }
    buf_fini(&text);
    return err;
}

static int take_environment(struct connection *connection)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *value = getenv(SETTINGS[i].environment);
        if (value != NULL && value[0] != '\0' &&
            !set(connection, &SETTINGS[i], slice_from_text(value), "environment")) {
            return ERR_CONFIG;
        }
    }
    return 0;
}

static int finish_server(const struct connection_flags *flags, struct connection *connection)
{
    const char *chosen = flags->server != NULL ? flags->server : connection->server;
    const char *server = chosen[0] == '\0' ? "http://127.0.0.1:8484" : chosen;
    struct slice text = slice_from_text(server);
    while (text.size > 0 && text.data[text.size - 1] == '/') {
        text.size--;
    }
    char copy[sizeof connection->server];
    if (!cli_text_copy(text, copy, sizeof copy) ||
        (!slice_starts(text, SLICE("http://")) && !slice_starts(text, SLICE("https://")))) {
        cli_say("\"%s\" is no address of a server; it begins with http:// or https://", server);
        return ERR_CONFIG;
    }
    memcpy(connection->server, copy, sizeof copy);
    return 0;
}

int connection_load(const struct connection_flags *flags, struct connection *connection)
{
    const char *folder = flags->data == NULL ? "./muster-data" : flags->data;
    const char *file = flags->credentials != NULL ? flags->credentials : getenv("MUSTER_CREDENTIALS");
    memset(connection, 0, sizeof *connection);
    int err = file != NULL ? connection_load_file(file, connection) : take_default_file(folder, connection);
    if (err == 0) {
        err = take_operator_key(folder, connection);
    }
    if (err == 0) {
        err = take_environment(connection);
    }
    return err != 0 ? err : finish_server(flags, connection);
}
