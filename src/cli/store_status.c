/* `muster store status` and `migrate`: what a store is, and bringing its tables up to this program. */
#include "cli/store_priv.h"

#include "store/store.h"

static const char *sure_word(const struct store_status_family *family)
{
    return family->sure == STORE_ROWS_EXACT ? "" : family->sure == STORE_ROWS_ABOUT ? "about " : "at least ";
}

static void print_status(const struct store_status *status)
{
    const struct store_facts *facts = &status->facts;
    bool is_store = facts->schema > 0;
    printf("kind        %s\nengine      %s\ndurability  %s\n", facts->kind, facts->engine, facts->durability);
    printf("schema      %u, this program's is %u%s\n", facts->schema, status->schema_wanted,
           !is_store                               ? ": there is no store yet"
           : facts->schema > status->schema_wanted ? ": use a newer program"
           : facts->schema < status->schema_wanted ? ": `muster store migrate` or the next start brings it up"
                                                   : "");
    if (status->half_copy) {
        printf("copy        not whole: run `muster store copy` again to its end\n");
    }
    if (strcmp(facts->kind, "postgresql") == 0) {
        printf("nodes       %zu\n", status->node_count);
    }
    for (size_t i = 0; i < status->node_count && i < STORE_STATUS_NODES; i++) {
        printf("  %s alive for %u s more\n", status->nodes[i].id, status->nodes[i].left_s);
    }
    for (size_t i = 0; i < status->family_count; i++) {
        const struct store_status_family *family = &status->families[i];
        printf("%s%-10s  %s%llu\n", i == 0 ? "rows\n  " : "  ", family->name, sure_word(family),
               (unsigned long long)family->rows);
    }
}

static void print_status_json(const struct store_status *status)
{
    static const char *const sure[] = {
        [STORE_ROWS_EXACT] = "exact", [STORE_ROWS_ABOUT] = "about", [STORE_ROWS_AT_LEAST] = "at-least"};
    const struct store_facts *facts = &status->facts;
    printf("{\"kind\":\"%s\",\"engine\":\"%s\",\"durability\":\"%s\",\"schema\":%u,\"schemaWanted\":%u,"
           "\"halfCopy\":%s,\"nodes\":[",
           facts->kind, facts->engine, facts->durability, facts->schema, status->schema_wanted,
           status->half_copy ? "true" : "false");
    for (size_t i = 0; i < status->node_count && i < STORE_STATUS_NODES; i++) {
        printf("%s{\"id\":\"%s\",\"left_s\":%u}", i == 0 ? "" : ",", status->nodes[i].id, status->nodes[i].left_s);
    }
    printf("],\"rows\":{");
    for (size_t i = 0; i < status->family_count; i++) {
        const struct store_status_family *family = &status->families[i];
        printf("%s\"%s\":{\"rows\":%llu,\"sure\":\"%s\"}", i == 0 ? "" : ",", family->name,
               (unsigned long long)family->rows, sure[family->sure]);
    }
    printf("}}\n");
}

static int failed(int err, struct buf *why)
{
    cli_say("%.*s", SLICE_ARG(buf_view(why)));
    buf_fini(why);
    return err == ERR_STORAGE_AWAY ? CLI_UNREACHABLE : CLI_USAGE;
}

int store_status_command(const struct store_flags *flags)
{
    struct store_status status;
    struct buf why;
    buf_init(&why, 0);
    int err = store_status(flags->store, &status, &why);
    if (err != 0) {
        return failed(err, &why);
    }
    if (flags->json) {
        print_status_json(&status);
    } else {
        print_status(&status);
    }
    buf_fini(&why);
    /* What a start would refuse is no success here either. */
    return status.half_copy || status.facts.schema > status.schema_wanted ? CLI_REFUSED : CLI_KEPT;
}

int store_migrate_command(const struct store_flags *flags)
{
    unsigned from = 0;
    unsigned to = 0;
    struct buf why;
    buf_init(&why, 0);
    int err = store_migrate(flags->store, &from, &to, &why);
    if (err != 0) {
        return failed(err, &why);
    }
    if (flags->json) {
        printf("{\"from\":%u,\"to\":%u}\n", from, to);
    } else {
        printf(from == to ? "schema %u, nothing to do\n" : "schema %u, was %u\n", to, from);
    }
    buf_fini(&why);
    return CLI_KEPT;
}
