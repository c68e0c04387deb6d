/*
 * Parameters: one table, four sources. The file is read by inih, whose only job is lines; what a
 * name means, and what is wrong with a value, is said here, with the place.
 */
#include <ctype.h>
#include <errno.h>
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
    buf_printf(why, "%s: %s", source, param->public.name);
    if (param->public.type != PARAM_TEXT) { /* a text may have a password in it */
        buf_printf(why, " = \"%.*s\"", SLICE_ARG(value));
    }
    buf_append_text(why, ": ");
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

/* Its index, or PARAM_COUNT. */
static size_t find_param(struct slice name)
{
    size_t i = 0;
    while (i < PARAM_COUNT && !is_name(PARAMS[i].public.name, name)) {
        i++;
    }
    return i;
}

int daemon_config_set(struct daemon_config *config, struct slice name, struct slice value, const char *source,
                      struct buf *why)
{
    size_t i = find_param(name);
    if (i == PARAM_COUNT) {
        unknown_name(name, source, why);
        return ERR_CONFIG;
    }
    int err = set_value(&PARAMS[i], config, value);
    if (err != 0) {
        bad_value(&PARAMS[i], value, source, why);
    }
    return err;
}

void daemon_config_init(struct daemon_config *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        int err = set_value(&PARAMS[i], config, slice_from_text(PARAMS[i].public.standard));
        (void)err; /* 0 as a default may lie below a minimum that only users have to keep */
    }
}

/* ---- the file ---- */

/* inih goes on behind an error and tells only the first error's line; so lines are counted here, and the
 * first error ends the file. */
struct file_state {
    struct daemon_config *config;
    const char *path;
    FILE *file;
    int line;
    bool seen[PARAM_COUNT];
    int err_line; /* 0: none */
    struct buf reason;
};

static char *read_line(char *text, int size, void *context)
{
    struct file_state *state = context;
    if (state->err_line != 0 || fgets(text, size, state->file) == NULL) {
        return NULL;
    }
    state->line++;
    if (strchr(text, '\n') == NULL && getc(state->file) != EOF) {
        buf_printf(&state->reason, "%s: the line is longer than %d bytes", state->path, size - 2);
        state->err_line = state->line;
        return NULL;
    }
    return text;
}

/* A line that begins with a space is handed over as more of the name above: that is "twice" too. */
static int set_once(struct file_state *state, struct slice name, struct slice value)
{
    size_t i = find_param(name);
    if (i < PARAM_COUNT && state->seen[i]) {
        buf_printf(&state->reason, "%s: %s is set twice, or the line begins with a space", state->path,
                   PARAMS[i].public.name);
        return ERR_CONFIG;
    }
    if (i < PARAM_COUNT) {
        state->seen[i] = true;
    }
    return daemon_config_set(state->config, name, value, state->path, &state->reason);
}

static int take_line(void *context, const char *section, const char *name, const char *value)
{
    struct file_state *state = context;
    int err = ERR_CONFIG;
    if (section[0] != '\0') {
        buf_printf(&state->reason, "%s: [%s]: the file has no sections; write name = value lines", state->path,
                   section);
    } else {
        err = set_once(state, slice_from_text(name), slice_from_text(value));
    }
    if (err != 0) {
        state->err_line = state->line;
    }
    return err == 0;
}

static int read_file(struct file_state *state, struct buf *why)
{
    int line = ini_parse_stream(read_line, state, take_line, state);
    if (state->err_line != 0 && (line <= 0 || line >= state->err_line)) {
        buf_printf(why, "%.*s (line %d)", SLICE_ARG(buf_view(&state->reason)), state->err_line);
        return ERR_CONFIG;
    }
    if (line > 0) {
        buf_printf(why, "%s: not a name = value line (line %d)", state->path, line);
        return ERR_CONFIG;
    }
    if (line < 0 || ferror(state->file)) {
        buf_printf(why, "%s: can't be read", state->path);
        return ERR_CONFIG;
    }
    return 0;
}

int daemon_config_file(struct daemon_config *config, const char *path, struct buf *why)
{
    struct file_state state = {.config = config, .path = path, .file = fopen(path, "re")};
    if (state.file == NULL) {
        buf_printf(why, "%s: can't be read: %s", path, strerror(errno));
        return ERR_CONFIG;
    }
    buf_init(&state.reason, 0);
    int err = read_file(&state, why);
    buf_fini(&state.reason);
    fclose(state.file);
    return err;
}

/* ---- the environment ---- */

/* Variables of the client commands, which share the prefix. */
static bool is_client_variable(struct slice name)
{
    static const char *const names[] = {"SERVER", "TOKEN",        "OPERATOR_KEY", "CREDENTIALS",
                                        "TENANT", "TENANT_TOKEN", "PROJECT",      "CONFIG"};
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
