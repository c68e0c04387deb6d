/* Parser, scanner, minify and canonical held to each other on any bytes. */
#include "json_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf first = {0}, second = {0}, small = {0}, canonical[2] = {{0}, {0}};
    struct json_doc doc;
    if (size <= LIMIT_ITEM_BYTES && fuzz_parse(slice_make(data, size), &first, &doc) == 0) {
        json_append_minified(&small, &doc, json_root(&doc), NULL, 0);
        json_append_canonical(&canonical[0], &doc, json_root(&doc), NULL, 0);
        assert(fuzz_parse(buf_view(&small), &second, &doc) == 0);
        json_append_canonical(&canonical[1], &doc, json_root(&doc), NULL, 0);
        assert(canonical[0].size > 0 && slice_equal(buf_view(&canonical[0]), buf_view(&canonical[1])));
    }
    struct buf *all[] = {&first, &second, &small, &canonical[0], &canonical[1]};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        buf_fini(all[i]);
    }
    return 0;
}
