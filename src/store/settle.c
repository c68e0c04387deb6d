/*
 * Folding revisions into records. A customer is a pile of layers: its record at the bottom, then its revisions in
 * order of their numbers. By the states of their imports a layer is seen, still open, or gone; the last one that is
 * seen is what the customer is, and becomes its record. Open ones stay above it.
 *
 * The difficulty is the index: an entry stays as long as any layer that is left needs it, and goes when none does
 * and it still names the customer. What it says is made from the layers that are left, so settling a customer
 * again changes nothing: it may be broken off anywhere and done again.
 */
#include <stdlib.h>

#include "store/revision_priv.h"

enum fate { SEEN, OPEN, GONE };

struct layer {
    enum fate fate;
    bool left; /* it is there afterwards: as the record, or above it */
    uint64_t number;
    struct uuid import;
    uint8_t fingerprint[CRYPTO_MAC_BYTES];
    struct record_key keys[LIMIT_ITEM_KEYS];
    size_t key_count;
};

struct settler {
    struct store_local *local;
    struct store_kv_batch *batch;
    struct store_kv_view *rows;
    const struct uuid *tenant;
    const struct uuid *id;
    struct layer *layers;
    size_t count;
    size_t room;
    bool has_record;
    struct buf value; /* of the revision that becomes the record */
    size_t written;
};

static enum fate fate_of(const struct settler *settler, const struct uuid *import)
{
    const struct store_unfinished *entry = store_unfinished_find(settler->local->unfinished, settler->tenant, import);
    if (entry == NULL || entry->state == IMPORT_COMMITTED) {
        return SEEN;
    }
    return store_unfinished_ended(entry) ? GONE : OPEN;
}

static void put(struct settler *settler, enum store_family family, struct slice key, struct slice value)
{
    store_kv_put(settler->local->kv, settler->batch, family, key, value);
    settler->written++;
}

static void erase(struct settler *settler, enum store_family family, struct slice key)
{
    store_kv_erase(settler->local->kv, settler->batch, family, key);
    settler->written++;
}

/* ---- reading the pile ---- */

static int add_layer(struct settler *settler, uint64_t number, struct slice record)
{
    struct record_header header;
    if (settler->count == settler->room) {
        size_t room = settler->room * 2 + 4;
        struct layer *layers = realloc(settler->layers, room * sizeof *layers);
        if (layers == NULL) {
            return ERR_NO_MEMORY;
        }
        settler->layers = layers;
        settler->room = room;
    }
    struct layer *layer = &settler->layers[settler->count];
    int err = record_read_header(record, &header, layer->keys);
    if (err != 0) {
        return err;
    }
    layer->number = number;
    layer->import = header.import;
    layer->key_count = header.key_count;
    memcpy(layer->fingerprint, header.fingerprint, sizeof layer->fingerprint);
    layer->fate = fate_of(settler, &layer->import);
    layer->left = layer->fate == OPEN;
    settler->count++;
    return 0;
}

static int read_record(struct settler *settler, struct slice customer)
{
    struct slice record;
    struct buf value;
    buf_init(&value, 0);
    int err = store_kv_get(settler->local->kv, settler->rows, STORE_FAMILY_BODY, customer, &value);
    settler->has_record = err == 0;
    err = err == 0 ? store_rows_body_read(buf_view(&value), settler->id, &record) : err;
    err = err == 0 ? add_layer(settler, 0, record) : err;
    buf_fini(&value);
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int read_revisions(struct settler *settler, struct slice customer)
{
    struct store_kv *kv = settler->local->kv;
    struct store_kv_walk *walk = store_kv_walk_open(kv, settler->rows, STORE_FAMILY_REVISION, customer);
    struct slice key;
    struct slice value;
    int err = 0;
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(kv, walk, customer, false);
    while (err == 0 && store_kv_walk_at(kv, walk, &key, &value)) {
        struct store_revision revision;
        err = key.size == STORE_REVISION_BYTES ? store_rows_revision_read(value, &revision) : ERR_CORRUPT;
        err = err == 0 ? add_layer(settler, store_rows_revision_number(key), revision.record) : err;
        if (err == 0 && settler->layers[settler->count - 1].fate == SEEN) {
            buf_clear(&settler->value);
            buf_append_slice(&settler->value, value);
            err = buf_error(&settler->value);
        }
        store_kv_walk_step(kv, walk);
    }
    int broken = store_kv_walk_close(kv, &walk);
    return err == 0 ? broken : err;
}

/* What the customer is: the last layer that is seen; else its record, be it open. NULL: nothing is left of it. */
static struct layer *choose(struct settler *settler)
{
    struct layer *top = settler->has_record && settler->layers[0].fate != GONE ? &settler->layers[0] : NULL;
    for (size_t i = 0; i < settler->count; i++) {
        if (settler->layers[i].fate == SEEN) {
            top = &settler->layers[i];
        }
    }
    if (top != NULL) {
        top->left = true;
    }
    return top;
}

/* ---- the index ---- */

static bool has_key(const struct layer *layer, const struct record_key *key)
{
    for (size_t i = 0; i < layer->key_count; i++) {
        if (layer->keys[i].kind == key->kind && layer->keys[i].unique == key->unique &&
            memcmp(layer->keys[i].mac, key->mac, CRYPTO_MAC_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_needed(const struct settler *settler, const struct record_key *key)
{
    for (size_t i = 0; i < settler->count; i++) {
        if (settler->layers[i].left && has_key(&settler->layers[i], key)) {
            return true;
        }
    }
    return false;
}

/* A unique entry of the customer as the layers that are left want it; false when it is as it has to be. */
static bool bring_up(const struct settler *settler, const struct layer *top, const struct record_key *key,
                     struct store_holder *holder)
{
    struct store_holder was = *holder;
    if (!uuid_is_zero(&holder->next) && fate_of(settler, &holder->next) != OPEN) {
        memset(&holder->next, 0, sizeof holder->next);
        memset(holder->next_fingerprint, 0, sizeof holder->next_fingerprint);
        holder->released = false;
    }
    if (top != NULL && has_key(top, key)) {
        holder->import = top->import;
        memcpy(holder->fingerprint, top->fingerprint, sizeof holder->fingerprint);
    }
    return memcmp(&was, holder, sizeof was) != 0;
}

static int settle_unique(struct settler *settler, const struct layer *top, const struct record_key *key)
{
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    uint8_t value[STORE_HOLDER_BYTES];
    struct slice name = store_rows_unique_key(bytes, settler->tenant, key);
    struct store_holder holder;
    struct buf found;
    buf_init(&found, 0);
    int err = store_kv_get(settler->local->kv, NULL, STORE_FAMILY_UNIQUE, name, &found);
    err = err == 0 ? store_rows_holder_read(buf_view(&found), &holder) : err;
    buf_fini(&found);
    if (err != 0 || !uuid_equal(&holder.id, settler->id)) {
        return err == ERR_NOT_FOUND ? 0 : err; /* it has another owner meanwhile */
    }
    store_local_touch(settler->local, bytes);
    if (!is_needed(settler, key)) {
        erase(settler, STORE_FAMILY_UNIQUE, name);
    } else if (bring_up(settler, top, key, &holder)) {
        put(settler, STORE_FAMILY_UNIQUE, name, store_rows_holder_write(value, &holder));
    }
    return 0;
}

static int settle_index(struct settler *settler, const struct layer *top)
{
    int err = 0;
    for (size_t i = 0; i < settler->count; i++) {
        const struct layer *layer = &settler->layers[i];
        for (size_t k = 0; k < layer->key_count && err == 0; k++) {
            uint8_t key[STORE_ROW_KEY_BYTES];
            if (layer->keys[k].unique) {
                err = settle_unique(settler, top, &layer->keys[k]);
            } else if (!is_needed(settler, &layer->keys[k])) {
                erase(settler, STORE_FAMILY_PLAIN,
                      store_rows_plain_key(key, settler->tenant, &layer->keys[k], settler->id));
            }
        }
    }
    return err;
}

/* ---- the record ---- */

static int replace_record(struct settler *settler, struct slice customer)
{
    struct store_revision revision;
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    struct buf row;
    int err = store_rows_revision_read(buf_view(&settler->value), &revision);
    err = err == 0 ? record_read_header(revision.record, &header, keys) : err;
    if (err != 0) {
        return err;
    }
    buf_init(&row, 0);
    store_rows_body_write(&row, settler->id, revision.record);
    put(settler, STORE_FAMILY_BODY, customer, buf_view(&row));
    err = buf_error(&row);
    buf_clear(&row);
    if (revision.secrets.size > 0) {
        store_rows_secret_write(&row, &revision.import, &header.id, revision.secrets);
        put(settler, STORE_FAMILY_SECRET, customer, buf_view(&row));
    } else {
        erase(settler, STORE_FAMILY_SECRET, customer);
    }
    if (revision.pending) {
        put(settler, STORE_FAMILY_PENDING, customer, uuid_view(&revision.import));
    } else {
        erase(settler, STORE_FAMILY_PENDING, customer);
    }
    err = err == 0 ? buf_error(&row) : err;
    buf_fini(&row);
    return err;
}

static int settle(struct settler *settler, struct slice customer)
{
    struct layer *top = choose(settler);
    bool replaced = top != NULL && (!settler->has_record || top != &settler->layers[0]);
    /* A record that is gone is the sweep's, which takes it with all else that hangs on its key. */
    int err = settle_index(settler, top);
    for (size_t i = settler->has_record ? 1 : 0; i < settler->count; i++) {
        uint8_t key[STORE_ROW_KEY_BYTES];
        if (!settler->layers[i].left || &settler->layers[i] == top) {
            erase(settler, STORE_FAMILY_REVISION,
                  store_rows_revision_key(key, settler->tenant, settler->id, settler->layers[i].number));
        }
    }
    return err == 0 && replaced ? replace_record(settler, customer) : err;
}

int store_settle_customer(struct store_local *local, struct store_kv_batch *batch, const struct uuid *tenant,
                          const struct uuid *id, size_t *rows)
{
    struct settler settler = {.local = local, .batch = batch, .tenant = tenant, .id = id};
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice customer = store_rows_pair_key(bytes, tenant, id);
    settler.rows = store_kv_view_open(local->kv);
    if (settler.rows == NULL) {
        return ERR_NO_MEMORY;
    }
    buf_init(&settler.value, 0);
    int err = read_record(&settler, customer);
    err = err == 0 ? read_revisions(&settler, customer) : err;
    if (err == 0 && settler.count > (settler.has_record ? 1u : 0u)) {
        err = settle(&settler, customer);
    }
    buf_fini(&settler.value);
    free(settler.layers);
    store_kv_view_close(local->kv, &settler.rows);
    *rows = settler.written;
    return err;
}
