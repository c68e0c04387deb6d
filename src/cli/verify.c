/*
 * `muster verify`: opens the store of a data folder that no server has open (a database may be shared), walks every
 * row, and opens every record with its tenant's keys. Clean: exit 0. Problems: a sentence each on stdout, exit 1.
 */
#include "cli/cli.h"

#include "auth/auth.h"
#include "daemon/daemon.h"
#include "record/record.h"
#include "store/store.h"

struct place {
    const char *data;
    const char *store;
    const char *root_key;
};

struct verify {
    struct crypto_ring *ring;
    struct store *store;
    struct auth *auth;
    struct buf plain;
    uint64_t listed;
};

/* Broken stores can break at every row; more lines than this help nobody. */
#define PROBLEMS_LISTED 1000

static int open_record(void *context, const struct record_header *header, struct slice record)
{
    struct verify *verify = context;
    const struct auth_tenant *tenant;
    struct record_body body;
    int err = auth_tenant_of_data(verify->auth, &header->tenant, &tenant);
    if (err != 0) {
        return err;
    }
    buf_clear(&verify->plain);
    err = record_open(record, tenant->keys, &verify->plain, &body);
    crypto_wipe(verify->plain.data, verify->plain.size);
    return err;
}

static void on_problem(void *context, const char *sentence)
{
    struct verify *verify = context;
    if (verify->listed++ < PROBLEMS_LISTED) {
        puts(sentence);
    }
}

static int open_all(const struct place *place, struct verify *verify, struct buf *why)
{
    char location[600];
    struct store_options options = {0};
    int err = crypto_init();
    if (err == 0) {
        err = daemon_ring_open(place->data, place->root_key, DAEMON_RING_OLD, &verify->ring, why);
    }
    if (err == 0) {
        daemon_store_location(place->data, place->store, location);
        err = store_open(location, &options, &verify->store, why);
    }
    if (err == 0) {
        err = auth_new(verify->store, verify->ring, SLICE("verify"), &verify->auth);
    }
    return err;
}

static void print_counts(const struct store_verify_counts *counts)
{
    printf("tenants %llu\nimports %llu\ncustomers %llu\nkeys %llu\nsecrets %llu\npending %llu\nproblems %llu\n",
           (unsigned long long)counts->tenants, (unsigned long long)counts->imports,
           (unsigned long long)counts->customers, (unsigned long long)counts->keys, (unsigned long long)counts->secrets,
           (unsigned long long)counts->pending, (unsigned long long)counts->problems);
}

static void print_counts_json(const struct store_verify_counts *counts)
{
    printf("{\"tenants\":%llu,\"imports\":%llu,\"customers\":%llu,\"keys\":%llu,\"secrets\":%llu,\"pending\":%llu,"
           "\"problems\":%llu}\n",
           (unsigned long long)counts->tenants, (unsigned long long)counts->imports,
           (unsigned long long)counts->customers, (unsigned long long)counts->keys, (unsigned long long)counts->secrets,
           (unsigned long long)counts->pending, (unsigned long long)counts->problems);
}

static int run(const struct place *place, bool as_json)
{
    struct verify verify = {0};
    struct store_verify_counts counts = {0};
    struct buf why;
    buf_init(&why, 0);
    buf_init(&verify.plain, 0);
    int err = open_all(place, &verify, &why);
    if (err != 0) {
        cli_say("%s: %.*s", place->data, SLICE_ARG(why.size > 0 ? buf_view(&why) : slice_from_text(err_text(err))));
    } else {
        err = store_verify(verify.store, open_record, on_problem, &verify, &counts);
        if (err != 0) {
            cli_say("the walk broke off: %s", err_text(err));
        }
        if (as_json) {
            print_counts_json(&counts);
        } else {
            print_counts(&counts);
        }
    }
    auth_free(&verify.auth);
    store_close(&verify.store);
    crypto_ring_free(&verify.ring);
    buf_fini(&verify.plain);
    buf_fini(&why);
    return err == 0 && counts.problems == 0 ? CLI_KEPT : CLI_USAGE;
}

int cli_run_verify(int argc, char **argv)
{
    struct place place = {.data = "./muster-data", .store = "", .root_key = ""};
    bool json = false;
    const struct cli_flag flags[] = {
        {"data", CLI_TEXT, &place.data, "DIR", "The data folder [./muster-data]."},
        {"store", CLI_TEXT, &place.store, "WHERE", "The store, as for serve [the data folder's own]."},
        {"root-key", CLI_TEXT, &place.root_key, "SOURCE", "Where the root key is, as for serve."},
        {"json", CLI_SWITCH, &json, NULL, "Print the counts as JSON."},
    };
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, flags, sizeof flags / sizeof flags[0], &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    return cli_words_check("verify", &words, 0, 0) ? run(&place, json) : CLI_USAGE;
}
