/* Order: whatever order the workers end in, faults, counts and ids are those of the body. */
#include "fixture.h"

#include <stdlib.h>

#include "../test.h"
#include "intake/intake_priv.h"

static const struct fixture_options CYREXA = {.contract = "cyrexa", .piece_size = 100000};

/* `count` items; those whose index is in `bad` have a fault, every third has a finding. */
static void make_body(struct buf *body, size_t count, const size_t *bad, size_t bad_count)
{
    buf_init(body, 0);
    for (size_t i = 0; i < count; i++) {
        bool faulty = false;
        for (size_t j = 0; j < bad_count; j++) {
            faulty = faulty || bad[j] == i;
        }
        buf_printf(body, "%s{\"id\":%s%zu%s%s}", i == 0 ? "[" : ",", faulty ? "" : "\"", i, faulty ? "" : "\"",
                   i % 3 == 0 ? ",\"nickname\":\"x\"" : "");
    }
    buf_append_text(body, "]");
}

static void get_row(const struct fixture *fixture, const struct fixture_batch *batch, struct store_import *row)
{
    struct buf envelope;
    buf_init(&envelope, 0);
    assert_int_equal(
        store_import_get(fixture->store, &fixture->tenant->id, intake_import_id(batch->import), row, &envelope), 0);
    buf_fini(&envelope);
}

/* Faults stand in the order of the body, wherever their chunks ended; the row counts all of it. */
static void faults_in_order(void **state)
{
    (void)state;
    static const struct {
        size_t bad[4];
        size_t count;
    } rows[] = {{{0}, 1}, {{14999}, 1}, {{999, 1000}, 2}, {{3, 5500, 5501, 14000}, 4}, {{0}, 0}};
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture_batch batch;
        struct store_import row;
        struct buf body;
        make_body(&body, 15000, rows[i].bad, rows[i].count);
        fixture_post(&fixture, &batch, &CYREXA, buf_view(&body));
        assert_int_equal(batch.answer.error, rows[i].count > 0 ? ERR_FAULTS : 0);
        assert_int_equal(batch.answer.fault_count, rows[i].count);
        for (size_t j = 0; j < rows[i].count; j++) {
            assert_int_equal(batch.answer.faults[j].index, rows[i].bad[j]);
        }
        assert_int_equal(batch.answer.item_count, 15000);
        assert_int_equal(batch.answer.findings, 5000);
        assert_int_equal(batch.answer.created, rows[i].count > 0 ? 0 : 15000);
        get_row(&fixture, &batch, &row);
        assert_int_equal(row.state, rows[i].count > 0 ? IMPORT_ABORTED : IMPORT_COMMITTED);
        assert_int_equal(row.received, 15000);
        assert_int_equal(row.findings, 5000);
        assert_int_equal(row.faults, rows[i].count);
        assert_int_equal(row.finding_counts[0].count, 5000);
        assert_string_equal(row.finding_counts[0].code, "unnamed-member");
        assert_int_equal(row.finding_counts[1].count, 0);
        fixture_end(&batch);
        buf_fini(&body);
    }
    fixture_fini(&fixture);
}

/* The first error in the body is the one that is told, with its place; faults before it are listed too. */
static void first_error_wins(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct buf body;
    static const size_t bad[] = {10, 2500};
    fixture_init(&fixture, false);
    for (int round = 0; round < 10; round++) {
        make_body(&body, 12000, bad, 2);
        char *first = strstr(body.data, "{\"id\":\"4100\"");
        char *second = strstr(body.data, "{\"id\":\"9000\"");
        assert_non_null(first);
        assert_non_null(second);
        memcpy(first + 1, "'id'", 4);
        memcpy(second + 1, "'id'", 4);
        fixture_post(&fixture, &batch, &CYREXA, buf_view(&body));
        assert_int_equal(batch.answer.error, ERR_MALFORMED_JSON);
        assert_int_equal(batch.answer.place.offset, (size_t)(first - body.data) + 1);
        assert_int_equal(batch.answer.fault_count, 2);
        assert_int_equal(batch.answer.faults[1].index, 2500);
        fixture_end(&batch);
        buf_fini(&body);
    }
    fixture_fini(&fixture);
}

/* A chunk that is early waits for those before it. The chunks here are made by hand and ended backwards. */
static void early_chunks_wait(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct intake_chunk *chunks[4];
    fixture_init(&fixture, false);
    fixture_begin(&fixture, &batch, &CYREXA);
    for (uint32_t i = 0; i < 4; i++) {
        struct chunk_item item = {0};
        chunks[i] = chunk_take(batch.import, true);
        assert_non_null(chunks[i]);
        chunks[i]->number = i;
        chunks[i]->shipped = true;
        chunks[i]->fault_total = 1;
        chunks[i]->faults = arena_take(chunks[i]->arena, sizeof *chunks[i]->faults);
        chunks[i]->faults[0] = (struct intake_fault){.index = i, .code = "type"};
        chunks[i]->fault_count = 1;
        buf_append(&chunks[i]->items, &item, sizeof item);
    }
    for (size_t i = 4; i-- > 0;) {
        order_chunk(chunks[i]);
        assert_int_equal(batch.import->next, i == 0 ? 4 : 0);
    }
    assert_int_equal(batch.import->fault_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(batch.import->faults[i].index, i);
    }
    assert_int_equal(batch.import->counts.progress.received, 4);
    assert_int_equal(batch.import->held, 0); /* a failed import's chunks go back at once */
    batch.import->shipped = 4;
    fixture_end(&batch);
    fixture_fini(&fixture);
}

/* The list of faults is bounded. */
static void list_is_bounded(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    fixture_init(&fixture, false);
    fixture_begin(&fixture, &batch, &CYREXA);
    for (size_t i = 0; i < LIMIT_FAULTS + 7; i++) {
        char text[2] = {(char)('a' + i % 26), 0};
        struct intake_fault fault = {.index = i, .code = "x", .detail = slice_from_text(text)};
        import_add_fault(batch.import, &fault);
    }
    assert_int_equal(batch.import->fault_count, LIMIT_FAULTS);
    assert_true(slice_equal_text(batch.import->faults[27].detail, "b")); /* a copy */
    fixture_end(&batch);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(faults_in_order), cmocka_unit_test(first_error_wins),
                                       cmocka_unit_test(early_chunks_wait), cmocka_unit_test(list_is_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
