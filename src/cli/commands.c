/*
 * The table of commands, and what is made from it: the help, the usage lines, "did you mean".
 */
#include "cli/cli.h"

const struct cli_command CLI_COMMANDS[] = {
    {"serve", "[--data DIR] [--listen A:P] [--config FILE] [--PARAMETER VALUE]…", "Run the server.", cli_run_serve},
    {"import", "FILE|- [--lenient] [--faults FILE] [--key KEY]…", "Send a file of customers; prints their ids.",
     cli_run_import},
    {"get", "ID…", "Print customers by their ids.", cli_run_get},
    {"find", "--email|--phone|--external-id|--wallet|--did VALUE", "Print the customers that have an identifier.",
     cli_run_find},
    {"imports", "list | show ID | faults ID | results ID | watch ID | undo ID | abort ID",
     "What became of imports, and undoing them.", cli_run_imports},
    {"tenant", "create NAME | list | revoke NAME | limits NAME", "Make, list, limit and revoke tenants.",
     cli_run_tenant},
    {"project", "create TENANT NAME | list TENANT | revoke TENANT NAME", "The projects of a tenant.", cli_run_project},
    {"client", "create TENANT NAME | list TENANT | revoke TENANT ID", "The OAuth clients of a tenant.", cli_run_client},
    {"key", "create TENANT NAME | list TENANT | revoke TENANT ID", "The API keys and tenant tokens of a tenant.",
     cli_run_key},
    {"store", "copy --from LOCATION --to LOCATION | status --store LOCATION | migrate --store LOCATION",
     "Move a store to another place or engine; tell what one is; bring its tables up.", cli_run_store},
    {"verify", "[--data DIR]", "Check a store that no server has open: every row, every record.", cli_run_verify},
    {"contract", "check FILE | validate FILE BODY", "Compile a contract; check a body against it offline.",
     cli_run_contract},
    {"config", "check [--config FILE] [--PARAMETER VALUE]…", "Check the server's configuration and print it.",
     cli_run_config},
    {"bench", "[--quick] [--server URL]", "Measure this machine, step by step and through the server.", cli_run_bench},
    {"version", "", "Print the version.", cli_run_version},
    {"help", "[COMMAND]", "Print this, or what a command takes.", cli_run_help},
    {NULL, NULL, NULL, NULL},
};

const struct cli_command *cli_command_find(struct slice name)
{
    for (const struct cli_command *command = CLI_COMMANDS; command->name != NULL; command++) {
        if (slice_equal_text(name, command->name)) {
            return command;
        }
    }
    return NULL;
}

int cli_command_unknown(const char *word)
{
    struct slice names[sizeof CLI_COMMANDS / sizeof CLI_COMMANDS[0]];
    size_t count = 0;
    for (const struct cli_command *command = CLI_COMMANDS; command->name != NULL; command++) {
        names[count++] = slice_from_text(command->name);
    }
    cli_say_unknown("command", slice_from_text(word), names, count);
    return CLI_USAGE;
}

void cli_help_all(FILE *out)
{
    fputs("usage: muster COMMAND …\n\n", out);
    for (const struct cli_command *command = CLI_COMMANDS; command->name != NULL; command++) {
        fprintf(out, "  %-10s %s\n", command->name, command->sentence);
    }
    fputs("\n`muster help COMMAND` tells what a command takes.\n"
          "Exit: 0 done, 1 usage, 3 refused, 4 not allowed, 5 unreachable, 6 outcome unknown.\n",
          out);
}

int cli_run_help(int argc, char **argv)
{
    if (argc < 2) {
        cli_help_all(stdout);
        return CLI_KEPT;
    }
    const struct cli_command *command = cli_command_find(slice_from_text(argv[1]));
    if (command == NULL) {
        return cli_command_unknown(argv[1]);
    }
    if (command->run == cli_run_help || command->run == cli_run_version) {
        cli_help_command(stdout, command, NULL, 0);
        return CLI_KEPT;
    }
    char name[32];
    char flag[] = "--help";
    snprintf(name, sizeof name, "%s", command->name);
    char *arguments[] = {name, flag, NULL};
    return command->run(2, arguments);
}

int cli_run_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("muster " MUSTER_VERSION);
    return CLI_KEPT;
}
