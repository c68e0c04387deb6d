/*
 * `muster serve` and `muster config check`: the flags are the rows of params.def, the order is
 * file < environment < flags. Only --config stands outside the table: it names the file.
 */
#include "cli/cli.h"

#include <stdlib.h>

#include "daemon/daemon.h"
#include "store/store.h"

static void help(const char *command)
{
    cli_help_command(stdout, cli_command_find(slice_from_text(command)), NULL, 0);
    printf("  %-26s %s\n", "--config FILE", "File of `name = value` lines.");
    for (size_t i = 0; daemon_param_at(i) != NULL; i++) {
        const struct daemon_param *param = daemon_param_at(i);
        char left[80];
        snprintf(left, sizeof left, "--%s %s", param->name, param->type == PARAM_FLAG ? "" : param->unit);
        for (char *at = left; *at != '\0' && *at != ' '; at++) {
            *at = *at == '_' ? '-' : *at;
        }
        printf("  %-26s %s", left, param->sentence);
        if (param->type != PARAM_FLAG && param->standard[0] != '\0') {
            printf(" [%s]", param->standard);
        }
        putchar('\n');
    }
}

/* Parameters are written with underscores in the table and with dashes as flags. */
static bool same_name(struct slice flag, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < size && i < flag.size; i++) {
        if (flag.data[i] != name[i] && !(flag.data[i] == '-' && name[i] == '_')) {
            return false;
        }
    }
    return flag.size == size;
}

static bool is_switch(struct slice name)
{
    for (size_t i = 0; daemon_param_at(i) != NULL; i++) {
        if (same_name(name, daemon_param_at(i)->name)) {
            return daemon_param_at(i)->type == PARAM_FLAG;
        }
    }
    return false;
}

struct argument {
    struct slice name;
    struct slice value;
};

/* The flag at argv[*at] with its value; a switch without one is "true". False: told on stderr. */
static bool read_argument(int argc, char **argv, int *at, struct argument *argument)
{
    const char *text = argv[*at];
    if (strncmp(text, "--", 2) != 0) {
        struct buf shown;
        buf_init(&shown, 0);
        store_location_show(text, &shown);
        cli_say("\"%.*s\" is no flag; see `muster help serve`", SLICE_ARG(buf_view(&shown)));
        buf_fini(&shown);
        return false;
    }
    const char *equals = strchr(text, '=');
    size_t size = equals == NULL ? strlen(text) : (size_t)(equals - text);
    argument->name = slice_make(text + 2, size - 2);
    if (equals != NULL) {
        argument->value = slice_from_text(equals + 1);
    } else if (is_switch(argument->name)) {
        argument->value = SLICE("true");
    } else if (*at + 1 < argc) {
        argument->value = slice_from_text(argv[++*at]);
    } else {
        cli_say("%s needs a value", text);
        return false;
    }
    return true;
}

/* Applies the flags in order; those named --config only go to *file. */
static int apply(int argc, char **argv, struct daemon_config *config, const char **file, struct buf *why)
{
    for (int i = 1; i < argc; i++) {
        struct argument argument;
        if (!read_argument(argc, argv, &i, &argument)) {
            return ERR_CONFIG;
        }
        if (slice_equal_text(argument.name, "config")) {
            *file = argument.value.data;
            continue;
        }
        int err = config == NULL ? 0 : daemon_config_set(config, argument.name, argument.value, "flag", why);
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

/* File, then environment, then flags. */
static int load(int argc, char **argv, struct daemon_config *config, struct buf *why)
{
    const char *file = getenv("MUSTER_CONFIG");
    daemon_config_init(config);
    int err = apply(argc, argv, NULL, &file, why);
    if (err == 0 && file != NULL) {
        err = daemon_config_file(config, file, why);
    }
    if (err == 0) {
        err = daemon_config_environment(config, why);
    }
    return err != 0 ? err : apply(argc, argv, config, &file, why);
}

static bool load_or_say(int argc, char **argv, struct daemon_config *config)
{
    struct buf why;
    buf_init(&why, 0);
    int err = load(argc, argv, config, &why);
    if (err != 0 && why.size > 0) {
        cli_say("%.*s", SLICE_ARG(buf_view(&why)));
    }
    buf_fini(&why);
    return err == 0;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int cli_run_serve(int argc, char **argv)
{
    struct daemon_config config;
    if (asks_help(argc, argv)) {
        help("serve");
        return CLI_KEPT;
    }
    if (!load_or_say(argc, argv, &config)) {
        return CLI_USAGE;
    }
    return daemon_serve(&config) == 0 ? CLI_KEPT : CLI_USAGE;
}

/* Without a password, where there may be one. */
static void print_text(const char *name, const char *value)
{
    struct buf shown;
    buf_init(&shown, 0);
    store_location_show(value, &shown);
    printf("%s = %.*s\n", name, SLICE_ARG(buf_view(&shown)));
    buf_fini(&shown);
}

static void print_config(const struct daemon_config *config)
{
#define PRINT_TEXT(name)                                              print_text(#name, config->name);
#define PRINT_NUMBER(name)                                            printf("%s = %llu\n", #name, (unsigned long long)config->name);
#define PRINT_FLAG(name)                                              printf("%s = %s\n", #name, config->name ? "true" : "false");
#define PARAM(name, type, standard, minimum, maximum, unit, sentence) PRINT_##type(name)
#include "daemon/params.def"
#undef PARAM
}

int cli_run_config(int argc, char **argv)
{
    struct daemon_config config;
    if (asks_help(argc, argv)) {
        help("config");
        return CLI_KEPT;
    }
    if (argc < 2 || strcmp(argv[1], "check") != 0) {
        cli_say("usage: muster config check [--config FILE] [--PARAMETER VALUE]…");
        return CLI_USAGE;
    }
    if (!load_or_say(argc - 1, argv + 1, &config)) {
        return CLI_USAGE;
    }
    print_config(&config);
    return CLI_KEPT;
}
