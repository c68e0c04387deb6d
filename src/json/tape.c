/*
 * Reading the tape beyond what json.h does inline, and the way from the tape back to the text. Tape
 * and tokens run in lockstep: every entry has one token, and only the tokens comma and colon have no
 * entry. So the token of an entry is found by walking both from the start.
 */
#include <assert.h>

#include "json/json_priv.h"

#define COUNT_SATURATED 0xFFFFFFu

enum json_type json_type_of_tag(char tag)
{
    switch (tag) {
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'l':
        return JSON_INT;
    case 'u':
        return JSON_UINT;
    case 'd':
        return JSON_DOUBLE;
    case '"':
        return JSON_STRING;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    default:
        assert(tag == 'n');
        return JSON_NULL;
    }
}

double json_number(const struct json_doc *doc, json_at at)
{
    switch (json_tag(doc, at)) {
    case 'l':
        return (double)json_int(doc, at);
    case 'u':
        return (double)doc->tape[at + 1];
    default:
        assert(json_tag(doc, at) == 'd');
        return json_double(doc, at);
    }
}

static uint32_t count_by_walk(const struct json_doc *doc, json_at container)
{
    bool object = json_tag(doc, container) == '{';
    uint32_t count = 0;
    for (json_at at = json_first(doc, container); !json_is_end(doc, at); count++) {
        at = json_next(doc, object ? json_value_of(at) : at);
    }
    return count;
}

uint32_t json_count(const struct json_doc *doc, json_at container)
{
    assert(json_tag(doc, container) == '{' || json_tag(doc, container) == '[');
    uint32_t count = (uint32_t)(doc->tape[container] >> 32) & COUNT_SATURATED;
    return count == COUNT_SATURATED ? count_by_walk(doc, container) : count;
}

void json_cursor_move(const struct json_doc *doc, struct json_cursor *cursor, json_at target)
{
    while (cursor->at < target) {
        char tag = json_tag(doc, cursor->at);
        cursor->at += tag == 'l' || tag == 'u' || tag == 'd' ? 2 : 1;
        cursor->token++;
        char byte = json_token_byte(doc, cursor->token);
        if (byte == ',' || byte == ':') {
            cursor->token++;
        }
    }
    assert(cursor->at == target);
}

size_t json_offset_of(const struct json_doc *doc, json_at at)
{
    struct json_cursor cursor = {1, 0};
    json_cursor_move(doc, &cursor, at);
    return cursor.token < doc->structural_count ? doc->structurals[cursor.token] : doc->text.size;
}
