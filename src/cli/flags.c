/*
 * Flags of the commands, from tables: `--name value`, `--name=value`, switches alone. The same table
 * is the help. What is not known is answered with the nearest flag that is.
 */
#include "cli/cli.h"

#include "base/text.h"

#define FLAGS_MAX 32

static const struct cli_flag *find_flag(const struct cli_flag *flags, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal_text(name, flags[i].name)) {
            return &flags[i];
        }
    }
    return NULL;
}

static void say_unknown_flag(const struct cli_flag *flags, size_t count, struct slice name)
{
    struct slice names[FLAGS_MAX];
    for (size_t i = 0; i < count && i < FLAGS_MAX; i++) {
        names[i] = slice_from_text(flags[i].name);
    }
    cli_say_unknown("flag", name, names, count < FLAGS_MAX ? count : FLAGS_MAX);
}

static bool add_to_list(const struct cli_flag *flag, const char *value)
{
    struct cli_list *list = flag->to;
    if (list->count == CLI_LIST_MAX) {
        cli_say("--%s may be given %d times at most", flag->name, CLI_LIST_MAX);
        return false;
    }
    list->at[list->count++] = value;
    return true;
}

static bool set_flag(const struct cli_flag *flag, const char *value)
{
    switch (flag->type) {
    case CLI_TEXT:
        *(const char **)flag->to = value;
        return true;
    case CLI_NUMBER:
        if (!text_to_u64(slice_from_text(value), (uint64_t *)flag->to)) {
            cli_say("--%s takes a whole number, not \"%s\"", flag->name, value);
            return false;
        }
        return true;
    case CLI_SWITCH:
        *(bool *)flag->to = true;
        return true;
    case CLI_LIST:
        return add_to_list(flag, value);
    }
    return false;
}

/* The one flag that everybody knows by a letter. */
static bool is_output(const char *argument)
{
    return strcmp(argument, "-o") == 0;
}

/* One flag at argv[*at]; moves *at to the last argument that belongs to it. */
static enum cli_parsed take_flag(int argc, char **argv, int *at, const struct cli_flag *flags, size_t count)
{
    const char *text = is_output(argv[*at]) ? "output" : argv[*at] + 2;
    const char *equals = strchr(text, '=');
    struct slice name = equals == NULL ? slice_from_text(text) : slice_make(text, (size_t)(equals - text));
    const struct cli_flag *flag = find_flag(flags, count, name);
    if (flag == NULL) {
        say_unknown_flag(flags, count, name);
        return CLI_WRONG;
    }
    if (flag->type == CLI_SWITCH && equals != NULL) {
        cli_say("--%s takes no value", flag->name);
        return CLI_WRONG;
    }
    const char *value = equals == NULL ? NULL : equals + 1;
    if (flag->type != CLI_SWITCH && value == NULL) {
        if (*at + 1 >= argc) {
            cli_say("--%s needs a value: %s", flag->name, flag->value);
            return CLI_WRONG;
        }
        value = argv[++*at];
    }
    return set_flag(flag, value) ? CLI_PARSED : CLI_WRONG;
}

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

enum cli_parsed cli_parse(int argc, char **argv, const struct cli_flag *flags, size_t count, struct cli_words *words)
{
    bool only_words = false;
    words->count = 0;
    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && is_help(argv[i])) {
            cli_help_command(stdout, cli_command_find(slice_from_text(argv[0])), flags, count);
            return CLI_HELPED;
        } else if (!only_words && (strncmp(argv[i], "--", 2) == 0 || is_output(argv[i]))) {
            enum cli_parsed parsed = take_flag(argc, argv, &i, flags, count);
            if (parsed != CLI_PARSED) {
                return parsed;
            }
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            cli_say("flags begin with two dashes; \"%s\" is not known", argv[i]);
            return CLI_WRONG;
        } else if (words->count == CLI_WORDS_MAX) {
            cli_say("too many arguments at \"%s\"", argv[i]);
            return CLI_WRONG;
        } else {
            words->at[words->count++] = argv[i];
        }
    }
    return CLI_PARSED;
}

int cli_parse_exit(enum cli_parsed parsed)
{
    return parsed == CLI_HELPED ? CLI_KEPT : CLI_USAGE;
}

bool cli_words_check(const char *command, const struct cli_words *words, size_t least, size_t most)
{
    if (words->count >= least && words->count <= most) {
        return true;
    }
    const struct cli_command *found = cli_command_find(slice_from_text(command));
    cli_say("usage: muster %s %s", command, found == NULL ? "" : found->usage);
    return false;
}

void cli_help_command(FILE *out, const struct cli_command *command, const struct cli_flag *flags, size_t count)
{
    if (command != NULL) {
        fprintf(out, "usage: muster %s %s\n%s\n", command->name, command->usage, command->sentence);
    }
    for (size_t i = 0; i < count; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", flags[i].name, flags[i].value == NULL ? "" : flags[i].value);
        fprintf(out, "  %-26s %s\n", left, flags[i].sentence);
    }
}
