/*
 * Which names are taken. A tenant's name stands in headers, URLs, tokens and row keys, so it is
 * plain ASCII without separators; names of projects and labels are the client's own words, so any
 * text that prints is fine: well-formed UTF-8 (RFC 3629) without control characters. The difficulty
 * is what counts as printing: line separators and the marks that reorder a line are refused too,
 * because such a name would show as another one in a list.
 */
#include "auth/auth_priv.h"

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool auth_name_is_tenant(struct slice name)
{
    if (name.size == 0 || name.size > LIMIT_NAME_BYTES || !is_alphanumeric(name.data[0])) {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

/* Length of the sequence that this lead byte begins, 0 when it begins none; its bits to *point. */
static size_t sequence_begin(uint8_t lead, uint32_t *point)
{
    if (lead < 0x80) {
        *point = lead;
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        *point = lead & 0x1Fu;
        return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        *point = lead & 0x0Fu;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        *point = lead & 0x07u;
        return 4;
    }
    return 0;
}

/* Takes one code point off the front; false when the bytes are not UTF-8. */
static bool take_point(struct slice *text, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = (const uint8_t *)text->data;
    size_t length = sequence_begin(bytes[0], point);
    if (length == 0 || length > text->size) {
        return false;
    }
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return false;
        }
        *point = *point << 6 | (bytes[i] & 0x3Fu);
    }
    *text = slice_from(*text, length);
    return *point >= smallest[length] && *point <= 0x10FFFF && !(*point >= 0xD800 && *point <= 0xDFFF);
}

static bool prints(uint32_t point)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } refused[] = {
        {0x0000, 0x001F}, /* C0 */
        {0x007F, 0x009F}, /* delete, C1 */
        {0x2028, 0x202E}, /* line separators, embeddings and overrides */
        {0x2066, 0x2069}, /* isolates */
        {0xFEFF, 0xFEFF}, /* byte order mark */
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (point >= refused[i].first && point <= refused[i].last) {
            return false;
        }
    }
    return (point & 0xFFFE) != 0xFFFE;
}

bool auth_name_is_printable(struct slice name)
{
    if (name.size == 0 || name.size > LIMIT_NAME_BYTES) {
        return false;
    }
    while (name.size > 0) {
        uint32_t point;
        if (!take_point(&name, &point) || !prints(point)) {
            return false;
        }
    }
    return true;
}

bool auth_name_is_id(struct slice text, const char *prefix)
{
    struct slice start = slice_from_text(prefix);
    if (!slice_starts(text, start) || text.size == start.size || text.size >= AUTH_ID_BYTES) {
        return false;
    }
    for (size_t i = start.size; i < text.size; i++) {
        char c = text.data[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return true;
}
