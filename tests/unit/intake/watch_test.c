/* Watch: how far an import is, and its end by request, wherever it stands: under way, left by its client, ended. */
#include "fixture.h"

#include <time.h>

#include "../test.h"
#include "intake/intake_priv.h"

static struct uuid begin(struct fixture *fixture, struct fixture_batch *batch, const struct fixture_options *options,
                         size_t items, uint32_t kept)
{
    struct buf part;
    buf_init(&part, 0);
    buf_append_byte(&part, '[');
    fixture_items(&part, 0, items, true);
    fixture_begin_again(fixture, batch, options);
    struct uuid id = *intake_import_id(batch->import);
    fixture_take(batch, buf_view(&part));
    fixture_wait_kept(fixture, &id, kept);
    buf_fini(&part);
    return id;
}

static int stop(struct fixture *fixture, const struct uuid *id)
{
    return intake_abort(fixture->intake, &fixture->tenant->id, id);
}

/* Its request is over when the last of its chunks is. */
static void wait_gone(struct fixture *fixture, const struct uuid *id)
{
    struct intake_progress progress;
    while (intake_progress(fixture->intake, &fixture->tenant->id, id, &progress)) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void assert_state(struct fixture *fixture, const struct uuid *id, enum import_state state)
{
    struct store_import row;
    fixture_row(fixture, id, &row);
    assert_int_equal(row.state, state);
}

static void progress(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct intake_progress progress;
    fixture_init(&fixture, false);
    struct uuid id = begin(&fixture, &batch, &(struct fixture_options){.contract = "cyrexa"}, 2100, 2);
    assert_true(intake_progress(fixture.intake, &fixture.tenant->id, &id, &progress));
    assert_true(progress.received >= 2000 && progress.received <= 2100);
    assert_true(progress.created <= progress.received);
    assert_true(progress.bytes > 20000 && progress.started_ms > 0);
    struct uuid other = {{1}};
    assert_false(intake_progress(fixture.intake, &other, &id, &progress)); /* another tenant */
    assert_false(intake_progress(fixture.intake, &fixture.tenant->id, &other, &progress));
    fixture_take(&batch, SLICE("]"));
    fixture_finish(&batch);
    assert_int_equal(batch.answer.created, 2100);
    fixture_end(&batch);
    wait_gone(&fixture, &id);
    fixture_fini(&fixture);
}

/* Under way, with nothing kept, with chunks kept, and with the bulk lane at work. */
static void abort_under_way(void **state)
{
    (void)state;
    static const struct {
        size_t items;
        uint32_t kept;
        const char *key;
    } rows[] = {{1, 0, NULL}, {1, 0, "k"}, {2500, 1, NULL}, {2500, 1, "k"}, {6500, 4, NULL}, {6500, 4, "k"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;
        struct fixture_batch batch;
        struct fixture_options options = {.contract = "cyrexa", .key = rows[i].key};
        struct uuid other = {{1}};
        fixture_init(&fixture, false);
        struct uuid id = begin(&fixture, &batch, &options, rows[i].items, rows[i].kept);
        assert_int_equal(intake_abort(fixture.intake, &other, &id), ERR_NOT_FOUND);
        assert_int_equal(stop(&fixture, &id), 0);
        assert_int_equal(stop(&fixture, &id), 0); /* it still will be */
        fixture_take(&batch, SLICE(",{\"id\":\"late\"}]"));
        fixture_finish(&batch);
        assert_int_equal(batch.answer.error, ERR_ABORTED);
        assert_int_equal(stop(&fixture, &id), ERR_IMPORT_ENDED);
        assert_state(&fixture, &id, IMPORT_ABORTED);
        fixture_end(&batch);
        assert_int_equal(fixture_customers(&fixture), 0);
        /* What it held is free, and so is its key. */
        begin(&fixture, &batch, &options, 2100, 2);
        fixture_take(&batch, SLICE("]"));
        fixture_finish(&batch);
        assert_int_equal(batch.answer.error, 0);
        assert_int_equal(batch.answer.created, 2100);
        fixture_end(&batch);
        fixture_fini(&fixture);
    }
}

/* An import whose client is gone stays open for a retry, and ends at once by request: also while its request is
 * still being answered, which is when `release` comes last. */
static void abort_left(void **state)
{
    (void)state;
    for (int answering = 0; answering < 2; answering++) {
        struct fixture fixture;
        struct fixture_batch batch;
        struct fixture_options options = {.contract = "cyrexa", .key = "k"};
        fixture_init(&fixture, false);
        struct uuid id = begin(&fixture, &batch, &options, 2500, 2);
        if (answering) { /* the body of another client: told so, while the import stays */
            struct fixture_batch other;
            fixture_end(&batch);
            fixture_begin_again(&fixture, &other, &options);
            fixture_take(&other, SLICE("[{\"id\":\"other\"}]"));
            fixture_finish(&other);
            assert_int_equal(other.answer.error, ERR_KEY_REUSED);
            assert_state(&fixture, &id, IMPORT_OPEN);
            assert_int_equal(stop(&fixture, &id), 0);
            assert_state(&fixture, &id, IMPORT_ABORTED);
            fixture_end(&other);
        } else {
            fixture_end(&batch);
            wait_gone(&fixture, &id);
            assert_state(&fixture, &id, IMPORT_OPEN);
            assert_int_equal(stop(&fixture, &id), 0);
        }
        assert_state(&fixture, &id, IMPORT_ABORTED);
        assert_int_equal(stop(&fixture, &id), ERR_IMPORT_ENDED);
        struct uuid again = begin(&fixture, &batch, &options, 1500, 1);
        assert_false(uuid_equal(&again, &id)); /* the key is free: it is the first */
        fixture_take(&batch, SLICE("]"));
        fixture_finish(&batch);
        assert_int_equal(batch.answer.created, 1500);
        fixture_end(&batch);
        fixture_fini(&fixture);
    }
}

static struct intake_import make_import(const struct fixture *fixture, struct uuid id, int64_t started_ms)
{
    struct intake_import import = {.intake = fixture->intake, .id = id, .started_ms = started_ms, .references = 2};
    import.row.tenant = fixture->tenant->id;
    return import;
}

static void hide(struct intake_import *import)
{
    pthread_mutex_lock(&import->intake->lock);
    import_hide(import);
    pthread_mutex_unlock(&import->intake->lock);
}

/* A request that ends late does not hide the one that goes on with its import. */
static void newer_stays_shown(void **state)
{
    (void)state;
    struct fixture fixture;
    struct uuid id = {{9}};
    struct intake_progress progress;
    fixture_init(&fixture, false);
    struct intake_import older = make_import(&fixture, id, 1);
    struct intake_import newer = make_import(&fixture, id, 2);
    pthread_mutex_init(&older.lock, NULL);
    pthread_mutex_init(&newer.lock, NULL);
    assert_int_equal(import_show(&older), 0);
    assert_int_equal(import_show(&newer), 0);
    hide(&older);
    assert_true(intake_progress(fixture.intake, &fixture.tenant->id, &id, &progress));
    assert_int_equal(progress.started_ms, 2);
    hide(&newer);
    assert_false(intake_progress(fixture.intake, &fixture.tenant->id, &id, &progress));
    pthread_mutex_destroy(&older.lock);
    pthread_mutex_destroy(&newer.lock);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(progress), cmocka_unit_test(abort_under_way),
                                       cmocka_unit_test(abort_left), cmocka_unit_test(newer_stays_shown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
