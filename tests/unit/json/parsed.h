/* A text with its padding, parsed: what most tests of this room begin with. */
#ifndef TESTS_JSON_PARSED_H
#define TESTS_JSON_PARSED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json/json.h"

#define PARSED_CAPACITY (64u * 1024u)

struct parsed {
    struct json_parser *parser;
    struct buf text;
    struct json_doc doc;
    struct json_error error;
};

/* Parses with that byte in the padding; returns json_parse's code. */
static inline int parsed_try(struct parsed *parsed, struct slice text, const struct json_limits *limits, char padding)
{
    *parsed = (struct parsed){.parser = json_parser_new(PARSED_CAPACITY)};
    assert_non_null(parsed->parser);
    buf_append_slice(&parsed->text, text);
    assert_int_equal(buf_reserve(&parsed->text, JSON_PADDING), 0);
    memset(parsed->text.data + parsed->text.size, padding, JSON_PADDING);
    return json_parse(parsed->parser, buf_view(&parsed->text), limits, &parsed->doc, &parsed->error);
}

static inline void parsed_fini(struct parsed *parsed)
{
    json_parser_free(&parsed->parser);
    buf_fini(&parsed->text);
}

static inline void parsed_init(struct parsed *parsed, const char *text)
{
    int err = parsed_try(parsed, slice_from_text(text), &JSON_LIMITS_DEFAULT, '"');
    if (err != 0) {
        fail_msg("not parsed: %s: %s at %zu", text, parsed->error.reason, parsed->error.offset);
    }
}

static inline void assert_bytes(const struct buf *buf, const char *expected)
{
    assert_int_equal(buf_error(buf), 0);
    if (!slice_equal_text(buf_view(buf), expected)) {
        fail_msg("got %.*s, expected %s", (int)buf->size, buf->data, expected);
    }
}

#endif
