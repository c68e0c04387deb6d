/* Parser, scanner, minify and canonical held to each other on any bytes. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "json/json_priv.h"

static struct json_parser *parser;

static int parse(struct slice text, struct buf *padded, struct json_doc *doc)
{
    struct json_error error = {0};
    buf_clear(padded);
    buf_append_slice(padded, text);
    assert(buf_reserve(padded, JSON_PADDING) == 0);
    memset(padded->data + padded->size, '1', JSON_PADDING);
    int err = json_parse(parser, buf_view(padded), &JSON_LIMITS_DEFAULT, doc, &error);
    int scanned = json_scan(buf_view(padded), &JSON_LIMITS_DEFAULT, &(struct json_error){0});
    assert(err == ERR_MALFORMED_JSON || (err == 0 && scanned == 0));
    assert(err == 0 || (error.reason != NULL && error.offset <= text.size && error.line > 0 && error.column > 0));
    assert(err == 0 || scanned != 0 || strstr(error.reason, "is not valid JSON") == NULL);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf first = {0}, second = {0}, small = {0}, canonical[2] = {{0}, {0}};
    struct json_doc doc;
    parser = parser != NULL ? parser : json_parser_new(LIMIT_ITEM_BYTES);
    if (size <= LIMIT_ITEM_BYTES && parse(slice_make(data, size), &first, &doc) == 0) {
        json_append_minified(&small, &doc, json_root(&doc), NULL, 0);
        json_append_canonical(&canonical[0], &doc, json_root(&doc), NULL, 0);
        assert(parse(buf_view(&small), &second, &doc) == 0);
        json_append_canonical(&canonical[1], &doc, json_root(&doc), NULL, 0);
        assert(canonical[0].size > 0 && slice_equal(buf_view(&canonical[0]), buf_view(&canonical[1])));
    }
    struct buf *all[] = {&first, &second, &small, &canonical[0], &canonical[1]};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        buf_fini(all[i]);
    }
    return 0;
}
