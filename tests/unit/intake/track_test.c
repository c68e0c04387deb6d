/* Tracks: how many a store gets, that imports spread over them, and that each is whole whichever it was on. */
#include "fixture.h"

#include "../test.h"
#include "intake/intake_priv.h"
#include "store/store_priv.h"

#define IMPORTS 9
#define ITEMS   5300u /* with chunks for the keeper, for the lane, and a last one */

static unsigned groups;
static struct store_ops ops;

static void tell_facts(struct store *store, struct store_facts *facts)
{
    (void)store;
    facts->groups = groups;
}

/* The intake again, over a store that likes so many groups at a time. */
static void init(struct fixture *fixture, unsigned liked)
{
    fixture_init(fixture, false);
    groups = liked;
    ops = *fixture->store->ops;
    ops.facts = tell_facts;
    fixture_plant(fixture, &ops);
}

static void count(void **state)
{
    (void)state;
    static const struct {
        unsigned liked;
        size_t tracks;
    } rows[] = {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 2}, {9, 4}, {1000, INTAKE_TRACKS}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;
        init(&fixture, rows[i].liked);
        assert_int_equal(fixture.intake->track_count, rows[i].tracks);
        fixture_fini(&fixture);
    }
}

static void spread(void **state)
{
    (void)state;
    struct fixture fixture;
    struct intake_track *entered[INTAKE_TRACKS];
    init(&fixture, 6);
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 3; i++) {
            entered[i] = tracks_enter(fixture.intake);
            assert_ptr_equal(entered[i], &fixture.intake->tracks[i]);
        }
    }
    tracks_leave(entered[1]);
    assert_ptr_equal(tracks_enter(fixture.intake), entered[1]); /* the one with the fewest */
    for (size_t i = 0; i < 3; i++) {
        tracks_leave(entered[i]);
        tracks_leave(entered[i]);
    }
    fixture_fini(&fixture);
}

/* Imports side by side, fed in turn: all are whole, and their tracks are empty behind them. */
static void whole(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batches[IMPORTS];
    struct fixture_options options = {.contract = "cyrexa"};
    init(&fixture, 6);
    for (size_t i = 0; i < IMPORTS; i++) {
        fixture_begin(&fixture, &batches[i], &options);
        assert_ptr_equal(batches[i].import->track, &fixture.intake->tracks[i % 3]);
        fixture_take(&batches[i], SLICE("["));
    }
    for (size_t at = 0; at < ITEMS; at += 500) {
        for (size_t i = 0; i < IMPORTS; i++) {
            struct buf items;
            size_t end = at + 500 < ITEMS ? at + 500 : ITEMS;
            buf_init(&items, 0);
            fixture_items(&items, i * ITEMS + at, i * ITEMS + end, true);
            bool comma = at == 0 && i > 0; /* what fixture_items puts before all but the very first */
            fixture_take(&batches[i], slice_from(buf_view(&items), comma ? 1 : 0));
            buf_fini(&items);
        }
    }
    for (size_t i = 0; i < IMPORTS; i++) {
        fixture_take(&batches[i], SLICE("]"));
        fixture_finish(&batches[i]);
        assert_int_equal(batches[i].answer.error, 0);
        assert_int_equal(batches[i].answer.created, ITEMS);
        fixture_end(&batches[i]);
    }
    assert_int_equal(fixture_customers(&fixture), IMPORTS * ITEMS);
    intake_free(&fixture.intake); /* waits for what was under way; asserts that nothing is left */
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(count), cmocka_unit_test(spread), cmocka_unit_test(whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
