/* `muster contract check|validate`: contract files and bodies looked at without a server. */
#include "cli/cli.h"

#include "base/limits.h"
#include "base/text.h"
#include "cli/validate.h"
#include "contract/contract.h"

#define CONTRACT_BYTES (16u << 20)

static const struct slice VERBS[] = {{"check", 5}, {"validate", 8}};

/* Compiles the file; NULL: told on stderr. */
static struct contract *compile(const char *path, bool bare_schema)
{
    struct contract *contract = NULL;
    struct buf text;
    struct buf why;
    buf_init(&text, 0);
    buf_init(&why, 0);
    int err = cli_read_file(path, CONTRACT_BYTES, &text);
    if (err == 0 && buf_reserve(&text, JSON_PADDING) == 0) {
        memset(text.data + text.size, 0, JSON_PADDING);
        err = bare_schema ? contract_compile_schema(buf_view(&text), &contract, &why)
                          : contract_compile(buf_view(&text), &contract, &why);
        if (err != 0) {
            cli_say("%s: %.*s", path, SLICE_ARG(why.size > 0 ? buf_view(&why) : slice_from_text(err_text(err))));
        }
    }
    buf_fini(&text);
    buf_fini(&why);
    return err == 0 ? contract : NULL;
}

static int check(const char *path, bool bare_schema)
{
    struct contract *contract = compile(path, bare_schema);
    struct buf out;
    if (contract == NULL) {
        return CLI_USAGE;
    }
    buf_init(&out, 0);
    contract_describe(contract, &out);
    fwrite(out.data, 1, out.size, stdout);
    if (out.size > 0 && out.data[out.size - 1] != '\n') {
        putchar('\n');
    }
    buf_fini(&out);
    contract_free(&contract);
    return CLI_KEPT;
}

static bool read_scopes(const char *text, uint32_t *scopes)
{
    *scopes = strcmp(text, "all") == 0 ? (uint32_t)SCOPE_ALL : 0;
    if (*scopes != 0) {
        return true;
    }
    for (const char *at = text + strspn(text, ", "); *at != '\0'; at += strspn(at, ", ")) {
        struct slice name = slice_make(at, strcspn(at, ", "));
        if (scope_from_text(name) == 0) {
            cli_say("unknown scope %.*s", SLICE_ARG(name));
            return false;
        }
        *scopes |= scope_from_text(name);
        at += name.size;
    }
    return true;
}

static int validate(const struct cli_words *words, bool bare_schema, const struct contract_options *options)
{
    struct contract *contract = compile(words->at[1], bare_schema);
    if (contract == NULL) {
        return CLI_USAGE;
    }
    int code =
        bare_schema ? validate_value(contract, words->at[2], options) : validate_body(contract, words->at[2], options);
    contract_free(&contract);
    return code;
}

int cli_run_contract(int argc, char **argv)
{
    const char *scopes = "customers:create";
    bool schema = false;
    struct contract_options options = {.fault_limit = LIMIT_FAULTS};
    const struct cli_flag flags[] = {
        {"schema", CLI_SWITCH, &schema, NULL, "FILE is a bare JSON Schema and BODY a single value."},
        {"strict", CLI_SWITCH, &options.strict, NULL, "Findings are faults."},
        {"scopes", CLI_TEXT, &scopes, "all|LIST", "Scopes of the supposed token [customers:create]."},
    };
    struct cli_words words;
    enum cli_parsed parsed = cli_parse(argc, argv, flags, sizeof flags / sizeof flags[0], &words);
    if (parsed != CLI_PARSED) {
        return cli_parse_exit(parsed);
    }
    if (!cli_words_check("contract", &words, 2, 3) || !read_scopes(scopes, &options.scopes)) {
        return CLI_USAGE;
    }
    bool is_check = slice_equal_text(VERBS[0], words.at[0]);
    if (!is_check && !slice_equal_text(VERBS[1], words.at[0])) {
        cli_say_unknown("verb", slice_from_text(words.at[0]), VERBS, 2);
        return CLI_USAGE;
    }
    if (!cli_words_check("contract", &words, is_check ? 2 : 3, is_check ? 2 : 3)) {
        return CLI_USAGE;
    }
    return is_check ? check(words.at[1], schema) : validate(&words, schema, &options);
}
