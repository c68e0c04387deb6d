/*
 * An update on its way through store_commit. The older customer keeps its record; the new content is a row of its
 * own, a revision, that counts once the import is committed. Its unique keys are made to say so: what the customer
 * keeps gets a second part, what is new is the import's own, what it gives up is marked as released.
 *
 * The difficulty: keys that are given up are not among those that the group has asked for. They are read from the
 * content that is replaced; their entries are slots where the group asks for them too, else written as they are.
 */
#include <stdlib.h>

#include "store/group_priv.h"
#include "store/revision_priv.h"

static int slot_order(const void *key, const void *slot)
{
    return memcmp(key, ((const struct store_slot *)slot)->key, STORE_UNIQUE_BYTES);
}

static struct store_slot *slot_find(const struct store_group *group, const uint8_t *key)
{
    return group->slot_count == 0 ? NULL
                                  : bsearch(key, group->slots, group->slot_count, sizeof *group->slots, slot_order);
}

/* ---- keys that the new content has ---- */

static void take_key(struct store_group *group, const struct store_group_chunk *at,
                     const struct store_customer *customer, struct store_slot *slot, const struct store_holder *older,
                     struct store_slot_log *log)
{
    struct store_holder holder;
    const struct uuid *import = &at->chunk->import;
    uint8_t met = store_slot_meet(group, at, slot, &holder);
    store_slot_take(group, slot, log);
    if (met == STORE_CREATED) {
        slot->held = true;
        slot->holder = (struct store_holder){.id = older->id, .import = *import};
        memcpy(slot->holder.fingerprint, customer->fingerprint, CRYPTO_MAC_BYTES);
    } else if (!uuid_equal(&holder.import, import)) {
        slot->holder = holder;
        slot->holder.next = *import;
        slot->holder.released = false;
        memcpy(slot->holder.next_fingerprint, customer->fingerprint, CRYPTO_MAC_BYTES);
    } else if (uuid_equal(&slot->holder.next, import)) { /* updated twice by one import */
        memcpy(slot->holder.next_fingerprint, customer->fingerprint, CRYPTO_MAC_BYTES);
    } else { /* created and updated by one import */
        memcpy(slot->holder.fingerprint, customer->fingerprint, CRYPTO_MAC_BYTES);
    }
}

static void take_keys(struct store_group *group, const struct store_group_chunk *at,
                      const struct store_customer *customer, struct store_claim *claim,
                      const struct store_holder *older, struct store_slot_log *log)
{
    for (size_t i = 0; i < customer->key_count; i++) {
        if (customer->keys[i].unique) {
            take_key(group, at, customer, claim->slot, older, log);
            claim++;
        }
    }
}

/* ---- keys that it has not ---- */

static bool has_key(const struct store_customer *customer, const struct record_key *key)
{
    for (size_t i = 0; i < customer->key_count; i++) {
        if (customer->keys[i].kind == key->kind && customer->keys[i].unique == key->unique &&
            memcmp(customer->keys[i].mac, key->mac, CRYPTO_MAC_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

/* The entry as it says that the import gives the key up. False when the customer does not have it. */
static bool release_holder(const struct store_group *group, const struct store_group_chunk *at, struct store_slot *slot,
                           const struct uuid *id)
{
    struct store_holder holder;
    if (store_slot_meet(group, at, slot, &holder) != STORE_EXISTING || !uuid_equal(&holder.id, id)) {
        return false;
    }
    slot->holder = holder;
    slot->holder.next = at->chunk->import;
    slot->holder.released = true;
    return true;
}

static void release_stored(struct store_group *group, const struct store_group_chunk *at, const uint8_t *key,
                           const struct uuid *id)
{
    struct store_slot slot = {.held = true};
    struct buf value;
    buf_init(&value, 0);
    int err = store_kv_get(group->local->kv, NULL, STORE_FAMILY_UNIQUE, slice_make(key, STORE_UNIQUE_BYTES), &value);
    err = err == 0 ? store_rows_holder_read(buf_view(&value), &slot.holder) : err;
    buf_fini(&value);
    if (err == 0 && release_holder(group, at, &slot, id)) {
        struct store_release *release = arena_take_zeroed(group->arena, 1, sizeof *release);
        if (release == NULL) {
            err = ERR_NO_MEMORY;
        } else {
            *release = (struct store_release){.at = at, .holder = slot.holder, .next = group->releases};
            memcpy(release->key, key, sizeof release->key);
            group->releases = release;
        }
    }
    group->error = err != 0 && err != ERR_NOT_FOUND ? err : group->error;
}

static void release_keys(struct store_group *group, const struct store_group_chunk *at,
                         const struct store_customer *customer, const struct record_header *old, const struct uuid *id,
                         struct store_slot_log *log)
{
    for (size_t i = 0; i < old->key_count; i++) {
        uint8_t key[STORE_ROW_KEY_BYTES];
        if (!old->keys[i].unique || has_key(customer, &old->keys[i])) {
            continue;
        }
        (void)store_rows_unique_key(key, &at->chunk->tenant, &old->keys[i]);
        struct store_slot *slot = slot_find(group, key);
        if (slot == NULL) {
            release_stored(group, at, key, id);
        } else if (slot->held) {
            struct store_slot after = *slot;
            if (release_holder(group, at, &after, id)) {
                store_slot_take(group, slot, log);
                slot->holder = after.holder;
            }
        }
    }
}

/* ---- the revision ---- */

/* What is replaced: the keys of the content that the customer has, and the number behind its revisions. A customer
 * that the group creates itself has none: what it gives up is cleared when the revision is folded. */
static int read_old(struct store_group *group, const struct store_group_chunk *at, const struct uuid *id,
                    struct record_header *old, struct record_key *keys, uint64_t *number)
{
    struct store_view view = {.rows = group->rows, .unfinished = group->local->unfinished};
    struct store_revision revision;
    struct buf row;
    struct slice record;
    buf_init(&row, 0);
    int err = store_revision_last(group->local, &view, &at->chunk->tenant, id, &row, number);
    if (err == 0) {
        err = store_rows_revision_read(buf_view(&row), &revision);
        record = revision.record;
    } else if (err == ERR_NOT_FOUND) {
        uint8_t key[STORE_ROW_KEY_BYTES];
        err = store_kv_get(group->local->kv, group->rows, STORE_FAMILY_BODY,
                           store_rows_pair_key(key, &at->chunk->tenant, id), &row);
        err = err == 0 ? store_rows_body_read(buf_view(&row), id, &record) : err;
    }
    err = err == 0 ? record_read_header(record, old, keys) : err;
    buf_fini(&row);
    return err;
}

static int add_update(struct store_group *group, const struct store_group_chunk *at,
                      const struct store_customer *customer, const struct store_holder *older, uint64_t number)
{
    struct store_update *update = arena_take_zeroed(group->arena, 1, sizeof *update);
    if (update == NULL) {
        return ERR_NO_MEMORY;
    }
    /* Later ones of the group get greater numbers. */
    *update = (struct store_update){.at = at,
                                    .customer = customer,
                                    .id = older->id,
                                    .import = older->import,
                                    .number = number + group->update_count++};
    if (group->last_update == NULL) {
        group->updates = update;
    } else {
        group->last_update->next = update;
    }
    group->last_update = update;
    return 0;
}

void store_revise(struct store_group *group, const struct store_group_chunk *at, const struct store_customer *customer,
                  struct store_claim *claims, const struct store_holder *older, struct store_slot_log *log)
{
    struct record_header old = {.key_count = 0};
    struct record_key keys[LIMIT_ITEM_KEYS];
    uint64_t number = 0;
    if (group->rows == NULL) {
        group->rows = store_kv_view_open(group->local->kv);
    }
    int err = group->rows == NULL ? ERR_NO_MEMORY : read_old(group, at, &older->id, &old, keys, &number);
    if (err == 0 || err == ERR_NOT_FOUND) {
        take_keys(group, at, customer, claims, older, log);
        release_keys(group, at, customer, &old, &older->id, log);
        err = add_update(group, at, customer, older, number);
    }
    group->error = err != 0 ? err : group->error;
}

void store_group_close(struct store_group *group)
{
    store_kv_view_close(group->local->kv, &group->rows);
}
