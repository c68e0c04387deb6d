/* The hashing lane: plain secrets become hashes by themselves, and at once when asked. */
#include "fixture.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "../test.h"
#include "record/record.h"
#include "store/store_priv.h"

static const struct fixture_options CYREXA = {.contract = "cyrexa"};

static void id_of(struct fixture_batch *batch, struct uuid *id)
{
    buf_append_byte(&batch->reply, 0);
    const char *text = strstr(batch->reply.data, "\"customerId\":\"");
    assert_non_null(text);
    assert_true(uuid_from_text(slice_make(text + 14, UUID_TEXT_BYTES), id));
}

static size_t pending_of(struct fixture *fixture, const struct uuid *id)
{
    struct buf row;
    size_t pending = 0;
    buf_init(&row, 0);
    assert_int_equal(store_secrets_get(fixture->store, &fixture->tenant->id, id, NULL, &row), 0);
    assert_int_equal(record_secrets_pending(buf_view(&row), &pending), 0);
    buf_fini(&row);
    return pending;
}

static bool verify(struct fixture *fixture, const struct uuid *id, enum secret_kind kind, const char *value)
{
    bool match = false;
    assert_int_equal(
        registry_secret_verify(&fixture->registry, fixture->tenant, id, kind, slice_from_text(value), &match), 0);
    return match;
}

static void wait_hashed(struct fixture *fixture, const struct uuid *id)
{
    for (int i = 0; i < 2000 && pending_of(fixture, id) > 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(pending_of(fixture, id), 0);
}

static void becomes_ready_by_itself(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct uuid id;
    fixture_init(&fixture, false);
    fixture_post(
        &fixture, &batch, &CYREXA,
        SLICE("[{\"person\":{\"password\":\"one\",\"pinCode\":\"1234\",\"SecretQuestion\":[{\"question\":\"a\","
              "\"answer\":\"rex\"},{\"question\":\"b\",\"answer\":\"blue\"}]}}]"));
    assert_int_equal(batch.answer.error, 0);
    id_of(&batch, &id);
    wait_hashed(&fixture, &id);
    static const struct {
        enum secret_kind kind;
        const char *value;
        bool match;
    } rows[] = {{SECRET_PASSWORD, "one", true}, {SECRET_PASSWORD, "1234", false}, {SECRET_PIN, "1234", true},
                {SECRET_PIN, "", false},        {SECRET_ANSWER, "blue", true},    {SECRET_ANSWER, "rex", true},
                {SECRET_ANSWER, "green", false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(verify(&fixture, &id, rows[i].kind, rows[i].value), rows[i].match);
    }
    struct uuid tenant = {{0}}, next = {{0}};
    assert_int_equal(store_secrets_next_pending(fixture.store, &tenant, &next), ERR_NOT_FOUND);
    fixture_end(&batch);
    fixture_fini(&fixture);
}

/* Behind a long queue of others, a verification does not wait for its turn. */
static void verifying_hashes_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch, queue;
    struct buf body;
    struct uuid id;
    fixture_init(&fixture, false);
    buf_init(&body, 0);
    for (int i = 0; i < 300; i++) {
        buf_printf(&body, "%s{\"person\":{\"password\":\"p%d\"}}", i == 0 ? "[" : ",", i);
    }
    buf_append_text(&body, "]");
    fixture_post(&fixture, &queue, &CYREXA, buf_view(&body));
    fixture_post(&fixture, &batch, &CYREXA, SLICE("[{\"person\":{\"password\":\"mine\"}}]"));
    id_of(&batch, &id);
    assert_int_equal(pending_of(&fixture, &id), 1);
    assert_false(verify(&fixture, &id, SECRET_PASSWORD, "other"));
    assert_int_equal(pending_of(&fixture, &id), 0);
    assert_true(verify(&fixture, &id, SECRET_PASSWORD, "mine"));
    fixture_end(&queue);
    fixture_end(&batch);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* ---- a store that takes its time to tell what is pending ---- */

#define HELD_SECONDS 20

static const struct store_ops *real;
static sem_t inside;
static sem_t let_go;
static atomic_bool holds;
static atomic_bool held_too_long;

static int next_when_let(struct store *store, struct uuid *tenant, struct uuid *id)
{
    if (atomic_exchange(&holds, false)) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += HELD_SECONDS;
        sem_post(&inside);
        atomic_store(&held_too_long, sem_timedwait(&let_go, &until) != 0);
    }
    return real->secrets_next_pending(store, tenant, id);
}

/* Its lane is the only one that asks. */
static void hold_lane(struct fixture *fixture, struct store_ops *planted)
{
    real = fixture->store->ops;
    *planted = *real;
    planted->secrets_next_pending = next_when_let;
    atomic_store(&holds, true);
    fixture_plant(fixture, planted);
    assert_int_equal(sem_wait(&inside), 0);
}

static void commits_do_not_wait_for_the_lane(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct store_ops planted;
    struct uuid id;
    fixture_init(&fixture, false);
    assert_int_equal(sem_init(&inside, 0, 0), 0);
    assert_int_equal(sem_init(&let_go, 0, 0), 0);
    hold_lane(&fixture, &planted);
    fixture_post(&fixture, &batch, &CYREXA, SLICE("[{\"person\":{\"password\":\"mine\"}}]"));
    assert_int_equal(batch.answer.error, 0);
    sem_post(&let_go);
    id_of(&batch, &id);
    wait_hashed(&fixture, &id); /* what woke the lane meanwhile is not forgotten */
    assert_false(atomic_load(&held_too_long));
    fixture_end(&batch);
    intake_free(&fixture.intake);
    fixture.store->ops = real;
    fixture_fini(&fixture);
    sem_destroy(&inside);
    sem_destroy(&let_go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(becomes_ready_by_itself),
                                       cmocka_unit_test(verifying_hashes_at_once),
                                       cmocka_unit_test(commits_do_not_wait_for_the_lane)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
