/* Any bytes as a schema and as a contract file: compiled or refused with a reason; what compiles is
 * described and run over its own text. */
#include <assert.h>

#include "base/limits.h"
#include "contract/contract.h"

static void run(const struct contract *contract, struct slice padded)
{
    struct contract_options options = {.scopes = SCOPE_ALL, .fault_limit = 10};
    struct contract_result result;
    struct json_doc doc;
    struct buf described = {0};
    struct arena *arena = arena_new(4096, 64u << 20);
    struct json_parser *parser = json_parser_new(padded.size);
    assert(json_parse(parser, padded, &JSON_LIMITS_DEFAULT, &doc, &(struct json_error){0}) == 0);
    contract_describe(contract, &described);
    assert(described.size > 0);
    assert(contract_check_item(contract, &doc, &options, arena, &result) == 0);
    assert(result.fault_count <= 10 && result.fault_count <= result.fault_total);
    assert(contract_check_envelope(contract, &doc, &options, arena, &result) == 0);
    buf_fini(&described);
    json_parser_free(&parser);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int bare = 0; bare < 2 && size <= 1u << 16; bare++) {
        struct contract *contract;
        struct buf text = {0}, why = {0};
        buf_append(&text, data, size);
        assert(buf_reserve(&text, JSON_PADDING) == 0);
        int err = bare ? contract_compile_schema(buf_view(&text), &contract, &why)
                       : contract_compile(buf_view(&text), &contract, &why);
        assert(err == 0 || err == ERR_CONTRACT);
        assert((err == 0) == (contract != NULL) && (err == 0) == (why.size == 0));
        if (err == 0) {
            run(contract, buf_view(&text));
        }
        contract_free(&contract);
        buf_fini(&text);
        buf_fini(&why);
    }
    return 0;
}
