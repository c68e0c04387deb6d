/*
 * simdjson behind four C functions: the only C++ of the house. The difficulty is what the library
 * does not promise by name: its tape and string buffer are documented (doc/tape.md) but the offsets
 * of the tokens are an implementation's detail, so this file is where a new release must be looked
 * at. The unit tests of minify hold it to them.
 */
#include <new>

#include <simdjson.h>

#include "json/kernel_priv.h"

struct json_kernel {
    simdjson::dom::parser parser;
};

extern "C" struct json_kernel *json_kernel_new(size_t capacity_bytes, size_t depth)
{
    // Never below simdjson's own minimum, else it would allocate again within a parse.
    const size_t capacity = capacity_bytes < 64 ? 64 : capacity_bytes;
    json_kernel *kernel = new (std::nothrow) json_kernel;
    if (kernel == nullptr) {
        return nullptr;
    }
    // Two more than we allow: simdjson counts the root and refuses at its limit.
    if (kernel->parser.allocate(capacity, depth + 2) != simdjson::SUCCESS ||
        kernel->parser.doc.allocate(capacity) != simdjson::SUCCESS) {
        delete kernel;
        return nullptr;
    }
    return kernel;
}

extern "C" void json_kernel_free(struct json_kernel *kernel)
{
    delete kernel;
}

extern "C" bool json_kernel_parse(struct json_kernel *kernel, const char *text, size_t size,
                                  struct json_kernel_doc *doc)
{
    simdjson::dom::parser &parser = kernel->parser;
    if (parser.parse(text, size, false).error() != simdjson::SUCCESS) {
        return false;
    }
    doc->tape = parser.doc.tape.get();
    doc->strings = parser.doc.string_buf.get();
    doc->structurals = parser.implementation->structural_indexes.get();
    doc->structural_count = parser.implementation->n_structural_indexes;
    return true;
}
