/* Frame: the three forms, packed or not and in pieces of any size, come to the same; and what is no body of its form.
 */
#include "fixture.h"

#include <zlib.h>
#include <zstd.h>

#include "../test.h"

static void pack(uint8_t encoding, struct slice plain, struct buf *packed)
{
    buf_init(packed, 0);
    if (encoding == INTAKE_IDENTITY) {
        buf_append_slice(packed, plain);
        return;
    }
    size_t room = plain.size + 256;
    char *to = buf_extend(packed, room);
    assert_non_null(to);
    if (encoding == INTAKE_ZSTD) {
        packed->size = ZSTD_compress(to, room, plain.data, plain.size, 3);
        return;
    }
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)plain.data, .avail_in = (uInt)plain.size};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_out = (Bytef *)to;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed->size = stream.total_out;
    deflateEnd(&stream);
}

/* One body, spelled three ways: a good item, one with a fault, one that repeats the first. */
static void forms(void **state)
{
    (void)state;
    static const struct {
        uint8_t format;
        const char *body;
    } rows[] = {
        {IMPORT_JSON,
         "[{\"id\":\"a\",\"person\":{\"email\":\"x@example.org\"}},\r\n {\"id\":\"b\",\"customerType\":\"no\"},"
         "{\"person\":{\"email\":\"x@example.org\"},\"id\":\"a\"}]"},
        {IMPORT_NDJSON,
         "{\"id\":\"a\",\"person\":{\"email\":\"x@example.org\"}}\r\n{\"id\":\"b\",\"customerType\":\"no\"}"
         "\n\n{\"person\":{\"email\":\"x@example.org\"},\"id\":\"a\"}"},
        {IMPORT_CSV,
         "\xEF\xBB\xBFid,\"person/email\",customerType\r\na,x@example.org,\r\n\r\n\"b\",,no\na,x@example.org"},
    };
    struct fixture fixture;
    fixture_init(&fixture, true);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int encoding = INTAKE_IDENTITY; encoding <= INTAKE_ZSTD; encoding++) {
            struct buf body;
            pack((uint8_t)encoding, slice_from_text(rows[i].body), &body);
            for (size_t piece = 1; piece <= body.size; piece++) {
                struct fixture_batch batch;
                bool first = i == 0 && encoding == INTAKE_IDENTITY && piece == 1;
                struct fixture_options options = {.contract = "cyrexa",
                                                  .partial = true,
                                                  .format = rows[i].format,
                                                  .encoding = (uint8_t)encoding,
                                                  .shape = INTAKE_LINES,
                                                  .piece_size = piece};
                fixture_post(&fixture, &batch, &options, buf_view(&body));
                const struct intake_answer *answer = &batch.answer;
                if (answer->error != 0 || answer->created != first || answer->existing != 2u - first ||
                    answer->refused != 1 || answer->faults[0].index != 1 ||
                    !slice_equal_text(answer->faults[0].pointer, "/customerType") ||
                    answer->bytes != strlen(rows[i].body)) {
                    fail_msg("form %zu, encoding %u, pieces of %zu: %s", i, encoding, piece, err_code(answer->error));
                }
                fixture_end(&batch);
            }
            buf_fini(&body);
        }
    }
    assert_int_equal(fixture_customers(&fixture), 1);
    fixture_fini(&fixture);
}

#define SECRET "hunter2"

static void refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t format, encoding;
        const char *body;
        int error;
        uint32_t line, column;
        const char *reason; /* a part of it, or NULL */
    } rows[] = {
        {IMPORT_CSV, 0, "", ERR_MALFORMED_CSV, 1, 1, "no header row"},
        {IMPORT_CSV, 0, SECRET ",x@example.org\na,b\n", ERR_MALFORMED_CSV, 1, 1, "names no member"},
        {IMPORT_CSV, 0, SECRET, ERR_MALFORMED_CSV, 1, 1, "names no member"},
        {IMPORT_CSV, 0, "_row,_code\n0,x\n", ERR_MALFORMED_CSV, 1, 1, "names no member"},
        {IMPORT_CSV, 0, "\n" SECRET "\n", ERR_MALFORMED_CSV, 2, 1, "names no member"},
        {IMPORT_CSV, 0, "id,id\n1,2\n", ERR_MALFORMED_CSV, 1, 4, NULL},
        {IMPORT_CSV, 0, "id,customerName\na,b\na,b," SECRET "\n", ERR_MALFORMED_CSV, 3, 0, NULL},
        {IMPORT_CSV, 0, "id\n\"" SECRET, ERR_MALFORMED_CSV, 0, 0, NULL},
        {IMPORT_NDJSON, 0, "{}\n{\"id\":}\n{}\n", ERR_MALFORMED_JSON, 2, 7, NULL},
        {IMPORT_NDJSON, 0, "[" SECRET, ERR_MALFORMED_JSON, 1, 2, NULL},
        {IMPORT_JSON, 0, "[{},\n{\"id\":}]", ERR_MALFORMED_JSON, 2, 7, NULL},
        {IMPORT_JSON, INTAKE_GZIP, "[{}]", ERR_MALFORMED_ENCODING, 0, 0, NULL},
        {IMPORT_CSV, INTAKE_ZSTD, "id\n1\n", ERR_MALFORMED_ENCODING, 0, 0, NULL},
    };
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture_batch batch;
        struct fixture_options options = {
            .contract = "cyrexa", .format = rows[i].format, .encoding = rows[i].encoding, .piece_size = 3};
        fixture_post(&fixture, &batch, &options, slice_from_text(rows[i].body));
        const struct json_error *place = &batch.answer.place;
        if (batch.answer.error != rows[i].error || (rows[i].line > 0 && place->line != rows[i].line) ||
            (rows[i].column > 0 && place->column != rows[i].column)) {
            fail_msg("row %zu: %s at %u:%u", i, err_code(batch.answer.error), place->line, place->column);
        }
        if (rows[i].reason != NULL) {
            assert_non_null(strstr(place->reason, rows[i].reason));
        }
        assert_true(place->reason == NULL || strstr(place->reason, SECRET) == NULL);
        fixture_end(&batch);
    }
    assert_int_equal(fixture_customers(&fixture), 0);
    fixture_fini(&fixture);
}

/* Deep columns make little rows into large items. */
static void a_row_that_is_large_as_json(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, false);
    for (int partial = 0; partial < 2; partial++) {
        struct fixture_batch batch;
        struct fixture_options options = {.contract = "cyrexa", .format = IMPORT_CSV, .partial = partial == 1};
        struct buf body;
        buf_init(&body, 0);
        buf_append_text(&body, "customerName,id\nx,a\n\"");
        for (size_t i = 0; i < 300000; i++) {
            buf_append_text(&body, "\x01");
        }
        buf_append_text(&body, "\",b\ny,c\n");
        fixture_post(&fixture, &batch, &options, buf_view(&body));
        assert_int_equal(batch.answer.error, partial ? 0 : ERR_ITEM_TOO_LARGE);
        if (partial) {
            assert_int_equal(batch.answer.created, 2);
            assert_int_equal(batch.answer.faults[0].index, 1);
            assert_string_equal(batch.answer.faults[0].code, "item-too-large");
        } else {
            assert_int_equal(batch.answer.place.line, 3);
        }
        fixture_end(&batch);
        buf_fini(&body);
    }
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(refused),
                                       cmocka_unit_test(a_row_that_is_large_as_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
