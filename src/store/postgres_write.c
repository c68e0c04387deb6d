/*
 * Changed rows on their way to the server. Within a family they go in order of key, each key once, as it was changed
 * last: so two transactions that want the same rows take them in the same order, and one waits for the other instead
 * of both for each other.
 *
 * A row that is put takes the place of one that is there, unless that one was written after the transaction's snapshot:
 * then the server refuses it (40001), and the operation is decided again. Many new rows come by COPY, which is several
 * times cheaper and refuses any row that is there (23505): also decided again, and without COPY then. A row that was
 * not looked for takes no row's place either way.
 *
 * Tenants are parameters of their own, one tenant a statement, so that an engine that keeps tenants on different
 * machines sends each statement to one of them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "store/postgres_priv.h"

#define COPY_ROWS_MIN   48
#define COPY_BUFFER     (256u << 10)
#define STATEMENT_ROWS  20000 /* of one statement */
#define STATEMENT_BYTES (4u << 20)

const char *const store_pg_tables[STORE_FAMILY_COUNT] = {
    [STORE_FAMILY_FORMAT] = "muster_format",
    [STORE_FAMILY_BODY] = "muster_body",
    [STORE_FAMILY_UNIQUE] = "muster_unique",
    [STORE_FAMILY_PLAIN] = "muster_plain",
    [STORE_FAMILY_SECRET] = "muster_secret",
    [STORE_FAMILY_PENDING] = "muster_pending",
    [STORE_FAMILY_IMPORT] = "muster_import",
    [STORE_FAMILY_OUTCOME] = "muster_outcome",
    [STORE_FAMILY_UNFINISHED] = "muster_unfinished",
    [STORE_FAMILY_META] = "muster_meta",
    [STORE_FAMILY_REQUEST] = "muster_request",
    [STORE_FAMILY_FAULT] = "muster_fault",
    [STORE_FAMILY_REVISION] = "muster_revision",
    [STORE_FAMILY_CHANGE] = "muster_change",
    [STORE_FAMILY_RUN] = "muster_run",
};

void store_pg_split(enum store_family family, struct slice key, struct uuid *tenant, struct slice *rest)
{
    bool house = family == STORE_FAMILY_FORMAT || family == STORE_FAMILY_META;
    size_t size = house ? 0 : key.size < UUID_BYTES ? key.size : UUID_BYTES;
    memset(tenant, 0, sizeof *tenant);
    if (size > 0) {
        memcpy(tenant->bytes, key.data, size);
    }
    *rest = size == key.size ? SLICE("") : slice_from(key, size);
}

/* ---- numbers as they travel ---- */

static void put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static void append_u32(struct buf *out, uint32_t value)
{
    uint8_t bytes[4];
    put_u32(bytes, value);
    buf_append(out, bytes, sizeof bytes);
}

/* Dimensions, has no NULL, type, then count and lower bound of the one dimension. */
void store_pg_array_begin(struct buf *array, size_t count)
{
    append_u32(array, 1);
    append_u32(array, 0);
    append_u32(array, OID_BYTEA);
    append_u32(array, (uint32_t)count);
    append_u32(array, 1);
}

void store_pg_array_add(struct buf *array, struct slice bytes)
{
    append_u32(array, (uint32_t)bytes.size);
    buf_append_slice(array, bytes);
}

/* ---- the rows in order ---- */

static struct slice key_of(const struct store_kv_batch *batch, const struct store_pg_row *row)
{
    return slice_make(batch->bytes.data + row->at, row->key_size);
}

static struct slice value_of(const struct store_kv_batch *batch, const struct store_pg_row *row)
{
    return slice_make(batch->bytes.data + row->at + row->key_size, row->value_size);
}

static int row_order(const void *a, const void *b, void *context)
{
    const struct store_kv_batch *batch = context;
    const struct store_pg_row *left = a;
    const struct store_pg_row *right = b;
    if (left->family != right->family) {
        return left->family < right->family ? -1 : 1;
    }
    int keys = slice_compare(key_of(batch, left), key_of(batch, right));
    return keys != 0 ? keys : left->number < right->number ? -1 : 1;
}

/* Sorts, and of several changes of a row leaves the last. */
static void put_in_order(struct store_kv_batch *batch)
{
    size_t kept = 0;
    if (batch->count > 1) {
        qsort_r(batch->rows, batch->count, sizeof *batch->rows, row_order, batch);
    }
    for (size_t i = 0; i < batch->count; i++) {
        const struct store_pg_row *row = &batch->rows[i];
        bool again = kept > 0 && batch->rows[kept - 1].family == row->family &&
                     slice_equal(key_of(batch, &batch->rows[kept - 1]), key_of(batch, row));
        bool fresh = row->fresh || (again && batch->rows[kept - 1].fresh);
        batch->rows[again ? kept - 1 : kept] = *row;
        batch->rows[again ? kept - 1 : kept].fresh = fresh;
        kept += again ? 0 : 1;
    }
    batch->count = kept;
}

/* ---- statements ---- */

/* Rows of one family and, but for COPY, of one tenant and one kind of change. */
struct span {
    struct store_link *link;
    const struct store_kv_batch *batch;
    enum store_family family;
    size_t first;
    size_t count;
};

static struct slice rest_of(const struct span *span, size_t at, struct uuid *tenant)
{
    struct slice rest;
    store_pg_split(span->family, key_of(span->batch, &span->batch->rows[at]), tenant, &rest);
    return rest;
}

/* A statement about all rows of the span: what it does with the table, and behind the condition. */
static void send_keys(const struct span *span, const char *verb, const char *end)
{
    char sql[160];
    struct uuid tenant;
    struct buf keys;
    struct store_params params = {0};
    buf_init(&keys, 0);
    store_pg_array_begin(&keys, span->count);
    for (size_t i = 0; i < span->count; i++) {
        store_pg_array_add(&keys, rest_of(span, span->first + i, &tenant));
    }
    store_params_add(&params, OID_UUID, uuid_view(&tenant));
    store_params_add(&params, OID_BYTEAS, buf_view(&keys));
    (void)snprintf(sql, sizeof sql, "%s FROM %s WHERE tenant = $1 AND key = ANY($2)%s", verb,
                   store_pg_tables[span->family], end);
    if (buf_error(&keys) != 0) {
        store_link_fail(span->link, TROUBLE_REFUSED, ERR_NO_MEMORY);
    }
    store_link_send(span->link, sql, &params);
    buf_fini(&keys);
}

static const char *in_place_of(const struct span *span)
{
#ifdef MUSTER_PLANT_BLIND_REPLACES
    return " ON CONFLICT (tenant, key) DO UPDATE SET value = excluded.value";
#endif
    return span->batch->rows[span->first].fresh ? ""
                                                : " ON CONFLICT (tenant, key) DO UPDATE SET value = excluded.value";
}

static void send_put(const struct span *span)
{
    char sql[192];
    struct uuid tenant;
    struct store_params params = {0};
    struct slice rest = rest_of(span, span->first, &tenant);
    store_params_add(&params, OID_UUID, uuid_view(&tenant));
    store_params_add(&params, OID_BYTEA, rest);
    store_params_add(&params, OID_BYTEA, value_of(span->batch, &span->batch->rows[span->first]));
    (void)snprintf(sql, sizeof sql, "INSERT INTO %s AS t (tenant, key, value) VALUES ($1, $2, $3)%s",
                   store_pg_tables[span->family], in_place_of(span));
    store_link_send(span->link, sql, &params);
}

static void send_puts(const struct span *span)
{
    char sql[256];
    struct uuid tenant;
    struct buf keys;
    struct buf values;
    struct store_params params = {0};
    if (span->count == 1) {
        send_put(span);
        return;
    }
    buf_init(&keys, 0);
    buf_init(&values, 0);
    store_pg_array_begin(&keys, span->count);
    store_pg_array_begin(&values, span->count);
    for (size_t i = 0; i < span->count; i++) {
        store_pg_array_add(&keys, rest_of(span, span->first + i, &tenant));
        store_pg_array_add(&values, value_of(span->batch, &span->batch->rows[span->first + i]));
    }
    store_params_add(&params, OID_UUID, uuid_view(&tenant));
    store_params_add(&params, OID_BYTEAS, buf_view(&keys));
    store_params_add(&params, OID_BYTEAS, buf_view(&values));
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO %s AS t (tenant, key, value) SELECT $1, k, v FROM unnest($2, $3) AS r (k, v)%s",
                   store_pg_tables[span->family], in_place_of(span));
    if (buf_error(&keys) != 0 || buf_error(&values) != 0) {
        store_link_fail(span->link, TROUBLE_REFUSED, ERR_NO_MEMORY);
    }
    store_link_send(span->link, sql, &params);
    buf_fini(&keys);
    buf_fini(&values);
}

/* How far a statement goes that begins with the row. */
static size_t reach(const struct span *from, size_t end)
{
    const struct store_kv_batch *batch = from->batch;
    const struct store_pg_row *first = &batch->rows[from->first];
    struct uuid tenant;
    size_t bytes = 0;
    size_t at = from->first;
    (void)rest_of(from, at, &tenant);
    for (; at < end && at - from->first < STATEMENT_ROWS && bytes < STATEMENT_BYTES; at++) {
        struct uuid other;
        (void)rest_of(from, at, &other);
        if (batch->rows[at].erased != first->erased || batch->rows[at].fresh != first->fresh ||
            !uuid_equal(&other, &tenant)) {
            break;
        }
        bytes += batch->rows[at].key_size + batch->rows[at].value_size;
    }
    return at - from->first;
}

static void send_statements(struct span span)
{
    size_t end = span.first + span.count;
    while (span.first < end) {
        span.count = reach(&span, end);
        if (span.batch->rows[span.first].erased) {
            send_keys(&span, "DELETE", "");
        } else {
            send_puts(&span);
        }
        span.first += span.count;
    }
}

/* ---- COPY ---- */

static void append_field(struct buf *out, struct slice bytes)
{
    append_u32(out, (uint32_t)bytes.size);
    buf_append_slice(out, bytes);
}

static void copy_rows(const struct span *span)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* signature 11, flags 4, extension 4 */
    static const uint8_t fields[] = {0, 3};
    static const uint8_t trailer[] = {0xff, 0xff};
    char sql[128];
    struct buf out;
    buf_init(&out, 0);
    (void)snprintf(sql, sizeof sql, "COPY %s (tenant, key, value) FROM STDIN (FORMAT binary)",
                   store_pg_tables[span->family]);
    store_link_copy_begin(span->link, sql);
    buf_append(&out, header, 19);
    for (size_t i = 0; i < span->count; i++) {
        struct uuid tenant;
        struct slice rest = rest_of(span, span->first + i, &tenant);
        buf_append(&out, fields, sizeof fields);
        append_field(&out, uuid_view(&tenant));
        append_field(&out, rest);
        append_field(&out, value_of(span->batch, &span->batch->rows[span->first + i]));
        if (out.size >= COPY_BUFFER) {
            store_link_copy_put(span->link, buf_view(&out));
            buf_clear(&out);
        }
    }
    buf_append(&out, trailer, sizeof trailer);
    if (buf_error(&out) != 0) {
        store_link_fail(span->link, TROUBLE_LOST, ERR_NO_MEMORY); /* what was put so far must not count */
    }
    store_link_copy_put(span->link, buf_view(&out));
    store_link_copy_end(span->link);
    buf_fini(&out);
}

static bool is_copied(const struct span *span)
{
    for (size_t i = 0; i < span->count; i++) {
        if (span->batch->rows[span->first + i].erased) {
            return false;
        }
    }
    return span->count >= COPY_ROWS_MIN;
}

static size_t family_end(const struct store_kv_batch *batch, size_t from)
{
    size_t at = from;
    while (at < batch->count && batch->rows[at].family == batch->rows[from].family) {
        at++;
    }
    return at;
}

/* COPY first: what goes through the pipeline is sent with the COMMIT. */
void store_pg_write(struct store_link *link, struct store_kv_batch *batch, uint32_t fresh)
{
    put_in_order(batch);
    for (int pass = fresh != 0 ? 0 : 1; pass < 2; pass++) {
        for (size_t at = 0; at < batch->count;) {
            size_t end = family_end(batch, at);
            struct span span = {
                .link = link, .batch = batch, .family = batch->rows[at].family, .first = at, .count = end - at};
            bool copied = (fresh & STORE_PG_FAMILY(span.family)) != 0 && is_copied(&span);
            if (copied && pass == 0) {
                copy_rows(&span);
            } else if (!copied && pass == 1) {
                send_statements(span);
            }
            at = end;
        }
    }
}

void store_pg_lock(struct store_link *link, struct store_kv_batch *locks)
{
    put_in_order(locks);
    for (size_t at = 0; at < locks->count;) {
        size_t end = family_end(locks, at);
        struct span span = {.link = link, .batch = locks, .family = locks->rows[at].family, .first = at};
        span.count = reach(&span, end);
        send_keys(&span, "SELECT 1", locks->rows[at].erased ? " ORDER BY key FOR UPDATE" : " ORDER BY key FOR SHARE");
        at += span.count;
    }
}
