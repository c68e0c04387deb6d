/*
 * `muster store …`: what is done to a store as a whole, without a server. A location is what `serve --store` takes: a
 * folder of the embedded store (DATA/store), or the URL of a database.
 */
#include "cli/store_priv.h"

#include "crypto/crypto.h"

static const struct verb {
    const char *name;
    bool two; /* takes --from and --to, not --store */
    int (*run)(const struct store_flags *flags);
} VERBS[] = {
    {"copy", true, store_copy_command},
    {"status", false, store_status_command},
    {"migrate", false, store_migrate_command},
};

#define VERB_COUNT (sizeof VERBS / sizeof VERBS[0])

/* False: told on stderr. */
static bool check_locations(const struct verb *verb, const struct store_flags *flags)
{
    if (verb->two && (flags->from == NULL || flags->to == NULL || flags->store != NULL)) {
        cli_say("store %s needs --from LOCATION and --to LOCATION", verb->name);
        return false;
    }
    if (!verb->two && (flags->store == NULL || flags->from != NULL || flags->to != NULL)) {
        cli_say("store %s needs --store LOCATION", verb->name);
        return false;
    }
    return true;
}

int cli_run_store(int argc, char **argv)
{
    struct store_flags asked = {0};
    const struct cli_flag flags[] = {
        {"from", CLI_TEXT, &asked.from, "LOCATION", "copy: the store to read, which nobody has open."},
        {"to", CLI_TEXT, &asked.to, "LOCATION", "copy: an empty store, or one that a copy broke off into."},
        {"store", CLI_TEXT, &asked.store, "LOCATION", "status, migrate: the store."},
        {"json", CLI_SWITCH, &asked.json, NULL, "Print JSON."},
        {"quiet", CLI_SWITCH, &asked.quiet, NULL, "copy: no words about progress."},
    };
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, flags, sizeof flags / sizeof flags[0], &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    if (!cli_words_check("store", &words, 1, 1)) {
        return CLI_USAGE;
    }
    int found = cli_find_name("verb", words.at[0], VERBS, sizeof VERBS[0], VERB_COUNT);
    const struct verb *verb = found < 0 ? NULL : &VERBS[found];
    if (verb == NULL || !check_locations(verb, &asked)) {
        return CLI_USAGE;
    }
    if (crypto_init() != 0) {
        cli_say("%s", err_text(ERR_INTERNAL));
        return CLI_USAGE;
    }
    return verb->run(&asked);
}
