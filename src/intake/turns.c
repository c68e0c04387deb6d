/*
 * Whose secrets are hashed next: tenants with pending customers take turns, one customer each, so that
 * nobody waits behind another's million.
 *
 * Each tenant in the round has its own place among its pending customers; starting again from its first
 * would wade through all that has been taken off since. For the same reason the store is searched for
 * tenants seldom: whoever commits pending secrets names the tenant, and the search only finds what a
 * restart forgot. What appears behind a tenant's place (an older import that ended late) makes it go
 * round once more before it leaves.
 */
#include <stdlib.h>

#include "base/map.h"
#include "intake/intake_priv.h"

#define SEARCH_IDLE_MS 1000
#define SEARCH_BUSY_MS 10000

struct turn {
    struct list link;
    struct uuid tenant;
    struct uuid id; /* the last customer of it that was handed out */
    bool again;
};

struct hash_turns {
    struct list round;
    struct map *known; /* tenant -> turn */
    int64_t search_ms; /* when to search the store again */
};

struct hash_turns *hash_turns_new(void)
{
    struct hash_turns *turns = calloc(1, sizeof *turns);
    if (turns == NULL) {
        return NULL;
    }
    list_init(&turns->round);
    turns->known = map_new();
    if (turns->known == NULL) {
        hash_turns_free(&turns);
    }
    return turns;
}

static void leave(struct hash_turns *turns, struct turn *turn)
{
    (void)map_delete(turns->known, uuid_view(&turn->tenant));
    list_remove(&turn->link);
    free(turn);
}

void hash_turns_free(struct hash_turns **turns)
{
    struct hash_turns *freed = *turns;
    *turns = NULL;
    if (freed == NULL) {
        return;
    }
    while (!list_empty(&freed->round)) {
        leave(freed, LIST_ENTRY(freed->round.next, struct turn, link));
    }
    map_free(&freed->known);
    free(freed);
}

static struct turn *find(const struct hash_turns *turns, const struct uuid *tenant)
{
    uint64_t value = 0;
    (void)map_get(turns->known, uuid_view(tenant), &value);
    return (struct turn *)(uintptr_t)value;
}

/* Without memory the tenant is left for a later search. */
static void enter(struct hash_turns *turns, const struct uuid *tenant)
{
    struct turn *turn = calloc(1, sizeof *turn);
    if (turn == NULL) {
        return;
    }
    turn->tenant = *tenant;
    if (map_put(turns->known, uuid_view(tenant), (uint64_t)(uintptr_t)turn) != 0) {
        free(turn);
        return;
    }
    list_append(&turns->round, &turn->link);
}

void hash_turns_add(struct hash_turns *turns, const struct uuid *tenant)
{
    struct turn *turn = find(turns, tenant);
    if (turn != NULL) {
        turn->again = true;
    } else {
        enter(turns, tenant);
    }
}

static int search(struct hash_turns *turns, struct store *store)
{
    struct uuid tenant = {{0}};
    struct uuid id = {{0}};
    int err = store_secrets_next_pending(store, &tenant, &id);
    while (err == 0) {
        if (find(turns, &tenant) == NULL) {
            enter(turns, &tenant);
        }
        memset(&id, 0xff, sizeof id); /* behind its last */
        err = store_secrets_next_pending(store, &tenant, &id);
    }
    return err == ERR_NOT_FOUND ? 0 : err;
}

static void end_turn(struct hash_turns *turns, struct turn *turn)
{
    list_remove(&turn->link);
    list_append(&turns->round, &turn->link);
}

static int next_of_round(struct hash_turns *turns, struct store *store, struct uuid *tenant, struct uuid *id)
{
    while (!list_empty(&turns->round)) {
        struct turn *turn = LIST_ENTRY(turns->round.next, struct turn, link);
        *tenant = turn->tenant; /* NOLINT(clang-analyzer-unix.Malloc): one that left is no longer in the round */
        *id = turn->id;
        int err = store_secrets_next_pending(store, tenant, id);
        if (err == 0 && uuid_equal(tenant, &turn->tenant)) {
            turn->id = *id;
            end_turn(turns, turn);
            return 0;
        }
        if (err != 0 && err != ERR_NOT_FOUND) {
            return err;
        }
        if (turn->again) {
            turn->again = false;
            turn->id = (struct uuid){{0}};
            end_turn(turns, turn);
        } else {
            leave(turns, turn);
        }
    }
    return ERR_NOT_FOUND;
}

int hash_turns_next(struct hash_turns *turns, struct store *store, int64_t now_ms, struct uuid *tenant, struct uuid *id)
{
    if (now_ms >= turns->search_ms) {
        int err = search(turns, store);
        turns->search_ms = now_ms + (list_empty(&turns->round) ? SEARCH_IDLE_MS : SEARCH_BUSY_MS);
        if (err != 0) {
            return err;
        }
    }
    int err = next_of_round(turns, store, tenant, id);
    if (err != 0 && turns->search_ms > now_ms + SEARCH_IDLE_MS) {
        turns->search_ms = now_ms + SEARCH_IDLE_MS;
    }
    return err;
}
