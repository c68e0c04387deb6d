/*
 * Every form says the same customers: CSV and NDJSON give the items that JSON has, zstd unpacks to the JSON, and a
 * body made in runs is the body made at once. Rows of CSV pass their contract without a finding.
 */
#include "../test.h"

#include <stdlib.h>

#include "cli/bench_forms.h"
#include "contract/builtin.h"
#include "contract/contract.h"
#include "csv/csv.h"
#include "unpack/unpack.h"

#define CUSTOMERS 600
#define FIRST     41

static const struct bench_source SOURCES[] = {
    {.seed = 1, .shape = BENCH_CYREXA},
    {.seed = 1, .shape = BENCH_CYREXA, .plain_secrets = true},
    {.seed = 7, .shape = BENCH_NEXERA},
};

/* In runs of different lengths, an empty one among them. */
static void make(const struct bench_source *source, enum bench_form form, struct buf *out)
{
    struct bench_maker *maker = bench_maker_new(source, form, "a \"project\"");
    assert_non_null(maker);
    buf_init(out, 0);
    for (int round = 0; round < 2; round++) {
        buf_clear(out);
        bench_maker_begin(maker, out);
        bench_maker_customers(maker, FIRST, 1, out);
        bench_maker_customers(maker, FIRST + 1, 0, out);
        bench_maker_customers(maker, FIRST + 1, CUSTOMERS - 1, out);
        bench_maker_end(maker, out);
    }
    assert_int_equal(buf_error(out), 0);
    bench_maker_free(&maker);
    assert_null(maker);
}

static void json_in_runs_is_the_whole_body(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(SOURCES); s++) {
        struct buf made;
        struct buf whole;
        buf_init(&whole, 0);
        bench_body(&SOURCES[s], FIRST, CUSTOMERS, "a \"project\"", &whole);
        make(&SOURCES[s], BENCH_JSON, &made);
        assert_true(slice_equal(buf_view(&made), buf_view(&whole)));
        buf_fini(&made);
        buf_fini(&whole);
    }
}

static void lines_are_the_customers(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(SOURCES); s++) {
        struct buf made;
        struct buf whole;
        buf_init(&whole, 0);
        for (uint64_t i = 0; i < CUSTOMERS; i++) {
            bench_customer(&SOURCES[s], FIRST + i, &whole, NULL);
            buf_append_byte(&whole, '\n');
        }
        make(&SOURCES[s], BENCH_NDJSON, &made);
        assert_true(slice_equal(buf_view(&made), buf_view(&whole)));
        buf_fini(&made);
        buf_fini(&whole);
    }
}

static void zstd_is_the_json_packed(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(SOURCES); s++) {
        struct buf packed;
        struct buf json;
        struct buf plain;
        make(&SOURCES[s], BENCH_ZSTD, &packed);
        make(&SOURCES[s], BENCH_JSON, &json);
        buf_init(&plain, 0);
        assert_in_range(packed.size, 1, json.size / 2);
        struct unpack *unpack = unpack_new(UNPACK_ZSTD);
        struct slice left = buf_view(&packed);
        struct slice piece;
        const char *why;
        do {
            assert_int_equal(unpack_next(unpack, &left, &piece, &why), 0);
            buf_append_slice(&plain, piece);
        } while (left.size > 0 || piece.size > 0);
        assert_int_equal(unpack_end(unpack, &why), 0);
        assert_true(slice_equal(buf_view(&plain), buf_view(&json)));
        unpack_free(&unpack);
        buf_fini(&packed);
        buf_fini(&json);
        buf_fini(&plain);
    }
}

/* ---- CSV ---- */

struct reading {
    const struct bench_source *source;
    struct contract *contract;
    struct csv_header *header;
    struct json_parser *parser;
    struct arena *arena;
    uint64_t rows;
};

/* Every column must be a place that the contract knows. */
static unsigned types_of(void *context, struct slice pointer)
{
    unsigned types = contract_item_types(context, pointer);
    return ((types & CONTRACT_TYPE_STRING) != 0 ? CSV_STRING : 0) |
           ((types & (CONTRACT_TYPE_NUMBER | CONTRACT_TYPE_INTEGER)) != 0 ? CSV_NUMBER : 0) |
           ((types & CONTRACT_TYPE_BOOLEAN) != 0 ? CSV_BOOLEAN : 0);
}

static void canonical(struct reading *reading, struct buf *text, struct buf *out, struct contract_result *result)
{
    struct json_doc doc;
    struct json_error error;
    struct contract_options options = {.scopes = SCOPE_CUSTOMERS_CREATE, .fault_limit = 10};
    assert_int_equal(buf_reserve(text, JSON_PADDING), 0);
    assert_int_equal(json_parse(reading->parser, buf_view(text), &JSON_LIMITS_DEFAULT, &doc, &error), 0);
    arena_rewind(reading->arena);
    assert_int_equal(contract_check_item(reading->contract, &doc, &options, reading->arena, result), 0);
    json_append_canonical(out, &doc, json_root(&doc), NULL, 0);
}

static void compare_row(struct reading *reading, struct slice row)
{
    struct json_error error;
    struct contract_result result;
    struct buf texts[4];
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf_init(&texts[i], 0);
    }
    assert_int_equal(csv_row_to_json(reading->header, row, &texts[0], &error), 0);
    bench_customer(reading->source, FIRST + reading->rows++, &texts[1], NULL);
    canonical(reading, &texts[1], &texts[3], &result);
    canonical(reading, &texts[0], &texts[2], &result);
    assert_int_equal(result.fault_total + result.finding_count, 0);
    assert_true(slice_equal(buf_view(&texts[2]), buf_view(&texts[3])));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf_fini(&texts[i]);
    }
}

static void take_row(struct reading *reading, struct slice row)
{
    struct buf why;
    size_t at;
    if (reading->header != NULL) {
        compare_row(reading, row);
        return;
    }
    buf_init(&why, 0);
    assert_int_equal(csv_header_compile(row, SLICE_NONE, types_of, reading->contract, &reading->header, &at, &why), 0);
    assert_int_equal(csv_header_known(reading->header), csv_header_columns(reading->header));
    buf_fini(&why);
}

static void read_csv(struct reading *reading, struct slice body)
{
    struct csv_splitter *splitter = csv_splitter_new();
    struct buf row;
    struct slice bytes;
    enum json_split_event event;
    buf_init(&row, 0);
    while ((event = csv_splitter_next(splitter, &body, &bytes)) != JSON_SPLIT_MORE) {
        assert_int_not_equal(event, JSON_SPLIT_ERROR);
        buf_append_slice(&row, bytes);
        if (event == JSON_SPLIT_ITEM_END) {
            take_row(reading, buf_view(&row));
            buf_clear(&row);
        }
    }
    buf_fini(&row);
    csv_splitter_free(&splitter);
}

static void rows_are_the_customers(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(SOURCES); s++) {
        struct reading reading = {.source = &SOURCES[s],
                                  .parser = json_parser_new(BENCH_CUSTOMER_BYTES),
                                  .arena = arena_new(1u << 16, 1u << 24)};
        struct buf why;
        struct buf body;
        buf_init(&why, 0);
        assert_int_equal(contract_compile(contract_builtin((size_t)SOURCES[s].shape), &reading.contract, &why), 0);
        make(&SOURCES[s], BENCH_CSV, &body);
        read_csv(&reading, buf_view(&body));
        assert_int_equal(reading.rows, CUSTOMERS);
        buf_fini(&body);
        buf_fini(&why);
        csv_header_free(&reading.header);
        contract_free(&reading.contract);
        json_parser_free(&reading.parser);
        arena_free(&reading.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_in_runs_is_the_whole_body),
        cmocka_unit_test(lines_are_the_customers),
        cmocka_unit_test(zstd_is_the_json_packed),
        cmocka_unit_test(rows_are_the_customers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
