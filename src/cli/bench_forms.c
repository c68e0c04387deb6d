/*
 * The forms. The one difficulty is CSV, whose columns are fixed while a customer's members are not: the columns are a
 * table in the order in which the generator writes members, and a parsed customer is walked beside it. Each leaf's
 * pointer is looked for from the column behind the last one, so a row costs one pass; what a customer lacks is an
 * empty field. A leaf without a column is a mistake of ours (assert).
 */
#include "cli/bench_forms.h"

#include <assert.h>
#include <stdlib.h>

#include "csv/csv.h"
#include "unpack/unpack.h"
#include "json/json.h"

const char *const BENCH_FORM_HEADERS[BENCH_FORMS] = {
    "Content-Type: application/json\r\n",
    "Content-Type: application/x-ndjson\r\n",
    "Content-Type: text/csv\r\n",
    "Content-Type: application/json\r\nContent-Encoding: zstd\r\n",
};

/* JSON Pointers without the first slash. */
static const char *const CYREXA_COLUMNS[] = {
    "id",
    "customerType",
    "customerName",
    "customerStatus",
    "categorization",
    "notifications/0/notificationType",
    "notifications/0/isEnabled",
    "person/firstName/name",
    "person/firstName/order",
    "person/firstName/abbreviation",
    "person/firstName/language",
    "person/firstName/native",
    "person/lastName/name",
    "person/lastName/order",
    "person/lastName/abbreviation",
    "person/lastName/language",
    "person/lastName/native",
    "person/fullName",
    "person/groupId",
    "person/gender",
    "person/dateOfBirth",
    "person/placeOfBirth",
    "person/nationality",
    "person/password",
    "person/email",
    "person/telephoneNumbers/0/phoneType",
    "person/telephoneNumbers/0/operator",
    "person/telephoneNumbers/0/encoding",
    "person/telephoneNumbers/0/country",
    "person/telephoneNumbers/0/number",
    "person/telephoneNumbers/0/purpose",
    "person/addresses/0/addressPurpose",
    "person/addresses/0/address/country",
    "person/addresses/0/address/area",
    "person/addresses/0/address/zipCode",
    "person/addresses/0/address/city",
    "person/addresses/0/address/street",
    "person/addresses/0/address/streetNumber/0",
    "person/addresses/0/address/building",
    "person/addresses/0/address/apartment",
    "person/addresses/0/address/entrance",
    "person/addresses/0/address/floor",
    "person/addresses/0/address/doorNumber",
    "person/addresses/0/address/geoPosition/latitude",
    "person/addresses/0/address/geoPosition/longitude",
    "person/addresses/0/address/geoPosition/altitude",
    "person/addresses/0/address/relatedToAddress/0/relationType",
    "person/addresses/0/address/relatedToAddress/0/address",
    "person/documents/0/purpose",
    "person/documents/0/name",
    "person/documents/0/documentType",
    "person/documents/0/location",
    "person/documents/0/status",
    "person/documents/0/metadata/0/name",
    "person/documents/0/metadata/0/type",
    "person/documents/0/metadata/0/value",
    "person/documents/1/purpose",
    "person/documents/1/name",
    "person/documents/1/documentType",
    "person/documents/1/location",
    "person/documents/1/status",
    "person/documents/1/metadata/0/name",
    "person/documents/1/metadata/0/type",
    "person/documents/1/metadata/0/value",
    "twofa/targetType",
    "twofa/targetValue",
};

static const char *const NEXERA_COLUMNS[] = {
    "customerWallet/wallet",
    "customerWallet/blockchainNamespace",
    "customerWallet/verified",
    "customerWallet/createdBy",
    "customerClaims/sub",
    "customerClaims/name",
    "customerClaims/givenName",
    "customerClaims/familyName",
    "customerClaims/nickname",
    "customerClaims/preferredUsername",
    "customerClaims/website",
    "customerClaims/gender",
    "customerClaims/birthdate",
    "customerClaims/zoneinfo",
    "customerClaims/locale",
    "customerClaims/countryOfResidence",
    "customerClaims/nationality",
    "customerClaims/address",
    "customerDid/did",
    "customerDid/createdBy",
    "customerDid/updatedBy",
};

struct columns {
    const char *const *names;
    size_t count;
};

static const struct columns COLUMNS[BENCH_SHAPES] = {
    {CYREXA_COLUMNS, sizeof CYREXA_COLUMNS / sizeof CYREXA_COLUMNS[0]},
    {NEXERA_COLUMNS, sizeof NEXERA_COLUMNS / sizeof NEXERA_COLUMNS[0]},
};

struct bench_maker {
    struct bench_source source;
    enum bench_form form;
    const char *project;
    bool has_customers; /* so a comma goes before the next */
    struct buf text;    /* one customer, or what is packed next */
    struct json_parser *parser;
};

struct bench_maker *bench_maker_new(const struct bench_source *source, enum bench_form form, const char *project)
{
    struct bench_maker *maker = calloc(1, sizeof *maker);
    if (maker == NULL) {
        return NULL;
    }
    maker->source = *source;
    maker->form = form;
    maker->project = project;
    buf_init(&maker->text, 0);
    maker->parser = form == BENCH_CSV ? json_parser_new(BENCH_CUSTOMER_BYTES) : NULL;
    if (form == BENCH_CSV && maker->parser == NULL) {
        bench_maker_free(&maker);
    }
    return maker;
}

void bench_maker_free(struct bench_maker **maker)
{
    if (*maker != NULL) {
        buf_fini(&(*maker)->text);
        json_parser_free(&(*maker)->parser);
        free(*maker);
        *maker = NULL;
    }
}

/* ---- JSON ---- */

static void put_json(struct bench_maker *maker, uint64_t first, uint64_t count, struct buf *out)
{
    for (uint64_t i = 0; i < count; i++) {
        if (maker->has_customers) {
            buf_append_byte(out, ',');
        }
        bench_customer(&maker->source, first + i, out, NULL);
        maker->has_customers = true;
    }
}

static void put_lines(struct bench_maker *maker, uint64_t first, uint64_t count, struct buf *out)
{
    for (uint64_t i = 0; i < count; i++) {
        bench_customer(&maker->source, first + i, out, NULL);
        buf_append_byte(out, '\n');
    }
}

/* ---- CSV ---- */

struct row {
    const struct json_doc *doc;
    const struct columns *columns;
    size_t column; /* how many of the row are written */
    struct buf *out;
    char pointer[128];
};

static void put_field(struct row *row, json_at at, size_t pointer_size)
{
    struct slice pointer = slice_make(row->pointer, pointer_size);
    bool found = false;
    while (!found) {
        assert(row->column < row->columns->count);
        if (row->column > 0) {
            buf_append_byte(row->out, ',');
        }
        found = slice_equal_text(pointer, row->columns->names[row->column++]);
    }
    if (json_type(row->doc, at) == JSON_STRING) {
        csv_append_field(row->out, json_string(row->doc, at));
    } else {
        json_append_minified(row->out, row->doc, at, NULL, 0);
    }
}

/* The pointer with one more token; its size. The generator's names need no escapes. */
static size_t add_token(struct row *row, size_t size, struct slice token)
{
    assert(size + 1 + token.size <= sizeof row->pointer);
    if (size > 0) {
        row->pointer[size++] = '/';
    }
    memcpy(row->pointer + size, token.data, token.size);
    return size + token.size;
}

/* Recursion is as deep as the generator nests. */
static void put_leaves(struct row *row, json_at at, size_t size)
{
    enum json_type type = json_type(row->doc, at);
    if (type != JSON_OBJECT && type != JSON_ARRAY) {
        put_field(row, at, size);
        return;
    }
    char index = '0';
    for (json_at child = json_first(row->doc, at); !json_is_end(row->doc, child);) {
        bool named = type == JSON_OBJECT;
        size_t longer = add_token(row, size, named ? json_string(row->doc, child) : slice_make(&index, 1));
        json_at value = named ? json_value_of(child) : child;
        put_leaves(row, value, longer);
        child = json_next(row->doc, value);
        index++;
    }
}

static void put_row(struct bench_maker *maker, uint64_t n, struct buf *out)
{
    struct json_doc doc;
    struct json_error error;
    buf_clear(&maker->text);
    bench_customer(&maker->source, n, &maker->text, NULL);
    int err = buf_reserve(&maker->text, JSON_PADDING);
    if (err == 0) {
        err = json_parse(maker->parser, buf_view(&maker->text), &JSON_LIMITS_DEFAULT, &doc, &error);
    }
    if (err != 0) {
        out->error = out->error != 0 ? out->error : err;
        return;
    }
    struct row row = {.doc = &doc, .columns = &COLUMNS[maker->source.shape], .out = out};
    put_leaves(&row, json_root(&doc), 0);
    /* A row may be shorter than the header. */
    buf_append_text(out, "\r\n");
}

static void put_header(const struct columns *columns, struct buf *out)
{
    for (size_t i = 0; i < columns->count; i++) {
        buf_append_text(out, i > 0 ? "," : "");
        buf_append_text(out, columns->names[i]);
    }
    buf_append_text(out, "\r\n");
}

/* ---- zstd ---- */

static void pack(struct bench_maker *maker, struct buf *out)
{
    int err = buf_error(&maker->text);
    if (err == 0) {
        err = unpack_pack_zstd(buf_view(&maker->text), out);
    }
    out->error = out->error != 0 ? out->error : err;
    buf_clear(&maker->text);
}

/* ---- the body ---- */

void bench_maker_begin(struct bench_maker *maker, struct buf *out)
{
    maker->has_customers = false;
    if (maker->form == BENCH_CSV) {
        put_header(&COLUMNS[maker->source.shape], out);
    } else if (maker->form != BENCH_NDJSON) {
        bench_body_begin(&maker->source, maker->form == BENCH_ZSTD ? &maker->text : out);
    }
}

void bench_maker_customers(struct bench_maker *maker, uint64_t first, uint64_t count, struct buf *out)
{
    switch (maker->form) {
    case BENCH_JSON:
        put_json(maker, first, count, out);
        break;
    case BENCH_NDJSON:
        put_lines(maker, first, count, out);
        break;
    case BENCH_CSV:
        for (uint64_t i = 0; i < count; i++) {
            put_row(maker, first + i, out);
        }
        break;
    default:
        put_json(maker, first, count, &maker->text);
        pack(maker, out);
    }
}

void bench_maker_end(struct bench_maker *maker, struct buf *out)
{
    if (maker->form == BENCH_JSON) {
        bench_body_end(&maker->source, maker->project, out);
    } else if (maker->form == BENCH_ZSTD) {
        bench_body_end(&maker->source, maker->project, &maker->text);
        pack(maker, out);
    }
}
