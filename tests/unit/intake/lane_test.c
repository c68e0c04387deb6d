/* The bulk lane: what large imports come to is what small ones come to, in the same order. */
#include "fixture.h"

#include <stdatomic.h>

#include "../test.h"
#include "record/record.h"
#include "store/store_priv.h"

#define ITEMS 7300u

/* Items of which some are another customer's. */
static void body_with_conflicts(struct buf *body, const size_t *at, size_t count)
{
    size_t next = 0;
    buf_init(body, 0);
    buf_append_byte(body, '[');
    for (size_t i = 0; i < ITEMS; i++) {
        if (next < count && at[next] == i) {
            buf_printf(body, "%s{\"id\":\"there%zu\",\"customerName\":\"other\"}", i == 0 ? "" : ",", next++);
        } else {
            fixture_items(body, i, i + 1, true);
        }
    }
    buf_append_byte(body, ']');
}

static void init(struct fixture *fixture, bool tight)
{
    struct fixture_batch batch;
    fixture_init(fixture, tight);
    fixture_post(fixture, &batch, &(struct fixture_options){.contract = "cyrexa"},
                 SLICE("[{\"id\":\"there0\"},{\"id\":\"there1\"},{\"id\":\"there2\"},{\"id\":\"there3\"}]"));
    assert_int_equal(batch.answer.error, 0);
    fixture_end(&batch);
}

static size_t count_lines(struct slice text, const char *part)
{
    size_t count = 0;
    for (const char *at = text.data; (at = strstr(at, part)) != NULL; at++) {
        count++;
    }
    return count;
}

static void conflicts(void **state)
{
    (void)state;
    static const struct {
        size_t at[4];
        size_t count;
    } rows[] = {{{0}, 0}, {{4500}, 1}, {{4000, 4999, 5000, 7299}, 4}, {{10, 4500, 6999, 7000}, 4}, {{7299}, 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int mode = 0; mode < 4; mode++) {
            bool partial = mode % 2 == 1;
            struct fixture fixture;
            struct fixture_batch batch;
            struct buf body;
            struct store_import row;
            struct fixture_options options = {.contract = "cyrexa", .partial = partial, .shape = INTAKE_LINES};
            init(&fixture, mode >= 2);
            body_with_conflicts(&body, rows[i].at, rows[i].count);
            fixture_post(&fixture, &batch, &options, buf_view(&body));
            const struct intake_answer *answer = &batch.answer;
            fixture_row(&fixture, intake_import_id(batch.import), &row);
            bool kept = partial || rows[i].count == 0;
            assert_int_equal(answer->error, kept ? 0 : ERR_EXTERNAL_ID_CONFLICT);
            assert_int_equal(row.state, kept ? IMPORT_COMMITTED : IMPORT_ABORTED);
            assert_int_equal(answer->created, kept ? ITEMS - rows[i].count : 0);
            assert_int_equal(fixture_customers(&fixture), 4 + answer->created);
            /* An atomic import stops at the chunk in which it failed. */
            if (rows[i].count > 0) {
                assert_true(answer->fault_count >= 1);
                assert_int_equal(answer->fault_count, answer->fault_total);
            }
            assert_int_equal(row.faults, answer->fault_total);
            for (size_t j = 0; j < answer->fault_count; j++) {
                assert_int_equal(answer->faults[j].index, rows[i].at[j]);
                assert_string_equal(answer->faults[j].code, "external-id-conflict");
                assert_false(uuid_is_zero(&answer->faults[j].customer));
            }
            if (kept) {
                assert_int_equal(answer->fault_count, rows[i].count);
                buf_append_byte(&batch.reply, 0);
                assert_int_equal(count_lines(buf_view(&batch.reply), "\"outcome\":\"created\""), ITEMS - rows[i].count);
                assert_int_equal(count_lines(buf_view(&batch.reply), "\"outcome\":\"conflict\""), rows[i].count);
            }
            fixture_end(&batch);
            buf_fini(&body);
            fixture_fini(&fixture);
        }
    }
}

/* Two large imports of the same items at once: one has each, the other is told to come again, or the same ids. */
static void side_by_side(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch first, second;
    struct fixture_options options = {.contract = "cyrexa"};
    struct buf body;
    fixture_init(&fixture, false);
    body_with_conflicts(&body, NULL, 0);
    size_t half = body.size / 10 * 8;
    fixture_begin(&fixture, &first, &options);
    fixture_take(&first, slice_make(body.data, half));
    fixture_wait_kept(&fixture, intake_import_id(first.import), 1);
    fixture_post(&fixture, &second, &options, buf_view(&body));
    assert_int_equal(second.answer.error, ERR_BUSY);
    assert_int_equal(second.answer.faults[0].index, 0);
    fixture_end(&second);
    fixture_take(&first, slice_from(buf_view(&body), half));
    fixture_finish(&first);
    assert_int_equal(first.answer.error, 0);
    assert_int_equal(first.answer.created, ITEMS);
    fixture_post(&fixture, &second, &options, buf_view(&body));
    assert_int_equal(second.answer.existing, ITEMS);
    assert_true(slice_equal(buf_view(&first.reply), buf_view(&second.reply)));
    fixture_end(&second);
    fixture_end(&first);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* A dry run of many chunks tells what would be, and keeps nothing. */
static void dry_run(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct buf body;
    struct store_import row;
    struct fixture_options options = {.contract = "cyrexa", .dry_run = true, .shape = INTAKE_COUNTS};
    for (size_t count = 1; count <= ITEMS; count += ITEMS - 1) {
        fixture_init(&fixture, false);
        buf_init(&body, 0);
        buf_append_byte(&body, '[');
        fixture_items(&body, 0, count, true);
        buf_append_byte(&body, ']');
        for (int i = 0; i < 2; i++) { /* the first holds nothing in the way of the second */
            fixture_post(&fixture, &batch, &options, buf_view(&body));
            assert_int_equal(batch.answer.error, 0);
            assert_int_equal(batch.answer.created, count);
            fixture_row(&fixture, intake_import_id(batch.import), &row);
            assert_int_equal(row.state, IMPORT_ABORTED);
            assert_true(row.dry_run);
            fixture_end(&batch);
            assert_int_equal(fixture_customers(&fixture), 0);
        }
        buf_fini(&body);
        fixture_fini(&fixture);
    }
}

/* ---- looking ahead ---- */

static struct {
    const struct store_ops *under;
    struct store_ops over;
    atomic_uint looked; /* chunks that were looked up ahead */
    atomic_uint used;   /* of these, those that were added so */
    atomic_uint added;
} counted;

static struct store_ahead *count_ahead(struct store *store, struct store_chunk *chunk, struct arena *arena,
                                       void (*pause)(void *context), void *context)
{
    assert_non_null(pause);
    struct store_ahead *ahead = counted.under->look_ahead(store, chunk, arena, pause, context);
    atomic_fetch_add(&counted.looked, ahead != NULL ? 1 : 0);
    return ahead;
}

static int count_added(struct store_run *run, struct store_chunk *chunk)
{
    atomic_fetch_add(&counted.added, 1);
    atomic_fetch_add(&counted.used, chunk->ahead != NULL ? 1 : 0);
    return counted.under->run_add(run, chunk);
}

/* The workers look up the keys of every chunk that the lane adds, and of no other. */
static void looked_up_ahead(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa"};
    struct buf body;
    fixture_init(&fixture, false);
    counted.under = fixture.store->ops;
    counted.over = *counted.under;
    counted.over.look_ahead = count_ahead;
    counted.over.run_add = count_added;
    fixture_plant(&fixture, &counted.over);
    body_with_conflicts(&body, NULL, 0);
    fixture_post(&fixture, &batch, &options, buf_view(&body));
    assert_int_equal(batch.answer.created, ITEMS);
    assert_true(counted.added > 0);
    assert_int_equal(counted.used, counted.added);
    assert_int_equal(counted.looked, counted.added);
    fixture_end(&batch);
    buf_fini(&body);
    fixture_plant(&fixture, counted.under);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(conflicts), cmocka_unit_test(side_by_side),
                                       cmocka_unit_test(dry_run), cmocka_unit_test(looked_up_ahead)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
