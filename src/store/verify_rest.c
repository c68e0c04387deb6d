/*
 * What is kept beside customers and imports: revisions, marks of changes, faults and claims on idempotency keys.
 * Each must belong to a customer or import that is there, and no revision may be left behind its import's end.
 */
#include "store/verify_priv.h"

bool store_verify_has(struct store_verifier *verifier, enum store_family family, struct slice key)
{
    struct buf row;
    buf_init(&row, 0);
    int err = store_kv_get(verifier->local->kv, verifier->view.rows, family, key, &row);
    buf_fini(&row);
    verifier->error = err != 0 && err != ERR_NOT_FOUND ? err : verifier->error;
    return err == 0;
}

bool store_verify_revised(struct store_verifier *verifier, const struct uuid *tenant, const struct uuid *id)
{
    struct store_kv *kv = verifier->local->kv;
    uint8_t bytes[STORE_ROW_KEY_BYTES];
    struct slice prefix = store_rows_pair_key(bytes, tenant, id);
    struct store_kv_walk *walk = store_kv_walk_open(kv, verifier->view.rows, STORE_FAMILY_REVISION, prefix);
    struct slice key;
    struct slice value;
    if (walk == NULL) {
        verifier->error = ERR_NO_MEMORY;
        return false;
    }
    store_kv_walk_seek(kv, walk, prefix, false);
    bool there = store_kv_walk_at(kv, walk, &key, &value);
    int broken = store_kv_walk_close(kv, &walk);
    verifier->error = broken != 0 ? broken : verifier->error;
    return there;
}

static bool has_import(struct store_verifier *verifier, const struct uuid *tenant, const struct uuid *import)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    return store_verify_has(verifier, STORE_FAMILY_IMPORT, store_rows_pair_key(key, tenant, import));
}

static void check_revision(struct store_verifier *verifier, struct slice key, struct slice value)
{
    struct store_revision revision;
    struct record_header header;
    struct record_key keys[LIMIT_ITEM_KEYS];
    struct uuid id = store_rows_uuid_at(key, UUID_BYTES);
    struct uuid tenant = store_rows_uuid_at(key, 0);
    if (key.size != STORE_REVISION_BYTES || store_rows_revision_read(value, &revision) != 0 ||
        record_read_header(revision.record, &header, keys) != 0 || !uuid_equal(&header.tenant, &tenant) ||
        !uuid_equal(&header.import, &revision.import)) {
        store_verify_problem(verifier, "A revision of customer %s can't be read.", &id);
        return;
    }
    if (verifier->open != NULL && verifier->open(verifier->context, &header, revision.record) != 0) {
        store_verify_problem(verifier, "A revision of customer %s does not open.", &id);
    }
    const struct store_unfinished *entry = store_unfinished_find(verifier->view.unfinished, &tenant, &revision.import);
    if (entry == NULL || !entry->revises) {
        store_verify_problem(verifier, "A revision of customer %s is left of an import that is done.", &id);
    } else if (!store_unfinished_ended(entry) &&
               !store_verify_has(verifier, STORE_FAMILY_BODY, slice_make(key.data, STORE_PAIR_BYTES))) {
        store_verify_problem(verifier, "A revision belongs to customer %s, which is not there.", &id);
    }
}

static void check_change(struct store_verifier *verifier, struct slice key, struct slice value)
{
    struct uuid tenant = store_rows_uuid_at(key, 0);
    struct uuid import = store_rows_uuid_at(key, UUID_BYTES);
    if (key.size != STORE_CHANGE_BYTES || value.size != UUID_BYTES) {
        store_verify_problem(verifier, "The mark of a change to import %s can't be read.", &import);
        return;
    }
    struct uuid by = store_rows_uuid_at(value, 0);
    if (!has_import(verifier, &tenant, &import) || !has_import(verifier, &tenant, &by)) {
        store_verify_problem(verifier, "The mark of a change to import %s names an import that is not there.", &import);
    }
}

static void check_fault(struct store_verifier *verifier, struct slice key, struct slice value)
{
    struct uuid tenant = store_rows_uuid_at(key, 0);
    struct uuid import = store_rows_uuid_at(key, UUID_BYTES);
    (void)value;
    if (key.size != STORE_OUTCOME_BYTES || !has_import(verifier, &tenant, &import)) {
        store_verify_problem(verifier, "Faults belong to import %s, which is not there.", &import);
    }
}

static void check_request(struct store_verifier *verifier, struct slice key, struct slice value)
{
    struct store_request request = {.created_ms = 0};
    struct uuid tenant = store_rows_uuid_at(key, 0);
    if (store_rows_request_read(value, &request) != 0 || !has_import(verifier, &tenant, &request.import)) {
        store_verify_problem(verifier, "An idempotency key is claimed by import %s, which is not there.",
                             &request.import);
    }
}

static int walk_family(struct store_verifier *verifier, enum store_family family,
                       void (*check)(struct store_verifier *verifier, struct slice key, struct slice value))
{
    struct store_kv *kv = verifier->local->kv;
    struct store_kv_walk *walk = store_kv_walk_open(kv, verifier->view.rows, family, SLICE_NONE);
    struct slice key;
    struct slice value;
    if (walk == NULL) {
        return ERR_NO_MEMORY;
    }
    store_kv_walk_seek(kv, walk, SLICE(""), false);
    for (; verifier->error == 0 && store_kv_walk_at(kv, walk, &key, &value); store_kv_walk_step(kv, walk)) {
        static const struct uuid none;
        if (key.size >= STORE_PAIR_BYTES) {
            check(verifier, key, value);
        } else {
            store_verify_problem(verifier, "A row has no key.", &none);
        }
    }
    int broken = store_kv_walk_close(kv, &walk);
    return verifier->error != 0 ? verifier->error : broken;
}

int store_verify_rest(struct store_verifier *verifier)
{
    int err = walk_family(verifier, STORE_FAMILY_REVISION, check_revision);
    err = err == 0 ? walk_family(verifier, STORE_FAMILY_CHANGE, check_change) : err;
    err = err == 0 ? walk_family(verifier, STORE_FAMILY_FAULT, check_fault) : err;
    return err == 0 ? walk_family(verifier, STORE_FAMILY_REQUEST, check_request) : err;
}
