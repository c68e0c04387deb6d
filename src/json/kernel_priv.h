/*
 * The border between C and simdjson.cc. It includes nothing of ours: our headers are C, not C++.
 */
#ifndef JSON_KERNEL_PRIV_H
#define JSON_KERNEL_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_kernel;

/* What a parse made; see struct json_doc. Valid until the kernel's next parse. */
struct json_kernel_doc {
    const uint64_t *tape;
    const uint8_t *strings;
    const uint32_t *structurals;
    uint32_t structural_count;
};

#ifdef __cplusplus
extern "C" {
#endif

/* `depth`: nested arrays and objects. NULL: no memory. */
struct json_kernel *json_kernel_new(size_t capacity_bytes, size_t depth);
void json_kernel_free(struct json_kernel *kernel);
/* True when the text is JSON; it knows neither places nor our limits. 64 bytes behind the text must
 * be readable. */
bool json_kernel_parse(struct json_kernel *kernel, const char *text, size_t size, struct json_kernel_doc *doc);

#ifdef __cplusplus
}
#endif

#endif
