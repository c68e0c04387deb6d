/* JSON values by their meaning: types, equality and the exact order of numbers. A row is an array of two. */
#include "contract/contract_priv.h"

#include "../test.h"

struct pair {
    struct json_parser *parser;
    struct buf text;
    struct json_doc doc;
    json_at left, right;
};

static void pair_init(struct pair *pair)
{
    *pair = (struct pair){.parser = json_parser_new(4096)};
    assert_non_null(pair->parser);
    buf_init(&pair->text, 0);
}

static void pair_parse(struct pair *pair, const char *text)
{
    struct json_error error;
    buf_clear(&pair->text);
    buf_append_text(&pair->text, text);
    assert_int_equal(buf_reserve(&pair->text, JSON_PADDING), 0);
    memset(pair->text.data + pair->text.size, 0, JSON_PADDING);
    if (json_parse(pair->parser, buf_view(&pair->text), &JSON_LIMITS_DEFAULT, &pair->doc, &error) != 0) {
        fail_msg("%s is no JSON: %s", text, error.reason);
    }
    pair->left = json_first(&pair->doc, json_root(&pair->doc));
    pair->right = json_next(&pair->doc, pair->left);
}

static void pair_fini(struct pair *pair)
{
    json_parser_free(&pair->parser);
    buf_fini(&pair->text);
}

static void types(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t type;
    } rows[] = {
        {"[null]", TYPE_NULL},
        {"[true]", TYPE_BOOLEAN},
        {"[false]", TYPE_BOOLEAN},
        {"[\"\"]", TYPE_STRING},
        {"[[]]", TYPE_ARRAY},
        {"[{}]", TYPE_OBJECT},
        {"[0]", TYPE_INTEGER},
        {"[-1]", TYPE_INTEGER},
        {"[18446744073709551615]", TYPE_INTEGER},
        {"[1.0]", TYPE_INTEGER},
        {"[-0.0]", TYPE_INTEGER},
        {"[1e300]", TYPE_INTEGER},
        {"[-1e300]", TYPE_INTEGER},
        {"[9007199254740993.5]", TYPE_INTEGER}, /* a double has no room for the half */
        {"[4503599627370495.5]", TYPE_FRACTION},
        {"[-4503599627370495.5]", TYPE_FRACTION},
        {"[0.1]", TYPE_FRACTION},
        {"[1e-300]", TYPE_FRACTION},
    };
    struct pair pair;
    pair_init(&pair);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        pair_parse(&pair, rows[i].text);
        if (contract_value_type(&pair.doc, pair.left) != rows[i].type) {
            fail_msg("row %zu: %s", i, rows[i].text);
        }
    }
    pair_fini(&pair);
}

static void equality(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool equal;
    } rows[] = {
        {"[null,null]", true},
        {"[null,false]", false},
        {"[true,true]", true},
        {"[true,false]", false},
        {"[false,0]", false},
        {"[\"a\",\"\\u0061\"]", true},
        {"[\"a\",\"A\"]", false},
        {"[\"1\",1]", false},
        {"[1,1.0]", true},
        {"[0,-0.0]", true},
        {"[1,1.5]", false},
        {"[18446744073709551615,1.8446744073709552e19]", false},
        {"[[],[]]", true},
        {"[[],{}]", false},
        {"[[1,2],[1.0,2]]", true},
        {"[[1,2],[2,1]]", false},
        {"[[1],[1,1]]", false},
        {"[[1,1],[1]]", false},
        {"[[[[]]],[[]]]", false},
        {"[{\"a\":1,\"b\":[{}]},{\"b\":[{}],\"a\":1.0}]", true},
        {"[{\"a\":1},{\"a\":2}]", false},
        {"[{\"a\":1},{\"b\":1}]", false},
        {"[{\"a\":1},{\"a\":1,\"b\":1}]", false},
        {"[{\"a\":1,\"b\":1},{\"a\":1}]", false},
    };
    struct pair pair;
    pair_init(&pair);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        pair_parse(&pair, rows[i].text);
        if (contract_value_equal(&pair.doc, pair.left, &pair.doc, pair.right) != rows[i].equal ||
            contract_value_equal(&pair.doc, pair.right, &pair.doc, pair.left) != rows[i].equal) {
            fail_msg("row %zu: %s", i, rows[i].text);
        }
    }
    pair_fini(&pair);
}

/* Each number is below the next; where two must be the same the sign says so. */
static void order(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int order; /* of the left against the right */
    } rows[] = {
        {"[-1e300,-9223372036854775808]", -1},
        {"[-9223372036854775808,-9223372036854775807]", -1},
        {"[-9223372036854775808,-9223372036854775808.0]", 0},
        {"[-9007199254740993,-9007199254740992.0]", -1},
        {"[-9007199254740991,-9007199254740992.0]", 1},
        {"[-2,-1.5]", -1},
        {"[-1,-1.5]", 1},
        {"[-1,-0.5]", -1},
        {"[-1,0.0]", -1},
        {"[-1,0]", -1},
        {"[-1,18446744073709551615]", -1},
        {"[-0.5,0]", -1},
        {"[0,-0.0]", 0},
        {"[0,0.5]", -1},
        {"[1,0.5]", 1},
        {"[1,1.0]", 0},
        {"[1,1.5]", -1},
        {"[9007199254740993,9007199254740992.0]", 1},
        {"[9223372036854775807,9223372036854775808]", -1},
        {"[9223372036854775807,9223372036854775808.0]", -1},
        {"[9223372036854775808,9223372036854775808.0]", 0},
        {"[18446744073709551615,18446744073709551616.0]", -1},
        {"[18446744073709551615,1e300]", -1},
        {"[0.1,0.2]", -1},
        {"[1e300,1e301]", -1},
    };
    struct pair pair;
    pair_init(&pair);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        pair_parse(&pair, rows[i].text);
        int there = contract_value_compare_numbers(&pair.doc, pair.left, &pair.doc, pair.right);
        int back = contract_value_compare_numbers(&pair.doc, pair.right, &pair.doc, pair.left);
        if ((there > 0) - (there < 0) != rows[i].order || (back > 0) - (back < 0) != -rows[i].order) {
            fail_msg("row %zu: %s: %d and %d", i, rows[i].text, there, back);
        }
    }
    pair_fini(&pair);
}

static void lengths_and_cuts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;   /* code points */
        size_t room;     /* bytes */
        const char *cut; /* to that room */
    } rows[] = {
        {"", 0, 0, ""},
        {"abc", 3, 3, "abc"},
        {"abc", 3, 9, "abc"},
        {"abc", 3, 2, "ab"},
        {"abc", 3, 0, ""},
        {"\xc3\xa9\xc3\xa9", 2, 3, "\xc3\xa9"},
        {"\xc3\xa9\xc3\xa9", 2, 2, "\xc3\xa9"},
        {"\xc3\xa9\xc3\xa9", 2, 1, ""},
        {"a\xf0\x9f\x92\xa9z", 3, 5, "a\xf0\x9f\x92\xa9"},
        {"a\xf0\x9f\x92\xa9z", 3, 4, "a"},
        {"a\xf0\x9f\x92\xa9z", 3, 1, "a"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice text = slice_from_text(rows[i].text);
        if (contract_value_length(text) != rows[i].length ||
            !slice_equal_text(contract_value_cut(text, rows[i].room), rows[i].cut)) {
            fail_msg("row %zu: %s", i, rows[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(equality),
        cmocka_unit_test(order),
        cmocka_unit_test(lengths_and_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
