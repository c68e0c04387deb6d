/*
 * Feed: what was answered with 202 is taken in, over restarts and however many wait; and what has no place is not
 * answered so. Folders named like imports stand for bodies that can't be read for now: each keeps its place, and the
 * feeder is busy with the first of them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"
#include "base/log.h"
#include "fixture.h"
#include "intake/spool_priv.h"

#define WAITING_MAX 1024u /* of docs/api.md */

static const struct fixture_options LATER = {.contract = "cyrexa", .async = true};

struct place {
    struct fixture fixture;
    char folder[64];
};

static void place_init(struct place *place)
{
    fixture_init(&place->fixture, false);
    snprintf(place->folder, sizeof place->folder, "/tmp/muster-feed-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
}

/* Names that come before those of imports. */
static void path_of(const struct place *place, unsigned number, char path[128])
{
    char name[UUID_TEXT_BYTES + 1];
    struct uuid id = {.bytes = {[14] = (uint8_t)(number >> 8), [15] = (uint8_t)number}};
    uuid_to_text(&id, name);
    snprintf(path, 128, "%s/%s", place->folder, name);
}

static void block(const struct place *place, unsigned count)
{
    char path[128];
    for (unsigned i = 0; i < count; i++) {
        path_of(place, i, path);
        assert_int_equal(mkdir(path, 0700), 0);
    }
}

static void unblock(const struct place *place, unsigned count)
{
    char path[128];
    for (unsigned i = 0; i < count; i++) {
        path_of(place, i, path);
        assert_int_equal(rmdir(path), 0);
    }
}

/* Files that can't be taken in, ever. */
static void put_broken(const struct place *place, unsigned count)
{
    char path[128];
    for (unsigned i = 0; i < count; i++) {
        path_of(place, i, path);
        int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_true(file >= 0);
        close(file);
    }
}

static void remove_broken(const struct place *place, unsigned count)
{
    char path[128];
    for (unsigned i = 0; i < count; i++) {
        path_of(place, i, path);
        assert_int_equal(unlink(path), 0);
    }
}

/* The folder is empty: what was accepted has been taken in. */
static void place_fini(struct place *place)
{
    assert_int_equal(rmdir(place->folder), 0);
    fixture_fini(&place->fixture);
}

static void wait_for_customers(struct fixture *fixture, size_t count)
{
    for (int i = 0; i < 6000 && fixture_customers(fixture) < count; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(fixture_customers(fixture), count);
}

static void post_later(struct fixture *fixture, const char *body)
{
    struct fixture_batch batch;
    fixture_begin(fixture, &batch, &LATER);
    fixture_take(&batch, slice_from_text(body));
    fixture_close(&batch);
    assert_int_equal(batch.answer.error, 0);
    assert_true(batch.answer.accepted);
    fixture_end(&batch);
}

static void taken_in_later(void **state)
{
    (void)state;
    struct place place;
    place_init(&place);
    fixture_restart(&place.fixture, place.folder);
    post_later(&place.fixture, "[{\"id\":\"a\"},{\"id\":\"b\"}]");
    post_later(&place.fixture, "[{\"id\":\"c\"}]");
    wait_for_customers(&place.fixture, 3);
    fixture_restart(&place.fixture, place.folder);
    place_fini(&place);
}

/* However many files there are, a start takes all of them up. */
static void all_are_taken_up(void **state)
{
    (void)state;
    struct place place;
    place_init(&place);
    block(&place, 20); /* the feeder pauses a second with each */
    fixture_restart(&place.fixture, place.folder);
    post_later(&place.fixture, "[{\"id\":\"a\"}]");
    fixture_restart(&place.fixture, NULL);
    assert_int_equal(fixture_customers(&place.fixture), 0);
    unblock(&place, 20);
    put_broken(&place, WAITING_MAX + 100);
    log_set_level(LOG_ERROR + 1); /* a line each */
    fixture_restart(&place.fixture, place.folder);
    wait_for_customers(&place.fixture, 1);
    fixture_restart(&place.fixture, NULL);
    log_set_level(LOG_INFO);
    remove_broken(&place, WAITING_MAX + 100);
    place_fini(&place);
}

static bool is_under_way(const struct place *place, const struct uuid *id)
{
    return intake_is_under_way(place->fixture.intake, &place->fixture.tenant->id, id);
}

/* Whoever looks for imports that were left finds none in what waits, over a restart. */
static void waiting_is_not_left(void **state)
{
    (void)state;
    struct place place;
    struct fixture_batch batch;
    struct intake_progress progress;
    struct uuid other = {{7}};
    place_init(&place);
    block(&place, 1);
    fixture_restart(&place.fixture, place.folder);
    fixture_begin(&place.fixture, &batch, &LATER);
    struct uuid id = *intake_import_id(batch.import);
    fixture_take(&batch, SLICE("[{\"id\":\"a\"}]"));
    fixture_close(&batch);
    assert_true(batch.answer.accepted);
    fixture_end(&batch);
    fixture_restart(&place.fixture, place.folder);
    assert_false(intake_progress(place.fixture.intake, &place.fixture.tenant->id, &id, &progress));
    assert_true(is_under_way(&place, &id));
    assert_false(is_under_way(&place, &other));
    unblock(&place, 1);
    wait_for_customers(&place.fixture, 1);
    while (is_under_way(&place, &id)) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    fixture_restart(&place.fixture, NULL);
    place_fini(&place);
}

/* With every place taken a body is refused before it comes; with the last one gone while it came, at its end. */
static void no_place_no_promise(void **state)
{
    (void)state;
    struct place place;
    struct fixture_batch first, second, third;
    place_init(&place);
    block(&place, WAITING_MAX - 1);
    log_set_level(LOG_ERROR + 1);
    fixture_restart(&place.fixture, place.folder);
    fixture_begin(&place.fixture, &first, &LATER);
    fixture_begin(&place.fixture, &second, &LATER);
    fixture_take(&first, SLICE("[{\"id\":\"first\"}]"));
    fixture_take(&second, SLICE("[{\"id\":\"second\"}]"));
    fixture_close(&first);
    assert_true(first.answer.accepted);
    fixture_close(&second);
    assert_int_equal(second.answer.error, ERR_OVERLOADED);
    assert_false(second.answer.accepted);
    assert_int_equal(fixture_try(&place.fixture, &third, &LATER), ERR_OVERLOADED);
    fixture_end(&first);
    fixture_end(&second);
    fixture_end(&third);
    fixture_restart(&place.fixture, NULL);
    unblock(&place, WAITING_MAX - 1);
    fixture_restart(&place.fixture, place.folder); /* there is room again, and what was promised is kept */
    wait_for_customers(&place.fixture, 1);
    post_later(&place.fixture, "[{\"id\":\"second\"}]");
    wait_for_customers(&place.fixture, 2);
    fixture_restart(&place.fixture, NULL);
    log_set_level(LOG_INFO);
    place_fini(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(taken_in_later), cmocka_unit_test(all_are_taken_up),
                                       cmocka_unit_test(waiting_is_not_left), cmocka_unit_test(no_place_no_promise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
