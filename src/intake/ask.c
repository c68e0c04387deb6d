/*
 * Ask: what a request wants besides being taken: the form of its body, preferences (RFC 7240), an
 * idempotency key (draft-ietf-httpapi-idempotency-key-header-07), and the query.
 *
 * Asking for what is not done must not look as if it had been done: preferences that are not known are passed over,
 * as RFC 7240 wants, and Preference-Applied names those that were not; anything else unknown is refused.
 */
#include <stdio.h>

#include "intake/intake_priv.h"

#define KEY_BYTES 255u

/* Takes the next element of a comma-separated header (RFC 9110 section 5.6.1), trimmed in front. */
static bool next_element(struct slice *list, struct slice *element)
{
    while (list->size > 0 && (list->data[0] == ' ' || list->data[0] == ',' || list->data[0] == '\t')) {
        *list = slice_from(*list, 1);
    }
    if (list->size == 0) {
        return false;
    }
    size_t size = 0;
    while (size < list->size && list->data[size] != ',') {
        size++;
    }
    *element = slice_make(list->data, size);
    *list = slice_from(*list, size);
    return true;
}

/* What stands before the first ';': a media type or preference without its parameters; *rest what follows. */
static struct slice without_parameters(struct slice element, struct slice *rest)
{
    size_t size = 0;
    while (size < element.size && element.data[size] != ';') {
        size++;
    }
    *rest = slice_from(element, size);
    return slice_trim(slice_make(element.data, size));
}

/* ---- the form of the body ---- */

static bool is_utf8(struct slice parameters)
{
    static const struct slice name = {"charset=", 8};
    while (parameters.size > 0) {
        struct slice parameter = slice_trim(without_parameters(slice_from(parameters, 1), &parameters));
        if (parameter.size < name.size || !slice_equal_nocase(slice_make(parameter.data, name.size), name)) {
            continue;
        }
        struct slice value = slice_from(parameter, name.size);
        if (value.size >= 2 && value.data[0] == '"') {
            value = slice_make(value.data + 1, value.size - 2);
        }
        return slice_equal_nocase(value, SLICE("utf-8")) || slice_equal_nocase(value, SLICE("us-ascii"));
    }
    return true;
}

static const struct {
    struct slice type;
    enum import_format format;
} FORMATS[] = {
    {{"application/json", 16}, IMPORT_JSON},
    {{"application/x-ndjson", 20}, IMPORT_NDJSON},
    {{"application/ndjson", 18}, IMPORT_NDJSON},
    {{"text/csv", 8}, IMPORT_CSV},
};

static int ask_format(const struct intake_headers *headers, struct intake_admission *admission, const char **what)
{
    struct slice parameters;
    struct slice type = without_parameters(headers->content_type, &parameters);
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++) {
        if (slice_equal_nocase(type, FORMATS[i].type)) {
            admission->format = (uint8_t)FORMATS[i].format;
            if (FORMATS[i].format == IMPORT_JSON || is_utf8(parameters)) {
                return 0; /* JSON has no charset parameter: RFC 8259 section 11 */
            }
            *what = "The charset must be utf-8.";
        }
    }
    return ERR_MEDIA_TYPE;
}

static int ask_encoding(struct slice text, struct intake_admission *admission, const char **what)
{
    struct slice encoding = slice_trim(text);
    if (encoding.size == 0 || slice_equal_nocase(encoding, SLICE("identity"))) {
        admission->encoding = INTAKE_IDENTITY;
    } else if (slice_equal_nocase(encoding, SLICE("gzip")) || slice_equal_nocase(encoding, SLICE("x-gzip"))) {
        admission->encoding = INTAKE_GZIP;
    } else if (slice_equal_nocase(encoding, SLICE("zstd"))) {
        admission->encoding = INTAKE_ZSTD;
    } else {
        *what = "This Content-Encoding is not supported; send gzip, zstd, or the body as it is.";
        return ERR_MEDIA_TYPE;
    }
    return 0;
}

/* The first type of Accept that can be produced decides. */
static int ask_shape(struct slice accept, struct intake_admission *admission)
{
    struct slice element;
    struct slice parameters;
    if (slice_trim(accept).size == 0) {
        return 0;
    }
    while (next_element(&accept, &element)) {
        struct slice type = without_parameters(element, &parameters);
        if (slice_equal_nocase(type, SLICE("application/x-ndjson")) ||
            slice_equal_nocase(type, SLICE("application/ndjson"))) {
            admission->shape = INTAKE_LINES;
            return 0;
        }
        if (slice_equal_nocase(type, SLICE("application/json")) || slice_equal_nocase(type, SLICE("application/*")) ||
            slice_equal_nocase(type, SLICE("*/*"))) {
            return 0;
        }
    }
    return ERR_NOT_ACCEPTABLE;
}

/* ---- preferences ---- */

enum preference { PREFER_LENIENT, PREFER_ALL, PREFER_STRICT, PREFER_ASYNC, PREFER_MINIMAL, PREFER_COUNT };

static const char *const PREFERENCES[PREFER_COUNT] = {"handling=lenient", "handling=strict", "validation=strict",
                                                      "respond-async", "return=minimal"};

/* The value of a preference may be quoted (RFC 7240 section 2). */
static bool is_preference(struct slice text, const char *wanted)
{
    char plain[32];
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == ' ') {
            continue;
        }
        if (size == sizeof plain) {
            return false;
        }
        plain[size++] = text.data[i];
    }
    return slice_equal_nocase(slice_make(plain, size), slice_from_text(wanted));
}

/* Of two that contradict each other the first counts (RFC 7240 section 2). */
static void ask_preferences(struct slice prefer, struct intake_admission *admission)
{
    bool asked[PREFER_COUNT] = {false};
    struct slice element;
    struct slice parameters;
    while (next_element(&prefer, &element)) {
        struct slice preference = without_parameters(element, &parameters);
        for (size_t i = 0; i < PREFER_COUNT; i++) {
            if (is_preference(preference, PREFERENCES[i])) {
                bool other = (i == PREFER_LENIENT && asked[PREFER_ALL]) || (i == PREFER_ALL && asked[PREFER_LENIENT]);
                asked[i] = !other;
            }
        }
    }
    admission->partial = asked[PREFER_LENIENT];
    admission->strict = admission->strict || asked[PREFER_STRICT];
    admission->async = asked[PREFER_ASYNC];
    if (asked[PREFER_MINIMAL] && admission->shape == INTAKE_DOCUMENTED) {
        admission->shape = INTAKE_COUNTS;
    }
    size_t used = 0;
    for (size_t i = 0; i < PREFER_COUNT; i++) {
        if (asked[i] && (i != PREFER_MINIMAL || admission->shape == INTAKE_COUNTS)) {
            used += (size_t)snprintf(admission->applied + used, sizeof admission->applied - used, "%s%s",
                                     used == 0 ? "" : ", ", PREFERENCES[i]);
        }
    }
}

/* ---- the idempotency key ---- */

/* A string of structured fields (RFC 8941 section 3.3.3), or, as many clients send it, the bare key. */
static bool unquote(struct slice text, char *key, size_t *size)
{
    bool quoted = text.size >= 2 && text.data[0] == '"' && text.data[text.size - 1] == '"';
    struct slice inner = quoted ? slice_make(text.data + 1, text.size - 2) : text;
    *size = 0;
    for (size_t i = 0; i < inner.size; i++) {
        char byte = inner.data[i];
        if (quoted && byte == '\\' && i + 1 < inner.size && (inner.data[i + 1] == '"' || inner.data[i + 1] == '\\')) {
            byte = inner.data[++i];
        } else if (byte == '"' || byte == '\\') {
            return false;
        }
        if (byte < ' ' || byte > '~' || *size == KEY_BYTES) {
            return false;
        }
        key[(*size)++] = byte;
    }
    return *size > 0;
}

int intake_key_mac(const struct contract *contract, const struct auth_tenant *tenant, struct slice text,
                   uint8_t mac[CRYPTO_MAC_BYTES])
{
    char key[KEY_BYTES];
    size_t size = 0;
    if (!unquote(slice_trim(text), key, &size)) {
        return ERR_BAD_PARAMETER;
    }
    struct buf named;
    buf_init(&named, 0);
    buf_append_text(&named, "idempotency-key");
    buf_append_byte(&named, 0);
    buf_append_slice(&named, contract_info(contract)->path);
    buf_append_byte(&named, 0);
    buf_append(&named, key, size);
    crypto_fingerprint(tenant->keys, buf_view(&named), mac);
    int err = buf_error(&named);
    buf_fini(&named);
    return err;
}

static int ask_key(const struct intake_headers *headers, struct intake_admission *admission, const char **what)
{
    if (headers->idempotency_key.data == NULL) {
        return 0;
    }
    admission->keyed = true;
    int err =
        intake_key_mac(admission->contract, admission->grant.tenant, headers->idempotency_key, admission->key_mac);
    if (err == ERR_BAD_PARAMETER) {
        *what = "Idempotency-Key must be a quoted string of 1 to 255 printable characters.";
    }
    return err;
}

/* What a retry must repeat besides its body. How the answer is shaped is not part of it. */
static int note_terms(struct intake_admission *admission)
{
    struct buf terms;
    buf_init(&terms, 0);
    buf_append_text(&terms, "terms of an idempotency key");
    buf_append_byte(&terms, admission->format);
    buf_append_byte(&terms, admission->on_existing);
    buf_append_byte(&terms, (uint8_t)(admission->partial | admission->strict << 1 | admission->dry_run << 2));
    buf_append_u32(&terms, admission->grant.scopes); /* what was let through before must be let through again */
    buf_append_u64(&terms, admission->envelope.size);
    buf_append_slice(&terms, buf_view(&admission->envelope));
    buf_append_slice(&terms, buf_view(&admission->map));
    crypto_fingerprint(admission->grant.tenant->keys, buf_view(&terms), admission->terms_mac);
    int err = buf_error(&terms);
    buf_fini(&terms);
    return err;
}

/* ---- the query ---- */

static const char *const EXISTING[] = {[IMPORT_EXISTING_SAME] = "same",
                                       [IMPORT_EXISTING_SKIP] = "skip",
                                       [IMPORT_EXISTING_UPDATE] = "update",
                                       [IMPORT_EXISTING_FAIL] = "fail"};

static int ask_existing(struct slice value, struct intake_admission *admission, const char **what)
{
    for (size_t i = 0; i < sizeof EXISTING / sizeof EXISTING[0]; i++) {
        if (slice_equal_text(value, EXISTING[i])) {
            admission->on_existing = (uint8_t)i;
            return 0;
        }
    }
    *what = "onExisting must be same, skip, update or fail.";
    return ERR_BAD_PARAMETER;
}

static int ask_dry_run(struct slice value, struct intake_admission *admission, const char **what)
{
    admission->dry_run = slice_equal_text(value, "true");
    if (!admission->dry_run && !slice_equal_text(value, "false")) {
        *what = "dryRun must be true or false.";
        return ERR_BAD_PARAMETER;
    }
    return 0;
}

static int ask_map(struct slice value, struct intake_admission *admission, const char **what)
{
    if (admission->format != IMPORT_CSV) {
        *what = "map is for text/csv.";
        return ERR_BAD_PARAMETER;
    }
    buf_append_slice(&admission->map, value);
    return buf_error(&admission->map);
}

/* A member of the envelope, which a body of lines or rows has no place for. */
static int ask_member(const struct intake_param *param, struct intake_admission *admission, struct json_writer *writer,
                      const char **what)
{
    if (admission->format == IMPORT_JSON || !contract_envelope_names(admission->contract, param->name)) {
        *what = "The query has a parameter that this address does not know.";
        return ERR_BAD_PARAMETER;
    }
    json_name_slice(writer, param->name);
    json_put_string(writer, param->value);
    return 0;
}

static int ask_param(const struct intake_param *param, struct intake_admission *admission, struct json_writer *writer,
                     const char **what)
{
    if (slice_equal_text(param->name, "onExisting")) {
        return ask_existing(param->value, admission, what);
    }
    if (slice_equal_text(param->name, "dryRun")) {
        return ask_dry_run(param->value, admission, what);
    }
    if (slice_equal_text(param->name, "map")) {
        return ask_map(param->value, admission, what);
    }
    return ask_member(param, admission, writer, what);
}

/* The envelope that the query stands for; its array is there, and empty, as the splitter leaves it. */
static void close_envelope(struct intake_admission *admission, struct json_writer *writer)
{
    struct slice items = contract_info(admission->contract)->items;
    if (items.size > 1) {
        json_name_slice(writer, slice_from(items, 1));
        json_open_array(writer);
        json_close_array(writer);
    }
    json_close_object(writer);
    if (items.size == 0 || admission->format == IMPORT_JSON) {
        buf_clear(&admission->envelope);
    }
}

static int ask_query(const struct intake_headers *headers, struct intake_admission *admission, const char **what)
{
    struct json_writer writer;
    buf_init(&admission->envelope, LIMIT_ENVELOPE_BYTES);
    buf_init(&admission->map, LIMIT_ENVELOPE_BYTES);
    json_writer_init(&writer, &admission->envelope);
    json_open_object(&writer);
    for (size_t i = 0; i < headers->param_count; i++) {
        int err = ask_param(&headers->params[i], admission, &writer, what);
        if (err != 0) {
            return err;
        }
    }
    close_envelope(admission, &writer);
    if (admission->dry_run) {
        admission->shape = INTAKE_COUNTS; /* there are no ids to tell */
    }
    return buf_error(&admission->envelope);
}

int ask_read(const struct intake_headers *headers, struct intake_admission *admission, const char **what)
{
    int err = ask_format(headers, admission, what);
    err = err == 0 ? ask_encoding(headers->content_encoding, admission, what) : err;
    err = err == 0 ? ask_shape(headers->accept, admission) : err;
    if (err == 0) {
        ask_preferences(headers->prefer, admission);
        err = ask_query(headers, admission, what);
    }
    err = err == 0 ? ask_key(headers, admission, what) : err;
    return err == 0 ? note_terms(admission) : err;
}
