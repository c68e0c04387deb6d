/*
 * The key-value interface over tables of an engine of the PostgreSQL family, a table (tenant, key, value) a family. A
 * value of it is one connection, and what is called on it stands in the transaction that it is in: a view is that
 * transaction's snapshot with its own changes, and nothing counts before store_pg_commit.
 *
 * The difficulty is the way to the server and back, which costs more than most statements. A batch that is written
 * is only staged: it is sent together with the COMMIT, or before the next read. Beginning sends everything that an
 * operation needs first in one go. A walk reads ahead, more and more, and goes back in what it has read.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "store/postgres_priv.h"

#define GET_MANY_KEYS  4096 /* of one statement */
#define GET_MANY_LARGE 256  /* the same where values are large */
#define WALK_ROWS_MIN  8
#define WALK_ROWS_MAX  256
#define WALK_BYTES     (1u << 20) /* that are read ahead, more or less */

struct store_kv_view {
    char none;
};

/* ---- batches ---- */

static struct store_kv_batch *postgres_batch_new(struct store_kv *kv)
{
    (void)kv;
    struct store_kv_batch *batch = calloc(1, sizeof *batch);
    if (batch != NULL) {
        buf_init(&batch->bytes, 0);
    }
    return batch;
}

static void postgres_batch_clear(struct store_kv_batch *batch)
{
    batch->count = 0;
    batch->error = 0;
    buf_clear(&batch->bytes);
}

static void postgres_batch_free(struct store_kv_batch *batch)
{
    buf_fini(&batch->bytes);
    free(batch->rows);
    free(batch);
}

static void change_row(struct store_kv_batch *batch, enum store_family family, struct slice key, struct slice value,
                       bool erased)
{
    if (batch->count == batch->room) {
        size_t room = batch->room * 2 + 64;
        struct store_pg_row *rows = realloc(batch->rows, room * sizeof *rows);
        if (rows == NULL) {
            batch->error = ERR_NO_MEMORY;
            return;
        }
        batch->rows = rows;
        batch->room = room;
    }
    assert(batch->rows != NULL);
    batch->rows[batch->count] = (struct store_pg_row){.family = family,
                                                      .erased = erased,
                                                      .number = (uint32_t)batch->count,
                                                      .key_size = (uint32_t)key.size,
                                                      .value_size = (uint32_t)value.size,
                                                      .at = batch->bytes.size};
    batch->count++;
    buf_append_slice(&batch->bytes, key);
    buf_append_slice(&batch->bytes, value);
    batch->error = batch->error == 0 ? buf_error(&batch->bytes) : batch->error;
}

static void postgres_put(struct store_kv_batch *batch, enum store_family family, struct slice key, struct slice value)
{
    change_row(batch, family, key, value, false);
}

static void postgres_put_new(struct store_kv_batch *batch, enum store_family family, struct slice key,
                             struct slice value)
{
    size_t count = batch->count;
    change_row(batch, family, key, value, false);
    if (batch->count > count) {
        batch->rows[count].fresh = true;
    }
}

static void postgres_erase(struct store_kv_batch *batch, enum store_family family, struct slice key)
{
    change_row(batch, family, key, SLICE_NONE, true);
}

/* ---- staged changes ---- */

static void send_staged(struct store_pg_kv *pg)
{
    int err = pg->staged->error != 0 ? pg->staged->error : pg->locks->error;
    if (err != 0) {
        store_link_fail(&pg->link, TROUBLE_REFUSED, err);
    } else if (pg->staged->count > 0 || pg->locks->count > 0) {
        pg->wrote = pg->wrote || pg->staged->count > 0;
        store_pg_write(&pg->link, pg->staged, pg->fresh);
        store_pg_lock(&pg->link, pg->locks);
        postgres_batch_clear(pg->staged);
        postgres_batch_clear(pg->locks);
    }
}

/* Before a read: it has to see them. 0 or the trouble's code. */
static int flush_staged(struct store_pg_kv *pg)
{
    if (pg->staged->count > 0) {
        send_staged(pg);
        store_link_sync(&pg->link);
        store_link_drain(&pg->link);
    }
    return pg->link.trouble == TROUBLE_NONE ? 0 : pg->link.error;
}

static void note_tenant(struct store_pg_kv *pg, const struct store_kv_batch *batch)
{
    struct slice rest;
    const struct store_pg_row *first = batch->rows;
    if (batch->count > 0) {
        store_pg_split(first->family, slice_make(batch->bytes.data + first->at, first->key_size), &pg->token_tenant,
                       &rest);
    }
}

static int postgres_write(struct store_kv *kv, struct store_kv_batch *batch, bool sync)
{
    struct store_pg_kv *pg = store_pg_kv_of(kv);
    (void)sync; /* nothing counts before the COMMIT */
    assert(pg->access == PG_WRITE || pg->access == PG_LOCKED);
    int err = batch->error != 0 ? batch->error : flush_staged(pg);
    if (err == 0) {
        note_tenant(pg, batch);
        struct store_kv_batch was = *pg->staged;
        *pg->staged = *batch;
        *batch = was;
    }
    return err;
}

static void postgres_lock(struct store_kv *kv, enum store_family family, struct slice key, bool shared)
{
    struct store_kv_batch *locks = store_pg_kv_of(kv)->locks;
    const struct store_pg_row *last = locks->count == 0 ? NULL : &locks->rows[locks->count - 1];
    bool again = last != NULL && last->family == family && last->erased == !shared &&
                 slice_equal(key, slice_make(locks->bytes.data + last->at, last->key_size));
    if (!again) {
        change_row(locks, family, key, SLICE_NONE, !shared);
    }
}

/* ---- views and single rows ---- */

static struct store_kv_view *postgres_view_open(struct store_kv *kv)
{
    static struct store_kv_view view;
    assert(store_pg_kv_of(kv)->access != PG_SINGLE);
    return &view;
}

static void postgres_view_close(struct store_kv *kv, struct store_kv_view *view)
{
    (void)kv;
    (void)view;
}

static int postgres_get(struct store_kv *kv, struct store_kv_view *view, enum store_family family, struct slice key,
                        struct buf *value)
{
    struct store_pg_kv *pg = store_pg_kv_of(kv);
    struct store_params params = {0};
    struct uuid tenant;
    struct slice rest;
    char sql[128];
    (void)view;
    int err = flush_staged(pg);
    if (err != 0) {
        return err;
    }
    store_pg_split(family, key, &tenant, &rest);
    store_params_add(&params, OID_UUID, uuid_view(&tenant));
    store_params_add(&params, OID_BYTEA, rest);
    (void)snprintf(sql, sizeof sql, "SELECT value FROM %s WHERE tenant = $1 AND key = $2", store_pg_tables[family]);
    store_link_send(&pg->link, sql, &params);
    store_link_sync(&pg->link);
    PGresult *result = store_link_take(&pg->link);
    if (result != NULL && PQntuples(result) > 0) {
        buf_append_slice(value, store_result_slice(result, 0, 0));
        err = buf_error(value);
    } else {
        err = ERR_NOT_FOUND;
    }
    PQclear(result);
    store_link_drain(&pg->link);
    return pg->link.trouble == TROUBLE_NONE ? err : pg->link.error;
}

/* ---- many rows ---- */

struct many {
    struct store_pg_kv *pg;
    enum store_family family;
    const struct slice *keys;
    store_kv_found_fn *found;
    void *context;
};

/* Keys of one tenant from `first` on, as many as go with one statement. */
static size_t same_tenant(const struct many *many, size_t first, size_t count)
{
    bool large = many->family == STORE_FAMILY_BODY || many->family == STORE_FAMILY_OUTCOME;
    size_t most = large ? GET_MANY_LARGE : GET_MANY_KEYS;
    size_t at = first + 1;
    while (at < count && at - first < most && memcmp(many->keys[at].data, many->keys[first].data, UUID_BYTES) == 0) {
        at++;
    }
    return at - first;
}

static void ask_many(const struct many *many, size_t first, size_t count)
{
    struct store_params params = {0};
    struct uuid tenant;
    struct slice rest;
    struct buf keys;
    char sql[128];
    buf_init(&keys, 0);
    store_pg_array_begin(&keys, count);
    for (size_t i = 0; i < count; i++) {
        store_pg_split(many->family, many->keys[first + i], &tenant, &rest);
        store_pg_array_add(&keys, rest);
    }
    store_params_add(&params, OID_UUID, uuid_view(&tenant));
    store_params_add(&params, OID_BYTEAS, buf_view(&keys));
    (void)snprintf(sql, sizeof sql, "SELECT key, value FROM %s WHERE tenant = $1 AND key = ANY($2)",
                   store_pg_tables[many->family]);
    if (buf_error(&keys) != 0) {
        store_link_fail(&many->pg->link, TROUBLE_REFUSED, ERR_NO_MEMORY);
    }
    store_link_send(&many->pg->link, sql, &params);
    buf_fini(&keys);
}

static bool find_key(const struct many *many, size_t first, size_t count, struct slice rest, size_t *at)
{
    size_t low = first;
    size_t high = first + count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct uuid tenant;
        struct slice other;
        store_pg_split(many->family, many->keys[middle], &tenant, &other);
        int order = slice_compare(other, rest);
        if (order == 0) {
            *at = middle;
            return true;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}

/* Whoever is told may look for more: the link is free by then. */
static int tell_many(const struct many *many, size_t first, size_t count)
{
    int err = 0;
    PGresult *result = store_link_take(&many->pg->link);
    store_link_drain(&many->pg->link);
    for (int row = 0; result != NULL && err == 0 && row < PQntuples(result); row++) {
        size_t at = 0;
        bool asked = find_key(many, first, count, store_result_slice(result, row, 0), &at);
        err = asked ? many->found(many->context, at, store_result_slice(result, row, 1)) : ERR_INTERNAL;
    }
    PQclear(result);
    return err;
}

static int postgres_get_many(struct store_kv *kv, struct store_kv_view *view, enum store_family family,
                             const struct slice *keys, size_t count, store_kv_found_fn *found, void *context)
{
    struct many many = {.pg = store_pg_kv_of(kv), .family = family, .keys = keys, .found = found, .context = context};
    struct store_link *link = &many.pg->link;
    (void)view;
    int err = flush_staged(many.pg);
    for (size_t first = 0; first < count && err == 0;) {
        size_t some = same_tenant(&many, first, count);
        ask_many(&many, first, some);
        store_link_sync(link);
        err = tell_many(&many, first, some);
        err = link->trouble == TROUBLE_NONE ? err : link->error;
        first += some;
    }
    return err;
}

/* ---- walks ---- */

struct store_kv_walk {
    struct store_pg_kv *pg;
    enum store_family family;
    bool backward;
    bool whole;  /* behind what was read there is nothing more */
    bool placed; /* a seek came */
    int error;
    PGresult *read; /* rows that were read, in the direction of the walk */
    int at;
    int rows;        /* to read the next time */
    struct buf from; /* the key that was sought for what was read */
    struct buf key;  /* of the row that it stands at */
    size_t prefix_size;
    char prefix[STORE_PREFIX_MAX];
};

static struct store_kv_walk *postgres_walk_open(struct store_kv *kv, struct store_kv_view *view,
                                                enum store_family family, struct slice prefix)
{
    struct store_kv_walk *walk = calloc(1, sizeof *walk);
    assert(prefix.size <= STORE_PREFIX_MAX);
    (void)view;
    if (walk == NULL) {
        return NULL;
    }
    walk->pg = store_pg_kv_of(kv);
    walk->family = family;
    walk->prefix_size = prefix.size;
    if (prefix.size > 0) {
        memcpy(walk->prefix, prefix.data, prefix.size);
    }
    buf_init(&walk->from, 0);
    buf_init(&walk->key, 0);
    return walk;
}

static bool is_house(enum store_family family)
{
    return family == STORE_FAMILY_META || family == STORE_FAMILY_FORMAT;
}

/* The row's whole key. */
static void read_key(const struct store_kv_walk *walk, int row, struct buf *key)
{
    buf_clear(key);
    if (!is_house(walk->family)) {
        buf_append_slice(key, store_result_slice(walk->read, row, 0));
    }
    buf_append_slice(key, store_result_slice(walk->read, row, 1));
}

/* A walk within one tenant names it, so that only where it is kept is asked. */
static void make_sql(const struct store_kv_walk *walk, bool inclusive, char *sql, size_t room)
{
    bool one = is_house(walk->family) || walk->prefix_size >= UUID_BYTES;
    const char *order = walk->backward ? "DESC" : "ASC";
    const char *than = walk->backward ? "<" : inclusive ? ">=" : ">";
    if (one) {
        (void)snprintf(sql, room,
                       "SELECT tenant, key, value FROM %s WHERE tenant = $1 AND key %s $2 ORDER BY key %s LIMIT %d",
                       store_pg_tables[walk->family], than, order, walk->rows);
    } else {
        (void)snprintf(sql, room,
                       "SELECT tenant, key, value FROM %s WHERE (tenant, key) %s ($1, $2) "
                       "ORDER BY tenant %s, key %s LIMIT %d",
                       store_pg_tables[walk->family], than, order, order, walk->rows);
    }
}

/* How many rows the next statement asks for, by what the last one brought. */
static void pace(struct store_kv_walk *walk)
{
    size_t bytes = 1;
    int rows = walk->read == NULL ? 0 : PQntuples(walk->read);
    for (int i = 0; i < rows; i++) {
        bytes += (size_t)PQgetlength(walk->read, i, 2);
    }
    size_t fit = rows == 0 ? WALK_ROWS_MIN : WALK_BYTES / (bytes / (size_t)rows + 64);
    size_t next = (size_t)walk->rows * 4;
    next = next > WALK_ROWS_MAX ? WALK_ROWS_MAX : next;
    walk->rows = fit < 1 ? 1 : next > fit ? (int)fit : (int)next;
}

/* Reads rows from the key on. */
static void read_from(struct store_kv_walk *walk, struct slice key, bool inclusive)
{
    struct store_pg_kv *pg = walk->pg;
    struct store_params params = {0};
    struct uuid tenant;
    struct slice rest;
    char sql[256];
    store_pg_split(walk->family, key, &tenant, &rest);
    store_params_add(&params, OID_UUID, uuid_view(&tenant));
    store_params_add(&params, OID_BYTEA, rest);
    make_sql(walk, inclusive, sql, sizeof sql);
    walk->error = walk->error == 0 ? flush_staged(pg) : walk->error;
    if (walk->error == 0) {
        store_link_send(&pg->link, sql, &params);
        store_link_sync(&pg->link);
        PGresult *result = store_link_take(&pg->link);
        store_link_drain(&pg->link);
        PQclear(walk->read);
        walk->read = result;
        walk->error = pg->link.trouble == TROUBLE_NONE ? 0 : pg->link.error;
    }
    if (walk->error != 0) {
        PQclear(walk->read);
        walk->read = NULL;
    }
    walk->at = 0;
    walk->whole = walk->read == NULL || PQntuples(walk->read) < walk->rows;
}

static bool has_row(const struct store_kv_walk *walk)
{
    return walk->read != NULL && walk->at < PQntuples(walk->read);
}

/* Whether what was read answers the seek as well: it goes from `from` to its last row, or to the end. */
static bool within(struct store_kv_walk *walk, struct slice key)
{
    if (!walk->placed || walk->backward || walk->error != 0 || walk->read == NULL ||
        slice_compare(key, buf_view(&walk->from)) < 0) {
        return false;
    }
    int rows = PQntuples(walk->read);
    if (!walk->whole) {
        if (rows == 0) {
            return false;
        }
        read_key(walk, rows - 1, &walk->key);
        if (slice_compare(key, buf_view(&walk->key)) > 0) {
            return false;
        }
    }
    int low = 0;
    int high = rows;
    while (low < high) {
        int middle = low + (high - low) / 2;
        read_key(walk, middle, &walk->key);
        if (slice_compare(buf_view(&walk->key), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    walk->at = low;
    return true;
}

static int first_rows(enum store_family family)
{
    return family == STORE_FAMILY_FAULT || family == STORE_FAMILY_OUTCOME ? 1 : WALK_ROWS_MIN;
}

static void postgres_walk_seek(struct store_kv_walk *walk, struct slice key, bool backward)
{
    struct slice prefix = slice_make(walk->prefix, walk->prefix_size);
    struct slice from = !backward && slice_compare(key, prefix) < 0 ? prefix : key;
    if (!backward && within(walk, from)) {
        return;
    }
    walk->backward = backward;
    walk->placed = true;
    walk->rows = first_rows(walk->family);
    buf_clear(&walk->from);
    buf_append_slice(&walk->from, from);
    read_from(walk, from, true);
}

static void postgres_walk_step(struct store_kv_walk *walk)
{
    walk->at += has_row(walk) ? 1 : 0;
    if (has_row(walk) || walk->whole || walk->error != 0) {
        return;
    }
    read_key(walk, walk->at - 1, &walk->key);
    pace(walk);
    struct buf from = walk->key;
    buf_init(&walk->key, 0);
    read_from(walk, buf_view(&from), false);
    buf_fini(&walk->from);
    walk->from = from;
}

static bool postgres_walk_at(struct store_kv_walk *walk, struct slice *key, struct slice *value)
{
    if (!has_row(walk)) {
        return false;
    }
    read_key(walk, walk->at, &walk->key);
    *key = buf_view(&walk->key);
    *value = store_result_slice(walk->read, walk->at, 2);
    walk->error = walk->error == 0 ? buf_error(&walk->key) : walk->error;
    return walk->error == 0 && slice_starts(*key, slice_make(walk->prefix, walk->prefix_size));
}

static int postgres_walk_close(struct store_kv_walk *walk)
{
    int err = walk->error;
    PQclear(walk->read);
    buf_fini(&walk->from);
    buf_fini(&walk->key);
    free(walk);
    return err;
}

/* ---- transactions ---- */

static const char *begin_of(const struct store_pg_kv *pg)
{
    if (pg->access == PG_READ) {
        return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    }
    if (pg->serializable) {
        return "BEGIN ISOLATION LEVEL SERIALIZABLE";
    }
#ifdef MUSTER_PLANT_READ_COMMITTED
    return "BEGIN ISOLATION LEVEL READ COMMITTED";
#endif
    return pg->access == PG_LOCKED ? "BEGIN ISOLATION LEVEL READ COMMITTED" : "BEGIN ISOLATION LEVEL REPEATABLE READ";
}

static void send_lock(struct store_pg_kv *pg, const struct store_pg_begin *begin)
{
    struct store_params params = {0};
    struct uuid tenant;
    struct slice rest;
    char sql[128];
    store_pg_split(begin->family, begin->locked, &tenant, &rest);
    store_params_add(&params, OID_UUID, uuid_view(&tenant));
    store_params_add(&params, OID_BYTEA, rest);
    (void)snprintf(sql, sizeof sql, "SELECT 1 FROM %s WHERE tenant = $1 AND key = $2 FOR UPDATE",
                   store_pg_tables[begin->family]);
    store_link_send(&pg->link, sql, &params);
}

static void send_token(struct store_pg_kv *pg)
{
    struct store_params params = {0};
    crypto_random(pg->token, sizeof pg->token);
    store_params_add(&params, OID_UUID, uuid_view(&pg->token_tenant));
    store_params_add(&params, OID_BYTEA, slice_make(pg->lane, sizeof pg->lane));
    store_params_add(&params, OID_BYTEA, slice_make(pg->token, sizeof pg->token));
    store_link_send(&pg->link,
                    "INSERT INTO muster_lane AS t (tenant, key, value) VALUES ($1, $2, $3) "
                    "ON CONFLICT (tenant, key) DO UPDATE SET value = excluded.value",
                    &params);
}

static bool is_alive(const PGresult *nodes, const struct uuid *node)
{
    for (int i = 0; i < PQntuples(nodes); i++) {
        if (slice_equal(store_result_slice(nodes, i, 0), uuid_view(node))) {
            return true;
        }
    }
    return false;
}

static int read_marks(struct store_pg_kv *pg, const struct uuid *node, const PGresult *marks, const PGresult *nodes,
                      struct store_unfinished *entries)
{
    int err = 0;
    for (int i = 0; i < PQntuples(marks) && err == 0; i++) {
        struct store_unfinished *entry = &entries[i];
        buf_clear(&pg->scratch);
        buf_append_slice(&pg->scratch, store_result_slice(marks, i, 0));
        buf_append_slice(&pg->scratch, store_result_slice(marks, i, 1));
        err = store_rows_mark_read(buf_view(&pg->scratch), store_result_slice(marks, i, 2), entry);
        entry->foreign =
            !uuid_is_zero(&entry->owner) && !uuid_equal(&entry->owner, node) && is_alive(nodes, &entry->owner);
    }
    return err;
}

static struct store_unfinished_set *make_set(struct store_pg_kv *pg, const struct uuid *node, const PGresult *marks,
                                             const PGresult *nodes)
{
    size_t count = (size_t)PQntuples(marks);
    struct store_unfinished *entries = calloc(count + 1, sizeof *entries);
    struct store_unfinished_set *none = store_unfinished_new();
    struct store_unfinished_set *set = NULL;
    int err = entries != NULL && none != NULL ? read_marks(pg, node, marks, nodes, entries) : ERR_NO_MEMORY;
    if (err == 0) {
        set = store_unfinished_change(none, entries, count);
    }
    if (set == NULL) {
        store_link_fail(&pg->link, TROUBLE_REFUSED, err == 0 ? ERR_NO_MEMORY : err);
    }
    store_unfinished_release(&none);
    free(entries);
    return set;
}

static void send_set(struct store_pg_kv *pg, const struct uuid *tenant)
{
    struct store_params params = {0};
    if (tenant != NULL) {
        store_params_add(&params, OID_UUID, uuid_view(tenant));
        store_link_send(&pg->link, "SELECT tenant, key, value FROM muster_unfinished WHERE tenant = $1 ORDER BY key",
                        &params);
    } else {
        store_link_send(&pg->link, "SELECT tenant, key, value FROM muster_unfinished ORDER BY tenant, key", NULL);
    }
    store_link_send(&pg->link, "SELECT id FROM muster_node WHERE until > now()", NULL);
}

void store_pg_begin(struct store_pg_kv *pg, const struct store_pg_begin *begin, struct store_unfinished_set **set)
{
    struct store_link *link = &pg->link;
    postgres_batch_clear(pg->staged);
    postgres_batch_clear(pg->locks);
    pg->access = begin->access;
    pg->wrote = false;
    pg->committing = false;
    pg->begun = false;
    link->warned = false;
    link->unknown = false;
    link->state[0] = '\0';
    if (begin->access == PG_SINGLE) {
        return;
    }
    pg->begun = true;
    store_link_send(link, begin_of(pg), NULL);
    store_link_send(link, pg->settings, NULL);
    if (begin->access == PG_LOCKED) {
        send_lock(pg, begin);
        pg->token_tenant = *begin->tenant;
        send_token(pg); /* the row is the transaction's from now on: without a snapshot nothing else shuts it out */
    }
    send_set(pg, begin->tenant);
    store_link_sync(link);
    for (int i = begin->access == PG_LOCKED ? 4 : 2; i > 0; i--) {
        store_link_expect(link);
    }
    PGresult *marks = store_link_take(link);
    PGresult *nodes = store_link_take(link);
    if (nodes != NULL) {
        *set = make_set(pg, begin->node, marks, nodes);
    }
    PQclear(marks);
    PQclear(nodes);
    store_link_drain(link);
}

/* Everything before the COMMIT must have succeeded, and the COMMIT must say that it was one: of a transaction that
 * failed it is answered without an error. */
static void take_commit(struct store_pg_kv *pg)
{
    struct store_link *link = &pg->link;
    while (link->awaited > 2 && link->trouble == TROUBLE_NONE) {
        store_link_expect(link);
    }
    PGresult *result = store_link_take(link);
    if (result != NULL && strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        store_link_fail(link, TROUBLE_AGAIN, ERR_OVERLOADED);
    }
    pg->begun = result == NULL;
    PQclear(result);
    store_link_drain(link);
    /* A refusal that came over a connection that is whole is certain. */
    pg->committing = link->trouble == TROUBLE_LOST || link->unknown;
}

void store_pg_commit(struct store_pg_kv *pg)
{
    struct store_link *link = &pg->link;
    if (!pg->begun) {
        return;
    }
    send_staged(pg);
    if (pg->wrote) {
        send_token(pg);
        pg->committing = link->trouble == TROUBLE_NONE;
    }
    store_link_send(link, "COMMIT", NULL);
    store_link_sync(link);
    if (link->trouble == TROUBLE_NONE || pg->committing) {
        bool wrote = pg->wrote;
        take_commit(pg);
        pg->committing = pg->committing && wrote;
    }
}

void store_pg_rollback(struct store_pg_kv *pg)
{
    struct store_link *link = &pg->link;
    postgres_batch_clear(pg->staged);
    postgres_batch_clear(pg->locks);
    store_link_drain(link);
    if (link->trouble == TROUBLE_LOST) {
        return;
    }
    link->trouble = TROUBLE_NONE;
    if (pg->begun) {
        store_link_send(link, "ROLLBACK", NULL);
        store_link_sync(link);
        store_link_drain(link);
        pg->begun = false;
    }
}

/* ---- opening and closing ---- */

static void postgres_close(struct store_kv *kv)
{
    struct store_pg_kv *pg = store_pg_kv_of(kv);
    store_link_close(&pg->link);
    if (pg->staged != NULL) {
        postgres_batch_free(pg->staged);
    }
    if (pg->locks != NULL) {
        postgres_batch_free(pg->locks);
    }
    buf_fini(&pg->scratch);
    free(pg);
}

static const struct store_kv_ops postgres_ops = {
    .close = postgres_close,
    .view_open = postgres_view_open,
    .view_close = postgres_view_close,
    .get = postgres_get,
    .get_many = postgres_get_many,
    .walk_open = postgres_walk_open,
    .walk_seek = postgres_walk_seek,
    .walk_step = postgres_walk_step,
    .walk_at = postgres_walk_at,
    .walk_close = postgres_walk_close,
    .batch_new = postgres_batch_new,
    .batch_free = postgres_batch_free,
    .batch_clear = postgres_batch_clear,
    .put = postgres_put,
    .put_new = postgres_put_new,
    .erase = postgres_erase,
    .write = postgres_write,
    .lock = postgres_lock,
};

int store_kv_postgres_new(struct store_kv **kv)
{
    struct store_pg_kv *pg = calloc(1, sizeof *pg);
    if (pg == NULL) {
        return ERR_NO_MEMORY;
    }
    pg->kv.ops = &postgres_ops;
    pg->link.trouble = TROUBLE_LOST;
    pg->link.error = ERR_STORAGE_AWAY;
    buf_init(&pg->scratch, 0);
    pg->staged = postgres_batch_new(&pg->kv);
    pg->locks = postgres_batch_new(&pg->kv);
    if (pg->staged == NULL || pg->locks == NULL) {
        postgres_close(&pg->kv);
        return ERR_NO_MEMORY;
    }
    *kv = &pg->kv;
    return 0;
}
