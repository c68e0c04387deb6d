/* Reply: the shape of a 200 in each contract, of partial imports, as counts and as lines; a line an item. */
#include "fixture.h"

#include <stdio.h>

#include "../test.h"

/* Ids become X, so that replies can be compared. */
static void without_ids(struct buf *text, struct slice reply)
{
    buf_init(text, 0);
    for (size_t i = 0; i < reply.size;) {
        struct uuid id;
        bool is_id =
            i + UUID_TEXT_BYTES <= reply.size && uuid_from_text(slice_make(reply.data + i, UUID_TEXT_BYTES), &id);
        buf_append_byte(text, is_id ? 'X' : (uint8_t)reply.data[i]);
        i += is_id ? UUID_TEXT_BYTES : 1;
    }
    buf_append_byte(text, 0);
}

static void shapes(void **state)
{
    (void)state;
    static const struct {
        const char *contract;
        uint8_t shape;
        bool partial, dry_run;
        const char *body;
        const char *head, *tail; /* the reply begins and ends so */
    } rows[] = {
        {"cyrexa", INTAKE_DOCUMENTED, false, false, "[{},{}]",
         "{\"tenantId\":\"acme\",\"customerIds\":[{\"customerId\":\"X\"},{\"customerId\":\"X\"}]}", ""},
        {"cyrexa", INTAKE_DOCUMENTED, true, false, "[{},{\"id\":5},{}]",
         "{\"tenantId\":\"acme\",\"customerIds\":[{\"customerId\":\"X\"},{\"customerId\":\"X\"}],\"errors\":[{"
         "\"index\":1,"
         "\"pointer\":\"/id\",\"code\":\"type\",",
         "}],\"errorsTotal\":1}"},
        {"cyrexa", INTAKE_DOCUMENTED, true, false, "[{\"id\":5},{}]",
         "{\"tenantId\":\"acme\",\"customerIds\":[{\"customerId\":\"X\"}],\"errors\":[{\"index\":0,",
         "}],\"errorsTotal\":1}"},
        {"cyrexa", INTAKE_DOCUMENTED, true, false, "[{},{}]",
         "{\"tenantId\":\"acme\",\"customerIds\":[{\"customerId\":\"X\"},{\"customerId\":\"X\"}]}", ""},
        {"nexera", INTAKE_DOCUMENTED, true, false,
         "{\"customerType\":\"Company\",\"customerData\":[5,{},{\"customerClaims\":5},{},7],\"cmsProjectId\":\"p\"}",
         "[null,\"X\",null,\"X\",null]", ""},
        {"nexera", INTAKE_DOCUMENTED, false, false,
         "{\"customerType\":\"Company\",\"customerData\":[],\"cmsProjectId\":\"p\"}", "[]", ""},
        {"cyrexa", INTAKE_COUNTS, true, false, "[{},{\"id\":5}]",
         "{\"import\":\"X\",\"dryRun\":false,\"received\":2,\"created\":1,\"existing\":0,\"updated\":0,\"skipped\":0,"
         "\"refused\":1,\"findings\":0,\"errors\":[{\"index\":1,",
         "}],\"errorsTotal\":1}"},
        {"cyrexa", INTAKE_COUNTS, false, true, "[{},{}]",
         "{\"import\":\"X\",\"dryRun\":true,\"received\":2,\"created\":2,\"existing\":0,\"updated\":0,\"skipped\":0,"
         "\"refused\":0,\"findings\":0}",
         ""},
        {"cyrexa", INTAKE_LINES, true, false, "[{},{\"id\":5},{}]",
         "{\"index\":0,\"outcome\":\"created\",\"customerId\":\"X\"}\n{\"index\":1,\"outcome\":\"fault\",\"errors\":[{"
         "\"pointer\":\"/id\",\"code\":\"type\",",
         "]}\n{\"index\":2,\"outcome\":\"created\",\"customerId\":\"X\"}\n"},
        {"muster", INTAKE_LINES, false, false, "{\"customers\":[{},{}]}",
         "{\"index\":0,\"outcome\":\"created\",\"customerId\":\"X\"}\n{\"index\":1,\"outcome\":\"created\","
         "\"customerId\":"
         "\"X\"}\n",
         ""},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture_batch batch;
        struct fixture_options options = {.contract = rows[i].contract,
                                          .shape = rows[i].shape,
                                          .partial = rows[i].partial,
                                          .dry_run = rows[i].dry_run};
        struct buf text;
        fixture_post(&fixture, &batch, &options, slice_from_text(rows[i].body));
        without_ids(&text, buf_view(&batch.reply));
        size_t head = strlen(rows[i].head);
        size_t tail = strlen(rows[i].tail);
        bool whole = tail > 0 || text.size - 1 == head;
        if (batch.answer.error != 0 || !whole || text.size - 1 < head + tail ||
            memcmp(text.data, rows[i].head, head) != 0 || strcmp(text.data + text.size - 1 - tail, rows[i].tail) != 0) {
            fail_msg("row %zu: %s %s", i, err_code(batch.answer.error), text.data);
        }
        buf_fini(&text);
        fixture_end(&batch);
    }
    fixture_fini(&fixture);
}

/* Of many chunks, read a byte at a time: a line for each item, each with its own errors. */
static void lines_of_many_chunks(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct buf body;
    struct fixture_options options = {.contract = "cyrexa", .partial = true, .shape = INTAKE_LINES};
    fixture_init(&fixture, false);
    buf_init(&body, 0);
    for (size_t i = 0; i < 5200; i++) {
        buf_printf(&body, i % 7 == 3 ? "%s{\"x%zu\":1,\"id\":5}" : "%s{\"customerName\":\"%zu\"}", i == 0 ? "[" : ",",
                   i);
    }
    buf_append_byte(&body, ']');
    fixture_post(&fixture, &batch, &options, buf_view(&body));
    assert_int_equal(batch.answer.error, 0);
    struct slice rest = buf_view(&batch.reply);
    for (size_t i = 0; i < 5200; i++) {
        char head[80];
        bool refused = i % 7 == 3;
        snprintf(head, sizeof head, "{\"index\":%zu,\"outcome\":\"%s\",\"%s\":", i, refused ? "fault" : "created",
                 refused ? "errors" : "customerId");
        const char *end = memchr(rest.data, '\n', rest.size);
        if (end == NULL || memcmp(rest.data, head, strlen(head)) != 0) {
            fail_msg("line %zu", i);
        }
        rest = slice_from(rest, (size_t)(end - rest.data) + 1);
    }
    assert_int_equal(rest.size, 0);
    fixture_end(&batch);
    buf_fini(&body);
    fixture_fini(&fixture);
}

/* Items that are gone before they were told must not make a shorter answer look whole. */
static void gone_while_it_is_read(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture_batch batch;
    struct buf body;
    char piece[100];
    bool left = true;
    fixture_init(&fixture, false);
    buf_init(&body, 0);
    buf_append_byte(&body, '[');
    fixture_items(&body, 0, 5200, false);
    buf_append_byte(&body, ']');
    fixture_begin(&fixture, &batch, &(struct fixture_options){.contract = "cyrexa"});
    fixture_take(&batch, buf_view(&body));
    fixture_close(&batch);
    assert_true(intake_reply_read(batch.import, piece, sizeof piece) > 0);
    struct store_expiry expiry = {.report_before_ms = INT64_MAX, .limit = 1000000};
    while (left) {
        assert_int_equal(store_expire(fixture.store, &expiry, &left), 0);
    }
    ssize_t size = 1;
    while (size > 0) {
        size = intake_reply_read(batch.import, piece, sizeof piece);
    }
    assert_true(size < 0);
    fixture_end(&batch);
    buf_fini(&body);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shapes), cmocka_unit_test(lines_of_many_chunks),
                                       cmocka_unit_test(gone_while_it_is_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
