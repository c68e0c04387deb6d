/*
 * The guess needs no parser: it walks brackets and strings, and looks at the names of the root's
 * members only. A name is a string at depth 1 that a colon follows. A JSON body gives itself away by the
 * member that holds the items; a line or a header row only by the names that items have, and the contract
 * that knows most of them is meant.
 */
#include "cli/guess.h"

#include <stdint.h>

const struct guess_contract GUESS_TABLE[GUESS_CONTRACTS] = {
    {"cyrexa",
     "/customer/1.0.0/createBulk",
     NULL,
     "/customerIds",
     true,
     {"id", "customerType", "customerName", "customerStatus", "categorization", "person", "twofa", NULL}},
    {"nexera",
     "/customers/batch",
     "customerData",
     "",
     false,
     {"customerWallet", "customerClaims", "customerDid", NULL}},
    {"muster",
     "/v1/customers",
     "customers",
     "/customers",
     false,
     {"externalId", "type",        "name",      "status",    "category",     "groupId",   "names",
      "email",      "emails",      "phone",     "phones",    "gender",       "birthDate", "birthPlace",
      "residence",  "nationality", "addresses", "documents", "verification", "wallets",   "dids",
      "claims",     "secrets",     "extra",     NULL}},
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

/* The next name of a member of the root, or an empty slice when no more is to be seen. *text is moved behind it. */
static struct slice next_name(struct slice *text, uint64_t *depth)
{
    while (text->size > 0) {
        char c = text->data[0];
        if (c != '"') {
            *depth += c == '{' || c == '[' ? 1 : 0;
            *depth -= (c == '}' || c == ']') && *depth > 0 ? 1 : 0;
            *text = slice_from(*text, 1);
            continue;
        }
        struct slice string;
        if (!take_string(*text, &string, text)) {
            break;
        }
        struct slice after = format_skip_blank(*text);
        if (*depth == 1 && after.size > 0 && after.data[0] == ':') {
            return string;
        }
    }
    return SLICE_NONE;
}

static const struct guess_contract *by_root(struct slice text)
{
    uint64_t depth = 0;
    for (struct slice name; (name = next_name(&text, &depth)).size > 0;) {
        for (size_t i = 0; i < GUESS_CONTRACTS; i++) {
            if (GUESS_TABLE[i].member != NULL && slice_equal_text(name, GUESS_TABLE[i].member)) {
                return &GUESS_TABLE[i];
            }
        }
    }
    return NULL;
}

/* ---- the names of items ---- */

struct tally {
    uint32_t counts[GUESS_CONTRACTS];
};

/* Counts a name, or the first token of a pointer, for the contract that knows it. */
static void count_name(struct tally *tally, struct slice name)
{
    const char *slash = name.size == 0 ? NULL : memchr(name.data, '/', name.size);
    name.size = slash == NULL ? name.size : (size_t)(slash - name.data);
    for (size_t i = 0; i < GUESS_CONTRACTS; i++) {
        for (const char *const *member = GUESS_TABLE[i].items; *member != NULL; member++) {
            tally->counts[i] += slice_equal_text(name, *member) ? 1 : 0;
        }
    }
}

static const struct guess_contract *most_of(const struct tally *tally)
{
    const struct guess_contract *most = NULL;
    uint32_t count = 0;
    for (size_t i = 0; i < GUESS_CONTRACTS; i++) {
        if (tally->counts[i] > count) {
            most = &GUESS_TABLE[i];
            count = tally->counts[i];
        } else if (tally->counts[i] == count) {
            most = NULL;
        }
    }
    return most;
}

static const struct guess_contract *by_item(struct slice line)
{
    struct tally tally = {{0}};
    uint64_t depth = 0;
    for (struct slice name; (name = next_name(&line, &depth)).size > 0;) {
        count_name(&tally, name);
    }
    return most_of(&tally);
}

static struct slice take_until(struct slice *text, char end)
{
    const char *at = text->size == 0 ? NULL : memchr(text->data, end, text->size);
    struct slice taken = slice_make(text->data, at == NULL ? text->size : (size_t)(at - text->data));
    *text = slice_from(*text, taken.size + (at == NULL ? 0 : 1));
    return taken;
}

/* Names with quotes and commas in them are no contract's, so they may fall apart here. */
static const struct guess_contract *by_header(struct slice line, struct slice map)
{
    struct tally tally = {{0}};
    while (line.size > 0) {
        struct slice name = take_until(&line, ',');
        if (name.size >= 2 && name.data[0] == '"' && name.data[name.size - 1] == '"') {
            name = slice_make(name.data + 1, name.size - 2);
        }
        count_name(&tally, name);
    }
    while (map.size > 0) {
        struct slice pair = take_until(&map, ',');
        take_until(&pair, '=');
        count_name(&tally, pair);
    }
    return most_of(&tally);
}

const struct guess_contract *guess_by_body(enum format format, struct slice start, struct slice map)
{
    struct slice rest;
    struct slice text = format_skip_blank(start);
    if (text.size == 0 || format == FORMAT_UNKNOWN) {
        return NULL;
    }
    if (format == FORMAT_JSON) {
        return text.data[0] == '[' ? guess_by_name("cyrexa") : text.data[0] == '{' ? by_root(text) : NULL;
    }
    struct slice line = format_first_line(text, &rest);
    return format == FORMAT_CSV ? by_header(line, map) : by_item(line);
}
