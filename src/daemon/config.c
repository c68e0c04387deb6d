/*
 * Parameters: one table, four sources. The file is read by inih, whose only job is lines; what a
 * name means, and what is wrong with a value, is said here, with the place.
 */
#include <ctype.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "daemon/daemon.h"

extern char **environ;

struct param {
    struct daemon_param public;
    size_t offset;
};

/* clang-format off */
static const struct param PARAMS[] = {
#define PARAM(name, type, standard, minimum, maximum, unit, sentence) \
    {{#name, PARAM_##type, standard, minimum, maximum, unit, sentence}, offsetof(struct daemon_config, name)},
#include "daemon/params.def"
#undef PARAM
};
/* clang-format on */
#define PARAM_COUNT (sizeof PARAMS / sizeof PARAMS[0])

const struct daemon_param *daemon_param_at(size_t index)
{
    return index < PARAM_COUNT ? &PARAMS[index].public : NULL;
}

/* Names compare without case, and '-' like '_'. */
static bool is_name(const char *name, struct slice given)
{
    if (strlen(name) != given.size) {
        return false;
    }
    for (size_t i = 0; i < given.size; i++) {
        char c = given.data[i] == '-' ? '_' : (char)tolower((unsigned char)given.data[i]);
        if (c != name[i]) {
            return false;
        }
    }
    return true;
}

static void unknown_name(struct slice name, const char *source, struct buf *why)
{
    struct slice names[PARAM_COUNT];
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        names[i] = slice_from_text(PARAMS[i].public.name);
    }
    buf_printf(why, "%s: there is no parameter \"%.*s\"", source, SLICE_ARG(name));
    int nearest = text_nearest(name, names, PARAM_COUNT);
    if (nearest >= 0) {
        buf_printf(why, "; did you mean \"%s\"?", PARAMS[nearest].public.name);
    }
}

static int set_text(char *to, struct slice value)
{
    if (value.size >= 512 || (value.size > 0 && memchr(value.data, '\0', value.size) != NULL)) {
        return ERR_CONFIG;
    }
    if (value.size > 0) {
        memcpy(to, value.data, value.size);
    }
    to[value.size] = '\0';
    return 0;
}

static int set_flag(bool *to, struct slice value)
{
    static const char *const yes[] = {"true", "yes", "on", "1", ""};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (slice_equal_text(value, yes[i])) {
            *to = true;
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        if (slice_equal_text(value, no[i])) {
            *to = false;
            return 0;
        }
    }
    return ERR_CONFIG;
}

static int set_value(const struct param *param, struct daemon_config *config, struct slice value)
{
    char *member = (char *)config + param->offset;
    uint64_t number;
    switch (param->public.type) {
    case PARAM_TEXT:
        return set_text(member, value);
    case PARAM_FLAG:
        return set_flag((bool *)(void *)member, value);
    case PARAM_NUMBER:
        if (!text_to_u64(value, &number) || number < param->public.minimum || number > param->public.maximum) {
            return ERR_CONFIG;
        }
        memcpy(member, &number, sizeof number);
        return 0;
    }
    return ERR_CONFIG;
}

static void bad_value(const struct param *param, struct slice value, const char *source, struct buf *why)
{
    buf_printf(why, "%s: %s = \"%.*s\": ", source, param->public.name, SLICE_ARG(value));
    switch (param->public.type) {
    case PARAM_NUMBER:
        buf_printf(why, "must be a whole number from %llu to %llu %s", (unsigned long long)param->public.minimum,
                   (unsigned long long)param->public.maximum, param->public.unit);
        break;
    case PARAM_FLAG:
        buf_append_text(why, "must be true or false");
        break;
    case PARAM_TEXT:
        buf_append_text(why, "must be shorter than 512 bytes");
        break;
    }
}

int daemon_config_set(struct daemon_config *config, struct slice name, struct slice value, const char *source,
                      struct buf *why)
{
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        if (is_name(PARAMS[i].public.name, name)) {
            int err = set_value(&PARAMS[i], config, value);
            if (err != 0) {
                bad_value(&PARAMS[i], value, source, why);
            }
            return err;
        }
    }
    unknown_name(name, source, why);
    return ERR_CONFIG;
}

void daemon_config_init(struct daemon_config *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        int err = set_value(&PARAMS[i], config, slice_from_text(PARAMS[i].public.standard));
        (void)err; /* 0 as a default may lie below a minimum that only users have to keep */
    }
}

struct file_state {
    struct daemon_config *config;
    const char *path;
    struct buf *why;
    int err;
};

static int take_line(void *context, const char *section, const char *name, const char *value)
{
    struct file_state *state = context;
    if (section[0] != '\0') {
        buf_printf(state->why, "%s: [%s]: the file has no sections; write name = value lines", state->path, section);
        state->err = ERR_CONFIG;
        return 0;
    }
    state->err =
        daemon_config_set(state->config, slice_from_text(name), slice_from_text(value), state->path, state->why);
    return state->err == 0;
}

int daemon_config_file(struct daemon_config *config, const char *path, struct buf *why)
{
    struct file_state state = {.config = config, .path = path, .why = why};
    int line = ini_parse(path, take_line, &state);
    if (line < 0) {
        buf_printf(why, "%s: can't be read", path);
        return ERR_CONFIG;
    }
    if (line > 0) {
        if (state.err == 0) {
            buf_printf(why, "%s: not a name = value line", path);
        }
        buf_printf(why, " (line %d)", line);
        return ERR_CONFIG;
    }
    return 0;
}

/* Variables of the client commands, which share the prefix. */
static bool is_client_variable(struct slice name)
{
    static const char *const names[] = {"SERVER", "TOKEN", "OPERATOR_KEY", "CREDENTIALS", "CONFIG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_equal_text(name, names[i])) {
            return true;
        }
    }
    return false;
}

int daemon_config_environment(struct daemon_config *config, struct buf *why)
{
    static const struct slice prefix = {"MUSTER_", 7};
    for (char **entry = environ; *entry != NULL; entry++) {
        struct slice text = slice_from_text(*entry);
        const char *equals = strchr(*entry, '=');
        if (equals == NULL || !slice_starts(text, prefix)) {
            continue;
        }
        struct slice name = slice_make(*entry + prefix.size, (size_t)(equals - *entry) - prefix.size);
        if (is_client_variable(name)) {
            continue;
        }
        int err = daemon_config_set(config, name, slice_from_text(equals + 1), "environment", why);
        if (err != 0) {
            return err;
        }
    }
    return 0;
}
