/*
 * Index entries against records and back, many lookups at a time: one by one they would be a random
 * read each, sorted they go through the files in order. Memory is one batch, whatever the store holds.
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
    return lookups->expected == NULL ? ERR_NO_MEMORY : 0;
}

void store_lookups_fini(struct store_lookups *lookups)
{
    free(lookups->expected);
    lookups->expected = NULL;
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

/* Several may expect one row: keys[i] is that of expected[first[i]] and those behind it. */
struct lookup_run {
    struct store_verifier *verifier;
    struct store_lookups *lookups;
    struct slice keys[STORE_EXPECTED_MAX];
    size_t first[STORE_EXPECTED_MAX + 1];
    size_t count;
};

static int compare_found(void *context, size_t index, struct slice value)
{
    struct lookup_run *run = context;
    for (size_t i = run->first[index]; i < run->first[index + 1]; i++) {
        run->lookups->expected[i].found = true;
        run->lookups->compare(run->verifier, &run->lookups->expected[i], value);
    }
    return 0;
}

int store_lookups_run(struct store_verifier *verifier, struct store_lookups *lookups)
{
    struct lookup_run run = {.verifier = verifier, .lookups = lookups};
    struct store_expected *expected = lookups->expected;
    if (lookups->count == 0) {
        return 0;
    }
    qsort(expected, lookups->count, sizeof *expected, expected_order);
    for (size_t i = 0; i < lookups->count; i++) {
        if (i == 0 || expected_order(&expected[i - 1], &expected[i]) != 0) {
            run.keys[run.count] = slice_make(expected[i].bytes, expected[i].size);
            run.first[run.count++] = i;
        }
    }
    run.first[run.count] = lookups->count;
    int err = store_kv_get_many(verifier->local->kv, verifier->view.rows, lookups->family, run.keys, run.count,
                                compare_found, &run);
    for (size_t i = 0; i < lookups->count && err == 0; i++) {
        if (!expected[i].found) {
            store_verify_problem(verifier, lookups->missing, &expected[i].id);
        }
    }
    lookups->count = 0;
    return err;
}

/* ---- from a record to its entries ---- */

static int expect_key(struct store_verifier *verifier, const struct record_header *header,
                      const struct record_key *index)
{
    int err = 0;
    struct store_lookups *lookups = index->unique ? &verifier->unique : &verifier->plain;
    struct store_expected *expected = store_lookups_next(verifier, lookups, &err);
    if (expected == NULL) {
        return err;
    }
    expected->tenant = header->tenant;
    expected->id = header->id;
    expected->import = header->import;
    memcpy(expected->fingerprint, header->fingerprint, CRYPTO_MAC_BYTES);
    expected->size = index->unique ? store_rows_unique_key(expected->bytes, &header->tenant, index).size
                                   : store_rows_plain_key(expected->bytes, &header->tenant, index, &header->id).size;
    return 0;
}

int store_verify_expect_keys(struct store_verifier *verifier, const struct record_header *header)
{
    int err = 0;
    for (size_t i = 0; i < header->key_count && err == 0; i++) {
        err = expect_key(verifier, header, &header->keys[i]);
    }
    return err;
}

void store_verify_compare_holder(struct store_verifier *verifier, const struct store_expected *expected,
                                 struct slice value)
{
    struct store_holder holder;
    if (store_rows_holder_read(value, &holder) != 0) {
        store_verify_problem(verifier, "A unique index entry of customer %s can't be read.", &expected->id);
    } else if (!uuid_equal(&holder.id, &expected->id) || !uuid_equal(&holder.import, &expected->import) ||
               memcmp(holder.fingerprint, expected->fingerprint, CRYPTO_MAC_BYTES) != 0) {
        store_verify_problem(verifier, "A unique index entry of customer %s names another customer or content.",
                             &expected->id);
    }
}

void store_verify_compare_plain(struct store_verifier *verifier, const struct store_expected *expected,
                                struct slice value)
{
    if (value.size != 0) {
        store_verify_problem(verifier, "An index entry of customer %s has a value.", &expected->id);
    }
}

/* ---- from an entry to its record ---- */

static bool has_key(const struct record_header *header, const struct record_key *index)
{
    for (size_t i = 0; i < header->key_count; i++) {
        const struct record_key *key = &header->keys[i];
        if (key->kind == index->kind && key->unique == index->unique &&
            memcmp(key->mac, index->mac, CRYPTO_MAC_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

void store_verify_compare_indexed(struct store_verifier *verifier, const struct store_expected *expected,
                                  struct slice value)
{
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    if (record_read_header(value, &header, keys) != 0) {
        return; /* told when the records were walked */
    }
    if (!has_key(&header, &expected->index)) {
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

int store_verify_index(struct store_verifier *verifier, enum store_family family)
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
        verifier->counts->keys++;
        if (!read_entry(family, key, value, &entry)) {
            store_verify_problem(verifier, "An index entry can't be read.", &entry.id);
            continue;
        }
        struct store_expected *expected = store_lookups_next(verifier, &verifier->indexed, &err);
        if (expected != NULL) {
            *expected = entry;
        }
    }
    int broken = store_kv_walk_close(kv, &walk);
    err = err == 0 ? broken : err;
    return err == 0 ? store_lookups_run(verifier, &verifier->indexed) : err;
}
