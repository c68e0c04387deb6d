/*
 * Scopes between bits and text (RFC 6749 section 3.3: names with spaces between, in any order). The
 * names themselves are in base/kinds.c.
 */
#include "auth/auth_priv.h"

void auth_scopes_to_text(uint32_t scopes, struct buf *text)
{
    bool first = true;
    for (uint32_t bit = 1; bit <= SCOPE_ALL; bit <<= 1) {
        if ((scopes & bit) != 0) {
            buf_append_text(text, first ? "" : " ");
            buf_append_text(text, scope_to_text(bit));
            first = false;
        }
    }
}

int auth_scopes_from_text(struct slice text, uint32_t *scopes)
{
    uint32_t all = 0;
    *scopes = 0;
    while (text.size > 0) {
        const char *space = memchr(text.data, ' ', text.size);
        size_t size = space == NULL ? text.size : (size_t)(space - text.data);
        if (size > 0) {
            uint32_t bit = scope_from_text(slice_make(text.data, size));
            if (bit == 0) {
                return ERR_BAD_PARAMETER;
            }
            all |= bit;
        }
        text = slice_from(text, size == text.size ? size : size + 1);
    }
    *scopes = all;
    return 0;
}
