/*
 * Rows from JSON. Strings lose their quotes, and control characters become spaces, so that a value can
 * neither break a row nor steer the terminal.
 */
#include "cli/print.h"

static void print_text(FILE *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        fputc(c < 0x20 || c == 0x7F ? ' ' : c, out);
    }
}

static void print_value(FILE *out, const struct json_doc *doc, json_at value)
{
    struct buf text;
    if (json_type(doc, value) == JSON_STRING) {
        print_text(out, json_string(doc, value));
        return;
    }
    if (json_type(doc, value) == JSON_ARRAY) {
        for (json_at at = json_first(doc, value); !json_is_end(doc, at); at = json_next(doc, at)) {
            if (at != json_first(doc, value)) {
                fputc(' ', out);
            }
            print_value(out, doc, at);
        }
        return;
    }
    buf_init(&text, 0);
    json_append_minified(&text, doc, value, NULL, 0);
    print_text(out, buf_view(&text));
    buf_fini(&text);
}

void print_json(struct slice json)
{
    fwrite(json.data, 1, json.size, stdout);
    if (json.size == 0 || json.data[json.size - 1] != '\n') {
        putchar('\n');
    }
}

void print_row(FILE *out, const struct json_doc *doc, json_at value)
{
    if (json_type(doc, value) != JSON_OBJECT) {
        print_value(out, doc, value);
    } else {
        for (json_at at = json_first(doc, value); !json_is_end(doc, at); at = json_next(doc, json_value_of(at))) {
            if (at != json_first(doc, value)) {
                fputc('\t', out);
            }
            print_value(out, doc, json_value_of(at));
        }
    }
    fputc('\n', out);
}

void print_rows(FILE *out, const struct json_doc *doc, const char *name)
{
    json_at array = name == NULL ? json_root(doc) : json_member(doc, json_root(doc), slice_from_text(name));
    if (array == 0 || json_type(doc, array) != JSON_ARRAY) {
        return;
    }
    for (json_at at = json_first(doc, array); !json_is_end(doc, at); at = json_next(doc, at)) {
        print_row(out, doc, at);
    }
}

void print_members(FILE *out, const struct json_doc *doc)
{
    json_at root = json_root(doc);
    if (json_type(doc, root) != JSON_OBJECT) {
        print_row(out, doc, root);
        return;
    }
    for (json_at at = json_first(doc, root); !json_is_end(doc, at); at = json_next(doc, json_value_of(at))) {
        print_text(out, json_string(doc, at));
        fputs(": ", out);
        print_value(out, doc, json_value_of(at));
        fputc('\n', out);
    }
}
