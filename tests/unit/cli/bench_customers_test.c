/* What the measurements rest on: customers are valid JSON, repeatable, unique, and of the stated size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/map.h"
#include "cli/bench_customers.h"
#include "contract/builtin.h"
#include "contract/contract.h"
#include "crypto/crypto.h"
#include "json/json.h"

#define CUSTOMERS 20000

static const struct bench_source SOURCES[] = {
    {.seed = 1, .shape = BENCH_CYREXA},
    {.seed = 1, .shape = BENCH_CYREXA, .plain_secrets = true},
    {.seed = 7, .shape = BENCH_NEXERA},
};
#define SOURCE_COUNT (sizeof SOURCES / sizeof SOURCES[0])

static void parse(struct json_parser *parser, struct buf *text, struct json_doc *doc)
{
    struct json_error error;
    assert_int_equal(buf_reserve(text, JSON_PADDING), 0);
    memset(text->data + text->size, 0, JSON_PADDING);
    assert_int_equal(json_parse(parser, buf_view(text), &JSON_LIMITS_DEFAULT, doc, &error), 0);
}

static void put_unique(struct map *map, struct slice key, uint64_t n)
{
    assert_true(key.size > 0);
    assert_false(map_get(map, key, NULL));
    assert_int_equal(map_put(map, key, n), 0);
}

static void customers_are_json_and_unique(void **state)
{
    (void)state;
    struct json_parser *parser = json_parser_new(BENCH_CUSTOMER_BYTES);
    for (size_t s = 0; s < SOURCE_COUNT; s++) {
        struct map *map = map_new();
        struct buf text;
        buf_init(&text, 0);
        for (uint64_t n = 0; n < CUSTOMERS; n++) {
            struct bench_keys keys;
            struct json_doc doc;
            buf_clear(&text);
            bench_customer(&SOURCES[s], n, &text, &keys);
            put_unique(map, keys.external_id, n);
            put_unique(map, keys.first, n);
            put_unique(map, keys.second, n);
            parse(parser, &text, &doc);
            assert_null(memchr(text.data, '\\', text.size));
        }
        assert_int_equal(map_count(map), 3 * CUSTOMERS);
        buf_fini(&text);
        map_free(&map);
    }
    json_parser_free(&parser);
}

static void sizes_are_as_stated(void **state)
{
    (void)state;
    static const struct {
        size_t source;
        size_t least;
        size_t most;
    } rows[] = {{0, 1600, 1700}, {2, 720, 780}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text;
        buf_init(&text, 0);
        for (uint64_t n = 0; n < CUSTOMERS; n++) {
            bench_customer(&SOURCES[rows[i].source], n, &text, NULL);
        }
        assert_in_range(text.size / CUSTOMERS, rows[i].least, rows[i].most);
        buf_fini(&text);
    }
}

static void a_customer_depends_on_seed_and_number_only(void **state)
{
    (void)state;
    struct bench_source other = SOURCES[0];
    struct buf first;
    struct buf second;
    other.seed++;
    buf_init(&first, 0);
    buf_init(&second, 0);
    bench_customer(&SOURCES[0], 41, &second, NULL);
    buf_clear(&second);
    bench_customer(&SOURCES[0], 42, &first, NULL);
    bench_customer(&SOURCES[0], 42, &second, NULL);
    assert_true(slice_equal(buf_view(&first), buf_view(&second)));
    buf_clear(&second);
    bench_customer(&other, 42, &second, NULL);
    assert_false(slice_equal(buf_view(&first), buf_view(&second)));
    buf_fini(&first);
    buf_fini(&second);
}

/* The contract is kept without a finding, and the only secrets are ready-made hashes (unless asked). */
static void customers_pass_their_contract(void **state)
{
    (void)state;
    struct json_parser *parser = json_parser_new(BENCH_CUSTOMER_BYTES);
    struct arena *arena = arena_new(1u << 16, 1u << 24);
    for (size_t s = 0; s < SOURCE_COUNT; s++) {
        struct contract *contract = NULL;
        struct buf text;
        buf_init(&text, 0);
        assert_int_equal(contract_compile(contract_builtin((size_t)SOURCES[s].shape), &contract, &text), 0);
        uint64_t hashes = 0;
        uint64_t plain = 0;
        for (uint64_t n = 0; n < CUSTOMERS / 10; n++) {
            struct contract_options options = {.scopes = SCOPE_CUSTOMERS_CREATE, .fault_limit = 10};
            struct contract_result result;
            struct json_doc doc;
            buf_clear(&text);
            bench_customer(&SOURCES[s], n, &text, NULL);
            parse(parser, &text, &doc);
            arena_rewind(arena);
            assert_int_equal(contract_check_item(contract, &doc, &options, arena, &result), 0);
            if (result.fault_total + result.finding_count > 0) {
                const struct contract_fault *fault = result.fault_total > 0 ? result.faults : result.findings;
                fail_msg("%s %.*s: %.*s: %.*s", fault->code, SLICE_ARG(fault->pointer), SLICE_ARG(fault->detail),
                         SLICE_ARG(buf_view(&text)));
            }
            for (size_t i = 0; i < result.fact_count; i++) {
                bool secret = result.facts[i].role == FACT_SECRET;
                bool hash = secret && crypto_hash_recognise(result.facts[i].value) == CRYPTO_HASH_BCRYPT;
                hashes += hash ? 1 : 0;
                plain += secret && !hash ? 1 : 0;
            }
        }
        assert_int_equal(plain, SOURCES[s].plain_secrets ? CUSTOMERS / 10 : 0);
        assert_int_equal(hashes > 0, SOURCES[s].shape == BENCH_CYREXA && !SOURCES[s].plain_secrets);
        contract_free(&contract);
        buf_fini(&text);
    }
    arena_free(&arena);
    json_parser_free(&parser);
}

static void bodies_have_their_envelope(void **state)
{
    (void)state;
    struct json_parser *parser = json_parser_new(16 * BENCH_CUSTOMER_BYTES);
    for (size_t s = 0; s < SOURCE_COUNT; s++) {
        struct buf text;
        struct json_doc doc;
        buf_init(&text, 0);
        bench_body(&SOURCES[s], 100, 9, "a \"project\"", &text);
        parse(parser, &text, &doc);
        json_at array = json_root(&doc);
        if (SOURCES[s].shape == BENCH_NEXERA) {
            json_at project = json_member(&doc, array, SLICE("cmsProjectId"));
            assert_true(slice_equal_text(json_string(&doc, project), "a \"project\""));
            array = json_member(&doc, array, SLICE("customerData"));
        }
        assert_int_equal(json_count(&doc, array), 9);
        buf_fini(&text);
    }
    json_parser_free(&parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(customers_are_json_and_unique),
        cmocka_unit_test(sizes_are_as_stated),
        cmocka_unit_test(a_customer_depends_on_seed_and_number_only),
        cmocka_unit_test(customers_pass_their_contract),
        cmocka_unit_test(bodies_have_their_envelope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
