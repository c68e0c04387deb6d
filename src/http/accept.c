/*
 * Which of the types that an address has the client wants (RFC 9110 section 12.5.1): the one with the greatest
 * quality, the first of equals. The quality of a type is that of the most specific range that fits it, so
 * "text/csv;q=0" next to a range for all of text takes any text but CSV. Parameters besides q are passed over.
 */
#include <assert.h>

#include "http/http_priv.h"

enum { FITS_NOT, FITS_ANY, FITS_GROUP, FITS_EXACTLY };

struct offers {
    const char *const *types;
    size_t count;
    unsigned quality[HTTP_OFFERS]; /* in thousandths */
    int fits[HTTP_OFFERS];
    bool asked; /* there was a range */
};

static struct slice trim(struct slice text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = slice_from(text, 1);
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

/* The part in front of the next `separator`, trimmed; *text goes behind it. */
static struct slice take_part(struct slice *text, char separator)
{
    const char *end = text->size == 0 ? NULL : memchr(text->data, separator, text->size);
    size_t size = end == NULL ? text->size : (size_t)(end - text->data);
    struct slice part = slice_make(text->data, size);
    *text = slice_from(*text, end == NULL ? size : size + 1);
    return trim(part);
}

/* "1", "0.5", "0.125" in thousandths; 1000 for what is no quality. */
static unsigned read_quality(struct slice text)
{
    unsigned value = 0;
    unsigned unit = 1000;
    for (size_t i = 0; i < text.size && i < 5; i++) {
        if (text.data[i] >= '0' && text.data[i] <= '9') {
            value += (unsigned)(text.data[i] - '0') * unit;
            unit /= 10;
        } else if (i != 1 || text.data[i] != '.') {
            return 1000;
        }
    }
    return value > 1000 || text.size == 0 ? 1000 : value;
}

static int fit_of(struct slice range, struct slice type)
{
    const char *slash = memchr(type.data, '/', type.size);
    struct slice group = slice_make(type.data, (size_t)(slash - type.data) + 1);
    if (slice_equal_nocase(range, type)) {
        return FITS_EXACTLY;
    }
    if (slice_equal(range, SLICE("*/*"))) {
        return FITS_ANY;
    }
    bool same = range.size == group.size + 1 && range.data[range.size - 1] == '*' &&
                slice_equal_nocase(slice_make(range.data, group.size), group);
    return same ? FITS_GROUP : FITS_NOT;
}

static void note_range(struct offers *offers, struct slice element)
{
    struct slice range = take_part(&element, ';');
    unsigned quality = 1000;
    while (element.size > 0) {
        struct slice value = take_part(&element, ';');
        struct slice name = take_part(&value, '=');
        if (slice_equal_nocase(name, SLICE("q"))) {
            quality = read_quality(trim(value));
        }
    }
    offers->asked = offers->asked || range.size > 0;
    for (size_t i = 0; i < offers->count; i++) {
        int fits = fit_of(range, slice_from_text(offers->types[i]));
        if (fits > offers->fits[i]) {
            offers->fits[i] = fits;
            offers->quality[i] = quality;
        }
    }
}

static enum MHD_Result note_field(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct slice left = slice_from_text(value);
    (void)kind;
    if (slice_equal_nocase(slice_from_text(name), SLICE(MHD_HTTP_HEADER_ACCEPT))) {
        while (left.size > 0) {
            note_range(context, take_part(&left, ','));
        }
    }
    return MHD_YES;
}

int http_accept(const struct http_request *request, const char *const *types, size_t count, size_t *chosen)
{
    struct offers offers = {.types = types, .count = count};
    assert(count > 0 && count <= HTTP_OFFERS);
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, note_field, &offers);
    *chosen = 0;
    if (!offers.asked) {
        return 0;
    }
    for (size_t i = 1; i < count; i++) {
        if (offers.quality[i] > offers.quality[*chosen]) {
            *chosen = i;
        }
    }
    return offers.quality[*chosen] > 0 ? 0 : ERR_NOT_ACCEPTABLE;
}
