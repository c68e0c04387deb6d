/*
 * Who has an idempotency key (S9). The commit lock is held, so a key that is free when a chunk is decided is
 * still free when the group is written; within a group a later chunk sees what an earlier one claimed.
 */
#include "store/group_priv.h"

static struct store_request_slot *slot_find(const struct store_group *group, const struct uuid *tenant,
                                            const uint8_t mac[CRYPTO_MAC_BYTES])
{
    for (size_t i = 0; i < group->request_count; i++) {
        struct store_request_slot *slot = &group->requests[i];
        if (memcmp(slot->request.mac, mac, CRYPTO_MAC_BYTES) == 0 && uuid_equal(&slot->tenant, tenant)) {
            return slot;
        }
    }
    return NULL;
}

static int slot_add(struct store_group *group, const struct store_chunk *chunk)
{
    struct store_request_slot *slot = &group->requests[group->request_count++];
    slot->tenant = chunk->tenant;
    int err = store_local_request_get(&group->local->store, &chunk->tenant, chunk->request->mac, &slot->request);
    memcpy(slot->request.mac, chunk->request->mac, CRYPTO_MAC_BYTES);
    slot->held = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

int store_requests_prepare(struct store_group *group)
{
    size_t count = 0;
    for (size_t i = 0; i < group->count; i++) {
        count += group->chunks[i].chunk->request != NULL ? 1 : 0;
    }
    if (count == 0) {
        return 0;
    }
    group->requests = arena_take_zeroed(group->arena, count, sizeof *group->requests);
    if (group->requests == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < group->count; i++) {
        const struct store_chunk *chunk = group->chunks[i].chunk;
        if (chunk->request == NULL) {
            continue;
        }
        if (slot_find(group, &chunk->tenant, chunk->request->mac) == NULL) {
            int err = slot_add(group, chunk);
            if (err != 0) {
                return err;
            }
        }
        group->chunks[i].request = slot_find(group, &chunk->tenant, chunk->request->mac);
    }
    return 0;
}

bool store_request_may_claim(const struct store_group_chunk *at)
{
    const struct store_request_slot *slot = at->request;
    return slot == NULL || at->chunk->forget_request || !slot->held ||
           uuid_equal(&slot->request.import, &at->chunk->import) ||
           slot->request.created_ms < at->chunk->request_before_ms;
}

void store_request_claim(struct store_group_chunk *at)
{
    struct store_request_slot *slot = at->request;
    if (slot == NULL) {
        return;
    }
    if (!at->chunk->forget_request) {
        slot->request = *at->chunk->request;
        slot->request.import = at->chunk->import;
        slot->held = true;
        slot->changed = true;
        at->member->claimed = true;
        memcpy(at->member->mac, slot->request.mac, CRYPTO_MAC_BYTES);
    } else if (slot->held && uuid_equal(&slot->request.import, &at->chunk->import)) {
        slot->held = false; /* another import's claim is not ours to remove */
        slot->changed = true;
        at->member->claimed = false;
    }
}

int store_local_request_get(struct store *store, const struct uuid *tenant, const uint8_t mac[CRYPTO_MAC_BYTES],
                            struct store_request *request)
{
    uint8_t key[STORE_ROW_KEY_BYTES];
    struct buf row;
    memset(request, 0, sizeof *request);
    buf_init(&row, 0);
    int err = store_kv_get(store_local_of(store)->kv, NULL, STORE_FAMILY_REQUEST,
                           store_rows_request_key(key, tenant, mac), &row);
    err = err == 0 ? store_rows_request_read(buf_view(&row), request) : err;
    memcpy(request->mac, mac, CRYPTO_MAC_BYTES);
    buf_fini(&row);
    return err;
}
