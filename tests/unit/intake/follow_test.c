/* Follow: one key, one answer; each customer once, however often the request comes and wherever it was cut. */
#include "fixture.h"

#include "../test.h"

static void post_again(struct fixture *fixture, struct fixture_batch *batch, const struct fixture_options *options,
                       struct slice body)
{
    fixture_begin_again(fixture, batch, options);
    fixture_take(batch, body);
    fixture_finish(batch);
}

/* ---- the first answer, again ---- */

static void tell_faults(struct buf *text, const struct intake_answer *answer)
{
    struct json_writer writer;
    buf_init(text, 0);
    json_writer_init(&writer, text);
    json_open_array(&writer);
    for (size_t i = 0; i < answer->fault_count; i++) {
        intake_fault_write(&writer, &answer->faults[i]);
    }
    json_close_array(&writer);
}

static void replay(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool partial, dry_run;
        uint8_t shape;
        int error;
    } rows[] = {
        {"[{\"customerName\":\"x\"},{}]", false, false, INTAKE_DOCUMENTED, 0},
        {"[{\"customerName\":\"x\"},{}]", false, false, INTAKE_LINES, 0},
        {"[{\"customerName\":\"x\"},{}]", false, true, INTAKE_COUNTS, 0},
        {"[]", false, false, INTAKE_DOCUMENTED, 0},
        {"[{\"customerName\":\"x\"},{\"id\":5}]", false, false, INTAKE_DOCUMENTED, ERR_FAULTS},
        {"[{\"customerName\":\"x\"},{\"id\":5}]", true, false, INTAKE_DOCUMENTED, 0},
        {"[{\"customerName\":\"x\"},{\"id\":5}]", true, false, INTAKE_COUNTS, 0},
        {"[{\"customerName\":\"x\"},{\"id\":5}]", true, false, INTAKE_LINES, 0},
        {"[{\"id\":5}]", true, false, INTAKE_DOCUMENTED, ERR_FAULTS},
        {"[{},{\"id\":\"there\",\"customerName\":\"y\"}]", false, false, INTAKE_DOCUMENTED, ERR_EXTERNAL_ID_CONFLICT},
        {"[{},{\"id\":\"there\",\"customerName\":\"y\"},{\"id\":5}]", true, false, INTAKE_DOCUMENTED, 0},
        {"[{\"id\":\"there\",\"customerName\":\"y\"}]", true, false, INTAKE_DOCUMENTED, ERR_EXTERNAL_ID_CONFLICT},
    };
    struct fixture fixture;
    struct fixture_batch first, second;
    fixture_init(&fixture, false);
    fixture_post(&fixture, &first, &(struct fixture_options){.contract = "cyrexa"}, SLICE("[{\"id\":\"there\"}]"));
    fixture_end(&first);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char key[2] = {(char)('a' + i), 0};
        struct fixture_options options = {.contract = "cyrexa",
                                          .key = key,
                                          .partial = rows[i].partial,
                                          .dry_run = rows[i].dry_run,
                                          .shape = rows[i].shape};
        fixture_post(&fixture, &first, &options, slice_from_text(rows[i].body));
        struct uuid id = *intake_import_id(first.import);
        size_t customers = fixture_customers(&fixture);
        struct buf told, again;
        tell_faults(&told, &first.answer);
        intake_release(&first.import);
        post_again(&fixture, &second, &options, slice_from_text(rows[i].body));
        assert_int_equal(second.answer.error, rows[i].error);
        assert_true(second.answer.replayed);
        assert_true(uuid_equal(&id, intake_import_id(second.import)));
        assert_true(slice_equal(buf_view(&first.reply), buf_view(&second.reply)));
        assert_int_equal(first.answer.fault_total, second.answer.fault_total);
        tell_faults(&again, &second.answer);
        assert_true(slice_equal(buf_view(&told), buf_view(&again)));
        assert_int_equal(first.answer.error, second.answer.error);
        assert_int_equal(fixture_customers(&fixture), customers);
        fixture_end(&second);
        fixture_end(&first);
        buf_fini(&told);
        buf_fini(&again);
    }
    fixture_fini(&fixture);
}

/* One request of a key at a time; who has the answer may send it again at once. */
static void in_flight(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch first, second;
    struct fixture_options options = {.contract = "cyrexa", .key = "k"};
    fixture_init(&fixture, false);
    fixture_begin(&fixture, &first, &options);
    assert_int_equal(fixture_try(&fixture, &second, &options), ERR_KEY_IN_FLIGHT);
    fixture_end(&second);
    fixture_take(&first, SLICE("[{}]"));
    fixture_finish(&first);
    assert_int_equal(first.answer.error, 0);
    fixture_post(&fixture, &second, &options, SLICE("[{}]"));
    assert_true(second.answer.replayed);
    fixture_end(&second);
    fixture_end(&first);
    assert_int_equal(fixture_customers(&fixture), 1);
    fixture_fini(&fixture);
}

/* ---- another request ---- */

static void other_requests(void **state)
{
    (void)state;
    static const char body[] = "[{\"customerName\":\"x\"},{\"customerName\":\"y\"}]";
    static const char *const others[] = {"[{\"customerName\":\"x\"}]",
                                         "[]",
                                         "[{\"customerName\":\"y\"},{\"customerName\":\"x\"}]",
                                         "[{\"customerName\":\"x\"},{\"customerName\":\"y\"},{}]",
                                         "[{\"customerName\":\"x\"},{\"customerName\":\"z\"}]",
                                         "[{\"customerName\":\"x\"},{]",
                                         "{}"};
    struct fixture fixture;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa", .key = "k"};
    fixture_init(&fixture, false);
    fixture_post(&fixture, &batch, &options, SLICE(body));
    fixture_end(&batch);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        post_again(&fixture, &batch, &options, slice_from_text(others[i]));
        assert_int_equal(batch.answer.error, ERR_KEY_REUSED);
        assert_false(batch.answer.replayed);
        fixture_end(&batch);
    }
    struct fixture_options terms = {.contract = "cyrexa", .key = "k", .terms = 1};
    int err = ERR_KEY_IN_FLIGHT;
    while (err == ERR_KEY_IN_FLIGHT) { /* the request before is not quite over */
        err = fixture_try(&fixture, &batch, &terms);
        fixture_end(&batch);
    }
    assert_int_equal(err, ERR_KEY_REUSED);
    post_again(&fixture, &batch, &options, SLICE(body)); /* none of that has changed what the key stands for */
    assert_true(batch.answer.replayed);
    fixture_end(&batch);
    /* The same key at another address is another key. */
    static const struct fixture_options nexera = {.contract = "nexera", .key = "k"};
    fixture_post(&fixture, &batch, &nexera,
                 SLICE("{\"customerType\":\"Company\",\"customerData\":[{}],\"cmsProjectId\":\"p\"}"));
    assert_int_equal(batch.answer.error, 0);
    assert_false(batch.answer.replayed);
    fixture_end(&batch);
    assert_int_equal(fixture_customers(&fixture), 3);
    fixture_fini(&fixture);
}

/* ---- cut off, and gone on with ---- */

/* Sends items up to `to`, waits until `kept` chunks are there, and leaves. */
static struct uuid leave(struct fixture *fixture, const struct fixture_options *options, size_t to, bool with_ids,
                         uint32_t kept)
{
    struct fixture_batch batch;
    struct buf part;
    buf_init(&part, 0);
    buf_append_byte(&part, '[');
    fixture_items(&part, 0, to, with_ids);
    fixture_begin_again(fixture, &batch, options);
    struct uuid id = *intake_import_id(batch.import);
    fixture_take(&batch, buf_view(&part));
    fixture_wait_kept(fixture, &id, kept);
    fixture_end(&batch);
    buf_fini(&part);
    return id;
}

static void whole(struct buf *body, size_t count, bool with_ids)
{
    buf_init(body, 0);
    buf_append_byte(body, '[');
    fixture_items(body, 0, count, with_ids);
    buf_append_byte(body, ']');
}

static void assert_outcomes(struct fixture *fixture, const struct uuid *id, uint32_t chunk, const struct buf *before)
{
    struct buf outcomes;
    buf_init(&outcomes, 0);
    assert_int_equal(store_import_outcomes(fixture->store, &fixture->tenant->id, id, chunk, NULL, &outcomes), 0);
    assert_true(slice_equal(buf_view(&outcomes), buf_view(before)));
    buf_fini(&outcomes);
}

static void resume(void **state)
{
    (void)state;
    static const struct {
        size_t cut, again, count; /* items sent first, then, then in all */
        uint32_t kept, kept_again;
        bool with_ids;
    } rows[] = {{1002, 0, 3500, 1, 0, true},     {1002, 0, 3500, 1, 0, false},  {2001, 2002, 2002, 2, 2, false},
                {3001, 2500, 4200, 3, 3, false}, {500, 0, 1200, 0, 0, false},   {1500, 2500, 9100, 1, 2, false},
                {7500, 8200, 9100, 4, 7, false}, {7500, 8200, 9100, 4, 7, true}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;
        struct fixture_batch batch;
        struct fixture_options options = {.contract = "cyrexa", .key = "k", .shape = INTAKE_LINES};
        struct buf body, first;
        fixture_init(&fixture, false);
        whole(&body, rows[i].count, rows[i].with_ids);
        buf_init(&first, 0);
        struct uuid id = leave(&fixture, &options, rows[i].cut, rows[i].with_ids, rows[i].kept);
        if (rows[i].again > 0) {
            struct uuid same = leave(&fixture, &options, rows[i].again, rows[i].with_ids, rows[i].kept_again);
            assert_true(uuid_equal(&id, &same));
        }
        assert_int_equal(fixture_customers(&fixture), 0);
        if (rows[i].kept > 0) {
            assert_int_equal(store_import_outcomes(fixture.store, &fixture.tenant->id, &id, 0, NULL, &first), 0);
        }
        post_again(&fixture, &batch, &options, buf_view(&body));
        if (batch.answer.error != 0 || batch.answer.created != rows[i].count) {
            fail_msg("row %zu: %s, %d created", i, err_code(batch.answer.error), (int)batch.answer.created);
        }
        assert_false(batch.answer.replayed);
        assert_int_equal(uuid_equal(&id, intake_import_id(batch.import)), rows[i].kept > 0);
        assert_int_equal(fixture_customers(&fixture), rows[i].count);
        if (rows[i].kept > 0) {
            assert_outcomes(&fixture, &id, 0, &first);
        }
        struct fixture_batch replayed;
        struct buf reply = batch.reply;
        buf_init(&batch.reply, 0);
        fixture_end(&batch);
        post_again(&fixture, &replayed, &options, buf_view(&body));
        assert_true(replayed.answer.replayed);
        assert_true(slice_equal(buf_view(&replayed.reply), buf_view(&reply)));
        fixture_end(&replayed);
        assert_int_equal(fixture_customers(&fixture), rows[i].count);
        buf_fini(&reply);
        buf_fini(&first);
        buf_fini(&body);
        fixture_fini(&fixture);
    }
}

/* A body that is not the key's leaves what was kept alone, also when it can't be read. */
static void resume_with_another_body(void **state)
{
    (void)state;
    static const char *const others[] = {"[{}]", "[]", "[{\"id\":5}]", "[{]", "{}", "x", "[{\"id\":1},{\"id\":x}]"};
    struct fixture fixture;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa", .key = "k"};
    struct store_import row;
    struct buf body;
    fixture_init(&fixture, false);
    struct uuid id = leave(&fixture, &options, 2500, false, 2);
    for (size_t i = 0; i <= COUNT_OF(others); i++) {
        whole(&body, 2300, true);
        bool is_long = i == COUNT_OF(others);
        post_again(&fixture, &batch, &options, is_long ? buf_view(&body) : slice_from_text(others[i]));
        assert_int_equal(batch.answer.error, ERR_KEY_REUSED);
        fixture_end(&batch);
        fixture_row(&fixture, &id, &row);
        assert_int_equal(row.state, IMPORT_OPEN);
        buf_fini(&body);
    }
    static const struct fixture_options packed = {.contract = "cyrexa", .key = "k", .encoding = INTAKE_GZIP};
    post_again(&fixture, &batch, &packed, SLICE("damaged on its way"));
    assert_int_equal(batch.answer.error, ERR_MALFORMED_ENCODING);
    fixture_end(&batch);
    whole(&body, 2600, false);
    post_again(&fixture, &batch, &options, buf_view(&body));
    assert_int_equal(batch.answer.error, 0);
    assert_int_equal(batch.answer.created, 2600);
    assert_true(uuid_equal(&id, intake_import_id(batch.import)));
    assert_int_equal(fixture_customers(&fixture), 2600);
    fixture_end(&batch);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* What a partial import refused before the cut is told by the retry, once. */
static void resume_counts_refused_once(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa", .key = "k", .partial = true, .shape = INTAKE_LINES};
    struct buf body;
    struct store_import row;
    fixture_init(&fixture, false);
    fixture_post(&fixture, &batch, &(struct fixture_options){.contract = "cyrexa"},
                 SLICE("[{\"id\":\"there\",\"customerName\":\"z\"}]"));
    fixture_end(&batch);
    buf_init(&body, 0);
    buf_append_text(&body, "[{\"id\":5},{\"id\":\"there\"}");
    fixture_items(&body, 1, 2400, false);
    fixture_begin(&fixture, &batch, &options);
    struct uuid id = *intake_import_id(batch.import);
    fixture_take(&batch, buf_view(&body));
    fixture_wait_kept(&fixture, &id, 2);
    fixture_end(&batch);
    buf_append_text(&body, ",{\"id\":\"there\"}]");
    post_again(&fixture, &batch, &options, buf_view(&body));
    assert_int_equal(batch.answer.error, 0);
    assert_int_equal(batch.answer.refused, 3);
    assert_int_equal(batch.answer.created, 2399);
    assert_int_equal(batch.answer.item_count, 2402);
    assert_int_equal(batch.answer.fault_total, 3);
    assert_int_equal(batch.answer.fault_count, 3);
    assert_int_equal(batch.answer.faults[2].index, 2401);
    fixture_row(&fixture, &id, &row);
    assert_int_equal(row.created, 2399);
    assert_int_equal(row.faults, 3);
    fixture_end(&batch);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* ---- keys that are given back ---- */

static void malformed_bodies_free_the_key(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct fixture_options options = {.contract = "cyrexa", .key = "k"};
    fixture_init(&fixture, false);
    for (size_t count = 0; count < 7000; count = count * 2 + 1200) {
        struct buf body;
        whole(&body, count, false);
        body.data[body.size - 1] = '}';
        post_again(&fixture, &batch, &options, buf_view(&body));
        assert_int_equal(batch.answer.error, ERR_MALFORMED_JSON);
        fixture_end(&batch);
        buf_fini(&body);
    }
    post_again(&fixture, &batch, &options, SLICE("[{}]"));
    assert_int_equal(batch.answer.error, 0);
    fixture_end(&batch);
    assert_int_equal(fixture_customers(&fixture), 1);
    fixture_fini(&fixture);
}

/* Holds an external id with an open import. */
static void hold(struct fixture *fixture, struct fixture_batch *holder)
{
    struct buf part;
    buf_init(&part, 0);
    buf_append_text(&part, "[{\"id\":\"held\"}");
    fixture_items(&part, 1, 1100, false);
    fixture_begin(fixture, holder, &(struct fixture_options){.contract = "cyrexa"});
    fixture_take(holder, buf_view(&part));
    fixture_wait_kept(fixture, intake_import_id(holder->import), 1);
    buf_fini(&part);
}

static void append_many(struct buf *body, bool many)
{
    buf_init(body, 0);
    buf_append_byte(body, '[');
    for (size_t i = 0; many && i < 1500; i++) {
        buf_append_text(body, "{\"id\":\"held\"},");
    }
}

/* A conflict with an import that is open may pass: unless something was kept, the answer is not for good. */
static void busy(void **state)
{
    (void)state;
    static const struct {
        const char *end;
        bool partial, many;
        int error;
        bool bound;
    } rows[] = {
        {"{\"id\":\"held\"}]", false, false, ERR_BUSY, false}, {"{},{\"id\":\"held\"}]", false, true, ERR_BUSY, false},
        {"{\"id\":\"held\"}]", true, false, ERR_BUSY, false},  {"{\"id\":\"held\"}]", true, true, ERR_BUSY, false},
        {"{\"id\":5}]", true, true, ERR_FAULTS, false},        {"{},{\"id\":\"held\"}]", true, false, 0, true},
        {"{},{\"id\":\"held\"}]", true, true, 0, true},        {"{}]", true, true, 0, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;
        struct fixture_batch holder, batch;
        struct fixture_options options = {.contract = "cyrexa", .key = "k", .partial = rows[i].partial};
        struct buf body;
        fixture_init(&fixture, false);
        append_many(&body, rows[i].many);
        buf_append_text(&body, rows[i].end);
        hold(&fixture, &holder);
        fixture_post(&fixture, &batch, &options, buf_view(&body));
        if (batch.answer.error != rows[i].error) {
            fail_msg("row %zu: %s", i, err_code(batch.answer.error));
        }
        size_t customers = fixture_customers(&fixture);
        assert_int_equal(customers, rows[i].bound ? 1 : 0);
        fixture_end(&batch);
        post_again(&fixture, &batch, &options, buf_view(&body));
        if (batch.answer.replayed != rows[i].bound || batch.answer.error != rows[i].error) {
            fail_msg("row %zu: %s, %d", i, err_code(batch.answer.error), batch.answer.replayed);
        }
        assert_int_equal(fixture_customers(&fixture), customers);
        fixture_end(&batch);
        fixture_end(&holder);
        buf_fini(&body);
        fixture_fini(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(replay),
                                       cmocka_unit_test(in_flight),
                                       cmocka_unit_test(other_requests),
                                       cmocka_unit_test(resume),
                                       cmocka_unit_test(resume_with_another_body),
                                       cmocka_unit_test(resume_counts_refused_once),
                                       cmocka_unit_test(malformed_bodies_free_the_key),
                                       cmocka_unit_test(busy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
