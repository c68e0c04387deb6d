/* What the harnesses of the json room share: a parse that is held to the strict scanner. */
#ifndef TESTS_FUZZ_JSON_FUZZ_H
#define TESTS_FUZZ_JSON_FUZZ_H

#include <assert.h>

#include "base/limits.h"
#include "json/json_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses a copy in `padded`; json_parse's code. */
static inline int fuzz_parse(struct slice text, struct buf *padded, struct json_doc *doc)
{
    static struct json_parser *parser;
    struct json_error error = {0};
    struct json_error scanned = {0};
    parser = parser != NULL ? parser : json_parser_new(LIMIT_ITEM_BYTES);
    buf_append_slice(padded, text);
    assert(parser != NULL && buf_reserve(padded, JSON_PADDING) == 0);
    memset(padded->data + padded->size, '1', JSON_PADDING); /* may not be read as text */
    int err = json_parse(parser, buf_view(padded), &JSON_LIMITS_DEFAULT, doc, &error);
    int scan = json_scan(buf_view(padded), &JSON_LIMITS_DEFAULT, &scanned);
    assert(err == ERR_MALFORMED_JSON || (err == 0 && scan == 0));
    assert(err == 0 || (error.reason != NULL && error.offset <= text.size && error.line > 0 && error.column > 0));
    /* The general reason would mean that only the fast parser found something. */
    assert(err == 0 || strstr(error.reason, "is not valid JSON") == NULL);
    return err;
}

#endif
