/*
 * The guess needs no parser: it walks brackets and strings, and looks at the names of the root's
 * members only. A name is a string at depth 1 that a colon follows.
 */
#include "cli/guess.h"

#include <stdint.h>

const struct guess_contract GUESS_TABLE[GUESS_CONTRACTS] = {
    {"cyrexa", "/customer/1.0.0/createBulk", NULL, "/customerIds", true},
    {"nexera", "/customers/batch", "customerData", "", false},
    {"muster", "/v1/customers", "customers", "/customers", false},
};

const struct guess_contract *guess_by_name(const char *name)
{
    for (size_t i = 0; i < GUESS_CONTRACTS; i++) {
        if (strcmp(GUESS_TABLE[i].name, name) == 0) {
            return &GUESS_TABLE[i];
        }
    }
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct slice skip_space(struct slice text)
{
    while (text.size > 0 && is_space(text.data[0])) {
        text = slice_from(text, 1);
    }
    return text;
}

/* The string at the front, its quotes left out; what follows it in *rest. False: it does not end here. */
static bool take_string(struct slice text, struct slice *string, struct slice *rest)
{
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] == '\\') {
            i++;
        } else if (text.data[i] == '"') {
            *string = slice_make(text.data + 1, i - 1);
            *rest = slice_from(text, i + 1);
            return true;
        }
    }
    return false;
}

static const struct guess_contract *by_member(struct slice name)
{
    for (size_t i = 0; i < GUESS_CONTRACTS; i++) {
        if (GUESS_TABLE[i].member != NULL && slice_equal_text(name, GUESS_TABLE[i].member)) {
            return &GUESS_TABLE[i];
        }
    }
    return NULL;
}

static const struct guess_contract *by_members(struct slice text)
{
    uint64_t depth = 0;
    while (text.size > 0) {
        char c = text.data[0];
        if (c != '"') {
            depth += c == '{' || c == '[' ? 1 : 0;
            depth -= (c == '}' || c == ']') && depth > 0 ? 1 : 0;
            text = slice_from(text, 1);
            continue;
        }
        struct slice string;
        if (!take_string(text, &string, &text)) {
            return NULL;
        }
        struct slice after = skip_space(text);
        if (depth == 1 && after.size > 0 && after.data[0] == ':' && by_member(string) != NULL) {
            return by_member(string);
        }
    }
    return NULL;
}

const struct guess_contract *guess_by_body(struct slice start)
{
    static const struct slice mark = {"\xEF\xBB\xBF", 3}; /* a byte order mark */
    start = skip_space(slice_starts(start, mark) ? slice_from(start, mark.size) : start);
    if (start.size == 0) {
        return NULL;
    }
    return start.data[0] == '[' ? guess_by_name("cyrexa") : start.data[0] == '{' ? by_members(start) : NULL;
}
