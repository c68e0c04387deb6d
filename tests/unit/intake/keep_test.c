/* Keep: same content, other content, repeats within a body, and many imports at once. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../test.h"
#include "intake/intake_priv.h"

static const struct fixture_options CYREXA = {.contract = "cyrexa"};

static void post(struct fixture *fixture, struct fixture_batch *batch, const char *body)
{
    fixture_post(fixture, batch, &CYREXA, slice_from_text(body));
}

static void outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int error;
        uint64_t created, existing;
        int conflict; /* index of the item at fault, or -1 */
    } rows[] = {
        {"[{\"id\":\"a\",\"customerName\":\"x\"}]", 0, 1, 0, -1},
        {"[{\"customerName\":\"\\u0078\",  \"id\":\"a\"}]", 0, 0, 1, -1},
        {"[{\"id\":\"a\",\"customerName\":\"y\"}]", ERR_EXTERNAL_ID_CONFLICT, 0, 0, 0},
        {"[{\"id\":\"b\"},{\"id\":\"a\"}]", ERR_EXTERNAL_ID_CONFLICT, 0, 0, 1},
        {"[{\"id\":\"b\"},{\"id\":\"b\"}]", 0, 1, 1, -1},
        {"[{\"id\":\"c\"},{\"id\":\"c\",\"customerName\":\"x\"}]", ERR_EXTERNAL_ID_CONFLICT, 0, 0, 1},
        {"[{\"id\":\"c\",\"customerStatus\":\"under_verification\"}]", 0, 1, 0, -1},
        {"[{\"id\":\"c\",\"customerStatus\":\"under_verificaiton\"}]", 0, 0, 1, -1},
        {"[{\"id\":\"d\",\"person\":{\"password\":\"one\"}}]", 0, 1, 0, -1},
        {"[{\"id\":\"d\",\"person\":{\"password\":\"two\"}}]", ERR_EXTERNAL_ID_CONFLICT, 0, 0, 0},
        {"[{\"id\":\"d\",\"person\":{\"password\":\"one\"}}]", 0, 0, 1, -1},
        {"[{\"customerName\":\"no id\"},{\"customerName\":\"no id\"}]", 0, 2, 0, -1},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture_batch batch;
        post(&fixture, &batch, rows[i].body);
        const struct intake_answer *answer = &batch.answer;
        if (answer->error != rows[i].error) {
            fail_msg("row %zu: %s", i, err_code(answer->error));
        }
        if (rows[i].error == 0) {
            assert_int_equal(answer->created, rows[i].created);
            assert_int_equal(answer->existing, rows[i].existing);
        } else {
            assert_int_equal(answer->fault_count, 1);
            assert_int_equal(answer->faults[0].index, rows[i].conflict);
            assert_string_equal(answer->faults[0].code, "external-id-conflict");
            assert_false(uuid_is_zero(&answer->faults[0].customer));
        }
        fixture_end(&batch);
    }
    fixture_fini(&fixture);
}

/* A conflict in the last of many chunks undoes the chunks that were kept before it. */
static void late_conflict_undoes_all(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct buf body, text;
    fixture_init(&fixture, false);
    buf_init(&body, 0);
    buf_init(&text, 0);
    post(&fixture, &batch, "[{\"id\":\"k4999\",\"customerName\":\"first\"}]");
    assert_int_equal(batch.answer.error, 0);
    fixture_end(&batch);
    for (size_t i = 0; i < 5000; i++) {
        buf_printf(&body, "%s{\"id\":\"k%zu\"}", i == 0 ? "[" : ",", i);
    }
    buf_append_text(&body, "]");
    fixture_post(&fixture, &batch, &CYREXA, buf_view(&body));
    assert_int_equal(batch.answer.error, ERR_EXTERNAL_ID_CONFLICT);
    assert_int_equal(batch.answer.faults[0].index, 4999);
    fixture_end(&batch);
    struct registry_query query = {.kind = IDENTIFIER_NONE, .limit = 10};
    assert_int_equal(registry_customer_list(&fixture.registry, fixture.tenant, &query, &text), 0);
    buf_append_byte(&text, 0);
    assert_non_null(strstr(text.data, "\"first\""));
    assert_null(strstr(text.data, "\"next\""));
    /* The ids that the aborted import held are free again, before any sweep. */
    post(&fixture, &batch, "[{\"id\":\"k0\",\"customerName\":\"second\"}]");
    assert_int_equal(batch.answer.error, 0);
    fixture_end(&batch);
    buf_fini(&text);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* The same customer for another project or of another type is other content, in one chunk and in many. */
static void envelope_counts_as_content(void **state)
{
    (void)state;
    static const struct {
        const char *type, *project;
        int error;
    } rows[] = {{"Individual", "p", 0},
                {"Individual", "p", 0},
                {"Company", "p", ERR_EXTERNAL_ID_CONFLICT},
                {"Individual", "q", ERR_EXTERNAL_ID_CONFLICT}};
    static const struct fixture_options nexera = {.contract = "nexera"};
    for (size_t count = 1; count < 4000; count += 2500) {
        struct fixture fixture;
        fixture_init(&fixture, false);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct fixture_batch batch;
            struct buf body;
            buf_init(&body, 0);
            buf_printf(&body, "{\"customerType\":\"%s\",\"customerData\":[", rows[i].type);
            for (size_t j = 0; j < count; j++) {
                buf_printf(&body, "%s{\"customerClaims\":{\"sub\":\"%zu\"}}", j == 0 ? "" : ",", j);
            }
            buf_printf(&body, "],\"cmsProjectId\":\"%s\"}", rows[i].project);
            fixture_post(&fixture, &batch, &nexera, buf_view(&body));
            if (batch.answer.error != rows[i].error) {
                fail_msg("row %zu of %zu: %s", i, count, err_code(batch.answer.error));
            }
            assert_int_equal(batch.answer.existing, i == 1 ? count : 0);
            for (size_t j = 0; j < batch.answer.fault_count; j++) {
                assert_false(uuid_is_zero(&batch.answer.faults[j].customer));
            }
            fixture_end(&batch);
            buf_fini(&body);
        }
        fixture_fini(&fixture);
    }
}

#define THREADS 8
#define ROUNDS  30

struct racer {
    struct fixture *fixture;
    size_t number;
    char ids[ROUNDS][UUID_TEXT_BYTES + 1];
};

static void *race(void *context)
{
    struct racer *racer = context;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct fixture_batch batch;
        char body[64];
        snprintf(body, sizeof body, "[{\"id\":\"race%zu\"}]", i);
        post(racer->fixture, &batch, body);
        assert_int_equal(batch.answer.error, 0);
        buf_append_byte(&batch.reply, 0);
        const char *id = strstr(batch.reply.data, "\"customerId\":\"");
        assert_non_null(id);
        memcpy(racer->ids[i], id + 14, UUID_TEXT_BYTES);
        fixture_end(&batch);
    }
    return NULL;
}

/* The same external ids from several threads at once: all are told the same customer. */
static void races_have_one_winner(void **state)
{
    (void)state;
    static struct racer racers[THREADS];
    struct fixture fixture;
    pthread_t threads[THREADS];
    fixture_init(&fixture, false);
    for (size_t i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.fixture = &fixture, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 1; i < THREADS; i++) {
        for (size_t round = 0; round < ROUNDS; round++) {
            assert_string_equal(racers[i].ids[round], racers[0].ids[round]);
        }
    }
    fixture_fini(&fixture);
}

/* ---- chosen moments ---- */

static void pause_ms(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/*
 * The linker hands every taking of a mutex to __wrap_pthread_mutex_lock below: so a test can hold the threads that keep
 * an import back at its lock, or do something in their place just before they take it.
 */
static struct {
    struct intake_import *_Atomic import; /* NULL: nothing is done */
    atomic_bool closed;                   /* the threads that keep wait */
    atomic_int takings;                   /* of its lock by them, before it is aborted there; below 0: it is not */
    atomic_int aborted;                   /* what that came to */
} moment = {.takings = -1};

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static bool is_keeping(const struct intake_track *track)
{
    return pthread_equal(pthread_self(), track->keeper) || pthread_equal(pthread_self(), track->laner);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    struct intake_import *import = atomic_load(&moment.import);
    if (import == NULL || mutex != &import->lock || !is_keeping(import->track)) {
        return __real_pthread_mutex_lock(mutex);
    }
    while (atomic_load(&moment.closed)) {
        pause_ms();
    }
    if (atomic_load(&moment.takings) >= 0 && atomic_fetch_sub(&moment.takings, 1) == 0) {
        atomic_store(&moment.aborted, intake_abort(import->intake, &import->row.tenant, &import->id));
    }
    return __real_pthread_mutex_lock(mutex);
}

static void wait_gone(struct fixture *fixture, const struct uuid *id)
{
    struct intake_progress progress;
    while (intake_progress(fixture->intake, &fixture->tenant->id, id, &progress)) {
        pause_ms();
    }
}

/* Holds an external id with an open import. */
static void hold(struct fixture *fixture, struct fixture_batch *holder)
{
    struct buf part;
    buf_init(&part, 0);
    buf_append_text(&part, "[{\"id\":\"held\"}");
    fixture_items(&part, 1, 1100, false);
    fixture_begin(fixture, holder, &CYREXA);
    fixture_take(holder, buf_view(&part));
    fixture_wait_kept(fixture, intake_import_id(holder->import), 1);
    buf_fini(&part);
}

static void let_go(struct fixture *fixture, struct fixture_batch *holder)
{
    struct uuid id = *intake_import_id(holder->import);
    fixture_end(holder);
    wait_gone(fixture, &id);
}

/* Begins a body of which `kept` chunks are kept, and leaves it when the rest has come to where it would be. */
static struct uuid leave_before_rest(struct fixture *fixture, const struct fixture_options *options, struct slice first,
                                     uint32_t kept, struct slice rest)
{
    struct fixture_batch batch;
    fixture_begin(fixture, &batch, options);
    struct intake_import *import = batch.import;
    struct uuid id = *intake_import_id(import);
    fixture_take(&batch, first);
    fixture_wait_kept(fixture, &id, kept);
    atomic_store(&moment.closed, true);
    atomic_store(&moment.import, import);
    fixture_take(&batch, rest);
    import_ref(import);
    fixture_end(&batch);
    for (bool left = false; !left; pause_ms()) {
        pthread_mutex_lock(&import->lock);
        left = import->left;
        pthread_mutex_unlock(&import->lock);
    }
    atomic_store(&moment.closed, false);
    import_unref(import);
    wait_gone(fixture, &id);
    atomic_store(&moment.import, NULL);
    return id;
}

/* A chunk that the store refuses when its client has left already: that import can't be gone on with, so it ends there,
 * and the key is free. By the keeper, and by the lane. */
static void refused_when_left(void **state)
{
    (void)state;
    static const struct {
        size_t held, count;
        uint32_t kept;
    } rows[] = {{1200, 2300, 1}, {4500, 5300, LANE_FROM}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;
        struct fixture_batch holder, batch;
        struct fixture_options options = {.contract = "cyrexa", .key = "k"};
        struct store_import row;
        struct buf body;
        fixture_init(&fixture, false);
        hold(&fixture, &holder);
        buf_init(&body, 0);
        buf_append_byte(&body, '[');
        fixture_items(&body, 0, rows[i].kept * 1000 + 1, false);
        size_t first = body.size;
        fixture_items(&body, rows[i].kept * 1000 + 1, rows[i].held, false);
        buf_append_text(&body, ",{\"id\":\"held\"}");
        fixture_items(&body, rows[i].held + 1, rows[i].count, false);
        struct uuid id = leave_before_rest(&fixture, &options, slice_make(body.data, first), rows[i].kept,
                                           slice_from(buf_view(&body), first));
        fixture_row(&fixture, &id, &row);
        assert_int_equal(row.state, IMPORT_ABORTED);
        assert_int_equal(row.error, ERR_CUT_OFF);
        let_go(&fixture, &holder);
        buf_append_byte(&body, ']');
        fixture_begin_again(&fixture, &batch, &options);
        fixture_take(&batch, buf_view(&body));
        fixture_finish(&batch);
        assert_int_equal(batch.answer.error, 0);
        assert_int_equal(batch.answer.created, rows[i].count);
        assert_int_equal(fixture_customers(&fixture), rows[i].count);
        fixture_end(&batch);
        buf_fini(&body);
        fixture_fini(&fixture);
    }
}

/* As when an earlier request's chunk was refused, and its end could not be written: the store takes nothing more. */
static void refuse_one(struct fixture *fixture, const struct uuid *import)
{
    static const uint8_t content[2][CRYPTO_MAC_BYTES] = {{1}, {2}};
    static const struct record_key key = {.kind = IDENTIFIER_EXTERNAL_ID, .unique = true, .mac = {7}};
    struct store_customer customers[2];
    struct store_outcome outcomes[2];
    for (uint8_t i = 0; i < 2; i++) {
        customers[i] = (struct store_customer){
            .id = {{i + 1}}, .record = SLICE("x"), .fingerprint = content[i], .keys = &key, .key_count = 1};
    }
    struct store_chunk chunk = {.tenant = fixture->tenant->id,
                                .import = *import,
                                .number = 1,
                                .customers = customers,
                                .count = 2,
                                .atomic = true,
                                .outcomes = outcomes};
    struct store_chunk *chunks = &chunk;
    assert_int_equal(store_commit(fixture->store, &chunks, 1), 0);
    assert_int_equal(chunk.error, 0);
    assert_false(chunk.kept);
}

/* What failed without a fault that could be told is no yes, and not for good. */
static void failed_without_faults(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa", .key = "k", .shape = INTAKE_COUNTS};
    struct store_import row;
    struct buf body;
    fixture_init(&fixture, false);
    buf_init(&body, 0);
    buf_append_byte(&body, '[');
    fixture_items(&body, 0, 1500, false);
    fixture_begin(&fixture, &batch, &options);
    struct uuid id = *intake_import_id(batch.import);
    fixture_take(&batch, buf_view(&body));
    fixture_wait_kept(&fixture, &id, 1);
    fixture_end(&batch);
    wait_gone(&fixture, &id);
    refuse_one(&fixture, &id);
    buf_append_byte(&body, ']');
    for (int again = 0; again < 2; again++) {
        fixture_begin_again(&fixture, &batch, &options);
        fixture_take(&batch, buf_view(&body));
        fixture_finish(&batch);
        assert_int_equal(batch.answer.error, again ? 0 : ERR_OUTCOME_UNKNOWN);
        assert_int_equal(batch.answer.created, again ? 1500 : 0);
        assert_false(batch.answer.replayed);
        fixture_row(&fixture, &id, &row);
        assert_int_equal(row.state, IMPORT_ABORTED);
        assert_int_equal(row.error, ERR_OUTCOME_UNKNOWN);
        fixture_end(&batch);
    }
    assert_int_equal(fixture_customers(&fixture), 1500);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* An abort by request between any two looks that the keeper takes at the import: it is kept whole, or not at all. */
static void aborted_at_any_moment(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 1500};
    for (int at = 0; at < 24; at++) {
        struct fixture fixture;
        struct fixture_batch batch;
        struct buf body;
        size_t count = counts[at % 2];
        fixture_init(&fixture, false);
        buf_init(&body, 0);
        buf_append_byte(&body, '[');
        fixture_items(&body, 0, count, true);
        buf_append_byte(&body, ']');
        fixture_begin(&fixture, &batch, &CYREXA);
        atomic_store(&moment.takings, at / 2);
        atomic_store(&moment.aborted, ERR_IMPORT_ENDED);
        atomic_store(&moment.import, batch.import);
        fixture_take(&batch, buf_view(&body));
        fixture_finish(&batch);
        bool kept = batch.answer.error == 0;
        assert_true(kept || batch.answer.error == ERR_ABORTED);
        assert_int_equal(atomic_load(&moment.aborted), kept ? ERR_IMPORT_ENDED : 0);
        assert_true(at >= 2 || !kept);
        assert_int_equal(batch.answer.created, kept ? count : 0);
        assert_int_equal(fixture_customers(&fixture), kept ? count : 0);
        atomic_store(&moment.import, NULL);
        atomic_store(&moment.takings, -1);
        fixture_end(&batch);
        buf_fini(&body);
        fixture_fini(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(outcomes),
                                       cmocka_unit_test(late_conflict_undoes_all),
                                       cmocka_unit_test(envelope_counts_as_content),
                                       cmocka_unit_test(races_have_one_winner),
                                       cmocka_unit_test(refused_when_left),
                                       cmocka_unit_test(failed_without_faults),
                                       cmocka_unit_test(aborted_at_any_moment)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
