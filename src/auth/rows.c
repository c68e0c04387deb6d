/*
 * The rows of tenants, projects, clients and keys: their names in the store and their values, which
 * are JSON objects. One writer serves the store and the lists that operators see; the difference is
 * that a list never has the members marked as secret below, and shows times as RFC 3339.
 *
 *   tenant/<name>               a tenant, with its wrapped key
 *   tenant-id/<uuid>            the name of the tenant with that id
 *   project/<tenant>/<hex>      a project; the name in hex, because it may hold any character
 *   client/<client id>          an OAuth client, with the keyed hash of its secret
 *   key/<key id>                an API key or tenant token, with its keyed hash
 *
 * Nothing is ever taken off a row: what is revoked says so, which keeps its name from being used for
 * something else. Members that are not known are ignored; one that is missing or of another type
 * means that the row is corrupt; a tenant's limits are there when they are set.
 */
#include <assert.h>
#include <stdio.h>

#include "auth/auth_priv.h"
#include "base/clock.h"
#include "base/text.h"

enum {
    HAS_ID = 1 << 0,
    HAS_TENANT = 1 << 1,
    HAS_RIGHTS = 1 << 2,
    HAS_KIND = 1 << 3,
    HAS_POLICY = 1 << 4,
    HAS_HASH = 1 << 5,    /* secret */
    HAS_WRAPPED = 1 << 6, /* secret */
};

/* Beyond name, created and revoked, which every row has. */
static const unsigned MEMBERS[] = {
    [AUTH_ROW_TENANT] = HAS_ID | HAS_POLICY | HAS_WRAPPED,
    [AUTH_ROW_PROJECT] = HAS_TENANT,
    [AUTH_ROW_CLIENT] = HAS_ID | HAS_TENANT | HAS_RIGHTS | HAS_HASH,
    [AUTH_ROW_KEY] = HAS_ID | HAS_TENANT | HAS_RIGHTS | HAS_KIND | HAS_HASH,
};

static const char *const KEY_KINDS[] = {[AUTH_API_KEY] = "api-key", [AUTH_TENANT_TOKEN] = "tenant-token"};

#define ROW_LIMIT_BYTES 4096
#define CHANGE_TRIES    16

/* ---- names in the store ---- */

struct auth_row_name auth_row_name_of_tenant(struct slice name)
{
    struct auth_row_name row;
    assert(auth_name_is_tenant(name));
    (void)snprintf(row.text, sizeof row.text, "tenant/%.*s", SLICE_ARG(name));
    return row;
}

struct auth_row_name auth_row_name_of_tenant_id(const struct uuid *id)
{
    struct auth_row_name row;
    char text[UUID_TEXT_BYTES + 1];
    uuid_to_text(id, text);
    (void)snprintf(row.text, sizeof row.text, "tenant-id/%s", text);
    return row;
}

struct auth_row_name auth_row_name_of_project(struct slice tenant, struct slice project)
{
    struct auth_row_name row;
    assert(auth_name_is_tenant(tenant) && auth_name_is_printable(project));
    int size = snprintf(row.text, sizeof row.text, "project/%.*s/", SLICE_ARG(tenant));
    for (size_t i = 0; i < project.size; i++) {
        (void)snprintf(row.text + size + 2 * i, 3, "%02x", (uint8_t)project.data[i]);
    }
    return row;
}

struct auth_row_name auth_row_name_of_client(struct slice id)
{
    struct auth_row_name row;
    assert(auth_name_is_id(id, "client-"));
    (void)snprintf(row.text, sizeof row.text, "client/%.*s", SLICE_ARG(id));
    return row;
}

struct auth_row_name auth_row_name_of_key(struct slice id)
{
    struct auth_row_name row;
    assert(auth_name_is_id(id, "key-"));
    (void)snprintf(row.text, sizeof row.text, "key/%.*s", SLICE_ARG(id));
    return row;
}

void auth_text_copy(char *to, size_t room, struct slice text)
{
    assert(text.size < room);
    if (text.size > 0) {
        memcpy(to, text.data, text.size);
    }
    to[text.size] = '\0';
}

/* ---- writing ---- */

static void put_bytes(struct json_writer *writer, const char *name, struct slice bytes)
{
    struct buf text;
    buf_init(&text, 0);
    text_append_base64url(&text, bytes);
    json_name(writer, name);
    json_put_string(writer, buf_view(&text));
    buf_fail(writer->out, buf_error(&text)); /* a shortened secret must not be stored */
    buf_fini(&text);
}

static void put_text(struct json_writer *writer, const char *name, const char *text)
{
    json_name(writer, name);
    json_put_text(writer, text);
}

static void put_bool(struct json_writer *writer, const char *name, bool value)
{
    json_name(writer, name);
    json_put_bool(writer, value);
}

static void put_rights(struct json_writer *writer, const struct auth_row *row)
{
    json_name(writer, "scopes");
    json_open_array(writer);
    for (uint32_t bit = 1; bit <= SCOPE_ALL; bit <<= 1) {
        if ((row->scopes & bit) != 0) {
            json_put_text(writer, scope_to_text(bit));
        }
    }
    json_close_array(writer);
    put_text(writer, "project", row->project);
}

/* Only those that are set. */
static void put_limits(struct json_writer *writer, const struct auth_limits *limits)
{
    for (enum auth_limit i = 0; i < AUTH_LIMITS; i++) {
        if (limits->at[i] != 0) {
            json_name(writer, auth_limit_name(i));
            json_put_uint(writer, limits->at[i]);
        }
    }
}

static void put_created(struct json_writer *writer, int64_t created_ms, bool shown)
{
    char text[CLOCK_TEXT_BYTES];
    json_name(writer, "created");
    if (shown) {
        clock_to_text(created_ms, text);
        json_put_text(writer, text);
    } else {
        json_put_int(writer, created_ms);
    }
}

/* `shown`: to a person, so without secrets. */
static void put_row(struct json_writer *writer, enum auth_row_kind kind, const struct auth_row *row, bool shown)
{
    unsigned members = MEMBERS[kind];
    json_open_object(writer);
    if (members & HAS_ID) {
        put_text(writer, "id", row->id);
    }
    put_text(writer, "name", row->name);
    if (members & HAS_TENANT) {
        put_text(writer, "tenant", row->tenant);
    }
    if (members & HAS_KIND) {
        put_text(writer, "kind", KEY_KINDS[row->key_kind]);
    }
    if (members & HAS_RIGHTS) {
        put_rights(writer, row);
    }
    if (members & HAS_POLICY) {
        put_bool(writer, "createProjects", row->makes_projects);
        put_bool(writer, "strict", row->strict);
        put_limits(writer, &row->limits);
    }
    put_created(writer, row->created_ms, shown);
    put_bool(writer, "revoked", row->revoked);
    if ((members & HAS_HASH) && !shown) {
        put_bytes(writer, "hash", slice_make(row->hash, sizeof row->hash));
    }
    if ((members & HAS_WRAPPED) && !shown) {
        put_bytes(writer, "key", slice_make(row->wrapped, sizeof row->wrapped));
    }
    json_close_object(writer);
}

/* ---- reading ---- */

/* An object being read; `failed` is sticky. */
struct row_reader {
    const struct json_doc *doc;
    bool failed;
};

/* The member of that type, or 0 and failed. */
static json_at member(struct row_reader *reader, const char *name, enum json_type type)
{
    json_at at = json_member(reader->doc, json_root(reader->doc), slice_from_text(name));
    if (at == 0 || json_type(reader->doc, at) != type) {
        reader->failed = true;
        return 0;
    }
    return at;
}

static struct slice get_string(struct row_reader *reader, const char *name)
{
    json_at at = member(reader, name, JSON_STRING);
    return at == 0 ? SLICE_NONE : json_string(reader->doc, at);
}

static void get_text(struct row_reader *reader, const char *name, char *to, size_t room)
{
    struct slice text = get_string(reader, name);
    if (text.size >= room) {
        reader->failed = true;
        return;
    }
    auth_text_copy(to, room, text);
}

static void get_bytes(struct row_reader *reader, const char *name, uint8_t *to, size_t size)
{
    struct buf bytes;
    buf_init(&bytes, 0);
    if (text_decode_base64url(get_string(reader, name), &bytes) && buf_error(&bytes) == 0 && bytes.size == size) {
        memcpy(to, bytes.data, size);
    } else {
        reader->failed = true;
    }
    buf_fini(&bytes);
}

static bool get_bool(struct row_reader *reader, const char *name)
{
    json_at at = json_member(reader->doc, json_root(reader->doc), slice_from_text(name));
    enum json_type type = at == 0 ? JSON_NULL : json_type(reader->doc, at);
    reader->failed |= type != JSON_TRUE && type != JSON_FALSE;
    return type == JSON_TRUE;
}

static void get_limits(struct row_reader *reader, struct auth_limits *limits)
{
    for (enum auth_limit i = 0; i < AUTH_LIMITS; i++) {
        json_at at = json_member(reader->doc, json_root(reader->doc), slice_from_text(auth_limit_name(i)));
        bool is_int = at != 0 && json_type(reader->doc, at) == JSON_INT && json_int(reader->doc, at) > 0;
        limits->at[i] = is_int ? (uint64_t)json_int(reader->doc, at) : 0;
        reader->failed |= at != 0 && !is_int;
    }
}

static void get_kind(struct row_reader *reader, enum auth_key_kind *kind)
{
    struct slice text = get_string(reader, "kind");
    *kind = slice_equal_text(text, KEY_KINDS[AUTH_TENANT_TOKEN]) ? AUTH_TENANT_TOKEN : AUTH_API_KEY;
    reader->failed |= !slice_equal_text(text, KEY_KINDS[*kind]);
}

static void get_rights(struct row_reader *reader, struct auth_row *row)
{
    get_text(reader, "project", row->project, sizeof row->project);
    json_at array = member(reader, "scopes", JSON_ARRAY);
    for (json_at at = array == 0 ? 0 : json_first(reader->doc, array); at != 0 && !json_is_end(reader->doc, at);
         at = json_next(reader->doc, at)) {
        bool is_text = json_type(reader->doc, at) == JSON_STRING;
        uint32_t bit = is_text ? scope_from_text(json_string(reader->doc, at)) : 0;
        row->scopes |= bit;
        reader->failed |= bit == 0;
    }
}

static int row_from_doc(const struct json_doc *doc, enum auth_row_kind kind, struct auth_row *row)
{
    struct row_reader reader = {doc, false};
    unsigned members = MEMBERS[kind];
    *row = (struct auth_row){0};
    get_text(&reader, "name", row->name, sizeof row->name);
    json_at created = member(&reader, "created", JSON_INT);
    row->created_ms = created == 0 ? 0 : json_int(doc, created);
    row->revoked = get_bool(&reader, "revoked");
    if (members & HAS_ID) {
        get_text(&reader, "id", row->id, sizeof row->id);
    }
    if (members & HAS_TENANT) {
        get_text(&reader, "tenant", row->tenant, sizeof row->tenant);
    }
    if (members & HAS_KIND) {
        get_kind(&reader, &row->key_kind);
    }
    if (members & HAS_RIGHTS) {
        get_rights(&reader, row);
    }
    if (members & HAS_POLICY) {
        row->makes_projects = get_bool(&reader, "createProjects");
        row->strict = get_bool(&reader, "strict");
        get_limits(&reader, &row->limits);
    }
    if (members & HAS_HASH) {
        get_bytes(&reader, "hash", row->hash, sizeof row->hash);
    }
    if (members & HAS_WRAPPED) {
        get_bytes(&reader, "key", row->wrapped, sizeof row->wrapped);
    }
    return reader.failed ? ERR_CORRUPT : 0;
}

/* Reads the row in `value`, which is grown by the parser's padding. */
static int row_parse(struct json_parser *parser, struct buf *value, enum auth_row_kind kind, struct auth_row *row)
{
    struct json_doc doc;
    struct json_error error;
    int err = buf_reserve(value, JSON_PADDING);
    if (err != 0) {
        return err;
    }
    if (value->size > ROW_LIMIT_BYTES) {
        return ERR_CORRUPT;
    }
    err = json_parse(parser, buf_view(value), &JSON_LIMITS_DEFAULT, &doc, &error);
    if (err != 0) {
        return err == ERR_NO_MEMORY ? err : ERR_CORRUPT;
    }
    return row_from_doc(&doc, kind, row);
}

static int parse_once(struct buf *value, enum auth_row_kind kind, struct auth_row *row)
{
    struct json_parser *parser = json_parser_new(ROW_LIMIT_BYTES);
    if (parser == NULL) {
        return ERR_NO_MEMORY;
    }
    int err = row_parse(parser, value, kind, row);
    json_parser_free(&parser);
    return err;
}

/* ---- the store ---- */

static int load_bytes(struct store *store, const struct auth_row_name *name, struct buf *value)
{
    int err = store_meta_get(store, slice_from_text(name->text), value);
    return err != 0 ? err : buf_error(value);
}

int auth_row_load(struct store *store, const struct auth_row_name *name, enum auth_row_kind kind, struct auth_row *row)
{
    struct buf value;
    buf_init(&value, 0);
    int err = load_bytes(store, name, &value);
    if (err == 0) {
        err = parse_once(&value, kind, row);
    }
    buf_fini(&value);
    return err;
}

static int write_bytes(const struct auth_row *row, enum auth_row_kind kind, struct buf *value)
{
    struct json_writer writer;
    json_writer_init(&writer, value);
    put_row(&writer, kind, row, false);
    return buf_error(value);
}

int auth_row_add(struct store *store, const struct auth_row_name *name, enum auth_row_kind kind,
                 const struct auth_row *row)
{
    struct buf value;
    buf_init(&value, 0);
    int err = write_bytes(row, kind, &value);
    if (err == 0) {
        err = store_meta_add(store, slice_from_text(name->text), buf_view(&value));
    }
    buf_fini(&value);
    return err;
}

/* ERR_BUSY: another one was written meanwhile. */
static int change_once(struct store *store, const struct auth_row_name *name, enum auth_row_kind kind,
                       auth_row_change_fn *change, void *context, struct auth_row *row)
{
    struct buf old;
    struct buf value;
    buf_init(&old, 0);
    buf_init(&value, 0);
    int err = load_bytes(store, name, &old);
    if (err == 0) {
        err = parse_once(&old, kind, row);
    }
    if (err == 0) {
        err = change(context, row);
    }
    if (err == 0) {
        err = write_bytes(row, kind, &value);
    }
    if (err == 0) {
        err = store_meta_replace(store, slice_from_text(name->text), buf_view(&old), buf_view(&value));
    }
    buf_fini(&value);
    buf_fini(&old);
    return err;
}

int auth_row_change(struct store *store, const struct auth_row_name *name, enum auth_row_kind kind,
                    auth_row_change_fn *change, void *context, struct auth_row *row)
{
    int err = ERR_BUSY;
    for (unsigned i = 0; i < CHANGE_TRIES && err == ERR_BUSY; i++) {
        err = change_once(store, name, kind, change, context, row);
    }
    return err == ERR_BUSY ? ERR_OVERLOADED : err;
}

struct listing {
    struct json_parser *parser;
    struct json_writer writer;
    struct buf value;
    enum auth_row_kind kind;
    struct slice tenant;
};

static int list_row(void *context, struct slice key, struct slice value)
{
    struct listing *listing = context;
    struct auth_row row;
    (void)key;
    buf_clear(&listing->value);
    buf_append_slice(&listing->value, value);
    int err = row_parse(listing->parser, &listing->value, listing->kind, &row);
    if (err == 0 && (listing->tenant.size == 0 || slice_equal_text(listing->tenant, row.tenant))) {
        put_row(&listing->writer, listing->kind, &row, true);
    }
    return err;
}

int auth_row_list(struct store *store, struct slice prefix, enum auth_row_kind kind, struct slice tenant,
                  struct buf *json)
{
    struct listing listing = {.kind = kind, .tenant = tenant, .parser = json_parser_new(ROW_LIMIT_BYTES)};
    if (listing.parser == NULL) {
        return ERR_NO_MEMORY;
    }
    buf_init(&listing.value, 0);
    json_writer_init(&listing.writer, json);
    json_open_array(&listing.writer);
    int err = store_meta_list(store, prefix, list_row, &listing);
    json_close_array(&listing.writer);
    buf_fini(&listing.value);
    json_parser_free(&listing.parser);
    return err != 0 ? err : buf_error(json);
}
