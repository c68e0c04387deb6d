/*
 * Host names and IP addresses as they stand inside e-mail addresses, URIs and DIDs. The one
 * difficulty is a label beyond ASCII: its limit of 63 octets holds for its "xn--" form (RFC 5890
 * section 2.3.2.1), which Punycode makes of at least one octet a character, so its characters are
 * counted against 59 and nothing is converted.
 */
#include "contract/format_priv.h"

#define NAME_BYTES_MAX            253 /* 255 octets on the wire, RFC 1035 section 2.3.4 */
#define LABEL_BYTES_MAX           63
#define WIDE_LABEL_CHARACTERS_MAX 59

/* Size of the label at the front, 0 when there is none (RFC 1123 section 2.1, RFC 6531 section 3.3). */
static size_t label_size(struct slice text, bool utf8)
{
    size_t at = 0;
    size_t characters = 0;
    bool wide = false;
    for (; at < text.size && text.data[at] != '.'; characters++) {
        unsigned class = format_class(text.data[at]);
        size_t step = (class & FORMAT_ALNUM) != 0 || text.data[at] == '-' ? 1 : 0;
        if ((class & FORMAT_HIGH) != 0 && utf8) {
            step = format_utf8_size(slice_from(text, at));
            wide = true;
        }
        if (step == 0)
            return 0;
        at += step;
    }
    if (at == 0 || text.data[0] == '-' || text.data[at - 1] == '-')
        return 0;
    return characters <= (wide ? WIDE_LABEL_CHARACTERS_MAX : LABEL_BYTES_MAX) ? at : 0;
}

/* A last label of digits alone would be an IPv4 address, right or wrong (RFC 3696 section 2). */
size_t format_host_labels(struct slice text, bool utf8)
{
    if (text.size == 0 || text.size > NAME_BYTES_MAX)
        return 0;
    for (size_t labels = 1;; labels++) {
        size_t size = label_size(text, utf8);
        if (size == 0)
            return 0;
        if (size == text.size)
            return format_all(text, FORMAT_DIGIT) ? 0 : labels;
        text = slice_from(text, size + 1);
    }
}

/* dec-octet of RFC 3986 section 3.2.2: 0 to 255 without leading zeros. */
static size_t octet_size(struct slice text)
{
    size_t size = format_run(text, 0, FORMAT_DIGIT);
    unsigned value = 0;
    if (size == 0 || size > 3 || (size > 1 && text.data[0] == '0'))
        return 0;
    for (size_t i = 0; i < size; i++)
        value = value * 10 + (unsigned)(text.data[i] - '0');
    return value <= 255 ? size : 0;
}

bool format_ipv4(struct slice text)
{
    for (int octet = 0; octet < 4; octet++) {
        if (octet > 0) {
            if (text.size == 0 || text.data[0] != '.')
                return false;
            text = slice_from(text, 1);
        }
        size_t size = octet_size(text);
        if (size == 0)
            return false;
        text = slice_from(text, size);
    }
    return text.size == 0;
}

/*
 * RFC 3986 section 3.2.2: eight groups of one to four hexadecimal digits, of which one run of one
 * or more may be written "::", and the last two may be an IPv4 address.
 */
bool format_ipv6(struct slice text)
{
    size_t groups = 0;
    bool elided = false;
    if (text.size < 2 || text.size > 45)
        return false;
    if (text.data[0] == ':' && text.data[1] != ':')
        return false;
    if (text.data[0] == ':')
        text = slice_from(text, 1);
    while (text.size > 0) {
        if (text.data[0] == ':') {
            if (elided)
                return false;
            elided = true;
            text = slice_from(text, 1);
            continue;
        }
        size_t digits = format_run(text, 0, FORMAT_HEX);
        if (digits < text.size && text.data[digits] == '.')
            return format_ipv4(text) && (elided ? groups <= 5 : groups == 6);
        if (digits == 0 || digits > 4)
            return false;
        groups++;
        text = slice_from(text, digits);
        if (text.size == 0)
            break;
        if (text.data[0] != ':' || text.size == 1)
            return false;
        text = slice_from(text, 1);
    }
    return elided ? groups <= 7 : groups == 8;
}
