/* Small conversions between bytes and text that several rooms need. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdint.h>

#include "base/buf.h"

/* Base64url without padding (RFC 4648 section 5). */
void text_append_base64url(struct buf *buf, struct slice bytes);
/* Standard base64 with padding (RFC 4648 section 4). False when the text is not that. */
bool text_decode_base64(struct slice text, struct buf *bytes);
/* Base64url, padding optional. False when the text is not that. */
bool text_decode_base64url(struct slice text, struct buf *bytes);
void text_append_hex(struct buf *buf, struct slice bytes);

/* Decimal digits only, no sign, within 64 bits. */
bool text_to_u64(struct slice text, uint64_t *value);

/* Percent-decoding of one query or form value (RFC 3986; '+' is a space when `form`). False on a bad escape. */
bool text_decode_percent(struct slice text, bool form, struct buf *out);

/* The candidate nearest to `word` by edit distance, or -1 when none is near enough to be meant. */
int text_nearest(struct slice word, const struct slice *candidates, size_t count);

#endif
