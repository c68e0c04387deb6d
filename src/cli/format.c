/*
 * The difficulty is one object on the first line: it may be the only line of an NDJSON file or an envelope
 * on one line. Then the file's name says, and without one an envelope gives itself away by its array.
 */
#include "cli/format.h"

#include <stdint.h>
#include <strings.h>

#include "cli/guess.h"

static const struct {
    const char *name;
    const char *media_type;
    const char *endings[2];
} FORMATS[] = {
    [FORMAT_UNKNOWN] = {"", "", {NULL, NULL}},
    [FORMAT_JSON] = {"json", "application/json", {".json", NULL}},
    [FORMAT_NDJSON] = {"ndjson", "application/x-ndjson", {".ndjson", ".jsonl"}},
    [FORMAT_CSV] = {"csv", "text/csv", {".csv", NULL}},
};

enum format_packing format_packing(struct slice start)
{
    if (slice_starts(start, SLICE("\x1F\x8B\x08"))) {
        return FORMAT_GZIP;
    }
    return slice_starts(start, SLICE("\x28\xB5\x2F\xFD")) ? FORMAT_ZSTD : FORMAT_PLAIN;
}

const char *format_packing_coding(enum format_packing packing)
{
    static const char *const codings[] = {NULL, "gzip", "zstd"};
    return codings[packing];
}

enum format format_from_name(const char *name)
{
    for (enum format format = FORMAT_JSON; format <= FORMAT_CSV; format++) {
        if (strcmp(FORMATS[format].name, name) == 0) {
            return format;
        }
    }
    return FORMAT_UNKNOWN;
}

const char *format_media_type(enum format format)
{
    return FORMATS[format].media_type;
}

struct slice format_skip_blank(struct slice text)
{
    text = slice_starts(text, SLICE("\xEF\xBB\xBF")) ? slice_from(text, 3) : text;
    while (text.size > 0 && strchr(" \t\r\n", text.data[0]) != NULL && text.data[0] != '\0') {
        text = slice_from(text, 1);
    }
    return text;
}

struct slice format_first_line(struct slice text, struct slice *rest)
{
    size_t size = 0;
    while (size < text.size && text.data[size] != '\n' && text.data[size] != '\r') {
        size++;
    }
    *rest = slice_from(text, size);
    return slice_make(text.data, size);
}

static bool ends_with(struct slice text, const char *ending)
{
    size_t size = strlen(ending);
    return text.size > size && strncasecmp(text.data + text.size - size, ending, size) == 0;
}

static enum format by_file(const char *file)
{
    struct slice name = slice_from_text(file);
    name.size -= ends_with(name, ".gz") ? 3 : ends_with(name, ".zst") ? 4 : 0;
    for (enum format format = FORMAT_JSON; format <= FORMAT_CSV; format++) {
        for (size_t i = 0; i < 2 && FORMATS[format].endings[i] != NULL; i++) {
            if (ends_with(name, FORMATS[format].endings[i])) {
                return format;
            }
        }
    }
    return FORMAT_UNKNOWN;
}

/* Whether the brackets that a text opens are all closed in it, and it ends with that. */
static bool is_closed(struct slice text)
{
    uint64_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (in_string) {
            i += c == '\\' ? 1 : 0;
            in_string = c != '"';
            continue;
        }
        in_string = c == '"';
        depth += c == '{' || c == '[' ? 1 : 0;
        depth -= (c == '}' || c == ']') && depth > 0 ? 1 : 0;
    }
    return depth == 0 && !in_string;
}

static enum format of_object(struct slice text, const char *file)
{
    struct slice rest;
    struct slice line = format_first_line(text, &rest);
    if (!is_closed(line)) {
        return FORMAT_JSON;
    }
    rest = format_skip_blank(rest);
    if (rest.size > 0) {
        return rest.data[0] == '{' ? FORMAT_NDJSON : FORMAT_JSON;
    }
    enum format named = by_file(file);
    if (named == FORMAT_JSON || named == FORMAT_NDJSON) {
        return named;
    }
    return guess_by_body(FORMAT_JSON, text, SLICE_NONE) != NULL ? FORMAT_JSON : FORMAT_NDJSON;
}

/* A header row is text; what has control characters is none. */
static bool is_text(struct slice line)
{
    for (size_t i = 0; i < line.size; i++) {
        if ((unsigned char)line.data[i] < 0x20 && line.data[i] != '\t') {
            return false;
        }
    }
    return line.size > 0;
}

enum format format_of_body(struct slice start, const char *file)
{
    struct slice rest;
    struct slice text = format_skip_blank(start);
    if (text.size > 0 && text.data[0] == '[') {
        return FORMAT_JSON;
    }
    if (text.size > 0 && text.data[0] == '{') {
        return of_object(text, file);
    }
    return is_text(format_first_line(text, &rest)) ? FORMAT_CSV : FORMAT_UNKNOWN;
}
