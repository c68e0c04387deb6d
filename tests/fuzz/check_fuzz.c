/* The first byte picks a built-in contract and strictness, the rest is an item. Every place that is
 * told exists; the document that would be kept is JSON without a secret, and passes like the item. */
#include <assert.h>

#include "base/limits.h"
#include "contract/builtin.h"
#include "contract/contract.h"

static struct contract *contracts[3];
static struct json_parser *parser;
static struct arena *arena;

static int check(struct buf *text, uint8_t pick, struct json_doc *doc, struct contract_result *result)
{
    struct contract_options options = {.scopes = SCOPE_ALL, .strict = pick & 0x80, .fault_limit = 20};
    assert(buf_reserve(text, JSON_PADDING) == 0);
    int err = json_parse(parser, buf_view(text), &JSON_LIMITS_DEFAULT, doc, &(struct json_error){0});
    assert(err != 0 || contract_check_item(contracts[pick % 3], doc, &options, arena, result) == 0);
    return err;
}

static void places(const struct json_doc *doc, const struct contract_fault *faults, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(faults[i].detail.size > 0 && json_at_pointer(doc, json_root(doc), faults[i].pointer) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = {0}, kept = {0}, why = {0};
    struct contract_result result;
    struct json_doc doc;
    for (size_t i = 0; i < 3 && contracts[i] == NULL; i++) {
        assert(contract_compile(contract_builtin(i), &contracts[i], &why) == 0);
    }
    parser = parser != NULL ? parser : json_parser_new(LIMIT_ITEM_BYTES);
    arena = arena != NULL ? arena : arena_new(1u << 16, 256u << 20);
    buf_append(&text, data + (size > 0), size > 0 ? size - 1 : 0);
    if (size <= LIMIT_ITEM_BYTES && check(&text, size > 0 ? data[0] : 0, &doc, &result) == 0) {
        bool clean = result.fault_total == 0;
        places(&doc, result.faults, result.fault_count);
        places(&doc, result.findings, result.finding_count);
        json_append_minified(&kept, &doc, json_root(&doc), result.edits, result.edit_count);
        assert(check(&kept, data[0], &doc, &result) == 0 && (!clean || result.fault_total == 0));
        for (size_t i = 0; clean && i < result.fact_count; i++) {
            assert(result.facts[i].role != FACT_SECRET);
        }
    }
    arena_rewind(arena);
    buf_fini(&text);
    buf_fini(&kept);
    return 0;
}
