/*
 * The table of formats that a contract file may name. format_find runs while contracts are
 * compiled, never for a customer; the tests it hands out run for each.
 */
#include "contract/format.h"

#include "contract/format_priv.h"

static const struct format formats[] = {
    {"email", format_email, "an e-mail address such as name@example.com"},
    {"phone", format_phone, "an international phone number: + and up to 15 digits, such as +14155552671"},
    {"date", format_date, "a calendar date such as 1990-12-31 (RFC 3339)"},
    {"date-time", format_date_time, "a date and time with its offset, such as 1990-12-31T23:59:00Z (RFC 3339)"},
    {"uri", format_uri, "a URI with its scheme, such as https://example.com/page (RFC 3986)"},
    {"uuid", format_uuid, "a UUID such as f81d4fae-7dec-11d0-a765-00a0c91e6bf6 (RFC 9562)"},
    {"iso-3166-1-alpha-2", format_country_alpha_2, "a two-letter country code in upper case, such as CH (ISO 3166-1)"},
    {"iso-3166-1-alpha-3", format_country_alpha_3,
     "a three-letter country code in upper case, such as CHE (ISO 3166-1)"},
    {"language", format_language, "a language tag such as en or pt-BR (BCP 47)"},
    {"time-zone", format_time_zone, "an IANA time zone name such as Europe/Zurich"},
    {"did", format_did, "a decentralized identifier such as did:web:example.com (W3C DID Core)"},
};

const struct format *format_find(struct slice name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (slice_equal_text(name, formats[i].name))
            return &formats[i];
    return NULL;
}
