/*
 * What form a body has, when nobody said: by its bytes first, by its file's name where the bytes leave it
 * open. Pure.
 */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include "base/slice.h"

enum format_packing { FORMAT_PLAIN, FORMAT_GZIP, FORMAT_ZSTD };

enum format { FORMAT_UNKNOWN, FORMAT_JSON, FORMAT_NDJSON, FORMAT_CSV };

/* How a body that begins like this is packed. */
enum format_packing format_packing(struct slice start);
/* The word for Content-Encoding; NULL when it is plain. */
const char *format_packing_coding(enum format_packing packing);

/* The format of a body whose unpacked start this is. `file` is its path, "-" or "" when it has none. */
enum format format_of_body(struct slice start, const char *file);
/* "json", "ndjson" or "csv", else FORMAT_UNKNOWN. */
enum format format_from_name(const char *name);
/* The type for Content-Type; of a known format. */
const char *format_media_type(enum format format);

/* Past a byte order mark and white space. */
struct slice format_skip_blank(struct slice text);
/* Up to the line break, which is left out; *rest is what stands behind it. */
struct slice format_first_line(struct slice text, struct slice *rest);

#endif
