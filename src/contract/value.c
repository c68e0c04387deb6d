/*
 * JSON values by their meaning, as the 2020-12 specification compares them (core, section 4.2): 1 and
 * 1.0 are one number, members have no order, strings are code points. The difficulty is numbers of
 * three representations: an integer beyond 2^53 must not be compared through a double.
 */
#include "contract/contract_priv.h"

#define TWO_TO_53 9007199254740992.0
#define TWO_TO_63 9223372036854775808.0
#define TWO_TO_64 18446744073709551616.0

static bool is_integral(double value)
{
    if (value >= TWO_TO_53 || value <= -TWO_TO_53) {
        return true; /* no room for a fraction */
    }
    return (double)(int64_t)value == value;
}

uint8_t contract_value_type(const struct json_doc *doc, json_at at)
{
    static const uint8_t TYPES[128] = {
        ['"'] = TYPE_STRING,  ['{'] = TYPE_OBJECT, ['['] = TYPE_ARRAY,   ['t'] = TYPE_BOOLEAN,
        ['f'] = TYPE_BOOLEAN, ['n'] = TYPE_NULL,   ['l'] = TYPE_INTEGER, ['u'] = TYPE_INTEGER};
    unsigned char tag = (unsigned char)json_tag(doc, at);
    if (tag == 'd') {
        return is_integral(json_double(doc, at)) ? TYPE_INTEGER : TYPE_FRACTION;
    }
    return TYPES[tag & 127u];
}

/* A number as one of: negative integer, non-negative integer, double. */
struct number {
    char kind; /* '-', '+', 'd' */
    int64_t below_zero;
    uint64_t from_zero;
    double value;
};

static struct number number_of(const struct json_doc *doc, json_at at)
{
    char tag = json_tag(doc, at);
    if (tag == 'd') {
        return (struct number){.kind = 'd', .value = json_double(doc, at)};
    }
    int64_t value = json_int(doc, at);
    if (tag == 'l' && value < 0) {
        return (struct number){.kind = '-', .below_zero = value};
    }
    return (struct number){.kind = '+', .from_zero = (uint64_t)value};
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* An integer against a double: by whole parts, then by what the double has behind the point. */
static int compare_mixed(struct number whole, double other)
{
    if (whole.kind == '-') {
        if (other < -TWO_TO_63) {
            return 1;
        }
        if (other >= 0) {
            return -1;
        }
        int64_t part = (int64_t)other;
        return whole.below_zero != part ? ORDER(whole.below_zero, part) : ORDER((double)part, other);
    }
    if (other >= TWO_TO_64) {
        return -1;
    }
    if (other < 0) {
        return 1;
    }
    uint64_t part = (uint64_t)other;
    return whole.from_zero != part ? ORDER(whole.from_zero, part) : ORDER((double)part, other);
}

int contract_value_compare_numbers(const struct json_doc *a, json_at at_a, const struct json_doc *b, json_at at_b)
{
    struct number left = number_of(a, at_a);
    struct number right = number_of(b, at_b);
    if (left.kind == 'd' && right.kind == 'd') {
        return ORDER(left.value, right.value);
    }
    if (left.kind == 'd') {
        return -compare_mixed(right, left.value);
    }
    if (right.kind == 'd') {
        return compare_mixed(left, right.value);
    }
    if (left.kind != right.kind) {
        return left.kind == '-' ? -1 : 1;
    }
    return left.kind == '-' ? ORDER(left.below_zero, right.below_zero) : ORDER(left.from_zero, right.from_zero);
}

static bool arrays_equal(const struct json_doc *a, json_at at_a, const struct json_doc *b, json_at at_b)
{
    json_at left = json_first(a, at_a);
    json_at right = json_first(b, at_b);
    while (!json_is_end(a, left) && !json_is_end(b, right)) {
        if (!contract_value_equal(a, left, b, right)) {
            return false;
        }
        left = json_next(a, left);
        right = json_next(b, right);
    }
    return json_is_end(a, left) && json_is_end(b, right);
}

static bool objects_equal(const struct json_doc *a, json_at at_a, const struct json_doc *b, json_at at_b)
{
    if (json_count(a, at_a) != json_count(b, at_b)) {
        return false;
    }
    json_at value;
    for (json_at at = json_first(a, at_a); !json_is_end(a, at); at = json_next(a, value)) {
        value = json_value_of(at);
        json_at other = json_member(b, at_b, json_string(a, at));
        if (other == 0 || !contract_value_equal(a, value, b, other)) {
            return false;
        }
    }
    return true;
}

bool contract_value_equal(const struct json_doc *a, json_at at_a, const struct json_doc *b, json_at at_b)
{
    uint8_t type = contract_value_type(a, at_a);
    if (type != contract_value_type(b, at_b)) {
        return false;
    }
    switch (type) {
    case TYPE_STRING:
        return slice_equal(json_string(a, at_a), json_string(b, at_b));
    case TYPE_INTEGER:
    case TYPE_FRACTION:
        return contract_value_compare_numbers(a, at_a, b, at_b) == 0;
    case TYPE_ARRAY:
        return arrays_equal(a, at_a, b, at_b);
    case TYPE_OBJECT:
        return objects_equal(a, at_a, b, at_b);
    default:
        return json_tag(a, at_a) == json_tag(b, at_b);
    }
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0u) == 0x80u;
}

size_t contract_value_length(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += !is_continuation(text.data[i]);
    }
    return count;
}

struct slice contract_value_cut(struct slice text, size_t size)
{
    if (text.size <= size) {
        return text;
    }
    while (size > 0 && is_continuation(text.data[size])) {
        size--;
    }
    return slice_make(text.data, size);
}
