/*
 * Sets as sorted arrays: they hold a handful of imports, so copying one for a change costs less than
 * a structure that could be shared while it changes would.
 */
#include "store/unfinished_priv.h"

#include <assert.h>
#include <stdlib.h>

static struct store_unfinished_set *set_new(size_t room)
{
    struct store_unfinished_set *set = calloc(1, sizeof *set + room * sizeof set->entries[0]);
    if (set != NULL) {
        atomic_init(&set->holders, 1);
    }
    return set;
}

struct store_unfinished_set *store_unfinished_new(void)
{
    return set_new(0);
}

static int order(const struct store_unfinished *entry, const struct uuid *tenant, const struct uuid *import)
{
    int tenants = uuid_compare(&entry->tenant, tenant);
    return tenants != 0 ? tenants : uuid_compare(&entry->import, import);
}

/* Where the import stands or would stand. */
static size_t place(const struct store_unfinished_set *set, const struct uuid *tenant, const struct uuid *import)
{
    size_t low = 0;
    size_t high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(&set->entries[middle], tenant, import) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void change_one(struct store_unfinished_set *set, const struct store_unfinished *change)
{
    size_t at = place(set, &change->tenant, &change->import);
    bool there = at < set->count && order(&set->entries[at], &change->tenant, &change->import) == 0;
    size_t behind = set->count - at;
    if (change->state == 0) {
        if (there) {
            memmove(&set->entries[at], &set->entries[at + 1], (behind - 1) * sizeof set->entries[0]);
            set->count--;
        }
        return;
    }
    if (!there) {
        memmove(&set->entries[at + 1], &set->entries[at], behind * sizeof set->entries[0]);
        set->count++;
    }
    set->entries[at] = *change;
}

struct store_unfinished_set *store_unfinished_change(const struct store_unfinished_set *old,
                                                     const struct store_unfinished *changes, size_t count)
{
    struct store_unfinished_set *set = set_new(old->count + count);
    if (set == NULL) {
        return NULL;
    }
    set->count = old->count;
    if (old->count > 0) {
        memcpy(set->entries, old->entries, old->count * sizeof old->entries[0]);
    }
    for (size_t i = 0; i < count; i++) {
        change_one(set, &changes[i]);
    }
    return set;
}

struct store_unfinished_set *store_unfinished_hold(struct store_unfinished_set *set)
{
    atomic_fetch_add(&set->holders, 1);
    return set;
}

void store_unfinished_release(struct store_unfinished_set **set)
{
    if (*set != NULL) {
        size_t before = atomic_fetch_sub(&(*set)->holders, 1);
        assert(before > 0);
        if (before == 1) {
            free(*set);
        }
        *set = NULL;
    }
}

const struct store_unfinished *store_unfinished_find(const struct store_unfinished_set *set, const struct uuid *tenant,
                                                     const struct uuid *import)
{
    size_t at = place(set, tenant, import);
    bool there = at < set->count && order(&set->entries[at], tenant, import) == 0;
    return there ? &set->entries[at] : NULL;
}

bool store_unfinished_revises(const struct store_unfinished_set *set, const struct uuid *tenant)
{
    static const struct uuid first;
    for (size_t i = place(set, tenant, &first); i < set->count && uuid_equal(&set->entries[i].tenant, tenant); i++) {
        if (set->entries[i].state == IMPORT_COMMITTED) {
            return true;
        }
    }
    return false;
}
