/*
 * Finding members and JSON Pointers (RFC 6901). A pointer is compared token by token without being
 * decoded into memory first; an escape that RFC 6901 does not know names nothing.
 */
#include "json/json_priv.h"

json_at json_member(const struct json_doc *doc, json_at object, struct slice name)
{
    if (json_tag(doc, object) != '{') {
        return 0;
    }
    for (json_at at = json_first(doc, object); !json_is_end(doc, at); at = json_next(doc, json_value_of(at))) {
        if (slice_equal(json_string(doc, at), name)) {
            return json_value_of(at);
        }
    }
    return 0;
}

/* True when the reference token, its ~0 and ~1 undone, is this name. */
static bool token_names(struct slice token, struct slice name)
{
    size_t used = 0;
    for (size_t i = 0; i < token.size; i++, used++) {
        char byte = token.data[i];
        if (byte == '~') {
            i++;
            if (i == token.size || (token.data[i] != '0' && token.data[i] != '1')) {
                return false;
            }
            byte = token.data[i] == '0' ? '~' : '/';
        }
        if (used == name.size || name.data[used] != byte) {
            return false;
        }
    }
    return used == name.size;
}

static json_at member_of_token(const struct json_doc *doc, json_at object, struct slice token)
{
    for (json_at at = json_first(doc, object); !json_is_end(doc, at); at = json_next(doc, json_value_of(at))) {
        if (token_names(token, json_string(doc, at))) {
            return json_value_of(at);
        }
    }
    return 0;
}

/* RFC 6901 section 4: digits without a leading zero. More than nine can't be: texts are smaller. */
static bool token_index(struct slice token, uint32_t *index)
{
    if (token.size == 0 || token.size > 9 || (token.size > 1 && token.data[0] == '0')) {
        return false;
    }
    *index = 0;
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] < '0' || token.data[i] > '9') {
            return false;
        }
        *index = *index * 10 + (uint32_t)(token.data[i] - '0');
    }
    return true;
}

static json_at element_of_token(const struct json_doc *doc, json_at array, struct slice token)
{
    uint32_t index;
    if (!token_index(token, &index)) {
        return 0;
    }
    json_at at = json_first(doc, array);
    for (; index > 0 && !json_is_end(doc, at); index--) {
        at = json_next(doc, at);
    }
    return json_is_end(doc, at) ? 0 : at;
}

static json_at step(const struct json_doc *doc, json_at at, struct slice token)
{
    switch (json_tag(doc, at)) {
    case '{':
        return member_of_token(doc, at, token);
    case '[':
        return element_of_token(doc, at, token);
    default:
        return 0;
    }
}

json_at json_at_pointer(const struct json_doc *doc, json_at from, struct slice pointer)
{
    json_at at = from;
    while (pointer.size > 0 && at != 0) {
        if (pointer.data[0] != '/') {
            return 0;
        }
        pointer = slice_from(pointer, 1);
        const char *slash = pointer.size == 0 ? NULL : memchr(pointer.data, '/', pointer.size);
        size_t size = slash == NULL ? pointer.size : (size_t)(slash - pointer.data);
        at = step(doc, at, slice_make(pointer.data, size));
        pointer = slice_from(pointer, size);
    }
    return at;
}

void json_pointer_append(struct buf *pointer, struct slice name)
{
    buf_append_byte(pointer, '/');
    size_t done = 0;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '~' || name.data[i] == '/') {
            buf_append(pointer, name.data + done, i - done);
            buf_append(pointer, name.data[i] == '~' ? "~0" : "~1", 2);
            done = i + 1;
        }
    }
    if (done < name.size) {
        buf_append(pointer, name.data + done, name.size - done);
    }
}

void json_pointer_append_index(struct buf *pointer, uint64_t index)
{
    char digits[21];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    digits[--at] = '/';
    buf_append(pointer, digits + at, sizeof digits - at);
}
