/*
 * The splitter: every row is given whole, in pieces of every size, and cut in two at every byte; all
 * of them must tell the same items, envelope and refusal.
 */
#include "parsed.h"

#include <stdio.h>

#include "base/limits.h"

#define ENVELOPE_LIMIT 200u
#define ROOT           ""
#define DATA           "/customerData"

struct row {
    const char *array;
    const char *body;
    const char *items; /* each followed by its offset: "{}@1 " */
    const char *envelope;
    int code;
    size_t offset; /* of the refusal */
    uint32_t line;
    uint32_t column;
};

static const struct row TAKEN[] = {
    {.array = ROOT, .body = "[]", .items = "", .envelope = ""},
    {.array = ROOT, .body = " \n[ \t]\r\n", .items = "", .envelope = ""},
    {.array = ROOT, .body = "[{}]", .items = "{}@1 ", .envelope = ""},
    {.array = ROOT, .body = "[ {\"a\":1} ,\n{\"b\" : 2} ]", .items = "{\"a\":1}@2 {\"b\" : 2}@12 ", .envelope = ""},
    {.array = ROOT,
     .body = "[{\"a\":\"]},{\\\"\\\\\"},[[],{}]]",
     .items = "{\"a\":\"]},{\\\"\\\\\"}@1 [[],{}]@18 ",
     .envelope = ""},
    {.array = ROOT,
     .body = "[1, -2.5e3 ,null,\"a,]\\\"\\\\\",true]",
     .items = "1@1 -2.5e3@4 null@12 \"a,]\\\"\\\\\"@17 true@27 ",
     .envelope = ""},
    {.array = ROOT,
     .body = "[\"\\ud83d\\ude00\xF0\x9F\x98\x80\"]",
     .items = "\"\\ud83d\\ude00\xF0\x9F\x98\x80\"@1 ",
     .envelope = ""},
    {.array = DATA, .body = "{}", .items = "", .envelope = "{}"},
    {.array = DATA, .body = "{\"customerData\":[]}", .items = "", .envelope = "{\"customerData\":[]}"},
    {.array = DATA,
     .body = "{\"customerType\":\"Individual\",\"customerData\":[{\"a\":1},{\"b\":2}],\"cmsProjectId\":\"p\"}",
     .items = "{\"a\":1}@45 {\"b\":2}@53 ",
     .envelope = "{\"customerType\":\"Individual\",\"customerData\":[],\"cmsProjectId\":\"p\"}"},
    {.array = DATA,
     .body = " {\n \"customerData\" : [ 1 ,2 ] ,\n \"x\" : { \"customerData\" : [3] } }\n",
     .items = "1@23 2@26 ",
     .envelope = "{\n \"customerData\" : [] ,\n \"x\" : { \"customerData\" : [3] } }"},
    {.array = DATA,
     .body = "{\"a\":\"customerData\",\"b\":[\"customerData\",[1]],\"customerData\":[7]}",
     .items = "7@61 ",
     .envelope = "{\"a\":\"customerData\",\"b\":[\"customerData\",[1]],\"customerData\":[]}"},
    {.array = DATA,
     .body = "{\"\\u0063ustomerDat\\u0061\":[7]}",
     .items = "7@27 ",
     .envelope = "{\"\\u0063ustomerDat\\u0061\":[]}"},
    {.array = DATA,
     .body = "{\"customerDat\":[7],\"customerData2\":[8]}",
     .items = "",
     .envelope = "{\"customerDat\":[7],\"customerData2\":[8]}"},
    {.array = DATA, .body = "{\"customerData\":\"[1]\"}", .items = "", .envelope = "{\"customerData\":\"[1]\"}"},
    {.array = DATA,
     .body = "{\"customerData\":{\"a\":[1]},\"b\":null}",
     .items = "",
     .envelope = "{\"customerData\":{\"a\":[1]},\"b\":null}"},
    {.array = DATA,
     .body = "{\"a\":\"}\\\"],\",\"customerData\":[1]}",
     .items = "1@29 ",
     .envelope = "{\"a\":\"}\\\"],\",\"customerData\":[]}"},
    {.array = "/a~1b~0", .body = "{\"a/b~\":[1]}", .items = "1@9 ", .envelope = "{\"a/b~\":[]}"},
    /* what is no JSON within an item is json_parse's to say */
    {.array = ROOT, .body = "[{\"a\" 01},tru,x]", .items = "{\"a\" 01}@1 tru@10 x@14 ", .envelope = ""},
};

static const struct row REFUSED[] = {
    {ROOT, "", "", "", ERR_MALFORMED_JSON, 0, 1, 1},
    {ROOT, " \n ", "", "", ERR_MALFORMED_JSON, 3, 2, 2},
    {ROOT, "\xEF\xBB\xBF[]", "", "", ERR_MALFORMED_JSON, 0, 1, 1},
    {ROOT, "id,name\n", "", "", ERR_MALFORMED_JSON, 0, 1, 1},
    {ROOT, "\n<html>", "", "", ERR_MALFORMED_JSON, 1, 2, 1},
    {ROOT, "{\"a\":[]}", "", "", ERR_MALFORMED_ENVELOPE, 0, 1, 1},
    {ROOT, " \"text\"", "", "", ERR_MALFORMED_ENVELOPE, 1, 1, 2},
    {DATA, "[]", "", "", ERR_MALFORMED_ENVELOPE, 0, 1, 1},
    {DATA, "null", "", "", ERR_MALFORMED_ENVELOPE, 0, 1, 1},
    {ROOT, "[", "", "", ERR_CUT_OFF, 1, 1, 2},
    {ROOT, "[1", "", "", ERR_CUT_OFF, 2, 1, 3},
    {ROOT, "[1,\n", "", "", ERR_CUT_OFF, 4, 2, 1},
    {ROOT, "[{\"a\":\"\\", "", "", ERR_CUT_OFF, 8, 1, 9},
    {ROOT, "[{\"a\":\"\xE2\x82", "", "", ERR_CUT_OFF, 9, 1, 10},
    {DATA, "{\"customerData\":[]", "", "", ERR_CUT_OFF, 18, 1, 19},
    {DATA, "{\"custom", "", "", ERR_CUT_OFF, 8, 1, 9},
    {ROOT, "[1,]", "", "", ERR_MALFORMED_JSON, 3, 1, 4},
    {ROOT, "[1,\n\n  ]", "", "", ERR_MALFORMED_JSON, 7, 3, 3},
    {ROOT, "[,1]", "", "", ERR_MALFORMED_JSON, 1, 1, 2},
    {ROOT, "[1,,2]", "", "", ERR_MALFORMED_JSON, 3, 1, 4},
    {ROOT, "[}", "", "", ERR_MALFORMED_JSON, 1, 1, 2},
    {ROOT, "[{} {}]", "", "", ERR_MALFORMED_JSON, 4, 1, 5},
    {ROOT, "[1 2]", "", "", ERR_MALFORMED_JSON, 3, 1, 4},
    {ROOT, "[\"a\"\"b\"]", "", "", ERR_MALFORMED_JSON, 4, 1, 5},
    {ROOT, "[{}}", "", "", ERR_MALFORMED_JSON, 3, 1, 4},
    {ROOT, "[{\"a\":\n[}]", "", "", ERR_MALFORMED_JSON, 8, 2, 2},
    {ROOT, "[{\"a\":1]", "", "", ERR_MALFORMED_JSON, 7, 1, 8},
    {ROOT, "[{\\\"a\":1}]", "", "", ERR_MALFORMED_JSON, 2, 1, 3},
    {ROOT, "[1] x", "", "", ERR_MALFORMED_JSON, 4, 1, 5},
    {ROOT, "[1]]", "", "", ERR_MALFORMED_JSON, 3, 1, 4},
    {DATA, "{}{}", "", "", ERR_MALFORMED_JSON, 2, 1, 3},
    {DATA, "{\"customerData\":[1],}", "", "", ERR_MALFORMED_JSON, 20, 1, 21},
    {DATA, "{\"customerData\":[1] \"a\":2}", "", "", ERR_MALFORMED_JSON, 20, 1, 21},
    {DATA, "{customerData:[1]}", "", "", ERR_MALFORMED_JSON, 1, 1, 2},
    {DATA, "{\"customerData\"[1]}", "", "", ERR_MALFORMED_JSON, 15, 1, 16},
    {DATA, "{\"customerData\":,}", "", "", ERR_MALFORMED_JSON, 16, 1, 17},
    {DATA, "{\"customerData\":[1],\"customerData\":[2]}", "", "", ERR_MALFORMED_ENVELOPE, 20, 1, 21},
    {DATA, "{\"customerData\":1,\n\"\\u0063ustomerData\":[2]}", "", "", ERR_MALFORMED_ENVELOPE, 19, 2, 1},
    /* the envelope's own malformations are told by their place in the body */
    {DATA, "\n{\"a\":\ntru,\"customerData\":[1]}", "", "", ERR_MALFORMED_JSON, 10, 3, 4},
    {DATA, "{\"customerData\":[1,\n2],\"b\":01}", "", "", ERR_MALFORMED_JSON, 28, 2, 9},
    {DATA, "{\"customerData\":[1,\n2],\n\"b\":\"\\x\"}", "", "", ERR_MALFORMED_JSON, 29, 3, 6},
    {DATA, "{\"a\":[1,\"customerData\":[1]}", "", "", ERR_CUT_OFF, 27, 1, 28},
    {DATA, "{\"a\":[1}],\"customerData\":[1]}", "", "", ERR_MALFORMED_JSON, 8, 1, 9},
    {DATA, "{\"a\":[{]},\"customerData\":[1]}", "", "", ERR_MALFORMED_JSON, 7, 1, 8},
    {DATA, "{\"a\\q\":1}", "", "", ERR_MALFORMED_JSON, 3, 1, 4},
};

/* What a splitter told. */
struct told {
    struct buf items;
    struct buf envelope;
    int code;
    bool found;
    struct json_error error;
};

static void take_events(struct json_splitter *splitter, struct slice piece, struct told *told)
{
    enum json_split_event event;
    struct slice bytes;
    struct slice given = piece;
    while ((event = json_splitter_next(splitter, &piece, &bytes)) != JSON_SPLIT_MORE && event != JSON_SPLIT_ERROR) {
        assert_true(bytes.size == 0 ||
                    (bytes.data >= given.data && bytes.data + bytes.size <= given.data + given.size));
        assert_true(event == JSON_SPLIT_ITEM_END || bytes.size > 0);
        buf_append_slice(&told->items, bytes);
        if (event == JSON_SPLIT_ITEM_END) {
            buf_printf(&told->items, "@%d ", (int)json_splitter_item(splitter).offset);
        }
    }
    assert_true(event == JSON_SPLIT_ERROR || piece.size == 0);
}

/* Gives the first piece of `first` bytes, the others of `size`. */
static void split(const struct row *row, size_t first, size_t size, struct told *told)
{
    struct slice body = slice_from_text(row->body);
    struct json_splitter *splitter = json_splitter_new(slice_from_text(row->array), ENVELOPE_LIMIT);
    assert_non_null(splitter);
    *told = (struct told){.code = 0};
    for (size_t next = first; body.size > 0; next = size) {
        struct slice piece = slice_make(body.data, next < body.size ? next : body.size);
        take_events(splitter, piece, told);
        body = slice_from(body, piece.size);
    }
    told->code = json_splitter_end(splitter);
    assert_int_equal(json_splitter_error(splitter, &told->error), told->code);
    told->found = json_splitter_found(splitter);
    buf_append_slice(&told->envelope, json_splitter_envelope(splitter));
    json_splitter_free(&splitter);
    assert_null(splitter);
}

static void check(const struct row *row, size_t first, size_t size)
{
    struct told told;
    split(row, first, size, &told);
    if (told.code != row->code) {
        fail_msg("%s in %zu, %zu: code %d, %s", row->body, first, size, told.code, told.error.reason);
    }
    if (row->code == 0) {
        assert_bytes(&told.items, row->items);
        assert_bytes(&told.envelope, row->envelope);
    } else if (told.error.offset != row->offset || told.error.line != row->line || told.error.column != row->column ||
               told.error.reason == NULL) {
        fail_msg("%s in %zu, %zu: at %zu, line %u, column %u: %s", row->body, first, size, told.error.offset,
                 told.error.line, told.error.column, told.error.reason);
    }
    buf_fini(&told.items);
    buf_fini(&told.envelope);
}

static void check_all_cuts(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(rows[i].body);
        for (size_t piece = 1; piece <= size + 1; piece++) {
            check(&rows[i], piece, piece);
            check(&rows[i], piece, size + 1);
        }
    }
}

static void test_taken(void **state)
{
    (void)state;
    check_all_cuts(TAKEN, sizeof TAKEN / sizeof TAKEN[0]);
}

static void test_refused(void **state)
{
    (void)state;
    check_all_cuts(REFUSED, sizeof REFUSED / sizeof REFUSED[0]);
}

static void test_found(void **state)
{
    (void)state;
    static const struct {
        const char *array;
        const char *body;
        bool found;
    } ROWS[] = {
        {ROOT, "[]", true},
        {DATA, "{\"customerData\":[]}", true},
        {DATA, "{\"customerData\":1}", false},
        {DATA, "{}", false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct row row = {.array = ROWS[i].array, .body = ROWS[i].body};
        struct told told;
        split(&row, 100, 100, &told);
        assert_int_equal(told.found, ROWS[i].found);
        buf_fini(&told.items);
        buf_fini(&told.envelope);
    }
}

/* A whole item in one piece is one event, and the event is a range of the piece. */
static void test_events(void **state)
{
    (void)state;
    static const char BODY[] = "[{\"a\":1},22]";
    static const struct {
        enum json_split_event event;
        size_t from;
        size_t size;
    } EVENTS[] = {{JSON_SPLIT_ITEM_END, 1, 7}, {JSON_SPLIT_ITEM_END, 9, 2}, {JSON_SPLIT_MORE, 0, 0}};
    struct json_splitter *splitter = json_splitter_new(SLICE(ROOT), 0);
    struct slice piece = SLICE(BODY);
    for (size_t i = 0; i < 3; i++) {
        struct slice bytes;
        assert_int_equal(json_splitter_next(splitter, &piece, &bytes), EVENTS[i].event);
        assert_int_equal(bytes.size, EVENTS[i].size);
        assert_true(bytes.size == 0 || bytes.data == BODY + EVENTS[i].from);
    }
    assert_int_equal(json_splitter_end(splitter), 0);
    json_splitter_free(&splitter);
}

static void test_envelope_limit(void **state)
{
    (void)state;
    char body[ENVELOPE_LIMIT + 40];
    for (size_t fill = ENVELOPE_LIMIT - 30; fill < ENVELOPE_LIMIT; fill++) {
        /* {"a":"…","customerData":[]}: 25 bytes around the fill */
        (void)snprintf(body, sizeof body, "{\"a\":\"%0*d\",\"customerData\":[]}", (int)fill, 0);
        struct row row = {.array = DATA, .body = body};
        struct told told;
        split(&row, 7, 7, &told);
        assert_int_equal(told.code, strlen(body) <= ENVELOPE_LIMIT ? 0 : ERR_TOO_LARGE);
        buf_fini(&told.items);
        buf_fini(&told.envelope);
    }
}

static void test_depth(void **state)
{
    (void)state;
    char body[2 * LIMIT_DEPTH + 8];
    for (size_t depth = LIMIT_DEPTH; depth <= LIMIT_DEPTH + 1; depth++) {
        memset(body, '[', depth + 1);
        memset(body + depth + 1, ']', depth + 1);
        body[2 * depth + 2] = '\0';
        struct row row = {.array = ROOT, .body = body};
        struct told told;
        split(&row, 9, 9, &told);
        assert_int_equal(told.code, depth == LIMIT_DEPTH ? 0 : ERR_MALFORMED_JSON);
        assert_int_equal(told.error.offset, depth == LIMIT_DEPTH ? 0 : LIMIT_DEPTH + 1);
        buf_fini(&told.items);
        buf_fini(&told.envelope);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),  cmocka_unit_test(test_refused),        cmocka_unit_test(test_found),
        cmocka_unit_test(test_events), cmocka_unit_test(test_envelope_limit), cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
