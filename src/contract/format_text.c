/*
 * E-mail addresses, phone numbers and UUIDs: the formats that nearly every customer carries, so each
 * is one pass over a bounded number of bytes.
 */
#include "contract/format_priv.h"

#define EMAIL_BYTES_MAX 254 /* RFC 5321 section 4.5.3.1.3 less the angle brackets; RFC 3696 erratum 1690 */
#define EMAIL_LOCAL_MAX 64  /* RFC 5321 section 4.5.3.1.1 */

/* Size of the Dot-string at the front, 0 when there is none (RFC 5321 section 4.1.2, RFC 6531 section 3.3). */
static size_t dot_string_size(struct slice text)
{
    size_t at = 0;
    bool in_atom = false;
    while (at < text.size) {
        unsigned class = format_class(text.data[at]);
        if ((class & (FORMAT_ALNUM | FORMAT_ATEXT_MARK)) != 0) {
            at++;
            in_atom = true;
        } else if (text.data[at] == '.' && in_atom) {
            at++;
            in_atom = false;
        } else if ((class & FORMAT_HIGH) != 0) {
            size_t size = format_utf8_size(slice_from(text, at));
            if (size == 0)
                return 0;
            at += size;
            in_atom = true;
        } else {
            break;
        }
    }
    return in_atom ? at : 0;
}

/* Size of the Quoted-string at the front with its quotes, 0 when there is none (the same sections). */
static size_t quoted_string_size(struct slice text)
{
    size_t at = 1;
    while (at < text.size && text.data[at] != '"') {
        if (text.data[at] == '\\' && ++at == text.size)
            return 0;
        size_t size = format_utf8_size(slice_from(text, at));
        if (size == 0 || (size == 1 && (text.data[at] < ' ' || text.data[at] > '~')))
            return 0;
        at += size;
    }
    return at < text.size ? at + 1 : 0;
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]", RFC 5321 section 4.1.3. */
static bool address_literal(struct slice text)
{
    if (text.size < 2 || text.data[text.size - 1] != ']')
        return false;
    struct slice inner = slice_make(text.data + 1, text.size - 2);
    if (inner.size >= 5 && slice_equal_nocase(slice_make(inner.data, 5), SLICE("IPv6:")))
        return format_ipv6(slice_from(inner, 5));
    return format_ipv4(inner);
}

/*
 * Mailbox of RFC 5321 section 4.1.2 with the internationalised local parts and domains of RFC 6531.
 * A domain of one label is grammatical, but no top-level domain takes mail (ICANN SAC 053) and a
 * customer's "john@gmail" is a slip: it does not fit.
 */
bool format_email(struct slice text)
{
    if (text.size < 3 || text.size > EMAIL_BYTES_MAX)
        return false;
    size_t local = text.data[0] == '"' ? quoted_string_size(text) : dot_string_size(text);
    if (local == 0 || local > EMAIL_LOCAL_MAX || local + 1 >= text.size || text.data[local] != '@')
        return false;
    struct slice domain = slice_from(text, local + 1);
    return domain.data[0] == '[' ? address_literal(domain) : format_host_labels(domain, true) >= 2;
}

/*
 * ITU-T E.164 in its international form: "+", a country code, which never begins with 0, and at
 * most 15 digits in all. E.164 states no least number, so two digits pass; separators (E.123) don't.
 */
bool format_phone(struct slice text)
{
    return text.size >= 3 && text.size <= 16 && text.data[0] == '+' && text.data[1] != '0' &&
           format_all(slice_from(text, 1), FORMAT_DIGIT);
}

/* RFC 9562 section 4: hexadecimal digits in either case, 8-4-4-4-12, of any version and variant. */
bool format_uuid(struct slice text)
{
    if (text.size != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.data[i] != '-' : (format_class(text.data[i]) & FORMAT_HEX) == 0)
            return false;
    }
    return true;
}
