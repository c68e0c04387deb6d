/* The binary's entry: finds the command that the first argument names, and runs it. */
#include "cli/cli.h"

#include <signal.h>

int main(int argc, char **argv)
{
    /* A reader that goes away ends us through the failed write, not in the middle of anything. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        cli_help_all(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_help_all(stdout);
        return CLI_KEPT;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return cli_run_version(argc, argv);
    }
    const struct cli_command *command = cli_command_find(slice_from_text(argv[1]));
    if (command == NULL) {
        return cli_command_unknown(argv[1]);
    }
    int status = command->run(argc - 1, argv + 1);
    return fflush(stdout) != 0 && status == CLI_KEPT ? CLI_USAGE : status;
}
