/*
 * Index entries against records and back, many lookups at a time: one by one they would be a random
 * read each, sorted they go through the files in order. Memory is one batch, whatever the store holds.
 *
 * The way back costs nothing while all is well. A record leads to entries of its own only: a plain
 * entry has its id in the key, a unique one in the value. So when the records have led to as many
 * entries as there are, every entry has its record; only when there are more is each looked up.
 */
#include <stdio.h>
#include <stdlib.h>

#include "store/verify_priv.h"

void store_verify_problem(struct store_verifier *verifier, const char *sentence, const struct uuid *id)
{
    char text[UUID_TEXT_BYTES + 1];
    char whole[256];
    const char *place = strstr(sentence, "%s");
    size_t front = place == NULL ? strlen(sentence) : (size_t)(place - sentence);
    uuid_to_text(id, text);
    (void)snprintf(whole, sizeof whole, "%.*s%s%s", (int)front, sentence, place == NULL ? "" : text,
                   place == NULL ? "" : place + 2);
    verifier->counts->problems++;
    if (verifier->problem != NULL) {
        verifier->problem(verifier->context, whole);
    }
}

/* ---- batched lookups ---- */

int store_lookups_init(struct store_lookups *lookups, enum store_family family, store_compare_fn *compare,
                       const char *missing)
{
    *lookups = (struct store_lookups){.family = family, .compare = compare, .missing = missing};
    lookups->expected = calloc(STORE_EXPECTED_MAX, sizeof *lookups->expected);
    lookups->keys = calloc(STORE_EXPECTED_MAX, sizeof *lookups->keys);
    lookups->first = calloc(STORE_EXPECTED_MAX + 1, sizeof *lookups->first);
    bool whole = lookups->expected != NULL && lookups->keys != NULL && lookups->first != NULL;
    return whole ? 0 : ERR_NO_MEMORY;
}

void store_lookups_fini(struct store_lookups *lookups)
{
    free(lookups->expected);
    free(lookups->keys);
    free(lookups->first);
    *lookups = (struct store_lookups){0};
}

struct store_expected *store_lookups_next(struct store_verifier *verifier, struct store_lookups *lookups, int *err)
{
    if (lookups->count == STORE_EXPECTED_MAX) {
        *err = store_lookups_run(verifier, lookups);
        if (*err != 0) {
            return NULL;
        }
    }
    struct store_expected *expected = &lookups->expected[lookups->count++];
    *expected = (struct store_expected){0};
    return expected;
}

static int expected_order(const void *a, const void *b)
{
    const struct store_expected *left = a;
    const struct store_expected *right = b;
    return slice_compare(slice_make(left->bytes, left->size), slice_make(right->bytes, right->size));
}

struct lookup_run {
    struct store_verifier *verifier;
    struct store_lookups *lookups;
};

static int compare_found(void *context, size_t index, struct slice value)
{
    struct lookup_run *run = context;
    for (size_t i = run->lookups->first[index]; i < run->lookups->first[index + 1]; i++) {
        run->lookups->expected[i].found = true;
        run->lookups->compare(run->verifier, &run->lookups->expected[i], value);
    }
    return 0;
}

/* Sorts what waits and notes each key once; several may expect one row. */
static size_t prepare(struct store_lookups *lookups)
{
    struct store_expected *expected = lookups->expected;
    size_t count = 0;
    qsort(expected, lookups->count, sizeof *expected, expected_order);
    for (size_t i = 0; i < lookups->count; i++) {
        if (i == 0 || expected_order(&expected[i - 1], &expected[i]) != 0) {
            lookups->keys[count] = slice_make(expected[i].bytes, expected[i].size);
            lookups->first[count++] = i;
        }
    }
    lookups->first[count] = lookups->count;
    return count;
}

int store_lookups_run(struct store_verifier *verifier, struct store_lookups *lookups)
{
    struct lookup_run run = {.verifier = verifier, .lookups = lookups};
    if (lookups->count == 0) {
        return 0;
    }
    size_t count = prepare(lookups);
    int err = store_kv_get_many(verifier->local->kv, verifier->view.rows, lookups->family, lookups->keys, count,
                                compare_found, &run);
    for (size_t i = 0; i < lookups->count && err == 0; i++) {
        if (!lookups->expected[i].found && !lookups->expected[i].optional) {
            store_verify_problem(verifier, lookups->missing, &lookups->expected[i].id);
        }
    }
    lookups->count = 0;
    return err;
}

/* ---- from a record to its entries ---- */

static bool same_key(const struct record_key *a, const struct record_key *b)
{
    return a->kind == b->kind && a->unique == b->unique && memcmp(a->mac, b->mac, CRYPTO_MAC_BYTES) == 0;
}

/* The first of the record's keys that is this one. */
static size_t first_of(const struct record_header *header, const struct record_key *index)
{
    size_t at = 0;
    while (at < header->key_count && !same_key(&header->keys[at], index)) {
        at++;
    }
    return at;
}

static int expect_key(struct store_verifier *verifier, const struct record_header *header,
                      const struct record_key *index, bool hidden)
{
    int err = 0;
    struct store_lookups *lookups = index->unique ? &verifier->unique : &verifier->plain;
    struct store_expected *expected = store_lookups_next(verifier, lookups, &err);
    if (expected == NULL) {
        return err;
    }
    expected->optional = hidden;
    expected->tenant = header->tenant;
    expected->id = header->id;
    expected->import = header->import;
    memcpy(expected->fingerprint, header->fingerprint, CRYPTO_MAC_BYTES);
    expected->size = index->unique ? store_rows_unique_key(expected->bytes, &header->tenant, index).size
                                   : store_rows_plain_key(expected->bytes, &header->tenant, index, &header->id).size;
    return 0;
}

int store_verify_expect_keys(struct store_verifier *verifier, const struct record_header *header, bool hidden)
{
    int err = 0;
    for (size_t i = 0; i < header->key_count && err == 0; i++) {
        if (first_of(header, &header->keys[i]) == i) { /* repeated keys have one entry */
            err = expect_key(verifier, header, &header->keys[i], hidden);
        }
    }
    return err;
}

void store_verify_compare_holder(struct store_verifier *verifier, const struct store_expected *expected,
                                 struct slice value)
{
    struct store_holder holder;
    if (store_rows_holder_read(value, &holder) != 0) {
        store_verify_problem(verifier, "A unique index entry of customer %s can't be read.", &expected->id);
    } else if (uuid_equal(&holder.id, &expected->id) && uuid_equal(&holder.import, &expected->import) &&
               memcmp(holder.fingerprint, expected->fingerprint, CRYPTO_MAC_BYTES) == 0) {
        verifier->owned++;
    } else if (!expected->optional && !store_verify_revised(verifier, &expected->tenant, &expected->id)) {
        store_verify_problem(verifier, "A unique index entry of customer %s names another customer or content.",
                             &expected->id);
    }
}

void store_verify_compare_plain(struct store_verifier *verifier, const struct store_expected *expected,
                                struct slice value)
{
    verifier->owned++;
    if (value.size != 0) {
        store_verify_problem(verifier, "An index entry of customer %s has a value.", &expected->id);
    }
}

/* ---- from an entry to its record ---- */

void store_verify_compare_indexed(struct store_verifier *verifier, const struct store_expected *expected,
                                  struct slice value)
{
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    if (store_rows_body_read(value, &expected->id, &value) != 0 || record_read_header(value, &header, keys) != 0) {
        return; /* told when the records were walked */
    }
    if (store_verify_revised(verifier, &expected->tenant, &expected->id)) {
        return;
    }
    if (first_of(&header, &expected->index) == header.key_count) {
        store_verify_problem(verifier, "An index entry leads to customer %s, which does not have that key.",
                             &expected->id);
    } else if (expected->index.unique && (!uuid_equal(&header.import, &expected->import) ||
                                          memcmp(header.fingerprint, expected->fingerprint, CRYPTO_MAC_BYTES) != 0)) {
        store_verify_problem(verifier, "A unique index entry does not repeat the import and content of customer %s.",
                             &expected->id);
    }
}

/* What an entry's key and value say of its record. False when it is no entry. */
static bool read_entry(enum store_family family, struct slice key, struct slice value, struct store_expected *expected)
{
    bool unique = family == STORE_FAMILY_UNIQUE;
    struct store_holder holder = {0};
    if (key.size != (unique ? STORE_UNIQUE_BYTES : STORE_PLAIN_BYTES)) {
        return false;
    }
    if (unique && store_rows_holder_read(value, &holder) != 0) {
        return false;
    }
    expected->tenant = store_rows_uuid_at(key, 0);
    expected->index.kind = (uint8_t)key.data[STORE_TENANT_BYTES];
    expected->index.unique = unique;
    memcpy(expected->index.mac, key.data + STORE_TENANT_BYTES + 1, CRYPTO_MAC_BYTES);
    expected->id = unique ? holder.id : store_rows_uuid_at(key, STORE_UNIQUE_BYTES);
    expected->import = holder.import;
    memcpy(expected->fingerprint, holder.fingerprint, CRYPTO_MAC_BYTES);
    expected->size = store_rows_pair_key(expected->bytes, &expected->tenant, &expected->id).size;
    return true;
}

/* An update that is done has no second part in an entry left. */
static void check_next(struct store_verifier *verifier, enum store_family family, struct slice value,
                       const struct store_expected *entry)
{
    struct store_holder holder;
    if (family == STORE_FAMILY_UNIQUE && store_rows_holder_read(value, &holder) == 0 && !uuid_is_zero(&holder.next) &&
        store_unfinished_find(verifier->view.unfinished, &entry->tenant, &holder.next) == NULL) {
        store_verify_problem(verifier, "A unique index entry of customer %s names an update that is done.", &entry->id);
    }
}

/* One family. The first time each entry is read and counted, the second time its record is looked up. */
static int walk_index(struct store_verifier *verifier, enum store_family family, bool look_up)
{
    struct store_kv *kv = verifier->local->kv;
    struct store_kv_walk *walk = store_kv_walk_open(kv, verifier->view.rows, family, SLICE_NONE);
    struct slice key;
    struct slice value;
    int err = 0;
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(kv, walk, SLICE(""), false);
    for (; err == 0 && store_kv_walk_at(kv, walk, &key, &value); store_kv_walk_step(kv, walk)) {
        struct store_expected entry = {0};
        bool readable = read_entry(family, key, value, &entry);
        if (look_up && readable) {
            struct store_expected *expected = store_lookups_next(verifier, &verifier->indexed, &err);
            if (expected != NULL) {
                *expected = entry;
            }
        } else if (!look_up) {
            verifier->counts->keys++;
            if (!readable) {
                store_verify_problem(verifier, "An index entry can't be read.", &entry.id);
            } else {
                check_next(verifier, family, value, &entry);
            }
        }
    }
    int broken = store_kv_walk_close(kv, &walk);
    return err == 0 ? broken : err;
}

int store_verify_index(struct store_verifier *verifier)
{
    int err = walk_index(verifier, STORE_FAMILY_UNIQUE, false);
    err = err == 0 ? walk_index(verifier, STORE_FAMILY_PLAIN, false) : err;
    if (err != 0 || verifier->counts->keys == verifier->owned) {
        return err;
    }
    err = walk_index(verifier, STORE_FAMILY_UNIQUE, true);
    err = err == 0 ? walk_index(verifier, STORE_FAMILY_PLAIN, true) : err;
    return err == 0 ? store_lookups_run(verifier, &verifier->indexed) : err;
}
