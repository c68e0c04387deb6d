/*
 * URIs and DIDs. Both grammars are regular but for the host in brackets, so each is read from left
 * to right in runs of allowed characters; percent escapes count as one where they are allowed.
 */
#include "contract/format_priv.h"

#define UNRESERVED (FORMAT_ALNUM | FORMAT_ID_MARK | FORMAT_TILDE)
#define REG_NAME   (UNRESERVED | FORMAT_SUB_DELIM)
#define USER_INFO  (REG_NAME | FORMAT_COLON)
#define PATH       (USER_INFO | FORMAT_AT | FORMAT_SLASH)
#define QUERY      (PATH | FORMAT_QUESTION)

/* Where the run of these classes and of percent escapes that begins at `at` ends. */
static size_t skip(struct slice text, size_t at, unsigned classes)
{
    for (;;) {
        at += format_run(text, at, classes);
        if (text.size - at < 3 || text.data[at] != '%' || !format_all(slice_make(text.data + at + 1, 2), FORMAT_HEX))
            return at;
        at += 3;
    }
}

/* "v" hex digits "." and more: an address of a later version, RFC 3986 section 3.2.2. */
static bool ip_future(struct slice text)
{
    if (text.size < 4 || (text.data[0] != 'v' && text.data[0] != 'V'))
        return false;
    size_t dot = 1 + format_run(text, 1, FORMAT_HEX);
    return dot > 1 && dot + 1 < text.size && text.data[dot] == '.' && format_all(slice_from(text, dot + 1), USER_INFO);
}

/* Size of the host at the front with its brackets; -1 when it isn't one. A registered name may be empty. */
static ptrdiff_t host_size(struct slice text)
{
    if (text.size == 0 || text.data[0] != '[')
        return (ptrdiff_t)skip(text, 0, REG_NAME);
    const char *end = memchr(text.data, ']', text.size);
    if (end == NULL)
        return -1;
    struct slice inner = slice_make(text.data + 1, (size_t)(end - text.data) - 1);
    return format_ipv6(inner) || ip_future(inner) ? end - text.data + 1 : -1;
}

/* [userinfo "@"] host [":" port], RFC 3986 section 3.2. */
static bool authority(struct slice text, bool host_needed)
{
    size_t user = skip(text, 0, USER_INFO);
    if (user < text.size && text.data[user] == '@')
        text = slice_from(text, user + 1);
    ptrdiff_t host = host_size(text);
    if (host < 0 || (host == 0 && host_needed))
        return false;
    text = slice_from(text, (size_t)host);
    return text.size == 0 || (text.data[0] == ':' && format_all(slice_from(text, 1), FORMAT_DIGIT));
}

static size_t authority_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size && text.data[size] != '/' && text.data[size] != '?' && text.data[size] != '#')
        size++;
    return size;
}

/* path ["?" query] ["#" fragment] and nothing behind. */
static bool path_query_fragment(struct slice text)
{
    size_t at = skip(text, 0, PATH);
    if (at < text.size && text.data[at] == '?')
        at = skip(text, at + 1, QUERY);
    if (at < text.size && text.data[at] == '#')
        at = skip(text, at + 1, QUERY);
    return at == text.size;
}

/* Size of the scheme at the front without its colon, 0 when there is none (RFC 3986 section 3.1). */
static size_t scheme_size(struct slice text)
{
    size_t size = 0;
    if (text.size == 0 || (format_class(text.data[0]) & FORMAT_ALPHA) == 0)
        return 0;
    while (size < text.size && ((format_class(text.data[size]) & FORMAT_ALNUM) != 0 || text.data[size] == '+' ||
                                text.data[size] == '-' || text.data[size] == '.'))
        size++;
    return size < text.size && text.data[size] == ':' ? size : 0;
}

/*
 * RFC 3986 section 3: an absolute URI, with a scheme and perhaps a fragment; ASCII alone, for an
 * IRI is not yet a URI. http and https need a host (RFC 9110 section 4.2.1).
 */
bool format_uri(struct slice text)
{
    size_t size = scheme_size(text);
    if (size == 0)
        return false;
    struct slice scheme = slice_make(text.data, size);
    bool web = slice_equal_nocase(scheme, SLICE("http")) || slice_equal_nocase(scheme, SLICE("https"));
    struct slice rest = slice_from(text, size + 1);
    if (!slice_starts(rest, SLICE("//")))
        return !web && path_query_fragment(rest);
    rest = slice_from(rest, 2);
    size_t end = authority_size(rest);
    return authority(slice_make(rest.data, end), web) && path_query_fragment(slice_from(rest, end));
}

/* did:key: a multibase value in base58btc, whose mark is "z" (did:key Method section 2.1). */
static bool did_key(struct slice id)
{
    return id.size >= 2 && id.data[0] == 'z' && format_base58_all(slice_from(id, 1));
}

/* did:web: a domain name, its port behind "%3A", and path segments (did:web Method section 2.3). */
static bool did_web(struct slice id)
{
    size_t end = 0;
    while (end < id.size && id.data[end] != ':' && id.data[end] != '%')
        end++;
    if (format_host_labels(slice_make(id.data, end), false) == 0)
        return false;
    id = slice_from(id, end);
    if (id.size > 0 && id.data[0] == '%') {
        size_t digits = id.size < 3 ? 0 : format_run(id, 3, FORMAT_DIGIT);
        if (digits == 0 || digits > 5 || !slice_equal_nocase(slice_make(id.data, 3), SLICE("%3A")))
            return false;
        id = slice_from(id, 3 + digits);
    }
    for (size_t i = 1; i < id.size; i++)
        if (id.data[i] == ':' && id.data[i - 1] == ':')
            return false;
    return id.size == 0 || id.data[0] == ':';
}

/* Takes the part before the next colon, or all; whether it has so many bytes, all of a class or a mark. */
static bool part(struct slice *text, unsigned classes, const char *marks, size_t most)
{
    size_t size = 0;
    while (size < text->size && text->data[size] != ':') {
        char c = text->data[size++];
        if (size > most || ((format_class(c) & classes) == 0 && (c == '\0' || strchr(marks, c) == NULL)))
            return false;
    }
    *text = slice_from(*text, size < text->size ? size + 1 : size);
    return size > 0;
}

/* did:pkh: an account id of CAIP-10, whose chain id CAIP-2 gives: namespace ":" reference ":" address. */
static bool did_pkh(struct slice id)
{
    const char *name = id.data;
    if (!part(&id, FORMAT_LOWER | FORMAT_DIGIT, "-", 8) || id.data - name < 4)
        return false;
    return part(&id, FORMAT_ALNUM, "-_", 32) && part(&id, FORMAT_ALNUM, "-.%", 128) && id.size == 0;
}

static bool method_fits(struct slice method, struct slice id)
{
    if (slice_equal_text(method, "key"))
        return did_key(id);
    if (slice_equal_text(method, "web"))
        return did_web(id);
    return slice_equal_text(method, "pkh") ? did_pkh(id) : true;
}

/* W3C DID Core 1.0 section 3.1: the DID alone, without path, query or fragment. */
bool format_did(struct slice text)
{
    if (!slice_starts(text, SLICE("did:")))
        return false;
    text = slice_from(text, 4);
    size_t method = format_run(text, 0, FORMAT_LOWER | FORMAT_DIGIT);
    if (method == 0 || method + 1 >= text.size || text.data[method] != ':')
        return false;
    struct slice id = slice_from(text, method + 1);
    if (id.data[id.size - 1] == ':' || skip(id, 0, FORMAT_ALNUM | FORMAT_ID_MARK | FORMAT_COLON) != id.size)
        return false;
    return method_fits(slice_make(text.data, method), id);
}
