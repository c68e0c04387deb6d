/* Split: whatever the pieces, the same customers; chunks' limits; what is refused, and where. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "../test.h"

static const struct fixture_options CYREXA = {.contract = "cyrexa"};

/* [{"id":"c0",…},…] with `count` items of about `size` bytes. */
static void make_body(struct buf *body, size_t count, size_t size, const char *prefix)
{
    buf_init(body, 0);
    buf_append_text(body, "[");
    for (size_t i = 0; i < count; i++) {
        buf_printf(body, "%s{\"id\":\"%s%zu\",\"customerName\":\"%0*d\"}", i == 0 ? "" : ",", prefix, i, (int)size, 7);
    }
    buf_append_text(body, "]");
}

static size_t count_ids(const struct buf *reply)
{
    size_t count = 0;
    struct slice left = buf_view(reply);
    const char *found;
    while (left.size > 0 && (found = memmem(left.data, left.size, "\"customerId\":\"", 14)) != NULL) {
        count++;
        left = slice_make(found + 14, left.size - (size_t)(found + 14 - left.data));
    }
    return count;
}

static void every_size_of_piece(void **state)
{
    (void)state;
    struct fixture fixture;
    struct buf body, first;
    fixture_init(&fixture, false);
    make_body(&body, 5, 20, "a");
    buf_init(&first, 0);
    for (size_t piece = 1; piece < 80; piece++) {
        struct fixture_batch batch;
        struct fixture_options options = {.contract = "cyrexa", .piece_size = piece};
        fixture_post(&fixture, &batch, &options, buf_view(&body));
        assert_int_equal(batch.answer.error, 0);
        assert_int_equal(batch.answer.bytes, body.size);
        assert_int_equal(batch.answer.created, piece == 1 ? 5 : 0);
        assert_int_equal(batch.answer.existing, piece == 1 ? 0 : 5);
        if (piece == 1) {
            buf_append_slice(&first, buf_view(&batch.reply));
        }
        assert_true(slice_equal(buf_view(&first), buf_view(&batch.reply)));
        fixture_end(&batch);
    }
    buf_fini(&first);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* Around the limits of a chunk, by count and by bytes; also when an import may have few chunks. */
static void chunk_limits(void **state)
{
    (void)state;
    static const struct {
        size_t count, size;
        uint32_t chunks;
    } rows[] = {{0, 0, 1},    {1, 1, 1},    {999, 1, 1},    {1000, 1, 1},   {1001, 1, 2},
                {2000, 1, 2}, {2001, 1, 3}, {2, 900000, 1}, {3, 900000, 1}, {5, 900000, 2}};
    for (int tight = 0; tight < 2; tight++) {
        struct fixture fixture;
        fixture_init(&fixture, tight == 1);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct buf body;
            struct fixture_batch batch;
            char prefix[16];
            snprintf(prefix, sizeof prefix, "r%zu-", i);
            make_body(&body, rows[i].count, rows[i].size, prefix);
            /* contract limits strings to 256 KiB: long names are for the count of bytes only */
            bool faulty = rows[i].size > 262144;
            struct fixture_options options = {.contract = "cyrexa", .piece_size = 65536};
            fixture_post(&fixture, &batch, &options, buf_view(&body));
            assert_int_equal(batch.answer.error, faulty ? ERR_FAULTS : 0);
            assert_int_equal(batch.answer.item_count, rows[i].count);
            assert_int_equal(batch.answer.fault_total, faulty ? rows[i].count : 0);
            if (!faulty) {
                assert_int_equal(count_ids(&batch.reply), rows[i].count);
            }
            struct store_import row;
            struct buf envelope;
            buf_init(&envelope, 0);
            assert_int_equal(
                store_import_get(fixture.store, &fixture.tenant->id, intake_import_id(batch.import), &row, &envelope),
                0);
            assert_int_equal(row.chunks, rows[i].chunks);
            assert_int_equal(row.state, faulty ? IMPORT_ABORTED : IMPORT_COMMITTED);
            buf_fini(&envelope);
            buf_fini(&body);
            fixture_end(&batch);
        }
        fixture_fini(&fixture);
    }
}

static void refused_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int error;
        size_t offset;
        uint32_t line, column;
    } rows[] = {{"", ERR_MALFORMED_JSON, 0, 1, 1},
                {"[{\"id\":\"a\"}", ERR_CUT_OFF, 11, 1, 12},
                {"[\n  {\"id\": nul}]", ERR_MALFORMED_JSON, 14, 2, 13},
                {"[{},\n{},\n{\"a\":1,\"a\":2}]", ERR_MALFORMED_JSON, 16, 3, 8},
                {"[{}]x", ERR_MALFORMED_JSON, 4, 1, 5},
                {"[{},]", ERR_MALFORMED_JSON, 4, 1, 5},
                {"{}", ERR_MALFORMED_ENVELOPE, 0, 1, 1}};
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t piece = 0; piece < 4; piece++) {
            struct fixture_batch batch;
            struct fixture_options options = {.contract = "cyrexa", .piece_size = piece};
            fixture_post(&fixture, &batch, &options, slice_from_text(rows[i].body));
            if (batch.answer.error != rows[i].error || batch.answer.place.offset != rows[i].offset) {
                fail_msg("%s: %s at %zu", rows[i].body, err_code(batch.answer.error), batch.answer.place.offset);
            }
            assert_non_null(batch.answer.place.reason);
            assert_int_equal(batch.answer.place.offset, rows[i].offset);
            assert_int_equal(batch.answer.place.line, rows[i].line);
            assert_int_equal(batch.answer.place.column, rows[i].column);
            fixture_end(&batch);
        }
    }
    fixture_fini(&fixture);
}

static void item_too_large(void **state)
{
    (void)state;
    struct fixture fixture;
    struct buf body;
    struct fixture_batch batch;
    fixture_init(&fixture, false);
    make_body(&body, 1, (1u << 20) + 1, "big");
    fixture_post(&fixture, &batch, &CYREXA, buf_view(&body));
    assert_int_equal(batch.answer.error, ERR_ITEM_TOO_LARGE);
    assert_int_equal(batch.answer.place.offset, 1);
    fixture_end(&batch);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* The client goes away after the first chunks were kept: nothing of them may be seen. */
static void cut_off(void **state)
{
    (void)state;
    struct fixture fixture;
    struct buf body;
    fixture_init(&fixture, false);
    make_body(&body, 5000, 50, "cut");
    struct fixture_batch batch;
    fixture_begin(&fixture, &batch, &CYREXA);
    struct uuid id = *intake_import_id(batch.import);
    fixture_take(&batch, slice_make(body.data, body.size / 2));
    fixture_end(&batch);
    intake_free(&fixture.intake); /* ends what was taken */
    struct store_import row;
    struct buf text;
    buf_init(&text, 0);
    assert_int_equal(store_import_get(fixture.store, &fixture.tenant->id, &id, &row, &text), 0);
    assert_int_equal(row.state, IMPORT_ABORTED);
    assert_int_equal(row.error, ERR_CUT_OFF);
    struct registry_query query = {.kind = IDENTIFIER_NONE, .limit = 10};
    assert_int_equal(registry_customer_list(&fixture.registry, fixture.tenant, &query, &text), 0);
    assert_true(slice_equal_text(buf_view(&text), "{\"customers\":[]}"));
    buf_fini(&text);
    buf_fini(&body);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_size_of_piece), cmocka_unit_test(chunk_limits),
                                       cmocka_unit_test(refused_bodies), cmocka_unit_test(item_too_large),
                                       cmocka_unit_test(cut_off)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
